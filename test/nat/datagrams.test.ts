import assert from 'node:assert/strict';
import { hasCode } from '../../lib/errors.ts';
import { deadline } from '../../lib/lifecycle.ts';
import { Datagrams } from '../../lib/nat/datagrams.ts';
import { FakeUdp } from './fake-pmp.ts';

describe('questions in datagrams', () => {
  const opened: { close(): unknown }[] = [];
  const keep = <T extends { close(): unknown }>(one: T): T => {
    opened.push(one);
    return one;
  };
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close();
  });

  const open = async (port: number): Promise<Datagrams> =>
    keep(await Datagrams.open({ gateway: '127.0.0.1', port, own: '127.0.0.1' }));
  const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
  const expecting = (text: string) => (bytes: Uint8Array) =>
    textOf(bytes) === text ? text : undefined;
  const never = new AbortController().signal;

  it('are answered', async () => {
    const gateway = keep(await FakeUdp.open((bytes) => [Buffer.from(`re ${bytes.toString()}`)]));
    const datagrams = await open(gateway.port);
    const asked = ['a', 'b', 'c'].map((text) =>
      datagrams.ask(Buffer.from(text), expecting(`re ${text}`), never),
    );
    assert.deepEqual(await Promise.all(asked), ['re a', 're b', 're c']);
    assert.equal(datagrams.ignored, 0);
  });

  it('are repeated after a quarter of a second, and then ever later', async () => {
    const times: number[] = [];
    const gateway = keep(
      await FakeUdp.open(() => {
        times.push(performance.now());
        return times.length === 4 ? [Buffer.from('at last')] : [];
      }),
    );
    const datagrams = await open(gateway.port);
    await datagrams.ask(Buffer.from('?'), expecting('at last'), never);
    const waits = times.slice(1).map((time, index) => time - times[index]!);
    for (const [index, wait] of waits.entries()) assert.ok(wait > 200 * 2 ** index, `${wait}`);
  });

  it('end in silence with the reason of their signal', async () => {
    const gateway = keep(await FakeUdp.open(() => []));
    const datagrams = await open(gateway.port);
    const ask = (signal: AbortSignal) => datagrams.ask(Buffer.from('?'), () => 1, signal);
    await assert.rejects(ask(deadline(50)), (error) => hasCode(error, 'TIMEOUT'));
    await assert.rejects(ask(AbortSignal.abort()), { name: 'AbortError' });
    const received = gateway.received.length;
    assert.equal(received, 1);
  });

  it('end when nobody is there to hear them', async () => {
    const gateway = await FakeUdp.open(() => []);
    const { port } = gateway;
    await gateway.close();
    const datagrams = await open(port);
    const asked = datagrams.ask(Buffer.from('?'), () => 1, deadline(400));
    await assert.rejects(asked, (error) => hasCode(error, 'TIMEOUT'));
  });

  it('are not answered by other senders, nor by garbage', async () => {
    const intruder = keep(await FakeUdp.open(() => []));
    const others: FakeUdp[] = [];
    const gateway = keep(
      await FakeUdp.open((_, from) => {
        intruder.send(Buffer.from('yes'), from.port);
        for (const other of others) other.send(Buffer.from('yes'), from.port);
        return [Buffer.from('what?'), Buffer.alloc(0), Buffer.alloc(1_200, 'y')];
      }),
    );
    others.push(keep(await FakeUdp.open(() => [], '127.0.0.2', gateway.port)));
    const datagrams = await open(gateway.port);
    const asked = datagrams.ask(Buffer.from('?'), expecting('yes'), deadline(150));
    await assert.rejects(asked, (error) => hasCode(error, 'TIMEOUT'));
    assert.equal(datagrams.ignored, 5);
  });

  it('fail by what is made of an answer', async () => {
    const gateway = keep(await FakeUdp.open(() => [Buffer.from('no')]));
    const datagrams = await open(gateway.port);
    const read = (): never => {
      throw new Error('so not');
    };
    await assert.rejects(datagrams.ask(Buffer.from('?'), read, never), /so not/);
  });

  it('end when the socket is closed', async () => {
    const gateway = keep(await FakeUdp.open(() => []));
    const datagrams = await open(gateway.port);
    const asked = datagrams.ask(Buffer.from('?'), () => 1, never);
    datagrams.close();
    datagrams.close();
    await assert.rejects(asked, (error) => hasCode(error, 'CLOSED'));
    const late = datagrams.ask(Buffer.from('?'), () => 1, never);
    await assert.rejects(late, (error) => hasCode(error, 'CLOSED'));
  });

  it('cannot be put from a card that is not there', async () => {
    const opening = Datagrams.open({ gateway: '127.0.0.1', own: '192.0.2.1' });
    await assert.rejects(opening, (error) => hasCode(error, 'TIMEOUT'));
  });

  it('may be many at once', async () => {
    const gateway = keep(await FakeUdp.open((bytes) => [bytes]));
    const datagrams = await open(gateway.port);
    const warnings: Error[] = [];
    const warn = (warning: Error): void => void warnings.push(warning);
    process.on('warning', warn);
    const texts = Array.from({ length: 40 }, (_, n) => `number ${n}`);
    const asked = texts.map((text) =>
      datagrams.ask(Buffer.from(text), expecting(text), deadline(5_000)),
    );
    assert.deepEqual(await Promise.all(asked), texts);
    process.off('warning', warn);
    assert.deepEqual(warnings, []);
  });
});

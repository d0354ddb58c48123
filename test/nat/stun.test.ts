import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import fc from 'fast-check';
import { hasCode } from '../../lib/errors.ts';
import { deadline, sleep, systemClock, until } from '../../lib/lifecycle.ts';
import { askStun, StunResponder } from '../../lib/nat/stun.ts';
import { decodeStun, encodeRequest, encodeSuccess } from '../../lib/nat/stun-message.ts';
import { FakeUdp } from './fake-pmp.ts';

const transaction = new Uint8Array(12).fill(7);
const soon = (): { signal: AbortSignal } => ({ signal: deadline(5_000) });

describe('STUN', () => {
  const ending: (() => unknown)[] = [];
  /** Milliseconds of the responders' clock. */
  let now: number;
  beforeEach(() => {
    now = 0;
  });
  afterEach(async () => {
    for (const end of ending.splice(0).reverse()) await end();
  });

  async function open(ip = '127.0.0.1', port = 0): Promise<number> {
    const clock = { ...systemClock, monotonic: () => now };
    const responder = await StunResponder.open({ listen: [{ ip, port }], clock });
    ending.push(() => responder.close());
    return responder.ports[0]!;
  }
  /** A socket, with what has come to it. */
  async function listener(address = '127.0.0.1'): Promise<{ socket: Socket; heard: Uint8Array[] }> {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    const heard: Uint8Array[] = [];
    socket.on('message', (bytes) => heard.push(bytes));
    socket.bind(0, address);
    await once(socket, 'listening');
    ending.push(() => new Promise<void>((done) => socket.close(done)));
    return { socket, heard };
  }

  for (const [family, ip] of [
    [4, '127.0.0.1'],
    [6, '::1'],
  ] as const)
    it(`tells who asks over IPv${family} as whom it is seen`, async () => {
      const port = await open(ip);
      const seen = await askStun({ ip, port }, soon());
      assert.deepEqual([seen.ip, seen.family], [ip, family]);
      assert.ok(seen.port > 0 && seen.port !== port);
      const { socket, heard } = await listener(ip);
      socket.send(encodeRequest(transaction), port, ip);
      assert.ok(await until(5_000, () => heard.length > 0));
      const answer = decodeStun(heard[0]!);
      assert.ok(answer?.kind === 'success' && answer.hasFingerprint);
      assert.deepEqual(answer.seen, { ip, port: socket.address().port });
    });

  it('answers with a checksum only who sends one', async () => {
    const port = await open();
    const { socket, heard } = await listener();
    socket.send(Buffer.from('000100002112a442' + '07'.repeat(12), 'hex'), port, '127.0.0.1');
    assert.ok(await until(5_000, () => heard.length > 0));
    assert.equal(decodeStun(heard[0]!)?.hasFingerprint, false);
    // SOFTWARE, which is all that it says of itself.
    assert.ok(Buffer.from(heard[0]!).includes(Buffer.from('80220006636c636861740000', 'hex')));
  });

  it('refuses what it would have to understand', async () => {
    const port = await open();
    const { socket, heard } = await listener();
    const changeRequest = '0003000400000002';
    socket.send(
      Buffer.from(`000100082112a442${'07'.repeat(12)}${changeRequest}`, 'hex'),
      port,
      '127.0.0.1',
    );
    assert.ok(await until(5_000, () => heard.length > 0));
    const answer = decodeStun(heard[0]!);
    assert.ok(answer?.kind === 'failure' && answer.code === 420);
  });

  it('does not answer what is no request, whatever it is', async () => {
    const port = await open();
    const { socket, heard } = await listener();
    const request = { kind: 'request', transaction, hasFingerprint: true, unknown: [] } as const;
    const answers = [
      encodeSuccess(request, { ip: '1.2.3.4', port: 1 }),
      ...fc.sample(fc.uint8Array({ minLength: 1, maxLength: 60 }), 100),
    ];
    for (const bytes of answers) socket.send(bytes, port, '127.0.0.1');
    await sleep(50);
    assert.deepEqual(heard, []);
    socket.send(encodeRequest(transaction), port, '127.0.0.1');
    assert.ok(await until(5_000, () => heard.length === 1));
  });

  it('answers so often in a second, to each', async () => {
    const port = await open('0.0.0.0');
    const flood = await listener();
    const flooded = async (): Promise<number> => {
      flood.heard.length = 0;
      for (let n = 0; n < 80; n++) flood.socket.send(encodeRequest(transaction), port, '127.0.0.1');
      await until(500, () => flood.heard.length >= 80);
      return flood.heard.length;
    };
    assert.equal(await flooded(), 50);
    assert.equal(await flooded(), 0);
    const other = await listener('127.0.0.2');
    other.socket.send(encodeRequest(transaction), port, '127.0.0.1');
    assert.ok(await until(5_000, () => other.heard.length === 1));
    now += 1_000;
    assert.equal(await flooded(), 50);
  });

  it('asks again until it is answered', async () => {
    let asked = 0;
    const server = await FakeUdp.open((bytes, from) => {
      const request = decodeStun(bytes);
      assert.ok(request?.kind === 'request');
      const seen = { ip: from.address, port: from.port };
      return ++asked < 3 ? [] : [encodeSuccess(request, seen)];
    });
    ending.push(() => server.close());
    const { ip } = await askStun({ ip: '127.0.0.1', port: server.port }, soon());
    assert.equal(ip, '127.0.0.1');
    assert.equal(asked, 3);
  });

  it('believes none but whom it asks, and only an answer to its question', async () => {
    const seen = { ip: '6.6.6.6', port: 6 };
    const intruder = await FakeUdp.open(() => []);
    ending.push(() => intruder.close());
    const server = await FakeUdp.open((bytes, from) => {
      const request = decodeStun(bytes);
      assert.ok(request?.kind === 'request');
      intruder.send(encodeSuccess(request, seen), from.port);
      return [
        Buffer.from('garbage'),
        bytes,
        encodeSuccess({ ...request, transaction }, seen),
        encodeSuccess(request, { ip: '11.0.0.2', port: 5_000 }),
      ];
    });
    ending.push(() => server.close());
    const answer = await askStun({ ip: '127.0.0.1', port: server.port }, soon());
    assert.deepEqual(answer, { ip: '11.0.0.2', family: 4, port: 5_000 });
  });

  it('takes a transaction that nobody can guess', async () => {
    const ids = new Set<string>();
    const server = await FakeUdp.open((bytes, from) => {
      const request = decodeStun(bytes);
      assert.ok(request?.kind === 'request');
      ids.add(Buffer.from(request.transaction).toString('hex'));
      return [encodeSuccess(request, { ip: from.address, port: from.port })];
    });
    ending.push(() => server.close());
    for (let n = 0; n < 5; n++) await askStun({ ip: '127.0.0.1', port: server.port }, soon());
    assert.equal(ids.size, 5);
  });

  it('says that it is refused, or that nobody answers', async () => {
    const failure = `011100082112a442${'07'.repeat(12)}0009000400000400`;
    const server = await FakeUdp.open(() => [Buffer.from(failure, 'hex')]);
    ending.push(() => server.close());
    const at = { ip: '127.0.0.1', port: server.port };
    const refused = askStun(at, { ...soon(), random: () => transaction });
    await assert.rejects(refused, (error) => hasCode(error, 'BAD_MESSAGE'));
    const silent = await FakeUdp.open(() => []);
    ending.push(() => silent.close());
    const lost = askStun({ ip: '127.0.0.1', port: silent.port }, { signal: deadline(60) });
    await assert.rejects(lost, (error) => hasCode(error, 'TIMEOUT'));
  });

  it('is not answered at a port that another program has', async () => {
    const { socket } = await listener();
    const { port } = socket.address();
    await assert.rejects(open('127.0.0.1', port), (error) => hasCode(error, 'PORT_IN_USE'));
    await assert.rejects(open('192.0.2.1'), (error) => hasCode(error, 'BAD_ADDRESS'));
  });

  it('leaves nothing open', async () => {
    const sockets = (): number =>
      process.getActiveResourcesInfo().filter((name) => name === 'UDPWrap').length;
    const before = sockets();
    const responder = await StunResponder.open({
      listen: [
        { ip: '127.0.0.1', port: 0 },
        { ip: '::1', port: 0 },
      ],
      clock: systemClock,
    });
    assert.equal(responder.ports.length, 2);
    await askStun({ ip: '127.0.0.1', port: responder.ports[0]! }, soon());
    await responder.close();
    await responder.close();
    assert.ok(await until(5_000, () => sockets() === before));
  });
});

import assert from 'node:assert/strict';
import { ClchatError } from '../../../lib/errors.ts';
import type { Card } from '../../../lib/interfaces.ts';
import {
  connectSource,
  inTurn,
  reachableAt,
  type NextSource,
  type Source,
  type Way,
} from '../../../lib/node/blobs/sources.ts';
import { eventually } from '../../support/channels.ts';
import { FakeTime } from '../../support/time.ts';
import { blobOf, stage, store } from './stage.ts';

const signal = new AbortController().signal;

describe('a way to a peer that holds blobs', () => {
  const { peer, connect, way } = stage();

  it('leads to the device that is meant, and to no other', async () => {
    const [alice, bob, eve] = [await peer(), await peer(), await peer()];
    const { exchange, release } = await connect(alice, bob);
    assert.equal(exchange.remote, bob.key);
    assert.equal(bob.channels[0]?.remote, alice.key);
    await store(bob.store, blobOf(1));
    const { hash } = blobOf(1).manifest;
    assert.ok((await exchange.call('manifest', { hash })).manifest.length > 0);
    release();
    await eventually('the end of it', () => exchange.ended && bob.channels[0]!.ended);
    const target = { addresses: [eve.key], key: bob.key };
    await assert.rejects(connectSource(alice.transport, target, signal), {
      code: 'SERVER_KEY_CHANGED',
    });
    assert.equal(eve.channels.length, 0);
  });

  it('leads nowhere where nobody is, and is not taken once that is not wanted', async () => {
    const [alice, bob] = [await peer(), await peer()];
    await bob.transport.stop();
    await assert.rejects(connect(alice, bob), { code: 'NETWORK' });
    await assert.rejects(way(alice, bob)(AbortSignal.abort()), { name: 'AbortError' });
  });
});

describe('where a device can be reached', () => {
  const card = (address: string, internal = false): Card => {
    const family = address.includes(':') ? 6 : 4;
    return { name: 'eth0', address, family, prefix: 24, internal };
  };
  const cards = [card('192.168.1.1'), card('fd00::1'), card('127.0.0.1', true), card('::1', true)];
  const told = ['192.168.1.7:4000', '127.0.0.1:4000', '[fd00::7]:4001', '[::1]:4001'];

  it('is at the address from which it has come, and at no other that it tells', () => {
    assert.deepEqual(reachableAt(told, '192.168.1.7:51000', cards), ['192.168.1.7:4000']);
    assert.deepEqual(reachableAt(told, '[fd00::7]:51000', cards), ['[fd00::7]:4001']);
    assert.deepEqual(reachableAt(told, '[::ffff:192.168.1.7]:51000', cards), ['192.168.1.7:4000']);
    assert.deepEqual(reachableAt(told, '192.168.1.8:51000', cards), []);
    assert.deepEqual(reachableAt(['192.168.1.1:22'], '192.168.1.8:51000', cards), []);
  });

  it('is at any address of the host that it shares with the server', () => {
    const own = ['192.168.1.1:4000', '127.0.0.1:4000', '[fd00::1]:4001', '10.0.0.1:22'];
    const key = 'ab'.repeat(32);
    for (const seen of ['127.0.0.1:51000', '192.168.1.1:51000', '[::1]:51000', key])
      assert.deepEqual(reachableAt(own, seen, cards), own.slice(0, 3));
  });

  it('is nowhere where nothing sensible is told', () => {
    for (const wrong of ['', 'x', '192.168.1.7', '192.168.1.7:0', '192.168.1.7:70000', '\0'])
      assert.deepEqual(reachableAt([wrong], '192.168.1.7:51000', cards), []);
    for (const seen of ['', 'key', '300.1.1.1:1'])
      assert.deepEqual(reachableAt(told, seen, cards), []);
    const many = Array.from({ length: 50 }, (_, i) => `192.168.1.7:${4_000 + (i % 25)}`);
    assert.equal(reachableAt(many, '192.168.1.7:51000', cards).length, 8);
  });
});

/** A way of which the test says what becomes of it. */
class TestWay {
  readonly name: string;
  /** Errors that it fails with before it leads somewhere; the last repeats. */
  readonly failures: ClchatError[];
  taken = 0;
  released = 0;
  /** Ends what it has led to. */
  lose: () => void = () => undefined;

  constructor(name: string, ...failures: ClchatError[]) {
    this.name = name;
    this.failures = failures;
  }

  readonly way: Way = async () => {
    this.taken++;
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    const ends: (() => void)[] = [];
    let isOver = false;
    this.lose = () => {
      if (isOver) return;
      isOver = true;
      for (const end of ends) end();
    };
    const exchange = { remote: this.name, onEnd: (end: () => void) => void ends.push(end) };
    return {
      exchange: exchange as unknown as Source['exchange'],
      release: () => {
        this.released++;
        this.lose();
      },
    };
  };
}

describe('ways taken in turn', () => {
  let time: FakeTime;
  beforeEach(() => (time = new FakeTime()));
  afterEach(() => time.restore());

  const network = (): ClchatError => new ClchatError('NETWORK');
  const nameOf = async (next: NextSource): Promise<string | undefined> =>
    (await time.until(next(signal)))?.exchange.remote;

  it('are given one after the other, the best first', async () => {
    const ways = ['a', 'b', 'c'].map((name) => new TestWay(name));
    const next = inTurn(ways.map(({ way }) => way));
    assert.deepEqual(
      [await nameOf(next), await nameOf(next), await nameOf(next), await nameOf(next)],
      ['a', 'b', 'c', undefined],
    );
    assert.deepEqual(
      ways.map(({ taken }) => taken),
      [1, 1, 1],
    );
  });

  it('are left out where they lead nowhere', async () => {
    const ways = [new TestWay('a', network()), new TestWay('b')];
    const next = inTurn(ways.map(({ way }) => way));
    assert.deepEqual([await nameOf(next), await nameOf(next)], ['b', undefined]);
    assert.equal(ways[0]!.taken, 1);
  });

  it('fail where none leads anywhere, as the first did', async () => {
    const ways = [new TestWay('a', new ClchatError('TIMEOUT')), new TestWay('b', network())];
    await assert.rejects(time.until(inTurn(ways.map(({ way }) => way))(signal)), {
      code: 'TIMEOUT',
    });
    assert.equal(await time.until(inTurn([])(signal)), undefined);
  });

  it('are taken again where the connection was lost, later each time and not for ever', async () => {
    const flaky = new TestWay('a');
    const next = inTurn([flaky.way]);
    let passed = 0;
    const waits: number[] = [];
    for (; (await nameOf(next)) !== undefined; flaky.lose()) {
      waits.push(Math.round((time.passed - passed) / 100) * 100);
      passed = time.passed;
    }
    assert.deepEqual(waits, [0, 300, 1_000, 3_000, 3_000, 3_000, 3_000, 3_000, 3_000]);
  });

  it('are tried for a while where a lost one does not come back at once', async () => {
    const away = new TestWay('a');
    const next = inTurn([away.way]);
    assert.equal(await nameOf(next), 'a');
    away.lose();
    away.failures.push(network(), network());
    assert.equal(await nameOf(next), 'a');
    assert.equal(away.taken, 4);
    away.lose();
    away.failures.push(new ClchatError('VERSION'));
    assert.equal(await nameOf(next), undefined);
  });

  it('are not taken again by those who have released them', async () => {
    const good = new TestWay('a');
    const next = inTurn([good.way]);
    (await time.until(next(signal)))!.release();
    assert.equal(await nameOf(next), undefined);
    assert.equal(good.released, 1);
  });

  it('are given up when that is asked for', async () => {
    const abort = new AbortController();
    const flaky = new TestWay('a');
    const next = inTurn([flaky.way]);
    await time.until(next(abort.signal));
    flaky.lose();
    const waiting = assert.rejects(next(abort.signal), { name: 'AbortError' });
    abort.abort();
    await time.until(waiting);
    assert.equal(flaky.taken, 1);
  });
});

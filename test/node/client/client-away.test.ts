import assert from 'node:assert/strict';
import { SigningKey } from '../../../lib/crdt/keys.ts';
import { MemoryDisk } from '../../../lib/crdt/store-memory.ts';
import { LOBBY_STREAM } from '../../../lib/crdt/stream.ts';
import { codeOf, hasCode } from '../../../lib/errors.ts';
import { eventually, turns } from '../../support/channels.ts';
import { World, type TestClient } from '../../support/roles.ts';
import { FakeTime } from '../../support/time.ts';
import { SimulatedTransport } from '../../simulation/network.ts';
import { SERVER_ADDRESS } from '../../simulation/world.ts';

/** What a client told of its own state, in order. */
const states = ({ told }: TestClient): string[] =>
  told.filter((what) => !what.endsWith(' came') && !what.endsWith(' left'));

describe('a client whose server is away', () => {
  let world: World;

  beforeEach(async () => {
    world = await World.start();
  });
  afterEach(async () => {
    await world.stop();
    assert.deepEqual(world.faults, []);
  });

  const isBack = (test: TestClient): Promise<void> =>
    eventually('it is connected', () => test.client.connected);
  const isAway = (test: TestClient): Promise<void> =>
    eventually('it is away', () => !test.client.connected);

  describe('begins without the server', () => {
    it('from what it has, and goes on by itself when the server is back', async () => {
      const alice = await world.join('alice', 'secret');
      const bob = await world.join('bob');
      await alice.say('before');
      await alice.stop();
      await bob.stop();
      await world.close();
      await alice.open();
      await assert.rejects(alice.client.connect(), { code: 'NETWORK' });
      await assert.rejects(alice.client.startAway('guess'), { code: 'BAD_PASSWORD' });
      assert.equal(alice.client.loggedIn, false);
      await alice.client.startAway('secret');
      assert.deepEqual([alice.client.connected, alice.client.loggedIn], [false, true]);
      assert.throws(() => alice.client.session, { code: 'NETWORK' });
      assert.equal(await alice.say('meanwhile'), 'queued');
      await world.open();
      await isBack(alice);
      await alice.client.settle();
      assert.deepEqual(states(alice), ['connected']);
      const messages = await alice.home.conversations.newest(LOBBY_STREAM, 9);
      assert.deepEqual(
        messages.map(({ text, state }) => `${text} ${state}`),
        ['before held', 'meanwhile held'],
      );
    });

    it('not where there is nothing to begin from', async () => {
      const nobody = await world.client();
      await assert.rejects(nobody.client.startAway(), { code: 'NOT_LOGGED_IN' });
      assert.equal(nobody.client.loggedIn, false);
    });
  });

  describe('comes back', () => {
    it('after a restart of the server, with what was said meanwhile', async () => {
      const [alice, bob] = [await world.join('alice'), await world.join('bob')];
      await world.close();
      await Promise.all([isAway(alice), isAway(bob)]);
      assert.equal(await alice.say('meanwhile'), 'queued');
      assert.equal(alice.client.loggedIn, true);
      await world.open();
      await bob.hears('meanwhile');
      await isBack(alice);
      assert.deepEqual(states(alice), ['disconnected', 'connected']);
      assert.equal(await alice.say('again'), 'held');
      await bob.hears('again');
      assert.deepEqual(bob.texts, ['meanwhile', 'again']);
    });

    it('and is told how far its messages have got meanwhile', async () => {
      const [alice, bob] = [await world.join('alice'), await world.join('bob')];
      const carol = await world.member('carol');
      await carol.open();
      await bob.stop();
      await eventually('she knows carol', () => alice.home.audienceSize(LOBBY_STREAM) === 2);
      const entry = await alice.home.conversations.say(LOBBY_STREAM, 'for bob');
      assert.equal(await alice.home.outbox.answer(entry.id), 'held');
      assert.deepEqual(alice.receipts.get(entry.id), { on: 0, of: 2 });
      await carol.say('for both');
      const holders = (): number | undefined => carol.receipts.at(-1)?.[1];
      await eventually('alice has what carol said', () => holders() === 1);
      await alice.stop();
      await bob.open();
      await bob.client.connect();
      await bob.client.loginDevice();
      // All authors of what he has are told together: alice as well, had she been there.
      await eventually('bob has it, too', () => holders() === 2);
      await alice.open();
      await alice.client.connect();
      await alice.client.loginDevice();
      await eventually('alice knows', () => alice.receipts.get(entry.id)?.on === 1);
    });

    it('and says nothing of what it was asking when it stops', async () => {
      const alice = await world.join('alice');
      await world.member('bob');
      await eventually('she knows bob', () => alice.home.audienceSize(LOBBY_STREAM) === 1);
      assert.equal(await alice.say('for bob'), 'held');
      await alice.stop();
      await alice.open();
      await alice.client.connect();
      world.network.weather = { ...world.network.weather, delay: [40, 50] };
      await alice.client.loginDevice();
      await alice.stop();
      assert.deepEqual(alice.faults, []);
    });

    it('not to a server of another key, of which it warns', async () => {
      const alice = await world.join('alice');
      await world.close();
      const { key } = world;
      const impostor = world.network.join(
        SERVER_ADDRESS,
        new SigningKey(world.random.bytes(32)).public,
      );
      await eventually('it warns', () => alice.told.includes('notice SERVER_KEY_CHANGED'));
      assert.equal(alice.client.connected, false);
      await assert.rejects(alice.client.connect(), { code: 'SERVER_KEY_CHANGED' });
      assert.equal(alice.client.server, key.public);
      await impostor.stop();
      await world.open();
      await isBack(alice);
    });

    it('but not where the server does not know it any more', async () => {
      const alice = await world.join('alice');
      await world.close();
      const lost = new MemoryDisk();
      Object.assign(world, { disk: lost });
      await world.open();
      await eventually('it is told', () => alice.told.includes('logout unknown device'));
      assert.equal(alice.client.loggedIn, false);
      assert.ok(alice.faults.every((fault) => !hasCode(fault, 'INTERNAL')));
    });

    it('and does nothing of it once it is stopped', async () => {
      const alice = await world.join('alice');
      await world.close();
      await isAway(alice);
      await alice.client.stop();
      const told = alice.told.length;
      await world.open();
      await turns(20);
      assert.deepEqual(world.server.online(), []);
      assert.equal(alice.told.length, told);
    });
  });
});

describe('a client that tries to come back', () => {
  let time: FakeTime;
  let world: World;
  let alice: TestClient;
  /** When it tried. */
  let attempts: number[];

  beforeEach(async () => {
    time = new FakeTime();
    world = await time.until(World.start());
    alice = await time.until(world.join('alice'));
    attempts = [];
  });
  afterEach(async () => {
    await time.until(world.stop());
    time.restore();
  });

  const goAway = async (): Promise<void> => {
    const { transport } = alice;
    const connect = SimulatedTransport.prototype.connect.bind(transport);
    attempts = [];
    transport.connect = (...args) => {
      attempts.push(time.passed);
      return connect(...args);
    };
    await time.until(world.close());
    await time.until(eventually('it tries', () => attempts.length > 0));
  };
  /** How long it waited before each attempt but the first. */
  const waits = (): number[] => attempts.slice(1).map((at, index) => at - attempts[index]!);

  it('waits longer each time, up to some seconds', async () => {
    await goAway();
    await time.pass(40_000);
    const expected = [100, 300, 700, 1_500, 3_000, 4_500, 4_500, 4_500, 4_500];
    assert.ok(waits().length >= expected.length, waits().join());
    for (const [index, base] of expected.entries()) {
      const wait = waits()[index]!;
      // With a moment of its own, and what the attempt itself takes.
      assert.ok(wait >= base && wait <= base * 1.1 + 20, `${wait} ms in place of ${base}`);
    }
    assert.ok(alice.faults.every((fault) => codeOf(fault) === 'NETWORK'));
  });

  it('is back at the next attempt, and begins anew the next time', async () => {
    await goAway();
    await time.pass(20_000);
    await time.until(world.open());
    await time.until(eventually('it is back', () => states(alice).includes('connected')));
    assert.deepEqual(states(alice), ['disconnected', 'connected']);
    assert.equal(await time.until(alice.say('here again')), 'held');
    await goAway();
    await time.pass(250);
    assert.equal(attempts.length, 2, attempts.join());
  });

  it('waits no longer once there are other addresses', async () => {
    await goAway();
    await time.pass(20_000);
    alice.addresses = ['10.0.0.9:1'];
    const server = world.network.join('10.0.0.9:1', world.key.public);
    const before = attempts.length;
    alice.client.networkChanged();
    await time.pass(10);
    assert.equal(attempts.length, before + 1);
    // And only once.
    await time.pass(1_000);
    assert.equal(attempts.length, before + 1);
    await time.until(server.stop());
  });

  it('does so when the server is silent, not only when it says goodbye', async () => {
    world.network.cut(SERVER_ADDRESS);
    await time.pass(8_000);
    await time.until(eventually('it is away', () => !alice.client.connected));
    assert.equal(await time.until(alice.say('kept')), 'queued');
    world.network.restore(SERVER_ADDRESS);
    await time.until(eventually('it is back', () => alice.client.connected));
    await time.until(alice.client.settle());
    assert.equal(world.log.headOf(LOBBY_STREAM).length, 1);
  });

  it('tries no more once the person has logged out', async () => {
    await goAway();
    await time.until(alice.client.logout());
    const before = attempts.length;
    await time.pass(30_000);
    assert.ok(attempts.length <= before + 1, 'but for the one it was about to make');
    assert.deepEqual(states(alice), ['disconnected', 'logout logout']);
    await time.until(world.open());
    await time.pass(10_000);
    assert.deepEqual(world.server.online(), []);
  });
});

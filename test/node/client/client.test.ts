import assert from 'node:assert/strict';
import type { SigningKey } from '../../../lib/crdt/keys.ts';
import { LOBBY_STREAM } from '../../../lib/crdt/stream.ts';
import { codeOf } from '../../../lib/errors.ts';
import { eventually } from '../../support/channels.ts';
import type { ShiftedClock, TestClient, World } from '../../support/roles.ts';
import { worldStage } from '../../support/world-stage.ts';
import { SERVER_ADDRESS } from '../../simulation/world.ts';

describe('a client', () => {
  const stage = worldStage({ timeout: 60 });
  let world: World;
  let clock: ShiftedClock;

  beforeEach(() => {
    ({ world, clock } = stage);
  });

  /** Another device of an account. */
  const device = async (name: string, password: string): Promise<TestClient> => {
    const test = await world.client();
    await test.client.connect();
    await test.client.loginPassword(name, password);
    return test;
  };
  const revoke = async (by: TestClient, key: string): Promise<void> => {
    const { home } = by;
    const { body } = home.revocation(key as SigningKey['public']);
    const entry = await home.conversations.act('space', 'revoke', body);
    assert.equal(await home.outbox.answer(entry.id), 'held');
  };
  /** The program is started again, and its device logs in. */
  const restart = async (test: TestClient, ...options: Parameters<TestClient['open']>) => {
    await test.stop();
    await test.open(...options);
    await test.client.connect();
    await test.client.loginDevice();
  };

  describe('logs in', () => {
    it('with a new account, and says and hears from then on', async () => {
      const alice = await world.client();
      assert.deepEqual([alice.client.connected, alice.client.loggedIn], [false, false]);
      assert.equal(alice.client.server, undefined);
      assert.throws(() => alice.client.home, { code: 'NOT_LOGGED_IN' });
      assert.throws(() => alice.client.session, { code: 'NOT_LOGGED_IN' });
      const hello = await alice.client.connect();
      assert.deepEqual([hello.name, hello.account], ['acme', null]);
      assert.deepEqual(await alice.client.lookup('alice'), { exists: false, password: false });
      await alice.client.register('alice', undefined);
      assert.deepEqual([alice.client.connected, alice.client.loggedIn], [true, true]);
      assert.deepEqual(
        [alice.client.server, alice.client.address],
        [world.key.public, SERVER_ADDRESS],
      );
      const bob = await world.join('bob');
      assert.equal(await bob.say('hi alice'), 'held');
      await alice.hears('hi alice');
      assert.equal(await alice.say('hi bob', 'bob'), 'held');
      await bob.hears('hi bob');
    });

    it('by the key of its device, after a restart', async () => {
      const alice = await world.join('alice');
      await alice.say('before');
      await restart(alice);
      assert.equal(alice.client.hello?.account?.name, 'alice');
      assert.equal(await alice.say('after'), 'held');
      assert.deepEqual(
        (await alice.home.conversations.newest(LOBBY_STREAM, 9)).map(({ text }) => text),
        ['before', 'after'],
      );
    });

    it('by a password that it can tell itself, or that the server can', async () => {
      const alice = await world.join('alice', 'secret');
      await alice.stop();
      await alice.open();
      await alice.client.connect();
      world.opaqueCalls.length = 0;
      await assert.rejects(alice.client.loginDevice('guess'), { code: 'BAD_PASSWORD' });
      assert.equal(world.opaqueCalls.length, 1);
      assert.equal(alice.client.loggedIn, false);
      await alice.client.loginDevice('secret');
      assert.equal(world.opaqueCalls.length, 1, 'no need to ask');
      const phone = await device('alice', 'secret');
      await phone.client.changePassword('secret', 'fresh');
      await alice.stop();
      await alice.open();
      await alice.client.connect();
      await assert.rejects(alice.client.loginDevice('secret'), { code: 'BAD_PASSWORD' });
      await alice.client.loginDevice('fresh');
      // From then on it can tell the new one as well.
      await alice.stop();
      await alice.open();
      await alice.client.connect();
      world.opaqueCalls.length = 0;
      await alice.client.loginDevice('fresh');
      assert.deepEqual(world.opaqueCalls, []);
    });

    it('not by three wrong ones, which lock the account', async () => {
      const alice = await world.join('alice', 'secret');
      const thief = await world.client();
      await thief.client.connect();
      for (let attempt = 0; attempt < 3; attempt++)
        await assert.rejects(thief.client.loginPassword('alice', 'guess'), {
          code: 'BAD_PASSWORD',
        });
      assert.deepEqual(thief.told, ['locked alice 60']);
      await assert.rejects(thief.client.loginPassword('alice', 'secret'), { code: 'LOCKED' });
      assert.equal(thief.client.loggedIn, false);
      assert.equal(await alice.say('still here'), 'held');
    });

    it('on a further device, which reads what there is and tells what is new', async () => {
      const alice = await world.join('alice', 'secret');
      const bob = await world.join('bob');
      await bob.say('old', 'alice');
      await alice.hears('old');
      const phone = await device('alice', 'secret');
      await bob.say('new', 'alice');
      await phone.hears('new');
      assert.deepEqual(phone.texts, ['new']);
      const pair = phone.messages[0]!.stream;
      const enough = async (): Promise<boolean> => false;
      await phone.client.fetchOlder(pair, enough);
      const texts = (await phone.home.conversations.newest(pair, 9)).map(({ text }) => text);
      assert.deepEqual(texts, ['old', 'new']);
    });

    it('not where nobody knows it, nor without a server', async () => {
      const nobody = await world.client();
      await assert.rejects(nobody.client.loginDevice(), { code: 'NETWORK' });
      await nobody.client.connect();
      await assert.rejects(nobody.client.loginDevice(), { code: 'NOT_LOGGED_IN' });
      await assert.rejects(nobody.client.logout(), { code: 'NOT_LOGGED_IN' });
      nobody.addresses = ['10.9.9.9:9'];
      await nobody.stop();
      await nobody.open();
      await assert.rejects(nobody.client.connect(), { code: 'NETWORK' });
    });

    it('and is asked for the old password to change it', async () => {
      const alice = await world.join('alice', 'old');
      await assert.rejects(alice.client.changePassword(undefined, 'new'), { code: 'USAGE' });
      await assert.rejects(alice.client.changePassword('guess', 'new'), { code: 'BAD_PASSWORD' });
      await alice.client.changePassword('old', 'new');
      await device('alice', 'new');
      const bob = await world.join('bob');
      await bob.client.changePassword(undefined, 'first');
      await device('bob', 'first');
    });
  });

  describe('is logged out', () => {
    it('when it asks to, once what it has said is out, and may log in again', async () => {
      const [alice, bob] = [await world.join('alice'), await world.join('bob')];
      const { id } = await alice.home.conversations.say(LOBBY_STREAM, 'goodbye');
      const answer = alice.home.outbox.answer(id);
      await alice.client.logout();
      assert.equal(await answer, 'held');
      await bob.hears('goodbye');
      assert.deepEqual(alice.told.slice(-1), ['logout logout']);
      assert.deepEqual([alice.client.connected, alice.client.loggedIn], [false, false]);
      assert.throws(() => alice.client.home, { code: 'NOT_LOGGED_IN' });
      await eventually('she has left', () => bob.told.includes('alice left'));
      await alice.client.connect();
      await alice.client.loginDevice();
      await bob.say('welcome');
      await alice.hears('welcome');
      assert.ok(!alice.told.includes('disconnected'));
    });

    it('when its account shuts it out', async () => {
      const alice = await world.join('alice', 'secret');
      const phone = await device('alice', 'secret');
      const key = phone.home.replica.device;
      await revoke(alice, key);
      await eventually('it is told', () => phone.told.includes('logout revoked'));
      assert.equal(phone.client.loggedIn, false);
      await phone.client.connect();
      await assert.rejects(phone.client.loginDevice(), { code: 'REVOKED' });
    });

    it('when its account shut it out while it was away', async () => {
      const alice = await world.join('alice', 'secret');
      const phone = await device('alice', 'secret');
      const key = phone.home.replica.device;
      await phone.stop();
      await revoke(alice, key);
      phone.told.length = 0;
      await phone.open();
      await phone.client.startAway();
      await eventually('it is told', () => phone.told.includes('logout revoked'));
      assert.equal(phone.client.loggedIn, false);
      assert.deepEqual(phone.told, ['logout revoked']);
    });

    it('when nobody has been at work for too long', async () => {
      const [alice, bob] = [await world.join('alice'), await world.join('bob')];
      // What comes with a login is work as well, and may come as late as in the first step.
      for (let step = 0; step < 7; step++) {
        clock.shift += 11_000;
        alice.client.touch();
        for (const { client } of [alice, bob])
          if (client.loggedIn) await client.session.call('ping', {}).catch(() => undefined);
      }
      await eventually('it is told', () => bob.told.includes('logout timeout'));
      assert.equal(bob.client.loggedIn, false);
      assert.equal(alice.client.loggedIn, true);
      bob.client.touch();
      assert.deepEqual(bob.faults.map(codeOf), []);
    });
  });

  it('tells who comes and goes, and what is said to all', async () => {
    const alice = await world.join('alice');
    const bob = await world.join('bob');
    await eventually('bob is seen', () => alice.told.includes('bob came'));
    const { reached } = await bob.client.session.call('broadcast', { text: 'hear', time: 1 });
    assert.deepEqual(reached, ['alice']);
    await bob.client.logout();
    await eventually('bob is missed', () => alice.told.includes('bob left'));
    assert.deepEqual(alice.told, ['bob came', 'bob to all: hear', 'bob left']);
  });

  it('keeps news for the next run where nobody listens in this one', async () => {
    const alice = await world.join('alice');
    const bob = await world.join('bob');
    await alice.stop();
    await bob.say('news');
    await alice.open({ isQuiet: true });
    await alice.client.connect();
    await alice.client.loginDevice();
    const newest = await alice.home.conversations.newest(LOBBY_STREAM, 9);
    assert.deepEqual(
      newest.map(({ text }) => text),
      ['news'],
    );
    assert.deepEqual(alice.texts, []);
    await restart(alice);
    await alice.hears('news');
  });
});

import assert from 'node:assert/strict';
import { passwordKey } from '../../../lib/crdt/keyring.ts';
import type { RoomId, SealingKey } from '../../../lib/crdt/keys.ts';
import { isEncryptedRoom, lockOf, roomOf } from '../../../lib/crdt/rooms.ts';
import { prefixed } from '../../../lib/crdt/store.ts';
import { roomStream } from '../../../lib/crdt/stream.ts';
import type { ErrorCode } from '../../../lib/errors.ts';
import { sleep } from '../../../lib/lifecycle.ts';
import type { OpaqueClient } from '../../../lib/node/opaque.ts';
import { eventually } from '../../support/channels.ts';
import { Eavesdropper } from '../../support/eavesdropper.ts';
import { fakeOpaqueClient } from '../../support/fake-opaque.ts';
import { World, type TestClient } from '../../support/roles.ts';

describe('rooms, the client’s side', function () {
  this.timeout(20_000);
  let world: World;
  let alice: TestClient;
  let bob: TestClient;
  let carol: TestClient;
  /** Keys that passwords have yielded to Bob. */
  let yielded: SealingKey[];

  /** OPAQUE as Bob uses it, who keeps what it yields. */
  const greedy = (): OpaqueClient => ({
    ...fakeOpaqueClient,
    async loginFinish(request) {
      const finished = await fakeOpaqueClient.loginFinish(request);
      if (finished !== undefined) yielded.push(passwordKey(finished.exportKey));
      return finished;
    },
  });

  beforeEach(async () => {
    yielded = [];
    world = await World.start();
    alice = await world.join('alice');
    bob = await world.join('bob', undefined, { opaque: greedy() });
    carol = await world.join('carol');
  });

  afterEach(async () => {
    const faults = [alice, bob, carol].flatMap((one) => one.faults);
    await world.stop();
    assert.deepEqual([...world.faults, ...faults], []);
  });

  const make = (
    by: TestClient,
    name: string,
    { password, ...change }: { password?: string; parent?: RoomId; private?: boolean } = {},
  ): Promise<RoomId> => by.client.rooms.create({ name, private: false, ...change }, password);

  const say = async (by: TestClient, room: RoomId, ...texts: string[]): Promise<void> => {
    for (const text of texts) {
      const entry = await by.home.conversations.say(roomStream(room), text);
      assert.equal(await by.home.outbox.answer(entry.id), 'held');
    }
  };

  const read = async (by: TestClient, room: RoomId): Promise<string[]> => {
    const stream = roomStream(room);
    await by.client.fetchOlder(stream, async () => false);
    return (await by.home.conversations.newest(stream, 100)).map(({ text }) => text);
  };

  const knows = (who: TestClient, room: RoomId): Promise<void> =>
    eventually('knowing the room', () => roomOf(who.home.space, room) !== undefined);

  const join = async (who: TestClient, room: RoomId, password?: string): Promise<void> => {
    await knows(who, room);
    await who.client.rooms.join(room, password);
  };

  const refuses = async (run: Promise<unknown>, code: ErrorCode): Promise<void> => {
    await assert.rejects(run, { code });
  };

  const names = async (by: TestClient, room: RoomId): Promise<string[]> =>
    ((await by.client.rooms.members(room)) ?? []).map((account) => by.home.nameOf(account)).sort();

  const seesMembers = (by: TestClient, room: RoomId, ...members: string[]): Promise<void> =>
    eventually(`${members.join()} in the room`, async () => {
      return (await names(by, room)).join() === members.join();
    });

  const accountOf = (who: TestClient): TestClient['home']['account'] => who.home.account;

  /** What Bob could read of a room with all of the server's store and what his device knows. */
  const opened = async (room: RoomId, keys = yielded): Promise<(string | null)[]> =>
    (await Eavesdropper.with(world.store, bob.keystore, keys)).reads(roomStream(room));

  describe('that are open', () => {
    it('are made, joined and left, and everybody knows who is in them', async () => {
      const den = await make(alice, 'den');
      await refuses(alice.client.rooms.join(den, undefined), 'ALREADY');
      await join(bob, den);
      await seesMembers(carol, den, 'alice', 'bob');
      await say(bob, den, 'hello');
      await alice.hears('hello');
      assert.deepEqual(carol.texts, []);
      assert.deepEqual(await bob.client.rooms.joined(), [den]);
      await bob.client.rooms.leave(den);
      assert.deepEqual(await bob.client.rooms.joined(), []);
      await refuses(bob.client.rooms.leave(den), 'NOT_MEMBER');
      await seesMembers(alice, den, 'alice');
    });

    it('put people out by their owner, who may come back unless they are banned', async () => {
      const den = await make(alice, 'den');
      await join(bob, den);
      await refuses(carol.client.rooms.putOut(den, accountOf(bob)), 'DENIED');
      await seesMembers(alice, den, 'alice', 'bob');
      await alice.client.rooms.putOut(den, accountOf(bob));
      await seesMembers(bob, den, 'alice');
      await join(bob, den);
      await alice.client.rooms.ban(den, accountOf(bob), 0);
      await seesMembers(bob, den, 'alice');
      await refuses(bob.client.rooms.join(den, undefined), 'BANNED');
      await alice.client.rooms.unban(den, accountOf(bob));
      await join(bob, den);
    });
  });

  describe('with a password', () => {
    it('are joined while nobody else is there, and read from their beginning', async () => {
      const den = await make(alice, 'den', { password: 'open sesame' });
      await say(alice, den, 'one', 'two');
      await alice.stop();
      await knows(bob, den);
      assert.deepEqual(await bob.client.rooms.members(den), []);
      await join(bob, den, 'open sesame');
      assert.deepEqual(await read(bob, den), ['one', 'two']);
      await say(bob, den, 'three');
      assert.deepEqual(await names(bob, den), ['alice', 'bob']);
      // What was said before is no news to him.
      assert.deepEqual(bob.texts, []);
      await alice.open();
      await alice.login();
      await alice.hears('three');
      assert.deepEqual(await read(alice, den), ['one', 'two', 'three']);
    });

    it('can be read after a restart, and on further devices of a member', async () => {
      const den = await make(alice, 'den', { password: 'open sesame' });
      await say(alice, den, 'one');
      await join(bob, den, 'open sesame');
      await bob.stop();
      await bob.open();
      await bob.login();
      assert.deepEqual(await read(bob, den), ['one']);
      await say(bob, den, 'two');
      await alice.hears('two');
    });

    it('take no wrong one, and are locked after three', async () => {
      const den = await make(alice, 'den', { password: 'open sesame' });
      await refuses(join(bob, den), 'BAD_PASSWORD');
      for (let attempt = 1; attempt <= 3; attempt++)
        await refuses(join(bob, den, 'a guess'), 'BAD_PASSWORD');
      await refuses(join(bob, den, 'open sesame'), 'LOCKED');
      await assert.rejects(join(carol, den, 'open sesame'), /The room "den" is locked/);
      assert.deepEqual(await alice.client.rooms.members(den), [accountOf(alice)]);
    });

    it('lead to rooms within, without asking again', async () => {
      const den = await make(alice, 'den', { password: 'open sesame' });
      const nook = await make(alice, 'nook', { parent: den });
      assert.ok(isEncryptedRoom(alice.home.space, nook));
      await say(alice, nook, 'inside');
      await knows(bob, nook);
      assert.deepEqual(await bob.client.rooms.barred(nook), [den]);
      await refuses(bob.client.rooms.join(nook, 'open sesame'), 'NOT_MEMBER');
      await join(bob, den, 'open sesame');
      assert.deepEqual(await bob.client.rooms.barred(nook), []);
      // Another run of the program, in which no password was given.
      await bob.stop();
      await bob.open();
      await bob.login();
      await alice.stop();
      await join(bob, nook);
      assert.deepEqual(await read(bob, nook), ['inside']);
      await bob.stop();
      await bob.open();
      await bob.login();
      assert.deepEqual(await read(bob, nook), ['inside']);
    });

    it('may lie in each other, each with its own', async () => {
      const den = await make(alice, 'den', { password: 'one' });
      const safe = await make(alice, 'safe', { parent: den, password: 'two' });
      await knows(bob, safe);
      assert.deepEqual(await bob.client.rooms.barred(safe), [den, safe]);
      await join(bob, den, 'one');
      assert.deepEqual(await bob.client.rooms.barred(safe), [safe]);
      await refuses(join(bob, safe, 'one'), 'BAD_PASSWORD');
      await join(bob, safe, 'two');
      await say(bob, safe, 'in');
      await alice.hears('in');
    });

    it('have another from then on, and the old one opens nothing that follows', async () => {
      const den = await make(alice, 'den', { password: 'old' });
      await say(alice, den, 'before');
      await join(bob, den, 'old');
      await bob.client.rooms.leave(den);
      await alice.client.rooms.setPassword(den, 'new');
      await say(alice, den, 'after');
      await refuses(join(carol, den, 'old'), 'BAD_PASSWORD');
      await join(carol, den, 'new');
      assert.deepEqual(await read(carol, den), ['before', 'after']);
      assert.equal(yielded.length, 1);
      assert.deepEqual(await opened(den), ['before', null]);
    });

    it('are read from their beginning by a later password too, whoever spoke in between', async () => {
      const den = await make(alice, 'den', { password: 'old' });
      await say(alice, den, 'one');
      await alice.client.rooms.issueCode(den, 'ABCDE', 1, Date.now() + 60_000);
      await knows(bob, den);
      // By a code nothing is opened that was said before.
      await bob.client.rooms.joinByCode(den, 'ABCDE');
      await say(bob, den, 'two');
      await alice.hears('two');
      await alice.client.rooms.setPassword(den, 'new');
      await say(alice, den, 'three');
      await join(carol, den, 'new');
      assert.deepEqual(await read(carol, den), ['one', 'two', 'three']);
    });

    it('may lose it: then members alone let others in', async () => {
      const den = await make(alice, 'den', { password: 'old' });
      await alice.client.rooms.setPassword(den, undefined);
      await say(alice, den, 'for us');
      await knows(bob, den);
      await eventually('no password', () => lockOf(bob.home.space, den)?.password === false);
      await refuses(join(bob, den, 'old'), 'DENIED');
      await alice.client.rooms.admit(den, accountOf(bob));
      await seesMembers(bob, den, 'alice', 'bob');
      await say(bob, den, 'thank you');
      await alice.hears('thank you');
      assert.deepEqual(await read(bob, den), [
        '(sealed before this device could read it)',
        'thank you',
      ]);
    });
  });

  describe('that are private', () => {
    it('are entered by a code, once for each use', async () => {
      const den = await make(alice, 'den', { private: true });
      await say(alice, den, 'before');
      await refuses(join(bob, den, 'whatever'), 'DENIED');
      await alice.client.rooms.issueCode(den, 'ABCDE-FGHJK', 1, Date.now() + 60_000);
      await refuses(bob.client.rooms.joinByCode(den, 'ABCDE-WRONG'), 'BAD_CODE');
      await bob.client.rooms.joinByCode(den, 'abcde fghjk');
      await refuses(carol.client.rooms.joinByCode(den, 'ABCDE-FGHJK'), 'BAD_CODE');
      await say(alice, den, 'after');
      await bob.hears('after');
      const late = Date.now() - 60_000;
      await refuses(alice.client.rooms.issueCode(den, 'EXPIRED', 1, late), 'BAD_CODE');
      await refuses(carol.client.rooms.joinByCode(den, 'EXPIRED'), 'BAD_CODE');
      await refuses(bob.client.rooms.admit(den, accountOf(carol)), 'DENIED');
    });

    it('lead members to rooms within', async () => {
      const den = await make(alice, 'den', { private: true });
      const nook = await make(alice, 'nook', { parent: den });
      await alice.client.rooms.admit(den, accountOf(bob));
      await seesMembers(bob, den, 'alice', 'bob');
      await join(bob, nook);
      await say(alice, nook, 'hi');
      await bob.hears('hi');
      await knows(carol, nook);
      await refuses(join(carol, nook), 'NOT_MEMBER');
    });

    it('shut out whom they put out, while members go on', async () => {
      const den = await make(alice, 'den', { private: true });
      const nook = await make(alice, 'nook', { parent: den });
      for (const one of [bob, carol]) await alice.client.rooms.admit(den, accountOf(one));
      await seesMembers(bob, den, 'alice', 'bob', 'carol');
      await say(bob, den, 'before');
      await alice.client.rooms.putOut(den, accountOf(bob));
      await say(alice, den, 'after');
      await carol.hears('after');
      assert.deepEqual(await opened(den), ['before', null]);
      await eventually('being out', async () => !(await bob.client.rooms.isMember(den)));
      await refuses(join(bob, nook), 'NOT_MEMBER');
      await join(carol, nook);
    });
  });

  it('are removed, or shut, while they are being caught up with', async () => {
    const { account } = bob.home;
    for (const delay of [0, 4, 12, 30]) {
      const open = await make(alice, `open${delay}`);
      const closed = await make(alice, `closed${delay}`, { password: 'open sesame' });
      await join(bob, open);
      await join(bob, closed, 'open sesame');
      await bob.stop();
      const texts = Array.from({ length: 150 }, (_, at) => `message ${at}`);
      for (const room of [open, closed])
        await Promise.all(texts.map((text) => say(alice, room, text)));
      await bob.open({ opaque: greedy() });
      const login = bob.login();
      await sleep(delay);
      await Promise.all([
        alice.client.rooms.remove(open),
        alice.client.rooms.putOut(closed, account),
      ]);
      await login;
      await eventually('no such room', () => roomOf(bob.home.space, open) === undefined);
      await eventually('being out', async () => !(await bob.client.rooms.isMember(closed)));
      const left = bob.home.replica.log.store.entries(prefixed(`e!${roomStream(open)}!`));
      await bob.home.settled();
      for await (const [key] of left) assert.fail(key);
      assert.equal(await bob.say('still here'), 'held');
    }
  });

  /** A room with a password in which all three are and have spoken. */
  const joint = async (password = 'open sesame'): Promise<RoomId> => {
    const den = await make(alice, 'den', { password });
    for (const one of [bob, carol]) await join(one, den, password);
    for (const one of [alice, bob, carol]) await seesMembers(one, den, 'alice', 'bob', 'carol');
    await say(bob, den, 'before');
    return den;
  };

  describe('who is no more in one reads nothing that follows', () => {
    it('being put out: with every byte there is, and what its password yielded', async () => {
      const den = await joint();
      assert.deepEqual(await opened(den), ['before']);
      await alice.client.rooms.putOut(den, accountOf(bob));
      await say(carol, den, 'after');
      await alice.hears('after');
      assert.deepEqual(await read(alice, den), ['before', 'after']);
      assert.ok(yielded.length > 0);
      assert.deepEqual(await opened(den), ['before', null]);
      await eventually('being out', async () => !(await bob.client.rooms.isMember(den)));
      await refuses(join(bob, den, 'open sesame'), 'DENIED');
      await refuses(bob.home.conversations.say(roomStream(den), 'still here'), 'NOT_MEMBER');
      assert.deepEqual(await read(bob, den), ['before']);
      // Members let others in, until there is another password.
      await carol.client.rooms.admit(den, accountOf(bob));
      await seesMembers(bob, den, 'alice', 'bob', 'carol');
      assert.deepEqual(await read(bob, den), ['before', 'after']);
      await alice.client.rooms.setPassword(den, 'another');
      await carol.client.rooms.leave(den);
      await join(carol, den, 'another');
    });

    it('being put out while away', async () => {
      const den = await joint();
      const { account } = bob.home;
      await bob.stop();
      await alice.client.rooms.putOut(den, account);
      await say(alice, den, 'after');
      await bob.open({ opaque: greedy() });
      await bob.login();
      assert.equal(await bob.client.rooms.isMember(den), false);
      assert.deepEqual(await bob.client.rooms.joined(), []);
      assert.deepEqual(await read(bob, den), ['before']);
      assert.deepEqual(await opened(den), ['before', null]);
      await alice.client.rooms.admit(den, accountOf(bob));
      await eventually('being in again', () => bob.client.rooms.isMember(den));
      await say(alice, den, 'welcome');
      await bob.hears('welcome');
    });

    it('having left: but by the password, given again', async () => {
      const den = await joint();
      await bob.client.rooms.leave(den);
      await say(alice, den, 'after');
      // The device has the secret of the lock, and not what the password yields.
      assert.deepEqual(await opened(den, []), ['before', null]);
      await refuses(join(bob, den), 'BAD_PASSWORD');
      await refuses(join(bob, den, 'a guess'), 'BAD_PASSWORD');
      await join(bob, den, 'open sesame');
      assert.deepEqual(await read(bob, den), ['before', 'after']);
    });

    it('having left the room above, also where nobody has left the one within', async () => {
      const den = await joint();
      const nook = await make(alice, 'nook', { parent: den });
      await join(carol, nook);
      await say(carol, nook, 'within');
      // Who is in the one above may come in, and so may read.
      assert.deepEqual(await opened(nook, []), ['within']);
      await bob.client.rooms.leave(den);
      await seesMembers(carol, den, 'alice', 'carol');
      await say(carol, nook, 'without him');
      await alice.hears('without him');
      assert.deepEqual(await opened(nook, []), ['within', null]);
    });

    it('being put out of a room that is opened by the one above', async () => {
      const den = await joint();
      const nook = await make(alice, 'nook', { parent: den });
      for (const one of [bob, carol]) await join(one, nook);
      await seesMembers(bob, nook, 'alice', 'bob', 'carol');
      await say(bob, nook, 'within');
      await alice.client.rooms.putOut(nook, accountOf(bob));
      await say(carol, nook, 'without him');
      await alice.hears('without him');
      assert.deepEqual(await opened(nook), ['within', null]);
      assert.deepEqual(await bob.client.rooms.isMember(den), true);
      await refuses(join(bob, nook, 'open sesame'), 'DENIED');
      await alice.client.rooms.setPassword(nook, 'its own');
      await refuses(join(bob, nook, 'open sesame'), 'BAD_PASSWORD');
      await join(bob, nook, 'its own');
      assert.deepEqual(await read(bob, nook), ['within', 'without him']);
    });

    it('on a device that was revoked', async () => {
      const den = await make(alice, 'den', { password: 'open sesame' });
      const dave = await world.join('dave', 'a secret');
      await join(dave, den, 'open sesame');
      const second = await world.client();
      await second.client.connect();
      await second.client.loginPassword('dave', 'a secret');
      await seesMembers(second, den, 'alice', 'dave');
      await say(dave, den, 'before');
      const lost = second.keystore;
      const { body, keyring } = dave.home.revocation(second.home.replica.device);
      await dave.home.keyrings.keep([keyring]);
      const entry = await dave.home.conversations.act('space', 'revoke', body);
      assert.equal(await dave.home.outbox.answer(entry.id), 'held');
      await eventually('the revocation', () => second.told.includes('logout revoked'));
      await say(alice, den, 'after');
      await dave.hears('after');
      const eavesdropper = await Eavesdropper.with(world.store, lost);
      assert.deepEqual(await eavesdropper.reads(roomStream(den)), ['before', null]);
    });
  });
});

import assert from 'node:assert/strict';
import { codeOf } from '../../../lib/errors.ts';
import type { RoomId } from '../../../lib/crdt/keys.ts';
import { roomOf } from '../../../lib/crdt/rooms.ts';
import { LOBBY, pairStream, roomStream } from '../../../lib/crdt/stream.ts';
import type { ErrorCode } from '../../../lib/errors.ts';
import { eventually } from '../../support/channels.ts';
import { Eavesdropper } from '../../support/eavesdropper.ts';
import { World, type TestClient } from '../../support/roles.ts';

describe('conferences, the client’s side', function () {
  this.timeout(20_000);
  let world: World;
  let alice: TestClient;
  let bob: TestClient;
  let carol: TestClient;
  /** A test takes the server away: whoever speaks to it just then fails, and is not at fault. */
  let isServerTaken: boolean;

  beforeEach(async () => {
    isServerTaken = false;
    world = await World.start({ conferenceGraceMs: 2_000 });
    alice = await world.join('alice');
    bob = await world.join('bob', 'secret');
    carol = await world.join('carol');
    await befriend(alice, bob);
  });
  afterEach(async () => {
    const all = [alice, bob, carol].flatMap((one) => one.faults);
    const faults = all.filter((fault) => !isServerTaken || codeOf(fault) !== 'NETWORK');
    await world.stop();
    assert.deepEqual([...world.faults, ...faults], []);
  });

  const befriend = async (one: TestClient, other: TestClient): Promise<void> => {
    const act = async (by: TestClient, kind: string): Promise<void> => {
      const { home } = by;
      const to = by === one ? other : one;
      const entry = await home.conversations.act(
        pairStream(home.account, to.home.account),
        kind,
        {},
      );
      assert.equal(await home.outbox.answer(entry.id), 'held');
    };
    await act(one, 'request');
    await act(other, 'accept');
  };

  const begin = async (by: TestClient, name: string, password?: string): Promise<RoomId> =>
    (await by.client.conferences.create(name, password)).id;

  const join = (who: TestClient, id: RoomId, secondDevice = false): Promise<unknown> =>
    who.client.conferences.join({ id }, secondDevice);

  const refuses = async (run: Promise<unknown>, code: ErrorCode): Promise<void> => {
    await assert.rejects(run, { code });
  };

  const say = async (by: TestClient, room: RoomId, text: string): Promise<void> => {
    const entry = await by.home.conversations.say(roomStream(room), text);
    assert.equal(await by.home.outbox.answer(entry.id), 'held');
  };

  const listed = async (by: TestClient): Promise<string[]> =>
    (await by.client.conferences.list()).map(
      ({ name, participants, here }) => `${name}: ${participants.join(' ')}${here ? ' here' : ''}`,
    );

  /** What was told since last asked. */
  const told = (who: TestClient): string[] =>
    who.conferences
      .splice(0)
      .map(
        ({ name, state, participants, change }) =>
          `${name} ${state}: ${participants.join(' ')}${change === undefined ? '' : ` (${change.user} ${change.kind})`}`,
      );

  const tells = (who: TestClient, what: string): Promise<void> => {
    const all: string[] = [];
    return eventually(`being told: ${what}`, () => {
      all.push(...told(who));
      return all.includes(what);
    });
  };

  it('are begun and joined, and those in them speak among themselves', async () => {
    const tea = await begin(alice, 'tea');
    await tells(bob, 'tea active: alice (alice joined)');
    await join(bob, tea);
    await say(alice, tea, 'hello');
    await bob.hears('hello');
    await say(bob, tea, 'hello you');
    await alice.hears('hello you');
    assert.deepEqual(carol.texts, []);
    assert.deepEqual(await listed(bob), ['tea: alice bob here']);
    await refuses(join(carol, tea), 'DENIED');
    await refuses(begin(alice, 'tea'), 'NAME_CLASH');
    await bob.client.conferences.invite(tea, carol.home.account);
    await tells(carol, 'tea active: alice bob (bob invited)');
    await join(carol, tea);
    await say(carol, tea, 'thank you');
    await bob.hears('thank you');
  });

  it('tell nothing to those who have left them, whatever they still hold', async () => {
    const tea = await begin(alice, 'tea');
    await join(bob, tea);
    await say(alice, tea, 'before');
    await bob.hears('before');
    assert.deepEqual(await bob.client.conferences.leave({}), { id: tea, name: 'tea' });
    await eventually(
      'being out',
      async () => !(await alice.client.rooms.isMember(tea, bob.home.account)),
    );
    await say(alice, tea, 'after');
    const eavesdropper = await Eavesdropper.with(world.store, bob.keystore);
    assert.deepEqual(await eavesdropper.reads(roomStream(tea)), ['before', null]);
    assert.deepEqual(bob.texts, ['before']);
  });

  it('are left and joined again in any haste', async () => {
    const tea = await begin(alice, 'tea');
    for (let i = 0; i < 5; i++) {
      await join(bob, tea);
      await say(bob, tea, `${i}`);
      await alice.hears(`${i}`);
      await bob.client.conferences.leave({ id: tea });
    }
    assert.deepEqual(await listed(alice), ['tea: alice here']);
  });

  it('are joined by their password, by whoever knows no one in them', async () => {
    const tea = await begin(alice, 'tea', 'open sesame');
    await eventually('knowing of it', () => roomOf(carol.home.space, tea) !== undefined);
    const { conferences } = carol.client;
    await refuses(conferences.joinByPassword(tea, 'a guess'), 'BAD_PASSWORD');
    await begin(carol, 'Tea');
    await refuses(conferences.joinByPassword(tea, 'open sesame'), 'NAME_CLASH');
    await conferences.leave({});
    const joined = await conferences.joinByPassword(tea, 'open sesame');
    assert.deepEqual(joined.participants, ['alice', 'carol']);
    await say(carol, tea, 'by the password');
    await alice.hears('by the password');
  });

  it('are joined by a code that somebody in them has issued', async () => {
    const tea = await begin(alice, 'tea');
    const code = 'ABCD-EFGH-JKLM-NPQR';
    await alice.client.rooms.issueCode(tea, code, 1, Date.now() + 60_000);
    await eventually('knowing of it', () => roomOf(carol.home.space, tea) !== undefined);
    await carol.client.rooms.joinByCode(tea, code);
    assert.deepEqual(await listed(carol), ['tea: alice carol here']);
    await refuses(bob.client.rooms.joinByCode(tea, code), 'BAD_CODE');
  });

  it('are their owner’s to rename, give away and end', async () => {
    const tea = await begin(alice, 'tea');
    await join(bob, tea);
    const { account } = bob.home;
    await alice.client.conferences.rename(tea, 'milk');
    await tells(bob, 'milk active: alice bob (alice renamed)');
    await alice.client.conferences.transfer(tea, account);
    await tells(bob, 'milk active: alice bob (bob owner)');
    await refuses(alice.client.conferences.end(tea), 'NOT_OWNER');
    await bob.client.conferences.end(tea);
    await tells(alice, 'milk ended: ');
    assert.deepEqual(await listed(alice), []);
    await eventually('its end', () => roomOf(alice.home.space, tea) === undefined);
  });

  it('take a second device of an account that asks for it', async () => {
    const tea = await begin(alice, 'tea');
    await join(bob, tea);
    const second = await world.client();
    await second.client.connect();
    await second.client.loginPassword('bob', 'secret');
    assert.deepEqual(told(second), ['tea active: alice bob']);
    await refuses(join(second, tea), 'ALREADY');
    await join(second, tea, true);
    await say(second, tea, 'from the second');
    await alice.hears('from the second');
    await bob.client.conferences.leave({});
    assert.deepEqual(await listed(second), ['tea: alice bob here']);
  });

  it('go on after a loss of the connection that was short', async () => {
    const tea = await begin(alice, 'tea');
    await join(bob, tea);
    told(alice);
    await alice.crash();
    // What it was about to store.
    alice.faults.length = 0;
    await tells(bob, 'tea waiting: alice bob (alice lost)');
    await alice.open();
    await alice.login();
    await tells(bob, 'tea active: alice bob (alice back)');
    await tells(alice, 'tea active: alice bob (alice back)');
    assert.deepEqual(await listed(alice), ['tea: alice bob here']);
    await say(alice, tea, 'back');
    await bob.hears('back');
  });

  it('are known to have ended by those who were away meanwhile', async () => {
    const tea = await begin(alice, 'tea');
    await join(bob, tea);
    told(bob);
    // The server starts anew; nobody's program does.
    isServerTaken = true;
    await world.close();
    await world.open();
    await tells(bob, 'tea ended: ');
    await tells(alice, 'tea ended: ');
    assert.deepEqual(await listed(bob), []);
    await begin(alice, 'tea');
    // Nothing of it is taken for something that the server has lost.
    for (const who of [alice, bob])
      assert.deepEqual(
        who.told.filter((one) => one.startsWith('notice')),
        [],
      );
  });

  it('are told at a login, and told again only where something is otherwise', async () => {
    const tea = await begin(alice, 'tea');
    await join(bob, tea);
    await bob.client.logout();
    await tells(alice, 'tea active: alice (bob left)');
    told(bob);
    await bob.login();
    assert.deepEqual(told(bob), ['tea active: alice']);
    await bob.client.conferences.refresh();
    assert.deepEqual(told(bob), []);
    assert.deepEqual(told(carol), []);
  });

  it('of the lobby need no room of their own', async () => {
    await join(carol, LOBBY);
    assert.deepEqual(await listed(carol), ['lobby: carol here']);
    await join(bob, LOBBY);
    await tells(carol, 'lobby active: carol bob (bob joined)');
    assert.deepEqual(await carol.client.conferences.leave({}), { id: LOBBY, name: 'lobby' });
  });

  it('are not there without the server', async () => {
    isServerTaken = true;
    await world.transport.stop();
    await eventually('the loss', () => !alice.client.connected);
    await refuses(alice.client.conferences.list(), 'NETWORK');
    await refuses(begin(alice, 'tea'), 'NETWORK');
    await refuses(join(alice, LOBBY), 'NETWORK');
  });
});

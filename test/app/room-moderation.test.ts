import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { isBanned, lockOf } from '../../lib/crdt/rooms.ts';
import { eventually } from '../support/channels.ts';
import { RoomStage, type Args } from '../support/room-stage.ts';
import type { TestClient } from '../support/roles.ts';

describe('people in rooms', function () {
  this.timeout(20_000);
  let stage: RoomStage;
  let alice: TestClient;
  let bob: TestClient;
  let carol: TestClient;
  beforeEach(async () => {
    stage = await RoomStage.open();
    ({ alice, bob, carol } = stage);
  });
  afterEach(() => stage.close());

  /** A room of Alice's that others have entered, too. */
  const shared = async (path: string, password?: string): Promise<void> => {
    const secret: Args = password === undefined ? {} : { password };
    await stage.run(alice, 'room', { room: path, ...secret });
    for (const who of [alice, bob, carol]) {
      await stage.knows(who, path);
      await stage.run(who, 'enter', { room: path, ...secret });
    }
    for (const who of [alice, bob, carol]) await stage.sees(who, path, 'alice', 'bob', 'carol');
  };

  it('are put out of the room entered, and of those within', async () => {
    await stage.refused(alice, 'kick', { user: 'bob' }, 'NOT_IN_ROOM');
    await shared('garden');
    await stage.run(alice, 'room', { room: 'garden/shed' });
    await stage.knows(bob, 'garden/shed');
    await stage.run(bob, 'room', { room: 'garden/shed' });
    await stage.sees(alice, 'garden/shed', 'alice', 'bob');
    assert.deepEqual(await stage.run(alice, 'kick', { user: 'bob' }), {
      user: 'bob',
      room: 'garden',
    });
    await stage.sees(bob, 'garden', 'alice', 'carol');
    await stage.sees(bob, 'garden/shed', 'alice');
    await stage.refused(alice, 'kick', { user: 'bob' }, 'NOT_MEMBER', /bob/);
    await stage.refused(alice, 'kick', { user: 'alice' }, 'SELF');
    await stage.refused(alice, 'kick', { user: 'nobody' }, 'NO_SUCH_USER');
    await stage.refused(carol, 'kick', { user: 'alice' }, 'DENIED', /owner.*"removeUser"/);
    await stage.run(stage.root, 'enter', { room: 'garden' });
    await stage.run(stage.root, 'kick', { user: 'carol' });
  });

  it('are not put out of the lobby, but may be kept from speaking there', async () => {
    const { root } = stage;
    await stage.run(root, 'enter', { room: 'lobby' });
    await stage.refused(root, 'kick', { user: 'bob' }, 'NOT_SUPPORTED');
    await stage.run(root, 'ban', { user: 'bob', seconds: '60' });
    await eventually('the ban', () =>
      isBanned(bob.home.space, bob.home.account, stage.at('lobby'), Date.now()),
    );
    assert.equal(await bob.say('may I?'), 'BANNED');
    await stage.run(root, 'unban', { user: 'bob' });
    assert.equal(await bob.say('I may'), 'held');
  });

  it('are banned for a time or for good, and let in again', async () => {
    await shared('garden');
    await stage.refused(alice, 'ban', { user: 'bob', seconds: '0' }, 'USAGE');
    assert.deepEqual(await stage.run(alice, 'ban', { user: 'bob', seconds: '60' }), {
      user: 'bob',
      room: 'garden',
      seconds: 60,
    });
    await stage.sees(bob, 'garden', 'alice', 'carol');
    await stage.refused(bob, 'room', { room: 'garden' }, 'BANNED', /"garden"/);
    await stage.refused(carol, 'unban', { user: 'bob' }, 'DENIED');
    await stage.refused(alice, 'unban', { user: 'carol' }, 'NOT_BLOCKED', /carol is not banned/);
    await stage.run(alice, 'unban', { user: 'bob' });
    await eventually('no ban', () => {
      return !isBanned(bob.home.space, bob.home.account, stage.at('garden', bob), Date.now());
    });
    await stage.run(bob, 'room', { room: 'garden' });
    // Also who is not in it.
    await stage.run(bob, 'exit');
    await stage.sees(alice, 'garden', 'alice', 'carol');
    assert.equal((await stage.run(alice, 'ban', { user: 'bob' }))['seconds'], undefined);
    await stage.refused(bob, 'room', { room: 'garden' }, 'BANNED');
  });

  it('take the password of a closed room with them, so that members let others in', async () => {
    await shared('vault', 'open sesame');
    await stage.refused(carol, 'admit', { user: 'root' }, 'DENIED', /has a password/);
    const data = await stage.run(alice, 'kick', { user: 'bob' });
    assert.deepEqual(data, { user: 'bob', room: 'vault', retired: true });
    await stage.sees(carol, 'vault', 'alice', 'carol');
    await stage.refused(
      bob,
      'enter',
      { room: 'vault', password: 'open sesame' },
      'DENIED',
      /admit/,
    );
    assert.deepEqual(await stage.run(carol, 'admit', { user: 'bob' }), {
      user: 'bob',
      room: 'vault',
    });
    await stage.sees(bob, 'vault', 'alice', 'bob', 'carol');
    await stage.run(alice, 'updateroom', { room: 'vault', password: 'another' });
    assert.equal(lockOf(alice.home.space, stage.at('vault'))?.retired, false);
  });

  it('are let into a private room by its owner', async () => {
    await stage.run(alice, 'createroom', { name: 'board', private: 'true' });
    await stage.run(alice, 'room', { room: 'board/desk' });
    await stage.knows(bob, 'board/desk');
    await stage.refused(alice, 'admit', { user: 'bob' }, 'NOT_IN_ROOM');
    await stage.refused(
      alice,
      'admit',
      { user: 'bob', room: 'board/desk' },
      'NOT_MEMBER',
      /"board"/,
    );
    await stage.run(alice, 'admit', { user: 'bob', room: 'board' });
    await stage.refused(alice, 'admit', { user: 'bob', room: 'board' }, 'ALREADY', /bob/);
    await stage.sees(bob, 'board', 'alice', 'bob');
    await stage.refused(bob, 'admit', { user: 'carol', room: 'board' }, 'DENIED', /owner/);
    await stage.refused(carol, 'admit', { user: 'bob', room: 'board' }, 'NOT_MEMBER');
    await stage.refused(alice, 'admit', { user: 'bob', room: 'lobby' }, 'NOT_SUPPORTED', /open/);
    await stage.run(alice, 'enter', { room: 'board' });
    await stage.run(alice, 'ban', { user: 'carol' });
    await stage.refused(alice, 'admit', { user: 'carol' }, 'BANNED', /carol/);
  });

  it('are told before what they say goes elsewhere', async () => {
    await shared('vault', 'open sesame');
    const situation = stage.situation(bob);
    const vault = stage.at('vault');
    situation.enter(vault);
    situation.lose(vault, 'vault', 'put out');
    const told =
      /^You were put out of #vault\. Nothing was said\. Enter a room, or say it again to speak in #lobby\.$/;
    await stage.refused(bob, 'say', { text: 'hm' }, 'NOT_IN_ROOM', told);
    await setImmediate();
    assert.equal((await stage.run(bob, 'say', { text: 'hm' }))['room'], 'lobby');
    for (const [name, args] of [
      ['edit', { message: '1', text: 'hm' }],
      ['reply', { message: '^', text: 'hm' }],
      ['remove', { message: '1' }],
    ] as const) {
      situation.enter(vault);
      situation.lose(vault, 'vault', 'gone');
      await stage.refused(bob, name, args, 'NOT_IN_ROOM', /^#vault is gone\. Nothing was /);
      await setImmediate();
    }
  });

  it('are put out of the server by the same words', async () => {
    const { root } = stage;
    const data = await stage.run(root, 'kick', { user: 'bob', server: 'true' });
    assert.equal(data['server'], true);
    await eventually('being out', () => bob.told.includes('logout kicked'));
    await stage.run(root, 'ban', { user: 'carol', server: 'true' });
    await stage.run(root, 'unban', { user: 'carol', server: 'true' });
    await stage.refused(alice, 'kick', { user: 'bob', server: 'true' }, 'DENIED');
  });
});

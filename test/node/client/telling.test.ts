import assert from 'node:assert/strict';
import type { Entry } from '../../../lib/crdt/entry.ts';
import { LOBBY_STREAM, roomStream } from '../../../lib/crdt/stream.ts';
import type { RoomId } from '../../../lib/crdt/keys.ts';
import type { MissedCall } from '../../../lib/node/client/telling.ts';
import { homeStage } from '../../support/home-stage.ts';
import type { HomeBench } from '../../support/homes.ts';

describe('what has come is told', () => {
  const stage = homeStage();
  let alice: HomeBench;
  let bob: HomeBench;

  beforeEach(async () => {
    [alice, bob] = await stage.join('alice', 'bob');
  });

  /** An open room that somebody makes. */
  const room = async (by: HomeBench): Promise<RoomId> => {
    const { id } = await by.home.conversations.act('space', 'room', {
      name: 'den',
      private: false,
    });
    assert.deepEqual(await by.deliver(), ['sealed']);
    return id.slice(0, 32) as RoomId;
  };

  it('messages in the order in which they came, whatever it takes to read them', async () => {
    const pair = bob.pair(alice);
    const texts: string[] = [];
    for (let n = 0; n < 12; n++) {
      texts.push(`${n}`);
      await bob.say(`${n}`, n % 2 === 0 ? pair : LOBBY_STREAM);
    }
    await alice.catchUp();
    assert.deepEqual(alice.texts, texts);
    assert.ok(alice.messages.every(({ author }) => author === bob.home.account));
  });

  it('on although somebody who was told failed', async () => {
    let failures = 1;
    await alice.restart({
      onMessage: (message) => {
        if (failures-- > 0) throw new Error('no more room on the screen');
        alice.messages.push(message);
      },
    });
    await bob.say('one');
    await bob.say('two');
    await alice.catchUp();
    assert.deepEqual(alice.texts, ['two']);
    assert.deepEqual(
      alice.faults.splice(0).map((fault) => (fault as Error).message),
      ['no more room on the screen'],
    );
  });

  it('of open rooms only where this account is in them', async () => {
    const id = await room(bob);
    await bob.say('to nobody yet', roomStream(id));
    await alice.catchUp();
    assert.deepEqual(alice.texts, []);
    await alice.home.conversations.act('space', 'join', { room: id });
    assert.deepEqual(await alice.deliver(), ['sealed']);
    await bob.catchUp();
    await bob.say('to alice as well', roomStream(id));
    await alice.catchUp();
    assert.deepEqual(alice.texts, ['to alice as well']);
  });

  it('with what is done about messages, as they are then', async () => {
    const id = await bob.say('frist');
    await bob.home.conversations.edit(LOBBY_STREAM, id, 'first', false);
    await bob.deliver();
    await alice.catchUp();
    assert.deepEqual(
      alice.news.map(({ kind, by, message }) => [kind, by, message.text]),
      [['edit', bob.home.account, 'first']],
    );
  });

  describe('calls that were missed', () => {
    let missed: MissedCall[];
    const listen = async (bench: HomeBench): Promise<void> => {
      missed = [];
      await bench.restart({ onMissedCall: (call) => missed.push(call) });
    };
    /** The server says that there was a call. */
    const called = async (caller: HomeBench, outcome: 'missed' | 'ended'): Promise<Entry> => {
      const { community } = stage;
      const told = { call: 'c'.repeat(32), seconds: 0, people: 2, outcome };
      const body = { ...told, caller: caller.home.account };
      return community.seal(community.server.write(alice.pair(bob), 'call', body));
    };

    it('to the one who was called, and no message for it', async () => {
      await listen(alice);
      const { id, time } = await called(bob, 'missed');
      await alice.catchUp();
      assert.deepEqual(missed, [{ id, time, by: bob.home.account }]);
      assert.deepEqual([alice.messages, alice.news], [[], []]);
    });

    it('to nobody else, and nothing of those that were not missed', async () => {
      await listen(bob);
      await called(bob, 'missed');
      await called(alice, 'ended');
      const room = { call: 'd'.repeat(32), seconds: 9, people: 3, outcome: 'ended' };
      await stage.community.seal(stage.community.server.write(LOBBY_STREAM, 'call', room));
      await bob.catchUp();
      assert.deepEqual([missed, bob.messages], [[], []]);
    });

    it('once, also to whoever was not there', async () => {
      await called(bob, 'missed');
      await called(bob, 'missed');
      await listen(alice);
      await alice.catchUp();
      assert.equal(missed.length, 2);
      await listen(alice);
      await alice.catchUp();
      assert.deepEqual(missed, []);
    });

    it('but not to a device that came later', async () => {
      await called(bob, 'missed');
      const phone = await stage.open(await stage.community.enrol(alice.member), { empty: true });
      await listen(phone);
      await phone.catchUp();
      assert.deepEqual(missed, []);
      await called(bob, 'missed');
      await phone.catchUp();
      assert.equal(missed.length, 1);
    });
  });
});

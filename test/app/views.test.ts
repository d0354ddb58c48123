import assert from 'node:assert/strict';
import { viewOf } from '../../lib/app/views.ts';
import type { EntryId } from '../../lib/crdt/keys.ts';
import { LOBBY_STREAM, pairStream, roomStream, type StreamName } from '../../lib/crdt/stream.ts';
import type { ReadMessage } from '../../lib/node/client/reading.ts';
import { eventually } from '../support/channels.ts';
import { World, type TestClient } from '../support/roles.ts';

describe('a message as the front ends show it', () => {
  let world: World;
  let alice: TestClient;
  let bob: TestClient;
  let pair: StreamName;
  beforeEach(async () => {
    world = await World.start();
    alice = await world.join('alice');
    bob = await world.join('Bob');
    const knows = ({ home }: TestClient): boolean => home.names().length === 2;
    await eventually('both accounts', () => knows(alice) && knows(bob));
    pair = pairStream(alice.home.account, bob.home.account);
  });
  afterEach(() => world.stop());

  const message = (fields: Partial<ReadMessage> = {}): ReadMessage => ({
    id: 'ab'.repeat(32) as EntryId,
    stream: LOBBY_STREAM,
    position: undefined,
    author: bob.home.account,
    text: 'hello',
    time: 1_700_000_000_000,
    state: 'held',
    ...fields,
  });

  it('names author and room, and says nothing of how far others’ messages got', () => {
    assert.deepEqual(viewOf(alice.home, message()), {
      id: 'ab'.repeat(32),
      from: 'Bob',
      room: 'lobby',
      text: 'hello',
      time: 1_700_000_000_000,
      mine: false,
    });
  });

  it('names of two people the one it was for, whoever wrote it', () => {
    const view = (client: TestClient, author: TestClient) => {
      const seen = viewOf(client.home, message({ stream: pair, author: author.home.account }));
      assert.equal('room' in seen, false);
      return [seen.from, seen.to, seen.mine];
    };
    assert.deepEqual(view(alice, bob), ['Bob', 'alice', false]);
    assert.deepEqual(view(bob, bob), ['Bob', 'alice', true]);
    assert.deepEqual(view(alice, alice), ['alice', 'Bob', true]);
    assert.deepEqual(view(bob, alice), ['alice', 'Bob', false]);
  });

  it('gives a sign in place of whom and what is not known here', () => {
    const strange = viewOf(alice.home, message({ author: undefined, stream: roomStream('gone') }));
    assert.deepEqual([strange.from, strange.room, strange.mine], ['?', '?', false]);
    const nobody = 'f'.repeat(32) as NonNullable<ReadMessage['author']>;
    const stream = pairStream(alice.home.account, nobody);
    const sent = viewOf(alice.home, message({ author: alice.home.account, stream }));
    assert.deepEqual([sent.from, sent.to, sent.mine], ['alice', '?', true]);
  });

  it('leaves the text as it was written', () => {
    const text = 'a\u001b[2J\nb\u202e';
    assert.equal(viewOf(alice.home, message({ text })).text, text);
  });

  describe('of one’s own', () => {
    const mine = (fields: Partial<ReadMessage> = {}) =>
      viewOf(alice.home, message({ author: alice.home.account, ...fields })).progress;

    it('is on its way, or refused, with the reason where there is one', () => {
      assert.deepEqual(mine({ state: 'sending' }), { state: 'sending' });
      assert.deepEqual(mine({ state: 'refused' }), { state: 'refused' });
      assert.deepEqual(mine({ state: 'refused', code: 'BLOCKED' }), {
        state: 'refused',
        code: 'BLOCKED',
      });
    });

    it('is on so many devices as have it', () => {
      const { id } = message();
      const { progress } = alice.home;
      progress.held(id, 3);
      assert.deepEqual(mine(), { state: 'held', on: 0, of: 3 });
      progress.update({ id, on: 2, of: 3, read: 0 });
      assert.deepEqual(mine(), { state: 'held', on: 2, of: 3 });
    });

    it('is on all of them once it is not followed any more', async () => {
      assert.deepEqual(mine(), { state: 'held', on: 1, of: 1 });
      await world.join('carol');
      await eventually('three accounts', () => alice.home.names().length === 3);
      assert.deepEqual(mine(), { state: 'held', on: 2, of: 2 });
    });

    it('really gets there', async () => {
      assert.equal(await alice.say('psst', 'Bob'), 'held');
      await bob.hears('psst');
      const [sent] = await alice.home.conversations.newest(pair, 1);
      const progress = () => viewOf(alice.home, sent!).progress;
      await eventually('the receipt', () => progress()?.on === 1);
      assert.deepEqual(progress(), { state: 'held', on: 1, of: 1 });
      const seen = viewOf(bob.home, bob.messages[0]!);
      assert.deepEqual([seen.from, seen.to, seen.text, seen.mine], ['alice', 'Bob', 'psst', false]);
    });
  });

  describe('that is none, but tells of a call', () => {
    const CALL = { call: 'c'.repeat(32), seconds: 720, people: 2 };
    const facts = { seconds: 720, people: 2 };

    it('names who called, and whom', () => {
      const author = bob.home.account;
      const call = { ...CALL, outcome: 'missed', caller: author } as const;
      const seen = (client: TestClient) =>
        viewOf(client.home, message({ stream: pair, author, text: '', call }));
      const view = { id: message().id, from: 'Bob', to: 'alice', text: 'Missed call' };
      const rest = { time: message().time, call: { outcome: 'missed', ...facts } };
      assert.deepEqual(seen(alice), { ...view, ...rest, mine: false });
      // How far it has got nobody counts.
      assert.deepEqual(seen(bob), { ...view, ...rest, mine: true });
    });

    it('names nobody in a room', () => {
      const call = { ...CALL, outcome: 'ended' } as const;
      const view = viewOf(alice.home, message({ author: undefined, text: '', call }));
      assert.deepEqual(view, {
        ...{ id: message().id, from: '', room: 'lobby', text: 'Call of 2 people, 12 minutes' },
        ...{ time: message().time, mine: false, call: { outcome: 'ended', ...facts } },
      });
    });
  });
});

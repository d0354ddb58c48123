import assert from 'node:assert/strict';
import {
  annotationKey,
  annotationsOf,
  authorOf,
  blobOf,
  blobOperations,
  contentOperations,
  conversationAction,
  dutyKey,
  isEntitled,
  isErasing,
  messageAt,
  messagesNaming,
  streamsNaming,
  targetOf,
  type Placed,
} from '../../lib/crdt/content.ts';
import { eraseBody, type Entry } from '../../lib/crdt/entry.ts';
import type { EntryId } from '../../lib/crdt/keys.ts';
import { entryItem, refusalItem } from '../../lib/crdt/seal.ts';
import { State } from '../../lib/crdt/state.ts';
import { isKey } from '../../lib/crdt/store-keys.ts';
import { accountStream, LOBBY_STREAM, pairStream, type StreamName } from '../../lib/crdt/stream.ts';
import { SealedCommunity, type Member } from '../support/community.ts';
import { ReplicaBench } from '../support/replicas.ts';

const KEY = new Uint8Array(32).fill(1);
const HASH = new Uint8Array(32).fill(9);
const NONE = 'ab'.repeat(32) as EntryId;

describe('content', () => {
  let community: SealedCommunity;
  let alice: Member;
  let bob: Member;
  let hers: ReplicaBench;
  let pair: StreamName;

  beforeEach(async () => {
    community = await SealedCommunity.found();
    alice = await community.join('alice');
    bob = await community.join('bob');
    hers = await ReplicaBench.open(community, alice);
    await hers.follow(community.of('space'));
    pair = pairStream(alice.account, bob.account);
  });

  const react = (by: Member, target: EntryId, emoji = '👍'): Entry =>
    by.write(LOBBY_STREAM, 'react', { target, emoji, on: true });
  const edit = (by: Member, target: EntryId, change: object = {}): Entry =>
    by.write(LOBBY_STREAM, 'edit', { target, text: 'edited', ...change });
  const remove = (by: Member, target: EntryId, change: object = {}): Entry =>
    by.write(LOBBY_STREAM, 'remove', { target, ...change });
  const keys = (entry: Entry): string[] =>
    contentOperations(entry.stream, 7, entryItem(entry)).map(({ key }) => key);
  /** Brings the replica up to date. */
  const catchUp = async (): Promise<void> => {
    for (const batch of community.batches)
      if (batch.seal.first >= hers.replica.log.headOf(batch.seal.stream).length)
        await hers.ingest(batch);
  };

  describe('is understood', () => {
    it('where people speak with each other', () => {
      const said = alice.forge(LOBBY_STREAM, 'say', { text: 'hi' });
      assert.deepEqual(conversationAction(said), { kind: 'say', body: { text: 'hi' } });
      const block = { account: bob.account, blocked: true };
      for (const other of [
        alice.forge('space', 'motd', { text: 'hi' }),
        alice.forge(accountStream(alice.account), 'block', block),
        alice.forge(LOBBY_STREAM, 'say', {}),
        eraseBody(said),
      ])
        assert.equal(conversationAction(other), undefined);
    });

    it('with the message that it is about', () => {
      for (const entry of [react(alice, NONE), edit(alice, NONE), remove(alice, NONE)]) {
        assert.equal(targetOf(entry), NONE);
        assert.equal(targetOf(eraseBody(entry)), undefined);
      }
      assert.equal(
        targetOf(alice.forge(LOBBY_STREAM, 'say', { text: 'x', reply: NONE })),
        undefined,
      );
      assert.equal(targetOf(alice.forge(LOBBY_STREAM, 'react', { target: NONE })), undefined);
      assert.equal(targetOf(alice.forge('space', 'remove', { target: NONE })), undefined);
    });

    it('with the file that it names', () => {
      const file = { hash: HASH, size: 12, name: 'a.txt' };
      const said = alice.forge(LOBBY_STREAM, 'say', { text: '', file });
      assert.deepEqual(blobOf(said), file);
      const blob = { hash: HASH, size: 12 };
      const sealed = alice.forge(pair, 'sealed', { epoch: NONE, box: KEY, blob });
      assert.deepEqual(blobOf(sealed), blob);
      assert.equal(blobOf(alice.forge(LOBBY_STREAM, 'say', { text: 'x' })), undefined);
      assert.equal(blobOf(alice.forge(pair, 'sealed', { epoch: NONE, box: KEY })), undefined);
      assert.equal(blobOf(edit(alice, NONE)), undefined);
    });

    it('as calling for something to be erased', () => {
      const gone = { account: bob.account, vengeance: true };
      assert.ok(isErasing(remove(alice, NONE)));
      assert.ok(isErasing(alice.forge('space', 'removeuser', gone)));
      for (const other of [
        alice.forge('space', 'removeuser', { ...gone, vengeance: false }),
        alice.forge(LOBBY_STREAM, 'removeuser', gone),
        alice.forge('space', 'removeroom', { room: 'lobby' }),
        alice.forge(LOBBY_STREAM, 'remove', {}),
        edit(alice, NONE),
      ])
        assert.ok(!isErasing(other), other.kind);
    });
  });

  describe('is found by what is written with it', () => {
    it('under keys of the store', () => {
      const file = { hash: HASH, size: 12, name: 'a.txt' };
      const said = alice.forge(LOBBY_STREAM, 'say', { text: 'x', file });
      const hash = '09'.repeat(32);
      assert.deepEqual(keys(said), [`i!${said.id}`, `b!${hash}!room/lobby!0000000000007`]);
      assert.deepEqual(
        blobOperations(said, 7).map(({ type, key }) => [type, key]),
        [['delete', `b!${hash}!room/lobby!0000000000007`]],
      );
      const [reacted, edited, removed] = [
        react(alice, NONE),
        edit(alice, NONE),
        remove(alice, NONE),
      ];
      assert.deepEqual(keys(reacted), [annotationKey(LOBBY_STREAM, NONE, 7)]);
      assert.deepEqual(keys(edited), [annotationKey(LOBBY_STREAM, NONE, 7)]);
      assert.deepEqual(keys(removed), [
        annotationKey(LOBBY_STREAM, NONE, 7),
        dutyKey(LOBBY_STREAM, 7),
      ]);
      const gone = { account: bob.account, vengeance: true };
      assert.deepEqual(keys(alice.forge('space', 'removeuser', gone)), [dutyKey('space', 7)]);
      assert.deepEqual(keys(eraseBody(said)), [`i!${said.id}`]);
      assert.deepEqual(blobOperations(eraseBody(said), 7), []);
      assert.deepEqual(blobOperations(edited, 7), []);
      for (const entry of [said, reacted, edited, removed])
        for (const key of keys(entry)) assert.ok(isKey(key), key);
      const refusal = { id: NONE, device: alice.id, seq: 1, code: 'DENIED' } as const;
      assert.deepEqual(contentOperations(LOBBY_STREAM, 7, refusalItem(refusal)), []);
    });

    it('on the server and on replicas alike', async () => {
      const said = await community.say(alice, 'hi');
      const { id } = said;
      await community.say(bob, 'in between');
      const about = [edit(alice, id), react(bob, id), react(alice, id), remove(alice, id)];
      for (const entry of about) await community.seal(entry);
      await community.seal(react(bob, NONE));
      await catchUp();
      for (const log of [community.log, hers.replica.log]) {
        assert.equal(messageAt(log, id)?.entry.id, id);
        assert.equal(messageAt(log, id)?.position, 0);
        const found = await annotationsOf(log, LOBBY_STREAM, id);
        assert.deepEqual(
          found.map(({ position, entry }) => [position, entry.id]),
          about.map((entry, n) => [n + 2, entry.id]),
        );
        assert.deepEqual(await annotationsOf(log, pair, id), []);
        assert.equal((await annotationsOf(log, LOBBY_STREAM, NONE)).length, 1);
        assert.equal(messageAt(log, NONE), undefined);
        assert.equal(messageAt(log, about[0]!.id), undefined, 'an edit is no message');
      }
    });

    it('when it comes from the past', async () => {
      const said = await community.say(alice, 'hi');
      await community.seal(edit(alice, said.id));
      const batches = community.of(LOBBY_STREAM);
      const { state } = await community.log.open(LOBBY_STREAM);
      const late = await ReplicaBench.open(community, bob);
      await late.follow(community.of('space'));
      await late.replica.adopt(batches.at(-1)!.seal.bytes, [...state.records()]);
      assert.equal(messageAt(late.replica.log, said.id), undefined);
      await late.replica.ingestOlder(
        LOBBY_STREAM,
        batches
          .toReversed()
          .map(({ seal, items }) => ({ seal: seal.bytes, items: items.map(({ bytes }) => bytes) })),
      );
      assert.equal(messageAt(late.replica.log, said.id)?.position, 0);
      assert.equal((await annotationsOf(late.replica.log, LOBBY_STREAM, said.id)).length, 1);
    });

    it('not where a stream has been taken back', async () => {
      const said = await community.say(alice, 'hi');
      await community.seal(edit(alice, said.id));
      await catchUp();
      const { log } = hers.replica;
      await hers.replica.rewind(LOBBY_STREAM, 0);
      assert.equal(messageAt(log, said.id), undefined);
      assert.deepEqual(await annotationsOf(log, LOBBY_STREAM, said.id), []);
    });

    it('not where the rules forbid it', async () => {
      const stranger = alice.device();
      const batch = community.unjudged([stranger.write(LOBBY_STREAM, 'say', { text: 'x' })]);
      const [item] = batch.items;
      await hers.ingest(batch);
      assert.ok(hers.replica.isVoid(LOBBY_STREAM, 0));
      assert.ok(item?.type === 'entry');
      assert.equal(messageAt(hers.replica.log, item.entry.id), undefined);
    });

    it('by the files that it names, as long as it does', async () => {
      const file = { hash: HASH, size: 12, name: 'a.txt' };
      assert.deepEqual(await streamsNaming(community.log, HASH), new Set());
      const say = (): Entry => alice.write(LOBBY_STREAM, 'say', { text: '', file });
      const entries = [await community.seal(say()), await community.seal(say())];
      const { id: epoch } = await community.seal(
        alice.write(pair, 'epoch', alice.epoch([alice, bob], 1, KEY)),
      );
      const blob = { hash: HASH, size: 12 };
      await community.seal(alice.under(pair, 'sealed', epoch, KEY, { text: '' }, { blob }));
      const { log } = community;
      assert.deepEqual(await streamsNaming(log, HASH), new Set([LOBBY_STREAM, pair]));
      assert.deepEqual(await streamsNaming(log, KEY), new Set());
      const naming = async (limit: number): Promise<Placed[]> => {
        const found: Placed[] = [];
        for await (const placed of messagesNaming(log, HASH, limit)) found.push(placed);
        return found;
      };
      const places = async (limit: number): Promise<string[]> =>
        (await naming(limit)).map(({ entry, position }) => `${entry.stream} ${position}`);
      assert.deepEqual(await places(9), [`${pair} 1`, `${LOBBY_STREAM} 0`, `${LOBBY_STREAM} 1`]);
      assert.deepEqual(await places(1), [`${pair} 1`, `${LOBBY_STREAM} 0`]);
      assert.deepEqual((await naming(9))[1]?.entry.id, entries[0]?.id);
      await log.store.write(blobOperations(entries[0]!, 0), { sync: true });
      assert.deepEqual(await streamsNaming(log, HASH), new Set([LOBBY_STREAM, pair]));
      await log.store.write(blobOperations(entries[1]!, 1), { sync: true });
      assert.deepEqual(await streamsNaming(log, HASH), new Set([pair]));
    });
  });

  describe('counts', () => {
    it('by the account of who wrote it, on any device, or by permission', async () => {
      const phone = await community.enrol(alice);
      const { state: space } = await community.log.open('space');
      const said = await community.say(alice, 'hi');
      assert.equal(authorOf(space, said), alice.account);
      for (const change of [edit, remove]) {
        assert.ok(isEntitled(space, change(alice, said.id), said));
        assert.ok(isEntitled(space, change(phone, said.id), said));
        assert.ok(!isEntitled(space, change(bob, said.id), said));
        assert.ok(isEntitled(space, change(bob, said.id, { moderator: true }), said));
      }
      assert.ok(!isEntitled(space, react(alice, said.id), said));
      assert.ok(!isEntitled(space, eraseBody(edit(alice, said.id)), said));
      // Of somebody whom nobody knows.
      const stranger = alice.device();
      const theirs = stranger.write(LOBBY_STREAM, 'say', { text: 'x' });
      const own = stranger.write(LOBBY_STREAM, 'remove', { target: theirs.id });
      assert.equal(authorOf(space, theirs), undefined);
      assert.ok(!isEntitled(new State(), own, theirs));
    });
  });
});

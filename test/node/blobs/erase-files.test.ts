import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { blobOf, streamsNaming, type Placed } from '../../../lib/crdt/content.ts';
import { eraseBody, type Entry } from '../../../lib/crdt/entry.ts';
import { LOBBY_STREAM, pairStream, type StreamName } from '../../../lib/crdt/stream.ts';
import { systemClock } from '../../../lib/lifecycle.ts';
import { eraseFiles } from '../../../lib/node/blobs/erase-files.ts';
import { BlobStore } from '../../../lib/node/blobs/store.ts';
import { SealedCommunity, type Member } from '../../support/community.ts';
import { temporary } from '../../support/temporary.ts';
import { blobOf as makeBlob, random, referenceTo, store as put, type Blob } from './stage.ts';

const KEY = new Uint8Array(32).fill(1);

describe('erasing files', () => {
  const { newDirectory } = temporary();
  let community: SealedCommunity;
  let alice: Member;
  let bob: Member;
  let pair: StreamName;
  let directory: string;
  let store: BlobStore;
  const blobs = [makeBlob(2, 5, 1), makeBlob(1, 5, 2)] as const;

  beforeEach(async () => {
    community = await SealedCommunity.found();
    alice = await community.join('alice');
    bob = await community.join('bob');
    pair = pairStream(alice.account, bob.account);
    directory = join(await newDirectory(), 'blobs');
    store = await BlobStore.open({ directory, clock: systemClock, random });
    for (const blob of blobs) await put(store, blob);
  });
  afterEach(() => store.close());

  const positions = new Map<StreamName, number>();
  beforeEach(() => positions.clear());
  const placed = (entry: Entry): Placed => {
    const position = positions.get(entry.stream) ?? 0;
    positions.set(entry.stream, position + 1);
    return { position, entry };
  };
  const say = async (by: Member, blob: Blob): Promise<Placed> => {
    const body = { text: '', file: referenceTo(blob) };
    return placed(await community.seal(by.write(LOBBY_STREAM, 'say', body)));
  };
  const erase = (...entries: Placed[]): Promise<void> =>
    eraseFiles({ log: community.log, store }, entries);
  const named = async (blob: Blob): Promise<StreamName[]> => [
    ...(await streamsNaming(community.log, referenceTo(blob).hash)),
  ];

  it('takes them from the disk, and no others', async () => {
    const message = await say(alice, blobs[0]);
    await say(alice, blobs[1]);
    await erase(message);
    assert.deepEqual(await readdir(directory), [`${blobs[1].manifest.hash}.blob`]);
    assert.deepEqual([await named(blobs[0]), await named(blobs[1])], [[], [LOBBY_STREAM]]);
  });

  it('leaves those that another message of the conversation names', async () => {
    const [first, second] = [await say(alice, blobs[0]), await say(bob, blobs[0])];
    await erase(first);
    assert.ok(store.has(blobs[0].manifest.hash));
    await erase(second);
    assert.equal(store.has(blobs[0].manifest.hash), false);
  });

  it('takes those that are named elsewhere, where they are not of', async () => {
    const first = await say(alice, blobs[0]);
    const epoch = placed(
      await community.seal(alice.write(pair, 'epoch', alice.epoch([alice, bob], 1, KEY))),
    );
    const { hash, size } = referenceTo(blobs[0]);
    const sealed = alice.under(
      pair,
      'sealed',
      epoch.entry.id,
      KEY,
      { text: '' },
      {
        blob: { hash, size },
      },
    );
    const third = placed(await community.seal(sealed));
    assert.ok(blobOf(third.entry) !== undefined);
    await erase(first);
    assert.equal(store.has(blobs[0].manifest.hash), false);
    assert.deepEqual(await named(blobs[0]), [pair]);
    await erase(third);
    assert.deepEqual(await named(blobs[0]), []);
  });

  it('can be done again, after a crash on the way', async () => {
    const message = await say(alice, blobs[0]);
    const broken = {
      manifest: async () => blobs[0].manifest,
      delete: () => Promise.reject(new Error('died')),
    } as unknown as BlobStore;
    await assert.rejects(eraseFiles({ log: community.log, store: broken }, [message]), /died/);
    assert.ok(store.has(blobs[0].manifest.hash));
    await erase(message);
    await erase(message);
    assert.equal(store.has(blobs[0].manifest.hash), false);
  });

  it('takes what is there in part as well', async () => {
    const part = makeBlob(9, 5, 3);
    await put(store, part, [0, 3]);
    await erase(await say(alice, part));
    assert.equal(
      (await readdir(directory)).some((name) => name.endsWith('.part')),
      false,
    );
  });

  it('does nothing for messages without one, and for those erased already', async () => {
    const plain = placed(await community.seal(alice.write(LOBBY_STREAM, 'say', { text: 'hi' })));
    const message = await say(alice, blobs[0]);
    await erase(plain, { ...message, entry: eraseBody(message.entry) });
    assert.ok(store.has(blobs[0].manifest.hash));
  });
});

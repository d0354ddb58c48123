import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eraseBodies } from '../../lib/crdt/erase.ts';
import { LogStore } from '../../lib/crdt/log-store.ts';
import { openBatch } from '../../lib/crdt/seal.ts';
import { Sealer } from '../../lib/crdt/sealer.ts';
import { openLevelStore } from '../../lib/crdt/store-level.ts';
import { LOBBY_STREAM } from '../../lib/crdt/stream.ts';
import { encodeEntry } from '../../lib/crdt/entry.ts';
import { toHex } from '../../lib/crdt/bytes.ts';
import { SealedCommunity } from '../support/community.ts';
import { temporary } from '../support/temporary.ts';

describe('erasing what was said', () => {
  const { newDirectory } = temporary();

  const holds = async (directory: string, text: string): Promise<boolean> => {
    for (const file of await readdir(directory)) {
      const content = await readFile(join(directory, file));
      if (content.includes(text)) return true;
    }
    return false;
  };

  it('leaves nothing of it on the disk, while all seals and chains still verify', async () => {
    const directory = await newDirectory();
    const community = await SealedCommunity.found();
    const alice = await community.join('alice');
    const store = await openLevelStore(directory, { create: true });
    const log = new LogStore(store);
    const { server, clock } = community;
    const sealer = new Sealer({ log, key: server.key, clock, term: 1, onCommit: () => undefined });
    for (const batch of community.batches)
      for (const item of batch.items)
        if (item.type === 'entry') await sealer.submit({ entry: item.entry, bytes: item.bytes });
    const texts = Array.from({ length: 30 }, (_, n) => `the secret number ${n} of many`);
    const salts: string[] = [];
    for (const text of texts) {
      const entry = alice.write(LOBBY_STREAM, 'say', { text });
      salts.push(Buffer.from(entry.salt!).toString('latin1'));
      await sealer.submit({ entry, bytes: encodeEntry(entry) });
    }
    const { state, head } = await log.open(LOBBY_STREAM);
    const before = toHex(state.rehash());
    assert.ok(await holds(directory, texts[7]!));

    assert.equal(await eraseBodies(log, LOBBY_STREAM, [7, 8, 20, 999]), 3);
    assert.equal(await eraseBodies(log, LOBBY_STREAM, [7, 8]), 0);

    for (const [n, text] of texts.entries())
      assert.equal(await holds(directory, text), ![7, 8, 20].includes(n), text);
    for (const n of [7, 8, 20]) {
      const files = await readdir(directory);
      for (const file of files) {
        const content = (await readFile(join(directory, file))).toString('latin1');
        assert.ok(!content.includes(salts[n]!), 'a salt is left');
      }
    }

    // Read from the beginning: every batch verifies by itself, and the chain of seals is whole.
    const fresh = new LogStore(store);
    let previous: string | null = null;
    const bodies: boolean[] = [];
    for (const { seal, items } of await fresh.batches(LOBBY_STREAM, 0, head.length, 1e9)) {
      const batch = openBatch(seal, items, community.server.id);
      assert.equal(batch.seal.previous, previous);
      previous = batch.seal.id;
      for (const item of batch.items)
        bodies.push(item.type === 'entry' && item.entry.body !== undefined);
    }
    assert.equal(previous, fresh.headOf(LOBBY_STREAM).seal);
    assert.deepEqual(
      bodies,
      texts.map((_, n) => ![7, 8, 20].includes(n)),
    );
    assert.equal(toHex((await fresh.open(LOBBY_STREAM)).state.rehash()), before);
    await store.close();
  });
});

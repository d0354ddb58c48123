/**
 * Writes to the store in the directory given until it is killed: pairs of batches, one synced and
 * one not, with a line of output for each synced batch once it is acknowledged.
 */
import { writeSync } from 'node:fs';
import { openLevelStore } from '../../lib/crdt/store-level.ts';
import { put } from './store-contract.ts';

const [directory = '', first = '0'] = process.argv.slice(2);
const store = await openLevelStore(directory, { create: true });
writeSync(1, 'open\n');
for (let i = Number(first); ; i += 1) {
  // A batch is its ten parts or nothing; the filler makes LevelDB change files on the way.
  const parts = Array.from({ length: 10 }, (_, part) => put(`b/${part}`, `${i}`));
  await store.write([...parts, put(`n/${i}`, new Uint8Array(5000).fill(i))], { sync: true });
  writeSync(1, `${i}\n`);
  await store.write([put('unsynced', `${i}`)], { sync: false });
}

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { openMemoryStore } from '../../lib/crdt/store-memory.ts';
import { LOBBY_STREAM, roomStream, type StreamName } from '../../lib/crdt/stream.ts';
import { voidKey, voidOperation, Voids } from '../../lib/crdt/voids.ts';

const STREAMS: StreamName[] = ['space', LOBBY_STREAM, roomStream('0'.repeat(32))];

describe('what is void', () => {
  it('is known as it was written, and after a restart', async () => {
    const place = fc.tuple(fc.constantFrom(...STREAMS), fc.nat(5));
    await fc.assert(
      fc.asyncProperty(fc.array(place), fc.array(place), async (before, later) => {
        const store = openMemoryStore();
        const write = async (places: typeof before, voids?: Voids): Promise<void> => {
          const operations = places.map((one) => voidOperation(...one, 'DENIED'));
          voids?.note(operations);
          await store.write(operations, { sync: true });
        };
        await write(before);
        const voids = await Voids.open(store);
        await write(later, voids);
        const all = new Set([...before, ...later].map((one) => voidKey(...one)));
        for (const known of [voids, await Voids.open(store)])
          for (const stream of STREAMS)
            for (let position = 0; position <= 6; position++)
              assert.equal(known.has(stream, position), all.has(voidKey(stream, position)));
      }),
    );
  });

  it('is so no more once that was taken back', async () => {
    const store = openMemoryStore();
    const operation = voidOperation('space', 3, 'DENIED');
    await store.write([operation], { sync: true });
    const voids = await Voids.open(store);
    assert.ok(voids.has('space', 3));
    await store.write([{ type: 'delete', key: operation.key }], { sync: true });
    assert.ok(!voids.has('space', 3));
  });
});

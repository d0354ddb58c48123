import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Annotated } from '../../lib/crdt/annotated.ts';
import { annotationKey } from '../../lib/crdt/content.ts';
import type { EntryId } from '../../lib/crdt/keys.ts';
import { LOBBY_STREAM, roomStream } from '../../lib/crdt/stream.ts';

const STREAMS = [LOBBY_STREAM, roomStream('0'.repeat(32))] as const;
const idOf = (stream: string, position: number): EntryId => `${stream}#${position}` as EntryId;

describe('messages about which something may have been done', () => {
  it('are all those about which something was', () => {
    const stream = fc.constantFrom(...STREAMS);
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.record({ act: fc.constant('say' as const), stream }) },
      {
        weight: 2,
        arbitrary: fc.record({ act: fc.constant('do' as const), stream, at: fc.nat(30) }),
      },
      {
        weight: 3,
        arbitrary: fc.record({ act: fc.constant('ask' as const), stream, at: fc.nat(30) }),
      },
      { weight: 1, arbitrary: fc.record({ act: fc.constant('restart' as const), stream }) },
    );
    let spared = 0;
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 80, size: 'max' }),
        fc.integer({ min: 1, max: 30 }),
        (steps, most) => {
          let annotated = new Annotated(most);
          const length = new Map<string, number>();
          const done = new Set<EntryId>();
          for (const one of steps) {
            const { stream: name } = one;
            const now = length.get(name) ?? 0;
            const write = (...keys: string[]): void => {
              const operations = keys.map((key) => ({
                type: 'put' as const,
                key,
                value: new Uint8Array(),
              }));
              annotated.note(operations, (stream) => length.get(stream) ?? 0);
              length.set(name, now + 1);
            };
            if (one.act === 'restart') annotated = new Annotated(most);
            else if (one.act === 'say') write(`h!${name}`);
            else if (one.at >= now) continue;
            else if (one.act === 'do') {
              const target = idOf(name, one.at);
              const key = annotationKey(name, target, now);
              write('e!x', key, `h!${name}`);
              done.add(target);
            } else {
              const target = idOf(name, one.at);
              const may = annotated.mayBe(name, one.at, target, now);
              if (!may) spared++;
              assert.ok(may || !done.has(target));
            }
          }
        },
      ),
      { numRuns: 300 },
    );
    assert.ok(spared > 5, `${spared} were spared`);
  });
});

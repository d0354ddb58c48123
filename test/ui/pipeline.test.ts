import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Pipeline } from '../../lib/ui/pipeline.ts';

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('pipeline', () => {
  it('overlaps what may overlap, holds back what may not, and tells in order', async () => {
    const turns = fc.array(fc.record({ overlaps: fc.boolean(), delay: fc.nat(4) }), {
      maxLength: 20,
    });
    await fc.assert(
      fc.asyncProperty(turns, async (tasks) => {
        const pipeline = new Pipeline<number>();
        const started: number[] = [];
        const told: number[] = [];
        const running = new Set<number>();
        tasks.forEach(({ overlaps, delay }, index) => {
          pipeline.push(
            {
              overlaps,
              async run() {
                started.push(index);
                if (!overlaps) assert.equal(running.size, 0);
                for (const other of running) assert.equal(tasks[other]?.overlaps, true);
                running.add(index);
                for (let left = delay; left > 0; left -= 1) await tick();
                running.delete(index);
                return index;
              },
            },
            (outcome) => void told.push(outcome),
          );
        });
        await pipeline.idle();
        const order = tasks.map((_, index) => index);
        assert.deepEqual(started, order);
        assert.deepEqual(told, order);
        assert.equal(pipeline.empty, true);
      }),
      { numRuns: 50 },
    );
  });

  it('has several under way at once', async () => {
    const pipeline = new Pipeline<void>();
    let running = 0;
    let most = 0;
    for (let count = 0; count < 10; count += 1)
      pipeline.push(
        {
          overlaps: true,
          run: async () => {
            most = Math.max(most, (running += 1));
            await tick();
            running -= 1;
          },
        },
        () => undefined,
      );
    await pipeline.idle();
    assert.equal(most, 10);
  });

  it('is full at its limit, and has room again', async () => {
    const pipeline = new Pipeline<void>(2);
    let finish: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (finish = resolve));
    pipeline.push({ overlaps: true, run: () => held }, () => undefined);
    assert.equal(pipeline.full, false);
    await pipeline.room();
    pipeline.push({ overlaps: true, run: () => held }, () => undefined);
    assert.equal(pipeline.full, true);
    let room = false;
    const waiting = pipeline.room().then(() => (room = true));
    await tick();
    assert.equal(room, false);
    finish();
    await waiting;
    assert.equal(pipeline.full, false);
  });

  it('goes on after a task or a listener that fails', async () => {
    const pipeline = new Pipeline<number>();
    const told: number[] = [];
    pipeline.push(
      { overlaps: false, run: () => Promise.reject(new Error('task')) },
      (n) => void told.push(n),
    );
    pipeline.push({ overlaps: false, run: () => Promise.resolve(1) }, () => {
      throw new Error('listener');
    });
    pipeline.push({ overlaps: true, run: () => Promise.resolve(2) }, (n) => void told.push(n));
    await pipeline.idle();
    assert.deepEqual(told, [2]);
  });
});

import assert from 'node:assert/strict';
import { Turn } from '../../../lib/media/engine/turn.ts';

describe('work that takes turns', () => {
  it('is done in the order in which it came, one part after the other', async () => {
    const turn = new Turn();
    const log: string[] = [];
    const work = (name: string) => async (): Promise<string> => {
      log.push(`${name} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      log.push(`${name} ends`);
      return name;
    };
    assert.deepEqual(await Promise.all([turn.run(work('a')), turn.run(work('b'))]), ['a', 'b']);
    assert.deepEqual(log, ['a begins', 'a ends', 'b begins', 'b ends']);
  });

  it('gives way when it fails', async () => {
    const turn = new Turn();
    const failed = turn.run(async () => {
      throw new Error('x');
    });
    const next = turn.run(async () => 'next');
    await assert.rejects(failed, { message: 'x' });
    assert.equal(await next, 'next');
  });

  it('is over when all that has come is done, however it went', async () => {
    const turn = new Turn();
    await turn.over;
    let done = 0;
    void turn.run(async () => done++);
    turn
      .run(async () => {
        throw new Error('x');
      })
      .catch(() => done++);
    await turn.over;
    assert.equal(done, 2);
  });
});

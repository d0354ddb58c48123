import assert from 'node:assert/strict';
import { FrameQueue } from '../../../lib/media/sources/queue.ts';

async function all(queue: FrameQueue<number>): Promise<number[]> {
  const frames: number[] = [];
  for await (const frame of queue.frames()) frames.push(frame);
  return frames;
}

describe('a queue of frames', () => {
  it('keeps the newest few', async () => {
    const queue = new FrameQueue<number>(2);
    for (let frame = 0; frame < 1_000; frame++) queue.put(frame);
    queue.end();
    assert.deepEqual(await all(queue), [998, 999]);
  });

  it('gives each at once to whoever waits for it', async () => {
    const queue = new FrameQueue<number>(2);
    const taken = all(queue);
    for (let frame = 0; frame < 5; frame++) {
      queue.put(frame);
      await new Promise(setImmediate);
    }
    queue.end();
    assert.deepEqual(await taken, [0, 1, 2, 3, 4]);
  });

  it('gives what waits before it ends, and tells why', async () => {
    const queue = new FrameQueue<number>(2);
    queue.put(1);
    queue.end(new Error('gone'));
    queue.end(new Error('gone again'));
    queue.put(2);
    const frames: number[] = [];
    await assert.rejects(
      async () => {
        for await (const frame of queue.frames()) frames.push(frame);
      },
      { message: 'gone' },
    );
    assert.deepEqual(frames, [1]);
  });

  it('gives nothing more once it is closed, and tells of no error', async () => {
    const queue = new FrameQueue<number>(2);
    queue.put(1);
    queue.end(new Error('gone'));
    queue.close();
    assert.equal(queue.hasEnded, true);
    assert.deepEqual(await all(queue), []);
  });

  it('tells when it has begun, or that it never will', async () => {
    const one = new FrameQueue<number>(2);
    one.put(1);
    one.end(new Error('gone'));
    await one.begun;
    const two = new FrameQueue<number>(2);
    two.end(new Error('gone'));
    await assert.rejects(two.begun, { message: 'gone' });
    const three = new FrameQueue<number>(2);
    three.close();
    await assert.rejects(three.begun, { code: 'CLOSED' });
  });

  it('is taken once', () => {
    const queue = new FrameQueue<number>(2);
    queue.frames();
    assert.throws(() => queue.frames(), { code: 'INTERNAL' });
  });
});

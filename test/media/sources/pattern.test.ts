import assert from 'node:assert/strict';
import { openPattern } from '../../../lib/media/sources/pattern.ts';
import type { VideoFrame } from '../../../lib/media/frames.ts';
import { readPattern } from '../../../lib/media/video/pattern.ts';
import { describeVideoSource, take } from '../../support/media-source-contract.ts';
import { FakeTime } from '../../support/time.ts';

const SIZE = { width: 320, height: 240, fps: 15 };

describeVideoSource('the test pattern', async () => openPattern(SIZE));

describe('the test pattern', () => {
  it('bears its number and its time', async () => {
    const source = openPattern(SIZE);
    const frames = await take(source, 5);
    await source.close();
    let before = -1;
    for (const frame of frames) {
      const read = readPattern(frame);
      assert.ok(read !== undefined && read.number > before);
      assert.equal(read.time, Math.floor(frame.time));
      before = read.number;
    }
  });

  describe('as time passes', () => {
    let time: FakeTime;
    beforeEach(() => (time = new FakeTime()));
    afterEach(() => time.restore());

    const watch = (source: ReturnType<typeof openPattern>) => {
      const frames: VideoFrame[] = [];
      const reading = (async () => {
        for await (const frame of source.frames()) frames.push(frame);
      })();
      return { frames, end: () => source.close().then(() => reading) };
    };
    const numbers = (frames: readonly VideoFrame[]): (number | undefined)[] =>
      frames.map((frame) => readPattern(frame)?.number);

    it('comes at the wanted rate, without drift', async () => {
      const { frames, end } = watch(openPattern(SIZE));
      await time.pass(20_000);
      assert.ok(Math.abs(frames.length - 301) <= 1, `${frames.length}`);
      assert.deepEqual(numbers(frames), [...frames.keys()]);
      await end();
    });

    it('takes another size and another rate, and goes on counting', async () => {
      const source = openPattern(SIZE);
      const { frames, end } = watch(source);
      await time.pass(1_000);
      source.want?.({ width: 160, height: 97.5, fps: 15 });
      await time.pass(100);
      assert.deepEqual([frames.at(-1)?.width, frames.at(-1)?.height], [160, 96]);
      const before = frames.length;
      source.want?.({ width: 160, height: 96, fps: 5 });
      await time.pass(2_000);
      assert.ok(Math.abs(frames.length - before - 10) <= 1, `${frames.length - before}`);
      assert.deepEqual(numbers(frames), [...frames.keys()]);
      await end();
      source.want?.(SIZE);
      const after = frames.length;
      await time.pass(1_000);
      assert.equal(frames.length, after);
    });
  });

  it('can be drawn whatever is wanted', async () => {
    for (const [width, height, fps] of [
      [0, 0, 0],
      [-5, Number.NaN, Infinity],
      [81, 49, 7.5],
      [100_000, 100_000, 1_000],
    ] as const) {
      const source = openPattern({ width, height, fps });
      const [frame] = await take(source, 1);
      await source.close();
      assert.ok(frame !== undefined && readPattern(frame) !== undefined, `${width}x${height}`);
      assert.ok(frame.width % 2 === 0 && frame.width <= 1_920 && frame.height <= 1_080);
    }
  });
});

/** What every source must do. Run against each of them. */
import assert from 'node:assert/strict';
import { sleep } from '../../lib/lifecycle.ts';
import { frameTime, pictureBytes, SOUND_SAMPLES } from '../../lib/media/frames.ts';
import type { AudioSource, Source, VideoSource } from '../../lib/media/streams.ts';
import { clean } from '../../lib/text.ts';
import { leavesNothing } from './media-devices.ts';

/** Opens a source. */
type Make<One> = () => Promise<One>;

/** Frames that may wait, by the kind of source. */
const MOST = { pictures: 2, sounds: 10 } as const;

/** Takes so many frames. */
export async function take<Frame>(source: Source<Frame>, count: number): Promise<Frame[]> {
  const frames: Frame[] = [];
  if (count === 0) return frames;
  for await (const frame of source.frames()) if (frames.push(frame) === count) break;
  return frames;
}

/** Frames that are there already, so that nothing has to be waited for. */
async function waiting<Frame>(iterator: AsyncIterator<Frame>): Promise<Frame[]> {
  const frames: Frame[] = [];
  for (;;) {
    const next = await Promise.race([
      iterator.next(),
      // Whatever makes frames needs another turn of the event loop.
      new Promise<undefined>((resolve) =>
        process.nextTick(() => queueMicrotask(() => resolve(undefined))),
      ),
    ]);
    if (next === undefined || next.done === true) return frames;
    frames.push(next.value);
  }
}

function describeSource<Frame>(
  name: string,
  make: Make<Source<Frame>>,
  most: number,
  check: (frame: Frame) => void,
): void {
  describe(`${name}, as any source`, function () {
    this.timeout(60_000);
    const opened: Source<Frame>[] = [];
    const open = async (): Promise<Source<Frame>> => {
      const source = await make();
      opened.push(source);
      return source;
    };
    afterEach(async () => {
      for (const source of opened.splice(0)) await source.close();
    });

    it('begins with a frame and goes on with well-formed ones', async () => {
      const source = await open();
      assert.ok(source.label.length > 0 && source.label.length <= 210);
      assert.equal(clean(source.label), source.label);
      const first = await waiting(source.frames()[Symbol.asyncIterator]());
      assert.ok(first.length > 0, 'the first frame is there when it is handed out');
      first.forEach(check);
      await source.close();
      (await take(await open(), 8)).forEach(check);
    });

    it('gives its frames once', async () => {
      const source = await open();
      source.frames();
      assert.throws(() => source.frames(), { code: 'INTERNAL' });
    });

    it('ends when it is closed, whoever waits for it, and however often', async () => {
      const source = await open();
      const reading = (async () => {
        let count = 0;
        for await (const frame of source.frames()) {
          check(frame);
          if (++count === 3) void source.close();
        }
        return count;
      })();
      assert.equal(await reading, 3);
      await Promise.all([source.close(), source.close()]);
      const iterator = (await open()).frames()[Symbol.asyncIterator]();
      await opened.at(-1)?.close();
      assert.equal((await iterator.next()).done, true);
    });

    it('ends for whoever comes after it was closed', async () => {
      const source = await open();
      await source.close();
      assert.deepEqual(await take(source, 1), []);
    });

    it('keeps the newest few for whoever is slow', async () => {
      const source = await open();
      const iterator = source.frames()[Symbol.asyncIterator]();
      await sleep(1_500);
      const late = await waiting(iterator);
      // One may have been handed over before the others were made.
      assert.ok(late.length >= 1 && late.length <= most + 1, `${late.length} frames waited`);
      late.forEach(check);
    });

    it('leaves nothing behind', async () => {
      const nothing = await leavesNothing();
      const source = await open();
      await take(source, 2);
      await source.close();
      await nothing();
    });
  });
}

/** A source of pictures; each opens anew. */
export function describeVideoSource(name: string, make: Make<VideoSource>): void {
  describeSource(name, make, MOST.pictures, (frame) => {
    assert.ok(Number.isInteger(frame.width) && frame.width > 0);
    assert.ok(Number.isInteger(frame.height) && frame.height > 0);
    assert.equal(frame.data.length, pictureBytes(frame.width, frame.height));
    const age = frameTime() - frame.time;
    assert.ok(age >= -1 && age < 60_000, `${age} ms old`);
  });
}

/** A source of sounds; each opens anew. */
export function describeAudioSource(name: string, make: Make<AudioSource>): void {
  describeSource(name, make, MOST.sounds, (sound) => {
    assert.ok(sound instanceof Int16Array);
    assert.equal(sound.length, SOUND_SAMPLES);
  });
}

/** What every sink must do. Run against each of them. */
import assert from 'node:assert/strict';
import { sleep } from '../../lib/lifecycle.ts';
import { SOUND_SAMPLES, type Sound } from '../../lib/media/frames.ts';
import type { Sink } from '../../lib/media/streams.ts';
import { clean } from '../../lib/text.ts';
import { collectGarbage } from './garbage.ts';
import { leavesNothing } from './media-devices.ts';

/** A tone of 1 kHz, in whole waves, so that it goes on from one to the next. */
export function tone(): Sound {
  return Int16Array.from({ length: SOUND_SAMPLES }, (_, at) =>
    Math.round(8_000 * Math.sin((2 * Math.PI * at) / 48)),
  );
}

/** Sounds that come all at once: ten minutes of them. */
const FLOOD = 60_000;
/** Far less than those are, in bytes. */
const MOST_GROWTH = 24 * 1024 * 1024;

/** @param make opens one, each time anew */
export function describeSink<Frame>(
  name: string,
  make: () => Promise<Sink<Frame>>,
  frame: () => Frame,
): void {
  describe(`${name}, as any sink`, function () {
    this.timeout(60_000);
    const opened: Sink<Frame>[] = [];
    const ends: Error[] = [];
    const open = async (): Promise<Sink<Frame>> => {
      const sink = await make();
      sink.onEnd((error) => ends.push(error));
      opened.push(sink);
      return sink;
    };
    beforeEach(() => void (ends.length = 0));
    afterEach(async () => {
      for (const sink of opened.splice(0)) await sink.close();
    });

    it('has a name that can be shown', async () => {
      const { label } = await open();
      assert.ok(label.length > 0 && label.length <= 210);
      assert.equal(clean(label), label);
    });

    it('takes frames, is closed however often, and takes nothing after that', async () => {
      const sink = await open();
      for (let at = 0; at < 20; at++) {
        sink.write(frame());
        await sleep(10);
      }
      await Promise.all([sink.close(), sink.close()]);
      sink.write(frame());
      await sink.close();
      assert.deepEqual(ends, [], 'being closed is no end that has to be told');
    });

    it('never waits, and keeps no more than it can take', async () => {
      const sink = await open();
      const one = frame();
      const { arrayBuffers } = process.memoryUsage();
      for (let at = 0; at < FLOOD; at++) sink.write(one);
      // What the first finds is freed beside all this, and counted as free by the second.
      collectGarbage();
      collectGarbage();
      const grown = process.memoryUsage().arrayBuffers - arrayBuffers;
      assert.ok(grown < MOST_GROWTH, `${grown} bytes wait`);
      await sink.close();
      assert.deepEqual(ends, []);
    });

    it('leaves the frame to whoever wrote it', async () => {
      const sink = await open();
      const one = frame();
      const before = structuredClone(one);
      sink.write(one);
      assert.deepEqual(one, before);
    });

    it('leaves nothing behind', async () => {
      const nothing = await leavesNothing();
      const sink = await open();
      sink.write(frame());
      await sink.close();
      await nothing();
    });
  });
}

import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codeOf } from '../../../lib/errors.ts';
import { thisHost, type Host } from '../../../lib/media/devices/host.ts';
import type { NativeSound } from '../../../lib/media/devices/native-sound.ts';
import { openNativeSpeaker } from '../../../lib/media/sinks/native-speaker.ts';
import { openMicrophoneDevice } from '../../../lib/media/sources/microphone.ts';
import { openTone } from '../../../lib/media/sources/tone.ts';
import {
  frequencyOf,
  HALL_MICROPHONE,
  joinSounds,
  SoundServer,
} from '../../support/media-devices.ts';
import { describeSink, tone } from '../../support/media-sink-contract.ts';
import { FakeTime } from '../../support/time.ts';

const LONG = 30_000;
const soon = (): Promise<void> => new Promise(setImmediate);

describe('a speaker by the native part', function () {
  this.timeout(90_000);

  describe('on this system', () => {
    let directory = '';
    let server: SoundServer;
    let abandon: () => void;
    before(async () => {
      directory = await mkdtemp(join(tmpdir(), 'clchat-test-'));
      server = await SoundServer.start(directory);
      await server.control('set-default-sink', 'hall');
      abandon = server.adopt();
    });
    after(async () => {
      abandon();
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    });

    const open = () => openNativeSpeaker(thisHost(), 'speaker', 'default', LONG);

    describeSink('a speaker by the native part', open, tone);

    it('plays what it gets', async () => {
      const speaker = await open();
      const source = openTone(1_000);
      const playing = (async () => {
        for await (const sound of source.frames()) speaker.write(sound);
      })();
      const microphone = await openMicrophoneDevice(server.host, HALL_MICROPHONE);
      const heard: Int16Array[] = [];
      for await (const sound of microphone.frames()) {
        if (heard.length > 0 || sound.some((sample) => sample > 4_000)) heard.push(sound);
        if (heard.length === 150) break;
      }
      await Promise.all([source.close(), microphone.close(), speaker.close()]);
      await playing;
      const hertz = frequencyOf(joinSounds(heard).subarray(24_000, 48_000));
      assert.ok(Math.abs(hertz - 1_000) < 30, `${hertz} Hz`);
    });

    it('is refused where there is no such speaker', async () => {
      await assert.rejects(openNativeSpeaker(thisHost(), 'speaker x', 'no such', LONG), {
        code: 'NO_DEVICE',
        message: /^speaker x cannot be opened: /,
      });
    });
  });

  describe('whatever device it has', () => {
    /** In its place: takes pieces when the test says so. */
    class Device extends EventEmitter {
      readonly pieces: Buffer[] = [];
      readonly channels: number;
      stopped = 0;
      isPlaying = true;
      #taken: (() => void) | undefined;
      isHeld = false;

      constructor(channels: number) {
        super();
        this.channels = channels;
      }

      async writeAsync(piece: Buffer): Promise<void> {
        if (this.isHeld) await new Promise<void>((resolve) => (this.#taken = resolve));
        this.pieces.push(piece);
      }

      release(): void {
        this.isHeld = false;
        this.#taken?.();
      }

      stop(): void {
        this.stopped++;
      }
    }

    const opened: Device[] = [];
    beforeEach(() => void (opened.length = 0));
    const host = (accepts: (channels: number) => boolean): Host => {
      const open = async ({ channels }: { channels: number }): Promise<Device> => {
        const device = new Device(channels);
        opened.push(device);
        if (!accepts(channels)) device.writeAsync = () => Promise.reject(new Error('unsupported'));
        return device;
      };
      const native = () => ({ Speaker: { open } }) as unknown as NativeSound;
      return { ...thisHost(), native };
    };
    const open = (accepts: (channels: number) => boolean = () => true) =>
      openNativeSpeaker(host(accepts), 'speaker', 'default', LONG);
    /** One that is opened this way. */
    const opening = (open: () => Promise<Device>, openMs: number) => {
      const native = () => ({ Speaker: { open } }) as unknown as NativeSound;
      return openNativeSpeaker({ ...thisHost(), native }, 'speaker', 'default', openMs);
    };

    it('plays on both channels where it cannot do with one', async () => {
      const speaker = await open((channels) => channels === 2);
      assert.deepEqual(
        opened.map(({ channels, stopped }) => [channels, stopped]),
        [
          [1, 1],
          [2, 0],
        ],
      );
      const device = opened[1]!;
      device.pieces.length = 0;
      speaker.write(tone());
      await soon();
      const bytes = Buffer.concat(device.pieces);
      const samples = new Int16Array(new Uint8Array(bytes).buffer);
      assert.equal(samples.length, 960);
      assert.deepEqual(
        samples.filter((_, at) => at % 2 === 0),
        tone(),
      );
      assert.deepEqual(
        samples.filter((_, at) => at % 2 === 1),
        tone(),
      );
      await speaker.close();
      assert.equal(device.stopped, 1);
    });

    it('hands it pieces of 2 ms, and keeps the newest few sounds while it takes none', async () => {
      const speaker = await open();
      const device = opened[0]!;
      device.pieces.length = 0;
      device.isHeld = true;
      for (let at = 0; at < 100; at++) speaker.write(Int16Array.from({ length: 480 }, () => at));
      await soon();
      device.release();
      await soon();
      const numbers = device.pieces.map((piece) => piece.readInt16LE(0));
      assert.ok(device.pieces.every((piece) => piece.length === 2 * 96));
      assert.deepEqual(
        [...new Set(numbers)],
        [0, 96, 97, 98, 99],
        'the one that was under way, and the newest',
      );
      await speaker.close();
    });

    it('ends with the reason when it is gone', async () => {
      const speaker = await open();
      const ends: Error[] = [];
      speaker.onEnd((error) => ends.push(error));
      opened[0]!.writeAsync = () => Promise.reject(new Error('unplugged \u001b[31m'));
      speaker.write(tone());
      await soon();
      speaker.write(tone());
      opened[0]!.emit('error', new Error('again'));
      await soon();
      assert.deepEqual(
        ends.map((error) => [codeOf(error), error.message]),
        [['NO_DEVICE', 'speaker is gone: unplugged']],
      );
      await speaker.close();
    });

    it('is refused in time where it does not answer, and stopped when it does', async () => {
      const device = new Device(1);
      let answer!: (device: Device) => void;
      const open = () => new Promise<Device>((resolve) => (answer = resolve));
      await assert.rejects(opening(open, 100), {
        code: 'NO_DEVICE',
        message: 'speaker cannot be opened: it does not answer.',
      });
      assert.equal(device.stopped, 0);
      answer(device);
      await soon();
      assert.deepEqual([device.stopped, device.pieces.length], [1, 0]);
    });

    it('is refused in time where it takes nothing', async () => {
      const open = async (): Promise<Device> => {
        const device = new Device(1);
        device.isHeld = true;
        opened.push(device);
        return device;
      };
      await assert.rejects(opening(open, 100), {
        code: 'NO_DEVICE',
        message: 'speaker cannot be opened: it does not answer.',
      });
      await soon();
      assert.deepEqual(new Set(opened.map(({ stopped }) => stopped)), new Set([1]));
    });

    describe('where it hangs', () => {
      let time: FakeTime;
      const ends: [string, string][] = [];
      beforeEach(() => {
        time = new FakeTime();
        ends.length = 0;
      });
      afterEach(() => time.restore());

      /** With what it was given last. */
      const hung = async () => {
        const speaker = await open();
        speaker.onEnd((error) => ends.push([codeOf(error), error.message]));
        const device = opened[0]!;
        device.isHeld = true;
        speaker.write(tone());
        await time.pass(0);
        return { speaker, device };
      };

      it('ends with what can be done, and is stopped when it takes something again', async () => {
        const { speaker, device } = await hung();
        await time.pass(4_900);
        assert.deepEqual(ends, []);
        await time.pass(100);
        assert.deepEqual(ends, [
          [
            'NO_DEVICE',
            'speaker takes nothing any more. "settings speaker" lists those that there are, and chooses another.',
          ],
        ]);
        speaker.write(tone());
        await time.pass(60_000);
        assert.equal(device.stopped, 0, 'to stop it would have waited for it');
        device.release();
        await time.pass(60_000);
        assert.equal(device.stopped, 1);
        await speaker.close();
        assert.deepEqual([device.stopped, ends.length], [1, 1]);
      });

      it('goes on where it takes something now and then', async () => {
        const { speaker, device } = await hung();
        for (let at = 0; at < 3; at++) {
          await time.pass(4_900);
          device.release();
          await time.pass(0);
          device.isHeld = true;
          speaker.write(tone());
          await time.pass(0);
        }
        assert.deepEqual([ends, device.stopped], [[], 0]);
        await speaker.close();
        assert.equal(device.stopped, 1);
      });

      it('ends soon where it does not even play, and is stopped', async () => {
        const { device } = await hung();
        device.isPlaying = false;
        await time.pass(1_000);
        assert.deepEqual(ends, [['NO_DEVICE', 'speaker is gone.']]);
        assert.equal(device.stopped, 1);
      });

      it('is closed without waiting for it', async () => {
        const { speaker, device } = await hung();
        await time.pass(3_500);
        await speaker.close();
        await time.pass(60_000);
        assert.equal(device.stopped, 0);
        device.isPlaying = false;
        await time.pass(60_000);
        assert.deepEqual([device.stopped, ends], [1, []]);
      });

      it('is refused in time, without waiting for it', async () => {
        const device = new Device(1);
        device.isHeld = true;
        const refused = assert.rejects(
          opening(async () => device, 5_000),
          { code: 'NO_DEVICE' },
        );
        await time.pass(5_000);
        await refused;
        await time.pass(60_000);
        assert.equal(device.stopped, 0);
        device.release();
        await time.pass(60_000);
        assert.equal(device.stopped, 1);
      });
    });
  });
});

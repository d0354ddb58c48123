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

    it('is refused in time where it takes nothing', async () => {
      const refused = host(() => true);
      const never = (): Promise<void> => new Promise(() => undefined);
      const native = (): NativeSound => {
        const { Speaker } = refused.native() as unknown as {
          Speaker: { open: (one: object) => Promise<Device> };
        };
        const open = async (format: object) =>
          Object.assign(await Speaker.open(format), { writeAsync: never });
        return { Speaker: { open } } as unknown as NativeSound;
      };
      await assert.rejects(openNativeSpeaker({ ...refused, native }, 'speaker', 'default', 100), {
        code: 'NO_DEVICE',
      });
      assert.ok(opened.every(({ stopped }) => stopped === 1));
    });
  });
});

import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { thisHost, type Host } from '../../../lib/media/devices/host.ts';
import type { NativeSound } from '../../../lib/media/devices/native-sound.ts';
import { noDevice } from '../../../lib/media/devices/refusals.ts';
import {
  microphoneInputs,
  openMicrophoneDevice,
  openNativeMicrophone,
} from '../../../lib/media/sources/microphone.ts';
import {
  frequencyOf,
  HALL_MICROPHONE,
  joinSounds,
  SoundServer,
} from '../../support/media-devices.ts';
import { describeAudioSource, take } from '../../support/media-source-contract.ts';
import { FakeTime } from '../../support/time.ts';

const missing = (): NativeSound => {
  throw noDevice('the native part is missing');
};

describe('a microphone', function () {
  this.timeout(60_000);
  let directory = '';
  let server: SoundServer;
  /** Without the native part: it would look for a server by itself. */
  let host: Host;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'clchat-test-'));
    server = await SoundServer.start(directory);
    host = { ...server.host, native: missing };
    server.play(1_000);
  });
  after(async () => {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  });

  describeAudioSource('a microphone by ffmpeg', () => openMicrophoneDevice(host, HALL_MICROPHONE));

  it('hears what there is to hear', async () => {
    const microphone = await openMicrophoneDevice(host, HALL_MICROPHONE);
    assert.equal(microphone.label, `microphone ${HALL_MICROPHONE}`);
    const sounds = await take(microphone, 120);
    await microphone.close();
    const hertz = frequencyOf(joinSounds(sounds.slice(20)));
    assert.ok(Math.abs(hertz - 1_000) < 10, `${hertz} Hz`);
  });

  it('may be the usual one', async () => {
    await server.control('set-default-source', HALL_MICROPHONE);
    const microphone = await openMicrophoneDevice(host, 'default');
    assert.equal(microphone.label, 'microphone');
    const hertz = frequencyOf(joinSounds((await take(microphone, 120)).slice(20)));
    await microphone.close();
    assert.ok(Math.abs(hertz - 1_000) < 10, `${hertz} Hz`);
  });

  it('ends when its server does', async () => {
    const own = await mkdtemp(join(tmpdir(), 'clchat-test-'));
    const other = await SoundServer.start(own);
    const microphone = await openMicrophoneDevice(
      { ...other.host, native: missing },
      HALL_MICROPHONE,
    );
    await other.stop();
    await assert.rejects(
      async () => {
        for await (const _ of microphone.frames());
      },
      { code: 'NO_DEVICE' },
    );
    await microphone.close();
    await rm(own, { recursive: true, force: true });
  });

  it('is refused where it is not there', async () => {
    await assert.rejects(openMicrophoneDevice(host, 'no such \u001b[31m'), {
      code: 'NO_DEVICE',
      message: /^microphone no such gives no sound: /,
    });
    await assert.rejects(openMicrophoneDevice(host, 'plughw:42,0'), { code: 'NO_DEVICE' });
    const elsewhere = { ...host.environment, PULSE_SERVER: 'unix:/nowhere/native' };
    await assert.rejects(openMicrophoneDevice({ ...host, environment: elsewhere }, 'default'), {
      code: 'NO_DEVICE',
    });
  });

  it('is refused where there is neither ffmpeg nor the native part', async () => {
    await assert.rejects(openMicrophoneDevice({ ...host, ffmpeg: '/nowhere/ffmpeg' }, 'sine'), {
      code: 'NO_DEVICE',
      message: 'ffmpeg is not installed: apt install ffmpeg',
    });
  });

  describe('by the native part', () => {
    /** It asks ALSA, which asks the sound server that this process knows. */
    let abandon: () => void;
    before(async () => {
      abandon = server.adopt();
      await server.control('set-default-source', HALL_MICROPHONE);
    });
    after(() => abandon());

    describeAudioSource('a microphone by the native part', () =>
      openNativeMicrophone(thisHost(), 'default', 20_000),
    );

    it('hears what there is to hear', async () => {
      const microphone = await openNativeMicrophone(thisHost(), 'default', 20_000);
      const hertz = frequencyOf(joinSounds((await take(microphone, 150)).slice(50)));
      await microphone.close();
      assert.ok(Math.abs(hertz - 1_000) < 10, `${hertz} Hz`);
    });

    it('is refused where it is not there', async () => {
      await assert.rejects(openNativeMicrophone(thisHost(), 'no such', 20_000), {
        code: 'NO_DEVICE',
        message: /^microphone no such cannot be opened: /,
      });
    });

    it('is refused where it is never heard of, and ends when it is gone', async () => {
      const device = Object.assign(new EventEmitter(), { stop: () => stopped++ });
      let stopped = 0;
      const native = () => ({ Microphone: { open: async () => device } }) as unknown as NativeSound;
      const fake = { ...thisHost(), native };
      await assert.rejects(openNativeMicrophone(fake, 'mute', 50), {
        code: 'NO_DEVICE',
        message: 'microphone mute gives nothing.',
      });
      assert.equal(stopped, 1);
      const opened = openNativeMicrophone(fake, 'x', 20_000);
      await new Promise(setImmediate);
      device.emit('data', Buffer.alloc(2_000));
      const microphone = await opened;
      device.emit('error', new Error('unplugged \u001b[31m'));
      await assert.rejects(
        async () => {
          for await (const _ of microphone.frames());
        },
        { code: 'NO_DEVICE', message: 'microphone x is gone: unplugged.' },
      );
      await microphone.close();
    });

    it('is refused in time where it does not answer, and stopped when it does', async () => {
      let stopped = 0;
      let answer!: (device: object) => void;
      const open = () => new Promise((resolve) => (answer = resolve));
      const native = () => ({ Microphone: { open } }) as unknown as NativeSound;
      await assert.rejects(openNativeMicrophone({ ...thisHost(), native }, 'stuck', 50), {
        code: 'NO_DEVICE',
        message: 'microphone stuck cannot be opened: it does not answer.',
      });
      answer(Object.assign(new EventEmitter(), { stop: () => stopped++ }));
      await new Promise(setImmediate);
      assert.equal(stopped, 1);
    });

    it('tells that it gives nothing any more before it waits for it to stop', async () => {
      const time = new FakeTime();
      try {
        const done: string[] = [];
        const device = Object.assign(new EventEmitter(), { stop: () => done.push('stopped') });
        const native = () =>
          ({ Microphone: { open: async () => device } }) as unknown as NativeSound;
        const opened = openNativeMicrophone({ ...thisHost(), native }, 'x', 20_000);
        await time.pass(0);
        device.emit('data', Buffer.alloc(2_000));
        const microphone = await opened;
        const taken = (async () => {
          for await (const _ of microphone.frames());
        })().catch(async (error: Error) => {
          await microphone.close();
          done.push(error.message);
        });
        await time.pass(6_000);
        await taken;
        assert.deepEqual(done, ['microphone x gives nothing any more.', 'stopped']);
      } finally {
        time.restore();
      }
    });

    it('takes the place of ffmpeg where that is missing', async () => {
      const microphone = await openMicrophoneDevice(
        { ...thisHost(), ffmpeg: '/nowhere/ffmpeg' },
        'default',
      );
      assert.equal((await take(microphone, 1)).length, 1);
      await microphone.close();
    });
  });
});

describe('what ffmpeg is told of a microphone', () => {
  it('names it as each system knows it', () => {
    const ends = (platform: NodeJS.Platform, name: string): string[] =>
      microphoneInputs(platform, name).map((args) => `${args[1]} ${args.at(-1)}`);
    assert.deepEqual(ends('linux', 'default'), ['pulse default', 'alsa default']);
    assert.deepEqual(ends('linux', 'alsa_input.usb'), ['pulse alsa_input.usb']);
    assert.deepEqual(ends('linux', 'plughw:1,0'), ['alsa plughw:1,0']);
    assert.deepEqual(ends('darwin', '1'), ['avfoundation none:1']);
    assert.deepEqual(ends('win32', 'Mic & calc'), ['dshow audio=Mic & calc']);
  });
});

import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ClchatError } from '../../../lib/errors.ts';
import { thisHost, type Host } from '../../../lib/media/devices/host.ts';
import { noDevice, noWay } from '../../../lib/media/devices/refusals.ts';
import { listDevices, orNameOthers } from '../../../lib/media/devices/list.ts';
import { SoundServer, XDisplay } from '../../support/media-devices.ts';
import type { NativeSound } from '../../../lib/media/devices/native-sound.ts';
import { temporary } from '../../support/temporary.ts';

/** Without its native part, which looks through what ALSA knows and complains. */
const host: Host = {
  ...thisHost(),
  native: () => {
    throw noDevice('missing');
  },
};

describe('the list of devices', function () {
  this.timeout(60_000);
  const { newDirectory } = temporary();

  /** In the place of ffmpeg: complains of what it is given. */
  const saying = async (text: string): Promise<string> => {
    const path = join(await newDirectory(), 'ffmpeg');
    await writeFile(path, `#!/bin/sh\ncat >&2 <<'END'\n${text}\nEND\nexit 1\n`);
    await chmod(path, 0o700);
    return path;
  };

  it('has the microphones, speakers and screens of this host', async () => {
    const server = await SoundServer.start(await newDirectory());
    const display = await XDisplay.start(320, 240);
    try {
      const environment = { ...server.host.environment, DISPLAY: display.name };
      const { devices } = await listDevices({ ...host, environment });
      const ids = (kind: string): string[] =>
        devices.filter((device) => device.kind === kind).map(({ id }) => id);
      assert.deepEqual(ids('microphone'), ['sine']);
      assert.deepEqual(ids('speaker'), ['hall']);
      assert.equal(ids('screen')[0], display.name);
    } finally {
      await display.stop();
      await server.stop();
    }
  });

  it('says what could not be asked, instead of failing', async () => {
    const nothing: Host = { ...host, platform: 'linux', environment: { PATH: '/nowhere' } };
    const { problems } = await listDevices(nothing);
    assert.match(problems.join('\n'), /ffmpeg is not installed: apt install ffmpeg/);
    assert.match(problems.join('\n'), /pactl/);
    for (const platform of ['darwin', 'win32'] as const) {
      const { problems } = await listDevices({ ...nothing, platform });
      assert.match(
        problems.join('\n'),
        /^ffmpeg is not installed: (?:brew|winget) install ffmpeg$/,
      );
    }
  });

  it('has what ffmpeg tells of on macOS', async () => {
    const ffmpeg = await saying(
      `[AVFoundation indev @ 0x1] AVFoundation video devices:
[AVFoundation indev @ 0x1] [0] FaceTime HD Camera
[AVFoundation indev @ 0x1] [1] Capture screen 0
[AVFoundation indev @ 0x1] AVFoundation audio devices:
[AVFoundation indev @ 0x1] [0] A microphone by ffmpeg`,
    );
    const mac: Host = { ...host, platform: 'darwin', ffmpeg };
    const ids = async (one: Host): Promise<string[]> =>
      (await listDevices(one)).devices.map(({ id }) => id);
    const pictures = ['FaceTime HD Camera', 'Capture screen 0'];
    assert.deepEqual((await ids(mac)).sort(), [...pictures, 'A microphone by ffmpeg'].sort());
    // Where the native part is, it opens them, so its names are those that count.
    const Microphone = {
      devices: () => [{ name: 'A microphone', maxInputChannels: 1, isDefault: true }],
    };
    const native = () => ({ Microphone, Speaker: { devices: () => [] } }) as unknown as NativeSound;
    assert.deepEqual(await ids({ ...mac, native }), [...pictures, 'A microphone']);
  });

  it('has what ffmpeg tells of on Windows, and the desktop', async () => {
    const ffmpeg = await saying('[dshow @ 01] "Integrated Camera" (video)');
    const { devices } = await listDevices({ ...host, platform: 'win32', ffmpeg });
    const pictures = devices.filter(({ kind }) => kind === 'camera' || kind === 'screen');
    assert.deepEqual(
      pictures.map(({ id }) => id),
      ['Integrated Camera', 'desktop'],
    );
  });

  it('is told to whoever asked for a device that is not there', async () => {
    const ffmpeg = await saying('[dshow @ 01] "Integrated Camera" (video)');
    const windows: Host = { ...host, platform: 'win32', ffmpeg };
    const refused = (error: Error): Promise<unknown> =>
      orNameOthers('camera', windows, Promise.reject(error));
    await assert.rejects(refused(noDevice('no camera "x".')), {
      code: 'NO_DEVICE',
      message: 'No camera "x". There is: Integrated Camera.',
    });
    await assert.rejects(refused(noWay('ffmpeg is missing')), { message: 'ffmpeg is missing' });
    await assert.rejects(refused(new ClchatError('DISK_FULL')), { code: 'DISK_FULL' });
    const none = { ...windows, ffmpeg: await saying('') };
    await assert.rejects(orNameOthers('camera', none, Promise.reject(noDevice('no "x"'))), {
      message: 'No "x". There is no camera here.',
    });
    assert.equal(await orNameOthers('camera', windows, Promise.resolve(1)), 1);
  });
});

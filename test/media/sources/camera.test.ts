import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { chmod, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { thisHost, type Host } from '../../../lib/media/devices/host.ts';
import { cameraInputs, openCameraDevice } from '../../../lib/media/sources/camera.ts';
import type { VideoFrame } from '../../../lib/media/frames.ts';
import { temporary } from '../../support/temporary.ts';
import { describeVideoSource, take } from '../../support/media-source-contract.ts';

const host = thisHost();
const SIZE = { width: 320, height: 240, fps: 15 };
/** A picture that moves, in the place of a camera. */
const moving = (more = '', size = '640x480'): string[][] => [
  ['-re', '-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=30${more}`],
];
const open640 = (inputs: readonly (readonly string[])[] = moving()) =>
  openCameraDevice(host, 'test camera', SIZE, { inputs });

describeVideoSource('a camera', () => open640());

describe('a camera', function () {
  this.timeout(60_000);
  const { newDirectory } = temporary();

  it('gives pictures no larger than wanted, of its own proportions', async () => {
    for (const [size, width, height] of [
      ['640x480', 320, 240],
      ['1280x720', 320, 180],
      ['480x1280', 90, 240],
      ['176x144', 176, 144],
    ] as const) {
      const camera = await open640(moving('', size));
      const [frame] = await take(camera, 1);
      assert.deepEqual([frame?.width, frame?.height], [width, height]);
      await camera.close();
    }
  });

  it('gives fewer pictures when fewer are wanted', async () => {
    const camera = await openCameraDevice(host, 'x', { ...SIZE, fps: 30 }, { inputs: moving() });
    const frames: VideoFrame[] = [];
    for await (const frame of camera.frames()) {
      if (frames.length === 0) camera.want?.({ ...SIZE, fps: 5 });
      if (frames.push(frame) === 12) break;
    }
    await camera.close();
    const apart = (frames.at(-1)!.time - frames[2]!.time) / 9;
    assert.ok(apart > 120, `${apart} ms apart`);
  });

  it('is tried in another way where it does not take the first', async () => {
    const first = ['-f', 'v4l2', '-video_size', '640x480', '-i', '/dev/none'];
    const camera = await open640([first, ...moving()]);
    assert.equal((await take(camera, 1)).length, 1);
    await camera.close();
  });

  it('is refused with the reason where it is not there', async () => {
    await assert.rejects(openCameraDevice(host, '/dev/video77', SIZE), {
      code: 'NO_DEVICE',
      message:
        'camera /dev/video77 gives no pictures: Cannot open video device /dev/video77: No such file or directory',
    });
    await assert.rejects(openCameraDevice(host, '77', SIZE), /video77/);
    await assert.rejects(openCameraDevice(host, 'a \u001b[31m camera', SIZE), {
      code: 'NO_DEVICE',
      message: 'There is no camera "a  camera".',
    });
    await assert.rejects(openCameraDevice(host, 'default', SIZE), { code: 'NO_DEVICE' });
  });

  it('is refused in time where it gives nothing', async () => {
    const path = join(await newDirectory(), 'pictures');
    await promisify(execFile)('mkfifo', [path]);
    const inputs = [['-f', 'yuv4mpegpipe', '-i', path]];
    const begun = performance.now();
    await assert.rejects(openCameraDevice(host, 'slow', SIZE, { inputs, openMs: 700 }), {
      code: 'NO_DEVICE',
      message: 'camera slow gives nothing. Another program may be using it.',
    });
    assert.ok(performance.now() - begun >= 700);
  });

  it('ends with the reason when it is unplugged', async () => {
    const camera = await open640(moving(':duration=1'));
    let count = 0;
    await assert.rejects(
      async () => {
        for await (const _ of camera.frames()) count++;
      },
      { code: 'NO_DEVICE', message: 'camera test camera gives no pictures.' },
    );
    assert.ok(count > 0);
    await camera.close();
  });

  it('ends when it stops giving pictures, and its program with it', async () => {
    const path = join(await newDirectory(), 'pictures');
    await promisify(execFile)('mkfifo', [path]);
    const args = ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=64x48', '-frames:v', '20'];
    const writer = spawn('ffmpeg', [...args, '-f', 'yuv4mpegpipe', '-y', path]);
    // Held open, so that it is no end that is read, but nothing.
    const held = open(path, 'r+');
    const inputs = [['-re', '-f', 'yuv4mpegpipe', '-i', path]];
    const camera = await openCameraDevice(host, 'stuck', SIZE, { inputs, stallMs: 1_500 });
    await assert.rejects(
      async () => {
        for await (const _ of camera.frames());
      },
      { code: 'NO_DEVICE', message: 'camera stuck gives nothing any more.' },
    );
    await camera.close();
    writer.kill();
    await (await held).close();
  });

  it('is refused where what comes are no pictures', async () => {
    const path = join(await newDirectory(), 'ffmpeg');
    await writeFile(path, '#!/bin/sh\nexec head -c 100000 /dev/zero\n');
    await chmod(path, 0o700);
    await assert.rejects(openCameraDevice({ ...host, ffmpeg: path }, 'x', SIZE, { inputs: [[]] }), {
      code: 'BAD_MESSAGE',
    });
  });
});

describe('what ffmpeg is told of a camera', () => {
  const ways = (platform: NodeJS.Platform, name: string, width = 640, height = 480): string[] =>
    cameraInputs(platform, name, { width, height, fps: 15 }).map((args) => {
      assert.equal(args.at(-2), '-i');
      return args
        .filter((one) => !/^(?:nobuffer|32|0|-fflags|-probesize|-analyzeduration)$/.test(one))
        .join(' ');
    });

  it('names its device on Linux, and the least usual size that will do', () => {
    assert.deepEqual(ways('linux', '/dev/video2'), [
      '-f v4l2 -video_size 640x480 -i /dev/video2',
      '-f v4l2 -i /dev/video2',
    ]);
    const sizes = [
      [160, 96],
      [321, 10],
      [1_280, 720],
      [9_999, 9_999],
    ] as const;
    assert.deepEqual(
      sizes.map(([width, height]) => /\d+x\d+/.exec(ways('linux', 'x', width, height)[0]!)?.[0]),
      ['320x240', '640x480', '1280x720', '1920x1080'],
    );
  });

  it('names its number on macOS, and rates until one is taken', () => {
    assert.deepEqual(ways('darwin', '1'), [
      '-f avfoundation -video_size 640x480 -framerate 30 -i 1:none',
      '-f avfoundation -framerate 30 -i 1:none',
      '-f avfoundation -framerate 25 -i 1:none',
      '-f avfoundation -framerate 15 -i 1:none',
      '-f avfoundation -framerate 60 -i 1:none',
      '-f avfoundation -i 1:none',
    ]);
  });

  it('names it on Windows in one word, whatever it is called', () => {
    const name = 'Integrated "Camera" & calc.exe %PATH%';
    const all = ways('win32', name);
    assert.deepEqual(all, [
      `-f dshow -rtbufsize 64M -video_size 640x480 -framerate 30 -i video=${name}`,
      `-f dshow -rtbufsize 64M -video_size 640x480 -i video=${name}`,
      `-f dshow -rtbufsize 64M -i video=${name}`,
    ]);
    for (const args of cameraInputs('win32', name, SIZE))
      assert.equal(args.at(-1), `video=${name}`);
  });
});

describe('a camera of another system', function () {
  this.timeout(60_000);
  const { newDirectory } = temporary();

  /** In the place of ffmpeg: lists devices, and for one of them gives a real picture. */
  const listing = async (list: string, input: string): Promise<string> => {
    const path = join(await newDirectory(), 'ffmpeg');
    const script = `#!/bin/sh
case "$*" in
*-list_devices*) cat >&2 <<'END'
${list}
END
exit 1;;
*"${input}"*) exec ffmpeg -v error -re -f lavfi -i testsrc2=size=64x48 -f yuv4mpegpipe pipe:1;;
*) echo "what is $*?" >&2; exit 1;;
esac
`;
    await writeFile(path, script);
    await chmod(path, 0o700);
    return path;
  };

  it('is found by its name on macOS', async () => {
    const list = `[AVFoundation indev @ 0x1] AVFoundation video devices:
[AVFoundation indev @ 0x1] [0] FaceTime HD Camera
[AVFoundation indev @ 0x1] [1] Front: Camera`;
    const ffmpeg = await listing(list, '-i 1:none');
    const mac: Host = { ...host, platform: 'darwin', ffmpeg };
    const camera = await openCameraDevice(mac, 'Front: Camera', SIZE);
    assert.equal((await take(camera, 1))[0]?.width, 64);
    await camera.close();
    await assert.rejects(openCameraDevice(mac, 'nothing', SIZE), {
      message: 'There is no camera "nothing".',
    });
  });

  it('is found by its name on Windows', async () => {
    const list = String.raw`[dshow @ 01] "Front: Camera" (video)
[dshow @ 01]   Alternative name "@device_pnp_1"`;
    const ffmpeg = await listing(list, '-i video=@device_pnp_1');
    const windows: Host = { ...host, platform: 'win32', ffmpeg };
    const camera = await openCameraDevice(windows, 'Front: Camera', SIZE);
    assert.equal((await take(camera, 1))[0]?.width, 64);
    await camera.close();
    await assert.rejects(openCameraDevice(windows, 'nothing', SIZE), {
      message: 'There is no camera "nothing".',
    });
  });
});

import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isCapture, v4l2Cameras } from '../../../lib/media/devices/v4l2.ts';
import { temporary } from '../../support/temporary.ts';

/** What udev writes about a camera, and about that which belongs to it but gives no pictures. */
const CAMERA = `S:v4l/by-id/usb-046d_C922-video-index0
I:6083458
E:ID_V4L_VERSION=2
E:ID_V4L_PRODUCT=C922 Pro Stream Webcam
E:ID_V4L_CAPABILITIES=:capture:
G:uaccess
`;
const ABOUT = CAMERA.replace(':capture:', ':');

describe('the cameras of Linux', () => {
  const { newDirectory } = temporary();

  const make = async (
    cameras: Readonly<Record<string, { name: string; index?: string; udev?: string }>>,
  ) => {
    const root = await newDirectory();
    const places = {
      classes: join(root, 'class'),
      udev: join(root, 'udev'),
      devices: join(root, 'dev'),
    };
    for (const place of Object.values(places)) await mkdir(place);
    let minor = 0;
    for (const [video, { name, index, udev }] of Object.entries(cameras)) {
      await mkdir(join(places.classes, video));
      await writeFile(join(places.classes, video, 'name'), `${name}\n`);
      await writeFile(join(places.classes, video, 'dev'), `81:${minor}\n`);
      if (index !== undefined) await writeFile(join(places.classes, video, 'index'), `${index}\n`);
      if (udev !== undefined) await writeFile(join(places.udev, `c81:${minor}`), udev);
      await writeFile(join(places.devices, video), '');
      minor++;
    }
    return places;
  };

  it('are those that give pictures, in their order', async () => {
    const places = await make({
      video10: { name: 'Loopback', index: '0' },
      video1: { name: 'C922: Webcam', index: '1', udev: ABOUT },
      video0: { name: 'C922: Webcam', index: '0', udev: CAMERA },
      video2: { name: 'Tiefe', index: '2', udev: CAMERA },
      'v4l-subdev0': { name: 'sensor' },
      video3: { name: 'C270', index: '1' },
    });
    const { devices, problems } = await v4l2Cameras(places);
    const at = (name: string): string => join(places.devices, name);
    assert.deepEqual(devices, [
      { kind: 'camera', id: at('video0'), label: 'C922: Webcam', isDefault: true },
      { kind: 'camera', id: at('video2'), label: 'Tiefe' },
      { kind: 'camera', id: at('video10'), label: 'Loopback' },
    ]);
    assert.deepEqual(problems, []);
  });

  it('have clean names', async () => {
    const places = await make({
      video0: { name: 'a\u001b[31mb\u202ec' },
      video1: { name: '\u0007' },
    });
    const { devices } = await v4l2Cameras(places);
    assert.deepEqual(
      devices.map(({ label }) => label),
      ['abc', join(places.devices, 'video1')],
    );
  });

  it('are none where the system knows of none', async () => {
    assert.deepEqual(await v4l2Cameras(await make({})), { devices: [], problems: [] });
    const nowhere = { classes: '/nowhere', udev: '/nowhere', devices: '/nowhere' };
    assert.deepEqual(await v4l2Cameras(nowhere), { devices: [], problems: [] });
  });

  it('are told from the rest by udev, or else by their number', () => {
    assert.equal(isCapture(CAMERA, '3'), true);
    assert.equal(isCapture(ABOUT, '0'), false);
    assert.equal(isCapture('E:ID_V4L_CAPABILITIES=:video_output:', '0'), false);
    assert.equal(isCapture(undefined, '0'), true);
    assert.equal(isCapture('E:ID_SERIAL=x', '1'), false);
    assert.equal(isCapture(undefined, undefined), true);
  });
});

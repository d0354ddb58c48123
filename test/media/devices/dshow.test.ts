import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  askDshow,
  dshowDevices,
  dshowInput,
  parseDshow,
} from '../../../lib/media/devices/dshow.ts';
import { thisHost } from '../../../lib/media/devices/host.ts';
import { clean } from '../../../lib/text.ts';

/** Of version 3.2.4. */
const OLD = String.raw`ffmpeg version 3.2.4 Copyright (c) 2000-2017 the FFmpeg developers
[dshow @ 00000000001c23c0] DirectShow video devices (some may be both video and audio devices)
[dshow @ 00000000001c23c0]  "Integrated Webcam"
[dshow @ 00000000001c23c0]     Alternative name "@device_pnp_\\?\usb#vid_0c45&pid_6448&mi_00#7&2645f9e4&0&0000#{65e8773d-8f56-11d0-a3b9-00a0c9223196}\global"
[dshow @ 00000000001c23c0]  "screen-capture-recorder"
[dshow @ 00000000001c23c0]     Alternative name "@device_sw_{860BB310-5D01-11D0-BD3B-00A0C911CE86}\{4EA69364-2C8A-4AE6-A561-56E4B5044439}"
[dshow @ 00000000001c23c0] DirectShow audio devices
[dshow @ 00000000001c23c0]  "麦克风 (High Definition Audio 设备)"
[dshow @ 00000000001c23c0]     Alternative name "@device_cm_{33D9A762-90C8-11D0-BD43-00A0C911CE86}\wave_{E26AD2BE-B335-41EC-BED5-40F982F21FF7}"
dummy: Immediate exit requested
`;

/** Of version 6 and later. */
const NEW = String.raw`[dshow @ 0000020e1a16fd40] "DirectShow Softcam" (none)
[dshow @ 0000020e1a16fd40]   Alternative name "@device_sw_{860BB310-5D01-11D0-BD3B-00A0C911CE86}\DirectShow Softcam"
[dshow @ 0000020e1a16fd40] "OBS Virtual Camera" (video)
[dshow @ 0000020e1a16fd40]   Alternative name "@device_sw_{860BB310-5D01-11D0-BD3B-00A0C911CE86}\{A3FCE0F5-3493-419F-958A-ABA1250EC20B}"
[dshow @ 0000020e1a16fd40] "Capture: Card" (audio, video)
[dshow @ 0000020e1a16fd40]   Alternative name "@device_pnp_\\?\pci#ven_1"
[dshow @ 0000020e1a16fd40] "Microphone (2- USB Audio)" (audio)
[dshow @ 0000020e1a16fd40]   Alternative name "@device_cm_{33D9A762}\wave_{1}"
[dshow @ 0000020e1a16fd40] "Microphone (2- USB Audio)" (audio)
[dshow @ 0000020e1a16fd40]   Alternative name "@device_cm_{33D9A762}\wave_{2}"
[in#0 @ 0000020e1a16f5c0] Error opening input: Immediate exit requested
`.replaceAll('\n', '\r\n');

/** Of the oldest ones there are about. */
const BARE = `[dshow @ 03ACF580] DirectShow video devices
[dshow @ 03ACF580]  "Integrated Camera"
[dshow @ 03ACF580] DirectShow audio devices
[dshow @ 03ACF580]  "Internal Microphone (Conexant 2"
`;

describe('the devices of Windows', () => {
  it('are read from what ffmpeg says, of old and new versions', () => {
    assert.deepEqual(
      parseDshow(OLD).map(({ kinds, name }) => [...kinds, name]),
      [
        ['video', 'Integrated Webcam'],
        ['video', 'screen-capture-recorder'],
        ['audio', '麦克风 (High Definition Audio 设备)'],
      ],
    );
    assert.deepEqual(
      parseDshow(NEW).map(({ kinds, name }) => [...kinds, name]),
      [
        ['DirectShow Softcam'],
        ['video', 'OBS Virtual Camera'],
        ['video', 'audio', 'Capture: Card'],
        ['audio', 'Microphone (2- USB Audio)'],
        ['audio', 'Microphone (2- USB Audio)'],
      ],
    );
    assert.match(parseDshow(NEW)[1]?.alternative ?? '', /^@device_sw_.*\{A3FCE0F5-.*\}$/);
    assert.deepEqual(parseDshow(BARE), [
      { kinds: ['video'], name: 'Integrated Camera' },
      { kinds: ['audio'], name: 'Internal Microphone (Conexant 2' },
    ]);
    assert.deepEqual(parseDshow(''), []);
  });

  it('are listed by what can be written for them', () => {
    assert.deepEqual(dshowDevices(parseDshow(NEW)).devices, [
      { kind: 'camera', id: 'OBS Virtual Camera', label: 'OBS Virtual Camera', isDefault: true },
      { kind: 'camera', id: String.raw`@device_pnp_\\?\pci#ven_1`, label: 'Capture: Card' },
      {
        kind: 'microphone',
        id: String.raw`@device_pnp_\\?\pci#ven_1`,
        label: 'Capture: Card',
        isDefault: true,
      },
      {
        kind: 'microphone',
        id: String.raw`@device_cm_{33D9A762}\wave_{1}`,
        label: 'Microphone (2- USB Audio)',
      },
      {
        kind: 'microphone',
        id: String.raw`@device_cm_{33D9A762}\wave_{2}`,
        label: 'Microphone (2- USB Audio)',
      },
    ]);
  });

  it('are found by either name, by number, or as the usual one', () => {
    const devices = parseDshow(NEW);
    assert.equal(dshowInput(devices, 'video', 'OBS Virtual Camera'), 'OBS Virtual Camera');
    assert.equal(dshowInput(devices, 'video', 'default'), 'OBS Virtual Camera');
    const card = String.raw`@device_pnp_\\?\pci#ven_1`;
    for (const spec of ['Capture: Card', '1', card])
      assert.equal(dshowInput(devices, 'video', spec), card);
    assert.equal(dshowInput(devices, 'audio', 'default'), card);
    // What runs only at times is not listed, but can be named.
    assert.equal(dshowInput(devices, 'video', 'DirectShow Softcam'), 'DirectShow Softcam');
    for (const spec of ['', '7', 'no such'])
      assert.equal(dshowInput(devices, 'video', spec), undefined);
  });

  it('come out clean and few, whatever ffmpeg says', () => {
    const line = fc.oneof(
      fc.constantFrom(...OLD.split('\n'), ...NEW.split('\n')),
      fc.string({ unit: 'binary-ascii', maxLength: 50 }).map((name) => `[x @ 0] "${name}" (video)`),
      fc.integer().map((number) => `[x @ 0] "\u001b[2J${number}" (audio)`),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 300 }), (lines) => {
        const { devices } = dshowDevices(parseDshow(lines.join('\n')));
        assert.ok(devices.length <= 2 * 64);
        for (const { id, label } of devices)
          for (const text of [id, label]) assert.ok(clean(text) === text && text.length <= 200);
      }),
    );
  });

  it('cannot be asked for without ffmpeg', async () => {
    const host = { ...thisHost(), platform: 'win32', ffmpeg: '/nowhere/ffmpeg' } as const;
    await assert.rejects(askDshow(host), {
      code: 'NO_DEVICE',
      message: 'ffmpeg is not installed: winget install ffmpeg',
    });
  });
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  avfoundationDevices,
  avfoundationIndex,
  avfoundationNames,
  parseAvfoundation,
} from '../../../lib/media/devices/avfoundation.ts';
import { thisHost } from '../../../lib/media/devices/host.ts';
import { clean } from '../../../lib/text.ts';

/** Of version 7.1. */
const NEW = `[AVFoundation indev @ 0x12af04e80] AVFoundation video devices:
[AVFoundation indev @ 0x12af04e80] [0] MacBook Pro Camera
[AVFoundation indev @ 0x12af04e80] [1] Jürgens iPhone Camera
[AVFoundation indev @ 0x12af04e80] [2] Capture screen 0
[AVFoundation indev @ 0x12af04e80] [3] Capture screen 1
[AVFoundation indev @ 0x12af04e80] AVFoundation audio devices:
[AVFoundation indev @ 0x12af04e80] [0] MacBook Pro Microphone
[AVFoundation indev @ 0x12af04e80] [1] Jürgens iPhone Microphone
[in#0 @ 0x12af04b70] Error opening input: Input/output error
Error opening input file .
`;

/** Of version 3.4, and of a Mac without a camera. */
const OLD = `ffmpeg version 3.4 Copyright (c) 2000-2017 the FFmpeg developers
[AVFoundation input device @ 0x7ff80b497440] AVFoundation video devices:
[AVFoundation input device @ 0x7ff80b497440] [0] CamTwist
[AVFoundation input device @ 0x7ff80b497440] [1] Built-in iSight
[AVFoundation input device @ 0x7ff80b497440] [2] CamTwist (2VUY)
[AVFoundation input device @ 0x7ff80b497440] [3] Capture screen 0
[AVFoundation input device @ 0x7ff80b497440] AVFoundation audio devices:
[AVFoundation input device @ 0x7ff80b497440] [0] Soundflower (64ch)
[AVFoundation input device @ 0x7ff80b497440] [1] Built-in Microphone
[AVFoundation input device @ 0x7ff80b497440] [2] Soundflower (2ch)
[AVFoundation input device @ 0x7ff80b497440] [3] Built-in Input
: Input/output error
`;
const NONE = `[AVFoundation indev @ 0x1] AVFoundation video devices:
[AVFoundation indev @ 0x1] [0] Capture screen 0
[AVFoundation indev @ 0x1] AVFoundation audio devices:
`;
const TWINS = `[AVFoundation indev @ 0x1] AVFoundation video devices:
[AVFoundation indev @ 0x1] [0] USB Camera
[AVFoundation indev @ 0x1] [1] USB Camera
[AVFoundation indev @ 0x1] AVFoundation audio devices:
[AVFoundation indev @ 0x1] [0] Front: Mic\u001b[31m
`;

describe('the devices of macOS', () => {
  it('are read from what ffmpeg says, of new and old versions', () => {
    assert.deepEqual(parseAvfoundation(NEW), {
      video: [
        'MacBook Pro Camera',
        'Jürgens iPhone Camera',
        'Capture screen 0',
        'Capture screen 1',
      ],
      audio: ['MacBook Pro Microphone', 'Jürgens iPhone Microphone'],
    });
    assert.equal(parseAvfoundation(OLD).video[2], 'CamTwist (2VUY)');
    assert.equal(parseAvfoundation(OLD).audio.length, 4);
    assert.deepEqual(parseAvfoundation(NONE), { video: ['Capture screen 0'], audio: [] });
    assert.deepEqual(parseAvfoundation(''), { video: [], audio: [] });
  });

  it('are listed by kind, the first of each as the usual one', () => {
    const { devices, problems } = avfoundationDevices(parseAvfoundation(NEW));
    assert.deepEqual(problems, []);
    assert.deepEqual(
      devices.map(({ kind, id, isDefault = false }) => [kind, id, isDefault]),
      [
        ['camera', 'MacBook Pro Camera', true],
        ['camera', 'Jürgens iPhone Camera', false],
        ['microphone', 'MacBook Pro Microphone', true],
        ['microphone', 'Jürgens iPhone Microphone', false],
        ['screen', 'Capture screen 0', true],
        ['screen', 'Capture screen 1', false],
      ],
    );
  });

  it('have their number for a name where names are alike, or cannot be written', () => {
    const { devices } = avfoundationDevices(parseAvfoundation(TWINS));
    assert.deepEqual(
      devices.map(({ id, label }) => [id, label]),
      [
        ['0', 'USB Camera'],
        ['1', 'USB Camera'],
        ['0', 'Front: Mic'],
      ],
    );
  });

  it('are found by name, number, or as the usual one, each among its own kind', () => {
    const { video } = parseAvfoundation(NEW);
    assert.equal(avfoundationIndex(video, 'Jürgens iPhone Camera'), 1);
    assert.equal(avfoundationIndex(video, '1'), 1);
    assert.equal(avfoundationIndex(video, 'default'), 0);
    assert.equal(avfoundationIndex(video, '2'), undefined, 'a screen is no camera');
    assert.equal(avfoundationIndex(video, '1', true), 3);
    assert.equal(avfoundationIndex(video, 'Capture screen 0', true), 2);
    assert.equal(avfoundationIndex(video, 'default', true), 2);
    assert.equal(avfoundationIndex(video, 'MacBook Pro Camera', true), undefined);
    for (const spec of ['', '9', '-1', 'MacBook'])
      assert.equal(avfoundationIndex(video, spec), undefined);
    assert.equal(avfoundationIndex([], 'default'), undefined);
  });

  it('come out clean and few, whatever ffmpeg says', () => {
    const line = fc.oneof(
      fc.constantFrom(...NEW.split('\n')),
      fc.string({ unit: 'binary-ascii', maxLength: 50 }).map((name) => `[x @ 0x1] [0] ${name}`),
      fc.integer({ min: 0, max: 99 }).map((index) => `[x @ 0x1] [${index}] \u001b[2Jname\u202e`),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 300 }), (lines) => {
        const { devices } = avfoundationDevices(parseAvfoundation(lines.join('\n')));
        assert.ok(devices.length <= 3 * 64);
        for (const { id, label } of devices)
          for (const text of [id, label]) assert.ok(clean(text) === text && text.length <= 200);
      }),
    );
  });

  it('cannot be asked for without ffmpeg', async () => {
    const host = { ...thisHost(), platform: 'darwin', ffmpeg: '/nowhere/ffmpeg' } as const;
    await assert.rejects(avfoundationNames(host), {
      code: 'NO_DEVICE',
      message: 'ffmpeg is not installed: brew install ffmpeg',
    });
  });
});

import assert from 'node:assert/strict';
import { noDevice } from '../../../lib/media/devices/refusals.ts';
import {
  nativeDevices,
  nativeName,
  nativeSound,
  waysToSound,
  type NativeSound,
} from '../../../lib/media/devices/native-sound.ts';

describe('the native part for sound', () => {
  it('is there on this system, and lists devices', () => {
    const { Microphone, Speaker } = nativeSound();
    assert.equal(typeof Microphone.open, 'function');
    assert.equal(typeof Speaker.open, 'function');
  });

  it('lists what can be used, clean', () => {
    const microphones = [
      {
        index: 0,
        name: 'Mikrofon',
        id: 'a',
        maxInputChannels: 2,
        defaultSampleRate: 48_000,
        isDefault: true,
      },
      {
        index: 1,
        name: 'Nothing',
        id: 'b',
        maxInputChannels: 0,
        defaultSampleRate: 0,
        isDefault: false,
      },
      {
        index: 2,
        name: 'a\u001b[31mb',
        id: 'c',
        maxInputChannels: 1,
        defaultSampleRate: 48_000,
        isDefault: false,
      },
    ];
    const speakers = [
      {
        index: 0,
        name: 'Lautsprecher',
        id: 'd',
        maxOutputChannels: 2,
        defaultSampleRate: 48_000,
        isDefault: false,
      },
    ];
    const native = (): NativeSound =>
      ({
        Microphone: { devices: () => microphones },
        Speaker: { devices: () => speakers },
      }) as unknown as NativeSound;
    assert.deepEqual(nativeDevices({ native }), {
      devices: [
        { kind: 'microphone', id: 'Mikrofon', label: 'Mikrofon', isDefault: true },
        { kind: 'speaker', id: 'Lautsprecher', label: 'Lautsprecher' },
      ],
      problems: [],
    });
  });

  it('lists nothing where it is missing', () => {
    const missing = (): NativeSound => {
      throw noDevice('missing');
    };
    assert.equal(nativeDevices({ native: missing }), undefined);
  });

  it('chooses by name, or leaves the choice to the system', () => {
    assert.deepEqual(nativeName('default'), {});
    assert.deepEqual(nativeName('USB'), { device: 'USB' });
  });

  it('comes after ffmpeg on Linux, and before it elsewhere, if it is there', () => {
    const there = nativeSound;
    const missing = (): NativeSound => {
      throw noDevice('missing');
    };
    const [program, native] = [async () => 'ffmpeg', async () => 'native'];
    for (const load of [there, missing])
      assert.deepEqual(waysToSound({ platform: 'linux', native: load }, [program], native), [
        program,
        native,
      ]);
    for (const platform of ['darwin', 'win32'] as const) {
      const ways = (load: () => NativeSound) =>
        waysToSound({ platform, native: load }, [program], native);
      assert.deepEqual(ways(there), [native, program]);
      assert.deepEqual(ways(missing), [program]);
    }
    assert.throws(() => waysToSound({ platform: 'win32', native: missing }, [], native), {
      code: 'NO_DEVICE',
    });
  });
});

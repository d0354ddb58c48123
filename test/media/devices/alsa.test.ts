import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { alsaDevices, isAlsaName, parseAlsa } from '../../../lib/media/devices/alsa.ts';
import { temporary } from '../../support/temporary.ts';

/** `/proc/asound/pcm` of a laptop with a USB microphone. */
const PCM = `00-00: ALC295 Analog : ALC295 Analog : playback 1 : capture 1
00-03: HDMI 0 : HDMI 0 : playback 1
01-00: USB Audio : USB Audio : capture 1
`;

describe('the devices of ALSA', () => {
  const { newDirectory } = temporary();
  const EXPECTED = [
    { kind: 'microphone', id: 'plughw:0,0', label: 'ALC295 Analog' },
    { kind: 'microphone', id: 'plughw:1,0', label: 'USB Audio' },
    { kind: 'speaker', id: 'plughw:0,0', label: 'ALC295 Analog' },
    { kind: 'speaker', id: 'plughw:0,3', label: 'HDMI 0' },
  ];

  it('are read from what the system tells', async () => {
    assert.deepEqual(parseAlsa(PCM), { devices: EXPECTED, problems: [] });
    const path = join(await newDirectory(), 'pcm');
    await writeFile(path, PCM);
    assert.deepEqual((await alsaDevices(path)).devices, EXPECTED);
  });

  it('are none where there is nothing, or nothing of that form', async () => {
    for (const text of [
      '',
      '\n',
      '00-00',
      '0-0: a : a : capture 1',
      ': : : capture',
      'x'.repeat(10_000),
    ])
      assert.deepEqual(parseAlsa(text).devices, []);
    assert.deepEqual((await alsaDevices('/nowhere/pcm')).devices, []);
  });

  it('have clean names', () => {
    const { devices } = parseAlsa('00-00: x : a\u001b[31mb\u202ec : capture 1\n');
    assert.deepEqual(devices, [{ kind: 'microphone', id: 'plughw:0,0', label: 'abc' }]);
  });

  it('are told by their names from those of a sound server', () => {
    for (const name of ['hw:0,0', 'plughw:1,0', 'sysdefault:CARD=PCH', 'front:CARD=PCH,DEV=0'])
      assert.equal(isAlsaName(name), true);
    for (const name of [
      'default',
      'alsa_input.pci-0000_00_1f.3.analog-stereo',
      'bluez_input.1',
      '',
    ])
      assert.equal(isAlsaName(name), false);
  });
});

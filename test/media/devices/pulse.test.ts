import assert from 'node:assert/strict';
import fc from 'fast-check';
import { thisHost } from '../../../lib/media/devices/host.ts';
import { parsePulse, parsePulseDefaults, pulseDevices } from '../../../lib/media/devices/pulse.ts';
import { clean } from '../../../lib/text.ts';
import { SoundServer } from '../../support/media-devices.ts';
import { temporary } from '../../support/temporary.ts';

/** Of PulseAudio 16 and of PipeWire, shortened where nothing is read. */
const SOURCES = `Source #0
\tState: SUSPENDED
\tName: alsa_output.pci-0000_00_1f.3.analog-stereo.monitor
\tDescription: Monitor of Built-in Audio Analog Stereo
\tDriver: module-alsa-card.c
\tSample Specification: s16le 2ch 48000Hz
\tMute: no
\tVolume: front-left: 65536 / 100% / 0.00 dB,   front-right: 65536 / 100% / 0.00 dB
\t        balance 0.00
\tMonitor of Sink: alsa_output.pci-0000_00_1f.3.analog-stereo
\tLatency: 0 usec, configured 0 usec
\tProperties:
\t\tdevice.description = "Monitor of Built-in Audio Analog Stereo"
\t\tName: no = "such"
\tFormats:
\t\tpcm

Source #65581
\tState: RUNNING
\tName: bluez_input.38:18:4C:AE:10:2F.0
\tDescription: Köpfhörer von Zoë
\tDriver: PipeWire
\tMonitor of Sink: n/a
\tProperties:
\t\tdevice.api = "bluez5"
`;
const SINKS = `Sink #56
\tState: SUSPENDED
\tName: alsa_output.pci-0000_00_1b.0.analog-stereo
\tDescription: Built-in Audio Analog Stereo
\tDriver: PipeWire
\tMonitor Source: alsa_output.pci-0000_00_1b.0.analog-stereo.monitor
`;
const INFO = `Server String: /run/user/1000/pulse/native
Server Name: PulseAudio (on PipeWire 1.0.5)
Default Sample Specification: float32le 2ch 48000Hz
Default Sink: alsa_output.pci-0000_00_1b.0.analog-stereo
Default Source: bluez_input.38:18:4C:AE:10:2F.0
Cookie: 1e52:9d30
`;

describe('the devices of PulseAudio and PipeWire', function () {
  this.timeout(60_000);
  const { newDirectory } = temporary();

  it('are read from what pactl prints', () => {
    assert.deepEqual(parsePulse(SOURCES), [
      {
        name: 'alsa_output.pci-0000_00_1f.3.analog-stereo.monitor',
        description: 'Monitor of Built-in Audio Analog Stereo',
        isMonitor: true,
      },
      {
        name: 'bluez_input.38:18:4C:AE:10:2F.0',
        description: 'Köpfhörer von Zoë',
        isMonitor: false,
      },
    ]);
    assert.deepEqual(
      parsePulse(SINKS).map(({ name, isMonitor }) => [name, isMonitor]),
      [['alsa_output.pci-0000_00_1b.0.analog-stereo', false]],
    );
    assert.deepEqual(parsePulseDefaults(INFO), {
      source: 'bluez_input.38:18:4C:AE:10:2F.0',
      sink: 'alsa_output.pci-0000_00_1b.0.analog-stereo',
    });
    assert.deepEqual(parsePulse(''), []);
    assert.deepEqual(parsePulseDefaults(''), {});
  });

  it('are read whatever is in it', () => {
    const line = fc.oneof(
      fc.constantFrom(...SOURCES.split('\n')),
      fc.string({ unit: 'binary-ascii', maxLength: 40 }).map((name) => `\tDescription: ${name}`),
      fc.integer().map((number) => `Sink #${number}`),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 100 }), (lines) => {
        for (const { name, description } of parsePulse(lines.join('\n')))
          assert.ok(typeof name === 'string' && typeof description === 'string');
      }),
    );
  });

  it('are those of a real server, without what only hears speakers', async () => {
    const server = await SoundServer.start(await newDirectory());
    try {
      const list = await pulseDevices(server.host);
      assert.deepEqual(list, {
        devices: [
          { kind: 'microphone', id: 'sine', label: 'Sine source at 1000 Hz', isDefault: true },
          { kind: 'speaker', id: 'hall', label: 'Großer_Saal', isDefault: true },
        ],
        problems: [],
      });
      await server.control('set-default-source', 'hall.monitor');
      const hostile = 'device.description="a\u001b[31mb\u202ec"';
      await server.control(
        'load-module',
        'module-null-sink',
        'sink_name=evil',
        `sink_properties=${hostile}`,
      );
      const { devices } = (await pulseDevices(server.host)) ?? { devices: [] };
      assert.equal(devices.find(({ id }) => id === 'sine')?.isDefault, undefined);
      const evil = devices.find(({ id }) => id === 'evil');
      assert.ok(evil !== undefined && clean(evil.label) === evil.label && evil.label.includes('c'));
    } finally {
      await server.stop();
    }
  });

  it('are unknown where there is no server, or no pactl', async () => {
    const host = thisHost();
    const elsewhere = { ...host.environment, PULSE_SERVER: 'unix:/nowhere/native' };
    assert.equal(await pulseDevices({ ...host, environment: elsewhere }), undefined);
    assert.equal(await pulseDevices({ ...host, environment: { PATH: '/nowhere' } }), undefined);
  });
});

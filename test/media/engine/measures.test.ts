import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { measure, type Measures } from '../../../lib/media/engine/measures.ts';

type Report = Readonly<Record<string, unknown>> & { readonly id: string; readonly type: string };

// What the library gave for a connection over which sound and a camera went both ways, a screen one way.
const REPORTS = JSON.parse(
  readFileSync(new URL('stats.json', import.meta.url), 'utf8'),
) as readonly Report[];

const measured = (reports: readonly Report[]): Measures =>
  measure(new Map(reports.map((report) => [report.id, report])));
/** With other values in the reports of a type. */
const changed = (type: string, change: (report: Report) => Readonly<Record<string, unknown>>) =>
  REPORTS.map((report) => (report.type === type ? { ...report, ...change(report) } : report));

const NOTHING = { bytes: 0, packets: 0, lost: 0, jitter: 0, framesDecoded: 0 };

describe('how a connection goes', () => {
  it('is what the library has counted', () => {
    assert.deepEqual(measured(REPORTS), {
      path: 'direct',
      roundTrip: 0,
      available: 1_600_000,
      fractionLost: 0,
      sent: 470_155,
      received: 207_529,
      out: {
        sound: { bytes: 60_659 + 16_800, frames: 0 },
        camera: { bytes: 198_809 + 8_396, frames: 177 },
        screen: { bytes: 153_440 + 7_680, frames: 117 },
      },
      in: {
        sound: { ...NOTHING, bytes: 50_453 + 13_972, packets: 499 },
        camera: {
          bytes: 107_652 + 3_608,
          packets: 120,
          lost: 0,
          jitter: 0.001,
          framesDecoded: 118,
        },
        screen: NOTHING,
      },
    });
  });

  it('is nothing before there is anything', () => {
    const nothing = measured([]);
    assert.deepEqual(
      [nothing.path, nothing.roundTrip, nothing.available],
      Array(3).fill(undefined),
    );
    assert.deepEqual([nothing.sent, nothing.received, nothing.fractionLost], [0, 0, 0]);
    assert.deepEqual(nothing.out.camera, { bytes: 0, frames: 0 });
    assert.deepEqual(nothing.in, { sound: NOTHING, camera: NOTHING, screen: NOTHING });
  });

  it('is not told before a way was found', () => {
    const connecting = changed('transport', () => ({ selectedCandidatePairId: undefined }));
    assert.equal(measured(connecting).path, undefined);
    assert.equal(measured(connecting).roundTrip, undefined);
  });

  for (const end of ['local-candidate', 'remote-candidate'])
    it(`shows that it is relayed by the ${end}`, () => {
      assert.equal(measured(changed(end, () => ({ candidateType: 'relay' }))).path, 'relayed');
      for (const candidateType of ['srflx', 'prflx'])
        assert.equal(measured(changed(end, () => ({ candidateType }))).path, 'direct');
    });

  it('shows the round trip of the way that is used', () => {
    const pairs = changed('candidate-pair', ({ nominated }) => ({
      currentRoundTripTime: nominated === true ? 0.07 : 0.5,
    }));
    assert.equal(measured(pairs).roundTrip, 0.07);
  });

  it('has the worst of what was lost of what was sent', () => {
    let lost = 0;
    const losses = changed('remote-inbound-rtp', () => ({ fractionLost: (lost += 0.25) }));
    assert.equal(measured(losses).fractionLost, 0.75);
  });

  it('has no fewer than no packets lost, where some came twice', () => {
    const twice = changed('inbound-rtp', () => ({ packetsLost: -3 }));
    assert.equal(measured(twice).in.camera.lost, 0);
    const lost = changed('inbound-rtp', () => ({ packetsLost: 3 }));
    assert.equal(measured(lost).in.camera.lost, 3);
  });

  it('leaves out what is neither sound, camera nor screen, and what is no number', () => {
    const strange = [
      ...changed('inbound-rtp', () => ({ bytesReceived: '5', framesDecoded: null })),
      { id: 'x', type: 'inbound-rtp', mid: '3', bytesReceived: 5 },
      { id: 'y', type: 'inbound-rtp', mid: 'toString', bytesReceived: 5 },
      { id: 'z', type: 'outbound-rtp', bytesSent: 5 },
    ];
    const { out, in: into } = measured(strange);
    assert.deepEqual(out, measured(REPORTS).out);
    assert.deepEqual([into.camera.bytes, into.camera.framesDecoded], [3_608, 0]);
    assert.deepEqual(Object.keys(into), ['sound', 'camera', 'screen']);
  });
});

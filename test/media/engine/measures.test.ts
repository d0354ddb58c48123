import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Loss, measure, type Measures } from '../../../lib/media/engine/measures.ts';

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
      lost: 0,
      sent: 470_155,
      received: 207_529,
      out: {
        sound: { bytes: 60_659 + 16_800, packets: 600, frames: 0 },
        camera: { bytes: 198_809 + 8_396, packets: 248, frames: 177 },
        screen: { bytes: 153_440 + 7_680, packets: 223, frames: 117 },
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
    assert.deepEqual([nothing.sent, nothing.received, nothing.lost], [0, 0, 0]);
    assert.deepEqual(nothing.out.camera, { bytes: 0, packets: 0, frames: 0 });
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

  it('has all that was lost of what was sent', () => {
    let lost = -2;
    const losses = changed('remote-inbound-rtp', () => ({ packetsLost: (lost += 3) }));
    assert.equal(measured(losses).lost, 1 + 4 + 7);
    assert.equal(measured(changed('remote-inbound-rtp', () => ({ packetsLost: -3 }))).lost, 0);
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

describe('what is lost of what is sent', () => {
  /** After so many measures, with what was lost at each of them of a hundred packets. */
  const after = (...losses: readonly number[]): number => {
    const loss = new Loss();
    let [packets, lost, fraction] = [0, 0, 0];
    for (const more of losses) {
      const some = { bytes: 0, packets: (packets += 25), frames: 0 };
      const out = { sound: { ...some, packets: 2 * packets }, camera: some, screen: some };
      fraction = loss.note({ out, lost: (lost += more) });
    }
    return fraction;
  };

  it('is nothing at first, and what has been lost since', () => {
    assert.deepEqual([after(), after(0), after(9)], [0, 0, 0]);
    assert.equal(after(0, 10), 0.1);
    assert.equal(after(0, 0, 0, 30, 30, 30, 30, 30, 30), 0.3);
  });

  it('is not what chance takes for a moment, and is forgotten again', () => {
    assert.equal(after(5, 2, 16, 4, 2), 0.06);
    assert.equal(after(30, 30, 30, 0, 0, 0, 0, 0, 0), 0);
  });

  it('is all of it at most, and nothing where less was lost than before', () => {
    assert.equal(after(0, 500), 1);
    assert.equal(after(9, -5), 0);
    assert.equal(new Loss().note({ out: measured([]).out, lost: 5 }), 0);
  });
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { EpochLedger } from '../../lib/nat/epoch.ts';

const HOUR = 3_600;
const mapped = (externalPort = 5_000, internalPort = 4_000) =>
  ({ transport: 'tcp', internalPort, externalPort, lifetime: HOUR }) as const;

describe("what a gateway's clock shows", () => {
  /** Seconds here. */
  let here = 0;
  const ledger = (): EpochLedger => {
    here = 0;
    return new EpochLedger({ now: () => 0, monotonic: () => here * 1_000 });
  };
  /** Whether a mapping survives that so much passes here and there. */
  const survives = (passedHere: number, passedThere: number): boolean => {
    const own = ledger();
    own.note(100_000);
    own.add(mapped());
    here = passedHere;
    own.note(100_000 + passedThere);
    return own.has(mapped());
  };

  it('runs on as time does here, give or take', () => {
    for (const seconds of [0, 1, 30, HOUR, 100 * HOUR]) {
      assert(survives(seconds, seconds));
      assert(survives(seconds, seconds + 2));
      assert(survives(seconds + 2, seconds));
      assert(survives(seconds, Math.floor(seconds * 0.95)));
    }
    // What two answers that overtake each other show.
    assert(survives(0, -1));
    fc.assert(
      fc.property(fc.nat(1e6), fc.integer({ min: -1, max: 1 }), (seconds, off) => {
        assert(survives(seconds, seconds + off));
      }),
    );
  });

  it('shows a restart where it does not', () => {
    assert(!survives(1, -2));
    assert(!survives(30, -99_990));
    assert(!survives(HOUR, 10));
    assert(!survives(10, HOUR));
    assert(!survives(30, 0));
  });

  it('is compared with what it last was', () => {
    const own = ledger();
    own.note(50_000);
    own.note(0);
    own.add(mapped());
    here = 60;
    own.note(60);
    assert(own.has(mapped()));
  });

  it('says nothing the first time', () => {
    const own = ledger();
    own.add(mapped());
    own.note(3);
    assert(own.has(mapped()));
  });

  it('has one port of the gateway for each of ours', () => {
    const own = ledger();
    assert.equal(own.one, undefined);
    own.add(mapped(5_000));
    own.add(mapped(5_001));
    assert(!own.has(mapped(5_000)));
    assert(own.has(mapped(5_001)));
    assert(!own.has({ ...mapped(5_001), transport: 'udp' }));
    assert(!own.has(mapped(5_001, 4_001)));
    assert.deepEqual(own.one, mapped(5_001));
    own.remove(mapped(9));
    assert.equal(own.one, undefined);
  });
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Adaptation, type Sample } from '../../../lib/media/engine/adaptation.ts';

const GOOD: Sample = {
  given: 15,
  encoded: 15,
  fractionLost: 0,
  limit: 1_000_000,
  available: 1_000_000,
  lag: 0,
};
const BAD: Sample = { ...GOOD, encoded: 5 };
const WANTED = { width: 640, height: 480, fps: 30 };
const LAST_STEP = 6;

const repeated = (sample: Sample, times: number): Sample[] => Array<Sample>(times).fill(sample);
const after = (...samples: readonly Sample[]): Adaptation => {
  const adaptation = new Adaptation();
  for (const sample of samples) adaptation.note(sample);
  return adaptation;
};

describe('what is sent of what is wanted', () => {
  it('is all of it at first, and as long as it goes well', () => {
    assert.deepEqual(after().apply(WANTED), WANTED);
    assert.deepEqual(after(...repeated(GOOD, 100)).apply(WANTED), WANTED);
  });

  for (const [what, bad] of [
    ['the encoder does not keep up', { encoded: 12 }],
    ['more than a tenth is lost', { fractionLost: 0.11 }],
    ['the network carries less than may be sent', { available: 390_000 }],
    ['this process is late with its work', { lag: 121 }],
  ] as const)
    it(`gets less where ${what}, though not for once`, () => {
      const sample = { ...GOOD, ...bad };
      assert.equal(after(sample).step, 0);
      assert.equal(after(sample, GOOD, sample).step, 0);
      assert.equal(after(sample, sample).step, 1);
    });

  for (const [what, good] of [
    ['almost all comes out of the encoder', { encoded: 13 }],
    ['a tenth is lost', { fractionLost: 0.1 }],
    ['the network carries most of what may be sent', { available: 400_000 }],
    ['it is not known yet what it carries', { available: undefined }],
    ['this process is a little late', { lag: 120 }],
    ['hardly anything is given', { given: 1, encoded: 0, fractionLost: 1, lag: 9_999 }],
  ] as const)
    it(`stays as it is where ${what}`, () => {
      assert.equal(after(...repeated({ ...GOOD, ...good }, 10)).step, 0);
    });

  it('gets no less than the network carries, though that is little', () => {
    const settled = [390_000, 300_000, 200_000, 150_000].map((available) =>
      Math.max(...[20, 21, 22, 23].map((n) => after(...repeated({ ...GOOD, available }, n)).step)),
    );
    assert.deepEqual(settled, [1, 2, 3, 4]);
  });

  it('gets less step by step, down to pictures that can still be made out', () => {
    const sizes = Array.from({ length: LAST_STEP + 3 }, (_, steps) =>
      after(...repeated(BAD, 2 * steps)).apply(WANTED),
    ).map(({ width, height, fps }) => `${width}x${height}@${fps}`);
    assert.deepEqual(sizes, [
      '640x480@30',
      '640x480@24',
      '640x480@21',
      '512x384@20',
      '416x312@15',
      '320x240@12',
      '320x240@10',
      '320x240@10',
      '320x240@10',
    ]);
  });

  it('keeps a picture a second at least', () => {
    assert.equal(after(...repeated(BAD, 20)).apply({ ...WANTED, fps: 1 }).fps, 1);
  });

  it('becomes more again when it goes well for a while', () => {
    const down = repeated(BAD, 4);
    assert.equal(after(...down).step, 2);
    assert.equal(after(...down, ...repeated(GOOD, 3)).step, 2);
    assert.equal(after(...down, ...repeated(GOOD, 4)).step, 1);
    assert.equal(after(...down, ...repeated(GOOD, 8)).step, 0);
  });

  /** Samples until it steps up. */
  const patience = (adaptation: Adaptation): number => {
    const { step } = adaptation;
    for (let samples = 1; ; samples++) {
      adaptation.note(GOOD);
      if (adaptation.step < step) return samples;
      assert(samples < 1_000, 'it never becomes more');
    }
  };

  it('is tried less often, the more often that went wrong', () => {
    const adaptation = after(BAD, BAD);
    const waits: number[] = [];
    for (let tries = 0; tries < 5; tries++) {
      waits.push(patience(adaptation));
      adaptation.note(BAD);
      adaptation.note(BAD);
    }
    assert.deepEqual(waits, [4, 8, 16, 30, 30]);
  });

  it('is tried as often as at first once it went right', () => {
    const adaptation = after(...repeated(BAD, 6));
    const failing = patience(adaptation);
    adaptation.note(BAD);
    adaptation.note(BAD);
    assert.deepEqual([failing, patience(adaptation), patience(adaptation)], [4, 8, 8]);
    assert.equal(adaptation.step, 1);
    for (const sample of repeated(GOOD, 100)) adaptation.note(sample);
    adaptation.note(BAD);
    adaptation.note(BAD);
    assert.equal(patience(adaptation), 4);
  });

  it('never gets larger by what is bad, nor smaller by what is good', () => {
    const sample = fc.record({
      given: fc.nat(60),
      encoded: fc.nat(60),
      fractionLost: fc.double({ min: 0, max: 1, noNaN: true }),
      limit: fc.nat(3_000_000),
      available: fc.option(fc.nat(3_000_000), { nil: undefined }),
      lag: fc.nat(500),
    });
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 100 }), (samples) => {
        const adaptation = new Adaptation();
        for (const one of samples) {
          const before = adaptation.step;
          adaptation.note(one);
          const { step } = adaptation;
          assert(step >= 0 && step <= LAST_STEP && Math.abs(step - before) <= 1);
          const { width, height, fps } = adaptation.apply(WANTED);
          assert(width <= WANTED.width && height <= WANTED.height && fps <= WANTED.fps && fps >= 1);
        }
        for (const one of repeated(GOOD, LAST_STEP * 31)) adaptation.note(one);
        assert.equal(adaptation.step, 0);
      }),
    );
  });
});

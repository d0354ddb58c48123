import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Sound } from '../../../lib/media/frames.ts';
import { LevelMeter } from '../../../lib/media/audio/level.ts';
import { amplitudeOf, lasting, noise, silence, tone } from './sounds.ts';

/** When it is talking: one for each sound. */
function talkingDuring(meter: LevelMeter, sounds: readonly (Sound | undefined)[]): boolean[] {
  return sounds.map((sound) => {
    meter.hear(sound);
    return meter.isTalking;
  });
}

describe('a level meter', () => {
  let meter: LevelMeter;
  beforeEach(() => (meter = new LevelMeter()));

  it('begins with nothing', () => {
    assert.deepEqual([meter.decibels, meter.share, meter.isTalking], [-100, 0, false]);
  });

  it('shows how loud a tone is', () => {
    for (const sound of lasting(500, tone(440, amplitudeOf(-12)))) meter.hear(sound);
    assert.ok(Math.abs(meter.decibels - -15) < 0.5, `${meter.decibels}`);
    assert.ok(Math.abs(meter.share - 0.75) < 0.02, `${meter.share}`);
  });

  it('rises within 50 ms and falls slowly', () => {
    for (const sound of lasting(50, tone(440, amplitudeOf(-12)))) meter.hear(sound);
    assert.ok(meter.decibels > -18, `${meter.decibels}`);
    const before = meter.decibels;
    for (const sound of lasting(100, silence)) meter.hear(sound);
    assert.ok(meter.decibels < before && meter.decibels > before - 8, `${meter.decibels}`);
    for (const sound of lasting(2_000, silence)) meter.hear(sound);
    assert.equal(meter.share, 0);
  });

  it('falls as well when nothing comes at all', () => {
    for (const sound of lasting(500, tone(440))) meter.hear(sound);
    for (let n = 0; n < 250; n++) meter.hear(undefined);
    assert.deepEqual([meter.share, meter.isTalking], [0, false]);
  });

  it('is within its bounds, whatever it hears', () => {
    fc.assert(
      fc.property(
        fc.array(fc.option(fc.int16Array({ minLength: 480, maxLength: 480 }), { nil: undefined })),
        (sounds) => {
          const meter = new LevelMeter();
          for (const sound of sounds) {
            meter.hear(sound);
            assert.ok(meter.decibels >= -100 && meter.decibels <= 0.001);
            assert.ok(meter.share >= 0 && meter.share <= 1);
          }
        },
      ),
    );
  });
});

describe('who is talking', () => {
  it('is known soon, and for 400 ms after the last word', () => {
    const meter = new LevelMeter();
    talkingDuring(meter, lasting(1_000, silence));
    const during = talkingDuring(meter, lasting(500, tone(300, amplitudeOf(-20))));
    assert.ok(during.indexOf(true) >= 2 && during.indexOf(true) <= 4);
    assert.ok(during.slice(5).every((isTalking) => isTalking));
    const after = talkingDuring(meter, lasting(1_000, silence));
    assert.ok(Math.abs(after.indexOf(false) - 40) <= 2, `${after.indexOf(false)}`);
    assert.ok(after.slice(45).every((isTalking) => !isTalking));
  });

  it('goes on talking in the pauses between words', () => {
    const meter = new LevelMeter();
    const next = tone(200, amplitudeOf(-25));
    const words = Array.from({ length: 10 }, () => [
      ...lasting(250, next),
      ...lasting(200, noise(amplitudeOf(-60))),
    ]).flat();
    assert.ok(
      talkingDuring(meter, words)
        .slice(5)
        .every((isTalking) => isTalking),
    );
  });

  it('is whoever makes a steady tone, however long', () => {
    for (const [frequency, level] of [
      [440, -12],
      [80, -20],
      [3_000, -28],
    ] as const) {
      const meter = new LevelMeter();
      const during = talkingDuring(meter, lasting(60_000, tone(frequency, amplitudeOf(level))));
      assert.ok(
        during.slice(10).every((isTalking) => isTalking),
        `${frequency} Hz`,
      );
    }
  });

  it('is not who has a humming machine beside them, after a while', () => {
    for (const next of [tone(100, amplitudeOf(-44)), noise(amplitudeOf(-42))]) {
      const meter = new LevelMeter();
      const during = talkingDuring(meter, lasting(20_000, next));
      assert.ok(during.slice(1_000).every((isTalking) => !isTalking));
      // They are heard above it all the same.
      const loud = talkingDuring(meter, lasting(500, tone(250, amplitudeOf(-22))));
      assert.ok(loud.slice(6).every((isTalking) => isTalking));
    }
  });

  it('is not who has only clicked', () => {
    const meter = new LevelMeter();
    const clicks = Array.from({ length: 20 }, () => [
      noise(20_000)(),
      ...lasting(100, silence),
    ]).flat();
    assert.ok(talkingDuring(meter, clicks).every((isTalking) => !isTalking));
  });

  it('changes four times a second at most, and does not flutter at the edge', () => {
    const loud = lasting(40, tone(400, amplitudeOf(-20)));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(40), fc.nat(60)), { maxLength: 40 }), (times) => {
        const meter = new LevelMeter();
        const sounds = times.flatMap(([on, off]) => [
          ...Array.from({ length: on }, (_, n) => loud[n % 4]),
          ...Array.from({ length: off }, () => undefined),
        ]);
        const during = talkingDuring(meter, sounds);
        const changes = during.flatMap((now, n) => (now === (during[n - 1] ?? false) ? [] : [n]));
        for (const [n, at] of changes.entries())
          assert.ok((changes[n + 4] ?? Infinity) - at >= 100, `${changes.join(' ')}`);
      }),
    );
    // As short as can be, and as soon again.
    const flutter = new LevelMeter();
    const short = [...loud.slice(0, 3), ...Array.from({ length: 41 }, () => undefined)];
    const fluttering = talkingDuring(flutter, Array.from({ length: 20 }, () => short).flat());
    const turns = fluttering.flatMap((now, n) => (now === (fluttering[n - 1] ?? false) ? [] : [n]));
    assert.ok(turns.length > 10);
    for (const [n, at] of turns.entries())
      assert.ok((turns[n + 4] ?? Infinity) - at >= 100, `${turns.join(' ')}`);
    // Just about loud enough, and hardly steady.
    const meter = new LevelMeter();
    const edge = noise(1);
    const around = lasting(5_000, () => tone(500, amplitudeOf(-47.5 + edge(1)[0]! * 0.8))());
    const during = talkingDuring(meter, around).slice(0, 80);
    const changes = during.filter((now, n) => now !== (during[n - 1] ?? false)).length;
    assert.ok(changes <= 2, `${changes} changes`);
  });
});

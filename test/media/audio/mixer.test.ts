import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Sound } from '../../../lib/media/frames.ts';
import { Mixer, MOST_PERSONS } from '../../../lib/media/audio/mixer.ts';
import {
  amplitudeOf,
  assertTone,
  joined,
  largestStep,
  lasting,
  meterOf,
  noise,
  peakOf,
  silence,
  tone,
} from './sounds.ts';

/** Somebody who says something all the time. */
interface Speaker {
  readonly name: string;
  readonly next: (count?: number) => Int16Array;
  readonly rate?: number;
  readonly channels?: number;
}

function put(mixer: Mixer, { name, next, rate = 48_000, channels = 1 }: Speaker): boolean {
  const samples = next(rate / 100);
  const both =
    channels === 1
      ? samples
      : Int16Array.from({ length: 2 * samples.length }, (_, n) => samples[n >> 1]!);
  return mixer.put(name, { samples: both, sampleRate: rate, channelCount: channels });
}

/** What is heard for so many milliseconds while they speak. */
function mixed(mixer: Mixer, milliseconds: number, ...speakers: Speaker[]): Sound[] {
  return lasting(milliseconds, () => {
    for (const speaker of speakers) put(mixer, speaker);
    return mixer.take();
  });
}

describe('a mixer', () => {
  let mixer: Mixer;
  beforeEach(() => (mixer = new Mixer()));

  it('is silent while nobody says anything', () => {
    assert.deepEqual(mixer.take(), silence());
    const sounds = mixed(mixer, 500, { name: 'alice', next: () => silence() });
    assert.equal(peakOf(joined(sounds)), 0);
    assert.deepEqual(mixer.stateOf('alice'), { waiting: 0, repeated: 0, dropped: 0 });
  });

  it('gives one who talks alone as they are', () => {
    const next = noise(20_000);
    const given: Sound[] = [];
    const sounds = mixed(mixer, 1_000, {
      name: 'alice',
      next: (count) => {
        const samples = next(count);
        given.push(samples);
        return samples;
      },
    });
    assert.deepEqual(joined(sounds.slice(2)), joined(given.slice(1, 99)));
  });

  it('adds up who talk together', () => {
    const sounds = mixed(
      mixer,
      400,
      { name: 'alice', next: tone(440) },
      { name: 'bob', next: tone(1_000) },
    );
    const meter = meterOf(sounds.slice(-20));
    for (const frequency of [440, 1_000])
      assert.ok(Math.abs(meter.share(frequency) - 0.5) < 0.02, `${meter.share(frequency)}`);
  });

  it('takes them at whatever rate, in one channel or two', () => {
    const speakers = [
      { name: 'a', next: tone(300, 3_000, 8_000), rate: 8_000 },
      { name: 'b', next: tone(500, 3_000, 16_000), rate: 16_000, channels: 2 },
      { name: 'c', next: tone(900, 3_000, 44_100), rate: 44_100 },
      { name: 'd', next: tone(2_000, 3_000), channels: 2 },
    ];
    const meter = meterOf(mixed(mixer, 600, ...speakers).slice(-20));
    for (const frequency of [300, 500, 900, 2_000])
      assert.ok(Math.abs(meter.share(frequency) - 0.25) < 0.02, `${frequency} Hz`);
  });

  it('follows one whose rate changes, as the first sounds of a connection do', () => {
    mixed(mixer, 40, { name: 'alice', next: tone(440, 8_000, 16_000), rate: 16_000 });
    const sounds = mixed(mixer, 500, { name: 'alice', next: tone(440) });
    assertTone(meterOf(sounds.slice(-20)).frequency(), 440);
  });

  it('has everybody as loud as they are set, from nothing to twice', () => {
    const next = noise(5_000, 4);
    const expected: readonly (readonly [number, number])[] = [
      [100, 1],
      [50, 0.5],
      [200, 2],
      [0, 0],
      [-10, 0],
      [1_000, 2],
      [NaN, 0],
    ];
    for (const [percent, factor] of expected) {
      mixer.setVolume('alice', percent);
      const given: Sound[] = [];
      const sounds = mixed(mixer, 300, {
        name: 'alice',
        next: (count) => {
          const samples = next(count);
          given.push(samples);
          return samples;
        },
      });
      const [heard, said] = [joined(sounds.slice(-10)), joined(given.slice(-11, -1))];
      heard.forEach((sample, n) =>
        assert.ok(Math.abs(sample - said[n]! * factor) <= 1, `${percent} %: ${sample}`),
      );
    }
  });

  it('has silence of who is muted, and their volume when they are not any more', () => {
    const alice = { name: 'alice', next: tone(440, 4_000) };
    const bob = { name: 'bob', next: tone(1_000, 4_000) };
    mixer.setVolume('alice', 150);
    mixer.setMuted('alice', true);
    const meter = meterOf(mixed(mixer, 400, alice, bob).slice(-20));
    assert.ok(meter.share(440) < 1e-4 && meter.share(1_000) > 0.99);
    mixer.setMuted('bob', true);
    assert.equal(peakOf(joined(mixed(mixer, 400, alice, bob).slice(1))), 0);
    mixer.setMuted('alice', false);
    const sounds = mixed(mixer, 400, alice, bob).slice(-20);
    assertTone(meterOf(sounds).frequency(), 440);
    assert.ok(Math.abs(peakOf(joined(sounds)) - 6_000) < 20);
  });

  it('lets nothing be heard of who was muted while they said nothing', () => {
    const alice = { name: 'alice', next: tone(440) };
    mixed(mixer, 200, alice);
    mixed(mixer, 500);
    mixer.setMuted('alice', true);
    assert.equal(peakOf(joined([mixer.take(), ...mixed(mixer, 200, alice)])), 0);
  });

  it('changes volumes without a click', () => {
    const alice = { name: 'alice', next: tone(230, 10_000) };
    mixed(mixer, 100, alice);
    const sounds = [100, 0, 200, 30, 100].flatMap((percent, n) => {
      mixer.setVolume('alice', percent);
      mixer.setMuted('alice', n === 3);
      return mixed(mixer, 50, alice);
    });
    assert.ok(largestStep(joined(sounds)) < 2.2 * largestStep(tone(230, 10_000)(480)));
  });

  it('makes all quieter rather than cut off what is too loud', () => {
    const speakers = Array.from({ length: 8 }, (_, n) => ({
      name: `${n}`,
      next: tone(300 + 170 * n, amplitudeOf(0)),
    }));
    for (const { name } of speakers) mixer.setVolume(name, 200);
    const sounds = mixed(mixer, 3_000, ...speakers).slice(-20);
    const meter = meterOf(sounds);
    for (let n = 0; n < 8; n++)
      assert.ok(meter.share(300 + 170 * n) > 0.08, `${n}: ${meter.share(300 + 170 * n)}`);
    // Of what is cut off, there is something at other frequencies.
    const sum = speakers.reduce((all, _, n) => all + meter.share(300 + 170 * n), 0);
    assert.ok(sum > 0.97, `${sum}`);
    assert.ok(peakOf(joined(sounds)) > 20_000);
  });

  it('is as loud as before again when it is not too loud any more', () => {
    const [alice, loud] = [
      { name: 'alice', next: tone(440, 5_000) },
      { name: 'bob', next: tone(700, 32_000) },
    ];
    mixer.setVolume('bob', 200);
    mixed(mixer, 500, alice, loud);
    const after = mixed(mixer, 4_000, alice).slice(-20);
    assert.ok(Math.abs(peakOf(joined(after)) - 5_000) < 10);
  });

  it('never clips, whatever comes at whatever volume', () => {
    const extremes = [
      () => new Int16Array(480).fill(32_767),
      () => new Int16Array(480).fill(-32_768),
      () => new Int16Array(480).map((_, n) => (n % 20 < 10 ? 32_767 : -32_768)),
      noise(32_767),
      () => silence(),
    ];
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(4), fc.nat(200), fc.nat(3)), { minLength: 1, maxLength: 10 }),
        (persons) => {
          const mixer = new Mixer();
          const kinds = persons.map(([kind]) => extremes[kind]!);
          for (const [n, [, volume]] of persons.entries()) mixer.setVolume(`${n}`, volume);
          for (let round = 0; round < 30; round++) {
            for (const [n, [, , every]] of persons.entries())
              if (round % (every + 1) === 0)
                mixer.put(`${n}`, { samples: kinds[n]!(), sampleRate: 48_000, channelCount: 1 });
            const sound = mixer.take();
            // The sum of what has one sign never turns over into the other.
            if (persons.every(([kind]) => kind === 0 || kind === 4))
              assert.ok(sound.every((sample) => sample >= 0));
            if (persons.every(([kind]) => kind === 1 || kind === 4))
              assert.ok(sound.every((sample) => sample <= 0));
            assert.ok(peakOf(sound) <= 32_767);
          }
        },
      ),
    );
  });

  it('does not clip at the first loud sample after a quiet one', () => {
    for (const persons of [1, 8]) {
      const mixer = new Mixer();
      const speakers = Array.from({ length: persons }, (_, n) => `${n}`);
      for (const name of speakers) mixer.setVolume(name, 200);
      for (let round = 0; round < 40; round++) {
        const samples = new Int16Array(480).fill(round % 20 < 10 ? 100 : 32_767);
        for (const name of speakers)
          mixer.put(name, { samples, sampleRate: 48_000, channelCount: 1 });
        assert.ok(mixer.take().every((sample) => sample >= 0));
      }
    }
  });

  it('refuses what is no sound', () => {
    const samples = new Int16Array(480).fill(9_000);
    for (const bad of [
      { samples, sampleRate: 47_000, channelCount: 1 },
      { samples, sampleRate: 48_000, channelCount: 7 },
      { samples: new Int16Array(0), sampleRate: 48_000, channelCount: 1 },
      { samples: new Int16Array(333), sampleRate: 48_000, channelCount: 2 },
      { samples: new Int16Array(100_000), sampleRate: 48_000, channelCount: 1 },
    ])
      assert.equal(mixer.put('alice', bad), false);
    assert.equal(mixer.stateOf('alice'), undefined);
    assert.equal(peakOf(mixer.take()), 0);
  });

  it('holds so many and no more', () => {
    for (let n = 0; n < MOST_PERSONS; n++)
      assert.ok(put(mixer, { name: `${n}`, next: tone(440) }), `${n}`);
    assert.equal(put(mixer, { name: 'one more', next: tone(440) }), false);
    mixer.setVolume('another', 10);
    assert.equal(mixer.stateOf('another'), undefined);
    mixer.remove('0');
    assert.ok(put(mixer, { name: 'one more', next: tone(440) }));
  });

  it('forgets who is gone, and what was set for them', () => {
    const alice = { name: 'alice', next: tone(440) };
    mixer.setVolume('alice', 10);
    mixed(mixer, 200, alice);
    mixer.remove('alice');
    assert.equal(peakOf(mixer.take()), 0);
    assert.equal(mixer.stateOf('alice'), undefined);
    assert.ok(peakOf(joined(mixed(mixer, 200, alice))) > 7_000);
  });

  it('gives a sound of its own each time', () => {
    const alice = { name: 'alice', next: tone(440) };
    const [first, second] = mixed(mixer, 50, alice).slice(-2);
    assert.notEqual(first, second);
    assert.notDeepEqual(first, second);
  });
});

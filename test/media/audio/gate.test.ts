import assert from 'node:assert/strict';
import fc from 'fast-check';
import { hasCode } from '../../../lib/errors.ts';
import type { Sound } from '../../../lib/media/frames.ts';
import { MicrophoneGate } from '../../../lib/media/audio/gate.ts';
import { amplitudeOf, joined, largestStep, lasting, noise, silence, tone } from './sounds.ts';

const voice = (): ((count?: number) => Sound) => tone(300, amplitudeOf(-20));
const room = (): (() => Sound) => noise(amplitudeOf(-55));

/** How many sounds are sent for each that is taken. */
function counts(gate: MicrophoneGate, sounds: readonly Sound[]): number[] {
  return sounds.map((sound) => gate.take(sound).length);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

for (const mode of ['open', 'activity', 'push'] as const)
  describe(`a microphone's gate (${mode})`, () => {
    let gate: MicrophoneGate;
    beforeEach(() => {
      gate = new MicrophoneGate({ mode });
      gate.isHeld = true;
    });

    it('sends what is said, as it is', () => {
      const said = lasting(1_000, voice());
      const sent = said.flatMap((sound) => gate.take(sound));
      assert.equal(sent.length, 100);
      assert.deepEqual(sent.slice(1), said.slice(1));
      assert.ok(gate.isOpen);
    });

    it('sends no silence: none from the beginning, and none for long', () => {
      assert.equal(sum(counts(gate, lasting(5_000, silence))), 0);
      counts(gate, lasting(1_000, voice()));
      const after = counts(gate, lasting(60_000, noise(amplitudeOf(-70))));
      assert.ok(sum(after) <= 51, `${sum(after)} sounds`);
      assert.equal(sum(after.slice(51)), 0);
      assert.equal(gate.isOpen, false);
    });

    it('sends at once when it is not silent any more', () => {
      counts(gate, [...lasting(1_000, voice()), ...lasting(2_000, silence)]);
      const after = counts(gate, lasting(100, voice()));
      assert.ok(after.every((count) => count >= 1));
    });

    it('begins and ends with nothing, so that it does not click', () => {
      const steady = voice();
      // What begins does so anywhere but at zero; where it ends, there is an offset.
      steady(37);
      const ending = lasting(10_000, noise(amplitudeOf(-70))).map((sound) =>
        sound.map((sample) => sample + 1_000),
      );
      const said = [...lasting(300, steady), ...ending];
      const sent = said.flatMap((sound) => gate.take(sound));
      assert.ok(sent.length < said.length);
      assert.deepEqual([sent[0]?.[0], sent.at(-1)?.at(-1)], [0, 0]);
      for (const end of [sent[0]!, sent.at(-1)!])
        assert.ok(largestStep(end) < 1.5 * largestStep(joined(lasting(100, steady))));
    });

    it('goes out quickly when the microphone is switched off, and says nothing more', () => {
      assert.deepEqual(gate.end(), []);
      const sent = lasting(507, voice()).flatMap((sound) => gate.take(sound));
      const last = gate.end();
      assert.equal(last.length, 1);
      assert.ok(largestStep(joined([...sent.slice(1), ...last])) < 250);
      assert.equal(last[0]?.at(-1), 0);
      // It falls evenly from where it was: nothing of what would have come.
      assert.ok(Math.abs(last[0][0]! - sent.at(-1)!.at(-1)!) < 1);
      assert.deepEqual([gate.end(), gate.isOpen], [[], false]);
      assert.equal(sum(counts(gate, lasting(100, silence))), 0);
    });

    it('changes nothing of what it is given', () => {
      const given = [...lasting(300, voice()), ...lasting(700, silence)];
      const before = given.map((sound) => sound.slice());
      counts(gate, given);
      assert.deepEqual(given, before);
    });

    it('takes nothing but sounds', () => {
      for (const length of [0, 160, 481])
        assert.throws(
          () => gate.take(new Int16Array(length)),
          (error) => hasCode(error, 'BAD_MESSAGE'),
        );
    });
  });

describe('an open microphone', () => {
  it('sends the noise of the room, too', () => {
    const gate = new MicrophoneGate();
    assert.equal(gate.mode, 'open');
    assert.equal(sum(counts(gate, lasting(3_000, room()))), 300);
  });

  it('is not closed by short silence', () => {
    const gate = new MicrophoneGate();
    const sounds = Array.from({ length: 5 }, () => [
      ...lasting(300, voice()),
      ...lasting(450, silence),
    ]).flat();
    assert.equal(sum(counts(gate, sounds)), sounds.length);
  });
});

describe('a microphone that opens by itself', () => {
  let gate: MicrophoneGate;
  beforeEach(() => (gate = new MicrophoneGate({ mode: 'activity', threshold: -45 })));

  it('does not send the noise of the room', () => {
    assert.equal(sum(counts(gate, lasting(10_000, room()))), 0);
  });

  it('sends the 60 ms before a word with it', () => {
    const before = lasting(500, room());
    counts(gate, before);
    const [word] = lasting(10, voice());
    const sent = gate.take(word!);
    assert.equal(sent.length, 7);
    assert.deepEqual(sent.slice(1), [...before.slice(-5), word]);
    assert.deepEqual(sent[0]?.subarray(240), before.at(-6)?.subarray(240));
  });

  it('does not send anything twice', () => {
    for (let pause = 380; pause <= 600; pause += 10) {
      const gate = new MicrophoneGate({ mode: 'activity', threshold: -45 });
      counts(gate, lasting(300, room()));
      const sounds = [
        ...lasting(100, voice()),
        ...lasting(pause, room()),
        ...lasting(100, voice()),
      ];
      const sent = counts(gate, sounds);
      // 400 ms of the pause, and what was before the second word and not sent yet.
      assert.equal(sum(sent), 6 + 20 + Math.min(pause / 10, 40 + 6), `${pause} ms`);
    }
  });

  it('stays open for 400 ms', () => {
    counts(gate, lasting(300, voice()));
    const after = counts(gate, lasting(2_000, room()));
    assert.ok(Math.abs(sum(after) - 40) <= 1, `${sum(after)} sounds`);
  });

  it('is closed when it has been switched off, however loud it was', () => {
    counts(gate, lasting(300, voice()));
    gate.end();
    assert.equal(sum(counts(gate, lasting(300, room()))), 0);
  });

  it('closes only well below where it opens', () => {
    const [loud, quiet] = [tone(300, amplitudeOf(-40)), tone(300, amplitudeOf(-45))];
    assert.equal(sum(counts(gate, lasting(1_000, quiet))), 0);
    counts(gate, lasting(50, loud));
    assert.equal(sum(counts(gate, lasting(5_000, quiet))), 500);
  });

  it('goes by the threshold that is set', () => {
    gate.threshold = -60;
    assert.ok(sum(counts(gate, lasting(1_000, noise(amplitudeOf(-50))))) >= 100);
    gate = new MicrophoneGate({ mode: 'activity', threshold: -15 });
    assert.equal(sum(counts(gate, lasting(1_000, voice()))), 0);
  });
});

describe('a microphone with a key to talk', () => {
  let gate: MicrophoneGate;
  beforeEach(() => (gate = new MicrophoneGate({ mode: 'push' })));

  it('sends nothing before the key is held, and nothing of what was said then', () => {
    assert.equal(sum(counts(gate, lasting(2_000, voice()))), 0);
    gate.isHeld = true;
    assert.equal(gate.take(voice()()).length, 1);
  });

  it('sends 150 ms more when the key is let go, and no more', () => {
    gate.isHeld = true;
    counts(gate, lasting(500, voice()));
    gate.isHeld = false;
    const after = counts(gate, lasting(2_000, voice()));
    assert.ok(Math.abs(sum(after) - 15) <= 1, `${sum(after)} sounds`);
    assert.equal(sum(after.slice(16)), 0);
  });

  it('is closed at once when the way of sending becomes that one', () => {
    gate.mode = 'open';
    counts(gate, lasting(500, voice()));
    gate.mode = 'push';
    assert.equal(sum(counts(gate, lasting(500, voice()))), 1);
  });
});

describe("a microphone's gate, whatever is done with it", () => {
  it('sends each sound once at most, in order, and not much at a time', () => {
    const mode = fc.constantFrom('open' as const, 'activity' as const, 'push' as const);
    const step = fc.record({
      mode: fc.option(mode, { nil: undefined }),
      isHeld: fc.option(fc.boolean(), { nil: undefined }),
      isSwitchedOff: fc.boolean(),
      level: fc.constantFrom(-100, -70, -50, -20),
      count: fc.nat(60),
    });
    fc.assert(
      fc.property(mode, fc.array(step, { maxLength: 12 }), (mode, steps) => {
        const gate = new MicrophoneGate({ mode });
        // The last sample of each says which one it is; fading leaves it, or makes it nothing.
        let [number, last] = [0, 0];
        const check = (sent: readonly Sound[]): void => {
          assert.ok(sent.length <= 7);
          for (const sound of sent) {
            const mark = sound[479]!;
            if (mark === 0) continue;
            assert.ok(mark > last, `${mark} after ${last}`);
            last = mark;
          }
        };
        for (const { mode, isHeld, isSwitchedOff, level, count } of steps) {
          if (mode !== undefined) gate.mode = mode;
          if (isHeld !== undefined) gate.isHeld = isHeld;
          if (isSwitchedOff) check(gate.end());
          const next = tone(300, amplitudeOf(level));
          for (let n = 0; n < count; n++) {
            const sound = next();
            sound[479] = ++number;
            check(gate.take(sound));
          }
        }
      }),
    );
  });
});

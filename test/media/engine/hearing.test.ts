import assert from 'node:assert/strict';
import { chmod, readdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { codeOf } from '../../../lib/errors.ts';
import { sleep, systemClock, until } from '../../../lib/lifecycle.ts';
import { Hearing } from '../../../lib/media/engine/hearing.ts';
import { SAMPLE_RATE, type VideoFrame } from '../../../lib/media/frames.ts';
import { decodeSound, frequencyOf, leavesNothing, probe } from '../../support/media-devices.ts';
import { temporary } from '../../support/temporary.ts';
import { peakOf, tone } from '../audio/sounds.ts';
import { flatPicture } from '../video/pictures.ts';

/** How long anything may take on a busy machine, in milliseconds. */
const PATIENCE_MS = 30_000;
const LOUD = 5_000;

describe('what is heard of the others', function () {
  this.timeout(60_000);
  const places = temporary();
  let directory = '';
  let hearing: Hearing;
  let pictures: readonly (VideoFrame | undefined)[] = [];
  const ends: string[] = [];
  const path = process.env['PATH'];

  beforeEach(async () => {
    directory = await places.newDirectory();
    ends.length = 0;
    pictures = [];
    hearing = new Hearing({
      clock: systemClock,
      onEnded: (kind, error) => void ends.push(`${kind} ${codeOf(error)}`),
      pictures: () => pictures,
    });
  });
  afterEach(async () => {
    process.env['PATH'] = path;
    await hearing.stop();
  });

  const at = (name: string): string => join(directory, name);
  /** They talk for so long, each with a tone. */
  const talk = async (seconds: number, tones: Readonly<Record<string, number>>): Promise<void> => {
    const voices = Object.entries(tones).map(([who, hertz]) => [who, tone(hertz)] as const);
    const begun = performance.now();
    for (let said = 1; said <= seconds * 100; said++) {
      for (const [who, voice] of voices)
        if (who === 'myself') hearing.say(voice());
        else hearing.hear(who, { samples: voice(), sampleRate: SAMPLE_RATE, channelCount: 1 });
      await sleep(begun + said * 10 - performance.now());
    }
  };
  /** The frequency of what is in a file once it is loud. */
  const toneIn = async (name: string): Promise<number> => {
    const samples = await decodeSound(at(name));
    const first = samples.findIndex((sample) => sample > LOUD / 2);
    return first < 0 ? 0 : frequencyOf(samples.subarray(first, first + 12_000));
  };
  const isNear = (hertz: number, expected: number): boolean => Math.abs(hertz - expected) < 10;

  it('goes to the speaker, for as long as there is one', async () => {
    await talk(0.2, { alice: 2_000 });
    assert.equal(await hearing.speak(at('a.wav')), 'a.wav');
    await talk(0.8, { alice: 440 });
    assert.equal(await hearing.speak('none'), undefined);
    await talk(0.2, { alice: 2_000 });
    assert(isNear(await toneIn('a.wav'), 440));
    const { length } = await decodeSound(at('a.wav'));
    assert(length > 0.5 * SAMPLE_RATE && length < 10 * SAMPLE_RATE, `${length} samples`);
  });

  it('is all that they say together', async () => {
    await hearing.speak(at('a.wav'));
    await talk(0.8, { alice: 440, bob: 440, carol: 440 });
    await hearing.speak('none');
    assert(peakOf(await decodeSound(at('a.wav'))) > 12_000);
  });

  it('is as loud as one wants to hear them, until they are forgotten', async () => {
    hearing.setVolume('alice', 0);
    await hearing.speak(at('a.wav'));
    await sleep(100);
    await talk(0.4, { alice: 440 });
    await hearing.speak(at('b.wav'));
    hearing.forget('alice');
    await talk(0.4, { alice: 440 });
    await hearing.speak('none');
    assert.equal(peakOf(await decodeSound(at('a.wav'))), 0);
    assert(peakOf(await decodeSound(at('b.wav'))) > LOUD);
  });

  it('can be measured where it is whole, with a speaker or without', () => {
    const samples = tone(440)();
    const of = (sampleRate: number, channelCount: number, some = samples) =>
      hearing.hear('alice', { samples: some, sampleRate, channelCount });
    assert.equal(of(SAMPLE_RATE, 1), samples);
    assert.equal(of(16_000, 1, samples.subarray(0, 160)), undefined);
    assert.equal(of(SAMPLE_RATE, 2), undefined);
    assert.equal(of(44_100, 1), undefined);
  });

  it('goes to the last speaker that was asked for, and the others are given back', async () => {
    const nothing = await leavesNothing();
    const names = ['a.wav', 'b.wav', 'c.wav'];
    const labels = await Promise.all(names.map((name) => hearing.speak(at(name))));
    assert.deepEqual(labels, names);
    await talk(0.5, { alice: 440 });
    await hearing.speak('none');
    for (const name of ['a.wav', 'b.wav']) assert.equal(await toneIn(name), 0);
    assert(isNear(await toneIn('c.wav'), 440));
    await nothing();
  });

  it('goes to the speaker that was there, where another cannot be had', async () => {
    await hearing.speak(at('a.wav'));
    await assert.rejects(hearing.speak(at('no/such.wav')), { code: 'NO_SUCH_FILE' });
    await talk(0.5, { alice: 440 });
    await hearing.speak('none');
    // A file is not written on: it is one beside it.
    assert(isNear(await toneIn('a-2.wav'), 440));
    await assert.rejects(hearing.speak(at('no/such.wav')), { code: 'NO_SUCH_FILE' });
    assert.deepEqual([(await readdir(directory)).sort(), ends], [['a-2.wav', 'a.wav'], []]);
  });

  it('goes nowhere any more when the speaker is gone, which is told', async () => {
    const program = at('ffmpeg');
    await writeFile(program, '#!/bin/sh\necho out_time_us=20000\nsleep 0.3\nexit 1\n');
    await chmod(program, 0o755);
    process.env['PATH'] = `${directory}${delimiter}${path}`;
    await hearing.speak('default');
    await talk(0.1, { alice: 440 });
    assert(await until(PATIENCE_MS, () => ends.length > 0));
    assert.deepEqual(ends, ['speaker NO_DEVICE']);
    await talk(0.1, { alice: 440 });
  });

  describe('is recorded', () => {
    it('as loud as it is, with what oneself says', async () => {
      hearing.setVolume('alice', 0);
      assert.equal(await hearing.record(at('call.wav')), 'call.wav');
      await talk(0.5, { alice: 440 });
      await talk(0.5, { myself: 1_000 });
      assert.equal(await hearing.record(undefined), undefined);
      const samples = await decodeSound(at('call.wav'));
      const parts = Array.from({ length: Math.floor(samples.length / 4_800) }, (_, part) =>
        frequencyOf(samples.subarray(part * 4_800, (part + 1) * 4_800)),
      );
      for (const hertz of [440, 1_000])
        assert(
          parts.some((one) => isNear(one, hertz)),
          parts.join(),
        );
    });

    it('with what is seen', async () => {
      pictures = [flatPicture(320, 240, 120), undefined, flatPicture(160, 96, 90)];
      await hearing.record(at('call.mkv'));
      await talk(1.5, { alice: 440 });
      pictures = [];
      await talk(0.3, { alice: 440 });
      await hearing.record(undefined);
      const { streams } = await probe(at('call.mkv'));
      const [video, audio] = ['video', 'audio'].map((type) =>
        streams.find((stream) => stream.codec_type === type),
      );
      assert.deepEqual([video?.width, video?.height], [640, 360]);
      assert(Number(video?.nb_read_frames) >= 5 && audio !== undefined);
      assert(isNear(await toneIn('call.mkv'), 440));
    });

    it('into one file at a time, and never into one that is there', async () => {
      await hearing.record(at('a.wav'));
      await hearing.record(at('b.wav'));
      await assert.rejects(hearing.record(at('a.wav')), { code: 'ALREADY' });
      await talk(0.3, { alice: 440 });
      await hearing.stop();
      assert.equal(await toneIn('a.wav'), 0);
      assert(isNear(await toneIn('b.wav'), 440));
    });

    it('on into the same file, where another cannot be had', async () => {
      await hearing.record(at('a.wav'));
      for (const [name, code] of [
        ['a.wav', 'ALREADY'],
        ['no/such.wav', 'NO_SUCH_FILE'],
        ['b.txt', 'USAGE'],
      ] as const)
        await assert.rejects(hearing.record(at(name)), { code });
      await talk(0.3, { alice: 440 });
      await hearing.record(undefined);
      assert(isNear(await toneIn('a.wav'), 440));
      assert.deepEqual([await readdir(directory), ends], [['a.wav'], []]);
    });
  });

  it('leaves nothing behind', async () => {
    const nothing = await leavesNothing();
    await hearing.speak(at('a.wav'));
    const last = Promise.all([hearing.record(at('b.wav')), hearing.speak(at('c.wav'))]);
    await hearing.stop();
    await last;
    await nothing();
  });
});

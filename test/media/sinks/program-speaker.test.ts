import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codeOf } from '../../../lib/errors.ts';
import { sleep, until } from '../../../lib/lifecycle.ts';
import { thisHost } from '../../../lib/media/devices/host.ts';
import { openProgramSpeaker, speakerOutputs } from '../../../lib/media/sinks/program-speaker.ts';
import { openMicrophoneDevice } from '../../../lib/media/sources/microphone.ts';
import { openTone } from '../../../lib/media/sources/tone.ts';
import type { AudioSink } from '../../../lib/media/streams.ts';
import {
  frequencyOf,
  HALL_MICROPHONE,
  joinSounds,
  SoundServer,
} from '../../support/media-devices.ts';
import { describeSink, tone } from '../../support/media-sink-contract.ts';
import { temporary } from '../../support/temporary.ts';

const LONG = 30_000;

describe('a speaker by ffmpeg', function () {
  this.timeout(90_000);
  const { newDirectory } = temporary();
  let directory = '';
  let server: SoundServer;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'clchat-test-'));
    server = await SoundServer.start(directory);
  });
  after(async () => {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const open = (from = server, name = 'hall', openMs = LONG): Promise<AudioSink> => {
    const [output] = speakerOutputs('linux', name);
    return openProgramSpeaker(from.host, `speaker ${name}`, output!, openMs);
  };

  describeSink('a speaker by ffmpeg', () => open(), tone);

  it('plays what it gets', async () => {
    const speaker = await open();
    const source = openTone(1_000);
    const playing = (async () => {
      for await (const sound of source.frames()) speaker.write(sound);
    })();
    const microphone = await openMicrophoneDevice(server.host, HALL_MICROPHONE);
    const heard: Int16Array[] = [];
    for await (const sound of microphone.frames()) {
      // Silence until the first of it comes out.
      if (heard.length > 0 || sound.some((sample) => sample > 4_000)) heard.push(sound);
      if (heard.length === 150) break;
    }
    await Promise.all([source.close(), microphone.close(), speaker.close()]);
    await playing;
    const samples = joinSounds(heard);
    const hertz = frequencyOf(samples.subarray(24_000, 48_000));
    assert.ok(Math.abs(hertz - 1_000) < 30, `${hertz} Hz`);
  });

  it('is silent when nothing comes, and plays again after that', async () => {
    const speaker = await open();
    const ends: Error[] = [];
    speaker.onEnd((error) => ends.push(error));
    for (let turn = 0; turn < 2; turn++) {
      for (let at = 0; at < 30; at++) {
        speaker.write(tone());
        await sleep(10);
      }
      await sleep(1_500);
    }
    assert.deepEqual(ends, []);
    await speaker.close();
  });

  it('ends with the reason when its server does', async () => {
    const other = await SoundServer.start(await newDirectory());
    const speaker = await open(other);
    const ends: Error[] = [];
    speaker.onEnd((error) => ends.push(error));
    await other.stop();
    for (let waited = 0; waited < LONG && ends.length === 0; waited += 10) {
      speaker.write(tone());
      await sleep(10);
    }
    assert.equal(codeOf(ends[0]), 'NO_DEVICE');
    await speaker.close();
    assert.equal(ends.length, 1);
  });

  it('is refused where there is no such speaker, no server, or no ffmpeg', async () => {
    await assert.rejects(open(server, 'no such \u001b[31m'), {
      code: 'NO_DEVICE',
      message: /^speaker no such cannot be used: /,
    });
    const elsewhere = { ...server.host.environment, PULSE_SERVER: 'unix:/nowhere/native' };
    const [output] = speakerOutputs('linux', 'default');
    const nowhere = { ...server.host, environment: elsewhere };
    await assert.rejects(openProgramSpeaker(nowhere, 'speaker', output!, LONG), {
      code: 'NO_DEVICE',
    });
    const lacking = { ...server.host, ffmpeg: '/nowhere/ffmpeg' };
    await assert.rejects(openProgramSpeaker(lacking, 'speaker', output!, LONG), {
      message: 'ffmpeg is not installed: apt install ffmpeg',
    });
  });

  /** In the place of ffmpeg: takes sound, and says how far it is as a script says. */
  const saying = async (script: string) => {
    const path = join(await newDirectory(), 'ffmpeg');
    await writeFile(path, `#!/bin/sh\n${script}\n`);
    await chmod(path, 0o700);
    return { ...thisHost(), ffmpeg: path };
  };

  it('is refused in time where nothing is played', async () => {
    const host = await saying('exec cat >/dev/null');
    await assert.rejects(openProgramSpeaker(host, 'speaker', [], 300), {
      code: 'NO_DEVICE',
      message: 'speaker takes no sound.',
    });
  });

  it('drops what cannot be played in time, and takes more once it can', async () => {
    // It plays nothing more until the file is there; then all that it got.
    const flag = join(await newDirectory(), 'go');
    const count = join(await newDirectory(), 'count');
    const host = await saying(
      `echo out_time_us=10000; while [ ! -e ${flag} ]; do sleep 0.1; done; echo out_time_us=3000000; exec cat >${count}`,
    );
    const speaker = await openProgramSpeaker(host, 'speaker', [], LONG);
    for (let at = 0; at < 200; at++) speaker.write(tone());
    await sleep(400);
    for (let at = 0; at < 200; at++) speaker.write(tone());
    await writeFile(flag, '');
    const { stat } = await import('node:fs/promises');
    const written = async (): Promise<number> =>
      (await stat(count).catch(() => ({ size: 0 }))).size / 960;
    assert.ok(await until(LONG, async () => (await written()) > 0));
    const before = await written();
    // What waits, and what is reckoned to have been played since it said how far it is.
    assert.ok(before <= 40, `${before} sounds waited`);
    const more = async (): Promise<boolean> => {
      speaker.write(tone());
      return (await written()) > before + 5;
    };
    assert.ok(await until(LONG, more));
    await speaker.close();
  });

  it('ends with the reason where nothing is taken for long', async () => {
    const host = await saying('echo out_time_us=10000; exec sleep 60');
    const speaker = await openProgramSpeaker(host, 'speaker', [], LONG);
    const ends: Error[] = [];
    speaker.onEnd((error) => ends.push(error));
    for (let waited = 0; waited < LONG && ends.length === 0; waited += 10) {
      speaker.write(tone());
      await sleep(10);
    }
    assert.deepEqual(
      ends.map(({ message }) => message),
      ['speaker takes nothing any more.'],
    );
    await speaker.close();
  });
});

describe('what ffmpeg is told of a speaker', () => {
  it('names it as each system knows it', () => {
    assert.deepEqual(speakerOutputs('linux', 'default'), [
      ['-f', 'pulse', '-name', 'clchat', '-buffer_duration', '40', 'call'],
      ['-f', 'alsa', 'default'],
    ]);
    assert.deepEqual(speakerOutputs('linux', 'a sink'), [
      ['-f', 'pulse', '-name', 'clchat', '-device', 'a sink', '-buffer_duration', '40', 'call'],
    ]);
    assert.deepEqual(speakerOutputs('linux', 'plughw:0,0'), [['-f', 'alsa', 'plughw:0,0']]);
    assert.deepEqual(speakerOutputs('darwin', 'default'), [['-f', 'audiotoolbox', '-']]);
    assert.deepEqual(speakerOutputs('darwin', '2'), [
      ['-f', 'audiotoolbox', '-audio_device_index', '2', '-'],
    ]);
    assert.deepEqual(speakerOutputs('darwin', 'Speakers'), []);
    assert.deepEqual(speakerOutputs('win32', 'default'), []);
  });
});

import assert from 'node:assert/strict';
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../../../lib/errors.ts';
import { sleep, until } from '../../../lib/lifecycle.ts';
import { thisHost } from '../../../lib/media/devices/host.ts';
import type { Sound, VideoFrame } from '../../../lib/media/frames.ts';
import { openRecorderFile, type Recorder } from '../../../lib/media/sinks/recorder.ts';
import type { Sink } from '../../../lib/media/streams.ts';
import { drawPattern, readPattern } from '../../../lib/media/video/pattern.ts';
import { decodeSound, ffmpegOutput, frequencyOf, probe } from '../../support/media-devices.ts';
import { describeSink, tone } from '../../support/media-sink-contract.ts';
import { temporary } from '../../support/temporary.ts';

const host = thisHost();
const SIZE = { width: 320, height: 240, fps: 15 };
const LONG = 30_000;

const picture = (number = 1, width = SIZE.width, height = SIZE.height): VideoFrame => ({
  width,
  height,
  data: drawPattern(width, height, number, 0),
  time: 0,
});

/** Records a second and a half, as a call would. */
async function record(recorder: Recorder): Promise<number> {
  const begun = performance.now();
  let [sounds, pictures] = [0, 0];
  for (let now = 0; now < 1_500; now = performance.now() - begun) {
    while (sounds * 10 < now) {
      recorder.writeSound(tone());
      sounds++;
    }
    while (pictures * (1_000 / SIZE.fps) < now) recorder.writePicture(picture(++pictures));
    await sleep(5);
  }
  return pictures;
}

describe('a recording', function () {
  this.timeout(60_000);
  const { newDirectory, newDisk } = temporary();

  const open = async (name: string): Promise<Recorder> =>
    openRecorderFile(host, join(await newDirectory(), name), SIZE);
  const half = async <Frame>(
    name: string,
    write: (recorder: Recorder) => (frame: Frame) => void,
  ): Promise<Sink<Frame>> => {
    const recorder = await open(name);
    const { label } = recorder;
    const onEnd = (listener: (error: Error) => void): void => recorder.onEnd(listener);
    return { label, write: write(recorder), onEnd, close: () => recorder.close() };
  };

  for (const name of ['a.mkv', 'a.wav']) {
    describeSink<Sound>(
      `the sound of ${name}`,
      () => half(name, (one) => (sound) => one.writeSound(sound)),
      tone,
    );
    describeSink<VideoFrame>(
      `the pictures of ${name}`,
      () => half(name, (one) => (frame) => one.writePicture(frame)),
      () => picture(),
    );
  }

  for (const [name, video, audio] of [
    ['a.mkv', 'vp8', 'opus'],
    ['a.webm', 'vp8', 'opus'],
    ['a.MP4', 'h264', 'aac'],
  ] as const)
    it(`holds pictures and sound, each at its time (${name})`, async () => {
      const path = join(await newDirectory(), name);
      const recorder = await openRecorderFile(host, path, SIZE);
      assert.equal(recorder.label, name);
      const count = await record(recorder);
      await recorder.close();
      assert.equal((await stat(path)).mode & 0o777, 0o600);
      const { format, streams } = await probe(path);
      assert.deepEqual(
        streams.map((stream) => stream.codec_name),
        [video, audio],
      );
      assert.deepEqual([streams[0]?.width, streams[0]?.height], [320, 240]);
      const seconds = Number(format.duration);
      assert.ok(seconds > 1.2 && seconds < 3, `${seconds} s`);
      // The first, which is black, is ours; on a busy machine some are left out.
      const kept = Number(streams[0]?.nb_read_frames);
      assert.ok(kept > 2 && kept <= count + 1, `${kept} of ${count}`);
      const hertz = frequencyOf((await decodeSound(path)).subarray(24_000, 48_000));
      assert.ok(Math.abs(hertz - 1_000) < 10, `${hertz} Hz`);
      const raw = await ffmpegOutput(
        '-sseof',
        '-0.5',
        '-i',
        path,
        '-map',
        '0:v',
        '-f',
        'rawvideo',
        '-',
      );
      const last = raw.subarray(raw.length - picture().data.length);
      const number = readPattern({ ...SIZE, data: last, time: 0 })?.number ?? 0;
      assert.ok(number > 1 && number <= count, `${number} of ${count}`);
    });

  it('holds sound alone in a WAV file, without any program', async () => {
    const path = join(await newDirectory(), 'a.wav');
    const recorder = await openRecorderFile({ ...host, ffmpeg: '/nowhere/ffmpeg' }, path, SIZE);
    await record(recorder);
    await recorder.close();
    assert.ok(Math.abs(frequencyOf(await decodeSound(path)) - 1_000) < 1);
  });

  it('stretches pictures of other sizes, and fills with silence what is missing', async () => {
    const path = join(await newDirectory(), 'a.mkv');
    const recorder = await openRecorderFile(host, path, SIZE);
    recorder.writePicture(picture(7, 160, 120));
    recorder.writeSound(tone());
    await sleep(1_000);
    recorder.writePicture(picture(8, 640, 480));
    recorder.writeSound(tone());
    await recorder.close();
    const { streams } = await probe(path);
    assert.deepEqual([streams[0]?.width, streams[0]?.height], [320, 240]);
    const samples = await decodeSound(path);
    assert.ok(samples.length > 48_000 * 0.9, `${samples.length / 48_000} s`);
    assert.ok(samples.subarray(14_400, 43_200).every((sample) => Math.abs(sample) < 300));
  });

  for (const name of ['a.mkv', 'a.webm', 'a.mp4'])
    it(`can be played up to where its program was killed (${name})`, async () => {
      const path = join(await newDirectory(), name);
      // It tells its number, and becomes ffmpeg.
      const [program, number] = [
        join(await newDirectory(), 'ffmpeg'),
        join(await newDirectory(), 'pid'),
      ];
      await writeFile(program, `#!/bin/sh\necho $$ > ${number}\nexec ffmpeg "$@"\n`);
      await chmod(program, 0o700);
      const recorder = await openRecorderFile({ ...host, ffmpeg: program }, path, SIZE);
      const ends: Error[] = [];
      recorder.onEnd((error) => ends.push(error));
      const key = 2 * SIZE.fps;
      for (let at = 0; at < 2 * key; at++) {
        recorder.writePicture(picture(at));
        for (let sound = 0; sound < 7; sound++) recorder.writeSound(tone());
        await sleep(1_000 / SIZE.fps);
      }
      assert.ok(await until(LONG, async () => (await stat(path)).size > 20_000));
      process.kill(Number(await readFile(number, 'utf8')), 'SIGKILL');
      assert.ok(await until(LONG, () => ends.length > 0));
      assert.equal(codeOf(ends[0]), 'NO_DEVICE');
      await recorder.close();
      const { streams } = await probe(path);
      assert.ok(Number(streams[0]?.nb_read_frames) > 2);
      assert.ok((await decodeSound(path)).length > 4_800);
    });

  it('is not made in place of another file, nor where there is no directory', async () => {
    const directory = await newDirectory();
    const path = join(directory, 'there.mkv');
    await writeFile(path, 'mine');
    await assert.rejects(openRecorderFile(host, path, SIZE), { code: 'ALREADY' });
    assert.equal(await readFile(path, 'utf8'), 'mine');
    await assert.rejects(openRecorderFile(host, join(directory, 'no', 'a.mkv'), SIZE), {
      code: 'NO_SUCH_FILE',
    });
    await assert.rejects(openRecorderFile(host, join(directory, 'a.txt'), SIZE), {
      code: 'USAGE',
      message: /\.mkv, \.webm, \.mp4, or \.wav/,
    });
    assert.deepEqual(await readdir(directory), ['there.mkv']);
  });

  it('is not begun where there is no ffmpeg, or one that cannot write it', async () => {
    const directory = await newDirectory();
    const path = join(directory, 'a.webm');
    await assert.rejects(openRecorderFile({ ...host, ffmpeg: '/nowhere/ffmpeg' }, path, SIZE), {
      code: 'NO_DEVICE',
      message: /^ffmpeg is not installed/,
    });
    const program = join(directory, 'ffmpeg');
    await writeFile(
      program,
      '#!/bin/sh\necho " V....D mpeg4   MPEG-4"\necho " A....D aac   AAC"\n',
    );
    await chmod(program, 0o700);
    await assert.rejects(openRecorderFile({ ...host, ffmpeg: program }, path, SIZE), {
      code: 'NOT_SUPPORTED',
      message: 'The ffmpeg that is installed cannot write .webm.',
    });
    assert.deepEqual(await readdir(directory), ['ffmpeg']);
  });

  it('ends with the reason when the disk is full', async function () {
    const disk = await newDisk(this, 64);
    const recorder = await openRecorderFile(host, join(disk.directory, 'a.mkv'), SIZE);
    const ends: Error[] = [];
    recorder.onEnd((error) => ends.push(error));
    for (let at = 0; at < 2_000 && ends.length === 0; at++) {
      const data = new Uint8Array(picture().data.length).map(() => Math.random() * 256);
      recorder.writePicture({ ...SIZE, data, time: 0 });
      recorder.writeSound(tone());
      await sleep(20);
    }
    assert.equal(codeOf(ends[0]), 'DISK_FULL');
    await recorder.close();
  });
});

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  matroskaBlockHead,
  matroskaHead,
  PICTURE_TRACK,
  SOUND_TRACK,
} from '../../../lib/media/sinks/matroska.ts';
import { drawPattern, readPattern } from '../../../lib/media/video/pattern.ts';
import { decodeSound, ffmpegOutput, probe } from '../../support/media-devices.ts';
import { tone } from '../../support/media-sink-contract.ts';
import { temporary } from '../../support/temporary.ts';

describe('pictures and sound in Matroska', function () {
  this.timeout(60_000);
  const { newDirectory } = temporary();

  const write = async (
    blocks: readonly (readonly [track: number, time: number, bytes: Uint8Array])[],
    size = { width: 160, height: 120 },
  ): Promise<string> => {
    const path = join(await newDirectory(), 'a.mkv');
    const parts = blocks.flatMap(([track, time, bytes]) => [
      matroskaBlockHead(track, time, bytes.length),
      bytes,
    ]);
    await writeFile(path, Buffer.concat([matroskaHead(size), ...parts]));
    return path;
  };
  const bytesOf = (samples: Int16Array): Uint8Array => new Uint8Array(samples.buffer);

  it('are read by other programs as they were', async () => {
    const pictures = [1, 2, 3].map((number) => drawPattern(160, 120, number, 1_000));
    const path = await write([
      [SOUND_TRACK, 0, bytesOf(tone())],
      ...pictures.map((data, at) => [PICTURE_TRACK, at * 500, data] as const),
      [SOUND_TRACK, 10, bytesOf(tone())],
    ]);
    const { format, streams } = await probe(path);
    assert.equal(format.format_name, 'matroska,webm');
    assert.deepEqual(
      streams.map(({ codec_name, width, height }) => [codec_name, width, height]),
      [
        ['rawvideo', 160, 120],
        ['pcm_s16le', undefined, undefined],
      ],
    );
    const raw = await ffmpegOutput('-i', path, '-map', '0:v', '-f', 'rawvideo', '-');
    assert.deepEqual(raw.subarray(0, pictures[0]!.length), Buffer.from(pictures[0]!));
    const last = raw.subarray(raw.length - pictures[2]!.length);
    assert.equal(readPattern({ width: 160, height: 120, data: last, time: 0 })?.number, 3);
    assert.deepEqual((await decodeSound(path)).subarray(0, 480), tone());
  });

  it('keep their times, however long it lasts, and whatever is missing', async () => {
    const times = [0, 40, 41, 70_000, 3_600_000, 86_400_000];
    const picture = drawPattern(160, 120, 1, 0);
    const path = await write(times.map((time) => [PICTURE_TRACK, time, picture] as const));
    const args = [
      '-i',
      path,
      '-map',
      '0:v',
      '-f',
      'framecrc',
      '-vsync',
      'passthrough',
      '-enc_time_base',
      '1:1000',
      '-',
    ];
    const text = (await ffmpegOutput(...args)).toString();
    const read = text
      .split('\n')
      .filter((line) => /^0,/.test(line))
      .map((line) => Number(line.split(',')[2]));
    assert.deepEqual(read, times);
  });
});

import assert from 'node:assert/strict';
import { readdir, readFile, readlink, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../../../lib/errors.ts';
import { until } from '../../../lib/lifecycle.ts';
import { openWav, wavHead } from '../../../lib/media/sinks/wav.ts';
import { decodeSound, frequencyOf, probe } from '../../support/media-devices.ts';
import { describeSink, tone } from '../../support/media-sink-contract.ts';
import { temporary } from '../../support/temporary.ts';

/** How long the disk may take, in milliseconds. */
const LONG = 30_000;

/** Whether this process has a file open, as Linux tells. */
async function isOpen(path: string): Promise<boolean> {
  const open = await readdir('/proc/self/fd');
  const paths = open.map((number) => readlink(`/proc/self/fd/${number}`).catch(() => ''));
  return (await Promise.all(paths)).includes(path);
}

describe('a WAV file', function () {
  this.timeout(60_000);
  const { newDirectory, newDisk } = temporary();

  describeSink('a WAV file', async () => openWav(join(await newDirectory(), 'a.wav')), tone);

  it('holds what was written, as other programs read it', async () => {
    const path = join(await newDirectory(), 'tone.wav');
    const file = await openWav(path);
    assert.equal(file.label, 'tone.wav');
    for (let at = 0; at < 100; at++) file.write(tone());
    await file.close();
    assert.equal((await stat(path)).size, 44 + 96_000);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    const { format, streams } = await probe(path);
    assert.deepEqual([format.format_name, format.duration], ['wav', '1.000000']);
    assert.deepEqual(
      streams.map(({ codec_name }) => codec_name),
      ['pcm_s16le'],
    );
    const samples = await decodeSound(path);
    assert.deepEqual(samples.subarray(480, 960), tone());
    assert.ok(Math.abs(frequencyOf(samples) - 1_000) < 1);
  });

  it('is whole before it is closed, as after a crash', async () => {
    const path = join(await newDirectory(), 'tone.wav');
    const file = await openWav(path);
    try {
      assert.equal((await probe(path)).format.format_name, 'wav');
      for (let at = 0; at < 100; at++) file.write(tone());
      const isWritten = async (): Promise<boolean> => (await stat(path)).size === 44 + 96_000;
      assert.ok(await until(LONG, isWritten));
      const hasHead = async (): Promise<boolean> =>
        (await readFile(path)).subarray(0, 44).equals(wavHead(96_000));
      assert.ok(await until(LONG, hasHead));
      assert.equal((await decodeSound(path)).length, 48_000);
    } finally {
      await file.close();
    }
  });

  it('keeps apart what the writer uses again', async () => {
    const path = join(await newDirectory(), 'tone.wav');
    const file = await openWav(path);
    const sound = tone();
    file.write(sound);
    sound.fill(0);
    await file.close();
    assert.deepEqual(await decodeSound(path), tone());
  });

  it('is not made in place of another, nor where there is no directory', async () => {
    const directory = await newDirectory();
    const path = join(directory, 'there.wav');
    await writeFile(path, 'mine');
    await assert.rejects(openWav(path), {
      code: 'ALREADY',
      message: 'There is a file "there.wav" already.',
    });
    assert.equal(await readFile(path, 'utf8'), 'mine');
    for (const nowhere of [join(directory, 'no', 'a.wav'), join(path, 'a.wav')])
      await assert.rejects(openWav(nowhere), {
        code: 'NO_SUCH_FILE',
        message: 'There is no directory to write "a.wav" into.',
      });
    assert.deepEqual(await readdir(directory), ['there.wav']);
  });

  it('is not made where nothing may be written', async function () {
    const disk = await newDisk(this, 64);
    disk.makeReadOnly();
    await assert.rejects(openWav(join(disk.directory, 'a.wav')), { code: 'DATA_READ_ONLY' });
  });

  it('ends with the reason when the disk is full, and can be played up to there', async function () {
    const disk = await newDisk(this, 64);
    const path = join(disk.directory, 'a.wav');
    const file = await openWav(path);
    const ends: Error[] = [];
    file.onEnd((error) => ends.push(error));
    for (let at = 0; at < 20; at++) file.write(tone());
    assert.ok(await until(LONG, async () => (await stat(path)).size > 10_000));
    for (let at = 0; at < 500; at++) file.write(tone());
    assert.ok(await until(LONG, () => ends.length > 0));
    assert.equal(codeOf(ends[0]), 'DISK_FULL');
    file.write(tone());
    await file.close();
    assert.equal(ends.length, 1);
    assert.ok((await decodeSound(path)).length >= 20 * 480);
  });

  it('ends with the reason when it is as long as it can be', async () => {
    const path = join(await newDirectory(), 'a.wav');
    const file = await openWav(path, 30 * 960);
    const ends: Error[] = [];
    file.onEnd((error) => ends.push(error));
    for (let at = 0; at < 30; at++) file.write(tone());
    assert.ok(await until(LONG, async () => (await stat(path)).size === 44 + 30 * 960));
    file.write(tone());
    assert.ok(await until(LONG, () => ends.length > 0));
    assert.equal(codeOf(ends[0]), 'TOO_LARGE');
    await file.close();
    assert.equal((await decodeSound(path)).length, 30 * 480);
  });

  it('is given back when it ends by itself, though nobody closes it', async function () {
    if (process.platform !== 'linux') this.skip();
    const path = join(await newDirectory(), 'a.wav');
    const file = await openWav(path, 960);
    const ends: Error[] = [];
    file.onEnd((error) => ends.push(error));
    assert.ok(await isOpen(path));
    for (let at = 0; at < 2; at++) file.write(tone());
    assert.ok(await until(LONG, () => ends.length > 0));
    assert.ok(await until(5_000, async () => !(await isOpen(path))));
    await Promise.all([file.close(), file.close()]);
  });
});

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { thisHost, type Host } from '../../../lib/media/devices/host.ts';
import { noDevice } from '../../../lib/media/devices/refusals.ts';
import { openCamera, openMicrophone, openScreen } from '../../../lib/media/sources/open.ts';
import type { Source } from '../../../lib/media/streams.ts';
import { makeFilm } from '../../support/media-devices.ts';
import { describeVideoSource, take } from '../../support/media-source-contract.ts';
import { temporary } from '../../support/temporary.ts';

const SIZE = { width: 160, height: 120, fps: 15 };
const INPUTS = [['-re', '-f', 'lavfi', '-i', 'testsrc2=size=640x480:rate=30']];
/** Without sound server and display. */
const host: Host = {
  ...thisHost(),
  environment: { PATH: process.env['PATH'], PULSE_SERVER: 'unix:/nowhere/native' },
  native: () => {
    throw noDevice('missing');
  },
};
/** Longer than opening may take, with room for a machine that is busy. */
const REFUSED_MS = 15_000;

describeVideoSource('a camera that was opened by name', async () => {
  const camera = await openCamera('my camera', SIZE, { inputs: INPUTS });
  assert.ok(camera !== undefined);
  return camera;
});

describe('opening a source by what a person writes', function () {
  this.timeout(60_000);
  const { newDirectory } = temporary();

  const labelOf = async (opened: Promise<Source<unknown> | undefined>): Promise<string> => {
    const source = await opened;
    assert.ok(source !== undefined);
    assert.equal((await take(source, 1)).length, 1);
    await source.close();
    return source.label;
  };

  it('gives test patterns, tones and silence without any device', async () => {
    assert.equal(await labelOf(openCamera('test', SIZE)), 'test pattern');
    assert.equal(await labelOf(openScreen('test', SIZE)), 'test pattern');
    assert.equal(await labelOf(openMicrophone('tone')), 'tone of 440 Hz');
    assert.equal(await labelOf(openMicrophone('tone:523.25')), 'tone of 523.25 Hz');
    assert.equal(await labelOf(openMicrophone('silence')), 'silence');
  });

  it('gives nothing for none', async () => {
    for (const opened of [
      openCamera('none', SIZE),
      openScreen('none', SIZE),
      openMicrophone('none'),
    ])
      assert.equal(await opened, undefined);
  });

  it('refuses tones that nobody hears', async () => {
    for (const spec of ['tone:0', 'tone:19.9', 'tone:24000', 'tone:99999'])
      await assert.rejects(openMicrophone(spec, { host }), {
        code: 'NO_DEVICE',
        message: 'Tones go from 20 to 20000 Hz.',
      });
  });

  it('gives the pictures and the sound of a file', async () => {
    const film = join(await newDirectory(), 'film.mkv');
    await makeFilm(film);
    assert.equal(await labelOf(openCamera(film, SIZE, { host })), 'film.mkv');
    assert.equal(await labelOf(openMicrophone(film, { host })), 'film.mkv');
  });

  for (const [what, opened] of [
    ['a camera of no such name', () => openCamera('nowhere', SIZE, { host })],
    ['a camera of no such number', () => openCamera('98', SIZE, { host })],
    ['a directory for a camera', () => openCamera('/tmp', SIZE, { host })],
    ['nothing for a camera', () => openCamera('', SIZE, { host })],
    ['what no name can be', () => openCamera('/dev/a\0b', SIZE, { host })],
    ['a microphone of no such name', () => openMicrophone('nowhere', { host })],
    ['the usual microphone where there is none', () => openMicrophone('default', { host })],
    ['half a tone', () => openMicrophone('tone:', { host })],
    ['a screen of no such name', () => openScreen('nowhere', SIZE, { host })],
    ['a display that nobody has', () => openScreen(':7654', SIZE, { host })],
  ] as const)
    it(`refuses ${what} in time, and says what there is`, async () => {
      const begun = performance.now();
      await assert.rejects(opened, (error: { code?: string; message: string }) => {
        assert.equal(error.code, 'NO_DEVICE');
        assert.match(error.message, /^[A-Z].*\. There (?:is|are)/);
        return true;
      });
      assert.ok(performance.now() - begun < REFUSED_MS);
    });

  it('says how ffmpeg is to be had where it is missing', async () => {
    const film = join(await newDirectory(), 'film.mkv');
    await makeFilm(film);
    const lacking = { ...host, ffmpeg: '/nowhere/ffmpeg' };
    for (const open of [
      () => openCamera('/dev/video0', SIZE, { host: lacking }),
      () => openCamera(film, SIZE, { host: lacking }),
      () => openMicrophone('default', { host: lacking }),
      () => openScreen(':0', SIZE, { host: lacking }),
    ])
      await assert.rejects(open, {
        code: 'NO_DEVICE',
        message: 'ffmpeg is not installed: apt install ffmpeg',
      });
  });
});

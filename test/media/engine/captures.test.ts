import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { codeOf, hasCode } from '../../../lib/errors.ts';
import { sleep, until } from '../../../lib/lifecycle.ts';
import { Captures } from '../../../lib/media/engine/captures.ts';
import type { PictureKind } from '../../../lib/media/engine/connection.ts';
import { pictureBytes, type Sound, type VideoFrame } from '../../../lib/media/frames.ts';
import { readPattern } from '../../../lib/media/video/pattern.ts';
import { ffmpeg, leavesNothing } from '../../support/media-devices.ts';
import { temporary } from '../../support/temporary.ts';
import { meterOf } from '../audio/sounds.ts';

/** How long anything may take on a busy machine, in milliseconds. */
const PATIENCE_MS = 30_000;

describe('the devices that are captured', function () {
  this.timeout(60_000);
  const { newDirectory } = temporary();
  const pictures: (readonly [PictureKind, VideoFrame])[] = [];
  const sounds: Sound[] = [];
  const ends: string[] = [];
  let captures: Captures;
  const path = process.env['PATH'];

  beforeEach(() => {
    for (const list of [pictures, sounds, ends]) list.length = 0;
    captures = new Captures({
      onPicture: (kind, frame) => void pictures.push([kind, frame]),
      onSound: (sound) => void sounds.push(sound),
      onEnded: (kind, error) => void ends.push(`${kind} ${codeOf(error)}`),
    });
  });
  afterEach(async () => {
    process.env['PATH'] = path;
    await captures.stop();
  });

  const comes = async (what: string, isSo: () => boolean): Promise<void> =>
    assert.ok(await until(PATIENCE_MS, isSo), `comes: ${what}`);

  /**
   * A film that is over after its only picture: ffmpeg is another program here.
   * @param wait before the picture, and
   * @param rest after it, in seconds
   * @returns its path
   */
  const shortFilm = async (wait = 0, rest = 0.3): Promise<string> => {
    const directory = await newDirectory();
    const film = join(directory, 'film.y4m');
    const picture = Buffer.alloc(pictureBytes(64, 48), 128);
    const head = Buffer.from('YUV4MPEG2 W64 H48 F15:1 C420jpeg\nFRAME\n');
    await writeFile(film, Buffer.concat([head, picture]));
    const program = join(directory, 'ffmpeg');
    await writeFile(program, `#!/bin/sh\nsleep ${wait}\ncat '${film}'\nsleep ${rest}\n`);
    await chmod(program, 0o755);
    process.env['PATH'] = `${directory}${delimiter}${path}`;
    return film;
  };

  it('give pictures and sound, each of its kind', async () => {
    assert.equal(await captures.take('camera', 'test'), 'test pattern');
    assert.equal(await captures.take('screen', 'test'), 'test pattern');
    assert.equal(await captures.take('microphone', 'tone:600'), 'tone of 600 Hz');
    for (const kind of ['camera', 'screen', 'microphone'] as const) assert(captures.has(kind));
    const of = (kind: PictureKind): VideoFrame[] =>
      pictures.flatMap(([one, frame]) => (one === kind ? [frame] : []));
    await comes('all', () => of('camera').length > 1 && of('screen').length > 1);
    await comes('sound', () => sounds.length > 30);
    assert.deepEqual([of('camera')[0]!.width, of('screen')[0]!.width], [640, 1_920]);
    assert.equal(Math.round(meterOf(sounds).frequency()!), 600);
    await captures.stop();
    assert.deepEqual(ends, [], 'being given back is no end that has to be told');
  });

  it('are given back for none', async () => {
    await captures.take('camera', 'test');
    await comes('a picture', () => pictures.length > 0);
    assert.equal(await captures.take('camera', 'none'), undefined);
    assert.equal(captures.has('camera'), false);
    const { length } = pictures;
    assert.equal(await until(200, () => pictures.length > length), false);
    assert.deepEqual(ends, []);
  });

  it('are one of each kind, the last one that was asked for', async () => {
    const takes = ['tone:500', 'none', 'tone:600', 'tone:700'].map((spec) =>
      captures.take('microphone', spec),
    );
    const labels = await Promise.all(takes);
    assert.deepEqual(labels, ['tone of 500 Hz', undefined, 'tone of 600 Hz', 'tone of 700 Hz']);
    sounds.length = 0;
    await comes('sound', () => sounds.length > 30);
    assert.equal(Math.round(meterOf(sounds).frequency()!), 700);
    assert.deepEqual(ends, []);
  });

  it('do not wait for those of another kind', async () => {
    const film = await shortFilm(1);
    let isThere = false;
    const camera = captures.take('camera', film).then(() => (isThere = true));
    assert.equal(await captures.take('microphone', 'tone:600'), 'tone of 600 Hz');
    assert.equal(isThere, false);
    await camera;
  });

  it('are given back that come late, where none is wanted by then', async () => {
    const late = captures.take('camera', await shortFilm(0.5, 1_000));
    await captures.take('camera', 'none');
    await late;
    assert.deepEqual([captures.has('camera'), ends], [false, []]);
  });

  it('give pictures as large as somebody wants them, whenever that is said', async () => {
    captures.want('camera', { width: 160, height: 96, fps: 30 });
    await captures.take('camera', 'test');
    await comes('a picture', () => pictures.at(-1)?.[1].width === 160);
    captures.want('camera', { width: 320, height: 240, fps: 30 });
    await comes('larger ones', () => pictures.at(-1)![1].width === 320);
    assert.notEqual(readPattern(pictures.at(-1)![1]), undefined);
    captures.want('screen', { width: 320, height: 240, fps: 30 });
    captures.want('camera', { width: 80, height: 48, fps: 1 });
  });

  it('are opened anew where larger pictures are wanted than they give, and not for smaller ones', async () => {
    const film = join(await newDirectory(), 'film.mkv');
    await ffmpeg(
      ...['-f', 'lavfi', '-i', 'testsrc=size=1280x720:rate=30:duration=4'],
      ...['-c:v', 'mjpeg', film],
    );
    captures.want('camera', { width: 38, height: 22, fps: 30 });
    await captures.take('camera', film);
    await comes('a picture', () => pictures.length > 0);
    // As large as somebody may want them next.
    assert.equal(pictures[0]![1].width, 640);
    for (const width of [900, 1_000]) captures.want('camera', { width, height: 500, fps: 30 });
    await comes('larger ones', () => pictures.at(-1)![1].width === 1_280);
    captures.want('camera', { width: 160, height: 96, fps: 30 });
    pictures.length = 0;
    await comes('more of them', () => pictures.length > 10);
    assert(pictures.every(([, { width }]) => width === 1_280));
    assert.deepEqual([captures.has('camera'), ends], [true, []]);
  });

  it('stay off that were switched off while they were to be opened anew', async () => {
    const film = await shortFilm(0.5, 1_000);
    await captures.take('camera', film);
    captures.want('camera', { width: 1_000, height: 500, fps: 30 });
    await captures.take('camera', 'none');
    assert.equal(await until(1_500, () => captures.has('camera')), false);
    await captures.take('camera', film);
    const off = captures.take('camera', 'none');
    captures.want('camera', { width: 1_900, height: 500, fps: 30 });
    await off;
    assert.equal(await until(1_500, () => captures.has('camera')), false);
    assert.deepEqual(ends, []);
  });

  describe('where another one cannot be had', () => {
    it('stay what they were', async () => {
      await captures.take('camera', 'test');
      await assert.rejects(captures.take('camera', '/nowhere/camera'), { code: 'NO_DEVICE' });
      assert(captures.has('camera'));
      const { length } = pictures;
      await comes('more pictures', () => pictures.length > length + 2);
      assert.deepEqual(ends, []);
      await assert.rejects(captures.take('microphone', '/nowhere/microphone'), {
        code: 'NO_DEVICE',
      });
      assert.deepEqual([captures.has('microphone'), ends], [false, []]);
    });

    it('have ended, if not even that can be had any more', async () => {
      const film = await shortFilm();
      await captures.take('camera', film);
      process.env['PATH'] = '';
      await assert.rejects(captures.take('camera', '/nowhere/camera'), { code: 'NO_DEVICE' });
      assert.deepEqual([captures.has('camera'), ends], [false, ['camera NO_DEVICE']]);
    });
  });

  it('are told of when they end by themselves', async () => {
    await captures.take('camera', await shortFilm());
    await comes('the end', () => ends.length > 0);
    assert.deepEqual([captures.has('camera'), ends], [false, ['camera NO_DEVICE']]);
    assert.equal(pictures.length, 1);
    assert.equal(await captures.take('camera', 'test'), 'test pattern');
  });

  it('end when what they give is of no use to anybody', async () => {
    const error = new TypeError('x');
    const faults: unknown[] = [];
    const strict = new Captures({
      onPicture: () => {
        throw error;
      },
      onSound: () => undefined,
      onEnded: (_kind, thrown) => void faults.push(thrown),
    });
    await strict.take('camera', 'test');
    await comes('the end', () => faults.length > 0);
    assert.deepEqual([faults, strict.has('camera')], [[error], false]);
    await strict.stop();
  });

  it('are all given back in the end, also one that is just being taken', async () => {
    const nothing = await leavesNothing();
    await captures.take('screen', 'test');
    const taking = captures.take('camera', await shortFilm(0.5, 1_000));
    const late = captures.take('camera', 'test');
    let refused = 0;
    for (const one of [taking, late]) one.catch((error) => (refused += +hasCode(error, 'CLOSED')));
    await sleep(20);
    await captures.stop();
    assert.equal(refused, 2);
    await assert.rejects(captures.take('camera', 'test'), { code: 'CLOSED' });
    assert.equal(captures.has('camera'), false);
    await nothing();
  });
});

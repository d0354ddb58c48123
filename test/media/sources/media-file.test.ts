import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { thisHost } from '../../../lib/media/devices/host.ts';
import { fileInput, openSoundFile, openVideoFile } from '../../../lib/media/sources/media-file.ts';
import { ffmpeg, frequencyOf, joinSounds, makeFilm } from '../../support/media-devices.ts';
import {
  describeAudioSource,
  describeVideoSource,
  take,
} from '../../support/media-source-contract.ts';
import { temporary } from '../../support/temporary.ts';

const host = thisHost();
const SIZE = { width: 320, height: 240, fps: 30 };

describe('a media file', function () {
  this.timeout(60_000);
  const { newDirectory } = temporary();
  let own = '';
  let film = '';
  before(async () => {
    own = await mkdtemp(join(tmpdir(), 'clchat-test-'));
    film = join(own, 'film.mkv');
    await makeFilm(film);
  });
  after(() => rm(own, { recursive: true, force: true }));

  describeVideoSource('the pictures of a file', () => openVideoFile(host, film, SIZE));
  describeAudioSource('the sound of a file', () => openSoundFile(host, film));

  it('gives its pictures at its own pace, over and over', async () => {
    const source = await openVideoFile(host, film, SIZE);
    assert.equal(source.label, 'film.mkv');
    // It has thirty.
    const frames = await take(source, 45);
    await source.close();
    assert.deepEqual([frames[0]?.width, frames[0]?.height], [320, 240]);
    const seconds = (frames.at(-1)!.time - frames[0]!.time) / 1_000;
    assert.ok(seconds > 2, `${seconds} s for 44 of 15 a second`);
  });

  it('gives its sound, over and over', async () => {
    const source = await openSoundFile(host, film);
    const samples = joinSounds(await take(source, 150));
    await source.close();
    assert.ok(Math.abs(frequencyOf(samples) - 600) < 10, `${frequencyOf(samples)}`);
  });

  it('may be one picture, shown for as long as it is open', async () => {
    const path = join(await newDirectory(), 'me.png');
    await ffmpeg('-f', 'lavfi', '-i', 'color=red:size=200x100', '-frames:v', '1', path);
    const source = await openVideoFile(host, path, SIZE);
    const frames = await take(source, 4);
    await source.close();
    assert.deepEqual([frames[3]?.width, frames[3]?.height], [200, 100]);
    // Red by BT.601: 81, 90, 240.
    const { data } = frames[3]!;
    assert.ok(Math.abs(data[5_050]! - 81) < 4 && Math.abs(data.at(-1)! - 240) < 4);
  });

  it('has its colours, also where it was made by the rules for high definition', async () => {
    const path = join(await newDirectory(), 'red.mp4');
    const red = 'color=red:size=320x240:rate=10:duration=1';
    const how = 'scale=out_color_matrix=bt709,format=yuv420p,setparams=colorspace=bt709';
    const args = ['-f', 'lavfi', '-i', `${red},${how}`, '-c:v', 'libx264'];
    await ffmpeg(...args, '-colorspace', 'bt709', path);
    const source = await openVideoFile(host, path, SIZE);
    const [frame] = await take(source, 1);
    await source.close();
    const seen = [frame?.data[0] ?? 0, frame?.data[320 * 240] ?? 0, frame?.data.at(-1) ?? 0];
    const isRed = [81, 90, 240].every((value, at) => Math.abs(value - seen[at]!) <= 5);
    assert.ok(isRed, seen.join());
  });

  it('is refused where it has not what is wanted of it', async () => {
    const directory = await newDirectory();
    const sound = join(directory, 'sound.wav');
    await ffmpeg('-i', film, '-vn', sound);
    await assert.rejects(openVideoFile(host, sound, SIZE), {
      code: 'NO_DEVICE',
      message: /sound\.wav/,
    });
    const silent = join(directory, 'silent.webm');
    await ffmpeg('-i', film, '-an', '-c', 'copy', silent);
    await assert.rejects(openSoundFile(host, silent), {
      code: 'NO_DEVICE',
      message: /silent\.webm/,
    });
    const text = join(directory, 'text.mp4');
    await writeFile(text, 'no film\n'.repeat(1_000));
    await assert.rejects(openVideoFile(host, text, SIZE), { code: 'NO_DEVICE' });
  });

  it('is no way to other files and addresses, whatever is in it', async () => {
    let asked = 0;
    const server = createServer((_, response) => {
      asked++;
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/a.ts`;
    const directory = await newDirectory();
    await copyFile(film, join(directory, 'other.mkv'));
    const playlist = (entry: string): string =>
      `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n${entry}\n#EXT-X-ENDLIST\n`;
    const contents = {
      'address.m3u8': playlist(address),
      'address.mp4': playlist(address),
      'file.mp4': playlist('other.mkv'),
      'joined.webm': 'ffconcat version 1.0\nfile other.mkv\n',
      'session.sdp': 'v=0\nc=IN IP4 127.0.0.1\nm=video 9999 RTP/AVP 96\na=rtpmap:96 VP8/90000\n',
      'stream.mpd': `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet><Representation><BaseURL>${address}</BaseURL></Representation></AdaptationSet></Period></MPD>`,
    };
    try {
      for (const [name, content] of Object.entries(contents)) {
        await writeFile(join(directory, name), content);
        await assert.rejects(
          openVideoFile(host, join(directory, name), SIZE),
          { code: 'NO_DEVICE' },
          name,
        );
      }
      assert.equal(asked, 0);
    } finally {
      server.close();
    }
  });

  it('may have any name', async () => {
    const directory = await newDirectory();
    for (const name of [
      '-i.mkv',
      'concat:a|b.mkv',
      "a 'b' $(c).mkv",
      'http:x.mkv',
      '%03d.mkv',
      'ü\u001b[31m.mkv',
    ]) {
      const path = join(directory, name);
      await copyFile(film, path);
      const source = await openVideoFile(host, path, SIZE);
      assert.equal((await take(source, 1)).length, 1, name);
      await source.close();
    }
  });

  it('is named in full, so that no name is an option or another protocol', () => {
    assert.match(fileInput('-x.mkv').at(-1) ?? '', /^file:\/.*\/-x\.mkv$/);
    assert.ok(fileInput('a.png').includes('-framerate'));
    assert.ok(!fileInput('a.mkv').includes('-framerate'));
  });
});

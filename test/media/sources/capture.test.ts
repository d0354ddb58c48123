import assert from 'node:assert/strict';
import { thisHost } from '../../../lib/media/devices/host.ts';
import type { VideoFrame } from '../../../lib/media/frames.ts';
import { openPictures, openSound } from '../../../lib/media/sources/capture.ts';
import { frequencyOf, joinSounds } from '../../support/media-devices.ts';
import {
  describeAudioSource,
  describeVideoSource,
  take,
} from '../../support/media-source-contract.ts';

const host = thisHost();
const SIZE = { width: 320, height: 240, fps: 15 };
const pictures = (source: string) => ({
  host,
  label: 'it',
  inputs: [['-re', '-f', 'lavfi', '-i', source]],
});
const TONE = pictures('sine=frequency=700:sample_rate=44100');

describeVideoSource('pictures by ffmpeg', () => openPictures(pictures('testsrc2=rate=30'), SIZE));
describeAudioSource('sound by ffmpeg', () => openSound(TONE));

describe('what ffmpeg reads', function () {
  this.timeout(60_000);

  it('becomes pictures of square pixels', async () => {
    const source = await openPictures(pictures('testsrc2=size=360x288:rate=30,setsar=16/9'), SIZE);
    const [frame] = await take(source, 1);
    await source.close();
    // 640×288 of them, within 320×240.
    assert.deepEqual([frame?.width, frame?.height], [320, 144]);
  });

  it('becomes pictures of limited range, by BT.601, whatever it was', async () => {
    for (const how of ['format=yuvj420p', 'format=rgb24', 'format=yuv444p']) {
      const source = await openPictures(pictures(`color=red:size=64x48:rate=30,${how}`), SIZE);
      const [frame] = await take(source, 1);
      await source.close();
      const { data } = frame as VideoFrame;
      const seen = [data[0]!, data[64 * 48]!, data.at(-1)!];
      const isRed = [81, 90, 240].every((value, at) => Math.abs(value - seen[at]!) <= 5);
      assert.ok(isRed, `${how}: ${seen.join()}`);
    }
  });

  it('comes no more often than wanted', async () => {
    const source = await openPictures(pictures('testsrc2=rate=60'), { ...SIZE, fps: 10 });
    const frames = await take(source, 12);
    await source.close();
    const apart = (frames.at(-1)!.time - frames[1]!.time) / 10;
    assert.ok(apart > 60, `${apart} ms apart`);
  });

  it('becomes sound of one channel, at 48 kHz', async () => {
    const source = await openSound(TONE);
    const hertz = frequencyOf(joinSounds(await take(source, 100)));
    await source.close();
    assert.ok(Math.abs(hertz - 700) < 5, `${hertz} Hz`);
  });

  it('is refused with what it complains of, of the first way where there are several', async () => {
    const inputs = ['first', 'second'].map((name) => ['-i', `/nowhere/${name}`]);
    const message = 'it gives no sound: /nowhere/first: No such file or directory';
    await assert.rejects(openSound({ host, label: 'it', inputs }), { code: 'NO_DEVICE', message });
  });
});

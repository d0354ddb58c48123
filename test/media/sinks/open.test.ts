import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { thisHost, type Host } from '../../../lib/media/devices/host.ts';
import { noDevice } from '../../../lib/media/devices/refusals.ts';
import { openRecorder, openSpeaker } from '../../../lib/media/sinks/open.ts';
import { decodeSound, SoundServer } from '../../support/media-devices.ts';
import { tone } from '../../support/media-sink-contract.ts';
import { temporary } from '../../support/temporary.ts';

const withoutNative = (host: Host): Host => ({
  ...host,
  native: () => {
    throw noDevice('missing');
  },
});

describe('opening a sink by what a person writes', function () {
  this.timeout(60_000);
  const { newDirectory } = temporary();
  let own = '';
  let server: SoundServer;
  let host: Host;
  before(async () => {
    own = await mkdtemp(join(tmpdir(), 'clchat-test-'));
    server = await SoundServer.start(own);
    host = withoutNative(server.host);
  });
  after(async () => {
    await server.stop();
    await rm(own, { recursive: true, force: true });
  });

  it('gives nothing for none', async () => {
    assert.equal(await openSpeaker('none'), undefined);
  });

  it('gives speakers, the usual one and others', async () => {
    for (const [spec, label] of [
      ['default', 'speaker'],
      ['hall', 'speaker hall'],
    ] as const) {
      const speaker = await openSpeaker(spec, { host });
      assert.equal(speaker?.label, label);
      speaker.write(tone());
      await speaker.close();
    }
  });

  it('gives a file of its own each time, and touches no other', async () => {
    const directory = await newDirectory();
    const path = join(directory, 'call.wav');
    for (const [length, label] of [
      [3, 'call.wav'],
      [2, 'call-2.wav'],
      [1, 'call-3.wav'],
    ] as const) {
      const file = await openSpeaker(path);
      assert.equal(file?.label, label);
      for (let at = 0; at < length; at++) file.write(tone());
      await file.close();
      assert.equal((await decodeSound(join(directory, label))).length, length * 480);
    }
    assert.equal((await readdir(directory)).length, 3);
    assert.equal((await decodeSound(path)).length, 3 * 480);
    await assert.rejects(openSpeaker(join(directory, 'no', 'a.wav')), { code: 'NO_SUCH_FILE' });
  });

  it('refuses a speaker that is not there, and says which there are', async () => {
    await assert.rejects(openSpeaker('nowhere', { host }), {
      code: 'NO_DEVICE',
      message: /^Speaker nowhere cannot be used: .*\. There is: hall \(.*\)\.$/,
    });
    await assert.rejects(openSpeaker('default', { host: { ...host, ffmpeg: '/nowhere/ffmpeg' } }), {
      code: 'NO_DEVICE',
      message: 'ffmpeg is not installed: apt install ffmpeg',
    });
    await assert.rejects(openSpeaker('default', { host: { ...host, platform: 'win32' } }), {
      code: 'NO_DEVICE',
    });
  });

  it('gives a recording', async () => {
    const size = { width: 160, height: 120, fps: 10 };
    const recorder = await openRecorder(join(await newDirectory(), 'call.mkv'), size, {
      host: thisHost(),
    });
    assert.equal(recorder.label, 'call.mkv');
    await recorder.close();
  });
});

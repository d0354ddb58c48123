import assert from 'node:assert/strict';
import { join } from 'node:path';
import { sleep } from '../../../lib/lifecycle.ts';
import { decodeSound, frequencyOf } from '../../support/media-devices.ts';
import { comesAbout, Link, LIMITS, MediaSide, NO_WAYS } from '../../support/media-sides.ts';
import { temporary } from '../../support/temporary.ts';

const SMALL = { width: 160, height: 96, fps: 15 };
const LARGE = { width: 320, height: 240, fps: 15 };
/** Longer than it takes until what is under way has come, and is counted, in milliseconds. */
const QUIET_MS = 2_500;

describe('a call between two helper processes', function () {
  this.timeout(120_000);
  const places = temporary();
  let alice: MediaSide;
  let bob: MediaSide;

  before(async () => {
    [alice, bob] = await Promise.all([MediaSide.start(), MediaSide.start()]);
    await Promise.all([alice.use('camera', 'test'), alice.use('microphone', 'tone:440')]);
    await new Link({ side: alice, name: 'alice' }, { side: bob, name: 'bob' }).connected();
  });
  after(async () => Promise.all([alice?.stop(), bob?.stop()]));
  beforeEach(() => {
    for (const side of [alice, bob]) side.events.length = side.pictures.length = 0;
  });
  afterEach(() => alice.send('bob', {}));

  it('carries pictures, whose number and age are told', async () => {
    alice.send('bob', { camera: SMALL });
    await bob.finds('alice', 'a picture', ({ camera }) => camera?.frameNumber !== undefined);
    const { camera: first } = await bob.statsOf('alice');
    await bob.finds(
      'alice',
      'a later one',
      ({ camera }) => camera!.frameNumber! > first!.frameNumber!,
    );
    const { camera, screen, state } = await bob.statsOf('alice');
    assert.deepEqual(
      [camera!.width, camera!.height, screen, state],
      [160, 96, undefined, 'connected'],
    );
    assert(camera!.framesDecoded > first!.framesDecoded);
    assert(camera!.latencyMs! > -5 && camera!.latencyMs! < 5_000, `${camera!.latencyMs} ms old`);
  });

  it('carries them in the size that is wanted now', async () => {
    for (const size of [SMALL, LARGE, SMALL]) {
      alice.send('bob', { camera: size });
      await bob.finds('alice', 'that size', ({ camera }) => camera?.width === size.width);
      assert.equal((await bob.statsOf('alice')).camera!.height, size.height);
    }
    assert.deepEqual((await alice.statsOf('bob')).sending?.width, SMALL.width);
  });

  it('carries a screen beside the camera', async () => {
    await alice.use('screen', 'test');
    alice.send('bob', { camera: SMALL, screen: LARGE });
    await bob.finds('alice', 'both', ({ camera, screen }) => {
      return camera?.width === SMALL.width && screen?.width === LARGE.width;
    });
    await alice.use('screen', 'none');
    await bob.finds('alice', 'the end of the screen', ({ screen }) => screen === undefined);
  });

  it('carries a tone, which stays the same', async () => {
    for (const hertz of [440, 1_000]) {
      await alice.use('microphone', `tone:${hertz}`);
      alice.send('bob', { sound: true });
      const near = ({ toneHz = 0 }: { toneHz?: number } = {}): boolean =>
        Math.abs(toneHz - hertz) < hertz / 100;
      await bob.finds('alice', `${hertz} Hz`, ({ sound }) => near(sound));
      assert(near((await alice.stats()).microphone));
    }
    await bob.finds('alice', 'what was counted of it', ({ sound }) => sound!.packets > 0);
  });

  it('tells who is talking, oneself too', async () => {
    alice.send('bob', { sound: true });
    await alice.use('microphone', 'none');
    await comesAbout('silence', async () => (await bob.statsOf('alice')).sound?.level === 0);
    for (const side of [alice, bob]) side.events.length = 0;
    await alice.use('microphone', 'tone');
    const told = (side: MediaSide, peer: string | null, talking: boolean): Promise<void> =>
      comesAbout(`${peer} talking: ${talking}`, () =>
        side.events.some(
          (one) => one.event === 'talking' && one.peer === peer && one.talking === talking,
        ),
      );
    await Promise.all([told(alice, null, true), told(bob, 'alice', true)]);
    await alice.use('microphone', 'none');
    await Promise.all([told(alice, null, false), told(bob, 'alice', false)]);
    assert.equal((await alice.stats()).microphone, undefined);
  });

  it('carries what is said while the key is held, where it is talked by one', async () => {
    const isHeard = async (heard: boolean): Promise<void> =>
      bob.finds('alice', `heard: ${heard}`, ({ sound }) => (sound?.toneHz !== undefined) === heard);
    await alice.use('microphone', 'tone');
    alice.send('bob', { sound: true });
    await isHeard(true);
    alice.media.order({ order: 'gate', settings: { mode: 'push' } });
    await isHeard(false);
    alice.media.order({ order: 'push', held: true });
    await isHeard(true);
    alice.media.order({ order: 'push', held: false });
    await isHeard(false);
    alice.media.order({ order: 'gate', settings: { mode: 'open' } });
    await isHeard(true);
  });

  it('carries no pictures that are not wanted', async () => {
    alice.send('bob', { camera: SMALL });
    await bob.finds('alice', 'pictures', ({ camera }) => camera !== undefined);
    alice.send('bob', {});
    await sleep(1_000);
    const { camera: before } = await bob.statsOf('alice');
    await sleep(1_000);
    const { camera: now } = await bob.statsOf('alice');
    // None for three seconds are none at all, which is told a moment earlier or later.
    assert.equal((now ?? before)?.framesDecoded, before?.framesDecoded);
    await bob.finds('alice', 'the end of them', ({ camera }) => camera === undefined);
    assert.equal((await alice.statsOf('bob')).sending, undefined);
  });

  it('carries no sound that is not to be heard, and no silence', async () => {
    await Promise.all([alice.use('microphone', 'tone'), bob.use('microphone', 'tone')]);
    const sides = [
      [alice, 'bob'],
      [bob, 'alice'],
    ] as const;
    for (const [side, peer] of sides) side.send(peer, { sound: true });
    for (const [side, peer] of sides)
      await side.finds(peer, 'a tone', ({ sound }) => sound?.toneHz !== undefined);
    alice.send('bob', { sound: false });
    await bob.use('microphone', 'silence');
    const packets = (): Promise<(number | undefined)[]> =>
      Promise.all(sides.map(async ([side, peer]) => (await side.statsOf(peer)).sound?.packets));
    await sleep(QUIET_MS);
    const before = await packets();
    assert(before.every((count) => count! > 0));
    await sleep(QUIET_MS);
    assert.deepEqual(await packets(), before);
    await bob.use('microphone', 'none');
  });

  it('makes somebody louder, or silent, for oneself', async () => {
    const file = join(await places.newDirectory(), 'heard.wav');
    await alice.use('microphone', 'tone:440');
    alice.send('bob', { sound: true });
    await bob.finds('alice', 'a tone', ({ sound }) => sound?.toneHz !== undefined);
    assert.equal((await bob.media.call('speaker', { spec: file })).label, 'heard.wav');
    for (const volume of [100, 0, 50]) {
      bob.media.order({ order: 'hear', peer: 'alice', volume });
      await sleep(1_000);
    }
    await bob.media.call('speaker', { spec: 'none' });
    bob.media.order({ order: 'hear', peer: 'alice', volume: 100 });
    const heard = await decodeSound(file);
    const peaks = Array.from({ length: Math.floor(heard.length / 4_800) }, (_, at) =>
      heard.subarray(at * 4_800, (at + 1) * 4_800).reduce((peak, one) => Math.max(peak, one), 0),
    );
    const middle = (part: number): number => peaks[Math.round((peaks.length * part) / 6)]!;
    const [full, none, half] = [middle(1), middle(3), middle(5)];
    assert(full > 6_000 && none === 0 && half > full * 0.4 && half < full * 0.6, peaks.join());
    assert(Math.abs(frequencyOf(heard.subarray(0, 24_000)) - 440) < 4.4);
  });

  it('passes over what somebody sends who is silenced for everyone', async () => {
    const file = join(await places.newDirectory(), 'call.wav');
    const hear = (suppressed: boolean): void =>
      bob.media.order({ order: 'hear', peer: 'alice', volume: 100, suppressed });
    const isHeard = async (heard: boolean): Promise<void> => {
      await bob.finds('alice', `heard: ${heard}`, ({ sound }) => {
        return (sound?.toneHz !== undefined) === heard && sound!.level > 0 === heard;
      });
      await comesAbout(`talking: ${heard}`, () =>
        bob.events.some((one) => one.event === 'talking' && one.talking === heard),
      );
      bob.events.length = 0;
    };
    await alice.use('microphone', 'none');
    await bob.finds('alice', 'silence', ({ sound }) => sound?.level === 0);
    bob.events.length = 0;
    await alice.use('microphone', 'tone:440');
    alice.send('bob', { sound: true });
    await isHeard(true);
    hear(true);
    await isHeard(false);
    await bob.media.call('record', { file });
    await sleep(500);
    assert.deepEqual((await bob.statsOf('alice')).sound!.level, 0);
    await bob.media.call('record', { file: undefined });
    assert.equal(frequencyOf(await decodeSound(file)), 0);
    hear(false);
    await isHeard(true);
  });

  it('records of this side what the others may hear, and nothing else', async () => {
    const { media } = alice;
    const record = async (isHeld: boolean): Promise<number> => {
      const file = join(await places.newDirectory(), 'own.wav');
      media.order({ order: 'push', held: isHeld });
      await sleep(300);
      await media.call('record', { file });
      await sleep(700);
      await media.call('record', { file: undefined });
      return frequencyOf(await decodeSound(file));
    };
    await alice.use('microphone', 'tone:440');
    media.order({ order: 'gate', settings: { mode: 'push' } });
    try {
      assert.equal(await record(false), 0);
      assert(Math.abs((await record(true)) - 440) < 20);
    } finally {
      media.order({ order: 'push', held: false });
      media.order({ order: 'gate', settings: { mode: 'open' } });
    }
  });

  it('hears whose microphone is said to be off as soon as something comes, and not before', async () => {
    const hear = (silent: boolean): void =>
      bob.media.order({ order: 'hear', peer: 'alice', volume: 100, silent });
    const talks = (talking: boolean): Promise<void> =>
      comesAbout(`talking: ${talking}`, () =>
        bob.events.some((one) => one.event === 'talking' && one.talking === talking),
      );
    await alice.use('microphone', 'none');
    await bob.finds('alice', 'silence', ({ sound }) => sound?.level === 0);
    hear(true);
    bob.events.length = 0;
    await alice.use('microphone', 'tone:440');
    alice.send('bob', { sound: true });
    await bob.finds('alice', 'a tone', ({ sound }) => sound?.toneHz !== undefined);
    await talks(true);
    // Whoever does not tell of the end of it is silent all the same when nothing comes any more.
    bob.events.length = 0;
    alice.send('bob', { sound: false });
    await talks(false);
    await bob.finds('alice', 'silence', ({ sound }) => sound!.toneHz === undefined);
    alice.send('bob', { sound: true });
    hear(false);
    await bob.finds('alice', 'a tone', ({ sound }) => sound?.toneHz !== undefined);
  });

  describe('shows pictures', () => {
    const show = (shown: boolean): void =>
      bob.media.order({ order: 'show', peer: 'alice', kind: 'camera', shown });
    afterEach(() => {
      show(false);
      bob.takes = true;
    });

    it('while they are wanted here', async () => {
      alice.send('bob', { camera: SMALL });
      await bob.finds('alice', 'pictures', ({ camera }) => camera !== undefined);
      assert.equal(bob.pictures.length, 0);
      show(true);
      await comesAbout('some', () => bob.pictures.length >= 5);
      for (const [peer, kind] of bob.pictures) assert.deepEqual([peer, kind], ['alice', 'camera']);
      const numbers = bob.pictures.flatMap(([, , number]) => number ?? []);
      assert.deepEqual(numbers.length, bob.pictures.length);
      assert.deepEqual(
        numbers,
        [...new Set(numbers)].sort((one, two) => one - two),
      );
      show(false);
      await bob.stats();
      bob.pictures.length = 0;
      const { camera } = await bob.statsOf('alice');
      await bob.finds(
        'alice',
        'more',
        (now) => now.camera!.framesDecoded > camera!.framesDecoded + 5,
      );
      assert.equal(bob.pictures.length, 0);
    });

    it('one after the other, each once the one before was taken', async () => {
      bob.takes = false;
      alice.send('bob', { camera: SMALL });
      show(true);
      for (let shown = 1; shown <= 3; shown++) {
        await comesAbout('a picture', () => bob.pictures.length === shown);
        const { camera } = await bob.statsOf('alice');
        await bob.finds(
          'alice',
          'more',
          (now) => now.camera!.framesDecoded > camera!.framesDecoded + 5,
        );
        assert.equal(bob.pictures.length, shown);
        bob.media.order({ order: 'taken', peer: 'alice', kind: 'camera' });
      }
    });

    it('of oneself', async () => {
      alice.takes = false;
      alice.media.order({ order: 'mirror', size: SMALL });
      await comesAbout('a picture', () => alice.pictures.length === 1);
      await sleep(300);
      const shown = [...alice.pictures];
      assert.equal(shown.length, 1);
      const [peer, kind, number] = shown[0]!;
      assert.deepEqual([peer, kind, typeof number], [null, 'camera', 'number']);
      alice.takes = true;
      alice.media.order({ order: 'taken', peer: null, kind: 'camera' });
      await comesAbout('more', () => alice.pictures.length >= 5);
      alice.media.order({ order: 'mirror', size: null });
      await alice.stats();
      alice.pictures.length = 0;
      await sleep(300);
      assert.equal(alice.pictures.length, 0);
    });
  });

  describe('goes on', () => {
    it('with the camera that was there, where another cannot be had', async () => {
      await assert.rejects(alice.use('camera', '/nowhere/camera'), { code: 'NO_DEVICE' });
      alice.send('bob', { camera: SMALL });
      await bob.finds('alice', 'pictures', ({ camera }) => camera !== undefined);
    });

    it('when what is asked for makes no sense', async () => {
      const { media } = alice;
      const sdp = 'v=0\r\n';
      const ask = { peer: 'nobody', attempt: 1, sdp, limits: LIMITS };
      await assert.rejects(media.call('answer', ask), { code: 'CLOSED' });
      media.order({ order: 'open', peer: 'nobody', attempt: 1, makesOffers: false, ways: NO_WAYS });
      await assert.rejects(media.call('answer', ask), { code: 'BAD_MESSAGE' });
      await assert.rejects(media.call('answer', { ...ask, attempt: 2 }), { code: 'CLOSED' });
      await assert.rejects(media.call('offer', { ...ask, attempt: 2, restart: false }), {
        code: 'CLOSED',
      });
      const candidate = { peer: 'nobody', attempt: 1, candidate: 'x', mid: 'y' };
      media.order({ order: 'candidate', ...candidate });
      media.order({ order: 'close', peer: 'nobody' });
      assert.deepEqual(Object.keys((await alice.stats()).peers), ['bob']);
    });

    it('with so many others at most', async () => {
      const names = Array.from({ length: 40 }, (_, at) => `other${at}`);
      for (const peer of names)
        alice.media.order({ order: 'show', peer, kind: 'camera', shown: true });
      assert.equal(Object.keys((await alice.stats()).peers).length, 32);
      for (const peer of names) alice.media.order({ order: 'close', peer });
      assert.equal(Object.keys((await alice.stats()).peers).length, 1);
    });
  });
});

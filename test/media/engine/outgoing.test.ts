import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Clock } from '../../../lib/lifecycle.ts';
import { OutgoingPictures, Scaler } from '../../../lib/media/engine/outgoing.ts';
import type { VideoFrame } from '../../../lib/media/frames.ts';
import { flatPicture, randomPicture } from '../video/pictures.ts';

const WANTED = { width: 320, height: 240, fps: 10 };
/** How it goes where all goes well. */
const WELL = { fractionLost: 0, limit: 500_000, available: 500_000, lag: 0 };

describe('pictures on their way to another device', () => {
  let now = 0;
  let sent: VideoFrame[] = [];
  let pictures: OutgoingPictures;
  const clock: Clock = { now: () => 0, monotonic: () => now };

  beforeEach(() => {
    now = 1_000_000;
    sent = [];
    pictures = new OutgoingPictures(clock, new Scaler(), (frame) => void sent.push(frame));
  });

  /** Pictures of 30 a second for so long. */
  const film = (seconds: number, width = 640, height = 480): void => {
    const frame = flatPicture(width, height, 90);
    for (let at = 0; at < 30 * seconds; at++, now += 1_000 / 30) pictures.write({ ...frame });
  };
  /** Two seconds of which so many pictures come out of the encoder. */
  let encoded = 0;
  const period = (share: number, how = WELL): void => {
    const before = sent.length;
    film(2);
    encoded += Math.round((sent.length - before) * share);
    pictures.note(encoded, how);
  };
  beforeEach(() => (encoded = 0));

  it('are none that nobody wants', () => {
    film(1);
    assert.deepEqual([sent.length, pictures.size, pictures.wanted], [0, undefined, null]);
    pictures.want(WANTED);
    film(1);
    assert.deepEqual(pictures.size, WANTED);
    const count = sent.length;
    assert(count > 0);
    pictures.want(null);
    film(1);
    pictures.again();
    assert.deepEqual([sent.length, pictures.wanted], [count, null]);
  });

  it('are as many and as large as they are wanted at most', () => {
    pictures.want(WANTED);
    film(3);
    assert(Math.abs(sent.length - 30) <= 1, `${sent.length} in three seconds`);
    assert(sent.every(({ width, height }) => width === 320 && height === 240));
    sent.length = 0;
    pictures.want({ ...WANTED, width: 160 });
    film(1, 160, 90);
    assert(sent.every(({ width, height }) => width === 160 && height === 90));
  });

  it('go out as they are where they are small enough', () => {
    pictures.want(WANTED);
    const frame = randomPicture(320, 240, 1);
    pictures.write(frame);
    assert.equal(sent[0], frame);
  });

  it('are what was seen last, for one who has just come', () => {
    pictures.want(WANTED);
    pictures.again();
    assert.equal(sent.length, 0);
    const [first, second] = [randomPicture(64, 48, 1), randomPicture(64, 48, 2)];
    pictures.write(first);
    pictures.write(second);
    assert.deepEqual(sent, [first]);
    pictures.again();
    assert.deepEqual(sent, [first, second]);
  });

  it('are not what was seen before they were unwanted for a while', () => {
    pictures.want(WANTED);
    pictures.write(randomPicture(64, 48, 1));
    pictures.want(null);
    pictures.want(WANTED);
    pictures.again();
    assert.equal(sent.length, 1);
  });

  it('become fewer and smaller where they do not get out, and more again', () => {
    pictures.want(WANTED);
    for (let times = 0; times < 6; times++) period(0.3);
    const { width, fps } = pictures.size!;
    assert(width < WANTED.width && fps < WANTED.fps, `${width}@${fps}`);
    assert.deepEqual(pictures.wanted, WANTED);
    for (let times = 0; times < 40; times++) period(1);
    assert.deepEqual(pictures.size, WANTED);
  });

  it('become fewer where the network loses them', () => {
    pictures.want(WANTED);
    for (let times = 0; times < 2; times++) period(1, { ...WELL, fractionLost: 0.3 });
    assert(pictures.size!.fps < WANTED.fps);
  });

  it('are counted from where there is a way to the other side', () => {
    pictures.want(WANTED);
    for (let times = 0; times < 4; times++) {
      film(10);
      pictures.again();
      period(1);
    }
    assert.deepEqual(pictures.size, WANTED);
  });

  it('are counted anew for a new connection', () => {
    pictures.want(WANTED);
    period(1);
    for (const fewer of [15, 10, 5, 0]) {
      film(2);
      pictures.note(fewer, WELL);
    }
    assert.deepEqual(pictures.size, WANTED);
  });

  it('are not counted twice at the same time', () => {
    pictures.want(WANTED);
    period(1);
    for (let times = 0; times < 9; times++) pictures.note(encoded, { ...WELL, fractionLost: 1 });
    assert.deepEqual(pictures.size, WANTED);
  });
});

describe('a picture that several want', () => {
  it('is scaled once for each size', () => {
    const scaler = new Scaler();
    const frame = randomPicture(640, 480, 1);
    const small = scaler.scale(frame, { width: 160, height: 120 });
    assert.deepEqual([small.width, small.height], [160, 120]);
    assert.equal(scaler.scale(frame, { width: 160, height: 120 }), small);
    assert.equal(scaler.scale(frame, { width: 160, height: 500 }), small);
    assert.notEqual(scaler.scale(frame, { width: 320, height: 240 }), small);
    assert.equal(scaler.scale(frame, { width: 160, height: 120 }), small);
  });

  it('is not mistaken for another one', () => {
    const scaler = new Scaler();
    const limit = { width: 160, height: 120 };
    const [one, other] = [randomPicture(640, 480, 1), randomPicture(640, 480, 2)];
    const first = scaler.scale(one, limit);
    assert.notDeepEqual(scaler.scale(other, limit).data, first.data);
    assert.deepEqual(scaler.scale(one, limit), first);
  });

  it('keeps its proportions and its time, and never gets larger', () => {
    const scaler = new Scaler();
    const side = fc.integer({ min: 16, max: 200 });
    fc.assert(
      fc.property(side, side, fc.nat(300), fc.nat(300), (width, height, most, high) => {
        const frame = flatPicture(width, height, 90);
        const scaled = scaler.scale(frame, { width: most, height: high });
        assert(scaled.width <= width && scaled.height <= height);
        assert(scaled.width <= Math.max(16, most) && scaled.height <= Math.max(16, high));
        assert.equal(scaled.time, frame.time);
      }),
      { numRuns: 50 },
    );
  });

  it('is refused where it is none', () => {
    const broken = { ...flatPicture(64, 48, 90), data: new Uint8Array(5) };
    assert.throws(() => new Scaler().scale(broken, { width: 32, height: 32 }), {
      code: 'BAD_MESSAGE',
    });
  });
});

import assert from 'node:assert/strict';
import type { Stream } from '@libp2p/interface';
import { multiaddrConnectionPair } from '@libp2p/utils';
import fc from 'fast-check';
import { sleep, systemClock } from '../../lib/lifecycle.ts';
import { FrameGuard, guardedYamux } from '../../lib/node/libp2p-muxer.ts';
import { yamuxHeader } from '../support/foreign-peer.ts';

/** A clock that stands still until told. */
function makeClock() {
  let time = 0;
  return { now: () => 0, monotonic: () => time, advance: (by: number) => (time += by) };
}

const [DATA, WINDOW, PING] = [0, 1, 2];
const [SYN, RST] = [1, 8];

describe('guard of the multiplexer', () => {
  const agreed = (): string => '/clchat/test/1';

  it('lets honest frames through, however they are cut', () => {
    const bytes = Buffer.concat([
      yamuxHeader(WINDOW, SYN, 1, 0),
      yamuxHeader(DATA, 0, 1, 300),
      Buffer.alloc(300, 0xff),
      yamuxHeader(PING, SYN, 0, 5),
      yamuxHeader(DATA, 0, 1, 1 << 20),
      Buffer.alloc(1 << 20, 0xff),
      yamuxHeader(DATA, 0, 1, 0),
      yamuxHeader(WINDOW, 0, 1, 0xffff_ffff),
    ]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1 }), (cuts) => {
        const guard = new FrameGuard(makeClock(), agreed);
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const cut = cuts[turn % cuts.length]! + (turn > 1000 ? 10_000 : 0);
          assert.equal(guard.check([bytes.subarray(at, at + cut)]), undefined);
          at += cut;
        }
      }),
      { numRuns: 30 },
    );
  });

  it('sees a frame over the window by its header alone', () => {
    const guard = new FrameGuard(makeClock(), agreed);
    assert.match(guard.check([yamuxHeader(DATA, 0, 1, (1 << 20) + 1)]) ?? '', /more than it may/);
  });

  it('bounds pings and new streams by rate', () => {
    const clock = makeClock();
    const guard = new FrameGuard(clock, agreed);
    const controls = [yamuxHeader(PING, SYN, 0, 1), yamuxHeader(WINDOW, SYN, 3, 0)];
    controls.push(yamuxHeader(WINDOW, RST, 3, 0), yamuxHeader(DATA, SYN, 5, 0));
    for (let i = 0; i < 64; i++) assert.equal(guard.check(controls), undefined);
    assert.match(guard.check(controls) ?? '', /too much/);
    clock.advance(1000);
    for (let i = 0; i < 15; i++) assert.equal(guard.check(controls), undefined);
    // Frames that belong to the transfer of data are as many as it takes.
    for (let i = 0; i < 5000; i++)
      assert.equal(
        guard.check([yamuxHeader(WINDOW, 0, 1, 1), yamuxHeader(DATA, 0, 1, 0)]),
        undefined,
      );
  });

  it('bounds what comes before the protocol of a stream is agreed upon', () => {
    let protocol: string | undefined = '';
    const guard = new FrameGuard(makeClock(), () => protocol);
    const some = Buffer.concat([yamuxHeader(DATA, 0, 1, 1000), Buffer.alloc(1000)]);
    for (let i = 0; i < 16; i++) assert.equal(guard.check([some]), undefined);
    assert.match(guard.check([some]) ?? '', /before it is asked/);

    const second = new FrameGuard(makeClock(), () => protocol);
    for (let i = 0; i < 16; i++) assert.equal(second.check([some]), undefined);
    protocol = '/clchat/test/1';
    for (let i = 0; i < 100; i++) assert.equal(second.check([some]), undefined);
    protocol = '/ipfs/id/1.0.0';
    for (let i = 0; i < 16; i++) assert.equal(second.check([some]), undefined);
    assert.match(second.check([some]) ?? '', /before it is asked/);
  });

  it('counts for streams that are just being opened, not for those that are gone', () => {
    const guard = new FrameGuard(makeClock(), () => undefined);
    const to = (id: number): Buffer =>
      Buffer.concat([yamuxHeader(DATA, 0, id, 1000), Buffer.alloc(1000)]);
    for (let i = 0; i < 100; i++) assert.equal(guard.check([to(1)]), undefined);
    assert.equal(guard.check([yamuxHeader(WINDOW, SYN, 3, 0)]), undefined);
    for (let i = 0; i < 16; i++) assert.equal(guard.check([to(3)]), undefined);
    assert.match(guard.check([to(3)]) ?? '', /before it is asked/);
  });

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 })), (chunks) => {
        new FrameGuard(makeClock(), (id) => (id % 3 === 0 ? undefined : '')).check(chunks);
      }),
    );
  });
});

describe('windows of the multiplexer', () => {
  const yamux = guardedYamux(
    { inboundStreams: 8, pingAfterMs: 60_000, deadAfterMs: 120_000 },
    systemClock,
  );
  let bytesBack: number;
  let framesBack: number;
  let near: Stream;
  let far: Stream;

  beforeEach(async () => {
    const [a, b] = multiaddrConnectionPair();
    const { factory } = yamux;
    const arrived = new Promise<Stream>((resolve) => {
      const muxer = factory().createStreamMuxer(b);
      muxer.addEventListener('stream', ({ detail }) => resolve(detail));
    });
    near = await factory().createStreamMuxer(a).createStream();
    far = await arrived;
    near.protocol = far.protocol = '/clchat/test/1';
    // The first frame is answered in any case.
    near.send(Uint8Array.of(1));
    far.addEventListener('message', () => undefined, { once: true });
    await sleep(20);
    bytesBack = framesBack = 0;
    a.addEventListener('message', ({ data }) => {
      framesBack++;
      bytesBack += data.byteLength;
    });
  });

  after(() => yamux.stop());

  /** Sends so much, and says so when the other side has read it all. */
  async function pass(total: number, chunk: number): Promise<void> {
    let read = 0;
    const all = new Promise<void>((resolve) => {
      far.addEventListener('message', ({ data }) => {
        if ((read += data.byteLength) === total) resolve();
      });
    });
    for (let sent = 0; sent < total; sent += chunk)
      if (!near.send(new Uint8Array(chunk)))
        await new Promise((resolve) => near.addEventListener('drain', resolve, { once: true }));
    await all;
  }

  it('are not told of each small frame', async () => {
    await pass(100_000, 1_000);
    assert.equal(framesBack, 0);
  });

  it('let all of much through, told now and then', async () => {
    await pass(4_000_000, 1_000);
    assert.ok(framesBack > 0 && bytesBack <= 12 * 32, `${framesBack} frames, ${bytesBack} bytes`);
  });

  it('let all of it through although the reader pauses again and again', async () => {
    let turn = 0;
    const pausing = setInterval(() => (++turn % 2 === 1 ? far.pause() : far.resume()), 3);
    try {
      await pass(8_000_000, 10_000);
    } finally {
      clearInterval(pausing);
    }
  });
});

describe('streams of the multiplexer', () => {
  it('may all come before this side is ready for them', async () => {
    const limits = { inboundStreams: 32, pingAfterMs: 60_000, deadAfterMs: 120_000 };
    const { factory, stop } = guardedYamux(limits, systemClock);
    try {
      const [a, b] = multiaddrConnectionPair();
      const opening = factory().createStreamMuxer(a);
      const ready = factory().createStreamMuxer(b);
      const opened = await Promise.all(Array.from({ length: 32 }, () => opening.createStream()));
      await sleep(20);
      const arrived: Stream[] = [];
      ready.addEventListener('stream', ({ detail }) => arrived.push(detail));
      await sleep(20);
      assert.equal(arrived.length, 32);
      for (const stream of [...opened, ...arrived]) assert.equal(stream.status, 'open');
    } finally {
      stop();
    }
  });
});

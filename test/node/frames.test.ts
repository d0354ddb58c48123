import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { MAX_FRAME } from '../../lib/node/channel.ts';
import {
  FRAME_HEADER,
  FrameBudget,
  FrameReader,
  FrameWriter,
  type Holder,
} from '../../lib/node/frames.ts';
import { hasCode } from '../../lib/errors.ts';

const hex = (frames: readonly Uint8Array[]): string[] =>
  frames.map((frame) => Buffer.from(frame).toString('hex'));

function readAll(reader: FrameReader): Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (let frame = reader.next(); frame !== undefined; frame = reader.next()) frames.push(frame);
  return frames;
}

describe('frames', () => {
  it('have four bytes of length before them', () => {
    const writer = new FrameWriter();
    writer.push(Uint8Array.of(7, 8));
    writer.push(new Uint8Array(0));
    assert.equal(writer.bytes, 10);
    assert.deepEqual([...writer.pack(100)!], [0, 0, 0, 2, 7, 8, 0, 0, 0, 0]);
    assert.equal(writer.bytes, 0);
    assert.equal(writer.pack(100), undefined);
  });

  it('come out as they went in, however they are packed and cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 40 }),
        fc.integer({ min: FRAME_HEADER + 1, max: 700 }),
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }),
        fc.boolean(),
        (frames, limit, cuts, late) => {
          const writer = new FrameWriter();
          const reader = new FrameReader();
          const received: Uint8Array[] = [];
          let turn = 0;
          const drain = (): void => {
            for (let chunk = writer.pack(limit); chunk !== undefined; chunk = writer.pack(limit)) {
              assert(chunk.length > 0 && chunk.length <= limit);
              for (let at = 0; at < chunk.length;) {
                const cut = cuts[turn++ % cuts.length]!;
                reader.push(chunk.subarray(at, at + cut));
                at += cut;
                if (!late) received.push(...readAll(reader));
              }
            }
          };
          for (const frame of frames) {
            writer.push(frame);
            if (frame.length % 3 === 0) drain();
          }
          drain();
          received.push(...readAll(reader));
          assert.deepEqual(hex(received), hex(frames));
          assert.equal(reader.buffered, 0);
          assert.equal(writer.bytes, 0);
        },
      ),
    );
  });

  it('can be taken whole from the writer', () => {
    const writer = new FrameWriter();
    const frames = Array.from({ length: 3000 }, (_, i) => randomBytes(i % 7));
    for (const frame of frames) writer.push(frame);
    const taken: Uint8Array[] = [];
    for (let frame = writer.shift(); frame !== undefined; frame = writer.shift()) taken.push(frame);
    assert.deepEqual(hex(taken), hex(frames));
    assert.equal(writer.bytes, 0);
  });

  it('are refused when too long, before anything of them is there', () => {
    const header = Buffer.alloc(4);
    const reader = new FrameReader();
    header.writeUInt32BE(MAX_FRAME);
    reader.push(header);
    assert.equal(reader.next(), undefined);
    const other = new FrameReader();
    header.writeUInt32BE(MAX_FRAME + 1);
    other.push(header);
    assert.throws(
      () => other.next(),
      (error) => hasCode(error, 'BAD_MESSAGE'),
    );
  });

  it('make of any bytes frames or one error', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 100 })), (chunks) => {
        const reader = new FrameReader();
        const total = chunks.reduce((sum, { length }) => sum + length, 0);
        try {
          let read = 0;
          for (const chunk of chunks) {
            reader.push(chunk);
            for (const frame of readAll(reader)) read += FRAME_HEADER + frame.length;
          }
          assert.equal(read + reader.buffered, total);
        } catch (error) {
          assert(hasCode(error, 'BAD_MESSAGE'));
        }
      }),
      { numRuns: 500 },
    );
  });

  describe('are counted over all channels together', () => {
    const cut: string[] = [];
    const holder = (host: string, name: string): Holder => ({
      host,
      abort: (error) => {
        assert(hasCode(error, 'RATE_LIMITED'));
        cut.push(name);
      },
    });
    beforeEach(() => void cut.splice(0));

    it('as long as they last', () => {
      const budget = new FrameBudget(100);
      const [a, b] = [holder('x', 'a'), holder('y', 'b')];
      budget.hold(a, 60);
      budget.hold(a, 0);
      budget.hold(b, 100);
      budget.hold(b, 30);
      budget.hold(a, 70);
      assert.deepEqual(cut, []);
    });

    it('and beyond, the largest of the host that holds most goes, not who comes next', () => {
      const budget = new FrameBudget(100);
      for (let n = 0; n < 9; n++) budget.hold(holder('x', `x${n}`), n === 5 ? 12 : 10);
      budget.hold(holder('y', 'large'), 40);
      // Cut until it fits, and then no more.
      assert.deepEqual(cut, ['x5', 'x0', 'x1']);
      budget.hold(holder('z', 'new'), 10);
      assert.deepEqual(cut.splice(0), ['x5', 'x0', 'x1', 'x2']);
      budget.hold(holder('z', 'huge'), 1_000);
      assert.deepEqual(cut, ['huge']);
    });
  });
});

import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { LineSplitter, readLines, type Line } from '../../lib/ui/lines.ts';

function split(chunks: Uint8Array[], limit?: number): Line[] {
  const splitter = new LineSplitter(limit);
  return [...chunks.flatMap((chunk) => splitter.push(chunk)), ...splitter.end()];
}

describe('lines', () => {
  it('are cut at line ends of both kinds, with the last one needing none', () => {
    assert.deepEqual(split([Buffer.from('a\r\nb\n\nc')]), ['a', 'b', '', 'c']);
    assert.deepEqual(split([Buffer.from('')]), []);
    assert.deepEqual(split([Buffer.from('\r\n')]), ['']);
  });

  it('are the same however the bytes arrive', () => {
    const lines = fc.array(fc.string({ unit: 'grapheme' }).filter((text) => !/[\r\n]/.test(text)));
    fc.assert(
      fc.property(lines, fc.array(fc.integer({ min: 1, max: 7 })), (texts, sizes) => {
        const bytes = Buffer.from(texts.map((text) => `${text}\n`).join(''));
        const chunks: Buffer[] = [];
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const size = sizes[turn] ?? 5;
          chunks.push(bytes.subarray(at, at + size));
          at += size;
        }
        assert.deepEqual(split(chunks), texts);
      }),
    );
  });

  it('are given up when too long, without keeping them, and the next is fine', () => {
    const splitter = new LineSplitter(10);
    assert.deepEqual(splitter.push(Buffer.from('1234567890\n12345678901\r\n1234567890\r\n')), [
      '1234567890',
      undefined,
      '1234567890',
    ]);
    for (let count = 0; count < 1000; count += 1)
      assert.deepEqual(splitter.push(Buffer.alloc(100, 'x')), []);
    assert.deepEqual(splitter.push(Buffer.from('\nok\n')), [undefined, 'ok']);
  });

  it('make nothing worse of invalid UTF-8', () => {
    assert.deepEqual(split([Buffer.from([0xff, 0x61, 0x0a, 0xc3])]), ['\ufffda', '\ufffd']);
  });

  it('wait while paused, even in the midst of a chunk', async () => {
    const input = new PassThrough();
    const seen: Line[] = [];
    const ended = new Promise<void>((resolve) => {
      const reader = readLines(input, {
        onLine(line) {
          seen.push(line);
          if (line !== 'b') return;
          reader.pause();
          setTimeout(() => {
            assert.deepEqual(seen, ['a', 'b']);
            reader.resume();
          }, 10);
        },
        onEnd: resolve,
      });
    });
    input.end('a\nb\nc\nd');
    await ended;
    assert.deepEqual(seen, ['a', 'b', 'c', 'd']);
  });

  it('end when the stream breaks, and once only', async () => {
    const input = new PassThrough();
    let ends = 0;
    readLines(input, { onLine: () => undefined, onEnd: () => (ends += 1) });
    input.destroy(new Error('broken'));
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(ends, 1);
    readLines(input, { onLine: () => undefined, onEnd: () => (ends += 1) });
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(ends, 2);
  });

  it('stop when told to', async () => {
    const input = new PassThrough();
    const seen: Line[] = [];
    const reader = readLines(input, {
      onLine(line) {
        seen.push(line);
        reader.stop();
      },
      onEnd: () => seen.push('end'),
    });
    input.end('a\nb\n');
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(seen, ['a']);
  });
});

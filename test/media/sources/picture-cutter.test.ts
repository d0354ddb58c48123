import assert from 'node:assert/strict';
import fc from 'fast-check';
import { pictureBytes, type VideoFrame } from '../../../lib/media/frames.ts';
import { PictureCutter } from '../../../lib/media/sources/picture-cutter.ts';

const picture = (width: number, height: number, seed: number): Uint8Array =>
  Uint8Array.from({ length: pictureBytes(width, height) }, (_, at) => (at * 7 + seed * 13) & 0xff);

function stream(width: number, height: number, pictures: readonly Uint8Array[]): Buffer {
  const head = `YUV4MPEG2 W${width} H${height} F15:1 Ip A1:1 C420jpeg XYSCSS=420JPEG\n`;
  return Buffer.concat([
    Buffer.from(head),
    ...pictures.flatMap((one) => [Buffer.from('FRAME\n'), one]),
  ]);
}

function cut(bytes: Uint8Array, lengths: readonly number[]): VideoFrame[] {
  const cutter = new PictureCutter();
  const frames: VideoFrame[] = [];
  let at = 0;
  for (let turn = 0; at < bytes.length; turn++) {
    const length = lengths[turn % lengths.length] ?? bytes.length;
    cutter.take(bytes.subarray(at, at + length), (frame) => frames.push(frame));
    at += length;
  }
  return frames;
}

describe('cutting pictures', () => {
  it('finds them wherever the bytes were cut, of odd sizes too', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 33 }),
        fc.integer({ min: 1, max: 33 }),
        fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 9 }),
        (width, height, lengths) => {
          const pictures = [1, 2, 3].map((seed) => picture(width, height, seed));
          const frames = cut(stream(width, height, pictures), lengths);
          assert.deepEqual(
            frames.map(({ width, height, data }) => ({ width, height, data })),
            pictures.map((data) => ({ width, height, data })),
          );
        },
      ),
    );
  });

  it('refuses what has another form, and does not gather what has no end', () => {
    const size = Buffer.from('YUV4MPEG2 W8 H8 C420jpeg\n');
    for (const bytes of [
      Buffer.from('RIFF\n'),
      Buffer.from('YUV4MPEG2 H8\n'),
      Buffer.from('YUV4MPEG2 W0 H8\n'),
      Buffer.from('YUV4MPEG2 W100000 H8\n'),
      Buffer.from('YUV4MPEG2 W8 H1e9\n'),
      Buffer.from('YUV4MPEG2 W8 H8 C444\n'),
      Buffer.from('YUV4MPEG2 W8 H8 C420p10\n'),
      Buffer.alloc(600, 'x'),
      Buffer.concat([size, Buffer.from('FRAMES\n')]),
      Buffer.concat([size, Buffer.alloc(600, 'x')]),
    ])
      for (const length of [1, 7, 1_000])
        assert.throws(
          () => cut(bytes, [length]),
          { code: 'BAD_MESSAGE' },
          `${bytes.subarray(0, 40).toString()}`,
        );
    for (const chroma of ['420', '420jpeg', '420mpeg2', '420paldv'])
      assert.deepEqual(cut(Buffer.from(`YUV4MPEG2 W8 H8 C${chroma}\n`), [5]), []);
  });

  it('is total: any bytes give pictures or a refusal', () => {
    const word = fc.constantFrom(
      'YUV4MPEG2 ',
      'W2 ',
      'H2 ',
      'C420 ',
      '\n',
      'FRAME',
      '\0\0\0\0\0\0',
      'x',
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 30 }), (words) => {
        try {
          for (const { width, height, data } of cut(Buffer.from(words.join('')), [3, 50]))
            assert.equal(data.length, pictureBytes(width, height));
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'BAD_MESSAGE');
        }
      }),
    );
  });
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { concat, utf8 } from '../../../lib/crdt/bytes.ts';
import { IMAGE_HEADER, imageFacts } from '../../../lib/node/blobs/images.ts';
import { mutated, truncated } from '../../support/mutate.ts';
import { content } from './stage.ts';

const hex = (digits: string): Uint8Array => Uint8Array.from(Buffer.from(digits, 'hex'));
const u16 = (value: number): Uint8Array => Uint8Array.of(value >> 8, value & 0xff);
const u32 = (value: number): Uint8Array => concat(u16(value >>> 16), u16(value & 0xffff));
const box = (type: string, ...parts: Uint8Array[]): Uint8Array => {
  const inside = concat(...parts);
  return concat(u32(8 + inside.length), utf8(type), inside);
};

const png = (width: number, height: number): Uint8Array =>
  concat(hex('89504e470d0a1a0a0000000d49484452'), u32(width), u32(height), hex('08060000000000'));
const gif = concat(utf8('GIF89a'), hex('4001f000'), new Uint8Array(20));
const bmp = (width: string, height: string): Uint8Array =>
  concat(utf8('BM'), new Uint8Array(16), hex(width), hex(height), new Uint8Array(20));
/** A photograph that lies on its side, or not. */
const jpeg = (orientation: number): Uint8Array => {
  const entry = concat(hex('011200030000000100'), Uint8Array.of(orientation), hex('0000'));
  const exif = concat(
    utf8('Exif\0\0'),
    hex('4d4d002a00000008'),
    hex('0001'),
    entry,
    hex('00000000'),
  );
  const frame = concat(hex('08'), u16(480), u16(640), hex('03'), new Uint8Array(9));
  const segment = (marker: string, body: Uint8Array): Uint8Array =>
    concat(hex(marker), u16(2 + body.length), body);
  return concat(hex('ffd8'), segment('ffe1', exif), segment('ffc0', frame), hex('ffd9'));
};
const webp = concat(utf8('RIFF\0\0\0\0WEBPVP8X'), hex('0a000000'), hex('000000003f01003f0300'));
const ispe = box('ispe', u32(0), u32(1_000), u32(600));
const heif = (images: number): Uint8Array =>
  concat(
    box('ftyp', utf8('heic'), u32(0)),
    box('meta', u32(0), box('iprp', box('ipco', ...Array.from({ length: images }, () => ispe)))),
  );
const svg = utf8('<?xml version="1.0"?><svg xmlns="x" width="30" height="20"><g/></svg>');

describe('images', () => {
  it('are known by their first bytes, with what they measure', async () => {
    for (const [bytes, type, width, height] of [
      [png(1_920, 1_080), 'image/png', 1_920, 1_080],
      [gif, 'image/gif', 320, 240],
      [bmp('80020000', 'e0010000'), 'image/bmp', 640, 480],
      // Drawn from the top.
      [bmp('80020000', '20feffff'), 'image/bmp', 640, 480],
      [jpeg(1), 'image/jpeg', 640, 480],
      [webp, 'image/webp', 320, 832],
      [heif(1), 'image/heic', 1_000, 600],
      [svg, 'image/svg+xml', 30, 20],
      [png(65_535, 1), 'image/png', 65_535, 1],
    ] as const)
      assert.deepEqual(await imageFacts(bytes), { type, width, height });
  });

  it('are as wide as they are shown, on their side or not', async () => {
    for (const orientation of [1, 2, 3, 4])
      assert.equal((await imageFacts(jpeg(orientation)))?.width, 640);
    for (const orientation of [5, 6, 7, 8])
      assert.equal((await imageFacts(jpeg(orientation)))?.width, 480);
  });

  it('are not guessed', async () => {
    for (const bytes of [
      new Uint8Array(),
      Uint8Array.of(0),
      new Uint8Array(1_000),
      utf8('just a text'),
      utf8('P1 4 4'),
      utf8('<html><body>no image</body></html>'),
      concat(utf8('%PDF-1.7\n'), content(500)),
      concat(utf8('PK\x03\x04'), content(500)),
      concat(hex('7f454c46'), content(500)),
      // What a targa begins with, and many a file that is none.
      concat(new Uint8Array(12), hex('80028002'), new Uint8Array(40)),
    ])
      assert.equal(await imageFacts(bytes), undefined);
  });

  it('do not say anything that cannot be', async () => {
    for (const bytes of [
      png(0xffff_ffff, 0xffff_ffff),
      png(65_536, 10),
      png(10, 65_536),
      png(0, 10),
      png(10, 0),
      bmp('ffffffff', '01000000'),
      bmp('01000000', '00000080'),
      concat(utf8('8BPS'), new Uint8Array(10), u32(0x7fff_ffff), u32(0x7fff_ffff)),
      utf8('<svg width="1e300" height="1e300"></svg>'),
      utf8('<svg width="0.1" height="-4"></svg>'),
      utf8('<svg viewBox="0 0 0 0"></svg>'),
      concat(
        hex('49492a0008000000'),
        hex('0200'),
        hex('0001040001000000ffffffff'),
        new Uint8Array(40),
      ),
    ])
      assert.equal(await imageFacts(bytes), undefined);
  });

  it('make nothing as large as they say', async () => {
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 50; i++) await imageFacts(png(0xffff_ffff - i, 0xffff_ffff));
    assert.ok(process.memoryUsage().arrayBuffers - before < 8 << 20);
  });

  it('take little time, however they are made', async () => {
    // Each of many pictures is looked up among all: some 300 million steps.
    const slow = heif(25_000);
    assert.ok(slow.length <= IMAGE_HEADER);
    for (const bytes of [
      slow,
      utf8('<svg '.repeat(100_000)),
      utf8(`<svg a>${'<svg '.repeat(100_000)}`),
      utf8(`<svg ${' height="'.repeat(50_000)}>`),
      concat(hex('ffd8ffe0'), new Uint8Array(IMAGE_HEADER)),
      concat(hex('ffd8ffe0'), hex('0002').slice(), new Uint8Array(IMAGE_HEADER).fill(0xff)),
      concat(utf8('icns'), u32(0xffff_ffff), ...Array.from({ length: 60_000 }, () => box('ic10'))),
    ]) {
      const began = performance.now();
      await imageFacts(bytes);
      assert.ok(performance.now() - began < 1_500);
    }
  });

  it('are looked at in their first part only', async () => {
    const far = concat(hex('ffd8ffe0'), new Uint8Array(2 * IMAGE_HEADER), jpeg(1).subarray(2));
    assert.equal(await imageFacts(far), undefined);
    const part = concat(content(64), png(30, 20), content(64));
    assert.equal((await imageFacts(part.subarray(64)))?.width, 30);
  });

  it('never fail, and say only what is sensible, whatever the bytes are', async () => {
    const samples = [png(9, 9), gif, bmp('80020000', 'e0010000'), jpeg(6), webp, heif(2), svg];
    const check = async (bytes: Uint8Array): Promise<void> => {
      const facts = await imageFacts(bytes);
      if (facts === undefined) return;
      for (const side of [facts.width, facts.height])
        assert.ok(Number.isInteger(side) && side > 0 && side <= 65_535);
      assert.match(facts.type, /^image\//);
    };
    for (const sample of samples) for (const bytes of truncated(sample)) await check(bytes);
    const anything = fc.oneof(mutated(samples), fc.uint8Array({ maxLength: 200 }));
    await fc.assert(fc.asyncProperty(anything, check), { numRuns: 1_000 });
  });
});

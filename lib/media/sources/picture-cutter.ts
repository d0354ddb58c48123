/** Pictures that come as bytes, in the form of YUV4MPEG2: its head says how large they are. */
import { ClchatError } from '../../errors.ts';
import { frameTime, pictureBytes, type VideoFrame } from '../frames.ts';
import { isPictureSize } from '../video/picture.ts';

/** Pictures that wait for whoever takes them. */
export const PICTURES_WAITING = 2;

/** Bytes of a line before the pictures, and before each of them. */
const LONGEST_LINE = 512;
const LINE_FEED = 0x0a;

interface Size {
  readonly width: number;
  readonly height: number;
}

export class PictureCutter {
  #line = '';
  #size: Size | undefined;
  #data: Uint8Array | undefined;
  #filled = 0;

  /**
   * @param chunk cut anywhere
   * @throws BAD_MESSAGE for what has not that form; nothing can be taken after it
   */
  take(chunk: Uint8Array, give: (frame: VideoFrame) => void): void {
    for (let at = 0; at < chunk.length;)
      at = this.#data === undefined ? this.#takeLine(chunk, at) : this.#takeData(chunk, at, give);
  }

  #takeLine(chunk: Uint8Array, from: number): number {
    const end = chunk.indexOf(LINE_FEED, from);
    const until = end < 0 ? chunk.length : end;
    if (this.#line.length + until - from > LONGEST_LINE) throw malformed();
    this.#line += Buffer.from(chunk.subarray(from, until)).toString('latin1');
    if (end < 0) return until;
    if (this.#size === undefined) this.#size = sizeOf(this.#line);
    else if (!/^FRAME(?: |$)/.test(this.#line)) throw malformed();
    else this.#data = new Uint8Array(pictureBytes(this.#size.width, this.#size.height));
    this.#line = '';
    return end + 1;
  }

  #takeData(chunk: Uint8Array, from: number, give: (frame: VideoFrame) => void): number {
    const data = this.#data!;
    const part = chunk.subarray(from, from + data.length - this.#filled);
    data.set(part, this.#filled);
    this.#filled += part.length;
    if (this.#filled === data.length) {
      this.#data = undefined;
      this.#filled = 0;
      give({ ...this.#size!, data, time: frameTime() });
    }
    return from + part.length;
  }
}

function sizeOf(head: string): Size {
  const [magic, ...fields] = head.split(' ');
  const field = (letter: string): string | undefined =>
    fields.find((one) => one.startsWith(letter))?.slice(1);
  const size = { width: Number(field('W')), height: Number(field('H')) };
  const chroma = field('C') ?? '420';
  if (magic !== 'YUV4MPEG2' || !isPictureSize(size.width, size.height)) throw malformed();
  // More than 8 bits a sample are written after a p.
  if (!/^420(?!p\d)/.test(chroma)) throw malformed();
  return size;
}

function malformed(): ClchatError {
  return new ClchatError('BAD_MESSAGE', 'These are no pictures in YUV4MPEG2.');
}

/**
 * Frames on a byte stream: four bytes of length, most significant first, then the frame.
 */
import { MAX_FRAME } from './channel.ts';
import { ClchatError } from '../errors.ts';

/** Bytes that a frame takes on the wire beyond its own. */
export const FRAME_HEADER = 4;

/**
 * Cuts received bytes into frames. Untrusted: a length over `MAX_FRAME` is refused before anything
 * of its frame is kept.
 */
export class FrameReader {
  #chunks: Uint8Array[] = [];
  /** Where the next unread byte is in the first chunk. */
  #offset = 0;
  #buffered = 0;

  /** Bytes received and not yet given out. */
  get buffered(): number {
    return this.#buffered;
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
  }

  /**
   * The next whole frame, a copy; undefined while it is not all there.
   * @throws BAD_MESSAGE when its length is out of bounds
   */
  next(): Uint8Array | undefined {
    if (this.#buffered < FRAME_HEADER) return undefined;
    const length = this.#peekLength();
    if (length > MAX_FRAME)
      throw new ClchatError('BAD_MESSAGE', `a frame of ${length} bytes is too long`);
    if (this.#buffered < FRAME_HEADER + length) return undefined;
    this.#read(FRAME_HEADER);
    return this.#read(length);
  }

  clear(): void {
    this.#chunks = [];
    this.#offset = this.#buffered = 0;
  }

  #peekLength(): number {
    let length = 0;
    let chunk = 0;
    let offset = this.#offset;
    for (let i = 0; i < FRAME_HEADER; i++) {
      while (offset >= (this.#chunks[chunk]?.length ?? Infinity)) {
        chunk++;
        offset = 0;
      }
      length = length * 256 + (this.#chunks[chunk]?.[offset++] ?? 0);
    }
    return length;
  }

  /** Takes bytes that are known to be there. A copy, since a slice would keep its whole chunk. */
  #read(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const chunk = this.#chunks[0] as Uint8Array;
      const part = chunk.subarray(this.#offset, this.#offset + length - filled);
      bytes.set(part, filled);
      filled += part.length;
      this.#offset += part.length;
      if (this.#offset === chunk.length) {
        this.#chunks.shift();
        this.#offset = 0;
      }
    }
    this.#buffered -= length;
    return bytes;
  }
}

/** What holds bytes of a budget: a channel. */
export interface Holder {
  /** Where its peer is; all from one host count together. */
  readonly host: string;
  abort(error: Error): void;
}

/**
 * Bounds the bytes of unfinished and untaken frames over all channels of a transport together. When
 * there are too many, those go who hold most, not whoever comes next.
 */
export class FrameBudget {
  readonly #limit: number;
  readonly #shares = new Map<Holder, number>();
  #held = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Says how many bytes a channel holds now. */
  hold(holder: Holder, bytes: number): void {
    this.#count(holder, bytes);
    while (this.#held > this.#limit) {
      const largest = this.#largest();
      this.#count(largest, 0);
      largest.abort(new ClchatError('RATE_LIMITED', 'too much is unfinished'));
    }
  }

  #count(holder: Holder, bytes: number): void {
    this.#held += bytes - (this.#shares.get(holder) ?? 0);
    if (bytes === 0) this.#shares.delete(holder);
    else this.#shares.set(holder, bytes);
  }

  /** The one that holds most, of those of the host that holds most. */
  #largest(): Holder {
    const hosts = new Map<string, { bytes: number; largest: Holder; most: number }>();
    for (const [holder, bytes] of this.#shares) {
      const host = hosts.get(holder.host) ?? { bytes: 0, largest: holder, most: 0 };
      host.bytes += bytes;
      if (bytes > host.most) Object.assign(host, { largest: holder, most: bytes });
      hosts.set(holder.host, host);
    }
    return [...hosts.values()].reduce((a, b) => (b.bytes > a.bytes ? b : a)).largest;
  }
}

/** Frames waiting to be sent, packed into chunks as the network takes them. */
export class FrameWriter {
  #frames: Uint8Array[] = [];
  /** Index of the next frame, and how much of it has been packed. */
  #head = 0;
  #offset = 0;
  #bytes = 0;

  /** Bytes not yet packed, headers included. */
  get bytes(): number {
    return this.#bytes;
  }

  push(frame: Uint8Array): void {
    this.#frames.push(frame);
    this.#bytes += FRAME_HEADER + frame.length;
  }

  /** The next frame whole, for a network that carries frames; not to be mixed with `pack`. */
  shift(): Uint8Array | undefined {
    const frame = this.#frames[this.#head];
    if (frame === undefined) return undefined;
    this.#bytes -= FRAME_HEADER + frame.length;
    this.#advance();
    return frame;
  }

  /** The next at most `limit` bytes; undefined when there are none. */
  pack(limit: number): Uint8Array | undefined {
    if (this.#bytes === 0) return undefined;
    // A header is never split nor parted from its frame, so the end of a chunk may stay empty.
    const chunk = Buffer.allocUnsafe(Math.min(limit, this.#bytes));
    let filled = 0;
    for (;;) {
      const frame = this.#frames[this.#head];
      if (frame === undefined) break;
      if (this.#offset === 0) {
        if (chunk.length - filled < FRAME_HEADER + Math.min(1, frame.length)) break;
        filled = chunk.writeUInt32BE(frame.length, filled);
      }
      const part = frame.subarray(this.#offset, this.#offset + chunk.length - filled);
      chunk.set(part, filled);
      filled += part.length;
      this.#offset += part.length;
      if (this.#offset < frame.length) break;
      this.#advance();
      if (filled === chunk.length) break;
    }
    this.#bytes -= filled;
    return chunk.subarray(0, filled);
  }

  clear(): void {
    this.#frames = [];
    this.#head = this.#offset = this.#bytes = 0;
  }

  #advance(): void {
    this.#head++;
    this.#offset = 0;
    if (this.#head === this.#frames.length) {
      this.#frames = [];
      this.#head = 0;
    } else if (this.#head >= 1024) {
      this.#frames = this.#frames.slice(this.#head);
      this.#head = 0;
    }
  }
}

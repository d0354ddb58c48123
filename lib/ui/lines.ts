/**
 * Bytes from outside, cut into lines. Bounded: a line that is too long is given up and reported as
 * such, the bytes of it are not kept. Invalid UTF-8 becomes U+FFFD.
 */
import type { Readable } from 'node:stream';

/** Longest line taken anywhere, in bytes: room for a text of 16 KiB and generous arguments. */
export const MAX_LINE_BYTES = 64 * 1024;

/** A line without its end, or `undefined` for one that was too long. */
export type Line = string | undefined;

const LF = 0x0a;
const CR = 0x0d;

export class LineSplitter {
  #parts: Buffer[] = [];
  #size = 0;
  #tooLong = false;
  #any = false;
  readonly #limit: number;

  /** @param limit longest line in bytes, its end not counted */
  constructor(limit = MAX_LINE_BYTES) {
    this.#limit = limit;
  }

  /** @returns the lines completed by these bytes, in order */
  push(chunk: Uint8Array): Line[] {
    const lines: Line[] = [];
    let start = 0;
    for (let at = chunk.indexOf(LF); at !== -1; at = chunk.indexOf(LF, start)) {
      this.#keep(chunk.subarray(start, at));
      lines.push(this.#take());
      start = at + 1;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
    return lines;
  }

  /** @returns what came after the last line end, if anything */
  end(): Line[] {
    return this.#any ? [this.#take()] : [];
  }

  #keep(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#any = true;
    this.#size += bytes.length;
    // One byte of grace for the CR of a CRLF.
    if (this.#size > this.#limit + 1) {
      this.#tooLong = true;
      this.#parts = [];
      return;
    }
    this.#parts.push(Buffer.from(bytes));
  }

  #take(): Line {
    let bytes = Buffer.concat(this.#parts);
    if (bytes.at(-1) === CR) bytes = bytes.subarray(0, -1);
    const line = this.#tooLong || bytes.length > this.#limit ? undefined : bytes.toString('utf8');
    this.#parts = [];
    this.#size = 0;
    this.#tooLong = false;
    this.#any = false;
    return line;
  }
}

export interface LineReader {
  pause(): void;
  resume(): void;
  /** Reads no more; neither handler is called again. */
  stop(): void;
}

/**
 * Reads lines from a stream until its end. An error of the stream counts as its end: whoever wrote
 * is gone either way.
 */
export function readLines(
  input: Readable,
  handlers: { onLine: (line: Line) => void; onEnd: () => void },
  limit = MAX_LINE_BYTES,
): LineReader {
  const splitter = new LineSplitter(limit);
  // A pause in the midst of a chunk keeps the rest of its lines here; a chunk is at most 64 KiB.
  let waiting: Line[] = [];
  let next = 0;
  let paused = false;
  let over = false;
  let stopped = false;
  const pump = (): void => {
    while (!paused && !stopped && next < waiting.length) handlers.onLine(waiting[next++]);
    if (next < waiting.length) return;
    waiting = [];
    next = 0;
    if (!stopped && !paused && over) {
      stop();
      handlers.onEnd();
    }
  };
  const onData = (chunk: Buffer | string): void => {
    waiting.push(...splitter.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk));
    pump();
  };
  const onOver = (): void => {
    if (over) return;
    over = true;
    waiting.push(...splitter.end());
    pump();
  };
  const stop = (): void => {
    if (stopped) return;
    stopped = true;
    input.off('data', onData).off('end', onOver).off('close', onOver);
    input.pause();
  };
  // The listener for errors stays: a late one must find somebody.
  input.on('end', onOver).on('close', onOver).on('error', onOver);
  if (input.readableEnded || input.destroyed) setImmediate(onOver);
  else input.on('data', onData);
  return {
    pause() {
      paused = true;
      if (!stopped) input.pause();
    },
    resume() {
      paused = false;
      pump();
      // The handler of a line may have paused again.
      if (!stopped && !paused && !over) input.resume();
    },
    stop,
  };
}

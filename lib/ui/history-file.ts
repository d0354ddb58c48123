/** The lines typed before, in a file of the profile: bounded, and for its owner's eyes only. */
import { appendFileSync, chmodSync, readFileSync, writeFileSync } from 'node:fs';

/** Lines kept. */
export const MAX_HISTORY = 1000;

/** A longer line is not kept in the file, in UTF-16 units. */
const MAX_ENTRY = 4096;

/** Nor is a longer one kept at all. */
const MAX_RECALLED = 64 << 10;

/** Largest file that is read at all: it is rewritten before it gets there. */
const MAX_FILE_BYTES = 8 << 20;

/** A line end in an entry, and the backslash, are written as `\n` and `\\`. */
function encode(entry: string): string {
  return entry.replace(/[\\\n]/g, (character) => (character === '\n' ? '\\n' : '\\\\'));
}

function decode(line: string): string {
  return line.replace(/\\([\\n])/g, (_, character) => (character === 'n' ? '\n' : '\\'));
}

export class InputHistory {
  #entries: string[] = [];
  #path: string | undefined;
  /** Lines in the file, which may be more than are kept. */
  #written = 0;

  /** @param path of the file; without one the history lasts as long as the program */
  constructor(path?: string) {
    this.#path = path;
    if (path === undefined) return;
    let content: string;
    try {
      content = readFileSync(path, 'utf8');
    } catch {
      // None yet, or unreadable: the person starts without one.
      return;
    }
    if (content.length > MAX_FILE_BYTES) content = content.slice(-MAX_FILE_BYTES);
    const lines = content.split('\n').filter((line) => line !== '' && line.length <= MAX_ENTRY * 2);
    this.#entries = lines.slice(-MAX_HISTORY).map(decode);
    this.#written = lines.length;
    this.#guard(() => chmodSync(path, 0o600));
    // A line without its end was cut short, and the next would be joined to it.
    if (lines.length > MAX_HISTORY || !content.endsWith('\n')) this.#rewrite(path);
  }

  /** Oldest first. */
  get entries(): readonly string[] {
    return this.#entries;
  }

  /** Keeps a line. The caller has made sure that there is no secret in it. */
  add(entry: string): void {
    if (entry.trim() === '' || entry.length > MAX_RECALLED || entry === this.#entries.at(-1))
      return;
    this.#entries.push(entry);
    if (this.#entries.length > MAX_HISTORY) this.#entries.shift();
    const path = this.#path;
    if (path === undefined || entry.length > MAX_ENTRY) return;
    this.#written += 1;
    if (this.#written > 2 * MAX_HISTORY) this.#rewrite(path);
    else this.#guard(() => appendFileSync(path, `${encode(entry)}\n`, { mode: 0o600 }));
  }

  #rewrite(path: string): void {
    const kept = this.#entries.filter((entry) => entry.length <= MAX_ENTRY);
    this.#written = kept.length;
    const content = kept.map((entry) => `${encode(entry)}\n`).join('');
    this.#guard(() => writeFileSync(path, content, { mode: 0o600 }));
  }

  /** A history that cannot be written any more goes on in memory. */
  #guard(write: () => void): void {
    try {
      write();
    } catch {
      this.#path = undefined;
    }
  }
}

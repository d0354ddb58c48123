/**
 * Trust on first use: which key a server had when it was first met, in a text file that people may
 * edit. One line each: where or under which name it was met, its key, its name, the date; `#` begins
 * a comment. Of several lines for one place the last counts.
 */
import * as v from 'valibot';
import { isPublicKey, type PublicKey } from '../crdt/keys.ts';
import { utf8 } from '../crdt/bytes.ts';
import { ClchatError } from '../errors.ts';
import { byteLength } from '../text.ts';
import { appendToFile, readFileBounded, writeFileAtomic } from './files.ts';

const MAX_FILE = 1 << 20;
const MAX_LINE = 2_048;
/** Longest place or name, in bytes. */
const MAX_FIELD = 256;

const HEADER = `# Servers that clchat has met: address or name, key, name, first seen.
# To trust a server whose key has changed for a good reason, remove its line.
`;

/** A line that is understood. */
export interface KnownServer {
  /** Address (`IP:PORT`) or name under which the server is looked for. */
  readonly place: string;
  readonly key: PublicKey;
  /** What the server called itself. */
  readonly name: string;
  /** Date of the first meeting, as `2026-11-30`. */
  readonly firstSeen: string;
}

export type Verdict = 'new' | 'same' | { readonly changed: PublicKey };

/**
 * The file is read at each call, so that other processes and editors may change it meanwhile. All
 * calls may throw TOO_LARGE beyond 1 MiB of file, and NO_SUCH_FILE when it may not be read.
 */
export class KnownServers {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async list(): Promise<KnownServer[]> {
    const servers = new Map<string, KnownServer>();
    for (const line of linesOf(await this.#read())) {
      const server = parseLine(line);
      if (server !== undefined) servers.set(server.place, server);
    }
    return [...servers.values()];
  }

  async find(place: string): Promise<KnownServer | undefined> {
    return (await this.list()).find((server) => server.place === place);
  }

  /** What to think of a server that was met at `place` and has proved `key`. */
  async check(place: string, key: PublicKey): Promise<Verdict> {
    const known = await this.find(place);
    if (known === undefined) return 'new';
    return known.key === key ? 'same' : { changed: known.key };
  }

  /**
   * Keeps the key of a server; the one before, if any, is replaced.
   * @param server.firstSeen milliseconds since 1970
   * @throws DISK_FULL, DATA_READ_ONLY; BAD_NAME when the place or the name is too long
   */
  async remember(server: {
    place: string;
    key: PublicKey;
    name: string;
    firstSeen: number;
  }): Promise<void> {
    const { place, key, name } = server;
    if (!isPublicKey(key)) throw new ClchatError('INTERNAL', 'that is no key');
    for (const field of [place, name])
      if (field === '' || byteLength(field) > MAX_FIELD) throw new ClchatError('BAD_NAME');
    const date = new Date(server.firstSeen).toISOString().slice(0, 10);
    const line = [encodeField(place), key, encodeField(name), date].join(' ');
    const text = await this.#read();
    const lines = linesOf(text);
    const known = lines.map(parseLine).findLast((one) => one?.place === place);
    if (known?.key === key) return;
    if (byteLength(text) + byteLength(line) + byteLength(HEADER) > MAX_FILE)
      throw new ClchatError('TOO_LARGE', `${this.#path} is full.`);
    if (known !== undefined)
      await this.#write([...lines.filter((one) => parseLine(one)?.place !== place), line]);
    else {
      // Added and not rewritten: what another process adds at the same moment stays.
      const lead = text === '' ? HEADER : text.endsWith('\n') ? '' : '\n';
      await appendToFile(this.#path, utf8(`${lead}${line}\n`));
    }
  }

  /** Forgets the server of `place`. @returns whether there was one */
  async forget(place: string): Promise<boolean> {
    const lines = linesOf(await this.#read());
    const kept = lines.filter((line) => parseLine(line)?.place !== place);
    if (kept.length === lines.length) return false;
    await this.#write(kept);
    return true;
  }

  async #read(): Promise<string> {
    const bytes = await readFileBounded(this.#path, MAX_FILE);
    return bytes === undefined ? '' : Buffer.from(bytes).toString('utf8');
  }

  async #write(lines: readonly string[]): Promise<void> {
    await writeFileAtomic(this.#path, utf8(lines.map((line) => `${line}\n`).join('')));
  }
}

function linesOf(text: string): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

const fields = v.tuple([
  v.string(),
  v.custom<PublicKey>(isPublicKey),
  v.string(),
  v.pipe(v.string(), v.regex(/^\d{4}-\d\d-\d\d$/)),
]);

/** @returns undefined for a comment, and for what is not understood: kept, and ignored */
function parseLine(line: string): KnownServer | undefined {
  const trimmed = line.trim();
  if (trimmed === '' || trimmed.startsWith('#') || trimmed.length > MAX_LINE) return undefined;
  const parsed = v.safeParse(fields, trimmed.split(/\s+/));
  if (!parsed.success) return undefined;
  const [place, key, name, firstSeen] = parsed.output;
  return { place: decodeField(place), key, name: decodeField(name), firstSeen };
}

/** Names come from others: one that would break the line is escaped as in an address of the web. */
function encodeField(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\s%#\p{C}\p{Z}]/gu, (character) =>
      [...utf8(character)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
    );
}

function decodeField(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A server and three people who exchange files, by the real program. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cli, Data } from './cli.ts';
import type { Community, Workshop } from './workshop.ts';

const NAMES = ['ann', 'ben', 'cat'] as const;
type Name = (typeof NAMES)[number];

/** How long a file may be on its way, in milliseconds. */
const PATIENCE_MS = 60_000;

export interface FileHouse {
  /** As it was started last. */
  readonly server: Community;
  /** Where each of them has their profile. */
  readonly data: Readonly<Record<Name, string>>;
  /** Where the files lie that are attached. */
  readonly scratch: string;
  /** Somebody starts the program, for the first time or again. */
  readonly come: (user: Name) => Promise<Cli>;
  readonly everybody: () => Promise<[ann: Cli, ben: Cli, cat: Cli]>;
  /** Starts the server again where it was. */
  readonly startServer: () => Promise<Community>;
  /** Makes a file, of random bytes where only their number is given. @returns its path */
  readonly make: (bytes: number | string | Uint8Array, name?: string) => string;
  readonly attach: (cli: Cli, path: string, text?: string) => Promise<Data>;
  /** Saves the file of a message, into a new directory unless told otherwise. @returns its path */
  readonly save: (cli: Cli, id: unknown, target?: string) => Promise<string>;
}

/** A path as one word of a command. */
export function quoted(path: string): string {
  return `"${path.replace(/["\\]/g, '\\$&')}"`;
}

/** To be called inside a `describe`: all its tests are about the same house. */
export function fileHouse(shop: Workshop): FileHouse {
  let server: Community;
  let data: Record<Name, string>;
  let scratch: string;
  let files = 0;

  before(async () => {
    scratch = await shop.newDirectory();
    const directories = NAMES.map(async (name) => [name, await shop.newDirectory()] as const);
    data = Object.fromEntries(await Promise.all(directories)) as typeof data;
    server = await shop.server({ name: 'house' });
    await server.cli.ok('updategroup user files=2000M');
  });

  const come: FileHouse['come'] = (user) => shop.client(server.address, user, { data: data[user] });

  return {
    get server() {
      return server;
    },
    get data() {
      return data;
    },
    get scratch() {
      return scratch;
    },
    come,
    everybody: async () => [await come('ann'), await come('ben'), await come('cat')],
    async startServer() {
      const port = Number(server.address.split(':')[1]);
      server = await shop.server({ name: 'house', data: server.data, port });
      return server;
    },
    make(bytes, name = `file ${++files}.bin`) {
      const path = join(scratch, name);
      writeFileSync(path, typeof bytes === 'number' ? randomBytes(bytes) : bytes);
      return path;
    },
    attach: (cli, path, text = '') => cli.ok(`attach ${quoted(path)} ${text}`, PATIENCE_MS),
    async save(cli, id, target) {
      const place = target ?? (await shop.newDirectory());
      const saved = await cli.ok(`save ${String(id)} ${place}`, PATIENCE_MS);
      return String(saved['file']);
    },
  };
}

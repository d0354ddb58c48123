/** Figures of the server, of what this device holds, and of this process. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isPublicKey, type EntryId } from '../crdt/keys.ts';
import type { AccountRecord, RoomRecord } from '../crdt/records.ts';
import { prefixed } from '../crdt/store.ts';
import { placeOfStream } from '../crdt/stream.ts';
import { EXIT, exitStatusOf } from '../errors.ts';
import type { Client } from '../node/client/client.ts';
import type { Home } from '../node/client/home.ts';
import { CoverageBook, missingOf, type Interval } from '../node/client/search-coverage.ts';
import { callStats } from './calls/call-stats.ts';
import type { Handler } from './handling.ts';
import type { ResultData } from './types.ts';

function numberOf(items: Iterable<unknown>): number {
  let number = 0;
  for (const _item of items) number++;
  return number;
}

const lengthOf = (intervals: readonly Interval[]): number =>
  intervals.reduce((sum, [from, until]) => sum + until - from, 0);

/** How long the server takes to answer, in milliseconds, to a tenth; undefined while it is away. */
async function rttOf(client: Client): Promise<number | undefined> {
  return ifThere(client, async () => {
    const start = performance.now();
    await client.session.call('ping', {});
    return Math.round(10 * (performance.now() - start)) / 10;
  });
}

/** What the server is asked for; undefined while it is away. */
async function ifThere<T>(client: Client, ask: () => Promise<T>): Promise<T | undefined> {
  if (!client.connected) return undefined;
  try {
    return await ask();
  } catch (error) {
    if (exitStatusOf(error) !== EXIT.network) throw error;
    return undefined;
  }
}

async function onlineOf(client: Client): Promise<number | undefined> {
  const others = await ifThere(client, () => client.session.call('whoelse', {}));
  return others === undefined ? undefined : others.users.length + 1;
}

/** What is here, by the heads of the streams: nothing of it is read. */
async function heldBy(home: Home): Promise<ResultData> {
  const { log } = home.replica;
  const index = new CoverageBook(log.store);
  const names = await log.names();
  let entries = 0;
  let messages = 0;
  let indexed = 0;
  for (const name of names) {
    const { have } = log.headOf(name);
    const here = lengthOf(have);
    entries += here;
    const { type } = placeOfStream(name);
    if (type !== 'room' && type !== 'pair') continue;
    messages += here;
    indexed += here - lengthOf(missingOf(have, index.of(name).done));
  }
  return { streams: names.length, entries, messages, indexed };
}

/** Bytes of all files in a directory and below it; a file that goes meanwhile takes none. */
async function sizeOf(directory: string): Promise<number> {
  const found = await readdir(directory, { recursive: true, withFileTypes: true });
  const sizes = found
    .filter((entry) => entry.isFile())
    .map(async ({ parentPath, name }) =>
      stat(join(parentPath, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/** Rooms that people have made, with the lobby, and conferences. */
function roomsOf(home: Home): { rooms: number; conferences: number } {
  let conferences = 0;
  let rooms = 0;
  for (const [, { lifetime }] of home.space.entries<RoomRecord>('room'))
    if (lifetime === 'conference') conferences++;
    else rooms++;
  return { rooms, conferences };
}

function accountsOf(home: Home): number {
  let accounts = 0;
  for (const [, { removed }] of home.space.entries<AccountRecord>('account'))
    if (removed !== true) accounts++;
  return accounts;
}

/** Kinds of entries that nobody has asked for. */
const SILENT: ReadonlySet<string> = new Set(['epoch', 'read']);

/** Entries of this device that were refused for good; see `OwnEntries`. */
async function refusedOf({ replica }: Home): Promise<number> {
  const prefix = 'f!';
  let refused = 0;
  for await (const [key] of replica.log.store.entries(prefixed(prefix))) {
    const own = replica.refused(key.slice(prefix.length) as EntryId);
    if (own !== undefined && !SILENT.has(own.entry.kind)) refused++;
  }
  return refused;
}

/** Entries of this device that no server has judged. */
function pendingOf({ replica }: Home): number {
  const unmade = replica.unmadeStreams().flatMap((stream) => replica.unmade(stream));
  return replica.pending().length + unmade.length;
}

export const stats: Handler = async (_args, { client, now, directory, calls }) => {
  const { home } = client;
  const { space } = home;
  // First, and alone, so that nothing else delays the answer.
  const rttMs = await rttOf(client);
  const [call, online, held, bytesOnDisk, refused] = await Promise.all([
    callStats(calls, home),
    onlineOf(client),
    heldBy(home),
    directory === undefined ? undefined : sizeOf(directory),
    refusedOf(home),
  ]);
  const { hello, address } = client;
  // The network inside this process has keys for addresses.
  const place = address === undefined || isPublicKey(address) ? {} : { address };
  return {
    server: {
      name: home.serverName,
      connected: online !== undefined,
      accounts: accountsOf(home),
      ...(online === undefined ? {} : { online }),
      ...roomsOf(home),
      groups: numberOf(space.entries('group')),
    },
    replica: { ...held, ...(bytesOnDisk === undefined ? {} : { bytesOnDisk }) },
    outbox: { pending: pendingOf(home), refused },
    ...(rttMs === undefined || hello === undefined
      ? {}
      : {
          // The server told its time when the connection came about.
          connection: { ...place, rttMs, since: hello.time - (client.serverTime() - now()) },
        }),
    ...(call === undefined ? {} : { call }),
    process: { memory: process.memoryUsage.rss(), uptime: Math.floor(process.uptime()) },
  };
};

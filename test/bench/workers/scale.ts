/** A large community: accounts, rooms in rooms, and what is said there. */
import { decodeEntry } from '../../../lib/crdt/entry.ts';
import type { Sealer } from '../../../lib/crdt/sealer.ts';
import { roomStream, type StreamName } from '../../../lib/crdt/stream.ts';
import { serve } from '../support/worker.ts';
import { submit, withSealer, Writer } from '../support/writer.ts';

/** Entries that are on their way into the log at once. */
const AT_ONCE = 256;
/** Rooms that each account joins. */
const JOINED = 5;
const DEPTH = 5;
/** Words of which the rarer ones are said more rarely. */
const WORDS = 20_000;
/** One message in so many holds each of the two words that are searched for. */
const COMMON_EVERY = 10;

interface Member {
  readonly writer: Writer;
  readonly rooms: string[];
}

const members: Member[] = [];
const rooms: string[] = [];
let said = 0;
/** All that was sealed. */
let entries = 0;

/** The same numbers in every run: a linear congruential generator. */
let seed = 1;
function random(): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 2 ** 32;
}

function word(): string {
  return `w${Math.floor(WORDS ** random()).toString(36)}`;
}

function text(): string {
  const words = Array.from({ length: 8 }, word);
  if (said % COMMON_EVERY < 1) words.push('lunch');
  if (said % COMMON_EVERY < 1 || random() < 1 / (2 * COMMON_EVERY)) words.push('friday');
  return words.join(' ');
}

async function seal(sealer: Sealer, bytes: Uint8Array): Promise<void> {
  await submit(sealer, bytes);
  entries += 1;
}

/** Runs so many at once, in the order of their beginning. */
async function many(amount: number, run: (number: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < amount) await run(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

async function addMembers(sealer: Sealer, amount: number): Promise<void> {
  await many(amount, async () => {
    const writer = new Writer(sealer.server);
    const member = { writer, rooms: [] };
    const number = members.push(member) - 1;
    await seal(sealer, writer.account(`user${number}`));
  });
}

/** Rooms in chains, each five deep. */
async function addRooms(sealer: Sealer, amount: number): Promise<void> {
  let above: string | undefined;
  for (let added = 0; added < amount; added++) {
    const number = rooms.length;
    const parent = number % DEPTH === 0 ? undefined : above;
    const owner = members[number % members.length]!;
    const body = {
      name: `room${number}`,
      private: false,
      ...(parent === undefined ? {} : { parent }),
    };
    const bytes = owner.writer.sign('space', 'room', body);
    await seal(sealer, bytes);
    above = decodeEntry(bytes).id.slice(0, 32);
    rooms.push(above);
    owner.rooms.push(above);
  }
}

async function joinRooms(sealer: Sealer, from: number): Promise<void> {
  await many(members.length - from, async (number) => {
    const member = members[from + number]!;
    while (member.rooms.length < JOINED) {
      const room = rooms[Math.floor(random() * rooms.length)]!;
      if (member.rooms.includes(room)) continue;
      member.rooms.push(room);
      await seal(sealer, member.writer.sign('space', 'join', { room }));
    }
  });
}

async function say(sealer: Sealer, amount: number): Promise<void> {
  await many(amount, async () => {
    const member = members[Math.floor(random() * members.length)]!;
    const room = member.rooms[Math.floor(random() * member.rooms.length)]!;
    const stream: StreamName = roomStream(room);
    said += 1;
    await seal(sealer, member.writer.sign(stream, 'say', { text: text() }));
  });
}

const methods = {
  /** Grows the community in a server's directory to so many. @returns how many entries it is made of */
  grow(options: {
    directory: string;
    accounts: number;
    rooms: number;
    messages: number;
  }): Promise<number> {
    return withSealer(options.directory, async (sealer) => {
      const from = members.length;
      await addMembers(sealer, options.accounts - from);
      await addRooms(sealer, options.rooms - rooms.length);
      await joinRooms(sealer, from);
      await say(sealer, options.messages - said);
      return entries;
    });
  },

  /** The path of a room with many members. */
  async aRoom(): Promise<string> {
    const names = Array.from({ length: DEPTH }, (_, depth) => `room${depth}`);
    return names.join('/');
  },
};

export type ScaleMethods = typeof methods;

serve(methods);

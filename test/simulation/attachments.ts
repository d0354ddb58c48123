/**
 * Files in the simulation: attached to messages, fetched from the server and from one another, and
 * gone with the last message that names them.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileReference } from '../../lib/crdt/bodies.ts';
import { equal, fromHex } from '../../lib/crdt/bytes.ts';
import { blobOf, streamsNaming } from '../../lib/crdt/content.ts';
import type { LogStore } from '../../lib/crdt/log-store.ts';
import { LOBBY_STREAM, pairStream, placeOfStream, type StreamName } from '../../lib/crdt/stream.ts';
import { openChunk } from '../../lib/node/blobs/crypto.ts';
import { toBlobHash, type BlobHash } from '../../lib/node/blobs/manifest.ts';
import type { Client } from '../../lib/node/client/client.ts';
import { unsentKey } from '../../lib/node/client/files.ts';
import type { Home } from '../../lib/node/client/home.ts';
import type { ReadMessage } from '../../lib/node/client/reading.ts';
import type { Attempts } from './attempts.ts';
import type { BlobDisk } from './blobs.ts';
import { Doings } from './community.ts';
import type { Random } from './random.ts';

/** Bytes of the files that are attached: none, few, and more than go into one and into two chunks. */
const SIZES = [0, 700, 300_000, 600_000];
/** Messages that somebody looks at for a file. */
const LOOKED = 40;

export interface Sample {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Files of this host, the same for all runs. */
export async function makeSamples(): Promise<{ samples: Sample[]; remove: () => Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'clchat-simulation-'));
  const samples = SIZES.map((size, number): Sample => {
    const hash = createHash('shake256', { outputLength: Math.max(1, size) });
    const bytes = Uint8Array.from(hash.update(`${number}`).digest().subarray(0, size));
    return { path: join(directory, `file${number}`), bytes };
  });
  for (const { path, bytes } of samples) await writeFile(path, bytes);
  return { samples, remove: () => rm(directory, { recursive: true }) };
}

interface Attached {
  readonly by: number;
  readonly text: string;
  readonly stream: StreamName;
  readonly sample: Sample;
  hash: BlobHash | undefined;
  /** What the author was told of the message. */
  answer: string | undefined;
  /** Somebody has tried to remove it. */
  isRemoved: boolean;
}

/** A device at the end of a run, all of whose messages are here. */
export interface Holder {
  readonly number: number;
  readonly name: string;
  readonly client: Client;
  readonly files: BlobDisk;
  /** Whether it is to hold all there is of a stream. */
  readonly isCurrent: (stream: StreamName) => boolean;
}

export class Attachments {
  readonly #random: Random;
  readonly #attempts: Attempts;
  readonly #samples: readonly Sample[];
  readonly #attached = new Map<string, Attached>();

  constructor(random: Random, attempts: Attempts, samples: readonly Sample[]) {
    this.#random = random;
    this.#attempts = attempts;
    this.#samples = samples;
  }

  #place(home: Home): StreamName {
    const random = this.#random;
    const dice = random.next();
    const places = Doings.placesOf(home);
    const others = home.names().filter((name) => name !== home.name);
    if (dice < 0.3 && others.length > 0)
      return pairStream(home.account, home.named(random.pick(others)));
    return dice < 0.6 && places.length > 0 ? random.pick(places) : LOBBY_STREAM;
  }

  /** Attaches a file. No time passes meanwhile: real files are read, which takes its own. */
  async attach(by: number, { home, files }: Client): Promise<void> {
    const random = this.#random;
    const stream = this.#place(home);
    const sample = random.pick(this.#samples);
    const text = `file ${this.#attached.size}:`;
    const hash = undefined;
    const attached: Attached = {
      by,
      text,
      stream,
      sample,
      hash,
      answer: undefined,
      isRemoved: false,
    };
    this.#attached.set(text, attached);
    await this.#attempts.try('attaching a file', async () => {
      const file = await files!.add(sample.path, stream);
      attached.hash = toBlobHash(file.hash);
      this.#attempts.start('sending a file', async () => {
        const { id } = await home.conversations.say(stream, { text, file });
        attached.answer = await home.outbox.answer(id);
        await files!.send();
      });
    });
  }

  /** Fetches a file, as a person does who has just seen it. */
  fetch({ home, files }: Client): void {
    const stream = this.#place(home);
    const skip = this.#random.next();
    this.#attempts.start('fetching a file', async () => {
      const found = await this.#some(home, stream, skip);
      if (found?.file !== undefined) await files!.fetch(found.file, () => undefined);
    });
  }

  /** Removes a message with a file. */
  remove({ home }: Client): void {
    const stream = this.#place(home);
    const skip = this.#random.next();
    this.#attempts.start('removing a file', async () => {
      const found = await this.#some(home, stream, skip, true);
      if (found === undefined) return;
      const attached = this.#attached.get(found.text);
      if (attached !== undefined) attached.isRemoved = true;
      await home.conversations.remove(stream, found.id, false);
      home.outbox.flush();
    });
  }

  async #some(
    { conversations, account }: Home,
    stream: StreamName,
    skip: number,
    isOwn = false,
  ): Promise<ReadMessage | undefined> {
    const messages = await conversations.newest(stream, LOOKED);
    const fit = messages.filter(
      ({ file, state, author }) =>
        file !== undefined && state === 'held' && (!isOwn || author === account),
    );
    return fit[Math.floor(skip * fit.length)];
  }

  /** All that somebody has attached is removed. */
  removeAll(by: number): void {
    for (const attached of this.#attached.values())
      if (attached.by === by) attached.isRemoved = true;
  }

  /** Whether the server is still to be brought a file that somebody in the conversation has. */
  isWaiting(holders: readonly Holder[], server: BlobDisk): boolean {
    return [...this.#attached.values()].some(({ by, stream, hash, answer, isRemoved }) => {
      const author = holders.find(({ number }) => number === by);
      const isExpected = hash !== undefined && answer === 'held' && !isRemoved;
      return isExpected && author?.isCurrent(stream) === true && !server.has(hash);
    });
  }

  /** Brings every file here that a device may have, and says what is wrong with that. */
  async check(
    holder: Holder,
    { holders, server }: { readonly holders: readonly Holder[]; readonly server: BlobDisk },
    seed: string,
  ): Promise<void> {
    // Who has left a conversation brings nothing there any more.
    const isLost = ({ by, stream, hash }: Attached): boolean =>
      hash !== undefined &&
      !server.has(hash) &&
      holders.find(({ number }) => number === by)?.isCurrent(stream) !== true;

    const { name, client, isCurrent, files } = holder;
    const { home } = client;
    const seen = new Set<string>();
    for (const stream of await home.replica.log.names()) {
      if (!isCurrent(stream)) continue;
      for (const { text, file, state } of await home.conversations.newest(stream, 1e6)) {
        const attached = this.#attached.get(text);
        if (attached === undefined || file === undefined || state !== 'held') continue;
        seen.add(text);
        if (isLost(attached)) continue;
        const what = `${seed}: ${name} fetches ${text} of ${stream}`;
        try {
          await client.files!.fetch(file, () => undefined);
        } catch (error) {
          assert.fail(`${what}: ${String(error)}`);
        }
        assert.ok(isRight(files, file, attached.sample.bytes), `${what}: wrong bytes`);
      }
    }
    for (const { text, stream, answer, isRemoved, by } of this.#attached.values()) {
      const place = placeOfStream(stream);
      // What was said in an encrypted room is for those who were in it then.
      const isForAll = stream === LOBBY_STREAM || by === holder.number;
      const isForBoth =
        place.type === 'pair' && (place.a === home.account || place.b === home.account);
      if (answer !== 'held' || isRemoved || !isCurrent(stream) || !(isForAll || isForBoth))
        continue;
      assert.ok(seen.has(text), `${seed}: ${name} lacks ${text} of ${stream}`);
    }
  }

  /** What no message names any more is nowhere. */
  async checkGone(
    holders: readonly Holder[],
    { log, files, everCrashed }: Remains,
    seed: string,
  ): Promise<void> {
    const named = await namedIn(log);
    for (const { stream, hash, text, answer } of this.#attached.values()) {
      if (hash === undefined || answer !== 'held' || named.has(hash)) continue;
      assert.ok(!files.hashes.includes(hash), `${seed}: the server keeps ${text} of ${stream}`);
      for (const holder of holders) {
        if (!holder.files.hashes.includes(hash)) continue;
        const { log: own } = holder.client.home.replica;
        // Attached once more, by a message that a crash has taken: it goes after a while.
        if (own.store.get(unsentKey(hash)) !== undefined) continue;
        // Whoever was put out keeps what they had.
        const naming = await streamsNaming(own, fromHex(hash));
        // A crash may have taken what came of the messages, and left the file: it goes after a while.
        if (naming.size === 0 && everCrashed.has(holder.number)) continue;
        const isKept = [...naming].some((one) => !holder.isCurrent(one));
        assert.ok(isKept, `${seed}: ${holder.name} keeps ${text} of ${stream}`);
      }
    }
  }
}

/** What is left at the end. */
interface Remains {
  readonly log: LogStore;
  /** Of the server. */
  readonly files: BlobDisk;
  /** Numbers of the clients that have crashed at some time. */
  readonly everCrashed: ReadonlySet<number>;
}

/** Hashes of the files that messages name. */
async function namedIn(log: LogStore): Promise<Set<BlobHash>> {
  const named = new Set<BlobHash>();
  for (const stream of await log.names())
    for await (const { item } of log.items(stream, 0, log.headOf(stream).length)) {
      const blob = item.type === 'entry' ? blobOf(item.entry) : undefined;
      if (blob !== undefined) named.add(toBlobHash(blob.hash));
    }
  return named;
}

function isRight(disk: BlobDisk, { hash, key }: FileReference, bytes: Uint8Array): boolean {
  const blob = toBlobHash(hash);
  if (!disk.has(blob)) return false;
  const chunks = disk.chunks(blob);
  const plain = chunks.map((chunk, index) =>
    key === undefined ? chunk : openChunk(key, index, chunks.length, chunk),
  );
  return equal(Uint8Array.from(Buffer.concat(plain)), bytes);
}

/** A server and its clients on the simulated network, all of which keep files. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileReference } from '../../lib/crdt/bodies.ts';
import type { Entry } from '../../lib/crdt/entry.ts';
import type { PublicKey, RoomId } from '../../lib/crdt/keys.ts';
import { roomOf } from '../../lib/crdt/rooms.ts';
import { LOBBY_STREAM, pairStream, type StreamName } from '../../lib/crdt/stream.ts';
import type { Clock } from '../../lib/lifecycle.ts';
import type { Target } from '../../lib/node/channel.ts';
import { toBlobHash } from '../../lib/node/blobs/manifest.ts';
import { connectSource } from '../../lib/node/blobs/sources.ts';
import { BlobStore } from '../../lib/node/blobs/store.ts';
import type { BlobExchange } from '../../lib/node/blobs/wire.ts';
import type { Files } from '../../lib/node/client/files.ts';
import { SERVER_ADDRESS, worldClock } from '../simulation/world.ts';
import { eventually } from './channels.ts';
import { World, type Peer, type TestClient } from './roles.ts';
import { temporary } from './temporary.ts';

const random = (length: number): Uint8Array => Uint8Array.from(randomBytes(length));

/** Bytes that look random and are the same for the same seed. */
export function fileContent(size: number, seed = 1): Uint8Array {
  const hash = createHash('shake256', { outputLength: Math.max(1, size) });
  return Uint8Array.from(hash.update(`${seed}`).digest().subarray(0, size));
}

export interface Attached {
  readonly entry: Entry;
  readonly file: FileReference;
  readonly bytes: Uint8Array;
}

/** A client, and where it keeps files. */
export class FileClient {
  readonly test: TestClient;
  readonly directory: string;
  store: BlobStore;
  readonly #scratch: string;

  constructor(test: TestClient, directory: string, scratch: string, store: BlobStore) {
    this.test = test;
    this.directory = directory;
    this.#scratch = scratch;
    this.store = store;
  }

  get files(): Files {
    return this.test.client.files!;
  }

  get device(): PublicKey {
    return this.test.home.replica.device;
  }

  /** The conversation with another. */
  pairWith(other: FileClient): StreamName {
    return pairStream(this.test.home.account, other.test.home.account);
  }

  /** A file of this host. @returns its path */
  async write(bytes: Uint8Array, name = 'plan.pdf'): Promise<string> {
    await mkdir(this.#scratch, { recursive: true });
    const path = join(this.#scratch, name);
    await writeFile(path, bytes);
    return path;
  }

  /** Says a message with a file, as the command does, but for sending it. */
  async attach(
    bytes: Uint8Array,
    stream: StreamName = LOBBY_STREAM,
    name = 'plan.pdf',
  ): Promise<Attached> {
    const { home } = this.test;
    const path = await this.write(bytes, name);
    const file = await this.files.add(path, stream);
    const entry = await home.conversations.say(stream, { text: '', file });
    const outcome = await home.outbox.answer(entry.id);
    assert.ok(outcome === 'held' || outcome === 'queued', outcome);
    return { entry, file, bytes };
  }

  /** The same, and it is sent. */
  async send(...args: Parameters<FileClient['attach']>): Promise<Attached> {
    const attached = await this.attach(...args);
    await this.files.send();
    assert.equal(this.files.isWaiting(attached.file), false, 'it was not sent');
    return attached;
  }

  /** The file of the newest message of a conversation, once that is here. */
  async sees({ entry }: Attached): Promise<FileReference> {
    const { conversations } = this.test.home;
    await eventually('the message', () => conversations.reading.find(entry.id) !== undefined);
    const { entry: found, standing } = conversations.reading.find(entry.id)!;
    const { file } = await conversations.reading.read(found, standing);
    assert.ok(file !== undefined, 'it has no file');
    return file;
  }

  /** Fetches and saves the file of a message. @returns what it has; the shares told are added */
  async saves(attached: Attached, shares: number[] = []): Promise<Uint8Array> {
    const file = await this.sees(attached);
    await this.files.fetch(file, (share) => shares.push(share));
    const path = await this.files.save(file, await this.#empty());
    return Uint8Array.from(await readFile(path));
  }

  async #empty(): Promise<string> {
    const directory = join(this.#scratch, `saved-${Buffer.from(random(6)).toString('hex')}`);
    await mkdir(directory, { recursive: true });
    return directory;
  }

  /** Names of what lies where this device keeps files. */
  held(): Promise<string[]> {
    return readdir(this.directory);
  }

  /** The program ends; `open` starts it again. */
  async stop(): Promise<void> {
    await this.test.stop();
    await this.store.close();
  }

  /** The program is killed. */
  async crash(): Promise<void> {
    await this.test.crash();
    await this.store.close();
  }

  async open(): Promise<void> {
    this.store = await BlobStore.open({ directory: this.directory, clock: worldClock, random });
    await this.test.open({ blobs: this.store });
  }

  /** Starts again and comes back to the server. */
  async comeBack(): Promise<void> {
    await this.open();
    await this.test.login();
  }
}

export interface FileStage {
  readonly world: World;
  readonly server: BlobStore;
  /** Where the server keeps files. */
  readonly directory: string;
  /** A store that nobody uses yet. */
  readonly newStore: (clock: Clock) => Promise<BlobStore>;
  readonly join: (name: string) => Promise<FileClient>;
  /** The server ends, as it may also by a crash; `open` starts it again. */
  readonly close: () => Promise<void>;
  readonly open: (options?: Parameters<World['open']>[0]) => Promise<void>;
  /** A closed room of the first, into which the others have come. */
  readonly closedRoom: (owner: FileClient, ...others: FileClient[]) => Promise<RoomId>;
  /** A channel for files from somebody, by hand, to the server unless told otherwise. */
  readonly channel: (
    from: Pick<Peer, 'transport'> | Pick<TestClient, 'transport'>,
    to?: Target,
  ) => Promise<BlobExchange>;
}

/** To be called inside a `describe`: there is a new world for each of its tests. */
export function fileStage(): FileStage {
  const { newDirectory } = temporary();
  let world: World;
  let server: BlobStore;
  let directory: string;
  let root: string;
  const clients: FileClient[] = [];

  const openStore = (at: string, clock: Clock = worldClock): Promise<BlobStore> =>
    BlobStore.open({ directory: at, clock, random });

  beforeEach(async () => {
    root = await newDirectory();
    directory = join(root, 'server');
    server = await openStore(directory);
    world = await World.start({ blobs: server });
  });

  afterEach(async () => {
    await world.stop();
    for (const { store } of clients.splice(0)) await store.close();
    await server.close();
    assert.deepEqual(world.faults, []);
  });

  return {
    get world() {
      return world;
    },
    get server() {
      return server;
    },
    get directory() {
      return directory;
    },
    newStore: (clock) => openStore(join(root, 'another'), clock),
    async join(name) {
      const at = join(root, name);
      const store = await openStore(at);
      const test = await world.join(name, undefined, { blobs: store });
      const client = new FileClient(test, at, join(root, `${name}-files`), store);
      clients.push(client);
      return client;
    },
    async close() {
      await world.close();
      await server.close();
    },
    async open(options = {}) {
      server = await openStore(directory);
      await world.open({ blobs: server, ...options });
    },
    async closedRoom(owner, ...others) {
      const made = { name: 'den', private: true };
      const room = await owner.test.client.rooms.create(made, 'open sesame');
      for (const { test } of others) {
        await eventually('the room', () => roomOf(test.home.space, room) !== undefined);
        await test.client.rooms.join(room, 'open sesame');
      }
      return room;
    },
    async channel({ transport }, to = { addresses: [SERVER_ADDRESS], key: world.key.public }) {
      return (await connectSource(transport, to, AbortSignal.timeout(8_000))).exchange;
    },
  };
}

/** Whether a blob is named among those that a store holds, whole or in part. */
export function holds(store: BlobStore, { hash }: Pick<FileReference, 'hash'>): boolean {
  return store.list().some((one) => one.hash === toBlobHash(hash));
}

/** A server and its clients on a simulated network, with the product's own code above it. */
import { passwordKey } from '../../lib/crdt/keyring.ts';
import { SigningKey, type SealingKey } from '../../lib/crdt/keys.ts';
import type { Store } from '../../lib/crdt/store.ts';
import { MemoryDisk } from '../../lib/crdt/store-memory.ts';
import { hasCode } from '../../lib/errors.ts';
import { roomStream, type StreamName } from '../../lib/crdt/stream.ts';
import type { Clock } from '../../lib/lifecycle.ts';
import { Client } from '../../lib/node/client/client.ts';
import type { ReadMessage } from '../../lib/node/client/reading.ts';
import type { Keystore, KeystoreRecord } from '../../lib/node/keystore.ts';
import type { OpaqueClient } from '../../lib/node/opaque.ts';
import { Server } from '../../lib/node/server/server.ts';
import { Vault } from '../../lib/node/vault.ts';
import { fakeOpaqueClient, fakeOpaqueServer } from '../support/fake-opaque.ts';
import { BlobDisk } from './blobs.ts';
import type { SimulatedNetwork, SimulatedTransport } from './network.ts';
import type { Random } from './random.ts';

export const SERVER_ADDRESS = '10.0.0.1:49152';

export const worldClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

/** A keystore that lives as long as its disk. */
export function memoryKeystore(random: Random): Keystore {
  let record: KeystoreRecord = {
    version: 1,
    device: { seed: random.bytes(32), sealing: random.bytes(32) },
    keyring: [],
  };
  return {
    read: () => record,
    update: async (change) => (record = change(record)),
  };
}

/** The key of the server's vault. */
const VAULT_KEY = new Uint8Array(32).fill(9);

export class SimulatedServer {
  readonly key: SigningKey;
  disk = new MemoryDisk();
  readonly files: BlobDisk;
  store: Store | undefined;
  readonly #network: SimulatedNetwork;
  server: Server | undefined;
  transport: SimulatedTransport | undefined;
  term = 1;
  recoverMs = 0;
  readonly faults: unknown[] = [];

  constructor(network: SimulatedNetwork) {
    this.#network = network;
    this.key = new SigningKey(network.random.bytes(32));
    this.files = new BlobDisk(network.random, worldClock);
  }

  async start(): Promise<void> {
    this.transport = this.#network.join(SERVER_ADDRESS, this.key.public);
    this.store = this.disk.open();
    this.server = await Server.start({
      store: this.store,
      key: this.key,
      name: 'world',
      transports: [this.transport],
      vault: new Vault(this.store, VAULT_KEY, this.#network.random.bytes),
      opaque: fakeOpaqueServer(),
      blobs: this.files.open(),
      clock: worldClock,
      random: this.#network.random.bytes,
      blockDuration: 60,
      timeout: 0,
      inviteOnly: false,
      term: this.term,
      recoverMs: this.recoverMs,
      onFault: (error) => this.faults.push(error),
    });
  }

  /** What a backup at this moment would hold. */
  async backup(): Promise<MemoryDisk> {
    const copy = new MemoryDisk();
    const store = copy.open();
    const all = { from: '!', until: '\u007f' };
    for await (const [key, value] of this.store!.entries(all))
      await store.write([{ type: 'put', key, value }], { sync: true });
    await store.close();
    return copy;
  }

  /** Power gone: what was not written with sync may be lost. */
  crash(): void {
    this.transport?.crash();
    this.disk.crash(this.#network.random.below(this.disk.unsynced + 1));
    this.files.crash();
    void this.server?.stop();
    this.server = undefined;
  }
}

export interface Said {
  readonly stream: StreamName;
  readonly text: string;
}

export interface ClientMaking {
  /** Of the account; none: the account lives by its devices alone. */
  readonly password?: string;
  /** The account is there already, and this is a further device of it. */
  readonly isFurther?: boolean;
}

export class SimulatedClient {
  /** Of its account. */
  readonly name: string;
  readonly address: string;
  readonly disk = new MemoryDisk();
  readonly files: BlobDisk;
  readonly keystore: Keystore;
  readonly #network: SimulatedNetwork;
  readonly #making: ClientMaking;
  client: Client | undefined;
  transport: SimulatedTransport | undefined;
  /** Everything told as news, since the world began. */
  readonly heard: ReadMessage[] = [];
  readonly refused: string[] = [];
  readonly faults: unknown[] = [];
  readonly receipts = new Map<string, { on: number; of: number }>();
  /** Keys that passwords have yielded here. */
  readonly yielded: SealingKey[] = [];

  constructor(network: SimulatedNetwork, name: string, number: number, making: ClientMaking = {}) {
    this.#network = network;
    this.#making = making;
    this.name = name;
    this.address = `10.0.1.${number}:1`;
    this.keystore = memoryKeystore(network.random);
    this.files = new BlobDisk(network.random, worldClock);
  }

  /** OPAQUE, with what it yields kept. */
  #opaque(): OpaqueClient {
    const keep = <T extends { exportKey: Uint8Array } | undefined>(finished: T): T => {
      if (finished !== undefined) this.yielded.push(passwordKey(finished.exportKey));
      return finished;
    };
    return {
      ...fakeOpaqueClient,
      registerFinish: async (call) => keep(await fakeOpaqueClient.registerFinish(call)),
      loginFinish: async (call) => keep(await fakeOpaqueClient.loginFinish(call)),
    };
  }

  async open(): Promise<Client> {
    const key = new SigningKey(this.keystore.read().device.seed).public;
    this.transport = this.#network.join(this.address, key);
    this.client = await Client.open({
      keystore: this.keystore,
      store: this.disk.open(),
      transport: this.transport,
      opaque: this.#opaque(),
      blobs: this.files.open(),
      clock: worldClock,
      random: this.#network.random.bytes,
      label: this.name,
      addresses: () => [SERVER_ADDRESS],
      events: {
        onMessage: (message) => this.heard.push(message),
        onContact: () => undefined,
        onContent: () => undefined,
        onAdmin: () => undefined,
        onRoom: () => undefined,
        onTyping: () => undefined,
        onSending: () => undefined,
        onConference: () => undefined,
        onReceipt: ({ id, on, of }) => this.receipts.set(id, { on, of }),
        onRefused: (id, code) => this.refused.push(`${id} ${code}`),
        onPresence: () => undefined,
        onBroadcast: () => undefined,
        onConnected: () => undefined,
        onLogout: () => undefined,
        onLocked: () => undefined,
        onNotice: () => undefined,
        onFault: (error) => this.faults.push(error),
      },
    });
    return this.client;
  }

  /** First time: registers. Later: comes back, with or without the server. */
  async start(): Promise<void> {
    const client = await this.open();
    if (this.keystore.read().account === undefined) {
      const { password, isFurther } = this.#making;
      await client.connect();
      if (isFurther === true) await client.loginPassword(this.name, password ?? '');
      else await client.register(this.name, password);
      return;
    }
    try {
      await client.startAway();
    } catch (error) {
      // The crash has taken the replica; it begins anew, once the server can be reached.
      if (!hasCode(error, 'NOT_LOGGED_IN')) throw error;
      await client.connect();
      await client.loginDevice();
    }
  }

  crash(): void {
    this.transport?.crash();
    this.disk.crash(this.#network.random.below(this.disk.unsynced + 1));
    this.files.crash();
    void this.client?.stop();
    this.client = undefined;
  }
}

export const LOBBY = roomStream('lobby');

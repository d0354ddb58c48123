/**
 * A server and whoever comes to it, on the simulated network: the product's own roles over a store
 * in memory, and peers that speak the protocols by hand and do as they please.
 */
import { encodeEntry, type Entry } from '../../lib/crdt/entry.ts';
import type { PublicKey } from '../../lib/crdt/keys.ts';
import { SigningKey } from '../../lib/crdt/keys.ts';
import { LogStore } from '../../lib/crdt/log-store.ts';
import { MemoryDisk } from '../../lib/crdt/store-memory.ts';
import type { Store } from '../../lib/crdt/store.ts';
import { pairStream, type StreamName } from '../../lib/crdt/stream.ts';
import type { ErrorCode } from '../../lib/errors.ts';
import type { Clock } from '../../lib/lifecycle.ts';
import type { CallNotice } from '../../lib/node/calls/lines.ts';
import type { CallView, RoomCallView } from '../../lib/node/calls/wire.ts';
import type { Channel, Connection } from '../../lib/node/channel.ts';
import type { AdminNews } from '../../lib/node/client/admin-news.ts';
import type { CallEvents } from '../../lib/node/client/calling.ts';
import type { CallNews } from '../../lib/node/client/calls.ts';
import type { ConferenceNews } from '../../lib/node/client/conferences.ts';
import { Client, type ClientEvents, type ClientOptions } from '../../lib/node/client/client.ts';
import type { SendingNews } from '../../lib/node/client/files.ts';
import type { ContentNews, MissedCall } from '../../lib/node/client/telling.ts';
import type { ReadMessage } from '../../lib/node/client/reading.ts';
import type { RoomNews } from '../../lib/node/client/room-news.ts';
import { Exchange, type Notice } from '../../lib/node/exchange.ts';
import type { Keystore } from '../../lib/node/keystore.ts';
import { Server, type ServerOptions } from '../../lib/node/server/server.ts';
import { Vault } from '../../lib/node/vault.ts';
import { PROTOCOL_VERSION, SESSION, SYNC } from '../../lib/node/wire.ts';
import { SimulatedNetwork, type SimulatedTransport } from '../simulation/network.ts';
import { Random } from '../simulation/random.ts';
import { memoryKeystore, SERVER_ADDRESS, worldClock } from '../simulation/world.ts';
import { eventually } from './channels.ts';
import { Member } from './community.ts';
import { fakeOpaqueClient, fakeOpaqueServer } from './fake-opaque.ts';

/** A clock that can be put forward. */
export class ShiftedClock implements Clock {
  shift = 0;
  now = (): number => Date.now() + this.shift;
  monotonic = (): number => performance.now() + this.shift;
}

/** A network that loses nothing and takes next to no time. */
const FAST = { delay: [0, 1] as [number, number], loss: 0, duplicate: 0, reorder: 0 };

export class World {
  readonly random = new Random(7);
  readonly network = new SimulatedNetwork(this.random, FAST);
  readonly key = new SigningKey(this.random.bytes(32));
  disk = new MemoryDisk();
  readonly faults: unknown[] = [];
  /** What the server's OPAQUE was asked. */
  readonly opaqueCalls: string[] = [];
  store!: Store;
  server!: Server;
  transport!: SimulatedTransport;
  #hosts = 0;
  readonly #stops: (() => Promise<unknown>)[] = [];

  static async start(options: Partial<ServerOptions> = {}): Promise<World> {
    const world = new World();
    await world.open(options);
    return world;
  }

  /** Starts the server, for the first time or again. */
  async open(options: Partial<ServerOptions> = {}): Promise<void> {
    this.transport = this.network.join(SERVER_ADDRESS, this.key.public);
    this.store = this.disk.open();
    this.server = await Server.start({
      store: this.store,
      key: this.key,
      name: 'acme',
      transports: [this.transport],
      vault: new Vault(this.store, new Uint8Array(32).fill(9), this.random.bytes),
      opaque: fakeOpaqueServer(this.opaqueCalls),
      clock: worldClock,
      random: this.random.bytes,
      blockDuration: 60,
      timeout: 0,
      inviteOnly: false,
      term: 1,
      recoverMs: 0,
      onFault: (error) => this.faults.push(error),
      ...options,
    });
  }

  /** What a backup at this moment would hold. */
  async backup(): Promise<MemoryDisk> {
    const disk = new MemoryDisk();
    const copy = disk.open();
    for await (const [key, value] of this.store.entries({ from: '!', until: '\u007f' }))
      await copy.write([{ type: 'put', key, value }], { sync: true });
    await copy.close();
    return disk;
  }

  /** Continues from a backup, in another term. */
  async restore(disk: MemoryDisk, options: Partial<ServerOptions> = {}): Promise<void> {
    await this.close();
    this.disk = disk;
    await this.open({ term: 2, ...options });
  }

  /** Stops the server in order; `open` starts it again. */
  async close(): Promise<void> {
    await this.transport.stop();
    await this.server.stop();
    await this.store.close();
  }

  /** Its power fails; `open` starts it again. */
  async crash(): Promise<void> {
    this.transport.crash();
    this.disk.crash();
    await this.server.stop();
  }

  /** What the server's store holds. */
  get log(): LogStore {
    return new LogStore(this.store);
  }

  host(key: PublicKey): SimulatedTransport {
    return this.network.join(`10.0.2.${++this.#hosts}:1`, key);
  }

  /** Somebody without an account, who speaks the protocols by hand. */
  async peer(name = 'stranger', device?: Member): Promise<Peer> {
    const member = device ?? new Member(this.key.public, this.random.bytes, name);
    const peer = await Peer.connect(this, member);
    this.#stops.push(() => peer.leave());
    return peer;
  }

  /** Somebody with an account and no password, by hand. */
  async member(name: string): Promise<Peer> {
    const peer = await this.peer(name);
    await peer.session.call('signup', { entry: encodeEntry(peer.member.signup()), record: null });
    return peer;
  }

  /** Several of these, each with replication. */
  async members<const Names extends readonly string[]>(
    ...names: Names
  ): Promise<{ [K in keyof Names]: Peer }> {
    const peers: Peer[] = [];
    for (const name of names) peers.push(await this.member(name));
    for (const peer of peers) await peer.open();
    return peers as { [K in keyof Names]: Peer };
  }

  /** A client of the product, not yet connected. */
  async client(
    options: Partial<ClientOptions> = {},
    onPrivate?: ClientEvents['onPrivate'],
  ): Promise<TestClient> {
    const client = new TestClient(this, onPrivate);
    await client.open(options);
    this.#stops.push(() => client.stop());
    return client;
  }

  /** A client of the product with an account. */
  async join(
    name: string,
    password?: string,
    options: Partial<ClientOptions> = {},
  ): Promise<TestClient> {
    const test = await this.client(options);
    await test.client.connect();
    await test.client.register(name, password);
    return test;
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops.splice(0).reverse()) await stop();
    await this.transport.stop();
    await this.server.stop();
  }
}

/** A connection to the server with its session, and replication when it is asked for. */
export class Peer {
  readonly member: Member;
  readonly connection: Connection;
  readonly transport: SimulatedTransport;
  readonly session: Exchange<typeof SESSION>;
  /** Notices of the session, in order. */
  readonly heard: unknown[] = [];
  readonly conferences: ConferenceNews[] = [];
  /** Of calls that the device is in or that ring it, and of those of rooms. */
  readonly calls: CallView[] = [];
  readonly roomCalls: RoomCallView[] = [];
  /** Who was typing where. */
  readonly typing: Notice<typeof SESSION, 'typing'>[] = [];
  readonly batches: { seal: Uint8Array; items: Uint8Array[] }[] = [];
  readonly heads: [StreamName, number][] = [];
  readonly receipts: [string, number, number, number][] = [];
  channel: Channel | undefined;
  sync!: Exchange<typeof SYNC>;

  private constructor(
    member: Member,
    transport: SimulatedTransport,
    connection: Connection,
    channel: Channel,
  ) {
    this.member = member;
    this.transport = transport;
    this.connection = connection;
    this.session = new Exchange(channel, SESSION, {
      methods: {},
      notices: {
        presence: (notice) => void this.heard.push(notice),
        broadcast: (notice) => void this.heard.push(notice),
        logout: (notice) => void this.heard.push(notice),
        conference: (notice) => void this.conferences.push(notice),
        call: (notice) => void this.calls.push(notice),
        roomCall: (notice) => void this.roomCalls.push(notice),
        typing: (notice) => void this.typing.push(notice),
      },
    });
  }

  static async connect(world: World, member: Member): Promise<Peer> {
    const transport = world.host(member.id);
    const signal = AbortSignal.timeout(10_000);
    const connection = await transport.connect(
      { addresses: [SERVER_ADDRESS], key: world.key.public },
      { signal },
    );
    const channel = await connection.open(SESSION.name, { signal });
    const peer = new Peer(member, transport, connection, channel);
    await peer.session.call('hello', { version: PROTOCOL_VERSION });
    return peer;
  }

  /** Begins replication. @returns how far the streams go that this device may read */
  async open(): Promise<Map<StreamName, number>> {
    const signal = AbortSignal.timeout(10_000);
    this.channel = await this.connection.open(SYNC.name, { signal });
    this.sync = new Exchange(this.channel, SYNC, {
      methods: {},
      notices: {
        batch: (batch) => void this.batches.push(batch),
        heads: ({ heads }) => void this.heads.push(...heads),
        receipts: ({ receipts }) => void this.receipts.push(...receipts),
      },
    });
    const { heads } = await this.sync.call('open', {});
    return new Map(heads.map(([stream, length]) => [stream, length]));
  }

  async submit(...entries: Entry[]): Promise<string[]> {
    const { outcomes } = await this.sync.call('submit', { entries: entries.map(encodeEntry) });
    return outcomes.map((outcome) => (outcome.type === 'sealed' ? 'sealed' : outcome.code));
  }

  say(text: string, stream: StreamName = 'room/lobby'): Promise<string[]> {
    return this.submit(this.member.write(stream, 'say', { text }));
  }

  block(other: Peer, blocked = true): Promise<string[]> {
    const { member } = this;
    const body = { account: other.member.account, blocked };
    return this.submit(member.write(`account/${member.account}`, 'block', body));
  }

  async leave(): Promise<void> {
    await this.transport.stop();
  }
}

/** A client of the product and all that it tells. */
export class TestClient {
  readonly world: World;
  readonly disk = new MemoryDisk();
  readonly keystore: Keystore;
  readonly messages: ReadMessage[] = [];
  readonly receipts = new Map<string, { on: number; of: number }>();
  readonly refused: { id: string; code: ErrorCode }[] = [];
  /** What was done about messages. */
  readonly news: ContentNews[] = [];
  readonly admin: AdminNews[] = [];
  readonly missed: MissedCall[] = [];
  readonly calls: CallNews[] = [];
  /** What other devices in a call have said to this one. */
  readonly callNotices: { readonly from: PublicKey; readonly said: CallNotice }[] = [];
  readonly conferences: ConferenceNews[] = [];
  /** Of files. */
  readonly sendings: SendingNews[] = [];
  readonly rooms: RoomNews[] = [];
  /** Everything else, as text. */
  readonly told: string[] = [];
  readonly faults: unknown[] = [];
  readonly #onPrivate: ClientEvents['onPrivate'];
  client!: Client;
  store!: Store;
  transport!: SimulatedTransport;
  addresses: readonly string[] = [SERVER_ADDRESS];

  constructor(world: World, onPrivate?: ClientEvents['onPrivate']) {
    this.world = world;
    this.#onPrivate = onPrivate;
    this.keystore = memoryKeystore(world.random);
  }

  get home(): Client['home'] {
    return this.client.home;
  }

  get texts(): string[] {
    return this.messages.map(({ text }) => text);
  }

  /** Starts the program, for the first time or again. */
  async open(options: Partial<ClientOptions> = {}): Promise<void> {
    const { world } = this;
    this.transport = world.host(new SigningKey(this.keystore.read().device.seed).public);
    this.store = this.disk.open();
    this.client = await Client.open({
      keystore: this.keystore,
      store: this.store,
      transport: this.transport,
      opaque: fakeOpaqueClient,
      clock: worldClock,
      random: world.random.bytes,
      label: 'test',
      addresses: () => this.addresses,
      events: {
        onMessage: (message) => this.messages.push(message),
        onMissedCall: (call) => this.missed.push(call),
        onContact: ({ kind, mine, relation }) =>
          this.told.push(`${mine ? 'own ' : ''}${kind}: ${relation}`),
        onContent: (news) => this.news.push(news),
        onAdmin: (news) => this.admin.push(news),
        onRoom: (news, isLive) => {
          if (isLive) this.rooms.push(news);
        },
        onTyping: ({ user, stream }) => this.told.push(`${user} types in ${stream}`),
        onConference: (news) => this.conferences.push(news),
        onCalls: this.#onCalls(),
        onSending: (news) => this.sendings.push(news),
        ...(this.#onPrivate === undefined ? {} : { onPrivate: this.#onPrivate }),
        onReceipt: ({ id, on, of }) => this.receipts.set(id, { on, of }),
        onRefused: (id, code) => this.refused.push({ id, code }),
        onPresence: ({ user, online }) => this.told.push(`${user} ${online ? 'came' : 'left'}`),
        onBroadcast: ({ from, text }) => this.told.push(`${from} to all: ${text}`),
        onConnected: (connected) => this.told.push(connected ? 'connected' : 'disconnected'),
        onLogout: (reason) => this.told.push(`logout ${reason}`),
        onLocked: (name, seconds) => this.told.push(`locked ${name} ${seconds}`),
        onNotice: (code) => this.told.push(`notice ${code}`),
        onFault: (error) => this.faults.push(error),
      },
      ...options,
    });
  }

  /** What else follows its calls. */
  callEvents: CallEvents | undefined;

  #onCalls(): CallEvents {
    return {
      onNews: (news) => {
        this.calls.push(news);
        this.callEvents?.onNews(news);
      },
      onLine: (device, path, isOnly) => this.callEvents?.onLine(device, path, isOnly),
      onNotice: (from, said) => {
        this.callNotices.push({ from, said });
        this.callEvents?.onNotice(from, said);
      },
      onNetworkChanged: () => {
        this.told.push('another network');
        this.callEvents?.onNetworkChanged();
      },
      onRules: () => this.callEvents?.onRules(),
    };
  }

  /** Says something and waits for what becomes of it. */
  async say(text: string, to?: string): Promise<ErrorCode | 'held' | 'queued'> {
    const { home } = this;
    const stream =
      to === undefined ? ('room/lobby' as const) : pairStream(home.account, home.named(to));
    const entry = await home.conversations.say(stream, text);
    return home.outbox.answer(entry.id);
  }

  async block(name: string, blocked = true): Promise<ErrorCode | 'held' | 'queued'> {
    const { home } = this;
    const body = { account: home.named(name), blocked };
    const entry = await home.conversations.act(`account/${home.account}`, 'block', body);
    return home.outbox.answer(entry.id);
  }

  /** Comes back after `open`. */
  async login(): Promise<void> {
    await this.client.connect();
    await this.client.loginDevice();
  }

  /** The conversation with somebody, or the lobby, as it is read here. */
  async reads(other?: string): Promise<string[]> {
    const { home } = this;
    const stream =
      other === undefined ? ('room/lobby' as const) : pairStream(home.account, home.named(other));
    const messages = await home.conversations.newest(stream, 1_000);
    return messages.map(({ text, state }) => (state === 'held' ? text : `${text} (${state})`));
  }

  hears(text: string): Promise<void> {
    return eventually(`hearing ${text}`, () => this.texts.includes(text));
  }

  /** Stops the program in order; `open` starts it again. */
  async stop(): Promise<void> {
    await this.client.stop();
    await this.transport.stop();
    await this.store.close();
  }

  /** The program is killed; `open` starts it again. */
  async crash(): Promise<void> {
    this.transport.crash();
    this.disk.crash(this.disk.unsynced);
    await this.client.stop();
  }
}

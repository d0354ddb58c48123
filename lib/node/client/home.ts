/**
 * What an account has on this device: its replica of the log and all that reads and writes it.
 * Works without the server; a connection, while there is one, is attached from outside.
 */
import { actionOf, type AccountAction } from '../../crdt/bodies.ts';
import { isMessage, type Entry } from '../../crdt/entry.ts';
import { Keyring, openByDevice, reachable } from '../../crdt/keyring.ts';
import {
  SealingKey,
  sealTo,
  SigningKey,
  type AccountId,
  type EntryId,
  type PublicKey,
  type RandomBytes,
} from '../../crdt/keys.ts';
import { LogStore } from '../../crdt/log-store.ts';
import {
  accountOf,
  activeDevices,
  deviceOf,
  type AccountRecord,
  type DeviceRecord,
  type HeadRecord,
  type KeyringPublic,
  type RoomRecord,
  type ServerRecord,
} from '../../crdt/records.ts';
import { Replica } from '../../crdt/replica.ts';
import type { Batch } from '../../crdt/seal.ts';
import { Secrets } from '../../crdt/secrets.ts';
import { accountNamed } from '../../crdt/space.ts';
import type { Reader } from '../../crdt/state.ts';
import type { Store } from '../../crdt/store.ts';
import { accountStream, placeOfStream, type StreamName } from '../../crdt/stream.ts';
import { membersOf } from '../../crdt/conversation.ts';
import { equal, sha256, utf8 } from '../../crdt/bytes.ts';
import { ClchatError, type ErrorCode } from '../../errors.ts';
import type { Clock } from '../../lifecycle.ts';
import type { Keystore } from '../keystore.ts';
import { withKeyring, type SpacePlace } from './auth.ts';
import { Contacts, type ContactNews } from './contacts.ts';
import { Conversations, type ReadMessage } from './conversations.ts';
import { Inbox } from './inbox.ts';
import { Outbox } from './outbox.ts';
import { ProgressBook, type Receipt } from './progress.ts';
import { SearchIndex } from './search.ts';

export interface HomeOptions {
  readonly keystore: Keystore;
  readonly store: Store;
  readonly server: PublicKey;
  readonly account: AccountId;
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** Nobody listens in this run: news stay news for the next. */
  readonly isQuiet?: boolean;
  readonly onMessage: (message: ReadMessage) => void;
  readonly onContact: (news: ContactNews) => void;
  readonly onReceipt: (receipt: Receipt) => void;
  /** One of this device's entries was refused for good. */
  readonly onRefused: (id: EntryId, code: ErrorCode) => void;
  /** The space stream has moved on. */
  readonly onSpace: () => void;
  readonly onFault: (error: unknown) => void;
}

interface Hooks {
  readonly onBatch: (batch: Batch, added: boolean) => void;
  readonly refused: (entry: Entry, code: ErrorCode, again: boolean) => void;
  readonly tell: (entry: Entry) => void;
  readonly receipt: (receipt: Receipt) => void;
}

export class Home {
  readonly replica: Replica;
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  readonly conversations: Conversations;
  readonly contacts: Contacts;
  readonly search: SearchIndex;
  readonly progress: ProgressBook;
  readonly account: AccountId;
  readonly #options: HomeOptions;
  readonly #secrets: Secrets;
  readonly #keyrings = new Map<number, Keyring>();
  #audience: { at: number; sizes: Map<AccountId, number>; total: number } | undefined;
  /** Messages are told in the order in which they came. */
  #telling: Promise<unknown> = Promise.resolve();

  private constructor(
    options: HomeOptions,
    parts: { replica: Replica; inbox: Inbox; progress: ProgressBook },
  ) {
    this.#options = options;
    this.account = options.account;
    this.replica = parts.replica;
    this.inbox = parts.inbox;
    this.progress = parts.progress;
    const { clock, random, account, server } = options;
    const { replica } = this;
    this.#secrets = new Secrets({
      server,
      device: replica.device,
      account,
      random,
      keyring: (generation) => this.#keyring(generation),
      isProven: (epoch) => replica.isProven(epoch),
      keptEpoch: (epoch) => replica.keptEpoch(epoch),
    });
    this.outbox = new Outbox({
      replica,
      onHeld: (entry) => this.#held(entry),
      onFault: options.onFault,
    });
    const { outbox } = this;
    const secrets = this.#secrets;
    this.conversations = new Conversations({ replica, secrets, outbox, account, clock, random });
    this.contacts = new Contacts({
      replica,
      account,
      isBlocked: (other) => this.blocks(other),
    });
    const { device } = options.keystore.read();
    const key = Uint8Array.from(sha256(utf8('clchat search v1\0'), device.seed));
    this.search = new SearchIndex({ replica, secrets, conversations: this.conversations, key });
  }

  static async open(options: HomeOptions): Promise<Home> {
    const { keystore, store, server, onFault, isQuiet = false } = options;
    // What comes in before everything is put together waits for it.
    const late: { hooks?: Hooks } = {};
    const replica = await Replica.open({
      log: new LogStore(store),
      server,
      device: new SigningKey(keystore.read().device.seed),
      onBatch: (batch, added) => late.hooks?.onBatch(batch, added),
      onRefused: (entry, code, again) => late.hooks?.refused(entry, code, again),
    });
    const inbox = await Inbox.open({
      replica,
      isQuiet,
      onFault,
      onNews: (entry) => late.hooks?.tell(entry),
    });
    const progress = await ProgressBook.open(store, (receipt) => late.hooks?.receipt(receipt));
    const home = new Home(options, { replica, inbox, progress });
    late.hooks = {
      onBatch: (batch, added) => home.#onBatch(batch, added),
      refused: (entry, code, again) => home.#refused(entry, code, again),
      tell: (entry) => home.#tell(entry),
      receipt: (receipt) => home.#receipt(receipt),
    };
    // What a crash left half done.
    for (const stream of replica.unmadeStreams()) await home.conversations.remake(stream);
    return home;
  }

  get space(): Reader {
    return this.replica.space;
  }

  get record(): AccountRecord | undefined {
    return accountOf(this.space, this.account);
  }

  /** The account's name; from the keystore until the log is here. */
  get name(): string {
    return this.record?.name ?? this.#options.keystore.read().account?.name ?? '';
  }

  get serverName(): string {
    return this.space.get<ServerRecord>('server', 'server')?.name ?? '';
  }

  nameOf(account: AccountId | undefined): string {
    return (account === undefined ? undefined : accountOf(this.space, account)?.name) ?? '?';
  }

  /** @throws NO_SUCH_USER */
  named(name: string): AccountId {
    const account = accountNamed(this.space, name);
    if (account === undefined) throw new ClchatError('NO_SUCH_USER', `There is no user "${name}".`);
    return account;
  }

  /** Whether this account blocks another: also by what no server has seen yet. */
  async blocks(account: AccountId): Promise<boolean> {
    const stream = accountStream(this.account);
    const { state } = await this.replica.log.open(stream);
    let isBlocked = state.get('block', account) === true;
    for (const entry of this.replica.unsealed(stream)) {
      const action = actionOf(entry, 'account') as AccountAction | undefined;
      if (action?.body.account === account) isBlocked = action.body.blocked;
    }
    return isBlocked;
  }

  names(): string[] {
    return [...this.space.entries<AccountRecord>('account')].map(([, { name }]) => name);
  }

  roomName(stream: StreamName): string | undefined {
    const place = placeOfStream(stream);
    return place.type === 'room' ? this.space.get<RoomRecord>('room', place.room)?.name : undefined;
  }

  devices(): { key: PublicKey; record: DeviceRecord }[] {
    return activeDevices(this.space, this.account).map((key) => ({
      key,
      record: deviceOf(this.space, key)!,
    }));
  }

  /** Where the next entry of this device in the space stream goes, outside the outbox. */
  get spacePlace(): SpacePlace {
    const head = this.space.get<HeadRecord>('head', this.replica.device);
    return {
      seq: (head?.seq ?? 0) + 1,
      previous: head?.id ?? null,
      clock: (this.space.get<number>('clock', 'clock') ?? 0) + 1,
    };
  }

  #onBatch(batch: Batch, added: boolean): void {
    for (const item of batch.items)
      this.outbox.sealed(item.type === 'entry' ? item.entry.id : item.refusal.id);
    if (!added) return;
    if (batch.seal.stream === 'space') {
      void this.refreshKeyrings();
      this.#options.onSpace();
    }
    if (!this.inbox.take(batch)) void this.inbox.pump(batch.seal.stream);
  }

  #tell(entry: Entry): void {
    const { onMessage, onContact, onFault } = this.#options;
    this.#telling = this.#telling
      .then(async () => {
        if (isMessage(entry)) return onMessage(await this.conversations.read(entry, 'held'));
        const news = await this.contacts.read(entry, this.space);
        if (news !== undefined) onContact(news);
      })
      .catch(onFault);
  }

  #held(entry: Entry): void {
    if (!isMessage(entry)) return;
    this.progress.held(entry.id, this.audienceSize(entry.stream));
  }

  #receipt(receipt: Receipt): void {
    this.#options.onReceipt({ ...receipt, id: this.conversations.announced(receipt.id) });
  }

  #refused(entry: Entry, code: ErrorCode, again: boolean): void {
    if (entry.kind === 'epoch') this.#secrets.forgetOpened(entry.stream);
    if (again) this.conversations.remake(entry.stream).catch(this.#options.onFault);
    else if (entry.kind !== 'epoch')
      this.#options.onRefused(this.conversations.announced(entry.id), code);
  }

  /** How many devices are to get what is said in a stream, this one not counted. */
  audienceSize(stream: StreamName): number {
    const at = this.replica.log.headOf('space').length;
    if (this.#audience?.at !== at) {
      const sizes = new Map<AccountId, number>();
      let total = 0;
      for (const [, { account, revoked }] of this.space.entries<DeviceRecord>('device')) {
        if (revoked) continue;
        sizes.set(account, (sizes.get(account) ?? 0) + 1);
        total++;
      }
      this.#audience = { at, sizes, total };
    }
    const { sizes, total } = this.#audience;
    const room = placeOfStream(stream);
    const open =
      room.type === 'room' && this.space.get<RoomRecord>('room', room.room)?.private !== true;
    if (open) return Math.max(0, total - 1);
    const state = this.replica.log.opened(stream)?.state;
    const members = state === undefined ? [] : membersOf(stream, state);
    return Math.max(0, members.reduce((sum, member) => sum + (sizes.get(member) ?? 0), 0) - 1);
  }

  // The keyring.

  #keyring(generation: number): Keyring | undefined {
    let keyring = this.#keyrings.get(generation);
    if (keyring === undefined) {
      const kept = this.#options.keystore
        .read()
        .keyring.find((one) => one.generation === generation);
      if (kept === undefined) return undefined;
      keyring = new Keyring(generation, kept.secret);
      const present = this.record?.keyring;
      // One of an account that came to nothing must not stand in the way of the account's own.
      if (present?.generation === generation && !isSame(keyring.public, present)) return undefined;
      this.#keyrings.set(generation, keyring);
    }
    return keyring;
  }

  /** The present generation. @throws STALE_KEY when this device does not have it */
  get keyring(): Keyring {
    const generation = this.record?.keyring.generation;
    const keyring = generation === undefined ? undefined : this.#keyring(generation);
    if (keyring === undefined) throw new ClchatError('STALE_KEY');
    return keyring;
  }

  /** Takes what generations of the keyring can be reached from here into the keystore. */
  async refreshKeyrings(): Promise<void> {
    const { keystore, onFault } = this.#options;
    const generation = this.record?.keyring.generation;
    if (generation === undefined) return;
    try {
      const device = keystore.read().device;
      const sealing = new SealingKey(device.sealing);
      const newest =
        this.#keyring(generation) ??
        openByDevice(this.space, this.account, generation, this.replica.device, sealing);
      if (newest === undefined) return;
      const missing: Keyring[] = [];
      for (const keyring of reachable(this.space, this.account, newest)) {
        const known = this.#keyring(keyring.generation);
        if (known !== undefined && isSame(known.public, keyring.public)) {
          if (keyring !== newest) break;
        } else missing.push(keyring);
      }
      if (missing.length === 0) return;
      await this.keep(missing);
      for (const { generation: other } of missing) this.#keyrings.delete(other);
    } catch (error) {
      onFault(error);
    }
  }

  /** Keeps generations of the keyring. */
  async keep(keyrings: readonly Keyring[]): Promise<void> {
    await this.#options.keystore.update((record) => ({
      ...record,
      keyring: keyrings.reduce(withKeyring, record.keyring),
    }));
  }

  /** What shuts a device out and begins a new generation of the keyring. */
  revocation(device: PublicKey): { body: unknown; keyring: Keyring } {
    const { random } = this.#options;
    const { record } = this;
    const old = this.keyring;
    const fresh = Keyring.create(old.generation + 1, random);
    const rest = this.devices().filter(({ key }) => key !== device);
    const body = {
      device,
      keyring: fresh.public,
      wraps: rest.map(({ key, record: { sealing } }) => [
        key,
        sealTo(sealing, fresh.secret, random),
      ]),
      password: record?.password == null ? null : sealTo(record.password, fresh.secret, random),
      previous: fresh.sealPrevious(old, random),
    };
    return { body, keyring: fresh };
  }

  async settled(): Promise<void> {
    await this.replica.settled();
    await this.inbox.settled();
    await this.#telling;
    await this.progress.settled();
  }

  async close(): Promise<void> {
    this.search.stop();
    this.outbox.attach(undefined);
    await this.settled();
  }
}

function isSame(a: KeyringPublic, b: KeyringPublic): boolean {
  return a.sign === b.sign && equal(a.box, b.box);
}

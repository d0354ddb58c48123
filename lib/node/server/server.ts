/**
 * The server role: the peer that holds the authoritative log, judges what comes in and tells
 * everybody who may know. Works over any transports.
 */
import { encode } from '../../crdt/codec.ts';
import { encodeEntry, newSalt, signEntry } from '../../crdt/entry.ts';
import type { AccountId, PublicKey, RandomBytes, SigningKey } from '../../crdt/keys.ts';
import { LogStore } from '../../crdt/log-store.ts';
import { ADMIN_GROUP, PERMISSIONS, USER_GROUP, USER_PERMISSIONS } from '../../crdt/permissions.ts';
import {
  accountOf,
  type GroupRecord,
  type HeadRecord,
  type ServerRecord,
} from '../../crdt/records.ts';
import type { Batch } from '../../crdt/seal.ts';
import { Sealer, type Outcome } from '../../crdt/sealer.ts';
import { accountNamed } from '../../crdt/space.ts';
import type { Store } from '../../crdt/store.ts';
import { accountStream } from '../../crdt/stream.ts';
import { actionOf } from '../../crdt/bodies.ts';
import { ClchatError } from '../../errors.ts';
import { startAll, type Clock, type Lifecycle } from '../../lifecycle.ts';
import { isName } from '../../text.ts';
import type { Transport } from '../channel.ts';
import { Lockout } from '../lockout.ts';
import type { OpaqueServer } from '../opaque.ts';
import type { Vault } from '../vault.ts';
import { SESSION, SYNC } from '../wire.ts';
import { Accounts } from './accounts.ts';
import { Directory } from './directory.ts';
import { Sessions } from './sessions.ts';
import { SyncHub } from './sync.ts';

export interface ServerOptions {
  readonly store: Store;
  /** The server's identity. */
  readonly key: SigningKey;
  /** Its name when it is new; a name it has stays. */
  readonly name: string;
  readonly transports: readonly Transport[];
  readonly vault: Vault;
  readonly opaque: OpaqueServer;
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** Seconds for which three wrong passwords lock an account. */
  readonly blockDuration: number;
  /** Seconds of inactivity after which a person is logged out; 0: never. */
  readonly timeout: number;
  readonly inviteOnly: boolean;
  /** Rises when the server continues from a backup. */
  readonly term: number;
  /** Milliseconds in which clients may hand back what a restored server lacks; 0 for others. */
  readonly recoverMs: number;
  /** See `HubOptions.patienceMs`; for tests. */
  readonly syncPatienceMs?: number;
  /** Faults of ours, for the log. */
  readonly onFault: (error: unknown) => void;
}

/**
 * How long a stream waits for company before its next seal, for each device that was told of the
 * last, in milliseconds: what a telling costs here and there on a small machine, several times over.
 */
const REST_MS = 3;
/** Longest such wait. */
const MAX_REST_MS = 150;

export class Server {
  readonly #options: ServerOptions;
  readonly #lifecycle: Lifecycle;
  readonly #sealer: Sealer;
  readonly #directory: Directory;
  readonly #sessions: Sessions;
  readonly #hub: SyncHub;

  private constructor(
    options: ServerOptions,
    lifecycle: Lifecycle,
    parts: { sealer: Sealer; directory: Directory; sessions: Sessions; hub: SyncHub },
  ) {
    this.#options = options;
    this.#lifecycle = lifecycle;
    this.#sealer = parts.sealer;
    this.#directory = parts.directory;
    this.#sessions = parts.sessions;
    this.#hub = parts.hub;
  }

  /** Opens the log (a new one gets its first entry) and serves it on the transports. */
  static start(options: ServerOptions): Promise<Server> {
    return startAll(async (lifecycle) => {
      const { store, key, clock, vault, opaque, onFault, inviteOnly } = options;
      const log = new LogStore(store);
      let publish: (batches: readonly Batch[]) => void = () => undefined;
      const sealer = await lifecycle.start(
        'sealer',
        () =>
          new Sealer({
            log,
            key,
            clock,
            term: options.term,
            onCommit: (batches) => publish(batches),
          }),
        (value) => value.close(),
      );
      sealer.holdUntil = clock.monotonic() + options.recoverMs;
      const { head } = await log.open('space');
      if (head.length === 0) await found(options, sealer);
      const directory = await Directory.open(log);
      const isBlocked = (blocker: AccountId, target: AccountId): boolean =>
        log.record(accountStream(blocker), 'block', target) === true;
      const accounts = new Accounts({
        log,
        directory,
        sealer,
        vault,
        opaque,
        clock,
        random: options.random,
        write: (operations) => store.write(operations, { sync: true }),
        lockout: new Lockout({ clock, blockDuration: options.blockDuration }),
        inviteOnly,
      });
      const sessions = await lifecycle.start(
        'sessions',
        () =>
          new Sessions({
            space: directory.space,
            accounts,
            clock,
            term: options.term,
            inviteOnly,
            timeout: options.timeout,
            isBlocked,
            onLeave: (device) => hub.drop(device),
            onFault,
          }),
        (value) => value.stop(),
      );
      const hub = await lifecycle.start(
        'replication',
        () =>
          SyncHub.open({
            log,
            sealer,
            directory,
            clock,
            accountOf: (device) => sessions.accountOf(device),
            onActive: (device) => sessions.active(device),
            isBlocked,
            takeProof: (device, of) => sessions.takeProof(device, of),
            onFault,
            patienceMs: options.syncPatienceMs,
          }),
        (value) => value.stop(),
      );
      const server = new Server(options, lifecycle, { sealer, directory, sessions, hub });
      publish = (batches) => server.#publish(batches);
      for (const transport of options.transports) {
        transport.handle(SESSION.name, (channel) => sessions.accept(channel));
        transport.handle(SYNC.name, (channel) => hub.accept(channel));
      }
      return server;
    });
  }

  get key(): PublicKey {
    return this.#options.key.public;
  }

  get name(): string {
    return this.#directory.space.get<ServerRecord>('server', 'server')?.name ?? this.#options.name;
  }

  #publish(batches: readonly Batch[]): void {
    for (const batch of batches) {
      this.#directory.update(batch);
      if (batch.seal.stream === 'space') this.#shutOut(batch);
    }
    for (const batch of batches) {
      const told = this.#hub.publish(batch);
      // One conversation between two needs no rest.
      if (told > 2) this.#sealer.rest(batch.seal.stream, Math.min(MAX_REST_MS, told * REST_MS));
    }
  }

  /** A revoked device is logged out at once. */
  #shutOut(batch: Batch): void {
    for (const item of batch.items) {
      const action = item.type === 'entry' ? actionOf(item.entry, 'space') : undefined;
      if (action?.kind === 'revoke') this.#sessions.revoke(action.body.device);
    }
  }

  /**
   * Makes an account the admin, if there is none yet: for the person at the server's own console.
   * @returns whether it was made so
   */
  async crown(name: string): Promise<boolean> {
    const { space } = this.#directory;
    const account = accountNamed(space, name);
    if (account === undefined) throw new ClchatError('NO_SUCH_USER');
    if (accountOf(space, account)?.group === ADMIN_GROUP) return true;
    const head = space.get<HeadRecord>('head', this.key);
    const outcome = await submitOwn(this.#options, this.#sealer, {
      seq: (head?.seq ?? 0) + 1,
      previous: head?.id ?? null,
      clock: (space.get<number>('clock', 'clock') ?? 0) + 1,
      kind: 'setgroup',
      body: { account, group: ADMIN_GROUP },
    });
    return outcome.type === 'sealed';
  }

  /** Names of those online. */
  online(): string[] {
    return this.#sessions.presence
      .online()
      .map((account) => accountOf(this.#directory.space, account)?.name ?? '');
  }

  async stop(): Promise<void> {
    await this.#lifecycle.stop();
  }
}

/** Has an entry of the server's own key sealed in the space stream. */
function submitOwn(
  { key, clock, random }: ServerOptions,
  sealer: Sealer,
  entry: {
    seq: number;
    previous: HeadRecord['id'] | null;
    clock: number;
    kind: string;
    body: unknown;
  },
): Promise<Outcome> {
  const { body, ...place } = entry;
  const signed = signEntry(
    key,
    { server: key.public, stream: 'space', time: clock.now(), ...place },
    encode(body),
    newSalt(random),
  );
  return sealer.submit({ entry: signed, bytes: encodeEntry(signed) });
}

/** The first entry of a new server: its name, its groups and its lobby. */
async function found(options: ServerOptions, sealer: Sealer): Promise<void> {
  if (!isName(options.name)) throw new ClchatError('BAD_NAME');
  const groups: Record<string, GroupRecord> = {
    [ADMIN_GROUP]: { level: 100, permissions: [...PERMISSIONS] },
    [USER_GROUP]: { level: 0, permissions: [...USER_PERMISSIONS] },
  };
  const outcome = await submitOwn(options, sealer, {
    seq: 1,
    previous: null,
    clock: 1,
    kind: 'server',
    body: { name: options.name, groups, lobby: 'lobby' },
  });
  if (outcome.type !== 'sealed') throw new ClchatError('INTERNAL', 'the log could not be begun');
}

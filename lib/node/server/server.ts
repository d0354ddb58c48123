/**
 * The server role: the peer that holds the authoritative log, judges what comes in and tells
 * everybody who may know. Works over any transports.
 */
import { Eraser } from '../../crdt/eraser.ts';
import { Forgetter } from '../../crdt/forget-stream.ts';
import type { AccountId, PublicKey } from '../../crdt/keys.ts';
import { LogStore } from '../../crdt/log-store.ts';
import { ADMIN_GROUP, PERMISSIONS, USER_GROUP, USER_PERMISSIONS } from '../../crdt/permissions.ts';
import { accountOf, type GroupRecord, type ServerRecord } from '../../crdt/records.ts';
import { guestOf } from '../../crdt/rights.ts';
import type { Batch } from '../../crdt/seal.ts';
import { Sealer } from '../../crdt/sealer.ts';
import { accountNamed } from '../../crdt/people.ts';
import { accountStream } from '../../crdt/stream.ts';
import { actionOf, type SpaceAction } from '../../crdt/bodies.ts';
import { ClchatError } from '../../errors.ts';
import { startAll, type Lifecycle } from '../../lifecycle.ts';
import { isName } from '../../text.ts';
import { BLOB } from '../blobs/wire.ts';
import { Lockout } from '../lockout.ts';
import { SESSION, SYNC } from '../wire.ts';
import { Accounts } from './accounts.ts';
import { Administration } from './administration.ts';
import { Admission } from './admission.ts';
import { CallService } from './call-service.ts';
import { ConferenceRooms } from './conference-rooms.ts';
import { Directory } from './directory.ts';
import { Ephemeral } from './ephemeral.ts';
import { ServerFiles } from './files.ts';
import type { ServerOptions } from './options.ts';
import { Passwords } from './passwords.ts';
import { RoomLocks } from './room-locks.ts';
import { ServerEntries } from './server-entries.ts';
import { Sessions } from './sessions.ts';
import { SyncHub } from './sync.ts';

export type { ServerOptions };

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
  readonly #own: ServerEntries;
  readonly #directory: Directory;
  readonly #sessions: Sessions;
  readonly #hub: SyncHub;
  readonly #eraser: Eraser;
  readonly #forgetter: Forgetter;
  readonly #administration: Administration;
  readonly #conferences: ConferenceRooms;
  readonly #calls: CallService;

  private constructor(
    options: ServerOptions,
    lifecycle: Lifecycle,
    parts: {
      sealer: Sealer;
      own: ServerEntries;
      directory: Directory;
      sessions: Sessions;
      hub: SyncHub;
      eraser: Eraser;
      forgetter: Forgetter;
      administration: Administration;
      conferences: ConferenceRooms;
      calls: CallService;
    },
  ) {
    this.#options = options;
    this.#lifecycle = lifecycle;
    this.#sealer = parts.sealer;
    this.#own = parts.own;
    this.#directory = parts.directory;
    this.#sessions = parts.sessions;
    this.#hub = parts.hub;
    this.#eraser = parts.eraser;
    this.#forgetter = parts.forgetter;
    this.#administration = parts.administration;
    this.#conferences = parts.conferences;
    this.#calls = parts.calls;
  }

  /** Opens the log (a new one gets its first entry) and serves it on the transports. */
  static start(options: ServerOptions): Promise<Server> {
    return startAll(async (lifecycle) => {
      const { store, key, clock, vault, opaque, onFault, inviteOnly } = options;
      const log = new LogStore(store);
      let publish: (batches: readonly Batch[]) => void = () => undefined;
      let forgetReplaced: Passwords['replacedBy'] = () => [];
      const sealer = await lifecycle.start(
        'sealer',
        () =>
          new Sealer({
            log,
            key,
            clock,
            term: options.term,
            onCommit: (batches) => publish(batches),
            withTakenBack: (batch, after) => forgetReplaced(batch, after),
          }),
        (value) => value.close(),
      );
      sealer.holdUntil = clock.monotonic() + options.recoverMs;
      const { head } = await log.open('space');
      const own = new ServerEntries({ log, sealer, key, clock, random: options.random });
      if (head.length === 0) await found(options.name, own);
      const directory = await Directory.open(log);
      const isBlocked = (blocker: AccountId, target: AccountId): boolean =>
        log.record(accountStream(blocker), 'block', target) === true;
      const passwords = new Passwords({
        vault,
        opaque,
        lockout: new Lockout({ clock, blockDuration: options.blockDuration }),
        random: options.random,
        write: (operations) => store.write(operations, { sync: true }),
      });
      forgetReplaced = (batch, after) => passwords.replacedBy(batch, after);
      const accounts = new Accounts({ log, directory, sealer, passwords, clock, inviteOnly });
      const conferences = await lifecycle.start(
        'conferences',
        () =>
          new ConferenceRooms({
            log,
            directory,
            own,
            clock,
            graceMs: options.conferenceGraceMs,
            isBlocked,
            isOnline: (account) => sessions.presence.isOnline(account),
            accountOf: (device) => sessions.accountOf(device),
            tell: (to, event) => sessions.tellConference(to, event),
            onOut: (room) => calls.conferenceChanged(room),
            onFault,
          }),
        (value) => value.stop(),
      );
      const calls: CallService = await lifecycle.start(
        'calls',
        () =>
          new CallService({
            ...{ log, directory, own, clock, isBlocked, conferences, onFault },
            ...options.calls,
            ways: options.callWays,
            online: () => sessions.presence.online(),
            devicesOf: (account) => sessions.devicesOf(account),
            tell: (device, view) => sessions.tellCall(device, view),
            tellRoom: (device, view) => sessions.tellRoomCall(device, view),
          }),
        (value) => value.stop(),
      );
      const admission = new Admission({
        log,
        directory,
        clock,
        isBlocked,
        takeProof: (device, of) => sessions.takeProof(device, of),
        conference: (room, action, context) => conferences.admit(room, action, context),
      });
      const administration = new Administration({
        directory,
        accounts,
        admission,
        vault,
        mailer: options.mailer,
        write: (operations) => store.write(operations, { sync: true }),
        putOut: (account, reason) => sessions.putOut(account, reason),
      });
      const locks = new RoomLocks({
        directory,
        accounts,
        passwords,
        admission,
        write: (operations) => store.write(operations, { sync: true }),
      });
      await administration.forgetRemoved();
      lifecycle.add('administration', () => administration.settled());
      const sessions: Sessions = await lifecycle.start(
        'sessions',
        () =>
          new Sessions({
            space: directory.space,
            accounts,
            locks,
            administration,
            conferences,
            calls,
            takesPart: (account, stream) => directory.takesPart(account, stream),
            readersOf: async (hash) => files?.readersOf(hash),
            clock,
            term: options.term,
            inviteOnly,
            isRelay: options.isRelay === true,
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
            admission,
            onFault,
            patienceMs: options.syncPatienceMs,
          }),
        (value) => value.stop(),
      );
      const { blobs } = options;
      const files =
        blobs === undefined
          ? undefined
          : await lifecycle.start(
              'files',
              () => new ServerFiles({ log, directory, store: blobs, clock, onFault }),
              (value) => value.stop(),
            );
      const eraser = await lifecycle.start(
        'erasing',
        () =>
          Eraser.open({
            log,
            space: () => directory.space,
            onErasing: async (_stream, entries) => files?.erase(entries),
            onFault,
          }),
        (value) => value.stop(),
      );
      const forgetter = await lifecycle.start(
        'forgetting',
        () =>
          Forgetter.open({
            log,
            space: () => directory.space,
            drop: (stream) => log.drop(stream),
            onForgetting: async (_stream, entries) => files?.erase(entries),
            onForgotten: async (stream) => {
              hub.receipts.forget(stream);
              await locks.forget(stream);
            },
            onFault,
          }),
        (value) => value.stop(),
      );
      await lifecycle.start(
        'temporary rooms',
        () =>
          new Ephemeral({
            log,
            space: directory.space,
            clock,
            isOnline: (account) => sessions.presence.isOnline(account),
            remove: (room) => own.submit('space', 'removeroom', { room }),
            onFault,
          }),
        (value) => value.stop(),
      );
      const server = new Server(options, lifecycle, {
        sealer,
        own,
        directory,
        sessions,
        hub,
        eraser,
        forgetter,
        administration,
        conferences,
        calls,
      });
      publish = (batches) => server.#publish(batches);
      const begun = conferences.begin();
      // While clients hand back what a restored server lacks, nothing else is sealed.
      if (options.recoverMs === 0) await begun;
      for (const transport of options.transports) {
        transport.handle(SESSION.name, (channel) => sessions.accept(channel));
        transport.handle(SYNC.name, (channel) => hub.accept(channel));
        if (files !== undefined) transport.handle(BLOB.name, (channel) => files.accept(channel));
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

  /** Whose device it is; undefined where that account is none any more, or shut out. */
  accountOf(device: PublicKey): AccountId | undefined {
    return guestOf(this.#directory.space, device, this.#options.clock.now());
  }

  #publish(batches: readonly Batch[]): void {
    for (const batch of batches) {
      this.#directory.update(batch);
      this.#eraser.note(batch);
      this.#forgetter.note(batch);
      this.#conferences.follow(batch);
      this.#calls.follow(batch);
      if (batch.seal.stream === 'space') this.#follow(batch);
    }
    for (const batch of batches) {
      const told = this.#hub.publish(batch);
      // One conversation between two needs no rest.
      if (told > 2) this.#sealer.rest(batch.seal.stream, Math.min(MAX_REST_MS, told * REST_MS));
    }
  }

  /** Does what follows from the space beyond the log; whoever is shut out is logged out at once. */
  #follow(batch: Batch): void {
    for (const item of batch.items) {
      const action =
        item.type === 'entry' ? (actionOf(item.entry, 'space') as SpaceAction) : undefined;
      if (action?.kind === 'revoke') this.#sessions.revoke(action.body.device);
      if (action?.kind === 'removeuser') {
        this.#sessions.putOut(action.body.account, 'removed');
        this.#administration.forgetSoon(action.body.account, this.#options.onFault);
      }
      if (action?.kind === 'ban' && action.body.room === undefined)
        this.#sessions.putOut(action.body.account, 'banned');
      if (action?.kind === 'renameserver') this.#options.onRename?.(action.body.name);
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
    const body = { account, group: ADMIN_GROUP };
    const outcome = await this.#own.submit('space', 'setgroup', body);
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

/** The first entry of a new server: its name, its groups and its lobby. */
async function found(name: string, own: ServerEntries): Promise<void> {
  if (!isName(name)) throw new ClchatError('BAD_NAME');
  const groups: Record<string, GroupRecord> = {
    [ADMIN_GROUP]: { level: 100, permissions: [...PERMISSIONS] },
    [USER_GROUP]: { level: 0, permissions: [...USER_PERMISSIONS] },
  };
  const body = { name, groups, lobby: 'lobby' };
  const outcome = await own.submit('space', 'server', body);
  if (outcome.type !== 'sealed') throw new ClchatError('INTERNAL', 'the log could not be begun');
}

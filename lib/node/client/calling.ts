/** Calls of a client: what the server tells of them, and the lines to the other devices in them. */
import type { AccountId, PublicKey, RandomBytes, RoomId } from '../../crdt/keys.ts';
import { actorOf } from '../../crdt/records.ts';
import { isShutOut, roomOf } from '../../crdt/rooms.ts';
import { roomStream } from '../../crdt/stream.ts';
import type { Clock } from '../../lifecycle.ts';
import type { Path, Relay, Transport } from '../channel.ts';
import { CallLines, type CallNotice, type Companion } from '../calls/lines.ts';
import type { CallId } from '../calls/wire.ts';
import { Whereabouts, type Session } from '../private/whereabouts.ts';
import { Calls, type CallNews } from './calls.ts';
import type { Home } from './home.ts';
import type { Link } from './link.ts';
import type { Rooms } from './rooms.ts';

/** What is told of calls. */
export interface CallEvents {
  readonly onNews: (news: CallNews) => void;
  /** There is a line to another device in the call. */
  readonly onLine: (device: PublicKey, path: Path, isOnly: boolean) => void;
  readonly onNotice: (device: PublicKey, notice: CallNotice) => void;
  /** This host has other addresses, or was asleep. */
  readonly onNetworkChanged: () => void;
  /** Who may be in a call with whom may be different. */
  readonly onRules: () => void;
}

export interface CallingOptions {
  readonly transport: Pick<Transport, 'connect' | 'handle' | 'key'>;
  readonly home: () => Home | undefined;
  readonly rooms: () => Pick<Rooms, 'isMember'>;
  /** @throws NETWORK, NOT_LOGGED_IN */
  readonly link: () => Link;
  /** With the server, while there is a way to it. */
  readonly session: () => Session | undefined;
  readonly relay: () => Relay | undefined;
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** Absent: nobody is there to be called. */
  readonly events: CallEvents | undefined;
  readonly onFault: (error: unknown) => void;
}

export class Calling {
  readonly calls: Calls;
  readonly lines: CallLines;
  readonly #options: CallingOptions;

  constructor(options: CallingOptions) {
    this.#options = options;
    const { transport, clock, random, events, onFault } = options;
    const whereabouts = new Whereabouts(options.session, options.relay);
    this.calls = new Calls({
      link: options.link,
      name: () => options.home()?.name,
      device: transport.key,
      nameOf: (device) => this.#nameOf(device),
      isIn: (room) => this.#isIn(room),
      accountNamed: (name) => options.home()!.named(name),
      random,
      onNews: (news) => events?.onNews(news),
      onFault,
    });
    this.lines = new CallLines({
      transport,
      clock,
      targets: async (account) => whereabouts.of(account, options.home()!.space),
      mayCome: (device, id) => this.#mayCome(device, id),
      onUp: (device, path, isOnly) => events?.onLine(device, path, isOnly),
      onNotice: (device, notice) => events?.onNotice(device, notice),
      onFault,
    });
  }

  /** Whose a device in the call is, as the log says: the server is not believed in that. */
  accountOf(device: PublicKey): AccountId | undefined {
    const home = this.#options.home();
    return home === undefined ? undefined : actorOf(home.space, device);
  }

  #nameOf(device: PublicKey): string | undefined {
    const account = this.accountOf(device);
    return account === undefined ? undefined : this.#options.home()?.nameOf(account);
  }

  /** Whether this account is in a room, as the log says; of conferences the server alone knows. */
  #isIn(room: RoomId): boolean {
    const home = this.#options.home();
    const record = home && roomOf(home.space, room);
    if (home === undefined || record === undefined) return false;
    if (record.lifetime === 'conference') return true;
    const { space, account, unread } = home;
    if (isShutOut(space, account, room, this.#options.clock.now())) return false;
    return unread.takesPart(roomStream(room));
  }

  /**
   * The others in the call who may be connected to. The server names their devices; whose these are, and
   * whether they belong there, is for the log to say: the one whom one calls, or members of the room.
   * Nobody whom this account blocks, and none of its own devices, beside which one sits.
   */
  async companions(): Promise<Companion[]> {
    const home = this.#options.home();
    const { current } = this.calls;
    if (home === undefined || current === undefined) return [];
    const found: Companion[] = [];
    for (const device of new Set(current.participants.map((one) => one.device))) {
      const account = this.accountOf(device);
      if (account === undefined || account === home.account) continue;
      if (!(await this.#belongs(account))) continue;
      if (!(await home.contacts.blocks(account))) found.push({ device, account });
    }
    return found;
  }

  async #belongs(account: AccountId): Promise<boolean> {
    const home = this.#options.home();
    const { target } = this.calls;
    if (home === undefined || target === undefined) return false;
    if ('account' in target) return target.account === account;
    // Who is in a conference the server alone knows.
    const isConference = roomOf(home.space, target.room)?.lifetime === 'conference';
    return isConference || this.#options.rooms().isMember(target.room, account);
  }

  #mayCome(device: PublicKey, id: CallId | undefined): boolean {
    if (this.accountOf(device) === undefined) return false;
    return id === undefined || this.calls.mayBeIn(id);
  }

  /** Tells the others, where this device is in a call. */
  async stop(): Promise<void> {
    this.calls.reset();
    await this.lines.stop();
  }
}

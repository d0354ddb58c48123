/** Calls among accounts named by a word, each with devices named `<account>/<number>`. */
import type { AccountId, PublicKey, RoomId } from '../../lib/crdt/keys.ts';
import type { ErrorCode } from '../../lib/errors.ts';
import type {
  CallId,
  CallView,
  Equipment,
  Participant,
  RoomCallView,
} from '../../lib/node/calls/wire.ts';
import type { CallOver } from '../../lib/node/server/call-life.ts';
import { Calls, type Caller, type CallStart } from '../../lib/node/server/calls.ts';
import { TestClock } from './community.ts';
import { ownerOf } from './conference-stage.ts';

export const EQUIPMENT: Equipment = { microphone: true, camera: false, entered: false };

/** Whom, or where; and how. */
export type Wanted = { readonly user: string; readonly in?: string } | { readonly room: string };
export interface StartOptions {
  readonly id?: string;
  readonly secondDevice?: boolean;
  readonly resumed?: boolean;
}

interface Room {
  readonly members: Set<string>;
  readonly isConference: boolean;
  isForText: boolean;
}

const account = (name: string): AccountId => name as AccountId;

/** The id of a call that is called `name`. */
export function callNamed(name: string): CallId {
  return Buffer.from(name).toString('hex').padEnd(32, '0') as CallId;
}

export class CallStage {
  readonly clock = new TestClock();
  /** Devices that are connected. */
  readonly connected = new Set<string>();
  readonly rooms = new Map<string, Room>();
  /** `<account> <room>`. */
  readonly banned = new Set<string>();
  readonly gone = new Set<string>();
  /** `<account> <permission>`. */
  readonly denied = new Set<string>();
  readonly over: CallOver[] = [];
  /** Of accounts that are not called by the word that is their id. */
  readonly #names = new Map<string, string>();
  readonly calls: Calls;
  readonly #contacts = new Set<string>();
  readonly #blocks = new Set<string>();
  /** All that was told since last asked. */
  #views: { readonly device: string; readonly view: CallView | RoomCallView }[] = [];

  constructor() {
    this.calls = new Calls({
      clock: this.clock,
      isUser: (one) => !this.gone.has(one),
      may: (one, permission) => !this.denied.has(`${one} ${permission}`),
      isContact: (a, b) => this.#contacts.has([a, b].sort().join(' ')),
      isBlocked: (blocker, target) => this.isBlocked(blocker, target),
      nameOf: (one) => this.#names.get(one) ?? one,
      whyOut: (room, one) => this.whyOut(room, one),
      isConference: (room) => this.rooms.get(room)?.isConference === true,
      membersOf: (room) => this.#online().filter((one) => this.whyOut(room, one) === undefined),
      devicesOf: (one) =>
        [...this.connected].filter((device) => ownerOf(device) === one) as PublicKey[],
      tell: (device, view) => this.#tell(device, view),
      tellRoom: (device, view) => this.#tell(device, view),
      onOver: (over) => this.over.push(over),
    });
  }

  /** Four who are there, of whom alice, bob and carol know one another and are in the room `x`. */
  static ofFriends(): CallStage {
    const stage = new CallStage();
    stage.connect('alice/1', 'bob/1', 'carol/1', 'dave/1');
    stage.befriend('alice', 'bob');
    stage.befriend('bob', 'carol');
    stage.befriend('alice', 'carol');
    stage.room('x', 'alice', 'bob', 'carol');
    return stage;
  }

  #tell(device: string, view: CallView | RoomCallView): void {
    if (this.connected.has(device)) this.#views.push({ device, view });
  }

  #online(): AccountId[] {
    return [...new Set([...this.connected].map(ownerOf))];
  }

  isBlocked(blocker: string, target: string): boolean {
    return this.#blocks.has(`${blocker} ${target}`);
  }

  whyOut(room: string, who: string): ErrorCode | undefined {
    const record = this.rooms.get(room);
    if (record === undefined) return 'NO_SUCH_ROOM';
    if (this.banned.has(`${who} ${room}`)) return 'BANNED';
    if (!record.members.has(who)) return record.isConference ? 'NOT_PARTICIPANT' : 'NOT_MEMBER';
    return record.isForText ? 'NOT_SUPPORTED' : undefined;
  }

  room(name: string, ...members: string[]): void {
    const room = { members: new Set(members), isConference: false, isForText: false };
    this.rooms.set(name, room);
  }

  conference(name: string, ...members: string[]): void {
    const room = { members: new Set(members), isConference: true, isForText: false };
    this.rooms.set(name, room);
  }

  befriend(a: string, b: string): void {
    this.#contacts.add([a, b].sort().join(' '));
  }

  block(by: string, other: string): void {
    this.#blocks.add(`${by} ${other}`);
    this.calls.life.part(account(by), account(other));
  }

  rename(name: string, to: string): void {
    this.#names.set(name, to);
    this.calls.renamed(account(name));
  }

  unblock(by: string, other: string): void {
    this.#blocks.delete(`${by} ${other}`);
  }

  /** A device comes, for the first time or again. */
  connect(...devices: string[]): void {
    for (const device of devices) {
      this.connected.add(device);
      this.calls.life.deviceBack(ownerOf(device), device as PublicKey);
    }
  }

  lose(device: string): void {
    this.connected.delete(device);
    this.calls.life.deviceLost(device as PublicKey);
  }

  logout(device: string): void {
    this.connected.delete(device);
    this.calls.life.deviceGone(device as PublicKey, false);
  }

  revoke(device: string): void {
    this.calls.life.deviceGone(device as PublicKey, true);
    this.connected.delete(device);
  }

  remove(name: string): void {
    this.calls.life.accountGone(account(name));
    this.gone.add(name);
    for (const device of this.connected)
      if (ownerOf(device) === name) this.connected.delete(device);
    for (const { members } of this.rooms.values()) members.delete(name);
  }

  /** Somebody is in a room no more. */
  putOut(name: string, room: string): void {
    this.rooms.get(room)?.members.delete(name);
    this.calls.life.review(room as RoomId);
  }

  removeRoom(room: string): void {
    this.rooms.delete(room);
    this.calls.life.review();
  }

  start(device: string, wanted: Wanted, options: StartOptions = {}): CallView {
    const { id, secondDevice = false, resumed = false } = options;
    const target: CallStart['target'] =
      'user' in wanted
        ? {
            account: account(wanted.user),
            ...(wanted.in === undefined ? {} : { room: wanted.in as RoomId }),
          }
        : { room: wanted.room as RoomId };
    const name = 'user' in wanted ? wanted.user : wanted.room;
    return this.calls.start(this.#at(device), {
      id: callNamed(id ?? `${ownerOf(device)}-${name}`),
      target,
      equipment: EQUIPMENT,
      secondDevice,
      ...(resumed ? { resumed } : {}),
    });
  }

  #at(device: string): Caller {
    return { account: ownerOf(device), device: device as PublicKey };
  }

  answer(device: string, id: string): CallView {
    return this.calls.answer(this.#at(device), callNamed(id), EQUIPMENT);
  }

  decline(device: string, id: string): void {
    this.calls.decline(this.#at(device), callNamed(id));
  }

  leave(device: string, id: string): void {
    this.calls.leave(this.#at(device), callNamed(id));
  }

  update(device: string, id: string, change: Partial<Equipment>): void {
    this.calls.update(this.#at(device), callNamed(id), { ...EQUIPMENT, ...change });
  }

  list(device: string): { calls: string[]; rooms: string[] } {
    const { calls, rooms } = this.calls.listFor(this.#at(device));
    return { calls: calls.map(inShort), rooms: rooms.map(inShort) };
  }

  /** Lets time pass, and those be given up whose time is over. */
  pass(milliseconds: number): void {
    this.clock.pass(milliseconds);
    this.calls.life.sweep();
  }

  /** How many notices have gone that nobody has asked for. */
  get heard(): number {
    return this.#views.length;
  }

  /** What was told since last asked, each notice as it went; what waits goes first. */
  told(): { readonly device: string; readonly view: CallView | RoomCallView }[] {
    this.calls.news.flush();
    return this.#views.splice(0);
  }

  /** The same in short, by device and in order. */
  news(): string[] {
    const told = this.told().map(({ device, view }) => `${device}: ${inShort(view)}`);
    return told.sort((a, b) => (a.split(':')[0]! < b.split(':')[0]! ? -1 : 1));
  }

  /** What has been left of calls since last asked, in short. */
  left(): string[] {
    return this.over.splice(0).map(({ place, outcome, seconds, people }) => {
      const where = place.type === 'room' ? `#${place.room}` : `${place.caller}→${place.callee}`;
      return `${where} ${outcome} ${seconds} s ${people}`;
    });
  }
}

function seatText({ device, away, live, camera }: Participant): string {
  const facts = [
    away === true ? '*' : '',
    camera ? '+' : '',
    live === undefined ? '' : `"${live}"`,
  ];
  return `${device}${facts.join('')}`;
}

/** Such as `ringing alice→bob (alice/1)`, `#x active (alice/1 bob/1*)` or, from outside, `#x active [alice]`. */
export function inShort(view: CallView | RoomCallView): string {
  const { room, state } = view;
  if ('users' in view) return `#${room} ${state} [${view.users.join(' ')}]`;
  const where = room === undefined ? `${view.caller}→${view.callee}` : `#${room}`;
  if (state === 'ended') return `${where} ended: ${view.reason}`;
  return `${where} ${state} (${view.participants.map(seatText).join(' ')})`;
}

/** Conferences among accounts named by a word, each with devices named `<account>/<number>`. */
import assert from 'node:assert/strict';
import type { AccountId, PublicKey, RoomId } from '../../lib/crdt/keys.ts';
import type { ErrorCode } from '../../lib/errors.ts';
import type { ConferenceEvent } from '../../lib/node/server/conference-news.ts';
import {
  Conferences,
  type ConferenceListing,
  type JoinOptions,
  type RelationChange,
} from '../../lib/node/server/conferences.ts';
import { TestClock } from './community.ts';

/** Name of the lobby on the stage. */
export const LOBBY_NAME = 'lobby';

export interface Told {
  readonly to: string;
  readonly event: ConferenceEvent;
}

const account = (name: string): AccountId => name as AccountId;

export class ConferenceStage {
  readonly clock = new TestClock();
  /** Devices that are connected. */
  readonly connected = new Set<string>();
  readonly gone = new Set<string>();
  /** `<account> <conference>`. */
  readonly banned = new Set<string>();
  readonly #contacts = new Set<string>();
  readonly #blocks = new Set<string>();
  /** What those online were told since last asked. */
  #told: Told[] = [];
  /** `<account> <conference>`. */
  readonly left: string[] = [];
  readonly ended: string[] = [];
  readonly conferences: Conferences;

  constructor() {
    this.conferences = new Conferences({
      clock: this.clock,
      lobby: LOBBY_NAME,
      isContact: (a, b) => this.isContact(a, b),
      contactsOf: (one) =>
        [...this.#contacts].flatMap((pair) => {
          const [a, b] = pair.split(' ') as [string, string];
          return a === one ? [account(b)] : b === one ? [account(a)] : [];
        }),
      isBlocked: (blocker, target) => this.isBlocked(blocker, target),
      isOnline: (one) => this.isOnline(one),
      isBanned: (id, one) => this.banned.has(`${one} ${id}`),
      nameOf: (one) => (this.gone.has(one) ? undefined : one),
      tell: (to, event) => {
        if (this.isOnline(to)) this.#told.push({ to, event });
      },
      onLeft: (id, who) => this.left.push(`${who} ${id}`),
      onEnded: (id) => this.ended.push(id),
    });
  }

  isContact(a: string, b: string): boolean {
    return this.#contacts.has([a, b].sort().join(' '));
  }

  isBlocked(blocker: string, target: string): boolean {
    return this.#blocks.has(`${blocker} ${target}`);
  }

  isOnline(name: string): boolean {
    return [...this.connected].some((device) => device.startsWith(`${name}/`));
  }

  /** What was told since last asked. */
  told(): Told[] {
    const told = this.#told;
    this.#told = [];
    return told;
  }

  /** Each event that was told since last asked, in short: to whom, of what, and what they see. */
  news(): string[] {
    return this.told().map(({ to, event: { name, state, reason, participants, change } }) => {
      const what = change === undefined ? (reason ?? 'now') : `${change.user} ${change.kind}`;
      const seen = `${name}(${participants.join(' ')})`;
      return `${to}: ${what}: ${seen}${state === 'active' ? '' : ` ${state}`}`;
    });
  }

  /** The conference x of alice, called tea, with those who are named in it; that was told already. */
  begin(...others: string[]): void {
    this.create('alice/1', 'x', 'tea');
    for (const one of others) this.join(`${one}/1`, { id: 'x' }, { isAdmitted: true });
    this.told();
  }

  /** A device comes, for the first time or again. */
  connect(...devices: string[]): void {
    for (const device of devices) {
      this.connected.add(device);
      this.conferences.life.deviceBack(ownerOf(device), device as PublicKey);
    }
  }

  lose(device: string): void {
    this.connected.delete(device);
    this.conferences.life.deviceLost(ownerOf(device), device as PublicKey);
  }

  logout(device: string): void {
    this.connected.delete(device);
    this.conferences.life.deviceGone(ownerOf(device), device as PublicKey);
  }

  remove(name: string): void {
    this.conferences.life.accountGone(account(name));
    this.gone.add(name);
    for (const pair of this.#contacts)
      if (pair.split(' ').includes(name)) this.#contacts.delete(pair);
    for (const device of this.connected)
      if (ownerOf(device) === name) this.connected.delete(device);
  }

  relate(by: string, other: string, how: RelationChange): void {
    const pair = [by, other].sort().join(' ');
    if (how === 'befriended') this.#contacts.add(pair);
    else if (how === 'unfriended') this.#contacts.delete(pair);
    else if (how === 'blocked') this.#blocks.add(`${by} ${other}`);
    else this.#blocks.delete(`${by} ${other}`);
    this.conferences.relationChanged(account(by), account(other), how);
  }

  create(device: string, id: string, name: string): void {
    const { conferences } = this;
    const owner = ownerOf(device);
    conferences.mayCreate(owner, id as RoomId, name);
    assert.ok(conferences.create(owner, device as PublicKey, id as RoomId, name));
  }

  join(
    device: string,
    target: { id: string } | { friend: string; name?: string } | { name: string },
    options: Partial<JoinOptions> = {},
  ): ConferenceEvent {
    const { isAdmitted = false } = options;
    if (isAdmitted && 'id' in target)
      this.conferences.mayAdmit(ownerOf(device), target.id as RoomId);
    return this.conferences.join(
      ownerOf(device),
      device as PublicKey,
      target as { id: RoomId } | { friend: AccountId; name?: string } | { name: string },
      { secondDevice: false, isAdmitted, ...options },
    );
  }

  leave(device: string, which?: { id: string } | { name: string }): { id: string; name: string } {
    return this.conferences.leave(
      ownerOf(device),
      device as PublicKey,
      which as { id: RoomId } | { name: string } | undefined,
    );
  }

  rename(by: string, id: string, name: string): void {
    this.conferences.mayRename(account(by), id as RoomId, name);
    this.conferences.rename(account(by), id as RoomId, name);
  }

  transfer(by: string, id: string, to: string): void {
    this.conferences.mayTransfer(account(by), id as RoomId, account(to));
    this.conferences.transfer(id as RoomId, account(to));
  }

  end(by: string, id: string, isPermitted = false): void {
    this.conferences.mayEnd(account(by), id as RoomId, isPermitted);
    this.conferences.end(account(by), id as RoomId);
  }

  kick(by: string, id: string, target: string, isPermitted = false): void {
    this.conferences.mayKick(account(by), id as RoomId, account(target), isPermitted);
    this.conferences.kick(id as RoomId, account(target));
  }

  invite(by: string, id: string, target: string): void {
    this.conferences.invite(account(by), id as RoomId, account(target));
  }

  /** What its account may see, as asked from a device. */
  list(device: string): ConferenceListing[] {
    return this.conferences.listFor(ownerOf(device), device as PublicKey);
  }

  isBusy(device: string): boolean {
    return this.conferences.isBusy(ownerOf(device), device as PublicKey);
  }

  participants(id: string): string[] {
    return this.conferences.participantsOf(id as RoomId);
  }

  /** Lets time pass, and those be given up whose time is over. */
  pass(milliseconds: number): void {
    this.clock.pass(milliseconds);
    this.conferences.life.sweep();
  }
}

export function refused(run: () => unknown, code: ErrorCode, message?: RegExp): void {
  assert.throws(run, { code, ...(message !== undefined && { message }) });
}

export function ownerOf(device: string): AccountId {
  return account(device.slice(0, device.indexOf('/')));
}

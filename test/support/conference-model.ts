/** Conferences as one would write them down on paper, to compare the real ones with. */
import type { ErrorCode } from '../../lib/errors.ts';
import { GRACE_MS } from '../../lib/node/server/conference-life.ts';
import type { ConferenceListing, RelationChange } from '../../lib/node/server/conferences.ts';
import { LOBBY_NAME, ownerOf, type ConferenceStage } from './conference-stage.ts';

/** A device in a conference, and since when its connection is lost. */
interface Place {
  readonly device: string;
  lost: number | undefined;
}

export interface Live {
  readonly id: string;
  name: string;
  owner: string | null;
  /** In the order in which they came. */
  accounts: string[];
  places: Place[];
  invited: { readonly by: string; readonly to: string }[];
}

/** How one looks for a conference to join. */
export interface Wanted {
  readonly id?: string | undefined;
  readonly friend?: string | undefined;
  readonly name?: string | undefined;
}

type Verdict = ErrorCode | undefined;
type Relations = Pick<ConferenceStage, 'isContact' | 'isBlocked'>;

const isCalled = (live: Live, name: string): boolean =>
  live.name.toLowerCase() === name.toLowerCase();

/** What may be done is done and undefined is returned, else a code and nothing is changed. */
export class ConferenceModel {
  lives: Live[] = [
    { id: 'lobby', name: LOBBY_NAME, owner: null, accounts: [], places: [], invited: [] },
  ];
  readonly #relations: Relations;
  #now = 0;

  constructor(relations: Relations) {
    this.#relations = relations;
  }

  create(device: string, id: string, name: string): Verdict {
    const owner = ownerOf(device);
    if (name.includes(' ')) return 'BAD_NAME';
    if (this.#clashes(owner, name)) return 'NAME_CLASH';
    const places = [{ device, lost: undefined }];
    this.lives.push({ id, name, owner, accounts: [owner], places, invited: [] });
    return undefined;
  }

  join(device: string, wanted: Wanted, secondDevice: boolean, isAdmitted: boolean): Verdict {
    const account = ownerOf(device);
    const found = this.#wanted(account, wanted);
    if (typeof found === 'string') return found;
    if (found.length === 0) return 'NO_SUCH_ROOM';
    const joinable = found.filter((live) => {
      const connected = live.places.filter(
        (place) => ownerOf(place.device) === account && place.lost === undefined,
      );
      return (
        connected.length === 0 ||
        (secondDevice && connected.every((place) => place.device !== device))
      );
    });
    const [live] = joinable;
    if (live === undefined) return 'ALREADY';
    if (joinable.length > 1) return 'AMBIGUOUS';
    if (!live.accounts.includes(account)) {
      const refusal = this.#refusal(live, account, isAdmitted);
      if (refusal !== undefined) return refusal;
      live.accounts.push(account);
    }
    if (!secondDevice)
      live.places = live.places.filter((place) => ownerOf(place.device) !== account);
    live.places.push({ device, lost: undefined });
    return undefined;
  }

  #wanted(account: string, { id, friend, name }: Wanted): Live[] | ErrorCode {
    if (id !== undefined) return this.lives.filter((live) => live.id === id);
    const named = (lives: Live[]): Live[] =>
      lives.filter((live) => name === undefined || isCalled(live, name));
    if (friend === undefined)
      return named(
        this.lives.filter(
          (live) =>
            live.id === 'lobby' || this.#knows(live, account) || this.#hasFriend(live, account),
        ),
      );
    if (friend === account) return 'SELF';
    if (this.#relations.isBlocked(friend, account)) return 'BLOCKED';
    const theirs = this.lives.filter((live) => live.accounts.includes(friend));
    if (this.#areFriends(account, friend)) return named(theirs);
    const known = theirs.filter((live) => this.#knows(live, account));
    return known.length === 0 ? 'NOT_CONTACT' : named(known);
  }

  #knows(live: Live, account: string): boolean {
    return live.accounts.includes(account) || live.invited.some(({ to }) => to === account);
  }

  #hasFriend(live: Live, account: string): boolean {
    return live.accounts.some((other) => this.#areFriends(account, other));
  }

  #areFriends(a: string, b: string): boolean {
    const relations = this.#relations;
    return relations.isContact(a, b) && !relations.isBlocked(a, b) && !relations.isBlocked(b, a);
  }

  #clashes(account: string, name: string, except?: Live): boolean {
    return this.lives.some(
      (live) => live !== except && live.accounts.includes(account) && isCalled(live, name),
    );
  }

  #refusal(live: Live, account: string, isAdmitted: boolean): Verdict {
    if (live.owner !== null && this.#relations.isBlocked(live.owner, account)) return 'BLOCKED';
    const isAllowed =
      live.id === 'lobby' ||
      isAdmitted ||
      this.#knows(live, account) ||
      this.#hasFriend(live, account);
    if (!isAllowed) return 'DENIED';
    return this.#clashes(account, live.name) ? 'NAME_CLASH' : undefined;
  }

  leave(device: string, id: string | undefined): Verdict {
    const here = this.lives.filter(
      (live) =>
        (id === undefined || live.id === id) &&
        live.places.some((place) => place.device === device && place.lost === undefined),
    );
    const [live] = here;
    if (live === undefined) return 'NOT_PARTICIPANT';
    if (here.length > 1) return 'AMBIGUOUS';
    this.#depart(live, device);
    return undefined;
  }

  #owned(by: string, id: string): Live | ErrorCode {
    const live = this.lives.find((one) => one.id === id);
    return live === undefined ? 'NO_SUCH_ROOM' : live.owner === by ? live : 'NOT_OWNER';
  }

  #actable(by: string, id: string, isPermitted: boolean): Live | ErrorCode {
    const live = this.lives.find((one) => one.id === id);
    return isPermitted && live !== undefined ? live : this.#owned(by, id);
  }

  rename(by: string, id: string, name: string): Verdict {
    const live = this.#owned(by, id);
    if (typeof live === 'string') return live;
    if (name.includes(' ')) return 'BAD_NAME';
    if (name === live.name) return 'ALREADY';
    if (live.accounts.some((one) => this.#clashes(one, name, live))) return 'NAME_CLASH';
    live.name = name;
    return undefined;
  }

  transfer(by: string, id: string, to: string): Verdict {
    const live = this.#owned(by, id);
    if (typeof live === 'string') return live;
    if (to === by) return 'ALREADY';
    if (!live.accounts.includes(to)) return 'NOT_PARTICIPANT';
    if (isAway(live, to)) return 'OFFLINE';
    live.owner = to;
    return undefined;
  }

  end(by: string, id: string, isPermitted: boolean): Verdict {
    const live = this.#actable(by, id, isPermitted);
    if (typeof live === 'string') return live;
    this.lives = this.lives.filter((one) => one !== live);
    return undefined;
  }

  kick(by: string, id: string, target: string, isPermitted: boolean): Verdict {
    const live = this.#actable(by, id, isPermitted);
    if (typeof live === 'string') return live;
    if (target === by) return 'SELF';
    if (!live.accounts.includes(target)) return 'NOT_PARTICIPANT';
    if (target === live.owner) return 'DENIED';
    live.invited = live.invited.filter(({ to }) => to !== target);
    this.#vacate(live, target);
    return undefined;
  }

  invite(by: string, id: string, to: string): Verdict {
    const live = this.lives.find((one) => one.id === id);
    if (live === undefined) return 'NO_SUCH_ROOM';
    if (!live.accounts.includes(by)) return 'NOT_PARTICIPANT';
    if (to === by) return 'SELF';
    if (id === 'lobby' || this.#knows(live, to)) return 'ALREADY';
    if (this.#relations.isBlocked(to, by)) return 'BLOCKED';
    live.invited.push({ by, to });
    return undefined;
  }

  lose(device: string): void {
    for (const { places } of this.lives)
      for (const place of places) if (place.device === device) place.lost ??= this.#now;
  }

  connect(device: string): void {
    for (const { places } of this.lives)
      for (const place of places) if (place.device === device) place.lost = undefined;
  }

  logout(device: string): void {
    for (const live of [...this.lives]) this.#depart(live, device);
  }

  remove(account: string): void {
    for (const live of [...this.lives]) {
      if (live.accounts.includes(account)) this.#vacate(live, account);
      live.invited = live.invited.filter(({ to }) => to !== account);
    }
  }

  relate(a: string, b: string, how: RelationChange): void {
    if (how !== 'blocked') return;
    for (const live of this.lives)
      live.invited = live.invited.filter(
        ({ by, to }) => !(by === a && to === b) && !(by === b && to === a),
      );
  }

  pass(milliseconds: number): void {
    this.#now += milliseconds;
    for (const live of [...this.lives]) {
      live.places = live.places.filter(
        ({ lost }) => lost === undefined || this.#now - lost < GRACE_MS,
      );
      const gone = live.accounts.filter((one) => placesOf(live, one).length === 0);
      // Who goes together with the owner does not leave first.
      if (live.owner !== null && gone.includes(live.owner)) this.#vacate(live, live.owner);
      else for (const one of gone) this.#vacate(live, one);
    }
  }

  #depart(live: Live, device: string): void {
    const place = live.places.find((one) => one.device === device);
    if (place === undefined) return;
    const account = ownerOf(device);
    live.places = live.places.filter((one) => one !== place);
    if (placesOf(live, account).length === 0 || (place.lost === undefined && isAway(live, account)))
      this.#vacate(live, account);
  }

  #vacate(live: Live, account: string): void {
    if (live.owner === account) this.lives = this.lives.filter((one) => one !== live);
    live.accounts = live.accounts.filter((one) => one !== account);
    live.places = live.places.filter(({ device }) => ownerOf(device) !== account);
  }

  /** What a device is to be shown. */
  list(device: string): ConferenceListing[] {
    const viewer = ownerOf(device);
    const hides = (one: string): boolean => this.#relations.isBlocked(one, viewer);
    return this.lives
      .map((live): ConferenceListing => {
        const isIn = live.accounts.includes(viewer);
        const seesAll = this.#knows(live, viewer);
        const participants = live.accounts.filter(
          (one) => isIn || (seesAll ? !hides(one) : this.#areFriends(viewer, one)),
        );
        const away = participants.filter((one) => isAway(live, one));
        const isOwnerSeen = live.owner !== null && (isIn || !hides(live.owner));
        return {
          id: live.id as ConferenceListing['id'],
          name: live.name,
          ...(isOwnerSeen && { owner: live.owner ?? '' }),
          state: live.owner !== null && isAway(live, live.owner) ? 'waiting' : 'active',
          participants,
          ...(seesAll && { away }),
          here: live.places.some((one) => one.device === device && one.lost === undefined),
        };
      })
      .filter(({ participants }) => participants.length > 0)
      .sort((a, b) => (`${a.name} ${a.id}` < `${b.name} ${b.id}` ? -1 : 1));
  }
}

const placesOf = ({ places }: Live, account: string): Place[] =>
  places.filter(({ device }) => ownerOf(device) === account);

const isAway = (live: Live, account: string): boolean =>
  placesOf(live, account).every(({ lost }) => lost !== undefined);

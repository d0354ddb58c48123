/** Which conference somebody means. */
import type { RoomId } from '../crdt/keys.ts';
import { accountNamed } from '../crdt/people.ts';
import type { RoomRecord } from '../crdt/records.ts';
import { roomOf } from '../crdt/rooms.ts';
import { LOBBY } from '../crdt/stream.ts';
import { ClchatError } from '../errors.ts';
import type { Client } from '../node/client/client.ts';
import type { ConferenceListing, ConferenceTarget } from '../node/client/conferences.ts';
import type { Home } from '../node/client/home.ts';
import { fold, isName } from '../text.ts';
import type { Situation } from './situation.ts';

/** Shortest beginning of an id that stands for all of it. */
const SHORTEST_ID = 4;
/** Characters of an id that are shown. */
const SHOWN_ID = 8;

const isCalled = ({ name }: { name: string }, written: string): boolean =>
  fold(name) === fold(written);

function* conferencesIn(home: Home): Generator<{ id: RoomId; record: RoomRecord }> {
  for (const [id, record] of home.space.entries<RoomRecord>('room'))
    if (record.lifetime === 'conference') yield { id: id as RoomId, record };
}

/** A conference of that name which this account is in, as far as it is known here. */
export function conferenceNamed(home: Home, name: string): RoomId | undefined {
  for (const { id, record } of conferencesIn(home)) {
    const isIn = home.audience.members(id)?.includes(home.account) === true;
    if (isIn && isCalled(record, name)) return id;
  }
  return undefined;
}

/** @throws NO_SUCH_ROOM of what can be no name */
function possibleName(written: string): string {
  if (isName(written)) return written;
  throw new ClchatError('NO_SUCH_ROOM', `There is no conference "${written}".`);
}

/** As much of an id as people need to tell one from another. */
export function shortId(id: string): string {
  return id === LOBBY ? id : id.slice(0, SHOWN_ID);
}

/** How a conference is told from others: its id as far as it is needed, and its name. */
export function labelOf({ id, name }: { id: string; name: string }): string {
  return `${name} (#${shortId(id)})`;
}

/** Conferences that this account may see, as far as it is known here, and the lobby's. */
export function conferencesInSight({ home, conferences }: Client): { id: RoomId; name: string }[] {
  const lobby = { id: LOBBY, name: roomOf(home.space, LOBBY)?.name ?? LOBBY };
  const seen = [...conferencesIn(home)].filter(({ id }) => conferences.isLive(id));
  return [...seen.map(({ id, record }) => ({ id, name: record.name })), lobby];
}

/** The only one of several. @throws NO_SUCH_ROOM; AMBIGUOUS, naming them */
function only<T extends { id: string; name: string }>(all: readonly T[], what: string): T {
  const [first, ...others] = all;
  if (first === undefined) throw new ClchatError('NO_SUCH_ROOM', `There is no ${what}.`);
  if (others.length > 0)
    throw new ClchatError(
      'AMBIGUOUS',
      `There are several, so say which: ${all.map((one) => labelOf(one)).join(', ')}.`,
    );
  return first;
}

/** `#id`, or as much of an id as fits no other. @throws NO_SUCH_ROOM, AMBIGUOUS */
function byId(home: Home, written: string): RoomId {
  const id = written.slice(1).toLowerCase();
  if (id === LOBBY) return LOBBY;
  const found = [...conferencesIn(home)]
    .filter((one) => id.length >= SHORTEST_ID && one.id.startsWith(id))
    .map((one) => ({ id: one.id, name: one.record.name }));
  return only(found, `conference ${written}, or it has ended`).id;
}

/**
 * What `joinconf` is to join: `#id`; `@user` or a user's name, and the name of the conference where
 * that user is in several; or the name of a conference alone. With nothing given, the only one that
 * can be joined.
 * @param hasPassword one by its name may be out of sight
 * @throws NO_SUCH_ROOM, NO_SUCH_USER; AMBIGUOUS, naming what there is
 */
export async function targetOf(
  { home, conferences }: Client,
  who: string | undefined,
  name: string | undefined,
  hasPassword: boolean,
): Promise<ConferenceTarget> {
  if (who?.startsWith('#') === true) return { id: byId(home, who) };
  if (who?.startsWith('@') === true || (who !== undefined && name !== undefined)) {
    const friend = home.named(who.startsWith('@') ? who.slice(1) : who);
    return { friend, ...(name === undefined ? {} : { name: possibleName(name) }) };
  }
  const list = await conferences.list();
  const alone = who ?? name;
  if (alone === undefined) return { id: only(notHere(list), 'conference that you could join').id };
  const lobby = { name: roomOf(home.space, LOBBY)?.name ?? LOBBY };
  const isSeen = [...list, lobby].some((one) => isCalled(one, alone));
  const friend = accountNamed(home.space, alone);
  if (isSeen && friend !== undefined)
    throw new ClchatError(
      'AMBIGUOUS',
      `There is a user and a conference "${alone}": write @${alone} for the user, and for the conference its id: "conferences" lists them.`,
    );
  if (isSeen) return { name: alone };
  if (friend !== undefined) return { friend };
  if (!hasPassword)
    throw new ClchatError('NO_SUCH_ROOM', `There is no conference and no user "${alone}".`);
  const unseen = [...conferencesIn(home)]
    .filter(({ record }) => isCalled(record, alone))
    .map(({ id, record }) => ({ id, name: record.name }));
  return { id: only(unseen, `conference "${alone}"`).id };
}

function notHere(list: readonly ConferenceListing[]): ConferenceListing[] {
  return list.filter(({ here }) => !here);
}

/**
 * The conference that a person speaks of without naming it: the one entered, else the only one in
 * which this device is.
 * @throws NOT_PARTICIPANT; AMBIGUOUS, naming them
 */
export async function presentOne(
  { conferences }: Client,
  situation: Situation,
): Promise<ConferenceListing> {
  const here = (await conferences.list()).filter((one) => one.here);
  const entered = here.find(({ id }) => id === situation.room);
  if (entered !== undefined) return entered;
  const [first, ...others] = here;
  if (first === undefined)
    throw new ClchatError('NOT_PARTICIPANT', 'You are in no conference on this device.');
  if (others.length > 0)
    throw new ClchatError(
      'AMBIGUOUS',
      `You are in several, so enter one first ("enter NAME"): ${here.map(({ name }) => name).join(', ')}.`,
    );
  return first;
}

/** The one that is meant by `#id` or a name, or the present one. @throws as `presentOne`, NO_SUCH_ROOM */
export async function whichOne(
  client: Client,
  situation: Situation,
  written: string | undefined,
): Promise<{ readonly id: RoomId } | { readonly name: string }> {
  if (written === undefined) return { id: (await presentOne(client, situation)).id };
  return written.startsWith('#')
    ? { id: byId(client.home, written) }
    : { name: possibleName(written) };
}

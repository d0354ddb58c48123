/** What the front ends see between commands: where somebody is, and which names they can write. */
import type { RoomId } from '../crdt/keys.ts';
import type { RoomRecord } from '../crdt/records.ts';
import { pathOf } from '../crdt/rooms.ts';
import { isLoopback, parseEndpoint } from '../interfaces.ts';
import type { Client } from '../node/client/client.ts';
import type { Home } from '../node/client/home.ts';
import { peerIdOf } from '../node/peer-id.ts';
import { fold } from '../text.ts';
import { conferencesInSight, shortId } from './conference-names.ts';
import type { Found } from './finding.ts';
import { shortDevice } from './short-device.ts';
import type { ServerPeer } from './server-peer.ts';
import { formatInviteLink } from './invite-link.ts';
import type { Situation } from './situation.ts';
import type { App, AppStatus, ServerView } from './types.ts';
import { placeView } from './views.ts';

/** A server that was found, and what this process has of it. */
export interface Present {
  readonly found: Found;
  /** It runs in this process. */
  readonly own: ServerPeer | undefined;
  /** Logged in there. */
  readonly client: Client | undefined;
}

export function serverView({ found, own, client }: Present): ServerView {
  // One address is enough to come back to, and it is true: the others were only tried.
  const reached = client?.address ?? found.reached ?? found.addresses()[0];
  const addresses = own?.addresses() ?? (reached === undefined ? [] : [reached]);
  return {
    id: peerIdOf(found.key),
    name: client?.home.serverName || found.name,
    addresses,
    ...(own === undefined ? {} : wayIn(own, addresses)),
    connected: own !== undefined || (client?.connected ?? found.isAway !== true),
  };
}

/** How others come to a server of this process: what is known from outside comes first. */
function wayIn(
  { key, external, isForInternet }: ServerPeer,
  addresses: readonly string[],
): Pick<ServerView, 'external' | 'internet' | 'invite'> {
  const outside = addresses.filter((address) => !isLoopback(parseEndpoint(address).ip));
  const all = outside.length > 0 ? outside : addresses;
  return {
    ...(external === undefined ? {} : { external }),
    ...(isForInternet ? { internet: true } : {}),
    invite: formatInviteLink({ key, addresses: external === undefined ? all : [external, ...all] }),
  };
}

/** Where a person is. */
export function standingOf(
  home: Home,
  { current, room }: Situation,
): Pick<AppStatus, 'conversation' | 'room'> {
  const place = current === undefined ? undefined : placeView(home, current);
  const entered = room === undefined ? undefined : pathOf(home.space, room);
  return {
    ...(place === undefined
      ? {}
      : { conversation: place.to === undefined ? `#${place.room}` : `@${place.to}` }),
    ...(entered === undefined ? {} : { room: entered }),
  };
}

/** Names for completion; see `App.names`. */
export function namesOf(client: Client, kind: Parameters<App['names']>[0]): readonly string[] {
  const { home } = client;
  switch (kind) {
    case 'user':
      return home.names().filter((name) => fold(name) !== fold(home.name));
    case 'room':
      return [...home.space.entries<RoomRecord>('room')].flatMap(([id, { lifetime }]) =>
        lifetime === 'conference' ? [] : (pathOf(home.space, id as RoomId) ?? []),
      );
    case 'conference':
      return conferencesInSight(client).map(({ name }) => name);
    case 'conference-id':
      return conferencesInSight(client).map(({ id }) => shortId(id));
    case 'group':
      return [...home.space.entries('group')].map(([name]) => name);
    case 'device':
      return home.devices().map(({ key }) => shortDevice(key));
    default:
      return kind satisfies never;
  }
}

/** Where profiles lie, and which servers are known. */
import { join } from 'node:path';
import { ClchatError } from '../errors.ts';
import { parseEndpoint, tryParseEndpoint } from '../interfaces.ts';
import { KnownServers, type KnownServer } from '../node/known-servers.ts';
import {
  defaultDataDirectory,
  findProfiles,
  openClientProfile,
  openProfile,
  openServerProfile,
  readAbout,
  type About,
  type Profile,
} from '../node/profile.ts';
import { fold } from '../text.ts';
import { candidates, isBareHost, type Found } from './finding.ts';

/** A profile that exists, before its secrets are opened. */
export interface KnownProfile {
  readonly directory: string;
  readonly about: About;
}

export class Places {
  /** Given by `--data`: used as it is. */
  readonly #data: string | undefined;
  readonly #root: string;
  readonly #known: KnownServers;

  constructor(data: string | undefined) {
    this.#data = data;
    this.#root = data ?? defaultDataDirectory();
    this.#known = new KnownServers(join(this.#root, 'known_servers'));
  }

  /** The profile of a server peer. */
  server(name: string): Promise<Profile> {
    return this.#data === undefined
      ? openServerProfile(this.#root, name)
      : openProfile(this.#data, 'server');
  }

  /**
   * The profile of a user. In a directory given by `--data` the first user has the directory itself,
   * others, and those at the server's own console, have theirs below it.
   */
  async client(found: Found, user: string): Promise<Profile> {
    if (this.#data === undefined) return openClientProfile(this.#root, { server: found.key, user });
    const whose = { server: found.key, user };
    if (found.join !== undefined) return openClientProfile(this.#data, whose);
    const about = await readAbout(this.#data);
    if (about !== undefined && about.server !== found.key)
      throw new ClchatError(
        'SERVER_KEY_CHANGED',
        `The directory ${this.#data} belongs to the server "${about.serverName}" with another key. If this is another server, use another --data directory; if it should be the same, somebody may be posing as it.`,
      );
    if (about?.user !== undefined && fold(about.user) !== fold(user))
      return openClientProfile(this.#data, whose);
    return openProfile(this.#data, 'client');
  }

  /** Profiles that may be meant before a server has been found: those of the user, where named. */
  async known(user: string | undefined): Promise<KnownProfile[]> {
    const found = await findProfiles(this.#root, user === undefined ? {} : { user });
    const about = this.#data === undefined ? undefined : await readAbout(this.#data);
    const own =
      about !== undefined && (user === undefined || fold(about.user ?? '') === fold(user))
        ? [{ directory: this.#data!, about }]
        : [];
    return [...own, ...found];
  }

  /**
   * Trust on first use: a server met before must have the key that it had.
   * @param place what it was asked for by: its address, or its name on the LAN
   * @throws SERVER_KEY_CHANGED
   */
  async trust(place: string, found: Pick<Found, 'key' | 'name'>): Promise<void> {
    const verdict = await this.#known.check(place, found.key);
    if (verdict === 'same') return;
    if (verdict === 'new') {
      await this.#known.remember({
        place,
        key: found.key,
        name: found.name,
        firstSeen: Date.now(),
      });
      return;
    }
    throw new ClchatError(
      'SERVER_KEY_CHANGED',
      `WARNING: the server at "${place}" has another key than before. Somebody may be posing as it. If you know that it was set up anew, remove its line from ${join(this.#root, 'known_servers')} and try again.`,
    );
  }

  /** Takes a server, that has proved its key at an address, for what an invite link says of it. */
  async vouch(place: string, { key, name }: Pick<Found, 'key' | 'name'>): Promise<void> {
    await this.#known.remember({ place, key, name, firstSeen: Date.now() });
  }

  /** The servers met at an address; at any port where it names none. @throws BAD_ADDRESS */
  async metAt(connect: string): Promise<KnownServer[]> {
    const [first = ''] = candidates(connect);
    const { ip } = parseEndpoint(first);
    const isHere = isBareHost(connect)
      ? (place: string) => tryParseEndpoint(place)?.ip === ip
      : (place: string) => place === first;
    return (await this.#known.list()).filter(({ place }) => isHere(place));
  }

  /** The profile of the directory given by `--data`, if it is one of these. */
  ownOf(known: readonly KnownProfile[]): KnownProfile | undefined {
    return known.find(({ directory }) => directory === this.#data);
  }

  /**
   * The profile with which one may begin though the server was not found: one that fits what was
   * looked for. In a directory given by `--data` its own fits any address: servers move.
   */
  async meant(
    known: readonly KnownProfile[],
    { connect, server }: { connect?: string; server?: string },
  ): Promise<KnownProfile | undefined> {
    if (connect === undefined)
      return known.find(({ about }) => server === undefined || about.serverName === server);
    const met = await this.metAt(connect);
    return (
      this.ownOf(known) ?? known.find(({ about }) => met.some(({ key }) => key === about.server))
    );
  }

  /** Where a backup is unpacked to. @throws USAGE */
  restoreTarget(): string {
    if (this.#data === undefined)
      throw new ClchatError(
        'USAGE',
        'Say where the server is to live: start "clchat --data DIR" with a new directory, then "restore FILE".',
      );
    return this.#data;
  }
}

/** Directories of profiles of which a running process may carry out a command. */
export async function runningDirectories(options: {
  data: string | undefined;
  user: string | undefined;
}): Promise<string[]> {
  const places = new Places(options.data);
  const known = await places.known(options.user);
  const directories = known.map(({ directory }) => directory);
  return options.data === undefined ? directories : [...new Set([options.data, ...directories])];
}

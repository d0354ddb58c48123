/**
 * Data directories. A profile is one peer's directory: a server's, or one device's of an account. A
 * process that uses one holds the lock of the store in it, which the system drops however the
 * process ends.
 */
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import * as v from 'valibot';
import { sha256, toHex, utf8 } from '../crdt/bytes.ts';
import { makeDirectory, syncDirectory } from '../crdt/directories.ts';
import type { PublicKey, RandomBytes } from '../crdt/keys.ts';
import { name, publicKey } from '../crdt/records.ts';
import { openLevelStore } from '../crdt/store-level.ts';
import type { Store } from '../crdt/store.ts';
import { ClchatError, hasCode, translate } from '../errors.ts';
import { fold } from '../text.ts';
import { readFileBounded, writeFileAtomic } from './files.ts';

export type ProfileKind = 'server' | 'client';

/** Profiles of one user on one server that are tried; more are refused with DATA_IN_USE. */
const MAX_PROFILES = 64;
/** Directories that are looked at in one. */
const MAX_LISTED = 4_096;
/** Digits of a server's key in a directory's name. */
const SHORT_KEY = 20;
/** Age at which an abandoned draft is removed, in milliseconds. */
const DRAFT_AGE = 3_600_000;

const KIND_FILE = 'kind';
const ABOUT_FILE = 'about.json';

const about = v.strictObject({
  server: publicKey,
  serverName: name,
  user: v.optional(name),
});
/** Whose profile it is. Readable without its secrets, so that profiles can be found. */
export type About = v.InferOutput<typeof about>;

/** A profile in use by this process. */
export interface Profile {
  readonly directory: string;
  readonly kind: ProfileKind;
  /** Its database; open, and thereby locked. */
  readonly store: Store;
  /** Keeps whose profile it is. @throws DISK_FULL, DATA_READ_ONLY */
  describe(about: About): Promise<void>;
  close(): Promise<void>;
}

/** A client's profile made before its server is known. */
export interface DraftProfile extends Profile {
  /**
   * Gives it its place. The store is closed and opened again on the way: the profile returned
   * replaces this one.
   * @throws DATA_IN_USE when there are too many, and as `openProfile`
   */
  adopt(about: About & { user: string }): Promise<Profile>;
  /** Closes and removes it. */
  discard(): Promise<void>;
}

/** Where profiles are kept when nobody says otherwise. */
export function defaultDataDirectory(
  environment: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
  home: string = homedir(),
): string {
  if (platform === 'win32')
    return join(environment['LOCALAPPDATA'] || join(home, 'AppData', 'Local'), 'clchat');
  if (platform === 'darwin') return join(home, 'Library', 'Application Support', 'clchat');
  const data = environment['XDG_DATA_HOME'];
  // The specification has relative paths ignored.
  const base = data?.startsWith('/') === true ? data : join(home, '.local', 'share');
  return join(base, 'clchat');
}

/**
 * Opens the profile in `directory`, making it where there is none.
 * @throws DATA_IN_USE, DATA_KIND when it is the other kind's, DATA_CORRUPT, DATA_READ_ONLY, DISK_FULL
 */
export async function openProfile(directory: string, kind: ProfileKind): Promise<Profile> {
  await checkKind(directory, kind);
  const store = await openLevelStore(join(directory, 'store'), { create: true });
  try {
    // Again, now that nobody else can write it.
    if (!(await checkKind(directory, kind)))
      await writeFileAtomic(join(directory, KIND_FILE), utf8(`${kind}\n`));
  } catch (error) {
    await store.close();
    throw error;
  }
  return {
    directory,
    kind,
    store,
    describe: async (facts) => {
      const text = JSON.stringify(v.parse(about, facts), undefined, 2);
      await writeFileAtomic(join(directory, ABOUT_FILE), utf8(`${text}\n`));
    },
    close: () => store.close(),
  };
}

/** @returns whether the directory says its kind @throws DATA_KIND when it says the other */
async function checkKind(directory: string, kind: ProfileKind): Promise<boolean> {
  const bytes = await readFileBounded(join(directory, KIND_FILE), 64);
  if (bytes === undefined) return false;
  const found = Buffer.from(bytes).toString('latin1').trim();
  if (found === kind) return true;
  if (found !== 'server' && found !== 'client')
    throw new ClchatError('DATA_CORRUPT', `${join(directory, KIND_FILE)} is damaged.`);
  throw new ClchatError(
    'DATA_KIND',
    kind === 'client'
      ? `${directory} holds a server. To join one, leave --data out or name another directory; to start this server, use -ls or -s.`
      : `${directory} holds a user's profile, not a server. To start a server, leave --data out or name another directory.`,
  );
}

/**
 * The profile of the server of that name.
 * @throws as `openProfile`
 */
export function openServerProfile(root: string, serverName: string): Promise<Profile> {
  return openProfile(join(root, 'servers', slug(serverName)), 'server');
}

/**
 * The profile of a user on a server: the first that no other process uses, or else a new one.
 * @throws DATA_IN_USE when all that there may be are in use, and as `openProfile`
 */
export async function openClientProfile(
  root: string,
  whose: { server: PublicKey; user: string },
): Promise<Profile> {
  const places = placesOf(root, whose);
  const made: boolean[] = await Promise.all(places.map(exists));
  // One that is there is used again before another is made in a gap.
  const order = [...places.filter((_, i) => made[i]), ...places.filter((_, i) => !made[i])];
  for (const place of order) {
    try {
      return await openProfile(place, 'client');
    } catch (error) {
      if (!hasCode(error, 'DATA_IN_USE')) throw error;
    }
  }
  throw new ClchatError('DATA_IN_USE');
}

/** Directories for the profiles of one user on one server, the preferred first. */
function placesOf(root: string, { server, user }: { server: PublicKey; user: string }): string[] {
  const base = join(root, 'profiles', server.slice(0, SHORT_KEY), slug(user));
  return Array.from({ length: MAX_PROFILES }, (_, i) => (i === 0 ? base : `${base}-${i + 1}`));
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** A profile found on disk. */
export interface FoundProfile {
  readonly directory: string;
  readonly about: About;
}

/**
 * Clients' profiles, sorted by directory; those of `server` and `user` only, where given. What is
 * damaged is left out.
 */
export async function findProfiles(
  root: string,
  wanted: { server?: PublicKey; user?: string } = {},
): Promise<FoundProfile[]> {
  const top = join(root, 'profiles');
  const found: FoundProfile[] = [];
  for (const server of await list(top))
    for (const user of await list(join(top, server))) {
      const directory = join(top, server, user);
      const facts = await readAbout(directory);
      if (facts === undefined) continue;
      if (wanted.server !== undefined && facts.server !== wanted.server) continue;
      if (wanted.user !== undefined && fold(facts.user ?? '') !== fold(wanted.user)) continue;
      found.push({ directory, about: facts });
    }
  return found;
}

async function list(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch(() => []);
  return names.sort().slice(0, MAX_LISTED);
}

/** @returns undefined where it does not say, or not well */
export async function readAbout(directory: string): Promise<About | undefined> {
  try {
    const bytes = await readFileBounded(join(directory, ABOUT_FILE), 4_096);
    if (bytes === undefined) return undefined;
    const parsed = v.safeParse(about, JSON.parse(Buffer.from(bytes).toString()));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}

/**
 * A new client's profile, before its server is known.
 * @throws as `openProfile`
 */
export async function draftProfile(root: string, random: RandomBytes): Promise<DraftProfile> {
  const drafts = join(root, 'drafts');
  await removeAbandoned(drafts);
  const directory = join(drafts, toHex(random(8)));
  const profile = await openProfile(directory, 'client');
  return {
    ...profile,
    adopt: async (facts) => {
      await profile.describe(facts);
      await profile.close();
      return openProfile(await move(directory, placesOf(root, facts)), 'client');
    },
    discard: async () => {
      await profile.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Renames a directory to the first of the places that is free. @throws DATA_IN_USE */
async function move(directory: string, places: readonly string[]): Promise<string> {
  try {
    for (const place of places) {
      if (await exists(place)) continue;
      await makeDirectory(dirname(place));
      try {
        await rename(directory, place);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        // Another process was faster.
        if (code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'EPERM') continue;
        throw error;
      }
      await syncDirectory(dirname(place));
      await syncDirectory(dirname(directory));
      return place;
    }
  } catch (error) {
    throw translate(error);
  }
  throw new ClchatError('DATA_IN_USE');
}

/** Removes drafts that ended processes left behind. */
async function removeAbandoned(drafts: string): Promise<void> {
  for (const name of await list(drafts)) {
    const directory = join(drafts, name);
    try {
      // A young one may be another process's that is just making it.
      if (Date.now() - (await stat(directory)).mtimeMs < DRAFT_AGE) continue;
      await (await openLevelStore(join(directory, 'store'), { create: true })).close();
      await rm(directory, { recursive: true, force: true });
    } catch {
      // In use, or already removed by another: nothing that stands in the way of a new one.
    }
  }
}

/** What Windows takes for devices whatever their ending. */
const RESERVED = /^(con|prn|aux|nul|com\d|lpt\d)$/;
/** What is safe everywhere, on systems that ignore case too, and never looks like a numbered one. */
const PLAIN = /^(?=.{1,32}$)[a-z0-9](?:[a-z0-9_]|-(?!\d+$))*$/;

/**
 * A name as part of a path. Names come from others: one that is not plain is marked with `~` and
 * told apart by its hash. Names that compare equal have one slug, others different ones.
 */
export function slug(text: string): string {
  const folded = fold(text);
  if (PLAIN.test(folded) && !RESERVED.test(folded)) return folded;
  const readable = folded.replace(/[^a-z0-9]+/g, '_').slice(0, 16);
  return `${readable}~${toHex(sha256(utf8(folded))).slice(0, 16)}`;
}

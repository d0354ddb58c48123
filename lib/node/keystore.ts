/**
 * The device's secrets: what it signs and is sealed to with, its account's keyring, and what tells
 * a right password while the server is away. And the server's own key.
 */
import { timingSafeEqual } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { encode, parse } from '../crdt/codec.ts';
import { SigningKey, type RandomBytes } from '../crdt/keys.ts';
import { accountId, bytes, count, name, publicKey } from '../crdt/records.ts';
import { ClchatError } from '../errors.ts';
import { fold } from '../text.ts';
import { scrypt, scryptOf } from './scrypt.ts';
import { openSecret, SealedFile, type SealOptions } from './sealed-file.ts';

/** Names of the sealed files. */
export const KEYSTORE_FILE = 'keystore';
export const IDENTITY_FILE = 'identity';

const VERIFIER_COST = 1 << 14;

const verifier = v.strictObject({ salt: bytes(16), hash: bytes(32) });
/** Tells a right password without the server; see `makeVerifier`. */
export type Verifier = v.InferOutput<typeof verifier>;

/** What makes this device one of an account. */
const membershipParts = {
  account: v.strictObject({
    id: accountId,
    name,
    passwordVersion: v.optional(count),
    verifier: v.optional(verifier),
  }),
  /** Secrets of the account's keyring, by generation. */
  keyring: v.pipe(
    v.array(v.strictObject({ generation: count, secret: bytes(32) })),
    v.maxLength(1024),
  ),
  server: v.optional(v.strictObject({ key: publicKey, name })),
};
const membership = v.strictObject(membershipParts);
export type Membership = v.InferOutput<typeof membership>;

/** Most memberships kept aside; of more the oldest is forgotten. */
const MAX_ASIDE = 32;

const keystoreRecord = v.strictObject({
  version: v.literal(1),
  device: v.strictObject({
    /** Seed of the Ed25519 key. */
    seed: bytes(32),
    /** Secret X25519 key. */
    sealing: bytes(32),
  }),
  ...membershipParts,
  account: v.optional(membershipParts.account),
  /**
   * Accounts that this device may be of, though its server has not said so: it was asked to make it
   * so and the answer is not here, or it has forgotten since. The oldest first. Absent where there is
   * none, and in files of versions that did not have it.
   */
  aside: v.optional(v.pipe(v.array(membership), v.maxLength(MAX_ASIDE))),
});
export type KeystoreRecord = v.InferOutput<typeof keystoreRecord>;

export interface Keystore {
  read(): KeystoreRecord;
  /**
   * Saves what `change` makes of the record, durably, before `read` gives it. Updates run one after
   * another; one that throws changes nothing.
   * @throws what `change` throws, DATA_READ_ONLY, DISK_FULL
   */
  update(change: (record: KeystoreRecord) => KeystoreRecord): Promise<KeystoreRecord>;
}

/**
 * Opens the file `keystore`; where there is none, makes it with keys for a new device.
 * @throws BAD_PASSPHRASE, KEY_EXPOSED, DATA_CORRUPT, DATA_READ_ONLY, DISK_FULL
 */
export async function openKeystore(options: SealOptions): Promise<Keystore> {
  const { random } = options;
  const file = await SealedFile.open(KEYSTORE_FILE, options);
  const save = async (next: KeystoreRecord): Promise<KeystoreRecord> => {
    const checked = v.safeParse(keystoreRecord, next);
    if (!checked.success) throw new ClchatError('INTERNAL', 'that is no keystore record');
    const content = encodeKeystore(checked.output);
    await file.write(content);
    return parseKeystore(content);
  };

  let record =
    file.content === undefined
      ? await save({
          version: 1,
          device: { seed: Uint8Array.from(random(32)), sealing: Uint8Array.from(random(32)) },
          keyring: [],
        })
      : parseKeystore(file.content);
  let last: Promise<unknown> = Promise.resolve();

  return {
    read: () => record,
    update(change) {
      const updated = last.then(async () => (record = await save(change(record))));
      last = updated.catch(() => undefined);
      return updated;
    },
  };
}

/**
 * Gives a user the keystore that a backup brought along with the server, unless the user has one
 * here already or it is somebody else's.
 * @throws as `openKeystore`
 */
export async function inheritKeystore(
  from: SealOptions,
  to: SealOptions,
  user: string,
): Promise<void> {
  const { content } = await SealedFile.open(KEYSTORE_FILE, from);
  if (content === undefined) return;
  if (fold(parseKeystore(content).account?.name ?? '') !== fold(user)) return;
  const own = await SealedFile.open(KEYSTORE_FILE, to);
  if (own.content !== undefined) return;
  await own.write(content);
  await rm(join(from.directory, KEYSTORE_FILE));
}

/** The secrets of a keyring with more, which replace what is there of their generations. */
export function joinKeyrings(
  known: Membership['keyring'],
  added: Membership['keyring'],
): Membership['keyring'] {
  const rest = known.filter(
    (one) => !added.some(({ generation }) => generation === one.generation),
  );
  return [...rest, ...added];
}

/** Keeps a membership until it is known what came of it; see `become`. */
export function setAside(record: KeystoreRecord, one: Membership): KeystoreRecord {
  const { aside = [] } = record;
  const known = aside.find(({ account }) => account.id === one.account.id);
  // An earlier attempt may be what the server has sealed: its secrets stay.
  const keyring = joinKeyrings(known?.keyring ?? [], one.keyring);
  const others = aside.filter((other) => other !== known);
  return { ...record, aside: [...others, { ...one, keyring }].slice(-MAX_ASIDE) };
}

/**
 * Is of no account any more. What was there is kept aside: a server that has forgotten this device,
 * restored from an old backup, may know it again.
 */
export function leave(record: KeystoreRecord): KeystoreRecord {
  const { account, keyring, ...rest } = record;
  // Secrets without an account are of nobody knows which, and must not pass for another's.
  const empty: KeystoreRecord = { ...rest, keyring: [] };
  return account === undefined
    ? empty
    : setAside(empty, { account, keyring, ...(rest.server && { server: rest.server }) });
}

/** Is of an account, its server having said so, with all that is known of it here. */
export function become(record: KeystoreRecord, one: Membership): KeystoreRecord {
  const { aside = [], ...rest } = setAside(leave(record), one);
  const others = aside.filter(({ account }) => account.id !== one.account.id);
  return {
    ...rest,
    ...aside.at(-1)!,
    ...(others.length === 0 ? {} : { aside: others }),
  };
}

/** What `parseKeystore` reads. */
export function encodeKeystore(record: KeystoreRecord): Uint8Array {
  return encode(withoutUndefined(record));
}

/** Optional fields may be set to undefined, which has no encoding. */
function withoutUndefined(record: KeystoreRecord): unknown {
  const strip = (object: object): object =>
    Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
  const stripped = ({ account, ...rest }: Partial<Membership>): object =>
    strip({ ...rest, account: account && strip(account) });
  return strip({ ...stripped(record), aside: record.aside?.map(stripped) });
}

/** @throws DATA_CORRUPT */
export function parseKeystore(content: Uint8Array): KeystoreRecord {
  try {
    return parse(keystoreRecord, content);
  } catch (error) {
    throw new ClchatError('DATA_CORRUPT', 'The keystore is damaged.', { cause: error });
  }
}

/**
 * The server's key, from the file `identity`; made where there is none.
 * @throws as `openKeystore`
 */
export async function openIdentity(options: SealOptions): Promise<SigningKey> {
  const seed = await openSecret(IDENTITY_FILE, options, () => options.random(32));
  return new SigningKey(seed ?? new Uint8Array());
}

/** What `matchesPassword` needs of a password. Takes some 50 ms, beside the event loop. */
export async function makeVerifier(password: string, random: RandomBytes): Promise<Verifier> {
  const salt = Uint8Array.from(random(16));
  return { salt, hash: await scrypt(password, scryptOf(VERIFIER_COST, salt)) };
}

/** Whether it is the account's password; false where the record has nothing to tell by. */
export async function matchesPassword(record: KeystoreRecord, password: string): Promise<boolean> {
  const known = record.account?.verifier;
  if (known === undefined) return false;
  return timingSafeEqual(await scrypt(password, scryptOf(VERIFIER_COST, known.salt)), known.hash);
}

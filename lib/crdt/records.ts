/**
 * The records of which states are made, by stream and table. A snapshot comes from a peer, so each
 * table has its schema.
 */
import * as v from 'valibot';
import type { AccountId, EntryId, PublicKey } from './keys.ts';
import type { Permission } from './permissions.ts';
import type { Reader } from './state.ts';
import { isName } from '../text.ts';

export const bytes = (length: number): v.GenericSchema<Uint8Array> =>
  v.custom<Uint8Array>((value) => value instanceof Uint8Array && value.length === length);
export const bytesUpTo = (most: number): v.GenericSchema<Uint8Array> =>
  v.custom<Uint8Array>((value) => value instanceof Uint8Array && value.length <= most);
export const publicKey = v.custom<PublicKey>(
  (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value),
);
export const entryId = v.custom<EntryId>(
  (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value),
);
export const accountId = v.custom<AccountId>(
  (value) => typeof value === 'string' && /^[0-9a-f]{32}$/.test(value),
);
export const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
export const name = v.custom<string>((value) => typeof value === 'string' && isName(value));
export const label = v.pipe(v.string(), v.maxLength(64));
/** A 32-byte secret sealed to a public key: see `sealTo`. */
export const box = bytes(80);

/** Public halves of an account's keyring key: what others seal to, and what vouches for its devices. */
export const keyringPublic = v.strictObject({
  generation: count,
  box: bytes(32),
  sign: publicKey,
});
export type KeyringPublic = v.InferOutput<typeof keyringPublic>;

export const serverRecord = v.strictObject({ name, created: count });
export type ServerRecord = v.InferOutput<typeof serverRecord>;

export const groupRecord = v.strictObject({
  level: count,
  permissions: v.array(
    v.custom<Permission>((value) => typeof value === 'string' && value.length <= 32),
  ),
});
export type GroupRecord = v.InferOutput<typeof groupRecord>;

export const accountRecord = v.strictObject({
  name,
  group: v.pipe(v.string(), v.maxLength(32)),
  created: count,
  keyring: keyringPublic,
  /** X25519 key that only the account's password opens; null for an account without one. */
  password: v.nullable(bytes(32)),
  /** Rises with each change of the password. */
  passwordVersion: count,
});
export type AccountRecord = v.InferOutput<typeof accountRecord>;

export const deviceRecord = v.strictObject({
  account: accountId,
  /** X25519 key that receives wrapped secrets. */
  sealing: bytes(32),
  label,
  /** The author's wall clock when it was added. */
  time: count,
  /** Length of the space stream just before the device was added. */
  added: count,
  revoked: v.boolean(),
});
export type DeviceRecord = v.InferOutput<typeof deviceRecord>;

/** The private half of one generation of a keyring, wrapped; id `<account>:<generation>`. */
export const keyringRecord = v.strictObject({
  /** Box for each device that was there when the generation began. */
  wraps: v.array(v.tuple([publicKey, box])),
  /** Box that the password opens. */
  password: v.nullable(box),
  /** The generation before, sealed under this one; null where there is none or it is out of reach. */
  previous: v.nullable(bytes(72)),
});
export type KeyringRecord = v.InferOutput<typeof keyringRecord>;

export const roomRecord = v.strictObject({
  name,
  /** Null for rooms of the server itself. */
  owner: v.nullable(accountId),
  lifetime: v.picklist(['builtin', 'permanent']),
  /** End-to-end encrypted, readable to its members only. */
  private: v.boolean(),
});
export type RoomRecord = v.InferOutput<typeof roomRecord>;

export const resetRecord = v.strictObject({ verifier: bytes(32), time: count });
export type ResetRecord = v.InferOutput<typeof resetRecord>;

/** Where the chain of a device stands in a stream; id is the device. */
export const headRecord = v.strictObject({ seq: count, id: entryId });
export type HeadRecord = v.InferOutput<typeof headRecord>;

/** A key epoch of a conversation; id is the entry that opened it. */
export const epochRecord = v.strictObject({
  number: count,
  /** Account, generation of its keyring, and the key sealed to it. */
  wraps: v.array(v.tuple([accountId, count, box])),
});
export type EpochRecord = v.InferOutput<typeof epochRecord>;

const text = v.pipe(v.string(), v.maxLength(64));
const marker = v.literal(true);

/** Schemas of every table, for snapshots. */
export const TABLES: Readonly<Record<string, v.GenericSchema>> = {
  server: serverRecord,
  group: groupRecord,
  account: accountRecord,
  /** Folded name → account. */
  name: accountId,
  device: deviceRecord,
  keyring: keyringRecord,
  room: roomRecord,
  /** Folded name → room. */
  roomname: text,
  reset: resetRecord,
  head: headRecord,
  clock: count,
  epoch: epochRecord,
  /** `current` → the epoch new messages are sealed under. */
  epochs: text,
  member: marker,
  block: marker,
  /** In a pair: the account that asks the other to be a contact. */
  request: count,
  /** In a pair: `contact`, since when by the author's clock. */
  contact: count,
};

export function isRecord(table: string, value: unknown): boolean {
  const schema = Object.hasOwn(TABLES, table) ? TABLES[table] : undefined;
  return schema !== undefined && v.is(schema, value);
}

// Readers of the space stream's state.

export const accountOf = (space: Reader, id: AccountId): AccountRecord | undefined =>
  space.get<AccountRecord>('account', id);

export const deviceOf = (space: Reader, key: PublicKey): DeviceRecord | undefined =>
  space.get<DeviceRecord>('device', key);

/** The account of a device that may act: known and not revoked. */
export function actorOf(space: Reader, device: PublicKey): AccountId | undefined {
  const record = deviceOf(space, device);
  return record === undefined || record.revoked ? undefined : record.account;
}

/** An account's devices that are not revoked. Scans all devices; the roles keep an index. */
export function activeDevices(space: Reader, account: AccountId): PublicKey[] {
  const devices: PublicKey[] = [];
  for (const [key, record] of space.entries<DeviceRecord>('device'))
    if (record.account === account && !record.revoked) devices.push(key as PublicKey);
  return devices.sort();
}

export function groupOf(space: Reader, account: AccountId): GroupRecord | undefined {
  const record = accountOf(space, account);
  return record === undefined ? undefined : space.get<GroupRecord>('group', record.group);
}

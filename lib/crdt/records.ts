/**
 * The records of which states are made, by stream and table. A snapshot comes from a peer, so each
 * table has its schema.
 */
import * as v from 'valibot';
import type { AccountId, EntryId, PublicKey, RoomId } from './keys.ts';
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
export const roomId = v.custom<RoomId>(
  (value) => typeof value === 'string' && /^(?:lobby|[0-9a-f]{32})$/.test(value),
);
export const groupName = v.pipe(v.string(), v.minLength(1), v.maxLength(32));
export const level = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(100));
export const media = v.picklist(['text', 'voice', 'both']);
/** A 32-byte secret sealed to a public key: see `sealTo`. */
export const box = bytes(80);

/** Public halves of an account's keyring key: what others seal to, and what vouches for its devices. */
export const keyringPublic = v.strictObject({
  generation: count,
  box: bytes(32),
  sign: publicKey,
});
export type KeyringPublic = v.InferOutput<typeof keyringPublic>;

export const serverRecord = v.strictObject({
  name,
  created: count,
  /** Message of the day. */
  motd: v.optional(v.string()),
});
export type ServerRecord = v.InferOutput<typeof serverRecord>;

export const groupRecord = v.strictObject({
  level: count,
  permissions: v.array(
    v.custom<Permission>((value) => typeof value === 'string' && value.length <= 32),
  ),
  /** Most bytes of a file that its members may attach; absent: the default. */
  fileLimit: v.optional(count),
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
  /** How the account wants to be called in full. */
  display: v.optional(label),
  /** The password was made by somebody else. */
  mustChange: v.optional(v.literal(true)),
  /** The account is no more; its record tells who wrote what is left. */
  removed: v.optional(v.literal(true)),
  /** All that it wrote is erased. */
  erased: v.optional(v.literal(true)),
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
  lifetime: v.picklist(['builtin', 'permanent', 'temporary', 'conference']),
  /** End-to-end encrypted, readable to its members only. */
  private: v.boolean(),
  /** The room it lies in; absent at the top. */
  parent: v.optional(roomId),
  /** `both` where absent. */
  media: v.optional(media),
  /** Place among its siblings, the lower the earlier; those without one come last, by name. */
  position: v.optional(count),
  /** The generation of its lock, which opens the room and those in it that have none. */
  lock: v.optional(
    v.strictObject({
      /** 0: it was opened by that of the room above until somebody was put out. */
      generation: count,
      /** A password opens it. */
      password: v.boolean(),
      /** Somebody who knows it has been removed: nobody comes in by it any more. */
      retired: v.boolean(),
    }),
  ),
});
export type RoomRecord = v.InferOutput<typeof roomRecord>;

export type RoomLock = NonNullable<RoomRecord['lock']>;

/** A generation of a room's lock; id `<room>:<generation>`. */
export const lockRecord = v.strictObject({
  keyring: keyringPublic,
  /** The lock's secret for whoever knows the password; null: members alone have it. */
  password: v.nullable(v.strictObject({ key: bytes(32), wrap: box })),
});
export type LockRecord = v.InferOutput<typeof lockRecord>;

/** A code that was issued; id is the key that verifies its redemption. */
export const codeRecord = v.strictObject({
  purpose: v.picklist(['signup', 'elevate', 'join']),
  group: v.optional(groupName),
  issuer: accountId,
  /** How often it can still be redeemed. */
  uses: count,
  /** Milliseconds since 1970, by the server's clock. */
  expires: count,
});
export type CodeRecord = v.InferOutput<typeof codeRecord>;

export const resetRecord = v.strictObject({ verifier: bytes(32), time: count });
export type ResetRecord = v.InferOutput<typeof resetRecord>;

/** Where the chain of a device stands in a stream; id is the device. */
export const headRecord = v.strictObject({ seq: count, id: entryId });
export type HeadRecord = v.InferOutput<typeof headRecord>;

/** Another key epoch, and a key sealed under one of the two. */
const epochLink = v.strictObject({ epoch: entryId, box: bytes(72) });
/** Most epochs before to which one leads. */
export const MAX_PREVIOUS = 8;

/** A key epoch of a conversation; id is the entry that opened it. */
export const epochRecord = v.strictObject({
  number: count,
  /** Account, generation of its keyring, and the key sealed to it. */
  wraps: v.array(v.tuple([accountId, count, box])),
  /** For the room's lock. */
  lock: v.optional(
    v.strictObject({
      /** The room whose lock it is. */
      holder: roomId,
      generation: count,
      /** The key, sealed to what the lock's password opens; null where it has none. */
      box: v.nullable(box),
      /** The lock's secret, sealed under the key; null where its author did not know it. */
      secret: v.nullable(bytes(72)),
    }),
  ),
  /** For those who are in the room above whose lock it is: the key, sealed under an epoch of that. */
  above: v.optional(epochLink),
  /** Epochs before, their keys sealed under this one's: where newcomers may read what was said. */
  previous: v.optional(v.pipe(v.array(epochLink), v.minLength(1), v.maxLength(MAX_PREVIOUS))),
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
  /** Hash of a name's look → account. */
  look: accountId,
  /** Folded name, behind `<parent>/` where it lies in another → room. */
  roomname: roomId,
  /** Hash of a name's look, behind `<parent>/` → room. */
  roomlook: roomId,
  lock: lockRecord,
  /** Account that owned a room and does not any more, behind `<room>:`. */
  owned: marker,
  code: codeRecord,
  /** Account, behind `<room>:` where it is for a room → until when by the server's clock, 0: for good. */
  ban: count,
  /** As of `ban`: silenced for everyone. */
  suppress: marker,
  reset: resetRecord,
  head: headRecord,
  clock: count,
  epoch: epochRecord,
  /** `current` → the epoch new messages are sealed under. */
  epochs: text,
  /** Account; of an open room, in the space, behind `<room>:`. */
  member: marker,
  block: marker,
  /** In an account: stream → position up to which it has been read. */
  read: count,
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

export const accountOf = (space: Pick<Reader, 'get'>, id: AccountId): AccountRecord | undefined =>
  space.get<AccountRecord>('account', id);

/** An account that is there and has not been removed. */
export function presentAccount(
  space: Pick<Reader, 'get'>,
  id: AccountId,
): AccountRecord | undefined {
  const account = accountOf(space, id);
  return account?.removed === true ? undefined : account;
}

export const deviceOf = (space: Pick<Reader, 'get'>, key: PublicKey): DeviceRecord | undefined =>
  space.get<DeviceRecord>('device', key);

/** The account of a device that may act: known and not revoked. */
export function actorOf(space: Pick<Reader, 'get'>, device: PublicKey): AccountId | undefined {
  const record = deviceOf(space, device);
  return record === undefined || record.revoked ? undefined : record.account;
}

/** An account's devices that are not revoked. */
export function activeDevices(space: Reader, account: AccountId): PublicKey[] {
  const devices: PublicKey[] = [];
  for (const [key, { revoked }] of space.of<DeviceRecord>('device', account))
    if (!revoked) devices.push(key as PublicKey);
  return devices.sort();
}

export function groupOf(space: Pick<Reader, 'get'>, account: AccountId): GroupRecord | undefined {
  const record = presentAccount(space, account);
  return record === undefined ? undefined : space.get<GroupRecord>('group', record.group);
}

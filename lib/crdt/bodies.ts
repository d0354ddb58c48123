/**
 * Bodies of entries, by stream and kind. A body that does not fit its schema makes its entry
 * malformed; what fits is judged by the rules.
 */
import * as v from 'valibot';
import { parse } from './codec.ts';
import type { Entry } from './entry.ts';
import {
  accountId,
  box,
  bytes,
  bytesUpTo,
  count,
  entryId,
  epochRecord,
  groupName,
  groupRecord,
  keyringPublic,
  label,
  level,
  media,
  name,
  publicKey,
  roomId,
} from './records.ts';
import { PERMISSIONS } from './permissions.ts';
import { isStreamName, type StreamName } from './stream.ts';
import { byteLength, MAX_TEXT_BYTES } from '../text.ts';

/** An action that says all by its kind. */
const nothing = v.strictObject({});
const deviceKeys = v.strictObject({ sealing: bytes(32), label });
const passwordKeys = v.strictObject({
  /** X25519 key that only the password opens. */
  key: bytes(32),
  /** The keyring secret, sealed to it. */
  wrap: box,
});
const wraps = v.pipe(v.array(v.tuple([publicKey, box])), v.maxLength(256));

/** A text as long as a message may be. */
export const messageText = v.pipe(
  v.string(),
  v.check((text) => text.length > 0 && byteLength(text) <= MAX_TEXT_BYTES),
);

/** A file that belongs to a message: how to find its bytes, and what its author says of them. */
export const fileReference = v.strictObject({
  /** SHA-256 of its manifest, by which it is fetched. */
  hash: bytes(32),
  /** Bytes of the file itself. */
  size: count,
  /** Never to be used as a path. */
  name: v.pipe(
    v.string(),
    v.check((text) => byteLength(text) <= 255),
  ),
  /** A media type. */
  type: v.optional(v.pipe(v.string(), v.maxLength(100))),
  /** Opens it, in an encrypted conversation. */
  key: v.optional(bytes(32)),
  /** Of an image, in pixels. */
  width: v.optional(count),
  height: v.optional(count),
});
export type FileReference = v.InferOutput<typeof fileReference>;

/** What a message says, in the clear or inside its sealed body: a text, a file or both. */
export const sayBody = v.pipe(
  v.strictObject({
    text: v.pipe(
      v.string(),
      v.check((text) => byteLength(text) <= MAX_TEXT_BYTES),
    ),
    /** The message that it answers. */
    reply: v.optional(entryId),
    file: v.optional(fileReference),
  }),
  v.check(({ text, file }) => text.length > 0 || file !== undefined),
);
export type SayBody = v.InferOutput<typeof sayBody>;

/** What is sealed under a key epoch. */
const sealed = { epoch: entryId, box: bytesUpTo(63 * 1024) };

/** A message sealed under a key epoch. */
export const sealedBody = v.strictObject({
  ...sealed,
  /** What it refers to in the clear, so that those who may read the message can fetch the file. */
  blob: v.optional(v.strictObject({ hash: bytes(32), size: count })),
});
export type SealedBody = v.InferOutput<typeof sealedBody>;

/** The new text of a message, in the clear or inside its sealed body. */
export const editText = v.strictObject({ text: messageText });
export type EditText = v.InferOutput<typeof editText>;

/** What somebody feels about a message, in the clear or inside its sealed body. */
export const reaction = v.strictObject({
  emoji: v.pipe(v.string(), v.minLength(1), v.maxLength(32)),
  on: v.boolean(),
});
export type Reaction = v.InferOutput<typeof reaction>;

const target = { target: entryId };
/** Not as its author, but by the permission to change messages of others. */
const moderator = { moderator: v.optional(v.literal(true)) };

/** What is done about a message that is there already. */
const content = {
  edit: v.union([
    v.strictObject({ ...target, ...moderator, ...editText.entries }),
    v.strictObject({ ...target, ...moderator, ...sealed }),
  ]),
  /** Erases it for good. */
  remove: v.strictObject({ ...target, ...moderator }),
  react: v.union([
    v.strictObject({ ...target, ...reaction.entries }),
    v.strictObject({ ...target, ...sealed }),
  ]),
} as const;

/** A call that is over: the server's word. */
const call = v.strictObject({
  call: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/)),
  /** `missed`: of one between two that the one who was called was not in. */
  outcome: v.picklist(['ended', 'missed']),
  /** Of one between two: who called. */
  caller: v.optional(accountId),
  /** For how long at least two people were in it. */
  seconds: count,
  /** The most who were in it at once. */
  people: count,
});
export type CallBody = v.InferOutput<typeof call>;

const wrapsOf = <N extends number>(most: N) => ({
  number: count,
  wraps: v.pipe(v.array(v.tuple([accountId, count, box])), v.maxLength(most)),
});

/** A room's lock: its keyring, and the secret for whoever knows the password. */
const lockKeys = v.strictObject({ keyring: keyringPublic, password: v.nullable(passwordKeys) });
export type LockKeys = v.InferOutput<typeof lockKeys>;

const permissions = v.pipe(v.array(v.picklist(PERMISSIONS)), v.maxLength(PERMISSIONS.length));
const codeFacts = {
  /** Verifies that somebody knows the code. */
  verifier: publicKey,
  uses: v.pipe(count, v.minValue(1), v.maxValue(10_000)),
  /** Milliseconds since 1970, by the server's clock. */
  expires: count,
};
/** The redemption of a code: see `codeStatement`. */
const redemption = v.strictObject({ verifier: publicKey, proof: bytes(64) });
export type Redemption = v.InferOutput<typeof redemption>;

export const BODIES = {
  space: {
    /** The first entry, by the server's own key. */
    server: v.strictObject({
      name,
      groups: v.pipe(v.record(v.pipe(v.string(), v.maxLength(32)), groupRecord), v.maxEntries(64)),
      lobby: name,
    }),
    /** A new account with its first device, by that device. */
    account: v.strictObject({
      name,
      device: deviceKeys,
      keyring: keyringPublic,
      password: v.nullable(passwordKeys),
      /** The invitation by which it is made. */
      code: v.optional(redemption),
    }),
    /** A further device, by itself, vouched for by the account's keyring key. */
    device: v.strictObject({
      account: accountId,
      device: deviceKeys,
      generation: count,
      proof: bytes(64),
    }),
    /** A device is shut out and the keyring begins a new generation. */
    revoke: v.strictObject({
      device: publicKey,
      keyring: keyringPublic,
      wraps,
      password: v.nullable(box),
      previous: bytes(72),
    }),
    /** A new password; in place of one that somebody else made, with a new keyring. */
    password: v.strictObject({
      password: passwordKeys,
      renewal: v.optional(v.strictObject({ keyring: keyringPublic, wraps, previous: bytes(72) })),
    }),
    /** An administrator lets an account set a new password with a one-time code. */
    reset: v.strictObject({ account: accountId, verifier: bytes(32) }),
    /** The code of a reset is redeemed. */
    recover: v.strictObject({
      account: accountId,
      code: v.pipe(v.string(), v.maxLength(64)),
      device: deviceKeys,
      keyring: keyringPublic,
      wraps,
      password: passwordKeys,
    }),
    /** Of a group that does not exist an account is in no other, and may nothing. */
    setgroup: v.strictObject({ account: accountId, group: groupName }),
    creategroup: v.strictObject({ name: groupName, level }),
    updategroup: v.strictObject({
      name: groupName,
      add: permissions,
      remove: permissions,
      level: v.optional(level),
      fileLimit: v.optional(count),
    }),
    removegroup: v.strictObject({ name: groupName }),
    /** An account made for somebody else, with a first password that has to be changed. */
    createuser: v.strictObject({
      name,
      group: groupName,
      keyring: keyringPublic,
      password: passwordKeys,
    }),
    updateuser: v.strictObject({
      account: accountId,
      name: v.optional(name),
      display: v.optional(label),
    }),
    /** The end of an account; with vengeance all that it wrote is erased. */
    removeuser: v.strictObject({ account: accountId, vengeance: v.boolean() }),
    /** A code that invites into a group, or lifts who redeems it into one. */
    code: v.strictObject({
      purpose: v.picklist(['signup', 'elevate']),
      group: groupName,
      ...codeFacts,
    }),
    elevate: redemption,
    renameserver: v.strictObject({ name }),
    motd: v.strictObject({ text: v.pipe(v.string(), v.maxLength(1024)) }),
    /** Shuts somebody out of a room or of the server, for a time or (0) for good. */
    ban: v.strictObject({ account: accountId, room: v.optional(roomId), until: count }),
    unban: v.strictObject({ account: accountId, room: v.optional(roomId) }),
    /** Silences somebody for everyone in the calls of a room, or in all; or does so no more. */
    suppress: v.strictObject({ account: accountId, room: v.optional(roomId), on: v.boolean() }),
    room: v.strictObject({
      name,
      private: v.boolean(),
      parent: v.optional(roomId),
      media: v.optional(media),
      lifetime: v.optional(v.picklist(['temporary', 'conference'])),
      lock: v.optional(lockKeys),
    }),
    updateroom: v.strictObject({
      room: roomId,
      name: v.optional(name),
      /** Null: to the top. */
      parent: v.optional(v.nullable(roomId)),
      media: v.optional(media),
      position: v.optional(count),
    }),
    /** The end of a room and of those in it. */
    removeroom: v.strictObject({ room: roomId }),
    /** Another password, or none; by others than the owner with proof that they are in the room. */
    lock: v.strictObject({
      room: roomId,
      lock: v.nullable(lockKeys),
      proof: v.optional(bytes(64)),
    }),
    /** Nobody comes in by the present lock any more. */
    retire: v.strictObject({ room: roomId }),
    owner: v.strictObject({ room: roomId, account: accountId }),
    /** Membership of open rooms. */
    join: v.strictObject({ room: roomId }),
    leave: v.strictObject({ room: roomId }),
    expel: v.strictObject({ room: roomId, account: accountId }),
  },
  room: {
    say: sayBody,
    sealed: sealedBody,
    ...content,
    call,
    epoch: v.strictObject({
      ...wrapsOf(512),
      lock: epochRecord.entries.lock,
      above: epochRecord.entries.above,
      previous: epochRecord.entries.previous,
    }),
    /** Comes in, into an encrypted room, by what proves that one may. */
    join: v.strictObject({
      by: v.variant('type', [
        v.strictObject({ type: v.literal('owner') }),
        v.strictObject({ type: v.literal('lock'), generation: count, proof: bytes(64) }),
        v.strictObject({ type: v.literal('code'), ...redemption.entries }),
        /** Into a conference, whose participants are the server's word. */
        v.strictObject({ type: v.literal('word') }),
      ]),
    }),
    leave: nothing,
    /** A code that lets somebody in. */
    code: v.strictObject(codeFacts),
    members: v.strictObject({
      add: v.pipe(v.array(accountId), v.maxLength(512)),
      remove: v.pipe(v.array(accountId), v.maxLength(512)),
    }),
  },
  pair: {
    /** Asks the other to be a contact; two that ask each other are contacts. */
    request: nothing,
    /** Withdraws one's own request. */
    cancel: nothing,
    /** Answer the other's request. */
    accept: nothing,
    reject: nothing,
    /** Makes a contact of somebody whose password one has given: the server's word. */
    befriend: nothing,
    unfriend: nothing,
    sealed: sealedBody,
    ...content,
    call,
    epoch: v.strictObject(wrapsOf(2)),
  },
  account: {
    block: v.strictObject({ account: accountId, blocked: v.boolean() }),
    /** How far a stream has been read; where `tell`, its authors may know. */
    read: v.strictObject({
      stream: v.custom<StreamName>(isStreamName),
      until: count,
      tell: v.boolean(),
    }),
  },
} as const;

export type StreamBodies = typeof BODIES;
export type SpaceKind = keyof StreamBodies['space'];
type Outputs<K extends keyof StreamBodies> = {
  [Kind in keyof StreamBodies[K]]: {
    readonly kind: Kind;
    readonly body: StreamBodies[K][Kind] extends v.GenericSchema
      ? v.InferOutput<StreamBodies[K][Kind]>
      : never;
  };
}[keyof StreamBodies[K]];

/** A body with the kind that tells its type. */
export type SpaceAction = Outputs<'space'>;
export type RoomAction = Outputs<'room'>;
export type PairAction = Outputs<'pair'>;
export type AccountAction = Outputs<'account'>;
export type Action = SpaceAction | RoomAction | PairAction | AccountAction;

/** What has been read already: an entry is judged, reduced and shown by the same object. */
const actions = new WeakMap<Entry, { type: keyof StreamBodies; action: Action }>();

/**
 * The action of an entry; undefined where the kind is unknown, the body does not fit or is erased.
 * Never throws.
 */
export function actionOf(entry: Entry, type: keyof StreamBodies): Action | undefined {
  const known = actions.get(entry);
  if (known?.type === type) return known.action;
  const schemas: Record<string, v.GenericSchema> = BODIES[type];
  const schema = Object.hasOwn(schemas, entry.kind) ? schemas[entry.kind] : undefined;
  if (schema === undefined || entry.body === undefined) return undefined;
  try {
    const action = { kind: entry.kind, body: parse(schema, entry.body) } as Action;
    actions.set(entry, { type, action });
    return action;
  } catch {
    // A body from outside that does not fit its schema: a verdict and not a fault.
    return undefined;
  }
}

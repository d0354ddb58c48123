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
  groupRecord,
  keyringPublic,
  label,
  name,
  publicKey,
} from './records.ts';
import { byteLength, MAX_TEXT_BYTES } from '../text.ts';

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

/** What a message says, in the clear or inside its sealed body. */
export const sayBody = v.strictObject({ text: messageText });
export type SayBody = v.InferOutput<typeof sayBody>;

/** A body sealed under a key epoch. */
export const sealedBody = v.strictObject({ epoch: entryId, box: bytesUpTo(63 * 1024) });
export type SealedBody = v.InferOutput<typeof sealedBody>;

/** An action that says all by its kind. */
const nothing = v.strictObject({});

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
    password: v.strictObject({ password: passwordKeys }),
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
    setgroup: v.strictObject({ account: accountId, group: v.pipe(v.string(), v.maxLength(32)) }),
    room: v.strictObject({ name, private: v.boolean() }),
  },
  room: {
    say: sayBody,
    sealed: sealedBody,
    epoch: v.strictObject({
      number: count,
      wraps: v.pipe(v.array(v.tuple([accountId, count, box])), v.maxLength(512)),
    }),
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
    epoch: v.strictObject({
      number: count,
      wraps: v.pipe(v.array(v.tuple([accountId, count, box])), v.maxLength(2)),
    }),
  },
  account: {
    block: v.strictObject({ account: accountId, blocked: v.boolean() }),
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

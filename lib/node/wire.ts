/** The protocols between a client and its server: their methods and notices, each with its schema. */
import * as v from 'valibot';
import {
  accountId,
  box,
  bytes,
  bytesUpTo,
  count,
  entryId,
  name,
  publicKey,
} from '../crdt/records.ts';
import { MAX_ENTRY } from '../crdt/entry.ts';
import { MAX_BATCH } from '../crdt/seal.ts';
import { isStreamName, type StreamName } from '../crdt/stream.ts';
import { isErrorCode, type ErrorCode } from '../errors.ts';
import { messageText } from '../crdt/bodies.ts';
import type { Protocol } from './exchange.ts';

export const PROTOCOL_VERSION = 1;

const stream = v.custom<StreamName>(isStreamName);
const nothing = v.strictObject({});
const opaque = bytesUpTo(2048);
const code = v.custom<ErrorCode>(isErrorCode);
const secretCode = v.pipe(v.string(), v.maxLength(64));
const entryBytes = bytesUpTo(MAX_ENTRY);
const names = v.pipe(v.array(name), v.maxLength(100_000));
const text = v.pipe(v.string(), v.maxLength(300));

/** Most bytes of batches or records in one reply; a frame holds one batch or record more. */
export const PORTION_BYTES = 256 * 1024;

const batch = v.strictObject({
  seal: bytesUpTo(1024),
  items: v.pipe(v.array(entryBytes), v.maxLength(MAX_BATCH)),
});
const batches = v.strictObject({ batches: v.pipe(v.array(batch), v.maxLength(256)) });
/** Stream and its length. */
const cursor = v.tuple([stream, count]);
/** Stream, its length, and the id of its last seal. */
const head = v.tuple([stream, count, v.pipe(v.string(), v.length(64))]);
/** Heads in one reply: with the longest names they fill a third of a frame. */
export const MAX_HEADS = 2_000;
/** Streams in the order `space`, then by name, as far as they go in one reply. */
const headsPortion = v.strictObject({
  heads: v.pipe(v.array(head), v.maxLength(MAX_HEADS)),
  /** There are more, to be asked for by `heads`. */
  more: v.boolean(),
});
const cursors = v.pipe(v.array(cursor), v.maxLength(20_000));
const receipt = v.tuple([entryId, count, count]);
const receipts = v.pipe(v.array(receipt), v.maxLength(5_000));

/** Login, accounts, presence: who is there and who one is. */
export const SESSION = {
  name: '/clchat/session/1',
  methods: {
    hello: {
      request: v.strictObject({ version: count }),
      reply: v.strictObject({
        version: count,
        name,
        term: count,
        /** The account that this device belongs to. */
        account: v.nullable(v.strictObject({ id: accountId, name, passwordVersion: count })),
        revoked: v.boolean(),
        inviteOnly: v.boolean(),
      }),
    },
    lookup: {
      request: v.strictObject({ name }),
      reply: v.strictObject({ exists: v.boolean(), password: v.boolean() }),
    },
    /** Logs in by the device's key alone. */
    login: { request: nothing, reply: v.strictObject({ account: accountId, name }) },
    loginStart: {
      request: v.strictObject({ name, request: opaque }),
      reply: v.strictObject({ response: opaque, account: accountId }),
    },
    /** Proves the password; what comes back opens the keyring. */
    loginFinish: {
      request: v.strictObject({ finish: opaque }),
      reply: v.strictObject({
        account: accountId,
        name,
        generation: count,
        wrap: v.nullable(box),
        passwordVersion: count,
      }),
    },
    /** The client could not use the answer: the password was wrong. Tells where the lock stands. */
    loginFailed: {
      request: nothing,
      reply: v.strictObject({ failures: count, lockedSeconds: count }),
    },
    /** Adds this device to the account whose password was proved. */
    enrol: { request: v.strictObject({ entry: entryBytes }), reply: nothing },
    registerStart: {
      request: v.strictObject({ name, request: opaque }),
      reply: v.strictObject({ response: opaque }),
    },
    signup: {
      request: v.strictObject({
        entry: entryBytes,
        record: v.nullable(opaque),
        code: v.optional(secretCode),
      }),
      reply: v.strictObject({ account: accountId }),
    },
    passwordStart: {
      request: v.strictObject({ request: opaque }),
      reply: v.strictObject({ response: opaque }),
    },
    password: { request: v.strictObject({ entry: entryBytes, record: opaque }), reply: nothing },
    recoverStart: {
      request: v.strictObject({ name, code: secretCode, request: opaque }),
      reply: v.strictObject({
        response: opaque,
        account: accountId,
        generation: count,
        devices: v.pipe(v.array(v.tuple([publicKey, bytes(32)])), v.maxLength(256)),
      }),
    },
    recover: { request: v.strictObject({ entry: entryBytes, record: opaque }), reply: nothing },
    logout: { request: nothing, reply: nothing },
    whoelse: { request: nothing, reply: v.strictObject({ users: names }) },
    whoelsesince: {
      request: v.strictObject({ seconds: count }),
      reply: v.strictObject({ users: names }),
    },
    broadcast: {
      request: v.strictObject({ text: messageText, time: count }),
      reply: v.strictObject({ reached: names, missed: names }),
    },
    /** Which of one's own devices are connected. */
    online: { request: nothing, reply: v.strictObject({ devices: v.array(publicKey) }) },
    /** Tells that the connection lives. */
    ping: { request: nothing, reply: nothing },
  },
  notices: {
    /** A person is at work here, not just a program. */
    active: nothing,
    presence: v.strictObject({ user: name, online: v.boolean() }),
    broadcast: v.strictObject({ from: name, text: messageText, time: count }),
    logout: v.strictObject({ reason: text }),
  },
} as const satisfies Protocol;

/** Replication: cursors in; entries, seals and receipts out; submissions in. */
export const SYNC = {
  name: '/clchat/sync/1',
  methods: {
    /** Begins: from here on batches are pushed. */
    open: { request: nothing, reply: headsPortion },
    /** The portion that follows on a stream's. */
    heads: { request: v.strictObject({ after: stream }), reply: headsPortion },
    /** How far the server has got with streams that the asker names. Needs no login. */
    lengths: {
      request: v.strictObject({ streams: v.pipe(v.array(stream), v.maxLength(1_000)) }),
      reply: v.strictObject({ lengths: v.array(count) }),
    },
    /**
     * Gives back what the server sealed and has lost, in order. Needs no login: its own signature
     * vouches for it. Tells how far the stream goes now.
     */
    handBack: {
      request: batches,
      reply: v.strictObject({ length: count }),
    },
    fetch: { request: v.strictObject({ stream, from: count }), reply: batches },
    /** Batches that end at `before`, newest first, none older than `least`. */
    older: { request: v.strictObject({ stream, before: count, least: count }), reply: batches },
    /** A page of a stream's state as of `at`; the first page, without `at`, says of when. */
    snapshot: {
      request: v.strictObject({ stream, page: count, at: v.optional(count) }),
      reply: v.strictObject({
        at: count,
        pages: count,
        seal: bytesUpTo(1024),
        records: v.pipe(
          v.array(
            v.tuple([
              v.pipe(v.string(), v.maxLength(32)),
              v.pipe(v.string(), v.maxLength(256)),
              v.unknown(),
            ]),
          ),
          v.maxLength(20_000),
        ),
      }),
    },
    submit: {
      request: v.strictObject({
        entries: v.pipe(v.array(entryBytes), v.minLength(1), v.maxLength(64)),
      }),
      reply: v.strictObject({
        outcomes: v.array(
          v.variant('type', [
            v.strictObject({ type: v.literal('sealed'), position: count }),
            v.strictObject({ type: v.literal('refused'), code }),
            v.strictObject({ type: v.literal('rejected'), code }),
          ]),
        ),
      }),
    },
    receipts: {
      request: v.strictObject({ ids: v.pipe(v.array(entryId), v.maxLength(500)) }),
      reply: v.strictObject({ receipts }),
    },
  },
  notices: {
    batch,
    /** Streams that have more than was pushed. */
    heads: v.strictObject({ heads: cursors }),
    receipts: v.strictObject({ receipts }),
    /** How much of which streams this device holds. */
    acks: v.strictObject({ cursors }),
  },
} as const satisfies Protocol;

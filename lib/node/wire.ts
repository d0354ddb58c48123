/** The protocols between a client and its server: their methods and notices, each with its schema. */
import * as v from 'valibot';
import {
  accountId,
  box,
  bytes,
  bytesUpTo,
  count,
  entryId,
  label,
  name,
  publicKey,
  roomId,
} from '../crdt/records.ts';
import { MAX_ENTRY } from '../crdt/entry.ts';
import { MAX_BATCH } from '../crdt/seal.ts';
import { isStreamName, type StreamName } from '../crdt/stream.ts';
import { isErrorCode, type ErrorCode } from '../errors.ts';
import { messageText } from '../crdt/bodies.ts';
import { isEmail } from './addresses.ts';
import { blobHash } from './blobs/manifest.ts';
import { CALL_METHODS, CALL_NOTICES } from './calls/wire.ts';
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
/** `IP:PORT` each. */
const addresses = v.pipe(v.array(v.pipe(v.string(), v.maxLength(64))), v.maxLength(32));
/** Most devices of which it is told at once where they are. */
export const MAX_PEERS = 64;
const devices = v.pipe(
  v.array(v.strictObject({ device: publicKey, addresses })),
  v.maxLength(MAX_PEERS),
);
const email = v.pipe(v.string(), v.maxLength(254), v.check(isEmail));

/** Whether a mail went out. */
const mailing = {
  mailed: v.boolean(),
  /** Why not, where it was tried. */
  problem: v.optional(text),
};

/** Most bytes of batches or records in one reply; a frame holds one batch or record more. */
export const PORTION_BYTES = 256 * 1024;

const batch = v.strictObject({
  seal: bytesUpTo(1024),
  items: v.pipe(v.array(entryBytes), v.maxLength(MAX_BATCH)),
});
const batches = v.strictObject({ batches: v.pipe(v.array(batch), v.maxLength(256)) });
/** Most removals that are shown with batches that are handed back. */
export const MAX_REMOVALS = 2_000;
/** Streams that are asked for at once. */
export const MAX_WANTS = 64;
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
/** On so many of so many devices, and read by so many people. */
const receipt = v.tuple([entryId, count, count, count]);
const receipts = v.pipe(v.array(receipt), v.maxLength(5_000));

/** Conferences in one reply. */
export const MAX_CONFERENCES = 32;
const accountNames = v.pipe(v.array(name), v.maxLength(64));
/** A conference as somebody sees it; see `ConferenceEvent`. */
const conference = v.strictObject({
  id: roomId,
  name,
  owner: v.optional(name),
  state: v.picklist(['active', 'waiting', 'ended']),
  reason: v.optional(label),
  participants: accountNames,
  away: v.optional(accountNames),
  change: v.optional(v.strictObject({ user: name, kind: label })),
});

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
        /** The server's wall clock, in milliseconds since 1970. */
        time: count,
        /** The account that this device belongs to. */
        account: v.nullable(v.strictObject({ id: accountId, name, passwordVersion: count })),
        revoked: v.boolean(),
        inviteOnly: v.boolean(),
        /** Devices can be reached through it by others. */
        relay: v.optional(v.literal(true)),
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
    /** Begins to register a password for a room. */
    lockStart: {
      request: v.strictObject({ request: opaque }),
      reply: v.strictObject({ response: opaque }),
    },
    /** A room with a password, or another password for one; no record: it has none any more. */
    lock: {
      request: v.strictObject({ entry: entryBytes, record: v.nullable(opaque) }),
      reply: nothing,
    },
    /** Proves the password that opens a room; a wrong one is told by `loginFailed`. */
    roomStart: {
      request: v.strictObject({ room: roomId, request: opaque }),
      reply: v.strictObject({ response: opaque }),
    },
    roomFinish: { request: v.strictObject({ finish: opaque }), reply: nothing },
    /** An account for somebody else, with a first password. */
    createUserStart: {
      request: v.strictObject({ name, request: opaque }),
      reply: v.strictObject({
        response: opaque,
        /** The server can send mails. */
        mails: v.boolean(),
      }),
    },
    createUser: {
      request: v.strictObject({
        entry: entryBytes,
        record: opaque,
        email: v.optional(email),
        /** To be mailed: it has to be changed at once. */
        password: v.optional(secretCode),
      }),
      reply: v.strictObject({ account: accountId, ...mailing }),
    },
    /** Mails the code of a reset, where the server can and knows where to. */
    mailReset: {
      request: v.strictObject({ account: accountId, code: secretCode }),
      reply: v.strictObject(mailing),
    },
    setEmail: {
      request: v.strictObject({ account: accountId, email: v.nullable(email) }),
      reply: nothing,
    },
    /** Devices that may have a file and can be reached, of those who may read a message that names it. */
    peers: {
      request: v.strictObject({ hash: blobHash }),
      reply: v.strictObject({ peers: devices }),
    },
    /** Where the devices of somebody can be reached that are connected. */
    whereis: {
      request: v.strictObject({ account: accountId }),
      reply: v.strictObject({ devices }),
    },
    /** Logs somebody out everywhere. */
    kick: { request: v.strictObject({ account: accountId }), reply: nothing },
    whoelse: { request: nothing, reply: v.strictObject({ users: names }) },
    whoelsesince: {
      request: v.strictObject({ seconds: count }),
      reply: v.strictObject({ users: names }),
    },
    broadcast: {
      request: v.strictObject({ text: messageText, time: count }),
      reply: v.strictObject({ reached: names, missed: names }),
    },
    /** Conferences that one may see, by their ids, those after one. */
    conferences: {
      request: v.strictObject({ after: v.optional(roomId) }),
      reply: v.strictObject({
        conferences: v.pipe(
          v.array(
            v.strictObject({
              ...conference.entries,
              /** This device is in it. */
              here: v.boolean(),
            }),
          ),
          v.maxLength(MAX_CONFERENCES),
        ),
        more: v.boolean(),
      }),
    },
    /** Takes a place in a conference: one that is there, of somebody, or of a name. */
    conferenceJoin: {
      request: v.strictObject({
        target: v.union([
          v.strictObject({ id: roomId }),
          v.strictObject({ friend: accountId, name: v.optional(name) }),
          v.strictObject({ name }),
        ]),
        /** Besides another device of the account. */
        secondDevice: v.boolean(),
      }),
      reply: v.strictObject({
        conference,
        /** Of its room's stream: as of there it shows whether one is a member. */
        length: count,
      }),
    },
    conferenceLeave: {
      request: v.strictObject({ id: v.optional(roomId), name: v.optional(name) }),
      reply: v.strictObject({ id: roomId, name }),
    },
    /** Lets somebody join. */
    conferenceInvite: {
      request: v.strictObject({ id: roomId, account: accountId }),
      reply: nothing,
    },
    ...CALL_METHODS,
    /** Which of one's own devices are connected. */
    online: { request: nothing, reply: v.strictObject({ devices: v.array(publicKey) }) },
    /** Tells that the connection lives. */
    ping: { request: nothing, reply: nothing },
  },
  notices: {
    /** A person is at work here, not just a program. */
    active: nothing,
    /** This device goes for good, and does not just lose its connection. */
    leaving: nothing,
    /** Of a conference that one may see. */
    conference,
    /** Something has happened in conferences that was not told: they are to be asked for anew. */
    conferences: nothing,
    ...CALL_NOTICES,
    /** Where this device may be reached by others, `IP:PORT` each. */
    reachable: v.strictObject({ addresses }),
    /** Somebody is typing: from a client for those who take part in a conversation, and to these. */
    typing: v.strictObject({ stream, user: v.optional(name) }),
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
      request: v.strictObject({
        ...batches.entries,
        /** Entries that removed messages which come without their bodies. */
        removals: v.optional(v.pipe(v.array(entryBytes), v.maxLength(MAX_REMOVALS))),
      }),
      reply: v.strictObject({ length: count }),
    },
    fetch: { request: v.strictObject({ stream, from: count }), reply: batches },
    /**
     * As `fetch`, for many streams: of the first of them as far as there is room, and nothing of those
     * that are not to be read.
     */
    fetchMany: {
      request: v.strictObject({
        wants: v.pipe(v.array(cursor), v.minLength(1), v.maxLength(MAX_WANTS)),
      }),
      reply: v.strictObject({
        portions: v.pipe(v.array(batches.entries.batches), v.minLength(1), v.maxLength(MAX_WANTS)),
      }),
    },
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

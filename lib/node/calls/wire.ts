/**
 * What is said of calls. Who is in which is the server's word (methods and notices of the session);
 * what the devices of those in one need to reach one another, they say to each other themselves.
 */
import * as v from 'valibot';
import { accountId, count, name, publicKey, roomId } from '../../crdt/records.ts';
import type { Protocol } from '../exchange.ts';

const nothing = v.strictObject({});

/** Named by whoever begins it: 16 random bytes in hexadecimal digits. */
export type CallId = string & { readonly __brand: 'CallId' };
export const callId = v.custom<CallId>(
  (value) => typeof value === 'string' && /^[0-9a-f]{32}$/.test(value),
);

/** How long a call rings, in milliseconds. */
export const RING_MS = 15_000;
/** How long those who were in a call before a restart of the server have to come back, in milliseconds. */
export const RESUME_MS = 15_000;
/** Devices that may be in one call: each is connected to each. */
export const MAX_PARTICIPANTS = 16;

/** Why a call is over, or is over here. */
export const CALL_ENDS = [
  /** Somebody has hung up, and nobody else is left to talk to. */
  'hung up',
  'declined',
  'no answer',
  /** Whoever called has given up. */
  'withdrawn',
  /** It was answered, or declined, on another device of the account. */
  'elsewhere',
  /** The other side's connection was lost, and has not come back. */
  'lost',
  /** The room, the conference or the right to be in it is gone. */
  'put out',
] as const;
export type CallEnd = (typeof CALL_ENDS)[number];

/** What one has switched on; all of it is told to everybody in the call. */
const equipment = {
  microphone: v.boolean(),
  camera: v.boolean(),
  /** One has entered the room, and not just joined it: one sees everybody's camera. */
  entered: v.boolean(),
  /** Shares a screen under that label, which may be empty. */
  live: v.optional(v.pipe(v.string(), v.maxLength(100))),
  /** Records the call. */
  recording: v.optional(v.literal(true)),
};
export const equipmentSchema = v.strictObject(equipment);
export type Equipment = v.InferOutput<typeof equipmentSchema>;

/** Somebody in a call. */
const participant = v.strictObject({
  user: name,
  device: publicKey,
  ...equipment,
  /** Nothing is heard of the device at the server. */
  away: v.optional(v.literal(true)),
});
export type Participant = v.InferOutput<typeof participant>;

const common = {
  id: callId,
  /** Absent: between two. */
  room: v.optional(roomId),
  /** Of one between two: who called, and who is called. */
  caller: v.optional(name),
  callee: v.optional(name),
  state: v.picklist(['ringing', 'active', 'ended']),
  /** Of one that has ended. */
  reason: v.optional(v.picklist(CALL_ENDS)),
};

/** A call as those in it, and those whom it rings, see it. */
const call = v.strictObject({
  ...common,
  /** In the order in which they came. */
  participants: v.pipe(v.array(participant), v.maxLength(MAX_PARTICIPANTS)),
});
export type CallView = v.InferOutput<typeof call>;

/** A call in a room of which one is a member, as who is not in it sees it. */
const roomCall = v.strictObject({
  id: callId,
  room: roomId,
  state: v.picklist(['active', 'ended']),
  users: v.pipe(v.array(name), v.maxLength(MAX_PARTICIPANTS)),
});
export type RoomCallView = v.InferOutput<typeof roomCall>;

/** What finds a way through routers: where STUN is answered (`IP:PORT`), and a relay (RFC 8656). */
const ways = v.strictObject({
  stun: v.pipe(v.array(v.pipe(v.string(), v.maxLength(64))), v.maxLength(16)),
  turn: v.optional(
    v.strictObject({
      url: v.pipe(v.string(), v.maxLength(2_048)),
      username: v.pipe(v.string(), v.maxLength(512)),
      credential: v.pipe(v.string(), v.maxLength(512)),
    }),
  ),
});
export type Ways = v.InferOutput<typeof ways>;

const entered = v.strictObject({ call, ways });

/** To be part of the protocol of sessions. */
export const CALL_METHODS = {
  /**
   * Calls somebody, or begins or joins the call of a room.
   * Throws NO_SUCH_USER, SELF, NOT_CONTACT, BLOCKED, OFFLINE, BUSY; NO_SUCH_ROOM, NOT_MEMBER,
   * NOT_PARTICIPANT (of a conference), NOT_SUPPORTED (a room for text only), BANNED, TOO_LARGE;
   * ALREADY; STALE (`resumed`, and it is over); DENIED, RATE_LIMITED.
   */
  callStart: {
    request: v.strictObject({
      /** Taken for a new one; that of the room may have another. */
      id: callId,
      target: v.union([
        /** With `room`, somebody who is a member of it as oneself is, and need not be a contact. */
        v.strictObject({ account: accountId, room: v.optional(roomId) }),
        v.strictObject({ room: roomId }),
      ]),
      equipment: equipmentSchema,
      /** Besides another device of the account. */
      secondDevice: v.boolean(),
      /** It was going on when the server was lost, which may not know of it any more. */
      resumed: v.optional(v.literal(true)),
    }),
    reply: entered,
  },
  /** NO_CALL where it is over or rings somebody else; ALREADY where another device was first. */
  callAnswer: {
    request: v.strictObject({ id: callId, equipment: equipmentSchema }),
    reply: entered,
  },
  callDecline: { request: v.strictObject({ id: callId }), reply: nothing },
  /** Leaves a call, or gives up one that rings. */
  callLeave: { request: v.strictObject({ id: callId }), reply: nothing },
  callUpdate: {
    request: v.strictObject({ id: callId, equipment: equipmentSchema }),
    reply: nothing,
  },
  /** The call in which this device is, those that ring it, and those of rooms that it may join. */
  calls: {
    request: nothing,
    reply: v.strictObject({
      calls: v.pipe(v.array(call), v.maxLength(16)),
      rooms: v.pipe(v.array(roomCall), v.maxLength(256)),
    }),
  },
} as const;

export const CALL_NOTICES = {
  /** To the devices in it, to those it rings, and to those that are in it no more. */
  call,
  /** To the others in the room. */
  roomCall,
} as const;

/** Most characters of a session description: one of three media has some 6,000. */
export const MAX_DESCRIPTION = 32_768;
const description = v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_DESCRIPTION));
const candidate = v.pipe(v.string(), v.minLength(1), v.maxLength(512));
const pixels = v.pipe(count, v.maxValue(8_192));
/** How pictures are wanted; null: not at all. */
const wanted = v.nullable(
  v.strictObject({ width: pixels, height: pixels, fps: v.pipe(count, v.maxValue(60)) }),
);

/** Between two devices in a call. */
export const CALL = {
  name: '/clchat/call/1',
  methods: {
    /** By whoever has connected, first of all: the call that both are in. NO_CALL where one is not. */
    begin: { request: v.strictObject({ id: callId }), reply: nothing },
  },
  notices: {
    /** SDP (RFC 8866), of a connection that both number alike: what belongs to an earlier one is void. */
    offer: v.strictObject({ attempt: count, sdp: description }),
    answer: v.strictObject({ attempt: count, sdp: description }),
    candidate: v.strictObject({
      attempt: count,
      candidate,
      mid: v.pipe(v.string(), v.maxLength(16)),
    }),
    /** The other side is to make an offer: to begin, to begin anew, or since something has changed. */
    callme: v.strictObject({ attempt: count, how: v.picklist(['anew', 'restart', 'change']) }),
    /** What this side wants to see of the other. */
    view: v.strictObject({ camera: wanted, screen: wanted }),
    /** This side has left the call. */
    bye: nothing,
  },
} as const satisfies Protocol;
export type CallNotice = typeof CALL.notices;

/** What two devices say to one another in private, without the server. */
import * as v from 'valibot';
import { messageText } from '../../crdt/bodies.ts';
import { bytes, count } from '../../crdt/records.ts';
import type { Protocol } from '../exchange.ts';

const nothing = v.strictObject({});

/** Why a session, or the wish for one, is over. */
export const REASONS = [
  /** Somebody has ended it. */
  'stopped',
  /** Whoever was asked does not want it. */
  'declined',
  /** Whoever asked wants it no more. */
  'withdrawn',
  /** Nobody has answered in time. */
  'late',
  /** It is had on another device of the account, or by another connection. */
  'elsewhere',
  /** Somebody has logged out. */
  'logout',
] as const;
export type Reason = (typeof REASONS)[number];

/** By which the two sides of a session know it on another line: 32 random bytes. */
const token = v.optional(bytes(32));
/** Of a message: whoever says them counts them from 1, so that none is shown twice. */
const number = v.optional(v.pipe(count, v.minValue(1)));

/** Both sides serve it: who has connected asks, and either may say something, or end it. */
export const PRIVATE = {
  name: '/clchat/private/1',
  methods: {
    /** Asks for a session. Answered when the person is being asked; how they decide comes later. */
    request: { request: v.strictObject({ token }), reply: nothing },
    /** The answer to `request` is yes: with the reply the session is open to both. */
    accept: { request: nothing, reply: nothing },
    /** Something said. The reply says that it was shown. */
    message: {
      request: v.strictObject({ text: messageText, time: count, number }),
      reply: nothing,
    },
    /** A session whose line has broken goes on over this one. */
    resume: { request: v.strictObject({ token: bytes(32) }), reply: nothing },
  },
  notices: {
    /** It is over, or is not to be: the last that is said. */
    close: v.strictObject({ reason: v.picklist(REASONS) }),
  },
} as const satisfies Protocol;

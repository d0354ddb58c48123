/**
 * What is said to a relay and between two peers that meet at one: a frame of CBOR each. On a channel
 * of `RELAY` the frames after `open` or `accept` are those of the two peers, and the relay understands
 * none of them.
 */
import * as v from 'valibot';
import { parse } from '../../crdt/codec.ts';
import { bytes, count, publicKey } from '../../crdt/records.ts';
import { ClchatError, isErrorCode, translate, type ErrorCode } from '../../errors.ts';
import { abortReason } from '../abort.ts';
import type { Channel } from '../channel.ts';

export const RELAY = '/clchat/relay/1';
export const OBSERVE = '/clchat/observe/1';
export const PUNCH = '/clchat/punch/1';

/** Longest frame of those described here, in bytes. */
const MAX_BYTES = 1_024;
/** Of IPv6 with a port, as text. */
const address = v.pipe(v.string(), v.maxLength(64));

/** What a relay is asked for. */
export const relayRequest = v.variant('type', [
  /** To tell of those who want to reach this peer, for as long as the channel is there. */
  v.strictObject({ type: v.literal('reserve') }),
  v.strictObject({ type: v.literal('connect'), key: publicKey }),
  /** Takes a circuit that was told of. */
  v.strictObject({ type: v.literal('accept'), circuit: count }),
]);

const limits = {
  /** That a circuit may carry, both ways together. */
  bytes: count,
  /** That it may last. */
  seconds: count,
};

export const relayAnswer = v.variant('type', [
  v.strictObject({ type: v.literal('reserved'), ...limits }),
  v.strictObject({ type: v.literal('circuit'), circuit: count, from: publicKey }),
  v.strictObject({ type: v.literal('open'), ...limits }),
  v.strictObject({ type: v.literal('refused'), code: v.custom<ErrorCode>(isErrorCode) }),
]);
export type RelayAnswer = v.InferOutput<typeof relayAnswer>;

/** As whom a peer is seen, `IP:PORT`, signed by the one who sees it; see `isObserved`. */
export const observation = v.strictObject({ address, proof: bytes(64) });
export type Observation = v.InferOutput<typeof observation>;

/** Addresses that one side may name: of IPv4 and of IPv6. */
export const MAX_NAMED = 2;

/** The two sides of an attempt take turns: `begin`, `ready`; `at` of each; `go`. */
export const punchMessage = v.variant('type', [
  v.strictObject({ type: v.literal('begin') }),
  /** At once, so that the other side knows how long a message takes. */
  v.strictObject({ type: v.literal('ready') }),
  /** As whom the relay sees this side, at one port of it. */
  v.strictObject({
    type: v.literal('at'),
    seen: v.pipe(v.array(observation), v.maxLength(MAX_NAMED)),
  }),
  /** Both connect once this has arrived. */
  v.strictObject({ type: v.literal('go') }),
]);
export type PunchMessage = v.InferOutput<typeof punchMessage>;

/** @throws BAD_MESSAGE */
export function read<Schema extends v.GenericSchema>(
  schema: Schema,
  frame: Uint8Array,
): v.InferOutput<Schema> {
  return parse(schema, frame, { maxBytes: MAX_BYTES });
}

interface Held {
  readonly frame: Uint8Array;
  readonly taken: (after?: Promise<void>) => void;
}

/** Takes the frames of a channel one by one; those that nobody has asked for make the sender wait. */
export class FrameQueue {
  #held: Held | undefined;
  #end: Error | undefined;
  #wake: (() => void) | undefined;
  #handler: ((frame: Uint8Array) => void | Promise<void>) | undefined;

  /** To be made as soon as there is the channel. */
  constructor(channel: Channel) {
    channel.onFrame((frame) => {
      if (this.#handler !== undefined) return this.#handler(frame);
      return new Promise((taken) => {
        this.#held = { frame, taken };
        this.#wake?.();
      });
    });
    channel.onEnd((error) => {
      this.#end = translate(error ?? new ClchatError('CLOSED'), 'CLOSED');
      this.#wake?.();
    });
  }

  /** @throws what the channel or the signal ended with, and CLOSED */
  async next(signal: AbortSignal): Promise<Uint8Array> {
    for (;;) {
      if (signal.aborted) throw abortReason(signal);
      const held = this.#held;
      if (held !== undefined) {
        this.#held = undefined;
        held.taken();
        return held.frame;
      }
      if (this.#end !== undefined) throw this.#end;
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          signal.removeEventListener('abort', wake);
          resolve();
        };
        this.#wake = wake;
        signal.addEventListener('abort', wake, { once: true });
      });
    }
  }

  /** Hands all further frames to somebody else, as the channel itself would. */
  pass(handler: (frame: Uint8Array) => void | Promise<void>): void {
    this.#handler = handler;
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    // What it throws is the channel's then, as with the others.
    held.taken(new Promise((resolve) => resolve(handler(held.frame))));
  }
}

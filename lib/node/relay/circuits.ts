/** The two ends of a circuit: who asks a relay for it, and who has a reservation there. */
import { encode } from '../../crdt/codec.ts';
import type { PublicKey } from '../../crdt/keys.ts';
import { ClchatError, translate } from '../../errors.ts';
import type { Channel, Connection } from '../channel.ts';
import { FrameQueue, read, RELAY, relayAnswer, type RelayAnswer } from './wire.ts';

/** A channel of which all that comes is from the peer at the other end of the circuit. */
export interface Circuit {
  readonly channel: Channel;
  /** As of a channel. */
  onFrame(handler: (frame: Uint8Array) => void | Promise<void>): void;
}

/** That others may reach this peer through another one. */
export interface Reservation {
  readonly ended: boolean;
  /** Called once, when nobody can any more. */
  onEnd(handler: (error: Error | undefined) => void): void;
  close(): Promise<void>;
}

/**
 * Asks the relay to tell of those who want to reach this peer.
 * @param onCircuit with what `acceptCircuit` takes, and from whom it is, as the relay says
 * @throws DENIED, RATE_LIMITED, VERSION (that peer is no relay), TIMEOUT, CLOSED, BAD_MESSAGE
 */
export async function reserve(
  relay: Connection,
  onCircuit: (circuit: number, from: PublicKey) => void,
  { signal }: { signal: AbortSignal },
): Promise<Reservation> {
  const channel = await relay.open(RELAY, { signal });
  const frames = await ask(channel, { type: 'reserve' }, 'reserved', signal);
  frames.pass((frame) => {
    const answer = read(relayAnswer, frame);
    if (answer.type !== 'circuit') throw new ClchatError('BAD_MESSAGE');
    onCircuit(answer.circuit, answer.from);
  });
  return channel;
}

/**
 * Asks the relay for a circuit to a peer.
 * @throws OFFLINE (it has no reservation there), DENIED, RATE_LIMITED, SELF, VERSION (the other one is
 *   no relay), TIMEOUT, CLOSED, BAD_MESSAGE
 */
export async function openCircuit(
  relay: Connection,
  key: PublicKey,
  { signal }: { signal: AbortSignal },
): Promise<Circuit> {
  const channel = await relay.open(RELAY, { signal });
  const frames = await ask(channel, { type: 'connect', key }, 'open', signal);
  return { channel, onFrame: (handler) => frames.pass(handler) };
}

/** Takes a circuit that the relay has told of. @throws TIMEOUT, CLOSED */
export async function acceptCircuit(
  relay: Connection,
  circuit: number,
  { signal }: { signal: AbortSignal },
): Promise<Circuit> {
  const channel = await relay.open(RELAY, { signal });
  const frames = new FrameQueue(channel);
  channel.send(encode({ type: 'accept', circuit }));
  return { channel, onFrame: (handler) => frames.pass(handler) };
}

async function ask(
  channel: Channel,
  request: object,
  expected: RelayAnswer['type'],
  signal: AbortSignal,
): Promise<FrameQueue> {
  try {
    const frames = new FrameQueue(channel);
    channel.send(encode(request));
    const answer = read(relayAnswer, await frames.next(signal));
    if (answer.type === 'refused') throw new ClchatError(answer.code);
    if (answer.type !== expected) throw new ClchatError('BAD_MESSAGE');
    return frames;
  } catch (error) {
    channel.abort(translate(error));
    throw error;
  }
}

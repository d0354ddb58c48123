/**
 * STUN (RFC 8489): telling others as whom they are seen, and asking that oneself. What a call needs to
 * offer an address at which it can be reached through a router, without anybody's server but our own.
 */
import { randomBytes } from 'node:crypto';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv4, isIPv6 } from 'node:net';
import { ClchatError, translate } from '../errors.ts';
import type { Endpoint } from '../interfaces.ts';
import type { Clock } from '../lifecycle.ts';
import { Datagrams } from './datagrams.ts';
import { networkOf } from '../ip-bytes.ts';
import {
  decodeStun,
  encodeRequest,
  encodeSuccess,
  encodeUnknown,
  TRANSACTION_BYTES,
} from './stun-message.ts';

export interface AskStunOptions {
  /** Ends it, with its reason. */
  readonly signal: AbortSignal;
  readonly random?: (length: number) => Uint8Array;
}

/**
 * Asks a STUN server as whom this host is seen, again and again until it answers.
 * @param server its IP address in the usual form, and its port
 * @returns the address that the question came from, as the server saw it
 * @throws TIMEOUT where nothing can be sent there, BAD_MESSAGE where it refuses, the reason of the signal
 */
export async function askStun(
  server: Pick<Endpoint, 'ip' | 'port'>,
  { signal, random = randomBytes }: AskStunOptions,
): Promise<Endpoint> {
  const transaction = random(TRANSACTION_BYTES);
  const { ip, port } = server;
  const datagrams = await Datagrams.open({
    gateway: ip,
    port,
    own: isIPv6(ip) ? '::' : '0.0.0.0',
  });
  try {
    const read = (bytes: Uint8Array): Endpoint | undefined => seenIn(bytes, transaction);
    return await datagrams.ask(encodeRequest(transaction), read, signal);
  } finally {
    datagrams.close();
  }
}

/** @returns undefined for what does not answer the request @throws BAD_MESSAGE for a refusal */
function seenIn(bytes: Uint8Array, transaction: Uint8Array): Endpoint | undefined {
  const answer = decodeStun(bytes);
  if (answer === undefined || answer.kind === 'request') return undefined;
  if (Buffer.compare(answer.transaction, transaction) !== 0) return undefined;
  if (answer.kind === 'failure')
    throw new ClchatError('BAD_MESSAGE', `The STUN server refuses with ${answer.code}.`);
  if (answer.unknown.length > 0 || answer.seen.port === 0) throw new ClchatError('BAD_MESSAGE');
  return { ...answer.seen, family: isIPv4(answer.seen.ip) ? 4 : 6 };
}

/** Answers to one sender, and to all together, in a second. Others are lost. */
const MOST_TO_ONE = 50;
const MOST_IN_ALL = 2_000;
const SECOND_MS = 1_000;

export interface StunResponderOptions {
  /** Where it listens; port 0 is any free one. */
  readonly listen: readonly Pick<Endpoint, 'ip' | 'port'>[];
  readonly clock: Clock;
}

/**
 * Answers everybody who asks. An answer is shorter than three of its requests and goes out at a bounded
 * rate, so that it is of no use to who asks in the name of others.
 */
export class StunResponder {
  readonly #sockets: Socket[] = [];
  readonly #rate: Rate;

  private constructor(clock: Clock) {
    this.#rate = new Rate(clock);
  }

  /** @throws PORT_IN_USE, BAD_ADDRESS */
  static async open({ listen, clock }: StunResponderOptions): Promise<StunResponder> {
    const responder = new StunResponder(clock);
    try {
      for (const endpoint of listen) await responder.#listen(endpoint);
      return responder;
    } catch (error) {
      await responder.close();
      throw translate(error, 'BAD_ADDRESS');
    }
  }

  /** The UDP ports, one for each of `listen`. */
  get ports(): readonly number[] {
    return this.#sockets.map((socket) => socket.address().port);
  }

  async close(): Promise<void> {
    await Promise.all(
      this.#sockets.splice(0).map((socket) => new Promise<void>((done) => socket.close(done))),
    );
  }

  async #listen({ ip, port }: Pick<Endpoint, 'ip' | 'port'>): Promise<void> {
    const socket = createSocket(isIPv6(ip) ? { type: 'udp6', ipv6Only: true } : { type: 'udp4' });
    try {
      socket.bind({ address: ip, port, exclusive: true });
      await once(socket, 'listening');
    } catch (error) {
      socket.close();
      throw error;
    }
    this.#sockets.push(socket);
    // What the network says of an answer that was lost is nobody's concern.
    socket.on('error', () => undefined);
    socket.on('message', (bytes, from) => {
      const answer = this.#answerTo(bytes, from);
      if (answer !== undefined) socket.send(answer, from.port, from.address, () => undefined);
    });
  }

  #answerTo(bytes: Uint8Array, { address, port }: RemoteInfo): Uint8Array | undefined {
    const request = decodeStun(bytes);
    // No answer can be sent to port 0.
    if (request?.kind !== 'request' || port === 0) return undefined;
    if (!this.#rate.takes(networkOf(address))) return undefined;
    return request.unknown.length > 0
      ? encodeUnknown(request)
      : encodeSuccess(request, { ip: address, port });
  }
}

/** So many to each, and to all together, in every second. */
class Rate {
  readonly #clock: Clock;
  readonly #each = new Map<string, number>();
  #all = 0;
  #until = -Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  takes(sender: string): boolean {
    const now = this.#clock.monotonic();
    if (now >= this.#until) {
      this.#until = now + SECOND_MS;
      this.#each.clear();
      this.#all = 0;
    }
    const count = this.#each.get(sender) ?? 0;
    if (count >= MOST_TO_ONE || this.#all >= MOST_IN_ALL) return false;
    this.#each.set(sender, count + 1);
    this.#all++;
    return true;
  }
}

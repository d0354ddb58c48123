/**
 * Questions to a gateway, or another host, in single datagrams: each is repeated until it is answered or
 * its time is over. Only what comes from that address and port is looked at; the rest is counted.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once, setMaxListeners } from 'node:events';
import { isIPv6 } from 'node:net';
import { ClchatError } from '../errors.ts';

/** The port of NAT-PMP and PCP (RFC 6886, RFC 6887). */
export const PMP_PORT = 5351;
/** When a question is put again, in milliseconds; then after twice as long, and so on. */
const REPEAT_MS = 250;
/** No message of PCP is longer (RFC 6887, 7), and no other that is of use here. */
const MAX_BYTES = 1_100;

export interface DatagramOptions {
  /** Who is asked: an IP address in its usual form. */
  readonly gateway: string;
  /** Of the gateway; `PMP_PORT` by default. */
  readonly port?: number | undefined;
  /** The address of our card that is asked from, or a wildcard; of the same family. */
  readonly own: string;
}

/** A socket for questions to one host. */
export class Datagrams {
  readonly #socket: Socket;
  readonly #gateway: string;
  readonly #port: number;
  /** Each says whether it takes an answer. */
  readonly #waiting = new Set<(answer: Uint8Array) => boolean>();
  readonly #closed = new AbortController();
  #ignored = 0;

  private constructor(socket: Socket, { gateway, port = PMP_PORT }: DatagramOptions) {
    this.#socket = socket;
    this.#gateway = gateway;
    this.#port = port;
    // What the network says about a datagram that was lost is no more than silence: it is repeated.
    socket.on('error', () => undefined);
    // Any number of questions may wait at the same time.
    setMaxListeners(0, this.#closed.signal);
    socket.on('message', (bytes, from) => this.#receive(bytes, from));
  }

  /** @throws TIMEOUT where the card is gone */
  static async open(options: DatagramOptions): Promise<Datagrams> {
    const socket = createSocket(isIPv6(options.gateway) ? 'udp6' : 'udp4');
    try {
      socket.bind({ address: options.own, port: 0, exclusive: true });
      await once(socket, 'listening');
    } catch (cause) {
      socket.close();
      throw new ClchatError('TIMEOUT', `Nothing can be sent from ${options.own}.`, { cause });
    }
    return new Datagrams(socket, options);
  }

  /** Datagrams that were no answer to anything. */
  get ignored(): number {
    return this.#ignored;
  }

  /**
   * Asks until there is an answer or `signal` aborts, and then fails with its reason.
   * @param read makes something of an answer; undefined for one to another question. What it throws
   *   fails the question
   * @throws CLOSED
   */
  ask<T>(
    question: Uint8Array,
    read: (answer: Uint8Array) => T | undefined,
    signal: AbortSignal,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const closed = this.#closed.signal;
      const end = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(take);
        signal.removeEventListener('abort', abort);
        closed.removeEventListener('abort', abort);
      };
      const fail = (error: Error): void => {
        end();
        reject(error);
      };
      const abort = (): void => fail((closed.aborted ? closed : signal).reason as Error);
      const take = (answer: Uint8Array): boolean => {
        try {
          const value = read(answer);
          if (value === undefined) return false;
          end();
          resolve(value);
        } catch (error) {
          fail(error as Error);
        }
        return true;
      };
      const send = (delay: number): void => {
        timer = setTimeout(() => send(2 * delay), delay);
        this.#socket.send(question, this.#port, this.#gateway, () => undefined);
      };
      if (signal.aborted || closed.aborted) return abort();
      signal.addEventListener('abort', abort, { once: true });
      closed.addEventListener('abort', abort, { once: true });
      this.#waiting.add(take);
      send(REPEAT_MS);
    });
  }

  /** Fails what is still being asked with CLOSED. */
  close(): void {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort(new ClchatError('CLOSED'));
    this.#socket.close();
  }

  #receive(bytes: Uint8Array, { address, port }: RemoteInfo): void {
    if (address === this.#gateway && port === this.#port && bytes.length <= MAX_BYTES)
      for (const take of this.#waiting) if (take(bytes)) return;
    this.#ignored++;
  }
}

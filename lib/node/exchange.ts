/**
 * Requests, replies and notices over one channel. Every message is bounded by the channel, decoded,
 * and validated by its schema before anything else looks at it; every request has a deadline; what
 * goes wrong in a handler becomes an answer or the end of the channel, never an exception elsewhere.
 *
 * Messages are CBOR arrays, their first number says which:
 *   [0, id, method, payload]   request
 *   [1, id, payload]           reply
 *   [2, id, code, text]        refusal
 *   [3, name, payload]         notice
 */
import * as v from 'valibot';
import type { PublicKey } from '../crdt/keys.ts';
import { decode, encode } from '../crdt/codec.ts';
import { ClchatError, codeOf, isErrorCode, textOf } from '../errors.ts';
import { MAX_FRAME, type Channel } from './channel.ts';

/** A protocol: the schemas of its requests and replies, and of the notices of either side. */
export interface Protocol {
  readonly name: string;
  readonly methods: Readonly<
    Record<string, { readonly request: v.GenericSchema; readonly reply: v.GenericSchema }>
  >;
  readonly notices: Readonly<Record<string, v.GenericSchema>>;
}

type MethodName<P extends Protocol> = keyof P['methods'] & string;
type NoticeName<P extends Protocol> = keyof P['notices'] & string;
export type Request<P extends Protocol, M extends MethodName<P>> = v.InferOutput<
  P['methods'][M]['request']
>;
export type Reply<P extends Protocol, M extends MethodName<P>> = v.InferOutput<
  P['methods'][M]['reply']
>;
export type Notice<P extends Protocol, N extends NoticeName<P>> = v.InferOutput<P['notices'][N]>;

export interface Handlers<P extends Protocol> {
  /** Served methods. What a handler throws goes back as its code; INTERNAL tells no text. */
  readonly methods: {
    readonly [M in MethodName<P>]?: (request: Request<P, M>) => Promise<Reply<P, M>> | Reply<P, M>;
  };
  readonly notices: {
    readonly [N in NoticeName<P>]?: (notice: Notice<P, N>) => void | Promise<void>;
  };
  /** A fault of ours, for the log. */
  readonly onFault?: (error: unknown) => void;
  /** Shared by several exchanges where one of its own would bound nothing. */
  readonly budget?: ServingBudget;
}

/** How long a request may take unless the caller says otherwise, in milliseconds. */
export const DEADLINE_MS = 15_000;
/** Requests of the other side under way at once. */
const MAX_SERVING = 512;
/** Bytes of requests of the other side under way at once, and one request more. */
const SERVING_BYTES = 4 << 20;
/** Requests of ours under way at once. */
const MAX_CALLS = 4_096;
/** Text of an error as told to the other side. */
const MAX_TEXT = 300;

interface Call {
  readonly method: string;
  readonly resolve: (payload: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * Bounds the bytes of requests that are being served, each of which keeps its frame: beyond, no more
 * is read. Who shares one gains nothing by opening more channels.
 */
export class ServingBudget {
  readonly #limit: number;
  #bytes = 0;
  #waiting: { readonly below: number; readonly resolve: () => void }[] = [];

  constructor(limit = SERVING_BYTES) {
    this.#limit = limit;
  }

  /** Bytes of the requests that are being served. */
  get bytes(): number {
    return this.#bytes;
  }

  hold(bytes: number): void {
    this.#bytes += bytes;
  }

  release(bytes: number): void {
    this.#bytes -= bytes;
    const ready = this.#waiting.filter(({ below }) => this.#bytes < below);
    if (ready.length === 0) return;
    this.#waiting = this.#waiting.filter(({ below }) => this.#bytes >= below);
    for (const { resolve } of ready) resolve();
  }

  /** Resolves when more may be read; undefined where it may at once. */
  room(): Promise<void> | undefined {
    return this.#bytes < this.#limit ? undefined : this.#below(this.#limit);
  }

  /** Resolves when nothing is being served. */
  async idle(): Promise<void> {
    if (this.#bytes > 0) await this.#below(1);
  }

  #below(below: number): Promise<void> {
    return new Promise((resolve) => this.#waiting.push({ below, resolve }));
  }
}

export class Exchange<P extends Protocol> {
  readonly channel: Channel;
  readonly #protocol: P;
  readonly #handlers: Handlers<P>;
  readonly #budget: ServingBudget;
  readonly #calls = new Map<number, Call>();
  readonly #onEnd: ((error: Error | undefined) => void)[] = [];
  #lastId = 0;
  #serving = 0;
  #ended: { error: Error | undefined } | undefined;

  constructor(channel: Channel, protocol: P, handlers: Handlers<P>) {
    this.channel = channel;
    this.#protocol = protocol;
    this.#handlers = handlers;
    this.#budget = handlers.budget ?? new ServingBudget();
    channel.onFrame((frame) => this.#take(frame));
    channel.onEnd((error) => this.#end(error));
  }

  get remote(): PublicKey {
    return this.channel.remote;
  }

  get ended(): boolean {
    return this.#ended !== undefined;
  }

  onEnd(handler: (error: Error | undefined) => void): void {
    if (this.#ended === undefined) this.#onEnd.push(handler);
    else handler(this.#ended.error);
  }

  /**
   * Asks the other side.
   * @throws the code the other side refused with; TIMEOUT; CLOSED; BAD_MESSAGE (a reply that does
   *   not fit); RATE_LIMITED (too many requests under way here)
   */
  call<M extends MethodName<P>>(
    method: M,
    request: Request<P, M>,
    deadline = DEADLINE_MS,
  ): Promise<Reply<P, M>> {
    if (this.#ended !== undefined) return Promise.reject(new ClchatError('CLOSED'));
    if (this.#calls.size >= MAX_CALLS) return Promise.reject(new ClchatError('RATE_LIMITED'));
    const id = ++this.#lastId;
    return new Promise<unknown>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#calls.delete(id);
        reject(new ClchatError('TIMEOUT'));
      }, deadline);
      this.#calls.set(id, { method, resolve, reject, timer });
      this.#send([0, id, method, request]);
    });
  }

  notify<N extends NoticeName<P>>(name: N, notice: Notice<P, N>): void {
    this.#send([3, name, notice]);
  }

  /** Sends a notice encoded once for many. */
  notifyEncoded(frame: Uint8Array): void {
    if (this.#ended === undefined) this.channel.send(frame);
  }

  #send(message: unknown): void {
    if (this.#ended === undefined) this.channel.send(encode(message));
  }

  async #take(frame: Uint8Array): Promise<void> {
    try {
      const message = decode(frame, { maxBytes: MAX_FRAME, views: true });
      if (!Array.isArray(message)) throw new ClchatError('BAD_MESSAGE');
      await this.#dispatch(message as unknown[], frame.length);
    } catch (error) {
      if (error instanceof ClchatError) return this.channel.abort(error);
      this.#handlers.onFault?.(error);
      this.channel.abort(new ClchatError('INTERNAL'));
    }
  }

  #dispatch(message: unknown[], size: number): void | Promise<void> {
    const [type, first, second, third] = message;
    switch (type) {
      case 0:
        if (typeof first !== 'number' || typeof second !== 'string' || message.length !== 4) break;
        this.#serve(first, second, third, size);
        return this.#budget.room();
      case 1:
        if (typeof first !== 'number' || message.length !== 3) break;
        this.#settle(first, (call) => {
          const schema = this.#protocol.methods[call.method]!.reply;
          const result = v.safeParse(schema, second, { abortEarly: true });
          if (result.success) call.resolve(result.output);
          else call.reject(new ClchatError('BAD_MESSAGE'));
        });
        return;
      case 2: {
        if (typeof first !== 'number' || typeof third !== 'string') break;
        const code = isErrorCode(second) ? second : 'INTERNAL';
        const text = third.slice(0, MAX_TEXT);
        this.#settle(first, (call) => call.reject(new ClchatError(code, text || undefined)));
        return;
      }
      case 3:
        if (typeof first !== 'string' || message.length !== 3) break;
        return this.#noticed(first, second);
      default:
    }
    throw new ClchatError('BAD_MESSAGE');
  }

  #settle(id: number, how: (call: Call) => void): void {
    const call = this.#calls.get(id);
    // An answer that came after its deadline.
    if (call === undefined) return;
    this.#calls.delete(id);
    clearTimeout(call.timer);
    how(call);
  }

  #serve(id: number, method: string, payload: unknown, size: number): void {
    const refuse = (error: unknown): void => {
      const code = codeOf(error);
      // What went wrong inside is nobody's business outside.
      const text =
        error instanceof ClchatError && code !== 'INTERNAL' ? error.message : textOf(code);
      this.#send([2, id, code, text.slice(0, MAX_TEXT)]);
    };
    const handler = Object.hasOwn(this.#handlers.methods, method)
      ? (this.#handlers.methods[method as MethodName<P>] as (p: unknown) => unknown)
      : undefined;
    if (handler === undefined) return refuse(new ClchatError('NOT_SUPPORTED'));
    if (this.#serving >= MAX_SERVING) return refuse(new ClchatError('RATE_LIMITED'));
    const request = v.safeParse(this.#protocol.methods[method]!.request, payload, {
      abortEarly: true,
    });
    if (!request.success) return refuse(new ClchatError('BAD_MESSAGE'));
    this.#serving++;
    this.#budget.hold(size);
    const run = async (): Promise<void> => {
      try {
        this.#send([1, id, await handler(request.output)]);
      } catch (error) {
        if (codeOf(error) === 'INTERNAL') this.#handlers.onFault?.(error);
        refuse(error);
      } finally {
        this.#serving--;
        this.#budget.release(size);
      }
    };
    void run();
  }

  #noticed(name: string, payload: unknown): void | Promise<void> {
    const handler = Object.hasOwn(this.#handlers.notices, name)
      ? (this.#handlers.notices[name as NoticeName<P>] as (p: unknown) => void | Promise<void>)
      : undefined;
    // A notice from a later version says nothing to us.
    if (handler === undefined) return;
    const notice = v.safeParse(this.#protocol.notices[name]!, payload, { abortEarly: true });
    if (!notice.success) throw new ClchatError('BAD_MESSAGE');
    return handler(notice.output);
  }

  #end(error: Error | undefined): void {
    if (this.#ended !== undefined) return;
    this.#ended = { error };
    for (const call of this.#calls.values()) {
      clearTimeout(call.timer);
      call.reject(new ClchatError('CLOSED', undefined, { cause: error }));
    }
    this.#calls.clear();
    for (const handler of this.#onEnd) handler(error);
  }

  close(): Promise<void> {
    return this.channel.close();
  }

  abort(error: Error): void {
    this.channel.abort(error);
  }
}

/** A notice as bytes, to be sent to many. */
export function encodeNotice<P extends Protocol, N extends NoticeName<P>>(
  _protocol: P,
  name: N,
  notice: Notice<P, N>,
): Uint8Array {
  return encode([3, name, notice]);
}

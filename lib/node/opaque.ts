/**
 * Passwords by OPAQUE (RFC 9807): the server never sees one, and what it keeps is of no use without
 * guessing. Runs in a helper process that ends when nobody needs it.
 *
 * A record is bound to the identifier handed in as `user`, and to the server's peer key.
 */
import { fork, type ChildProcess } from 'node:child_process';
import * as v from 'valibot';
import type { PublicKey } from '../crdt/keys.ts';
import { ClchatError } from '../errors.ts';
import { byteLength } from '../text.ts';
import { childEntry } from '../child-entry.ts';
import type { OpaqueArgs, OpaqueMethod, OpaqueReply } from './opaque-calls.ts';

/** How long the child stays without work, in milliseconds. */
const IDLE_MS = 10_000;
/** How long one call may take, waiting for others included. */
const CALL_MS = 30_000;
/** Calls under way at once. */
const MAX_CALLS = 1_000;
const MAX_MESSAGE = 2_048;
const MAX_PASSWORD = 1_024;
const MAX_USER = 256;

/** The side that knows the password. All may throw TIMEOUT, RATE_LIMITED, CLOSED, INTERNAL. */
export interface OpaqueClient {
  /** @throws TOO_LARGE beyond 1 KiB of password */
  registerStart(call: { password: string }): Promise<{ request: Uint8Array; state: Uint8Array }>;
  /**
   * @returns the record for the server; a key of 64 bytes that this password always yields here;
   *   the server's OPAQUE key
   * @throws BAD_MESSAGE when the server's answer is malformed
   */
  registerFinish(call: {
    password: string;
    state: Uint8Array;
    response: Uint8Array;
    server: PublicKey;
  }): Promise<{ record: Uint8Array; exportKey: Uint8Array; serverKey: Uint8Array }>;
  loginStart(call: { password: string }): Promise<{ request: Uint8Array; state: Uint8Array }>;
  /**
   * @returns undefined when the password is wrong, or the server is another
   * @throws BAD_MESSAGE when the server's answer is malformed
   */
  loginFinish(call: {
    password: string;
    state: Uint8Array;
    response: Uint8Array;
    server: PublicKey;
  }): Promise<{ finish: Uint8Array; exportKey: Uint8Array; sessionKey: Uint8Array } | undefined>;
}

/** The side that keeps the records. All may throw TIMEOUT, RATE_LIMITED, CLOSED, INTERNAL. */
export interface OpaqueServer {
  /** @throws BAD_MESSAGE */
  registerResponse(call: { user: string; request: Uint8Array }): Promise<Uint8Array>;
  /**
   * @param call.record undefined where there is none: the answer does not show it
   * @throws BAD_MESSAGE
   */
  loginResponse(call: {
    user: string;
    record: Uint8Array | undefined;
    request: Uint8Array;
  }): Promise<{ response: Uint8Array; state: Uint8Array }>;
  /** @returns the session's key when the client has proved the password, else undefined */
  loginVerify(call: { state: Uint8Array; finish: Uint8Array }): Promise<Uint8Array | undefined>;
}

/** Timings, for tests; milliseconds. */
export interface OpaqueOptions {
  readonly idleMs?: number;
  readonly callMs?: number;
}

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: ClchatError) => void;
  readonly timer: NodeJS.Timeout;
}

/** The helper process and both sides of OPAQUE. Costs nothing until it is used. */
export class Opaque implements OpaqueClient {
  readonly #idleMs: number;
  readonly #callMs: number;
  readonly #pending = new Map<number, Pending>();
  #child: ChildProcess | undefined;
  #idle: NodeJS.Timeout | undefined;
  #lastId = 0;
  #closed = false;

  constructor({ idleMs = IDLE_MS, callMs = CALL_MS }: OpaqueOptions = {}) {
    this.#idleMs = idleMs;
    this.#callMs = callMs;
  }

  /** Of the helper process, while there is one. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts the helper process ahead of its first use. */
  warm(): void {
    if (!this.#closed) this.#rest(this.#start());
  }

  async registerStart({ password }: { password: string }) {
    return this.#call(started, 'registerStart', { password: checkPassword(password) });
  }

  async registerFinish(call: Parameters<OpaqueClient['registerFinish']>[0]) {
    return this.#call(registered, 'registerFinish', finishArgs(call));
  }

  async loginStart({ password }: { password: string }) {
    return this.#call(started, 'loginStart', { password: checkPassword(password) });
  }

  async loginFinish(call: Parameters<OpaqueClient['loginFinish']>[0]) {
    return (await this.#call(v.nullable(proof), 'loginFinish', finishArgs(call))) ?? undefined;
  }

  /** A server's own OPAQUE keys: secret, made once; all records depend on them. */
  async createSetup(): Promise<Uint8Array> {
    return (await this.#call(v.object({ setup: bytes }), 'createSetup', {})).setup;
  }

  /** The server's side, for the peer with the public key `key`. */
  server(options: { setup: Uint8Array; key: PublicKey }): OpaqueServer {
    const setup = toText(options.setup);
    const server = options.key;
    return {
      registerResponse: async ({ user, request }) => {
        const args = { setup, user: checkUser(user), request: toText(request) };
        return (await this.#call(v.object({ response: bytes }), 'registerResponse', args)).response;
      },
      loginResponse: async ({ user, record, request }) =>
        this.#call(v.object({ response: bytes, state: bytes }), 'loginResponse', {
          setup,
          server,
          user: checkUser(user),
          record: record === undefined ? null : toText(record),
          request: toText(request),
        }),
      loginVerify: async ({ state, finish }) => {
        try {
          const args = { server, state: toText(state), finish: toText(finish) };
          return (await this.#call(v.object({ sessionKey: bytes }), 'loginVerify', args))
            .sessionKey;
        } catch (error) {
          // The library says the same of a wrong proof and of one that is none.
          if (error instanceof ClchatError && error.code === 'BAD_MESSAGE') return undefined;
          throw error;
        }
      },
    };
  }

  /** Ends the helper process; what is under way fails with CLOSED. */
  close(): void {
    this.#closed = true;
    this.#end(new ClchatError('CLOSED'));
  }

  async #call<Schema extends v.GenericSchema, M extends OpaqueMethod>(
    schema: Schema,
    method: M,
    args: OpaqueArgs<M>,
  ): Promise<v.InferOutput<Schema>> {
    if (this.#closed) throw new ClchatError('CLOSED');
    if (this.#pending.size >= MAX_CALLS) throw new ClchatError('RATE_LIMITED');
    const child = this.#start();
    const id = (this.#lastId += 1);
    const result = await new Promise<unknown>((resolve, reject) => {
      const timer = setTimeout(() => this.#end(new ClchatError('TIMEOUT')), this.#callMs);
      this.#pending.set(id, { resolve, reject, timer });
      // Holds this process only while somebody waits.
      child.channel?.ref();
      clearTimeout(this.#idle);
      child.send({ id, method, args }, (error) => {
        if (error !== null) this.#lost(child);
      });
    });
    return v.parse(schema, result);
  }

  #start(): ChildProcess {
    if (this.#child !== undefined) return this.#child;
    const { path, execArgv } = childEntry('node/opaque-child');
    const child = fork(path, [], {
      execArgv,
      // Nothing of this process's environment: there may be a password in it.
      env: pick(process.env, ['SystemRoot', 'NODE_V8_COVERAGE']),
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    child.unref();
    child.channel?.unref();
    child.on('message', (reply: OpaqueReply) => this.#onReply(child, reply));
    child.on('error', () => this.#lost(child));
    child.on('exit', () => this.#lost(child));
    this.#child = child;
    return child;
  }

  #onReply(child: ChildProcess, reply: OpaqueReply): void {
    const pending = this.#pending.get(reply.id);
    if (pending === undefined) return;
    this.#pending.delete(reply.id);
    clearTimeout(pending.timer);
    if ('result' in reply) pending.resolve(reply.result);
    else pending.reject(new ClchatError(reply.failed === 'malformed' ? 'BAD_MESSAGE' : 'INTERNAL'));
    if (this.#pending.size === 0) this.#rest(child);
  }

  /** Nobody waits: the child ends soon, unless somebody does again. */
  #rest(child: ChildProcess): void {
    child.channel?.unref();
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.#end(new ClchatError('CLOSED')), this.#idleMs);
    this.#idle.unref();
  }

  /** The child has ended by itself, or was killed. */
  #lost(child: ChildProcess): void {
    if (this.#child === child)
      this.#end(new ClchatError('INTERNAL', 'The helper process for passwords has ended.'));
  }

  #end(error: ClchatError): void {
    const child = this.#child;
    this.#child = undefined;
    clearTimeout(this.#idle);
    // A child that is at work, or stuck, does not see that its channel has ended.
    if (this.#pending.size > 0) child?.kill('SIGKILL');
    else if (child?.connected === true) child.disconnect();
    for (const { reject, timer } of this.#pending.values()) {
      clearTimeout(timer);
      reject(error);
    }
    this.#pending.clear();
  }
}

/** Base64url of the helper process, as bytes. */
const bytes = v.pipe(
  v.string(),
  v.transform((text) => Uint8Array.from(Buffer.from(text, 'base64url'))),
);
const started = v.object({ request: bytes, state: bytes });
const registered = v.object({ record: bytes, exportKey: bytes, serverKey: bytes });
const proof = v.object({ finish: bytes, exportKey: bytes, sessionKey: bytes });

function finishArgs(call: Parameters<OpaqueClient['loginFinish']>[0]) {
  const { password, state, response, server } = call;
  return {
    password: checkPassword(password),
    state: toText(state),
    response: toText(response),
    server,
  };
}

/** @throws BAD_MESSAGE when it is longer than any message of OPAQUE */
function toText(message: Uint8Array): string {
  if (message.length > MAX_MESSAGE) throw new ClchatError('BAD_MESSAGE');
  return Buffer.from(message).toString('base64url');
}

/** Composed, so that the same letters typed elsewhere are the same password. */
function checkPassword(password: string): string {
  const composed = password.normalize('NFC');
  if (byteLength(composed) > MAX_PASSWORD)
    throw new ClchatError('TOO_LARGE', `A password may have up to ${MAX_PASSWORD} bytes.`);
  return composed;
}

function checkUser(user: string): string {
  if (user.length > MAX_USER) throw new ClchatError('BAD_MESSAGE');
  return user;
}

function pick(from: NodeJS.ProcessEnv, names: readonly string[]): NodeJS.ProcessEnv {
  return Object.fromEntries(names.flatMap((name) => (name in from ? [[name, from[name]]] : [])));
}

/**
 * Verifies signatures by the hundred on a thread of its own. One by one over node's pool of threads
 * each of them costs this thread half of what it takes to verify it here.
 */
import { Worker } from 'node:worker_threads';
import { concat } from '../crdt/bytes.ts';
import { verifyApart, type PublicKey, type Signed } from '../crdt/keys.ts';
import { childEntry } from './child-entry.ts';

/** How many at least it takes at a time: fewer go over node's pool. */
const MANY = 64;
/** How many have to be under way for it to be started: that costs as much as verifying a thousand. */
const START_AT = 1_500;
/** How long an idle thread is kept, in milliseconds. */
const IDLE_MS = 10_000;

/** To the thread. */
export interface VerifierCall {
  readonly id: number;
  /** Key, tag, and lengths of what is signed and of its signature. */
  readonly signed: readonly (readonly [PublicKey, string, number, number])[];
  /** What is signed and its signature, one after the other. */
  readonly bytes: Uint8Array;
}

/** From the thread. */
export interface VerifierReply {
  readonly id: number;
  readonly isValid: boolean;
}

interface Pending {
  readonly signed: readonly Signed[];
  readonly resolve: (isValid: boolean | Promise<boolean>) => void;
}

export class Verifier {
  readonly #idleMs: number;
  readonly #startAt: number;
  readonly #pending = new Map<number, Pending>();
  #thread: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;
  #lastId = 0;
  /** Signatures under way. */
  #underWay = 0;

  constructor(options: { idleMs?: number; startAt?: number } = {}) {
    this.#idleMs = options.idleMs ?? IDLE_MS;
    this.#startAt = options.startAt ?? START_AT;
  }

  /** Whether all of them are valid. Never rejects. */
  readonly verifyAll = async (signed: readonly Signed[]): Promise<boolean> => {
    this.#underWay += signed.length;
    try {
      const isMuch = this.#thread !== undefined || this.#underWay >= this.#startAt;
      return await (signed.length >= MANY && isMuch ? this.#apart(signed) : verifyEach(signed));
    } finally {
      this.#underWay -= signed.length;
    }
  };

  #apart(signed: readonly Signed[]): Promise<boolean> {
    const id = (this.#lastId += 1);
    return new Promise((resolve) => {
      this.#pending.set(id, { signed, resolve });
      clearTimeout(this.#idle);
      const call: VerifierCall = {
        id,
        signed: signed.map(([key, tag, { length }, signature]) => [
          key,
          tag,
          length,
          signature.length,
        ]),
        bytes: concat(...signed.flatMap(([, , bytes, signature]) => [bytes, signature])),
      };
      this.#start().postMessage(call, [call.bytes.buffer as ArrayBuffer]);
    });
  }

  #start(): Worker {
    if (this.#thread !== undefined) return this.#thread;
    const { path, execArgv } = childEntry('verifier-thread');
    const thread = new Worker(path, { execArgv });
    // What waits for its answer waits for the network as well, which holds the process.
    thread.unref();
    thread.on('message', ({ id, isValid }: VerifierReply) => {
      this.#pending.get(id)?.resolve(isValid);
      this.#pending.delete(id);
      if (this.#pending.size === 0) this.#rest();
    });
    thread.on('error', () => this.#lost(thread));
    thread.on('exit', () => this.#lost(thread));
    this.#thread = thread;
    return thread;
  }

  #rest(): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.close(), this.#idleMs);
    this.#idle.unref();
  }

  /** What it had before it goes another way. */
  #lost(thread: Worker): void {
    if (this.#thread !== thread) return;
    this.#thread = undefined;
    for (const { signed, resolve } of this.#pending.values()) resolve(verifyEach(signed));
    this.#pending.clear();
  }

  /** Ends the thread; it is started again when it is needed. */
  close(): void {
    clearTimeout(this.#idle);
    const thread = this.#thread;
    if (thread === undefined) return;
    this.#lost(thread);
    void thread.terminate();
  }
}

async function verifyEach(signed: readonly Signed[]): Promise<boolean> {
  const verdicts = await Promise.all(signed.map((one) => verifyApart(...one)));
  return verdicts.every(Boolean);
}

/**
 * Verifies signatures: a few where they are asked about, many on a thread of their own. One by one over
 * node's pool of threads each costs this thread half of what it takes to verify it here, and all
 * threads together half as much again.
 */
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { concat } from '../crdt/bytes.ts';
import { verify, type PublicKey, type Signed } from '../crdt/keys.ts';
import { childEntry } from '../child-entry.ts';
import { quickVerify } from './signatures.ts';

/** Fewer than this are verified at once, unless others are under way: it takes some 10 ms. */
const FEW = 200;
/** How many are verified here before others have their turn. */
const PORTION = 50;
/** After how many the quicker way to verify them is worth its start. */
const QUICK_AFTER = 200;
/** How many at least it takes at a time. */
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
  #verified = 0;

  constructor(options: { idleMs?: number; startAt?: number } = {}) {
    this.#idleMs = options.idleMs ?? IDLE_MS;
    this.#startAt = options.startAt ?? START_AT;
  }

  /** Whether all of them are valid. Never rejects. */
  readonly verifyAll = async (signed: readonly Signed[]): Promise<boolean> => {
    if (signed.length < FEW && this.#underWay === 0) return this.#verify(signed);
    this.#underWay += signed.length;
    try {
      const isMuch = this.#thread !== undefined || this.#underWay >= this.#startAt;
      return await (signed.length >= MANY && isMuch ? this.#apart(signed) : this.#here(signed));
    } finally {
      this.#underWay -= signed.length;
    }
  };

  #verify(signed: readonly Signed[]): boolean {
    this.#verified += signed.length;
    const valid = this.#verified < QUICK_AFTER ? verify : quickVerify();
    return signed.every((one) => valid(...one));
  }

  async #here(signed: readonly Signed[]): Promise<boolean> {
    for (let at = 0; at < signed.length; at += PORTION) {
      if (!this.#verify(signed.slice(at, at + PORTION))) return false;
      await setImmediate();
    }
    return true;
  }

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
    const { path, execArgv } = childEntry('node/verifier-thread');
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
    for (const { signed, resolve } of this.#pending.values()) resolve(this.#here(signed));
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

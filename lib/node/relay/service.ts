/**
 * Serves as a relay: peers that nobody can reach keep a channel open to it, their reservation, and
 * those who want to reach one are joined to it by a circuit. What goes through a circuit is sealed
 * from one peer to the other; here it is only counted.
 */
import type * as v from 'valibot';
import { encode } from '../../crdt/codec.ts';
import type { PublicKey } from '../../crdt/keys.ts';
import { ClchatError, codeOf, type ErrorCode } from '../../errors.ts';
import { systemClock, type Clock } from '../../lifecycle.ts';
import type { Channel } from '../channel.ts';
import { TokenBuckets } from '../../token-bucket.ts';
import { read, relayRequest, type RelayAnswer } from './wire.ts';

/** What somebody may have of a relay. */
export interface Allowance {
  /** Those of one account share what follows. */
  readonly account: string;
  /** Peers that may be reached through it at once. */
  readonly reservations: number;
  /** Circuits that they may have asked for at once. */
  readonly circuits: number;
  /** That one circuit may carry, both ways together. */
  readonly bytes: number;
  /** That one circuit may last. */
  readonly seconds: number;
}

export const DEFAULT_ALLOWANCE: Omit<Allowance, 'account'> = {
  reservations: 4,
  circuits: 16,
  bytes: 8 * 2 ** 30,
  seconds: 24 * 3_600,
};

export interface RelayOptions {
  /**
   * What a peer may have; undefined: nothing, nor what it had before. When left out each key counts as
   * an account.
   */
  readonly admit?: (key: PublicKey) => Allowance | undefined;
  /** Reservations and circuits of all together. */
  readonly most?: number;
  /** How long one who is asked for may take, in milliseconds. */
  readonly acceptMs?: number;
  /** A circuit through which nothing comes for so long is over, in milliseconds. */
  readonly idleMs?: number;
  /** Its monotonic time is used. */
  readonly clock?: Clock;
}

const MOST = 4_096;
const ACCEPT_MS = 5_000;
/** Both ends of a living circuit ping each other far more often. */
const IDLE_MS = 60_000;
const SWEEP_MS = 5_000;
/** Requests of one account at once, and then a second. */
const BURST = 32;
const PER_SECOND = 2;
/** Bytes that may wait for a slow end before the other one waits, too. */
const CONGESTED = 256 * 1024;

/** A channel, and who takes its frames at the moment. */
interface Party {
  readonly channel: Channel;
  take: (frame: Uint8Array) => void | Promise<void>;
}

interface Reserved {
  readonly channel: Channel;
  readonly account: string;
}

/** A circuit, from when it is asked for. */
interface Circuit {
  readonly id: number;
  readonly asker: Party;
  readonly target: PublicKey;
  readonly allowance: Allowance;
  /** The channel that the target took it with. */
  other?: Channel;
  /** Bytes that it may still carry. */
  left: number;
  /** Monotonic milliseconds. */
  since: number;
  heard: number;
}

export class RelayService {
  readonly #admit: (key: PublicKey) => Allowance | undefined;
  readonly #most: number;
  readonly #acceptMs: number;
  readonly #idleMs: number;
  readonly #clock: Clock;
  readonly #rate: TokenBuckets<string>;
  readonly #reserved = new Map<PublicKey, Reserved>();
  readonly #circuits = new Map<number, Circuit>();
  readonly #sweep: NodeJS.Timeout;
  #last = 0;

  constructor(options: RelayOptions = {}) {
    this.#admit = options.admit ?? ((account) => ({ account, ...DEFAULT_ALLOWANCE }));
    this.#most = options.most ?? MOST;
    this.#acceptMs = options.acceptMs ?? ACCEPT_MS;
    this.#idleMs = options.idleMs ?? IDLE_MS;
    this.#clock = options.clock ?? systemClock;
    this.#rate = new TokenBuckets(BURST, PER_SECOND, this.#clock);
    const period = Math.min(SWEEP_MS, this.#acceptMs / 4, this.#idleMs / 4);
    this.#sweep = setInterval(() => this.#endOverdue(), period);
    this.#sweep.unref();
  }

  /** Peers that can be reached through it. */
  get reservations(): number {
    return this.#reserved.size;
  }

  /** Circuits that there are or that were asked for. */
  get circuits(): number {
    return this.#circuits.size;
  }

  /** Serves a channel of `RELAY`. */
  serve(channel: Channel): void {
    const silent = setTimeout(() => channel.abort(new ClchatError('TIMEOUT')), this.#acceptMs);
    silent.unref();
    channel.onEnd(() => clearTimeout(silent));
    const party: Party = {
      channel,
      take: (frame) => {
        clearTimeout(silent);
        party.take = saysNothing;
        try {
          this.#answer(party, read(relayRequest, frame));
        } catch (error) {
          say(channel, { type: 'refused', code: codeOf(error) });
          void channel.close();
        }
      },
    };
    channel.onFrame((frame) => party.take(frame));
  }

  /** Ends all that goes through it. */
  stop(): void {
    clearInterval(this.#sweep);
    for (const circuit of this.#circuits.values()) this.#cut(circuit, 'CLOSED');
    for (const { channel } of this.#reserved.values()) channel.abort(new ClchatError('CLOSED'));
    this.#reserved.clear();
  }

  #answer(party: Party, request: v.InferOutput<typeof relayRequest>): void {
    if (request.type === 'accept') return this.#accept(party, request.circuit);
    const { remote } = party.channel;
    const allowance = this.#admit(remote);
    if (allowance === undefined) throw new ClchatError('DENIED');
    if (!this.#rate.take(allowance.account)) throw new ClchatError('RATE_LIMITED');
    if (request.type === 'reserve') this.#reserve(party.channel, allowance);
    else this.#connect(party, request.key, allowance);
  }

  /** A peer has one reservation; another takes its place, for the first may be of a dead connection. */
  #reserve(channel: Channel, allowance: Allowance): void {
    const { remote } = channel;
    const { account, reservations, bytes, seconds } = allowance;
    const before = this.#reserved.get(remote);
    let held = 0;
    for (const [key, other] of this.#reserved)
      if (key !== remote && other.account === account) held++;
    if (held >= reservations || (before === undefined && this.#reserved.size >= this.#most))
      throw new ClchatError('RATE_LIMITED');
    this.#reserved.set(remote, { channel, account });
    before?.channel.abort(new ClchatError('CLOSED', 'reserved once more'));
    channel.onEnd(() => {
      if (this.#reserved.get(remote)?.channel === channel) this.#reserved.delete(remote);
    });
    say(channel, { type: 'reserved', bytes, seconds });
  }

  #connect(asker: Party, target: PublicKey, allowance: Allowance): void {
    const { channel } = asker;
    if (target === channel.remote) throw new ClchatError('SELF');
    const reserved = this.#reserved.get(target);
    if (reserved === undefined) throw new ClchatError('OFFLINE');
    let held = 0;
    for (const circuit of this.#circuits.values())
      if (circuit.allowance.account === allowance.account) held++;
    if (held >= allowance.circuits || this.#circuits.size >= this.#most)
      throw new ClchatError('RATE_LIMITED');
    const now = this.#clock.monotonic();
    const id = ++this.#last;
    const left = allowance.bytes;
    this.#circuits.set(id, { id, asker, target, allowance, left, since: now, heard: now });
    channel.onEnd((error) => this.#endWith(id, error));
    say(reserved.channel, { type: 'circuit', circuit: id, from: channel.remote });
  }

  #accept(party: Party, id: number): void {
    const circuit = this.#circuits.get(id);
    const { channel } = party;
    if (circuit?.target !== channel.remote || circuit.other !== undefined)
      throw new ClchatError('OFFLINE');
    const { asker, allowance } = circuit;
    circuit.other = channel;
    circuit.since = circuit.heard = this.#clock.monotonic();
    asker.take = (frame) => this.#carry(circuit, frame, channel);
    party.take = (frame) => this.#carry(circuit, frame, asker.channel);
    channel.onEnd((error) => this.#endWith(id, error));
    const { bytes, seconds } = allowance;
    say(asker.channel, { type: 'open', bytes, seconds });
  }

  #carry(circuit: Circuit, frame: Uint8Array, to: Channel): void | Promise<void> {
    circuit.heard = this.#clock.monotonic();
    circuit.left -= frame.length;
    if (circuit.left < 0) return this.#cut(circuit, 'RATE_LIMITED');
    to.send(frame);
    return to.queued > CONGESTED ? to.drained() : undefined;
  }

  /** One end is over; what it had sent still reaches the other. */
  #endWith(id: number, error: Error | undefined): void {
    const circuit = this.#circuits.get(id);
    if (circuit === undefined) return;
    if (error !== undefined) return this.#cut(circuit, 'CLOSED');
    this.#circuits.delete(id);
    void circuit.asker.channel.close();
    void circuit.other?.close();
  }

  #cut(circuit: Circuit, code: ErrorCode): void {
    this.#circuits.delete(circuit.id);
    const error = new ClchatError(code);
    circuit.asker.channel.abort(error);
    circuit.other?.abort(error);
  }

  #endOverdue(): void {
    const now = this.#clock.monotonic();
    for (const [key, { channel }] of this.#reserved)
      if (this.#admit(key) === undefined) channel.abort(new ClchatError('DENIED'));
    for (const circuit of this.#circuits.values()) {
      const { asker, other, since, heard, allowance } = circuit;
      if (this.#admit(asker.channel.remote) === undefined) this.#cut(circuit, 'DENIED');
      else if (other !== undefined) {
        if (now - since > allowance.seconds * 1_000) this.#cut(circuit, 'RATE_LIMITED');
        else if (now - heard > this.#idleMs) this.#cut(circuit, 'TIMEOUT');
      } else if (now - since > this.#acceptMs) {
        this.#circuits.delete(circuit.id);
        say(asker.channel, { type: 'refused', code: 'TIMEOUT' });
        void asker.channel.close();
      }
    }
  }
}

function saysNothing(): never {
  throw new ClchatError('BAD_MESSAGE', 'it is not its turn');
}

function say(channel: Channel, answer: RelayAnswer): void {
  channel.send(encode(answer));
}

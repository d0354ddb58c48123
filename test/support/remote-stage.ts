/** One side of a connection, whose helper process and other side are played by the test. */
import type { Card } from '../../lib/interfaces.ts';
import type { CallName, EngineCalls, Order } from '../../lib/media/engine/messages.ts';
import type { Signal, Wish } from '../../lib/media/negotiation.ts';
import { Remote, type RemoteState } from '../../lib/media/remote.ts';
import { TestClock } from './community.ts';

export const LIMITS = { sound: 40_000, all: 500_000 };
export const WAYS = { servers: [{ urls: 'stun:192.0.2.1:3478' }], mapped: [] };
const ETHERNET: Card = {
  name: 'eth0',
  address: '192.0.2.2',
  family: 4,
  prefix: 24,
  internal: false,
};
export const LOOPBACK: Card = { ...ETHERNET, name: 'lo', address: '127.0.0.1', internal: true };

export const candidateOf = (ip = '192.0.2.9', port = 50_000): string =>
  `candidate:1 1 udp 2122194687 ${ip} ${port} typ host`;

interface Call {
  readonly name: CallName;
  readonly args: object;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class RemoteStage {
  readonly remote: Remote;
  /** What the helper process was told, in words. */
  readonly told: string[] = [];
  /** What was said to the other side, in words. */
  readonly said: string[] = [];
  readonly states: RemoteState[] = [];
  readonly faults: unknown[] = [];
  readonly orders: Order[] = [];
  readonly calls: Call[] = [];
  readonly clock = new TestClock();
  hasMedia = true;
  hasLine = true;
  cards: readonly Card[] = [ETHERNET, LOOPBACK];
  /** One before the first attempt. */
  #base: number | undefined;
  #attempt = 0;

  constructor(makesOffers: boolean) {
    const media = {
      order: (order: Order): void => this.#order(order),
      call: <C extends CallName>(name: C, args: EngineCalls[C]['args']) =>
        this.#call(name, args) as Promise<EngineCalls[C]['result']>,
    };
    this.remote = new Remote({
      peer: 'bob',
      makesOffers,
      media: () => (this.hasMedia ? media : undefined),
      ways: () => WAYS,
      limits: () => LIMITS,
      send: (signal) => {
        if (this.hasLine) this.said.push(this.#inWords(signal));
      },
      isUp: () => this.hasLine,
      onState: (state) => void this.states.push(state),
      onFault: (error) => void this.faults.push(error),
      cards: () => this.cards,
      clock: this.clock,
    });
  }

  #order(order: Order): void {
    this.orders.push(order);
    if (order.order === 'open') {
      this.#base ??= order.attempt - 1;
      this.#attempt = order.attempt;
      this.told.push(`open ${this.nth(order.attempt)}`);
    } else this.told.push(order.order);
  }

  #call(name: CallName, args: object): Promise<unknown> {
    const isRestart = 'restart' in args && args.restart === true;
    this.told.push(isRestart ? `${name} by other ways` : name);
    return new Promise((resolve, reject) => this.calls.push({ name, args, resolve, reject }));
  }

  /** Which of the attempts of this test it is, from 1 on. */
  nth(attempt: number): number {
    return attempt - (this.#base ?? attempt);
  }

  /** The number of the present attempt. */
  get attempt(): number {
    return this.#attempt;
  }

  #inWords(signal: Signal): string {
    const how = signal.type === 'callme' ? ` ${signal.how}` : '';
    return `${signal.type} ${this.nth(signal.attempt)}${how}`;
  }

  /** Since it was last asked. */
  tellings(): string[] {
    return this.told.splice(0);
  }

  sayings(): string[] {
    return this.said.splice(0);
  }

  /** The helper process has done what it was last asked to. */
  async done(): Promise<void> {
    this.calls.pop()!.resolve({ sdp: 'own' });
    await Promise.resolve();
    await Promise.resolve();
  }

  async fails(error: Error): Promise<void> {
    this.calls.pop()!.reject(error);
    await Promise.resolve();
    await Promise.resolve();
  }

  hears(type: 'offer' | 'answer', attempt = this.#attempt): void {
    this.remote.take({ type, attempt, sdp: 'other' });
  }

  asked(how: Wish): void {
    this.remote.take({ type: 'callme', attempt: this.#attempt, how });
  }

  hearsOf(written: string, mid = '0', attempt = this.#attempt): void {
    this.remote.take({ type: 'candidate', attempt, candidate: written, mid });
  }

  finds(written: string, attempt = this.#attempt): void {
    this.remote.note({ event: 'candidate', peer: 'bob', attempt, candidate: written, mid: '0' });
  }

  becomes(state: RemoteState, attempt = this.#attempt): void {
    this.remote.note({ event: 'state', peer: 'bob', attempt, state });
  }

  /** Comes to an agreement. */
  async agree(): Promise<void> {
    this.remote.lineUp();
    if (this.calls.length === 0) this.hears('offer', 1_000);
    await this.done();
    if (this.calls.length === 0) this.hears('answer');
    if (this.calls.length > 0) await this.done();
  }

  async connect(): Promise<void> {
    await this.agree();
    this.becomes('connected');
    for (const list of [this.told, this.said, this.states, this.orders]) list.length = 0;
  }
}

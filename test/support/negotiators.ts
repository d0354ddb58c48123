/**
 * Two devices that agree on a connection: their machines, engines that do what the machines say when a
 * test lets them, and lines between them that a test breaks.
 */
import assert from 'node:assert/strict';
import {
  negotiate,
  newNegotiation,
  type Input,
  type Negotiation,
  type Output,
  type Signal,
} from '../../lib/media/negotiation.ts';

/** A description that has yet to be made, or taken. */
interface Task {
  readonly type: 'offer' | 'answer' | 'accept';
  /** Of the connection that it is about. */
  readonly attempt: number;
  /** What it is to answer. */
  readonly sdp: string;
}

/** One device. What goes wrong in what it is told to do, an assertion says. */
export class Negotiator {
  state: Negotiation;
  readonly #makesOffers: boolean;
  readonly #send: (signal: Signal) => void;
  /** What its engine has been told and has not done. */
  readonly tasks: Task[] = [];
  /** The attempt of the connection that its engine has; 0: none. */
  connection = 0;
  /** The offer that this side has made and no answer was taken for. */
  #outstanding: string | undefined;
  /** The last offer and answer on which the connection rests. */
  agreed: string | undefined;
  /** It has failed at something and will begin anew. */
  owesRenewal = false;
  /** By which the offers of one that has begun anew are told from those before. */
  readonly #name: string;
  /** The name of the other side, as its first offer had it. */
  #known: string | undefined;
  /** Its connection has failed. */
  #isBroken = false;
  /** It has told of its connection. */
  #hasTold = false;
  /** It has not been told yet that there is a line. */
  owesBeginning = false;
  #made = 0;

  constructor(name: string, makesOffers: boolean, earlier: number, send: (signal: Signal) => void) {
    this.#name = name;
    this.#makesOffers = makesOffers;
    this.#send = send;
    this.state = newNegotiation(makesOffers, earlier);
  }

  /** @returns what was to be done for it */
  input(input: Input): readonly Output[] {
    const before = this.state;
    const [next, outputs] = negotiate(before, input);
    assert(next.attempt >= before.attempt, 'attempts only grow');
    assert.equal(next.makesOffers, this.#makesOffers);
    this.state = next;
    if (input.type === 'renew') this.#isBroken = true;
    for (const output of outputs) this.#do(output);
    return outputs;
  }

  #do(output: Output): void {
    const { attempt } = this.state;
    switch (output.type) {
      case 'send':
        assert.equal(output.signal.attempt, attempt, 'nothing of another attempt is told');
        if (output.signal.type === 'candidate')
          assert(this.#hasTold, 'no way is told of a connection of which nothing was told');
        if (output.signal.type === 'offer' || output.signal.type === 'answer') this.#hasTold = true;
        return this.#send(output.signal);
      case 'open':
        assert.equal(output.attempt, attempt);
        assert(attempt > this.connection, 'each connection is a later one');
        this.connection = attempt;
        this.#outstanding = undefined;
        this.agreed = undefined;
        this.#known = undefined;
        this.#isBroken = false;
        this.#hasTold = false;
        return;
      case 'makeOffer':
        assert(this.#makesOffers, 'one of the two makes the offers');
        assert.equal(this.connection, attempt);
        assert.equal(this.#outstanding, undefined, 'no offer is made before the last was answered');
        this.#outstanding = `offer ${attempt}/${++this.#made} of ${this.#name}`;
        this.tasks.push({ type: 'offer', attempt, sdp: this.#outstanding });
        return;
      case 'makeAnswer':
        assert(!this.#makesOffers, 'one of the two makes the answers');
        assert(!this.#isBroken, 'what has failed does not go on');
        assert.match(output.sdp, new RegExp(`^offer ${this.connection}/`), 'of this connection');
        this.tasks.push({ type: 'answer', attempt, sdp: output.sdp });
        return;
      case 'takeAnswer':
        assert(this.#makesOffers);
        assert.equal(this.#outstanding, output.sdp.replace(/^answer to /, ''), 'the awaited one');
        this.#outstanding = undefined;
        this.tasks.push({ type: 'accept', attempt, sdp: output.sdp });
        return;
      case 'addCandidate':
        assert.equal(output.candidate, `of ${this.connection}`, 'nothing of an earlier attempt');
        return;
      default:
        output satisfies never;
    }
  }

  /** Its engine does what has waited longest. */
  work(): void {
    const task = this.tasks.shift();
    if (task === undefined) return;
    const { type, attempt, sdp } = task;
    if (type === 'answer' && attempt === this.connection) {
      const name = sdp.replace(/.* of /, '');
      this.#known ??= name;
      // No connection goes on with another certificate.
      if (name !== this.#known) return this.#failed(attempt);
    }
    if (type !== 'accept' || attempt !== this.connection)
      this.input({ type: 'described', attempt, sdp: type === 'offer' ? sdp : `answer to ${sdp}` });
    if (attempt === this.connection && type !== 'offer')
      this.agreed = sdp.replace(/^answer to /, '');
  }

  /** Its engine fails at what has waited longest. */
  fail(): void {
    const task = this.tasks.shift();
    if (task !== undefined) this.#failed(task.attempt);
  }

  /** Its engine never comes to an end with what has waited longest. */
  stall(): void {
    if (this.tasks[0]?.type !== 'accept') this.tasks.shift();
  }

  #failed(attempt: number): void {
    if (attempt === this.state.attempt) this.owesRenewal = true;
  }

  renew(): void {
    this.owesRenewal = false;
    this.input({ type: 'renew' });
  }

  begin(): void {
    this.owesBeginning = false;
    this.input({ type: 'begin' });
  }

  /** Its engine has found a way by which it may be reached. @param attempt of which connection */
  find(attempt = this.connection): void {
    if (attempt > 0) this.input({ type: 'found', attempt, candidate: `of ${attempt}`, mid: '0' });
  }
}

/** The number of the first attempt, where none has begun anew. */
export const FIRST = 1_000_000;

/** Which of the two: `caller` makes the offers. */
export type Side = 'caller' | 'called';
export const SIDES = ['caller', 'called'] as const;
const other = (side: Side): Side => (side === 'caller' ? 'called' : 'caller');

/** What is on its way to each. */
type Line = Readonly<Record<Side, Signal[]>>;

export class Negotiators {
  #born = 0;
  readonly #sides: Record<Side, Negotiator> = {
    caller: this.#make('caller'),
    called: this.#make('called'),
  };
  /** The newest last: that is the one which is spoken on. */
  readonly #lines: Line[] = [];

  #make(side: Side, hours = 0): Negotiator {
    const name = `${++this.#born}`;
    const earlier = FIRST - 1 + hours * 3_600;
    return new Negotiator(name, side === 'caller', earlier, (signal) => {
      this.#lines.at(-1)?.[other(side)].push(signal);
    });
  }

  at(side: Side): Negotiator {
    return this.#sides[side];
  }

  /** A line comes about, beside those that there are. */
  connect(): void {
    this.#lines.push({ caller: [], called: [] });
    for (const side of SIDES) this.at(side).owesBeginning = true;
  }

  get isConnected(): boolean {
    return this.#lines.length > 0;
  }

  /** All lines break; what was under way is lost. */
  cut(): void {
    this.#lines.length = 0;
  }

  /** Whether there is a line, and all that was said has come. */
  get isQuiet(): boolean {
    return this.#lines.every((line) => SIDES.every((side) => line[side].length === 0));
  }

  /** The next signal comes. @param line from the oldest on */
  deliver(side: Side, line = 0): void {
    const signal = this.#lines[line % Math.max(1, this.#lines.length)]?.[side].shift();
    if (signal !== undefined) this.at(side).input({ type: 'signal', signal });
  }

  /** The device has ended and begun anew, and knows of nothing; its clock may have been set back. */
  restart(side: Side, isClockBack: boolean): void {
    this.cut();
    this.#sides[side] = this.#make(side, isClockBack ? -this.#born : this.#born);
  }

  /** All that is under way comes to its end. */
  settle(): void {
    for (let steps = 0; ; steps++) {
      assert(steps < 1_000, 'the two never come to an end');
      const isIdle = SIDES.every((side) => this.at(side).tasks.length === 0);
      if (this.isQuiet && isIdle) return;
      for (const side of SIDES) {
        this.at(side).work();
        for (const [line] of this.#lines.entries()) this.deliver(side, line);
      }
    }
  }
}

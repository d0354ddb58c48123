/** Whatever is done in calls and whatever befalls those in them, what has to hold of calls holds. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { PublicKey } from '../../../lib/crdt/keys.ts';
import { codeOf, type ErrorCode } from '../../../lib/errors.ts';
import {
  CALL_ENDS,
  MAX_PARTICIPANTS,
  RING_MS,
  type CallView,
  type RoomCallView,
} from '../../../lib/node/calls/wire.ts';
import { GRACE_MS } from '../../../lib/node/server/call-life.ts';
import { RESUME_MS } from '../../../lib/node/calls/wire.ts';
import { callNamed, CallStage, EQUIPMENT } from '../../support/call-stage.ts';
import { ownerOf } from '../../support/conference-stage.ts';

const ACCOUNTS = ['ann', 'ben', 'cat', 'dan'];
const DEVICES = ACCOUNTS.flatMap((one) => [`${one}/1`, `${one}/2`]);
const ROOMS = ['x', 'y', 'tea'];

const type = <T extends string>(name: T): fc.Arbitrary<T> => fc.constant(name);
const of = <T>(weight: number, arbitrary: fc.Arbitrary<T>): fc.WeightedArbitrary<T> => ({
  weight,
  arbitrary,
});
const device = fc.constantFrom(...DEVICES);
const account = fc.constantFrom(...ACCOUNTS);
const room = fc.constantFrom(...ROOMS);
/** Which of the calls that a device has to do with, or of all. */
const which = fc.nat(3);

const anything = fc.oneof(
  of(
    14,
    fc.record({
      type: type('start'),
      device,
      wanted: fc.oneof(
        fc.record({ user: account }),
        fc.record({ user: account, in: room }),
        fc.record({ room }),
      ),
      secondDevice: fc.boolean(),
      resumed: fc.integer({ min: 0, max: 5 }).map((one) => one === 0),
    }),
  ),
  of(8, fc.record({ type: type('answer'), device, which })),
  of(2, fc.record({ type: type('decline'), device, which })),
  of(4, fc.record({ type: type('leave'), device, which })),
  of(3, fc.record({ type: type('update'), device, which, camera: fc.boolean() })),
  of(4, fc.record({ type: type('lose'), device })),
  of(6, fc.record({ type: type('connect'), device })),
  of(1, fc.record({ type: type('logout'), device })),
  of(1, fc.record({ type: type('revoke'), device })),
  of(1, fc.record({ type: type('remove'), account })),
  of(1, fc.record({ type: type('putOut'), account, room })),
  of(1, fc.record({ type: type('removeRoom'), room })),
  of(1, fc.record({ type: type('block'), from: account, to: account })),
  of(
    3,
    fc.record({
      type: type('pass'),
      milliseconds: fc.constantFrom(
        1,
        500,
        RING_MS / 2,
        RING_MS,
        RESUME_MS,
        GRACE_MS / 2,
        GRACE_MS,
      ),
    }),
  ),
);
type Step = typeof anything extends fc.Arbitrary<infer T> ? T : never;

/** What a device knows by its list at login and by what it was told since. */
interface Known {
  readonly calls: Map<string, CallView>;
  readonly rooms: Map<string, RoomCallView>;
}

class Play {
  readonly stage = new CallStage();
  readonly #known = new Map<string, Known>();
  /** Codes, reasons and outcomes that came about. */
  readonly reached = new Set<string>();
  #begun = 0;
  #blocks = 0;

  constructor() {
    const { stage } = this;
    stage.room('x', ...ACCOUNTS);
    stage.room('y', 'ann', 'ben');
    stage.conference('tea', 'ben', 'cat', 'dan');
    for (const [a, b] of [
      ['ann', 'ben'],
      ['ben', 'cat'],
      ['cat', 'dan'],
    ] as const)
      stage.befriend(a, b);
    for (const one of ACCOUNTS) this.#connect(`${one}/1`);
  }

  #list(at: string): { calls: CallView[]; rooms: RoomCallView[] } {
    return this.stage.calls.listFor({ account: ownerOf(at), device: at as PublicKey });
  }

  /** A device comes, and asks for what there is. */
  #connect(at: string): void {
    if (this.stage.connected.has(at)) return;
    this.#hear();
    this.stage.connect(at);
    const { calls, rooms } = this.#list(at);
    this.#known.set(at, {
      calls: new Map(calls.map((view) => [view.id, view])),
      rooms: new Map(rooms.map((view) => [view.id, view])),
    });
  }

  play(step: Step): void {
    const { stage } = this;
    if ('device' in step && stage.gone.has(ownerOf(step.device))) return;
    if ('account' in step && stage.gone.has(step.account)) return;
    // Only who is connected can do anything.
    if (['start', 'answer', 'decline', 'leave', 'update'].includes(step.type))
      this.#connect((step as { device: string }).device);
    const before = new Map(
      [...stage.connected].map((one) => [one, new Set(this.#list(one).calls.map(({ id }) => id))]),
    );
    const code = this.#do(step);
    if (code !== undefined) this.reached.add(code);
    const ends = this.#hear();
    for (const [at, ids] of before) {
      if (!stage.connected.has(at)) continue;
      const now = new Set(this.#list(at).calls.map(({ id }) => id));
      const ended = [...ids].filter((id) => !now.has(id as never));
      assert.deepEqual((ends.get(at) ?? []).sort(), ended.sort(), `what has ended for ${at}`);
    }
    this.#check();
  }

  #idAt(at: string, place: number): string {
    const views = this.#list(at).calls;
    return views[place]?.id ?? views[0]?.id ?? callNamed(`c${place}`);
  }

  /** @returns with what it was refused */
  #do(step: Step): ErrorCode | undefined {
    const { stage } = this;
    const { calls } = stage;
    const id = 'which' in step ? (this.#idAt(step.device, step.which) as never) : undefined;
    const by =
      'device' in step
        ? { account: ownerOf(step.device), device: step.device as PublicKey }
        : undefined;
    switch (step.type) {
      case 'start': {
        const { wanted, secondDevice, resumed } = step;
        const options = { id: `c${this.#begun++}`, secondDevice, resumed };
        return codeThrownBy(() => stage.start(step.device, wanted, options));
      }
      case 'answer':
        return codeThrownBy(() => calls.answer(by!, id!, EQUIPMENT));
      case 'decline':
        return codeThrownBy(() => calls.decline(by!, id!));
      case 'leave':
        return codeThrownBy(() => calls.leave(by!, id!));
      case 'update':
        return codeThrownBy(() => calls.update(by!, id!, { ...EQUIPMENT, camera: step.camera }));
      case 'connect':
        return void this.#connect(step.device);
      case 'lose':
      case 'logout':
      case 'revoke':
        return void (stage.connected.has(step.device) && stage[step.type](step.device));
      case 'remove':
        return void stage.remove(step.account);
      case 'putOut':
        return void stage.putOut(step.account, step.room);
      case 'removeRoom':
        return void stage.removeRoom(step.room);
      case 'block':
        if (step.from === step.to || stage.isBlocked(step.from, step.to)) return undefined;
        this.#blocks++;
        return void stage.block(step.from, step.to);
      case 'pass':
        return void stage.pass(step.milliseconds);
      default:
        return step satisfies never;
    }
  }

  /** Takes what was told. @returns what has ended, by device */
  #hear(): Map<string, string[]> {
    const ends = new Map<string, string[]>();
    for (const { device: at, view } of this.stage.told()) {
      const known = this.#known.get(at);
      if (known === undefined || !this.stage.connected.has(at)) continue;
      if ('users' in view) {
        if (view.state === 'ended') known.rooms.delete(view.id);
        else known.rooms.set(view.id, view);
      } else if (view.state === 'ended') {
        this.reached.add(view.reason ?? '?');
        known.calls.delete(view.id);
        ends.set(at, [...(ends.get(at) ?? []), view.id]);
      } else {
        known.calls.set(view.id, view);
        if (view.participants.some((one) => (one.device as string) === at))
          known.rooms.delete(view.id);
      }
    }
    return ends;
  }

  #check(): void {
    const { stage } = this;
    const seen = new Map<string, CallView>();
    const at = new Map<string, string>();
    for (const one of DEVICES) {
      const { calls, rooms } = this.#list(one);
      for (const view of calls) seen.set(view.id, view);
      assert.ok(calls.length <= 2 && rooms.length <= ROOMS.length);
      if (!stage.connected.has(one)) continue;
      const known = [...this.#known.get(one)!.calls.values()].sort(byId);
      assert.deepEqual(known, calls.sort(byId), `what ${one} was told is what there is`);
    }
    const rooms: string[] = [];
    const pairs: string[] = [];
    for (const { id, room: where, caller, callee, state, participants } of seen.values()) {
      if (where === undefined) pairs.push([caller, callee].sort().join(' '));
      else rooms.push(where);
      assert.ok(participants.length > 0 && participants.length <= MAX_PARTICIPANTS);
      for (const { device: one, user } of participants) {
        assert.equal(at.get(one), undefined, `${one} is in two calls`);
        at.set(one, id);
        if (where === undefined) assert.ok(user === caller || user === callee);
        else assert.equal(stage.whyOut(where, user), undefined, `${user} is in ${where}`);
        if (state === 'ringing') assert.equal(user, caller);
        assert.ok(!stage.gone.has(user));
      }
    }
    for (const list of [rooms, pairs]) assert.equal(new Set(list).size, list.length);
    const overs = stage.over.map(({ id }) => id);
    assert.equal(new Set(overs).size, overs.length, 'each is remembered once');
    for (const { id, outcome, place, people } of stage.over) {
      assert.ok(!seen.has(id));
      this.reached.add(outcome);
      assert.ok(outcome === 'missed' ? place.type === 'pair' : people > 1);
    }
  }

  /** All go home, and nothing is left. */
  end(): void {
    const { stage } = this;
    stage.pass(500);
    this.#hear();
    // Who is blocked since is told otherwise with the next change only.
    if (this.#blocks === 0)
      for (const one of stage.connected) {
        const known = [...this.#known.get(one)!.rooms.values()];
        const mine = known.filter((view) => stage.whyOut(view.room, ownerOf(one)) === undefined);
        assert.deepEqual(mine.sort(byId), this.#list(one).rooms.sort(byId));
      }
    for (const one of DEVICES) stage.logout(one);
    stage.pass(Math.max(GRACE_MS, RING_MS, RESUME_MS));
    assert.equal(stage.calls.size, 0, 'something is left');
  }
}

function byId(a: { id: string }, b: { id: string }): number {
  return a.id < b.id ? -1 : 1;
}

function codeThrownBy(run: () => unknown): ErrorCode | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'INTERNAL') throw error;
    return code;
  }
}

describe('calls, whatever is done in them', () => {
  it('are one a room and one a device, told to all who are in them, and leave nothing behind', () => {
    const reached = new Set<string>();
    fc.assert(
      fc.property(fc.array(anything, { minLength: 10, maxLength: 60, size: 'max' }), (steps) => {
        const play = new Play();
        try {
          for (const step of steps) play.play(step);
          play.end();
        } finally {
          play.stage.calls.stop();
        }
        for (const one of play.reached) reached.add(one);
      }),
      { numRuns: 500 },
    );
    // It says something only where much came about.
    const codes: ErrorCode[] = [
      'ALREADY',
      'BLOCKED',
      'BUSY',
      'NOT_CONTACT',
      'NOT_MEMBER',
      'NOT_PARTICIPANT',
      'NO_CALL',
      'NO_SUCH_ROOM',
      'NO_SUCH_USER',
      'OFFLINE',
      'SELF',
      'STALE',
    ];
    for (const one of [...codes, ...CALL_ENDS, 'ended', 'missed'])
      assert.ok(reached.has(one), `${one} did not come about`);
  });
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { codeOf, type ErrorCode } from '../../../lib/errors.ts';
import {
  CHANGE_KINDS,
  END_REASONS,
  type ConferenceEvent,
} from '../../../lib/node/server/conference-news.ts';
import { GRACE_MS } from '../../../lib/node/server/conference-life.ts';
import type { RelationChange } from '../../../lib/node/server/conferences.ts';
import { ConferenceModel, type Live, type Wanted } from '../../support/conference-model.ts';
import { ConferenceStage, ownerOf, type Told } from '../../support/conference-stage.ts';

const ACCOUNTS = ['ann', 'ben', 'cat', 'dan', 'eve'];
const DEVICES = ACCOUNTS.flatMap((one) => [`${one}/1`, `${one}/2`]);
const HOW: RelationChange[] = ['befriended', 'unfriended', 'blocked', 'unblocked'];

const account = fc.constantFrom(...ACCOUNTS);
const device = fc.constantFrom(...DEVICES);
const name = fc.constantFrom('red', 'RED', 'blue', 'green', 'not one');
/** One of those that there are, by its place among them; or none. */
const which = fc.nat(4);
/** Undefined: the owner of the conference. */
const by = fc.option(account, { nil: undefined, freq: 2 });
const type = <T extends string>(value: T): fc.Arbitrary<T> => fc.constant(value);

const of = <T>(weight: number, arbitrary: fc.Arbitrary<T>) => ({ weight, arbitrary });
/** What somebody does, and what befalls them. */
const anything = fc.oneof(
  of(5, fc.record({ type: type('create'), device, name })),
  of(
    16,
    fc.record({
      type: type('join'),
      device,
      how: fc.constantFrom('id', 'friend', 'name', 'friend and name'),
      which,
      friend: account,
      name,
      secondDevice: fc.boolean(),
      isAdmitted: fc.boolean(),
    }),
  ),
  of(2, fc.record({ type: type('leave'), device, which: fc.option(which, { nil: undefined }) })),
  of(3, fc.record({ type: type('rename'), by, which, name })),
  of(6, fc.record({ type: type('transfer'), by, which, to: account })),
  of(1, fc.record({ type: type('end'), by, which, isPermitted: fc.boolean() })),
  of(2, fc.record({ type: type('kick'), by, which, to: account, isPermitted: fc.boolean() })),
  of(4, fc.record({ type: type('invite'), by, which, to: account })),
  of(6, fc.record({ type: type('lose'), device })),
  of(5, fc.record({ type: type('connect'), device })),
  of(1, fc.record({ type: type('logout'), device })),
  of(1, fc.record({ type: type('remove'), account })),
  of(
    4,
    fc.record({
      type: type('relate'),
      from: account,
      to: account,
      how: fc.constantFrom(...HOW),
    }),
  ),
  of(
    2,
    fc.record({
      type: type('pass'),
      milliseconds: fc.constantFrom(1, GRACE_MS / 3, GRACE_MS / 2, GRACE_MS - 1, GRACE_MS),
    }),
  ),
);
type Step = typeof anything extends fc.Arbitrary<infer T> ? T : never;

/** Plays steps on the stage and in the model, and looks whether they agree after each. */
class Comparison {
  readonly stage = new ConferenceStage();
  readonly #model = new ConferenceModel(this.stage);
  /** What each account that is online has been shown, by its list at login and by events since. */
  readonly #shown = new Map<string, Map<string, ConferenceEvent>>();
  #made = 0;
  /** Codes, changes and reasons that came about. */
  readonly reached = new Set<string>();

  constructor() {
    for (const one of ACCOUNTS) this.stage.connect(`${one}/1`);
    for (const [a, b] of [
      ['ann', 'ben'],
      ['ben', 'cat'],
      ['cat', 'dan'],
    ] as const)
      this.stage.relate(a, b, 'befriended');
    for (const one of ACCOUNTS) this.#shown.set(one, new Map());
    const join = { type: 'join', name: 'red', secondDevice: false, isAdmitted: true } as const;
    this.play({ type: 'create', device: 'ann/1', name: 'red' });
    this.play({ ...join, device: 'ben/1', how: 'friend', friend: 'ann', which: 0 });
    this.play({ ...join, device: 'cat/1', how: 'friend and name', friend: 'ben', which: 0 });
    this.play({ type: 'create', device: 'dan/1', name: 'blue' });
    this.play({ ...join, device: 'eve/1', how: 'id', friend: 'dan', which: 2 });
  }

  play(step: Step): void {
    const { stage } = this;
    if (this.#involved(step).some((one) => stage.gone.has(one))) return;
    // Only who is connected can do anything.
    if (step.type === 'create' || step.type === 'join' || step.type === 'leave')
      if (!stage.connected.has(step.device)) this.play({ type: 'connect', device: step.device });
    const before = this.#model.lives.map((live) => ({ ...live }));
    const online = new Set(ACCOUNTS.filter((one) => stage.isOnline(one)));
    stage.left.length = stage.ended.length = 0;
    const [expected, got] = this.#both(step);
    assert.equal(got, expected);
    if (expected !== undefined) this.reached.add(expected);
    const told = stage.told();
    for (const { event } of told)
      for (const one of [event.change?.kind, event.reason])
        if (one !== undefined) this.reached.add(one);
    if (expected !== undefined) assert.deepEqual(told, []);
    this.#checkTold(before, told, online);
    this.#checkShown(told, online);
    this.#checkRules();
  }

  #involved(step: Step): string[] {
    return [
      ...('device' in step ? [ownerOf(step.device)] : []),
      ...('by' in step ? [this.#actor(step)] : []),
      ...('to' in step ? [step.to] : []),
      ...('account' in step ? [step.account] : []),
      ...('from' in step ? [step.from] : []),
    ];
  }

  #actor({ by, which }: { by: string | undefined; which: number }): string {
    return by ?? this.#model.lives[which]?.owner ?? 'ann';
  }

  /** @returns the codes that the model and the real ones answer with */
  #both(step: Step): [ErrorCode | undefined, ErrorCode | undefined] {
    const id = 'which' in step && step.which !== undefined ? this.#idOf(step.which) : undefined;
    const actor = 'by' in step ? this.#actor(step) : '';
    const model = this.#model;
    const { stage } = this;
    const both = (
      expected: ErrorCode | undefined,
      run: () => unknown,
    ): [ErrorCode | undefined, ErrorCode | undefined] => [expected, codeThrownBy(run)];
    switch (step.type) {
      case 'create': {
        const fresh = `c${this.#made++}`;
        return both(model.create(step.device, fresh, step.name), () =>
          stage.create(step.device, fresh, step.name),
        );
      }
      case 'join': {
        const { secondDevice, isAdmitted } = step;
        const wanted: Wanted = {
          ...(step.how === 'id' && { id }),
          ...(step.how.startsWith('friend') && { friend: step.friend }),
          ...(step.how.endsWith('name') && { name: step.name }),
        };
        return both(model.join(step.device, wanted, secondDevice, isAdmitted), () =>
          stage.join(step.device, wanted as { id: string }, { secondDevice, isAdmitted }),
        );
      }
      case 'leave':
        return both(model.leave(step.device, id), () =>
          stage.leave(step.device, id === undefined ? undefined : { id }),
        );
      case 'rename':
        return both(model.rename(actor, id ?? '', step.name), () =>
          stage.rename(actor, id ?? '', step.name),
        );
      case 'transfer':
        return both(model.transfer(actor, id ?? '', step.to), () =>
          stage.transfer(actor, id ?? '', step.to),
        );
      case 'end':
        // What the log cannot end is not ended here.
        if (id === 'lobby') return [undefined, undefined];
        return both(model.end(actor, id ?? '', step.isPermitted), () =>
          stage.end(actor, id ?? '', step.isPermitted),
        );
      case 'kick':
        return both(model.kick(actor, id ?? '', step.to, step.isPermitted), () =>
          stage.kick(actor, id ?? '', step.to, step.isPermitted),
        );
      case 'invite':
        return both(model.invite(actor, id ?? '', step.to), () =>
          stage.invite(actor, id ?? '', step.to),
        );
      case 'lose':
        return both(void model.lose(step.device), () => stage.lose(step.device));
      case 'connect':
        return both(void model.connect(step.device), () => stage.connect(step.device));
      case 'logout':
        return both(void model.logout(step.device), () => stage.logout(step.device));
      case 'remove':
        return both(void model.remove(step.account), () => stage.remove(step.account));
      case 'relate': {
        const { from, to, how } = step;
        const isSo = how.endsWith('blocked')
          ? stage.isBlocked(from, to)
          : stage.isContact(from, to);
        if (from === to || isSo === (how === 'befriended' || how === 'blocked'))
          return [undefined, undefined];
        return both(void model.relate(from, to, how), () => stage.relate(from, to, how));
      }
      case 'pass':
        return both(void model.pass(step.milliseconds), () => stage.pass(step.milliseconds));
      default:
        return step satisfies never;
    }
  }

  #idOf(place: number): string {
    return this.#model.lives[place]?.id ?? 'none';
  }

  /** Ends are told once to all concerned, leavings once to the rest of the server. */
  #checkTold(before: readonly Live[], told: readonly Told[], online: ReadonlySet<string>): void {
    const { stage } = this;
    const after = new Map(this.#model.lives.map((live) => [live.id, live]));
    const left: string[] = [];
    const ended: string[] = [];
    for (const live of before) {
      const now = after.get(live.id);
      const ends = told.filter(({ event }) => event.id === live.id && event.state === 'ended');
      if (now !== undefined) {
        assert.deepEqual(ends, []);
        const gone = live.accounts.filter((one) => !now.accounts.includes(one));
        left.push(...gone.map((one) => `${one} ${live.id}`));
        continue;
      }
      ended.push(live.id);
      const hearers = ends.map(({ to }) => to);
      assert.equal(new Set(hearers).size, hearers.length, `told of the end twice: ${live.id}`);
      for (const one of [...live.accounts, ...live.invited.map(({ to }) => to)])
        if (online.has(one) && stage.isOnline(one))
          assert.ok(hearers.includes(one), `${one} is told of the end of ${live.id}`);
      for (const { event } of ends) assert.ok(event.reason !== undefined);
    }
    assert.deepEqual([...stage.left].sort(), left.sort());
    assert.deepEqual([...stage.ended].sort(), ended.sort());
    for (const { to, event } of told) {
      const user = event.change?.user;
      const isIn = [before.find(({ id }) => id === event.id), after.get(event.id)].some(
        (live) => live?.accounts.includes(to) === true,
      );
      if (user !== undefined && !isIn)
        assert.ok(!stage.isBlocked(user, to), `${to} is told of ${user}, who has blocked them`);
    }
  }

  /** Who reads what they are told knows at any time what a new list would say. */
  #checkShown(told: readonly Told[], before: ReadonlySet<string>): void {
    const { stage } = this;
    for (const one of ACCOUNTS) {
      const at = DEVICES.find((each) => ownerOf(each) === one && stage.connected.has(each));
      if (at === undefined) {
        this.#shown.delete(one);
        continue;
      }
      const list = stage.list(at);
      assert.deepEqual(list, this.#model.list(at));
      const now = list.map(({ here: _here, ...event }) => event);
      const shown = this.#shown.get(one);
      if (shown === undefined || !before.has(one)) {
        this.#shown.set(one, new Map(now.map((event) => [event.id, event])));
        continue;
      }
      for (const { to, event } of told) {
        if (to !== one) continue;
        const { change: _change, ...rest } = event;
        if (event.state === 'ended' || event.participants.length === 0) shown.delete(event.id);
        else shown.set(event.id, rest);
      }
      assert.deepEqual(
        [...shown.values()].sort(byId),
        now.sort(byId),
        `what ${one} was told is what there is`,
      );
    }
  }

  #checkRules(): void {
    const { stage } = this;
    const joined = new Map<string, string[]>();
    for (const { id, owner, name: called } of this.#model.lives) {
      const participants = stage.participants(id);
      if (owner !== null) assert.ok(participants.includes(owner), `${id} is without its owner`);
      for (const one of participants)
        joined.set(one, [...(joined.get(one) ?? []), called.toLowerCase()]);
    }
    for (const [one, names] of joined)
      assert.equal(
        new Set(names).size,
        names.length,
        `${one} is in two of one name: ${names.join(' ')}`,
      );
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

describe('conferences, whatever is done in them', () => {
  it('are as a plain model of them', () => {
    const steps = fc.array(anything, { minLength: 10, maxLength: 55, size: 'max' });
    const reached = new Set<string>();
    fc.assert(
      fc.property(steps, (all) => {
        const comparison = new Comparison();
        try {
          for (const step of all) comparison.play(step);
        } finally {
          comparison.stage.conferences.stop();
        }
        for (const one of comparison.reached) reached.add(one);
      }),
      { numRuns: 500 },
    );
    // It says something only where much came about.
    const codes: ErrorCode[] = [
      'ALREADY',
      'AMBIGUOUS',
      'BAD_NAME',
      'BLOCKED',
      'DENIED',
      'NAME_CLASH',
      'NOT_CONTACT',
      'NOT_OWNER',
      'NOT_PARTICIPANT',
      'NO_SUCH_ROOM',
      'SELF',
    ];
    for (const one of [...codes, ...CHANGE_KINDS, ...END_REASONS])
      assert.ok(reached.has(one), `${one} did not come about`);
  });
});

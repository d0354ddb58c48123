import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  negotiate,
  newNegotiation,
  WISHES,
  type Input,
  type Negotiation,
  type Output,
  type Signal,
} from '../../lib/media/negotiation.ts';
import { FIRST, Negotiators, SIDES, type Side } from '../support/negotiators.ts';

const begin: Input = { type: 'begin' };
const restart: Input = { type: 'restart' };
const renew: Input = { type: 'renew' };
const change: Input = { type: 'change' };
const late: Input = { type: 'late' };
const described = (attempt: number, sdp = 'sdp'): Input => ({ type: 'described', attempt, sdp });
const said = (signal: Signal): Input => ({ type: 'signal', signal });
const offer = (attempt: number): Input => said({ type: 'offer', attempt, sdp: 'offer' });
const answer = (attempt: number): Input => said({ type: 'answer', attempt, sdp: 'answer' });
const callme = (attempt: number, how: (typeof WISHES)[number]): Input =>
  said({ type: 'callme', attempt, how });

/** What a side has come to by these, and what the last of them has it do, in words. */
function after(makesOffers: boolean, ...inputs: readonly Input[]): { at: string; does: string[] } {
  let state: Negotiation = newNegotiation(makesOffers);
  let outputs: readonly Output[] = [];
  for (const input of inputs) [state, outputs] = negotiate(state, input);
  return { at: `${state.phase} ${state.attempt}`, does: outputs.map(inWords) };
}

function inWords(output: Output): string {
  switch (output.type) {
    case 'open':
      return `open ${output.attempt}`;
    case 'makeOffer':
      return output.restart ? 'make offer by other ways' : 'make offer';
    case 'makeAnswer':
      return 'make answer';
    case 'takeAnswer':
      return 'take answer';
    case 'addCandidate':
      return `add ${output.candidate}`;
    case 'send': {
      const { signal } = output;
      return `say ${signal.type} ${signal.attempt}${signal.type === 'callme' ? ` ${signal.how}` : ''}`;
    }
  }
}

describe('the side that makes the offers', () => {
  /** What it comes to from a connection that is agreed on. */
  const settled = [begin, described(1), answer(1)] as const;
  const caller = (...inputs: readonly Input[]) => after(true, ...inputs);

  it('makes one as soon as there is a line, and tells it once it is made', () => {
    assert.deepEqual(caller(), { at: 'idle 0', does: [] });
    assert.deepEqual(caller(begin), { at: 'open 1', does: ['open 1', 'make offer'] });
    assert.deepEqual(caller(begin, described(1)), { at: 'open 1', does: ['say offer 1'] });
  });

  it('takes the answer to it', () => {
    assert.deepEqual(caller(...settled), { at: 'settled 1', does: ['take answer'] });
  });

  it('takes one answer, and none to what it has not asked', () => {
    assert.deepEqual(caller(...settled, answer(1)), { at: 'settled 1', does: [] });
    assert.deepEqual(caller(answer(0)), { at: 'idle 0', does: [] });
    for (const attempt of [0, 2]) assert.deepEqual(caller(begin, answer(attempt)).does, []);
  });

  it('takes no offers', () => {
    for (const attempt of [0, 1, 9]) {
      assert.deepEqual(caller(begin, offer(attempt)), { at: 'open 1', does: [] });
      assert.deepEqual(caller(...settled, offer(attempt)), { at: 'settled 1', does: [] });
    }
  });

  it('begins anew with another line, unless all is agreed on', () => {
    const anew = { at: 'open 2', does: ['open 2', 'make offer'] };
    assert.deepEqual(caller(begin, begin), anew);
    assert.deepEqual(caller(begin, described(1), begin), anew);
    assert.deepEqual(caller(...settled, begin), { at: 'settled 1', does: [] });
  });

  it('begins anew when nothing has come of an offer for too long', () => {
    const anew = { at: 'open 2', does: ['open 2', 'make offer'] };
    assert.deepEqual(caller(begin, described(1), late), anew);
    assert.deepEqual(caller(...settled, late), { at: 'settled 1', does: [] });
    assert.deepEqual(caller(late), { at: 'idle 0', does: [] });
  });

  it('begins anew when the connection is beyond repair', () => {
    assert.deepEqual(caller(...settled, renew).does, ['open 2', 'make offer']);
    assert.deepEqual(caller(begin, renew).does, ['open 2', 'make offer']);
  });

  it('tells nothing of a connection that another has taken the place of', () => {
    assert.deepEqual(caller(begin, renew, described(1)).does, []);
    assert.deepEqual(caller(...settled, described(1)).does, []);
    const found: Input = { type: 'found', attempt: 1, candidate: 'c', mid: '0' };
    assert.deepEqual(caller(begin, described(1), found).does, ['say candidate 1']);
    assert.deepEqual(caller(begin, renew, found).does, []);
  });

  it('tells of ways after it has told of the connection, however early they are found', () => {
    const found: Input = { type: 'found', attempt: 1, candidate: 'c', mid: '0' };
    assert.deepEqual(caller(begin, found, found).does, []);
    const does = ['say offer 1', 'say candidate 1', 'say candidate 1'];
    assert.deepEqual(caller(begin, found, found, described(1)).does, does);
    assert.deepEqual(caller(begin, found, renew, described(2)).does, ['say offer 2']);
    // Other ways of the same connection are those of another offer.
    assert.deepEqual(caller(...settled, restart, found).does, []);
    assert.deepEqual(caller(...settled, restart, found, described(1)).does, does.slice(0, 2));
  });

  it('seeks other ways within a connection that is agreed on', () => {
    const does = ['make offer by other ways'];
    assert.deepEqual(caller(...settled, restart), { at: 'open 1', does });
    assert.deepEqual(caller(...settled, callme(1, 'restart')), { at: 'open 1', does });
    assert.deepEqual(caller(begin, restart).does, []);
    assert.deepEqual(caller(begin, callme(1, 'restart')).does, []);
    assert.deepEqual(caller(restart).does, ['open 1', 'make offer']);
  });

  it('offers other contents, at once or with the answer to the offer that is out', () => {
    assert.deepEqual(caller(...settled, change), { at: 'open 1', does: ['make offer'] });
    assert.deepEqual(caller(...settled, callme(1, 'change')).does, ['make offer']);
    assert.deepEqual(caller(begin, change).does, []);
    const does = ['take answer', 'make offer'];
    assert.deepEqual(caller(begin, change, answer(1)), { at: 'open 1', does });
    assert.deepEqual(caller(begin, callme(1, 'change'), answer(1)), { at: 'open 1', does });
    assert.deepEqual(caller(begin, change, answer(1), answer(1)).at, 'settled 1');
    assert.deepEqual(caller(change), { at: 'idle 0', does: [] });
  });

  it('begins anew for the other side, unless its offer is on the way there', () => {
    assert.deepEqual(caller(begin, callme(0, 'anew')).does, []);
    assert.deepEqual(caller(begin, callme(1, 'anew')).does, ['open 2', 'make offer']);
    assert.deepEqual(caller(...settled, callme(1, 'anew')).does, ['open 2', 'make offer']);
    assert.deepEqual(caller(...settled, callme(0, 'anew')).does, ['open 2', 'make offer']);
    assert.deepEqual(caller(callme(0, 'anew')).does, ['open 1', 'make offer']);
  });

  it('counts on from where the other side is, and from where it may be', () => {
    const [, outputs] = negotiate(newNegotiation(true, 1_000), begin);
    assert.deepEqual(outputs.map(inWords), ['open 1001', 'make offer']);
    for (const how of WISHES)
      assert.deepEqual(caller(begin, callme(7, how)).does, ['open 8', 'make offer']);
  });

  it('adds candidates of this connection', () => {
    const candidate = (attempt: number): Input =>
      said({ type: 'candidate', attempt, candidate: 'c', mid: '0' });
    assert.deepEqual(caller(begin, candidate(1)).does, ['add c']);
    assert.deepEqual(caller(begin, candidate(0)).does, []);
    assert.deepEqual(caller(begin, candidate(2)).does, []);
    assert.deepEqual(caller(begin, renew, candidate(1)).does, []);
  });
});

describe('the side that makes no offers', () => {
  const settled = [offer(1), described(1)] as const;
  const called = (...inputs: readonly Input[]) => after(false, ...inputs);

  it('asks for one as soon as there is a line', () => {
    assert.deepEqual(called(begin), { at: 'idle 0', does: ['say callme 0 anew'] });
    assert.deepEqual(called(...settled, begin), { at: 'settled 1', does: [] });
  });

  it('answers one, and tells that once it is made', () => {
    assert.deepEqual(called(offer(1)), { at: 'open 1', does: ['open 1', 'make answer'] });
    assert.deepEqual(called(...settled), { at: 'settled 1', does: ['say answer 1'] });
    assert.deepEqual(called(begin, offer(5)).does, ['open 5', 'make answer']);
  });

  it('answers further ones within the same connection, and later ones by another', () => {
    assert.deepEqual(called(...settled, offer(1)), { at: 'open 1', does: ['make answer'] });
    assert.deepEqual(called(...settled, offer(2)).does, ['open 2', 'make answer']);
    assert.deepEqual(called(offer(1), offer(2)).does, ['open 2', 'make answer']);
  });

  it('tells of ways after its answer, however early they are found', () => {
    const found: Input = { type: 'found', attempt: 1, candidate: 'c', mid: '0' };
    assert.deepEqual(called(offer(1), found).does, []);
    const does = ['say answer 1', 'say candidate 1'];
    assert.deepEqual(called(offer(1), found, described(1)), { at: 'settled 1', does });
    assert.deepEqual(called(...settled, found).does, ['say candidate 1']);
    assert.deepEqual(called(...settled, offer(1), found).does, []);
  });

  it('answers none that is of an earlier attempt, and says how far they are', () => {
    assert.deepEqual(called(offer(3), offer(2)), { at: 'open 3', does: ['say callme 3 change'] });
  });

  it('takes no answers, and makes no offers for anybody', () => {
    assert.deepEqual(called(offer(1), answer(1)).does, []);
    for (const how of WISHES) assert.deepEqual(called(...settled, callme(1, how)).does, []);
  });

  it('asks for a new connection when it has none that is any good', () => {
    assert.deepEqual(called(...settled, renew), { at: 'idle 1', does: ['say callme 1 anew'] });
    assert.deepEqual(called(offer(1), late), { at: 'open 1', does: ['say callme 1 anew'] });
    assert.deepEqual(called(offer(1), begin).does, ['say callme 1 anew']);
    assert.deepEqual(called(offer(1), restart).does, ['say callme 1 anew']);
    assert.deepEqual(called(...settled, late).does, []);
  });

  it('answers nothing of the connection that was beyond repair', () => {
    assert.deepEqual(called(...settled, renew, offer(1)), { at: 'idle 1', does: [] });
    assert.deepEqual(called(offer(1), renew, described(1)), { at: 'idle 1', does: [] });
    assert.deepEqual(called(...settled, renew, offer(2)).does, ['open 2', 'make answer']);
  });

  it('asks for other ways, and for other contents', () => {
    assert.deepEqual(called(...settled, restart).does, ['say callme 1 restart']);
    assert.deepEqual(called(...settled, change).does, ['say callme 1 change']);
    assert.deepEqual(called(offer(1), change).does, ['say callme 1 change']);
    assert.deepEqual(called(change).does, []);
  });
});

describe('two sides', () => {
  type Deed = readonly [what: keyof typeof DEEDS, side: Side, which: number];
  const DEEDS = {
    deliver: (two: Negotiators, side: Side, which: number) => two.deliver(side, which),
    work: (two: Negotiators, side: Side) => two.at(side).work(),
    find: (two: Negotiators, side: Side, which: number) => {
      const one = two.at(side);
      one.find(one.connection - which);
    },
    change: (two: Negotiators, side: Side) => two.at(side).input(change),
    restart: (two: Negotiators, side: Side) => two.at(side).input(restart),
    late: (two: Negotiators, side: Side) => two.at(side).input(late),
    begin: (two: Negotiators, side: Side) => two.at(side).begin(),
    renew: (two: Negotiators, side: Side) => two.at(side).renew(),
    fail: (two: Negotiators, side: Side) => two.at(side).fail(),
    stall: (two: Negotiators, side: Side) => two.at(side).stall(),
    settle: (two: Negotiators) => two.settle(),
    connect: (two: Negotiators) => two.connect(),
    cut: (two: Negotiators) => two.cut(),
    rebirth: (two: Negotiators, side: Side, which: number) => two.restart(side, which > 0),
  };
  const OFTEN: Partial<Record<keyof typeof DEEDS, number>> = {
    deliver: 14,
    work: 10,
    change: 4,
    restart: 4,
    find: 3,
  };
  const deed: fc.Arbitrary<Deed> = fc.tuple(
    fc.oneof(
      ...(Object.keys(DEEDS) as (keyof typeof DEEDS)[]).map((what) => ({
        arbitrary: fc.constant(what),
        weight: OFTEN[what] ?? 1,
      })),
    ),
    fc.constantFrom(...SIDES),
    fc.nat(2),
  );

  /** Brings all that goes wrong to an end. @param isNew whether by another line in any case */
  function mend(two: Negotiators, isNew: boolean): void {
    if (isNew || !two.isConnected) two.connect();
    for (const side of SIDES) if (two.at(side).owesBeginning) two.at(side).begin();
    two.settle();
    // What times tell: of a connection that has failed, and of an offer of which nothing has come.
    for (let rounds = 0; rounds < 3; rounds++)
      for (const side of SIDES) {
        if (two.at(side).owesRenewal) two.at(side).renew();
        else two.at(side).input(late);
        two.settle();
      }
  }

  it('agree at once where nothing goes wrong', () => {
    const two = new Negotiators();
    two.connect();
    for (const side of SIDES) two.at(side).begin();
    two.settle();
    for (const side of SIDES) {
      const { phase, attempt } = two.at(side).state;
      assert.deepEqual(
        [phase, attempt, two.at(side).agreed],
        ['settled', FIRST, `offer ${FIRST}/1 of 1`],
      );
    }
  });

  it('agree whatever has gone wrong, once it has an end', () => {
    fc.assert(
      fc.property(fc.array(deed, { maxLength: 200, size: 'max' }), fc.boolean(), (deeds, isNew) => {
        const two = new Negotiators();
        two.connect();
        for (const [what, side, which] of deeds) DEEDS[what](two, side, which);
        mend(two, isNew);
        const [caller, called] = SIDES.map((side) => two.at(side));
        assert.deepEqual([caller!.state.phase, called!.state.phase], ['settled', 'settled']);
        assert.equal(caller!.state.attempt, called!.state.attempt);
        assert.deepEqual(
          [caller!.connection, called!.connection],
          [caller!.state.attempt, called!.state.attempt],
        );
        assert.equal(caller!.agreed, called!.agreed);
        assert.notEqual(caller!.agreed, undefined);
        for (const side of SIDES) two.at(side).find();
        two.settle();
      }),
      { numRuns: 3_000 },
    );
  });

  it('do nothing that is not theirs, whatever they are told', () => {
    const attempts = fc.oneof(fc.nat(4), fc.constant(Number.MAX_SAFE_INTEGER));
    const signals: fc.Arbitrary<Signal> = fc.oneof(
      fc.record({ type: fc.constantFrom('offer', 'answer'), attempt: attempts, sdp: fc.string() }),
      fc.record({
        type: fc.constant('candidate'),
        attempt: attempts,
        candidate: fc.string(),
        mid: fc.string(),
      }),
      fc.record({
        type: fc.constant('callme'),
        attempt: attempts,
        how: fc.constantFrom(...WISHES),
      }),
    );
    const inputs: fc.Arbitrary<Input> = fc.oneof(
      fc.constantFrom(begin, restart, renew, change, late),
      fc.tuple(attempts, fc.string()).map(([attempt, sdp]) => described(attempt, sdp)),
      signals.map(said),
    );
    fc.assert(
      fc.property(fc.boolean(), fc.array(inputs), (makesOffers, those) => {
        let state = newNegotiation(makesOffers);
        for (const input of those) {
          const [next, outputs] = negotiate(state, input);
          assert(next.attempt >= state.attempt);
          const doings = new Set(outputs.map(({ type }) => type));
          const others = makesOffers ? ['makeAnswer'] : ['makeOffer', 'takeAnswer'];
          for (const doing of others) assert(!doings.has(doing as Output['type']));
          for (const output of outputs)
            if (output.type === 'send') {
              const { type } = output.signal;
              assert(makesOffers ? type !== 'answer' && type !== 'callme' : type !== 'offer');
            }
          assert(outputs.length <= 2);
          state = next;
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { IDLE, nextState, type CallInput, type CallState } from '../../lib/media/call-state.ts';

type Reason = 'hung up' | 'lost';
type Input = CallInput<Reason>;

const rings: Input = { type: 'rings' };
const joined = (others: number, connected: number): Input => ({
  type: 'joined',
  others,
  connected,
});
const ended = (reason: Reason): Input => ({ type: 'ended', reason });

const after = (...inputs: readonly Input[]): CallState<Reason> =>
  inputs.reduce<CallState<Reason>>(nextState, IDLE);

describe('a call', () => {
  const table: readonly (readonly [string, readonly Input[], string])[] = [
    ['is idle', [], 'idle'],
    ['rings', [rings], 'ringing'],
    ['connects once it was answered', [rings, joined(1, 0)], 'connecting'],
    ['is active with the first connection', [rings, joined(2, 0), joined(2, 1)], 'active'],
    ['is active at once for whoever is alone in it', [joined(0, 0)], 'active'],
    ['stays active when a connection is lost', [joined(1, 1), joined(1, 0)], 'active'],
    ['stays active when others come', [joined(0, 0), joined(3, 0)], 'active'],
    ['does not ring any more once it goes on', [joined(1, 0), rings], 'connecting'],
    ['ends while it rings', [rings, ended('hung up')], 'ended'],
    ['ends while it goes on', [joined(1, 1), ended('lost')], 'ended'],
    ['stays ended', [ended('lost'), rings, joined(1, 1)], 'ended'],
  ];
  for (const [what, inputs, phase] of table)
    it(what, () => {
      assert.equal(after(...inputs).phase, phase);
    });

  it('has the reason for which it ended first', () => {
    assert.deepEqual(after(joined(1, 1), ended('lost'), ended('hung up')), {
      phase: 'ended',
      reason: 'lost',
    });
  });

  it('never goes back, whatever happens', () => {
    const order = ['idle', 'ringing', 'connecting', 'active', 'ended'];
    const inputs = fc.oneof(
      fc.constant(rings),
      fc.tuple(fc.nat(3), fc.nat(3)).map(([one, two]) => joined(Math.max(one, two), one)),
      fc.constantFrom<Reason>('hung up', 'lost').map(ended),
    );
    fc.assert(
      fc.property(fc.array(inputs), (those) => {
        let state: CallState<Reason> = IDLE;
        for (const input of those) {
          const next = nextState(state, input);
          assert(order.indexOf(next.phase) >= order.indexOf(state.phase), JSON.stringify(those));
          assert.equal(next.reason === undefined, next.phase !== 'ended');
          state = next;
        }
      }),
    );
  });
});

import assert from 'node:assert/strict';
import { Outcomes } from '../../../lib/app/calls/outcomes.ts';
import { ClchatError } from '../../../lib/errors.ts';
import { CALL_ENDS } from '../../../lib/node/calls/wire.ts';
import { callNamed } from '../../support/call-stage.ts';
import { commandOf } from '../../../lib/ui/commands.ts';
import { mayGive } from '../../support/commands.ts';

const A = callNamed('a');
const B = callNamed('b');

describe('what becomes of a call that rings', () => {
  let outcomes: Outcomes;

  beforeEach(() => (outcomes = new Outcomes()));
  const refuses = (promise: Promise<void>, code: string): Promise<void> =>
    assert.rejects(promise, { code });

  it('is told to all who wait for it, and to nobody else', async () => {
    let isSettled = false;
    const both = [outcomes.of(A), outcomes.of(A)];
    const other = outcomes.of(B).finally(() => (isSettled = true));
    outcomes.answered(A);
    await Promise.all(both);
    assert.equal(isSettled, false);
    outcomes.ended(B, 'declined');
    await refuses(other, 'DECLINED');
  });

  it('is known to who begins to wait after it', async () => {
    outcomes.ended(A, 'no answer');
    await refuses(outcomes.of(A), 'NO_ANSWER');
  });

  it('is an error of its own for each reason, which "call" is known to give', async () => {
    assert.ok(commandOf('call'));
    for (const reason of CALL_ENDS) {
      const waiting = outcomes.of(A);
      outcomes.ended(A, reason);
      const error = await waiting.catch((thrown: unknown) => thrown);
      assert.ok(error instanceof ClchatError && mayGive('call', error.code), reason);
      outcomes.ended(B, reason);
    }
  });

  it('is what has kept it from going on, where that is known', async () => {
    const waiting = outcomes.of(A);
    outcomes.ended(A, 'hung up', new ClchatError('NO_MEDIA'));
    await refuses(waiting, 'NO_MEDIA');
  });
});

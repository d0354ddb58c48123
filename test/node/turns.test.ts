import assert from 'node:assert/strict';
import { KeyedTurns, Turns } from '../../lib/node/turns.ts';
import { turns } from '../support/channels.ts';

describe('turns', () => {
  it('let so many through at once, the others in order', async () => {
    const gates: (() => void)[] = [];
    const began: number[] = [];
    const at = new Turns(2);
    const runs = Array.from({ length: 5 }, (_, n) =>
      at.run(async () => {
        began.push(n);
        await new Promise<void>((resolve) => gates.push(resolve));
        if (n === 1) throw new Error('one that fails');
        return n;
      }),
    );
    const results = Promise.allSettled(runs);
    assert.deepEqual(began, [0, 1]);
    // One that fails makes room as well.
    for (let n = 0; n < 5; n++) {
      gates[n]!();
      await turns();
      assert.equal(began.length, Math.min(5, n + 3));
    }
    assert.deepEqual(began, [0, 1, 2, 3, 4]);
    assert.equal((await results).filter(({ status }) => status === 'fulfilled').length, 4);
  });

  it('of keys are one after the other for each, whatever becomes of those before', async () => {
    const began: string[] = [];
    const gates = new Map<string, () => void>();
    const keyed = new KeyedTurns<string>();
    const work = (name: string): Promise<string> =>
      keyed.run(name[0]!, async () => {
        began.push(name);
        await new Promise<void>((resolve) => gates.set(name, resolve));
        if (name === 'a1') throw new Error('one that fails');
        return name;
      });
    const results = Promise.allSettled(['a1', 'b1', 'a2', 'a3'].map(work));
    await turns();
    assert.deepEqual(began, ['a1', 'b1']);
    for (const name of ['a1', 'a2', 'a3', 'b1']) {
      gates.get(name)!();
      await turns();
    }
    assert.deepEqual(began, ['a1', 'b1', 'a2', 'a3']);
    assert.deepEqual(
      (await results).map((one) => (one.status === 'fulfilled' ? one.value : 'failed')),
      ['failed', 'b1', 'a2', 'a3'],
    );
    assert.equal(keyed.size, 0);
  });
});

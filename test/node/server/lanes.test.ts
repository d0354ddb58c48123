import assert from 'node:assert/strict';
import { Lanes, Turns } from '../../../lib/node/server/lanes.ts';
import { anyKey, turns } from '../../support/channels.ts';

describe('lanes of devices', () => {
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

  it('are one for all channels of a device, as long as anything is done for it', async () => {
    const lanes = new Lanes();
    const [alice, bob] = [anyKey().public, anyKey().public];
    const lane = lanes.enter(alice);
    assert.equal(lanes.enter(alice), lane);
    assert.notEqual(lanes.enter(bob), lane);
    lane.budget.hold(100);
    await lanes.leave(bob);
    const left = [lanes.leave(alice), lanes.leave(alice)];
    await turns();
    assert.equal(lanes.size, 1);
    assert.equal(lanes.enter(alice), lane);
    lane.budget.release(100);
    await Promise.all(left);
    assert.equal(lanes.size, 1);
    await lanes.leave(alice);
    assert.equal(lanes.size, 0);
    assert.notEqual(lanes.enter(alice), lane);
  });
});

import assert from 'node:assert/strict';
import { Lanes } from '../../../lib/node/server/lanes.ts';
import { anyKey, turns } from '../../support/channels.ts';

describe('lanes of devices', () => {
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

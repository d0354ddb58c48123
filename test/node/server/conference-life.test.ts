import assert from 'node:assert/strict';
import { install } from '@sinonjs/fake-timers';
import { GRACE_MS } from '../../../lib/node/server/conference-life.ts';
import { ConferenceStage } from '../../support/conference-stage.ts';

describe('conferences, when a connection is lost', () => {
  let stage: ConferenceStage;

  beforeEach(() => {
    stage = new ConferenceStage();
    stage.connect('alice/1', 'bob/1', 'carol/1', 'dave/1');
    stage.relate('alice', 'bob', 'befriended');
    stage.relate('bob', 'carol', 'befriended');
  });
  afterEach(() => stage.conferences.stop());

  it('wait for their owner, and go on when the owner is back', () => {
    stage.begin('bob');
    stage.pass(1_000);
    stage.lose('alice/1');
    assert.deepEqual(stage.news(), [
      'bob: alice lost: tea(alice bob) waiting',
      'carol: alice lost: tea(bob) waiting',
    ]);
    stage.pass(GRACE_MS - 1);
    assert.deepEqual([stage.list('bob/1')[0]?.away, stage.news()], [['alice'], []]);
    stage.connect('alice/1');
    assert.deepEqual(stage.news(), [
      'alice: alice back: tea(alice bob)',
      'bob: alice back: tea(alice bob)',
      'carol: alice back: tea(bob)',
    ]);
    stage.pass(10 * GRACE_MS);
    assert.deepEqual(stage.participants('x'), ['alice', 'bob']);
    // Each loss has its own time.
    stage.lose('alice/1');
    stage.pass(GRACE_MS - 1);
    assert.deepEqual(stage.ended, []);
  });

  it('end when the time of the owner is over', () => {
    stage.begin('bob');
    stage.lose('alice/1');
    stage.told();
    stage.pass(GRACE_MS);
    assert.deepEqual(stage.news(), [
      'bob: owner lost: tea() ended',
      'carol: owner lost: tea() ended',
    ]);
    assert.deepEqual([stage.ended, stage.left], [['x'], []]);
    stage.connect('alice/1');
    assert.deepEqual(stage.list('alice/1'), []);
    stage.create('alice/1', 'y', 'tea');
  });

  it('count the owner’s last device only', () => {
    stage.begin('bob');
    stage.connect('alice/2');
    stage.join('alice/2', { id: 'x' }, { secondDevice: true });
    stage.told();
    stage.lose('alice/1');
    stage.connect('alice/1');
    stage.lose('alice/1');
    stage.pass(GRACE_MS / 2);
    assert.deepEqual(stage.news(), []);
    stage.lose('alice/2');
    assert.equal(stage.news().length, 2);
    stage.pass(GRACE_MS / 2);
    assert.deepEqual(stage.ended, []);
    // The first has been given up meanwhile.
    stage.connect('alice/1');
    assert.deepEqual([stage.news(), stage.list('alice/1')[0]?.here], [[], false]);
    stage.pass(GRACE_MS / 2);
    assert.deepEqual(stage.ended, ['x']);
  });

  it('keep the place of others for the same time', () => {
    stage.begin('bob', 'carol');
    stage.lose('bob/1');
    assert.deepEqual(stage.news(), [
      'alice: bob lost: tea(alice bob carol)',
      'carol: bob lost: tea(alice bob carol)',
    ]);
    stage.pass(GRACE_MS - 1);
    stage.connect('bob/1');
    assert.equal(stage.list('bob/1')[0]?.here, true);
    stage.lose('bob/1');
    stage.told();
    stage.pass(GRACE_MS);
    assert.deepEqual(stage.news(), [
      'alice: bob left: tea(alice carol)',
      'carol: bob left: tea(alice carol)',
    ]);
    assert.deepEqual(stage.left, ['bob x']);
  });

  it('end when it was everybody’s', () => {
    stage.begin('bob', 'carol');
    for (const one of ['bob', 'alice', 'carol']) stage.lose(`${one}/1`);
    stage.pass(GRACE_MS);
    assert.deepEqual([stage.ended, stage.left], [['x'], []]);
  });

  it('go on under an owner who took over in time', () => {
    stage.begin('bob');
    stage.connect('alice/2');
    stage.lose('alice/1');
    // From a device that is not in it.
    stage.transfer('alice', 'x', 'bob');
    assert.equal(stage.list('bob/1')[0]?.state, 'active');
    stage.pass(GRACE_MS);
    assert.deepEqual([stage.participants('x'), stage.ended], [['bob'], []]);
  });

  it('are left for good by who leaves on the last device that is connected', () => {
    stage.begin('bob');
    stage.connect('bob/2');
    stage.join('bob/2', { id: 'x' }, { secondDevice: true });
    stage.lose('bob/1');
    stage.leave('bob/2');
    assert.deepEqual(stage.participants('x'), ['alice']);
    stage.connect('bob/1');
    assert.equal(stage.list('bob/1')[0]?.here, false);
  });

  it('are swept by themselves', () => {
    const timers = install({ toFake: ['setInterval', 'clearInterval'] });
    try {
      stage = new ConferenceStage();
      stage.connect('alice/1');
      stage.begin();
      stage.lose('alice/1');
      stage.clock.pass(GRACE_MS);
      timers.tick(1_000);
      assert.deepEqual(stage.ended, ['x']);
      stage.conferences.stop();
      assert.equal(timers.countTimers(), 0);
    } finally {
      timers.uninstall();
    }
  });
});

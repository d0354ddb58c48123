import assert from 'node:assert/strict';
import { RESUME_MS } from '../../../lib/node/calls/wire.ts';

import { CallStage } from '../../support/call-stage.ts';
import { refused } from '../../support/conference-stage.ts';

/** Those of which the server knows nothing any more. */
describe('calls', () => {
  let stage: CallStage;

  beforeEach(() => {
    stage = CallStage.ofFriends();
  });
  afterEach(() => {
    stage.calls.stop();
  });

  describe('that went on when the server was lost', () => {
    it('are of a room again with the first who says so', () => {
      const options = { id: 'a', resumed: true };
      const view = stage.start('alice/1', { room: 'x' }, options);
      assert.equal(view.state, 'active');
      assert.equal(stage.start('bob/1', { room: 'x' }, options).id, view.id);
      // Somebody else has begun another one meanwhile.
      assert.equal(stage.start('carol/1', { room: 'x' }, { ...options, id: 'c' }).id, view.id);
    });

    it('go on for who may be in them, whether they may begin such a call or not', () => {
      const options = { id: 'a', resumed: true };
      for (const right of ['callUser', 'callRoom']) stage.denied.add(`alice ${right}`);
      assert.equal(stage.start('alice/1', { room: 'x' }, options).state, 'active');
      stage.leave('alice/1', 'a');
      // They need not be contacts where a room has brought them together.
      assert.equal(stage.start('dave/1', { user: 'bob' }, options).state, 'active');
      stage.leave('dave/1', 'a');
      stage.denied.add('alice joinVoiceRoom');
      refused(() => stage.start('alice/1', { room: 'x' }, options), 'DENIED');
      refused(() => stage.start('dave/1', { room: 'x' }, options), 'NOT_MEMBER');
      stage.block('bob', 'carol');
      refused(() => stage.start('carol/1', { user: 'bob' }, options), 'BLOCKED');
    });

    it('are over a minute after the start of the server, and ring nobody', () => {
      const options = { id: 'a', resumed: true };
      stage.clock.pass(59_999);
      stage.start('alice/1', { user: 'bob' }, options);
      stage.leave('alice/1', 'a');
      stage.clock.pass(1);
      stage.news();
      refused(() => stage.start('alice/1', { user: 'bob' }, options), 'STALE', /over/);
      refused(() => stage.start('alice/1', { room: 'x' }, options), 'STALE');
      assert.deepEqual([stage.news(), stage.calls.size], [[], 0]);
    });

    it('are not any other ones that there are by then', () => {
      const options = { id: 'a', resumed: true };
      stage.clock.pass(60_000);
      stage.start('bob/1', { user: 'alice' }, { id: 'b' });
      stage.start('carol/1', { room: 'x' }, { id: 'c' });
      stage.news();
      // Nor is a call answered that just rings.
      refused(() => stage.start('alice/1', { user: 'bob' }, options), 'STALE');
      refused(() => stage.start('alice/1', { room: 'x' }, options), 'STALE');
      stage.connect('alice/2');
      stage.answer('alice/2', 'b');
      refused(
        () => stage.start('alice/1', { user: 'bob' }, { ...options, secondDevice: true }),
        'STALE',
      );
      const devices = stage.list('alice/2').calls;
      assert.deepEqual(devices, ['bob→alice active (bob/1 alice/2)']);
    });

    it('go on that were over while nobody was within reach, for ten minutes', () => {
      for (const [target, other] of [
        [{ room: 'x' }, { room: 'x' }],
        [{ user: 'bob' }, { user: 'alice' }],
      ] as const) {
        stage.pass(60_000);
        stage.start('alice/1', target, { id: 'a' });
        if ('room' in target) stage.start('bob/1', target);
        else stage.answer('bob/1', 'a');
        for (const device of ['alice/1', 'bob/1']) stage.lose(device);
        stage.pass(90_000);
        assert.deepEqual(stage.list('alice/1').calls, []);
        for (const device of ['alice/1', 'bob/1']) stage.connect(device);
        stage.news();
        const resumed = { id: 'a', resumed: true };
        refused(() => stage.start('bob/1', other, { ...resumed, id: 'b' }), 'STALE');
        stage.start('alice/1', target, resumed);
        stage.start('bob/1', other, resumed);
        assert.match(stage.list('alice/1').calls.join(), /active \(alice\/1 bob\/1\)/);
        assert.equal(
          stage.news().some((one) => one.includes('ringing')),
          false,
        );
        for (const device of ['alice/1', 'bob/1'])
          if (stage.list(device).calls.length > 0) stage.leave(device, 'a');
        // It was over by somebody's wish then.
        refused(() => stage.start('alice/1', target, resumed), 'STALE');
        stage.start('alice/1', target, { id: 'c' });
        stage.lose('alice/1');
        for (const milliseconds of [60_000, 600_000]) stage.pass(milliseconds);
        stage.connect('alice/1');
        refused(() => stage.start('alice/1', target, { id: 'c', resumed: true }), 'STALE');
      }
    });

    it('are over for who was away while the other of two was not', () => {
      stage.pass(60_000);
      stage.start('alice/1', { user: 'bob' }, { id: 'a' });
      stage.answer('bob/1', 'a');
      stage.lose('alice/1');
      stage.pass(60_000);
      stage.connect('alice/1');
      refused(() => stage.start('alice/1', { user: 'bob' }, { id: 'a', resumed: true }), 'STALE');
    });

    it('are come back into as long as they go on', () => {
      stage.start('alice/1', { room: 'x' }, { id: 'a' });
      stage.start('bob/1', { room: 'x' });
      stage.lose('alice/1');
      stage.pass(3_600_000);
      assert.deepEqual(stage.list('bob/1').calls, ['#x active (bob/1)']);
      stage.connect('alice/1');
      const view = stage.start('alice/1', { room: 'x' }, { id: 'a', resumed: true });
      assert.equal(view.participants.length, 2);
    });

    it('are no more those of a device whose place another one has taken', () => {
      stage.connect('alice/2');
      stage.start('alice/1', { room: 'x' }, { id: 'a' });
      stage.lose('alice/1');
      stage.start('alice/2', { room: 'x' }, { id: 'b' });
      stage.connect('alice/1');
      const options = { id: 'a', resumed: true };
      refused(() => stage.start('alice/1', { room: 'x' }, options), 'BUSY', /another device/);
      stage.start('alice/1', { room: 'x' }, { ...options, secondDevice: true });
    });

    it('are between two as soon as the other is there, and ring nobody', () => {
      const options = { id: 'a', resumed: true };
      stage.lose('bob/1');
      assert.equal(stage.start('alice/1', { user: 'bob' }, options).state, 'active');
      stage.connect('bob/1');
      assert.deepEqual(stage.list('bob/1').calls, []);
      stage.pass(RESUME_MS - 1);
      // It does not matter who called whom, nor whether they may call.
      stage.denied.add('bob callUser');
      const view = stage.start('bob/1', { user: 'alice' }, options);
      assert.deepEqual(
        view.participants.map(({ user }) => user),
        ['alice', 'bob'],
      );
      stage.pass(RESUME_MS);
      stage.news();
      stage.leave('bob/1', 'a');
      assert.deepEqual(stage.news().at(0), 'alice/1: alice→bob ended: hung up');
      assert.deepEqual(stage.left(), ['alice→bob ended 15 s 2']);
    });

    it('are lost where the other does not come', () => {
      const options = { id: 'a', resumed: true };
      stage.connect('alice/2');
      stage.start('alice/1', { user: 'bob' }, options);
      stage.start('alice/2', { user: 'bob' }, { ...options, secondDevice: true });
      // Nobody is kept from being called by it.
      stage.start('carol/1', { user: 'bob' });
      stage.news();
      stage.pass(RESUME_MS);
      const news = stage.news().filter((line) => line.startsWith('alice'));
      assert.deepEqual(news, ['alice/1: alice→bob ended: lost', 'alice/2: alice→bob ended: lost']);
      assert.deepEqual(stage.left(), ['carol→bob missed 0 s 1']);
    });
  });
});

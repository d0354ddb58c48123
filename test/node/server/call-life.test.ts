import assert from 'node:assert/strict';
import { RING_MS } from '../../../lib/node/calls/wire.ts';
import { GRACE_MS } from '../../../lib/node/server/call-life.ts';
import { CallStage } from '../../support/call-stage.ts';
import { refused } from '../../support/conference-stage.ts';

describe('comings and goings in calls', () => {
  let stage: CallStage;

  beforeEach(() => {
    stage = new CallStage();
    stage.connect('alice/1', 'bob/1', 'carol/1');
    stage.befriend('alice', 'bob');
    stage.room('x', 'alice', 'bob', 'carol');
  });
  afterEach(() => {
    stage.calls.stop();
  });

  /** Alice and bob talk; that was told already. */
  const talk = (): void => {
    stage.start('alice/1', { user: 'bob' }, { id: 'a' });
    stage.answer('bob/1', 'a');
    stage.news();
  };
  /** All three are in the room's call. */
  const meet = (): void => {
    stage.start('alice/1', { room: 'x' }, { id: 'a' });
    for (const device of ['bob/1', 'carol/1']) stage.start(device, { room: 'x' });
    stage.pass(1_000);
    stage.news();
  };

  describe('a device whose connection is lost', () => {
    it('is away for all, and back with its login', () => {
      meet();
      stage.lose('alice/1');
      const away = '#x active (alice/1* bob/1 carol/1)';
      assert.deepEqual(stage.news(), [`bob/1: ${away}`, `carol/1: ${away}`]);
      stage.pass(GRACE_MS - 1);
      stage.connect('alice/1');
      const back = '#x active (alice/1 bob/1 carol/1)';
      assert.deepEqual(stage.list('alice/1').calls, [back]);
      assert.deepEqual(stage.news(), [`alice/1: ${back}`, `bob/1: ${back}`, `carol/1: ${back}`]);
      stage.pass(GRACE_MS);
      assert.deepEqual(stage.news(), []);
    });

    it('is out after a while', () => {
      meet();
      stage.lose('alice/1');
      stage.lose('alice/1');
      stage.news();
      stage.pass(GRACE_MS);
      const left = '#x active (bob/1 carol/1)';
      assert.deepEqual(stage.news(), [`bob/1: ${left}`, `carol/1: ${left}`]);
      stage.connect('alice/1');
      assert.deepEqual(stage.list('alice/1'), { calls: [], rooms: ['#x active [bob carol]'] });
      stage.start('alice/1', { room: 'x' });
    });

    it('is out for both of two', () => {
      talk();
      stage.clock.pass(10_000);
      stage.lose('alice/1');
      stage.pass(GRACE_MS - 1);
      assert.deepEqual(stage.news(), ['bob/1: alice→bob active (alice/1* bob/1)']);
      stage.pass(1);
      assert.deepEqual(stage.news(), ['bob/1: alice→bob ended: lost']);
      assert.deepEqual(stage.left(), ['alice→bob ended 40 s 2']);
      assert.equal(stage.calls.size, 0);
    });

    it('gives its place to another of the account that comes in its stead', () => {
      meet();
      stage.lose('alice/1');
      stage.connect('alice/2');
      stage.start('alice/2', { room: 'x' });
      stage.connect('alice/1');
      assert.deepEqual(stage.list('alice/1').calls, []);
      assert.deepEqual(stage.list('alice/2').calls, ['#x active (bob/1 carol/1 alice/2)']);
    });

    it('keeps it beside another that asks to be in the call as well', () => {
      meet();
      stage.lose('alice/1');
      stage.connect('alice/2');
      stage.start('alice/2', { room: 'x' }, { secondDevice: true });
      stage.connect('alice/1');
      assert.deepEqual(stage.list('alice/1').calls, ['#x active (alice/1 bob/1 carol/1 alice/2)']);
    });

    it('of the one who calls does not end the ringing', () => {
      stage.start('alice/1', { user: 'bob' }, { id: 'a' });
      stage.lose('alice/1');
      stage.news();
      assert.equal(stage.answer('bob/1', 'a').participants[0]?.away, true);
      stage.connect('alice/1');
      assert.deepEqual(stage.list('alice/1').calls, ['alice→bob active (alice/1 bob/1)']);
    });

    it('of the last in a room ends its call', () => {
      stage.start('alice/1', { room: 'x' }, { id: 'a' });
      stage.news();
      stage.lose('alice/1');
      stage.pass(GRACE_MS);
      assert.deepEqual(stage.news(), ['bob/1: #x ended []', 'carol/1: #x ended []']);
      assert.equal(stage.calls.size, 0);
    });
  });

  describe('a device that goes for good', () => {
    it('hangs up', () => {
      talk();
      stage.logout('bob/1');
      assert.deepEqual(stage.news(), ['alice/1: alice→bob ended: hung up']);
    });

    it('leaves the call of a room', () => {
      meet();
      stage.logout('alice/1');
      const left = '#x active (bob/1 carol/1)';
      assert.deepEqual(stage.news(), [`bob/1: ${left}`, `carol/1: ${left}`]);
    });

    it('gives up the call that it makes', () => {
      stage.start('alice/1', { user: 'bob' }, { id: 'a' });
      stage.news();
      stage.logout('alice/1');
      assert.deepEqual(stage.news(), ['bob/1: alice→bob ended: withdrawn']);
      assert.deepEqual(stage.left(), ['alice→bob missed 0 s 1']);
    });

    it('rings no more, where the others do', () => {
      stage.connect('bob/2');
      stage.start('alice/1', { user: 'bob' }, { id: 'a' });
      stage.logout('bob/1');
      stage.connect('bob/1');
      stage.logout('bob/1');
      stage.news();
      stage.pass(RING_MS);
      assert.deepEqual(stage.news(), [
        'alice/1: alice→bob ended: no answer',
        'bob/2: alice→bob ended: no answer',
      ]);
    });
  });

  describe('whoever loses the right', () => {
    it('by leaving a room is put out of its call', () => {
      meet();
      stage.putOut('bob', 'x');
      const left = '#x active (alice/1 carol/1)';
      assert.deepEqual(stage.news(), [
        `alice/1: ${left}`,
        'bob/1: #x ended: put out',
        `carol/1: ${left}`,
      ]);
      assert.deepEqual(stage.list('bob/1'), { calls: [], rooms: [] });
    });

    it('since the room is no more is put out with all the others', () => {
      meet();
      stage.removeRoom('x');
      const news = ['alice/1', 'bob/1', 'carol/1'].map((one) => `${one}: #x ended: put out`);
      assert.deepEqual(stage.news(), news);
      assert.equal(stage.calls.size, 0);
    });

    it('by the end of the account is put out of all', () => {
      stage.connect('bob/2');
      stage.befriend('bob', 'carol');
      stage.start('carol/1', { user: 'bob' }, { id: 'c' });
      stage.answer('bob/1', 'c');
      stage.start('bob/2', { room: 'x' });
      stage.start('alice/1', { room: 'x' });
      stage.pass(1_000);
      stage.news();
      stage.remove('bob');
      assert.deepEqual(
        stage.news().filter((line) => !line.startsWith('bob')),
        ['alice/1: #x active (alice/1)', 'carol/1: carol→bob ended: put out'],
      );
      stage.pass(1_000);
      assert.deepEqual(stage.news(), ['carol/1: #x active [alice]']);
    });

    it('while it rings leaves nothing behind', () => {
      stage.start('alice/1', { user: 'bob' }, { id: 'a' });
      stage.news();
      stage.remove('bob');
      assert.ok(stage.news().includes('alice/1: alice→bob ended: put out'));
      stage.befriend('alice', 'carol');
      stage.start('alice/1', { user: 'carol' }, { id: 'b' });
      stage.remove('alice');
      assert.ok(stage.news().includes('carol/1: alice→carol ended: withdrawn'));
      assert.deepEqual([stage.left(), stage.calls.size], [[], 0]);
    });

    it('by one device that is shut out is out with that alone', () => {
      stage.connect('alice/2');
      meet();
      stage.start('alice/2', { room: 'x' }, { secondDevice: true });
      stage.news();
      stage.revoke('alice/1');
      assert.deepEqual(stage.news()[0], 'alice/1: #x ended: put out');
      assert.deepEqual(stage.list('alice/2').calls, ['#x active (bob/1 carol/1 alice/2)']);
    });

    it('by a block, of talking to one another', () => {
      for (const [by, other] of [
        ['alice', 'bob'],
        ['bob', 'alice'],
      ] as const) {
        talk();
        stage.block(by, other);
        assert.deepEqual(stage.news(), [
          'alice/1: alice→bob ended: put out',
          'bob/1: alice→bob ended: put out',
        ]);
        stage.unblock(by, other);
      }
      assert.deepEqual(stage.left(), ['alice→bob ended 0 s 2', 'alice→bob ended 0 s 2']);
    });

    it('by a block, while it rings, and nothing is missed', () => {
      stage.start('alice/1', { user: 'bob' }, { id: 'a' });
      stage.block('bob', 'alice');
      assert.ok(stage.news().includes('alice/1: alice→bob ended: put out'));
      assert.deepEqual(stage.left(), []);
      refused(() => stage.answer('bob/1', 'a'), 'NO_CALL');
    });

    it('by a block stays in a call of many', () => {
      meet();
      stage.block('alice', 'bob');
      assert.deepEqual(stage.news(), []);
      assert.deepEqual(stage.list('alice/1').calls, ['#x active (alice/1 bob/1 carol/1)']);
    });
  });
});

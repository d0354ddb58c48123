import assert from 'node:assert/strict';
import { MAX_PARTICIPANTS, RING_MS } from '../../../lib/node/calls/wire.ts';

import { CallStage } from '../../support/call-stage.ts';
import { refused } from '../../support/conference-stage.ts';

describe('calls', () => {
  let stage: CallStage;

  beforeEach(() => {
    stage = CallStage.ofFriends();
  });
  afterEach(() => {
    stage.calls.stop();
  });

  describe('between two', () => {
    it('ring all devices of the one who is called, and begin with the first answer', () => {
      stage.connect('bob/2');
      const view = stage.start('alice/1', { user: 'bob' }, { id: 'a' });
      assert.deepEqual([view.state, view.caller, view.callee], ['ringing', 'alice', 'bob']);
      assert.equal(view.room, undefined);
      const ringing = 'alice→bob ringing (alice/1)';
      assert.deepEqual(stage.news(), [
        `alice/1: ${ringing}`,
        `bob/1: ${ringing}`,
        `bob/2: ${ringing}`,
      ]);
      assert.equal(stage.answer('bob/2', 'a').state, 'active');
      const active = 'alice→bob active (alice/1 bob/2)';
      assert.deepEqual(stage.news(), [
        `alice/1: ${active}`,
        'bob/1: alice→bob ended: elsewhere',
        `bob/2: ${active}`,
      ]);
      refused(() => stage.answer('bob/1', 'a'), 'ALREADY', /another device/);
      refused(() => stage.answer('bob/2', 'a'), 'ALREADY');
      assert.deepEqual(stage.news(), []);
    });

    it('need somebody who is there, another, and a contact who is online', () => {
      stage.remove('dave');
      refused(() => stage.start('alice/1', { user: 'dave' }), 'NO_SUCH_USER');
      refused(() => stage.start('alice/1', { user: 'alice' }), 'SELF');
      stage.connect('erin/1');
      refused(() => stage.start('alice/1', { user: 'erin' }), 'NOT_CONTACT');
      stage.befriend('alice', 'frank');
      refused(() => stage.start('alice/1', { user: 'frank' }), 'OFFLINE');
      assert.deepEqual([stage.news(), stage.left()], [[], []]);
      assert.equal(stage.calls.size, 0);
    });

    it('need a permission', () => {
      stage.denied.add('alice callUser');
      assert.throws(() => stage.start('alice/1', { user: 'bob' }), {
        code: 'DENIED',
        data: { permission: 'callUser' },
      });
      // To be called, and to answer, need none.
      stage.start('bob/1', { user: 'alice' }, { id: 'b' });
      stage.answer('alice/1', 'b');
    });

    it('are for strangers who are in one room', () => {
      stage.room('y', 'alice', 'dave');
      refused(() => stage.start('alice/1', { user: 'dave' }), 'NOT_CONTACT');
      refused(() => stage.start('alice/1', { user: 'dave', in: 'x' }), 'NOT_CONTACT');
      refused(() => stage.start('dave/1', { user: 'alice', in: 'z' }), 'NOT_CONTACT');
      stage.start('dave/1', { user: 'alice', in: 'y' });
      stage.leave('dave/1', 'dave-alice');
      // Though nobody could talk in it.
      stage.rooms.get('y')!.isForText = true;
      stage.start('alice/1', { user: 'dave', in: 'y' });
    });

    it('are not for those who are blocked, nor for those who block', () => {
      stage.block('bob', 'alice');
      refused(() => stage.start('alice/1', { user: 'bob' }), 'BLOCKED', /blocked you/);
      refused(() => stage.start('bob/1', { user: 'alice' }), 'BLOCKED', /You have blocked/);
      // No more is learned of who is there.
      stage.lose('bob/1');
      refused(() => stage.start('alice/1', { user: 'bob' }), 'BLOCKED', /blocked you/);
      assert.deepEqual([stage.news(), stage.left()], [[], []]);
    });

    it('end with no answer when they have rung for long enough', () => {
      stage.start('alice/1', { user: 'bob' }, { id: 'a' });
      stage.news();
      stage.pass(RING_MS - 1);
      assert.deepEqual(stage.news(), []);
      stage.pass(1);
      assert.deepEqual(stage.news(), [
        'alice/1: alice→bob ended: no answer',
        'bob/1: alice→bob ended: no answer',
      ]);
      assert.deepEqual(stage.left(), ['alice→bob missed 0 s 1']);
      refused(() => stage.answer('bob/1', 'a'), 'NO_CALL');
      assert.equal(stage.calls.size, 0);
    });

    it('cannot be answered any more then, though nobody has looked', () => {
      stage.start('alice/1', { user: 'bob' }, { id: 'a' });
      stage.clock.pass(RING_MS);
      refused(() => stage.answer('bob/1', 'a'), 'NO_CALL');
      assert.deepEqual(stage.left(), ['alice→bob missed 0 s 1']);
    });

    it('are declined on any device, and are over on all', () => {
      stage.connect('bob/2');
      stage.start('alice/1', { user: 'bob' }, { id: 'a' });
      stage.news();
      for (const device of ['alice/1', 'carol/1'])
        refused(() => stage.decline(device, 'a'), 'NO_CALL');
      stage.decline('bob/2', 'a');
      assert.deepEqual(stage.news(), [
        'alice/1: alice→bob ended: declined',
        'bob/1: alice→bob ended: elsewhere',
        'bob/2: alice→bob ended: declined',
      ]);
      assert.deepEqual(stage.left(), []);
      refused(() => stage.decline('bob/1', 'a'), 'NO_CALL');
      assert.equal(stage.calls.size, 0);
    });

    it('are withdrawn by whoever called', () => {
      stage.start('alice/1', { user: 'bob' }, { id: 'a' });
      stage.news();
      refused(() => stage.leave('bob/1', 'a'), 'NO_CALL');
      stage.leave('alice/1', 'a');
      assert.deepEqual(stage.news(), [
        'alice/1: alice→bob ended: withdrawn',
        'bob/1: alice→bob ended: withdrawn',
      ]);
      assert.deepEqual(stage.left(), ['alice→bob missed 0 s 1']);
      refused(() => stage.leave('alice/1', 'a'), 'NO_CALL');
    });

    it('are over for both when either hangs up', () => {
      stage.start('alice/1', { user: 'bob' }, { id: 'a' });
      stage.clock.pass(2_000);
      stage.answer('bob/1', 'a');
      stage.news();
      stage.clock.pass(60_400);
      stage.leave('bob/1', 'a');
      assert.deepEqual(stage.news(), [
        'alice/1: alice→bob ended: hung up',
        'bob/1: alice→bob ended: hung up',
      ]);
      assert.deepEqual(stage.left(), ['alice→bob ended 60 s 2']);
      assert.equal(stage.calls.size, 0);
    });

    it('of whoever calls back are an answer', () => {
      stage.start('alice/1', { user: 'bob' }, { id: 'a' });
      const view = stage.start('bob/1', { user: 'alice' }, { id: 'b' });
      assert.equal(view.state, 'active');
      assert.deepEqual(stage.news(), [
        'alice/1: alice→bob active (alice/1 bob/1)',
        'bob/1: alice→bob active (alice/1 bob/1)',
      ]);
      refused(() => stage.leave('bob/1', 'b'), 'NO_CALL');
      stage.leave('bob/1', 'a');
    });

    it('find those busy who are in a call, call or are called, on whatever device', () => {
      stage.connect('bob/2');
      const busy = (): void => {
        refused(() => stage.start('dave/1', { user: 'bob', in: 'y' }), 'BUSY');
        assert.deepEqual(stage.left(), ['dave→bob missed 0 s 1']);
      };
      stage.room('y', 'bob', 'dave');
      stage.start('alice/1', { user: 'bob' }, { id: 'a' });
      busy();
      stage.answer('bob/2', 'a');
      busy();
      stage.leave('bob/2', 'a');
      stage.start('bob/1', { user: 'carol' });
      stage.left();
      busy();
      stage.leave('bob/1', 'bob-carol');
      stage.start('bob/1', { room: 'x' });
      stage.left();
      busy();
      stage.leave('bob/1', 'bob-x');
      assert.equal(stage.start('dave/1', { user: 'bob', in: 'y' }).state, 'ringing');
    });

    it('leave a missed call with those alone who could be called', () => {
      stage.start('bob/1', { user: 'carol' });
      stage.block('bob', 'alice');
      refused(() => stage.start('alice/1', { user: 'bob' }), 'BLOCKED');
      refused(() => stage.start('dave/1', { user: 'bob' }), 'NOT_CONTACT');
      // One's own being busy comes first.
      stage.unblock('bob', 'alice');
      stage.start('alice/1', { room: 'x' });
      refused(() => stage.start('alice/1', { user: 'bob' }), 'BUSY', /hangup/);
      assert.deepEqual(stage.left(), []);
    });

    it('ring devices that log in meanwhile', () => {
      stage.start('alice/1', { user: 'bob' }, { id: 'a' });
      stage.news();
      stage.connect('bob/2');
      const ringing = 'alice→bob ringing (alice/1)';
      assert.deepEqual(stage.list('bob/2'), { calls: [ringing], rooms: [] });
      assert.ok(stage.news().includes(`bob/2: ${ringing}`));
      stage.answer('bob/2', 'a');
      stage.connect('bob/3');
      assert.deepEqual(stage.list('bob/3'), { calls: [], rooms: [] });
    });

    it('go on ringing while nobody is there, and are missed by those who come too late', () => {
      stage.start('alice/1', { user: 'bob' }, { id: 'a' });
      stage.lose('bob/1');
      stage.pass(RING_MS - 1);
      stage.connect('bob/1');
      assert.deepEqual(stage.list('bob/1').calls, ['alice→bob ringing (alice/1)']);
      stage.lose('bob/1');
      stage.pass(1);
      stage.connect('bob/1');
      assert.deepEqual(stage.list('bob/1').calls, []);
      assert.deepEqual(stage.left(), ['alice→bob missed 0 s 1']);
    });

    it('take further devices of those who ask for it', () => {
      stage.connect('alice/2', 'bob/2');
      stage.start('alice/1', { user: 'bob' }, { id: 'a' });
      refused(() => stage.start('alice/1', { user: 'bob' }), 'ALREADY', /in that call already/);
      refused(() => stage.start('alice/2', { user: 'bob' }), 'ALREADY', /--device/);
      stage.start('alice/2', { user: 'bob' }, { secondDevice: true });
      stage.answer('bob/1', 'a');
      refused(() => stage.start('bob/2', { user: 'alice' }), 'ALREADY', /--device/);
      stage.start('bob/2', { user: 'alice' }, { secondDevice: true });
      stage.news();
      stage.leave('alice/1', 'a');
      assert.deepEqual(stage.news(), [
        'alice/1: alice→bob ended: hung up',
        'alice/2: alice→bob active (alice/2 bob/1 bob/2)',
        'bob/1: alice→bob active (alice/2 bob/1 bob/2)',
        'bob/2: alice→bob active (alice/2 bob/1 bob/2)',
      ]);
      stage.leave('alice/2', 'a');
      assert.deepEqual(stage.list('bob/1').calls, []);
      assert.deepEqual(stage.left(), ['alice→bob ended 0 s 2']);
    });

    it('of which the caller leaves one device go on ringing with the other', () => {
      stage.connect('alice/2');
      stage.start('alice/1', { user: 'bob' }, { id: 'a' });
      stage.start('alice/2', { user: 'bob' }, { secondDevice: true });
      stage.leave('alice/1', 'a');
      assert.deepEqual(stage.list('bob/1').calls, ['alice→bob ringing (alice/2)']);
    });
  });

  describe('of a room', () => {
    it('are begun and joined, and the others are told', () => {
      const view = stage.start('alice/1', { room: 'x' }, { id: 'a' });
      assert.deepEqual([view.room, view.state, view.caller], ['x', 'active', undefined]);
      assert.deepEqual(stage.news(), [
        'alice/1: #x active (alice/1)',
        'bob/1: #x active [alice]',
        'carol/1: #x active [alice]',
      ]);
      // By another id, since it cannot be known which.
      const joined = stage.start('bob/1', { room: 'x' }, { id: 'b' });
      assert.equal(joined.id, view.id);
      stage.pass(500);
      assert.deepEqual(stage.news(), [
        'alice/1: #x active (alice/1 bob/1)',
        'bob/1: #x active (alice/1 bob/1)',
        'carol/1: #x active [alice bob]',
      ]);
    });

    it('are over when the last has left', () => {
      stage.start('alice/1', { room: 'x' }, { id: 'a' });
      stage.clock.pass(5_000);
      stage.start('bob/1', { room: 'x' });
      stage.clock.pass(8_000);
      stage.leave('alice/1', 'a');
      stage.clock.pass(3_000);
      stage.news();
      stage.leave('bob/1', 'a');
      assert.deepEqual(stage.news(), [
        'alice/1: #x ended []',
        'bob/1: #x ended: hung up',
        'bob/1: #x ended []',
        'carol/1: #x ended []',
      ]);
      // Those who were alone in it talked to nobody.
      assert.deepEqual(stage.left(), ['#x ended 8 s 2']);
      assert.equal(stage.calls.size, 0);
      stage.start('carol/1', { room: 'x' });
      stage.leave('carol/1', 'carol-x');
      assert.deepEqual(stage.left(), []);
    });

    it('are for those who are in it, and of such rooms as there are', () => {
      refused(() => stage.start('dave/1', { room: 'x' }), 'NOT_MEMBER');
      refused(() => stage.start('dave/1', { room: 'y' }), 'NO_SUCH_ROOM');
      stage.banned.add('bob x');
      refused(() => stage.start('bob/1', { room: 'x' }), 'BANNED');
      stage.rooms.get('x')!.isForText = true;
      refused(() => stage.start('alice/1', { room: 'x' }), 'NOT_SUPPORTED', /for text only/);
      stage.conference('tea', 'alice');
      refused(() => stage.start('bob/1', { room: 'tea' }), 'NOT_PARTICIPANT', /not in that/);
      assert.equal(stage.calls.size, 0);
    });

    it('take a permission to begin, and another to join', () => {
      for (const name of ['alice', 'bob']) stage.denied.add(`${name} callRoom`);
      stage.denied.add('bob joinVoiceRoom').add('carol joinVoiceRoom');
      const data = { permission: 'callRoom' };
      assert.throws(() => stage.start('alice/1', { room: 'x' }), { code: 'DENIED', data });
      stage.start('carol/1', { room: 'x' });
      stage.start('alice/1', { room: 'x' });
      assert.throws(() => stage.start('bob/1', { room: 'x' }), {
        code: 'DENIED',
        data: { permission: 'joinVoiceRoom' },
      });
    });

    it('take none in conferences', () => {
      stage.conference('tea', 'alice', 'bob');
      for (const name of ['alice', 'bob'])
        stage.denied.add(`${name} callRoom`).add(`${name} joinVoiceRoom`);
      stage.start('alice/1', { room: 'tea' });
      stage.start('bob/1', { room: 'tea' });
    });

    it('have so many places and no more', () => {
      for (let n = 0; n <= MAX_PARTICIPANTS; n++) {
        stage.rooms.get('x')!.members.add(`user${n}`);
        stage.connect(`user${n}/1`);
        const join = (): unknown => stage.start(`user${n}/1`, { room: 'x' });
        if (n === MAX_PARTICIPANTS) refused(join, 'TOO_LARGE', /full/);
        else join();
      }
      // Whoever comes in the place of a device that is lost needs no further one.
      stage.lose('user3/1');
      stage.connect('user3/2');
      stage.start('user3/2', { room: 'x' });
      refused(() => stage.start('user3/2', { room: 'x' }), 'ALREADY');
      stage.connect('user4/2');
      refused(() => stage.start('user4/2', { room: 'x' }, { secondDevice: true }), 'TOO_LARGE');
    });

    it('are joined once, unless somebody asks to be in them on another device', () => {
      stage.connect('alice/2');
      stage.start('alice/1', { room: 'x' }, { id: 'a' });
      refused(() => stage.start('alice/1', { room: 'x' }), 'ALREADY', /in that call already/);
      refused(() => stage.start('alice/2', { room: 'x' }), 'ALREADY', /--device/);
      stage.start('alice/2', { room: 'x' }, { secondDevice: true });
      assert.deepEqual(stage.list('alice/2').calls, ['#x active (alice/1 alice/2)']);
      stage.start('bob/1', { room: 'x' });
      stage.leave('alice/1', 'a');
      stage.leave('alice/2', 'a');
      stage.leave('bob/1', 'a');
      assert.deepEqual(stage.left(), ['#x ended 0 s 2']);
    });

    it('cannot be answered or declined', () => {
      stage.start('alice/1', { room: 'x' }, { id: 'a' });
      refused(() => stage.answer('bob/1', 'a'), 'NO_CALL');
      refused(() => stage.decline('bob/1', 'a'), 'NO_CALL');
    });
  });

  describe('of one device', () => {
    it('are no more than one', () => {
      stage.room('y', 'alice', 'carol');
      stage.start('alice/1', { room: 'x' });
      refused(() => stage.start('alice/1', { user: 'bob' }), 'BUSY', /You are in a call already/);
      refused(() => stage.start('alice/1', { room: 'y' }), 'BUSY', /hangup/);
      stage.start('carol/1', { room: 'y' });
      refused(() => stage.start('alice/1', { room: 'y' }), 'BUSY');
      stage.connect('alice/2');
      stage.start('alice/2', { room: 'y' });
    });

    it('are no more than one, also for whoever answers', () => {
      stage.connect('bob/2');
      stage.start('alice/1', { user: 'bob' }, { id: 'a' });
      stage.start('bob/1', { room: 'x' });
      refused(() => stage.answer('bob/1', 'a'), 'BUSY');
      stage.answer('bob/2', 'a');
    });

    it('count as being at work there while it is connected', () => {
      const isBusy = (): boolean => stage.calls.isBusy('alice/1' as never);
      assert.ok(!isBusy());
      stage.start('alice/1', { room: 'x' }, { id: 'a' });
      assert.ok(isBusy());
      stage.lose('alice/1');
      assert.ok(!isBusy());
      stage.connect('alice/1');
      assert.ok(isBusy());
      stage.leave('alice/1', 'a');
      assert.ok(!isBusy());
    });
  });

  describe('tell what is switched on', () => {
    it('to all who are in them', () => {
      stage.start('alice/1', { room: 'x' }, { id: 'a' });
      stage.start('bob/1', { room: 'x' });
      stage.pass(1_000);
      stage.news();
      stage.update('bob/1', 'a', { camera: true });
      stage.update('bob/1', 'a', { camera: true, live: 'slides' });
      assert.deepEqual(stage.news(), [
        'alice/1: #x active (alice/1 bob/1+"slides")',
        'bob/1: #x active (alice/1 bob/1+"slides")',
      ]);
      refused(() => stage.update('carol/1', 'a', {}), 'NO_CALL');
      refused(() => stage.update('bob/1', 'b', {}), 'NO_CALL');
    });

    it('at a bounded rate', () => {
      stage.start('alice/1', { room: 'x' }, { id: 'a' });
      for (let n = 0; n < 30; n++) stage.update('alice/1', 'a', {});
      refused(() => stage.update('alice/1', 'a', {}), 'RATE_LIMITED');
      stage.clock.pass(100);
      stage.update('alice/1', 'a', {});
      refused(() => stage.update('alice/1', 'a', {}), 'RATE_LIMITED');
    });
  });

  it('are begun at a bounded rate', () => {
    for (let n = 0; n < 10; n++) {
      stage.start('alice/1', { user: 'bob' }, { id: 'a' });
      stage.leave('alice/1', 'a');
    }
    refused(() => stage.start('alice/1', { user: 'bob' }), 'RATE_LIMITED');
    stage.start('bob/1', { user: 'alice' });
    stage.leave('bob/1', 'bob-alice');
    stage.clock.pass(3_001);
    stage.start('alice/1', { user: 'bob' });
    stage.leave('alice/1', 'alice-bob');
    for (let n = 0; n < 30; n++) {
      stage.start('alice/1', { room: 'x' }, { id: 'a' });
      stage.leave('alice/1', 'a');
    }
    refused(() => stage.start('alice/1', { room: 'x' }), 'RATE_LIMITED');
    stage.clock.pass(1_001);
    stage.start('alice/1', { room: 'x' });
  });

  it('have each an id of their own', () => {
    stage.start('alice/1', { room: 'x' }, { id: 'a' });
    refused(() => stage.start('bob/1', { user: 'carol' }, { id: 'a' }), 'ALREADY', /of that id/);
    stage.conference('tea', 'bob');
    refused(() => stage.start('bob/1', { room: 'tea' }, { id: 'a' }), 'ALREADY');
    assert.deepEqual(stage.left(), []);
  });

  it('are listed for those in them, those they ring and those in the room', () => {
    stage.start('alice/1', { room: 'x' });
    stage.start('bob/1', { user: 'carol' });
    assert.deepEqual(stage.list('alice/1'), { calls: ['#x active (alice/1)'], rooms: [] });
    const [ringing, room] = ['bob→carol ringing (bob/1)', '#x active [alice]'];
    for (const device of ['bob/1', 'carol/1'])
      assert.deepEqual(stage.list(device), { calls: [ringing], rooms: [room] });
    assert.deepEqual(stage.list('dave/1'), { calls: [], rooms: [] });
    stage.block('alice', 'carol');
    assert.deepEqual(stage.list('carol/1').rooms, ['#x active []']);
  });
});

import assert from 'node:assert/strict';
import { GRACE_MS } from '../../../lib/node/server/conference-life.ts';
import { ConferenceStage, refused } from '../../support/conference-stage.ts';

describe('conferences', () => {
  let stage: ConferenceStage;

  beforeEach(() => {
    stage = new ConferenceStage();
    stage.connect('alice/1', 'bob/1', 'carol/1', 'dave/1');
    stage.relate('alice', 'bob', 'befriended');
    stage.relate('bob', 'carol', 'befriended');
  });
  afterEach(() => stage.conferences.stop());

  describe('begin', () => {
    it('with their owner in them, and friends are told', () => {
      stage.create('alice/1', 'x', 'tea');
      assert.deepEqual(stage.list('alice/1'), [
        {
          id: 'x',
          name: 'tea',
          owner: 'alice',
          state: 'active',
          participants: ['alice'],
          away: [],
          here: true,
        },
      ]);
      assert.deepEqual(stage.news(), [
        'alice: alice joined: tea(alice)',
        'bob: alice joined: tea(alice)',
      ]);
      assert.deepEqual(stage.participants('x'), ['alice']);
      assert.deepEqual(stage.list('carol/1'), []);
    });

    it('under names that are names', () => {
      for (const name of ['', 'a b', '#x', 'a/b', '\u001b[31m', 'x'.repeat(33), 'Lobby', '-x'])
        refused(() => stage.create('alice/1', 'x', name), 'BAD_NAME');
      assert.deepEqual(stage.news(), []);
    });

    it('under a name that their owner is in none of', () => {
      stage.begin();
      refused(() => stage.create('alice/1', 'y', 'TEA'), 'NAME_CLASH');
      stage.create('bob/1', 'y', 'tea');
      refused(() => stage.join('bob/1', { friend: 'alice' }), 'NAME_CLASH');
      stage.leave('bob/1');
      stage.join('bob/1', { friend: 'alice' });
      refused(() => stage.create('bob/1', 'z', 'Tea'), 'NAME_CLASH');
    });

    it('once for each room', () => {
      stage.begin();
      refused(() => stage.create('bob/1', 'x', 'milk'), 'ALREADY');
      refused(() => stage.create('bob/1', 'lobby', 'milk'), 'ALREADY');
    });
  });

  describe('are joined', () => {
    it('by contacts of anybody in them, the invited and those with the password', () => {
      stage.begin();
      refused(() => stage.join('carol/1', { id: 'x' }), 'DENIED');
      stage.join('bob/1', { id: 'x' });
      stage.join('carol/1', { id: 'x' });
      refused(() => stage.join('dave/1', { id: 'x' }), 'DENIED');
      refused(() => stage.join('dave/1', { id: 'y' }), 'NO_SUCH_ROOM');
      refused(() => stage.invite('dave', 'x', 'dave'), 'NOT_PARTICIPANT');
      stage.invite('carol', 'x', 'dave');
      stage.join('dave/1', { friend: 'carol' });
      assert.deepEqual(stage.participants('x'), ['alice', 'bob', 'carol', 'dave']);
      stage.leave('dave/1');
      stage.kick('alice', 'x', 'carol');
      refused(() => stage.join('dave/1', { friend: 'carol' }), 'NOT_CONTACT');
      // Who was let in once comes again.
      stage.join('dave/1', { id: 'x' });
      stage.connect('erin/1');
      stage.join('erin/1', { id: 'x' }, { isAdmitted: true });
    });

    it('not by those whom the owner has blocked, nor from those who have blocked one', () => {
      stage.begin('bob', 'carol');
      stage.relate('carol', 'dave', 'befriended');
      stage.relate('alice', 'dave', 'blocked');
      refused(() => stage.join('dave/1', { friend: 'carol' }), 'BLOCKED', /owner/);
      refused(() => stage.join('dave/1', { id: 'x' }, { isAdmitted: true }), 'BLOCKED');
      stage.transfer('alice', 'x', 'bob');
      stage.join('dave/1', { friend: 'carol' });
      stage.leave('dave/1');
      stage.relate('carol', 'dave', 'blocked');
      refused(() => stage.join('dave/1', { friend: 'carol' }), 'BLOCKED');
      refused(() => stage.join('dave/1', { id: 'x' }), 'DENIED');
      stage.relate('carol', 'dave', 'unblocked');
      // Who has blocked somebody does not come in by them either.
      stage.relate('dave', 'carol', 'blocked');
      refused(() => stage.join('dave/1', { friend: 'carol' }), 'NOT_CONTACT');
    });

    it('on a second device by those who ask for it', () => {
      stage.begin('bob');
      stage.connect('bob/2');
      refused(() => stage.join('bob/2', { id: 'x' }), 'ALREADY', /--device/);
      const event = stage.join('bob/2', { friend: 'alice' }, { secondDevice: true });
      assert.deepEqual(event.participants, ['alice', 'bob']);
      refused(() => stage.join('bob/2', { id: 'x' }, { secondDevice: true }), 'ALREADY');
      assert.deepEqual(stage.news(), []);
      stage.leave('bob/1');
      refused(() => stage.leave('bob/1'), 'NOT_PARTICIPANT', /another device/);
      assert.deepEqual(stage.news(), []);
      stage.leave('bob/2');
      assert.deepEqual(stage.news(), [
        'alice: bob left: tea(alice)',
        'bob: bob left: tea(alice)',
        'carol: bob left: tea()',
      ]);
      assert.deepEqual(stage.left, ['bob x']);
    });

    it('again on another device, where the first has lost its connection', () => {
      stage.begin('bob');
      stage.lose('bob/1');
      stage.connect('bob/2');
      stage.told();
      stage.join('bob/2', { id: 'x' });
      assert.deepEqual(stage.news(), [
        'alice: bob back: tea(alice bob)',
        'bob: bob back: tea(alice bob)',
      ]);
      // The place was taken over, not shared.
      stage.connect('bob/1');
      assert.deepEqual(stage.list('bob/1')[0]?.here, false);
      refused(() => stage.leave('bob/1'), 'NOT_PARTICIPANT');
      stage.pass(GRACE_MS);
      assert.deepEqual(stage.participants('x'), ['alice', 'bob']);
    });
  });

  describe('are left', () => {
    it('by the name where one is in several', () => {
      refused(() => stage.leave('alice/1'), 'NOT_PARTICIPANT');
      stage.begin();
      stage.create('alice/1', 'y', 'cake');
      refused(() => stage.leave('alice/1'), 'AMBIGUOUS', /cake, tea/);
      refused(() => stage.leave('alice/1', { name: 'no' }), 'NOT_PARTICIPANT');
      refused(() => stage.leave('alice/1', { id: 'z' }), 'NOT_PARTICIPANT');
      assert.deepEqual(stage.leave('alice/1', { name: 'CAKE' }), { id: 'y', name: 'cake' });
      assert.deepEqual(stage.leave('alice/1'), { id: 'x', name: 'tea' });
    });

    it('by their owner, which ends them', () => {
      stage.begin('bob', 'carol');
      stage.leave('alice/1');
      assert.deepEqual(stage.news(), [
        'alice: owner left: tea() ended',
        'bob: owner left: tea() ended',
        'carol: owner left: tea() ended',
      ]);
      assert.deepEqual([stage.ended, stage.left], [['x'], []]);
      assert.deepEqual(stage.participants('x'), []);
      refused(() => stage.join('bob/1', { id: 'x' }), 'NO_SUCH_ROOM');
      for (const one of ['alice/1', 'bob/1', 'carol/1']) assert.deepEqual(stage.list(one), []);
    });

    it('by the last who is in them, which ends them too', () => {
      stage.begin('bob');
      stage.leave('bob/1');
      stage.told();
      stage.leave('alice/1');
      assert.deepEqual(stage.news(), ['alice: empty: tea() ended', 'bob: empty: tea() ended']);
      assert.deepEqual(stage.ended, ['x']);
    });

    it('when a device is logged out', () => {
      stage.begin('bob');
      stage.create('bob/1', 'y', 'milk');
      stage.logout('bob/1');
      assert.deepEqual(stage.participants('x'), ['alice']);
      assert.deepEqual(stage.ended, ['y']);
    });

    it('by an account that is removed', () => {
      stage.begin('bob', 'carol');
      stage.create('bob/1', 'y', 'milk');
      stage.told();
      stage.remove('bob');
      assert.deepEqual(stage.participants('x'), ['alice', 'carol']);
      assert.deepEqual(stage.ended, ['y']);
      assert.ok(stage.news().includes('alice: bob left: tea(alice carol)'));
    });
  });

  describe('are their owner’s', () => {
    it('to rename, give away and end', () => {
      stage.begin('bob');
      for (const id of ['x', 'lobby']) {
        refused(() => stage.rename('bob', id, 'cake'), 'NOT_OWNER');
        refused(() => stage.transfer('bob', id, 'bob'), 'NOT_OWNER');
        refused(() => stage.end('bob', id), 'NOT_OWNER');
        refused(() => stage.kick('bob', id, 'alice'), 'NOT_OWNER');
      }
      for (const run of [
        () => stage.rename('alice', 'y', 'cake'),
        () => stage.transfer('alice', 'y', 'bob'),
        () => stage.end('alice', 'y'),
        () => stage.kick('alice', 'y', 'bob'),
        () => stage.kick('alice', 'y', 'bob', true),
        () => stage.invite('alice', 'y', 'bob'),
      ])
        refused(run, 'NO_SUCH_ROOM');
      assert.deepEqual(stage.news(), []);
      stage.end('alice', 'x');
      assert.deepEqual(stage.news(), [
        'alice: ended by its owner: tea() ended',
        'bob: ended by its owner: tea() ended',
        'carol: ended by its owner: tea() ended',
      ]);
      assert.deepEqual(stage.ended, ['x']);
    });

    it('under a name that all in them are in none of', () => {
      stage.begin('bob');
      stage.create('bob/1', 'y', 'Milk');
      stage.create('alice/1', 'z', 'cake');
      stage.told();
      refused(() => stage.rename('alice', 'x', 'milk'), 'NAME_CLASH', /Somebody/);
      refused(() => stage.rename('alice', 'x', 'CAKE'), 'NAME_CLASH', /You are/);
      refused(() => stage.rename('alice', 'x', 'tea'), 'ALREADY');
      refused(() => stage.rename('alice', 'x', 'a b'), 'BAD_NAME');
      assert.deepEqual(stage.news(), []);
      stage.rename('alice', 'x', 'Tea');
      stage.rename('alice', 'x', 'Chá');
      assert.deepEqual(stage.news().slice(3), [
        'alice: alice renamed: Chá(alice bob)',
        'bob: alice renamed: Chá(alice bob)',
        'carol: alice renamed: Chá(bob)',
      ]);
      stage.create('alice/1', 'w', 'tea');
    });

    it('or another participant’s', () => {
      stage.begin('bob');
      refused(() => stage.transfer('alice', 'x', 'carol'), 'NOT_PARTICIPANT');
      refused(() => stage.transfer('alice', 'x', 'alice'), 'ALREADY');
      stage.lose('bob/1');
      refused(() => stage.transfer('alice', 'x', 'bob'), 'OFFLINE');
      stage.connect('bob/1');
      stage.told();
      stage.transfer('alice', 'x', 'bob');
      assert.deepEqual(stage.news(), [
        'alice: bob owner: tea(alice bob)',
        'bob: bob owner: tea(alice bob)',
        'carol: bob owner: tea(bob)',
      ]);
      stage.leave('alice/1');
      assert.deepEqual(stage.list('bob/1')[0]?.owner, 'bob');
      refused(() => stage.end('alice', 'x'), 'NOT_OWNER');
      stage.end('bob', 'x');
    });

    it('to put others out of, but not the owner', () => {
      stage.begin('bob', 'carol');
      refused(() => stage.kick('alice', 'x', 'dave'), 'NOT_PARTICIPANT');
      refused(() => stage.kick('alice', 'x', 'alice'), 'SELF');
      refused(() => stage.kick('bob', 'x', 'alice', true), 'DENIED');
      stage.kick('bob', 'x', 'carol', true);
      assert.deepEqual(stage.news(), [
        'alice: carol kicked: tea(alice bob)',
        'bob: carol kicked: tea(alice bob)',
        'carol: carol kicked: tea(bob)',
      ]);
      assert.deepEqual(stage.left, ['carol x']);
      stage.invite('alice', 'x', 'dave');
      stage.join('dave/1', { id: 'x' });
      stage.kick('alice', 'x', 'dave');
      refused(() => stage.join('dave/1', { id: 'x' }), 'DENIED');
    });
  });

  describe('of the lobby', () => {
    it('are joined by anybody, owned by nobody, and never end', () => {
      const event = stage.join('dave/1', { name: 'Lobby' });
      assert.deepEqual(event, {
        id: 'lobby',
        name: 'lobby',
        state: 'active',
        participants: ['dave'],
        away: [],
      });
      stage.join('bob/1', { id: 'lobby' });
      refused(() => stage.invite('bob', 'lobby', 'carol'), 'ALREADY');
      refused(() => stage.end('bob', 'lobby'), 'NOT_OWNER');
      assert.deepEqual(stage.list('carol/1')[0]?.participants, ['bob']);
      stage.leave('dave/1');
      stage.lose('bob/1');
      stage.pass(GRACE_MS);
      assert.deepEqual([stage.participants('lobby'), stage.ended], [[], []]);
      assert.deepEqual(stage.list('carol/1'), []);
      stage.join('carol/1', { id: 'lobby' });
    });
  });

  it('tell whether a device is in any', () => {
    stage.begin('bob');
    stage.connect('bob/2');
    const isBusy = (device: string): boolean => stage.isBusy(device);
    assert.deepEqual(['bob/1', 'bob/2', 'carol/1'].map(isBusy), [true, false, false]);
    stage.lose('bob/1');
    assert.equal(isBusy('bob/1'), false);
  });
});

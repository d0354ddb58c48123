import assert from 'node:assert/strict';
import { ConferenceStage, refused } from '../../support/conference-stage.ts';

describe('conferences are seen', () => {
  let stage: ConferenceStage;

  beforeEach(() => {
    stage = new ConferenceStage();
    stage.connect('alice/1', 'bob/1', 'carol/1', 'dave/1');
    stage.relate('alice', 'bob', 'befriended');
    stage.relate('bob', 'carol', 'befriended');
  });
  afterEach(() => stage.conferences.stop());

  it('by friends, as far as they are friends', () => {
    stage.begin('bob', 'dave');
    assert.deepEqual(stage.list('carol/1'), [
      {
        id: 'x',
        name: 'tea',
        owner: 'alice',
        state: 'active',
        participants: ['bob'],
        here: false,
      },
    ]);
    assert.deepEqual(stage.list('dave/1')[0]?.participants, ['alice', 'bob', 'dave']);
    stage.leave('bob/1');
    assert.deepEqual(stage.list('carol/1'), []);
    assert.deepEqual(
      stage.list('bob/1').map(({ participants }) => participants),
      [['alice']],
    );
  });

  it('in the order of their names', () => {
    for (const [id, name] of [
      ['x', 'tea'],
      ['y', 'cake'],
      ['z', 'milk'],
    ] as const)
      stage.create('alice/1', id, name);
    assert.deepEqual(
      stage.list('bob/1').map(({ name }) => name),
      ['cake', 'milk', 'tea'],
    );
  });

  it('by new friends at once, and no longer by former ones', () => {
    stage.begin();
    stage.relate('dave', 'alice', 'befriended');
    stage.relate('bob', 'alice', 'unfriended');
    assert.deepEqual(stage.news(), ['dave: now: tea(alice)', 'bob: now: tea()']);
    assert.deepEqual(stage.list('bob/1'), []);
    stage.leave('alice/1');
    assert.deepEqual(stage.news(), ['alice: empty: tea() ended', 'dave: empty: tea() ended']);
  });

  it('throwing nobody out who is no friend any more', () => {
    stage.begin('bob', 'carol');
    stage.relate('alice', 'bob', 'unfriended');
    stage.relate('bob', 'carol', 'blocked');
    assert.deepEqual(stage.participants('x'), ['alice', 'bob', 'carol']);
    assert.deepEqual(stage.news(), []);
    assert.deepEqual(stage.list('carol/1')[0]?.participants, ['alice', 'bob', 'carol']);
  });

  it('by nobody whom one has blocked', () => {
    stage.begin('bob');
    stage.relate('bob', 'carol', 'blocked');
    assert.deepEqual(stage.news(), ['carol: now: tea()']);
    assert.deepEqual(stage.list('carol/1'), []);
    stage.leave('bob/1');
    stage.join('bob/1', { id: 'x' });
    assert.ok(!stage.news().some((line) => line.startsWith('carol')));
    stage.relate('bob', 'carol', 'unblocked');
    assert.deepEqual(stage.news(), ['carol: now: tea(bob)']);
    // Nor is the owner named, where a friend of both is in it.
    stage.relate('alice', 'carol', 'blocked');
    assert.deepEqual(
      stage.list('carol/1').map(({ owner, participants }) => [owner, participants]),
      [[undefined, ['bob']]],
    );
  });

  it('not through blocks, by those who saw nothing of them', () => {
    stage.begin();
    stage.relate('alice', 'dave', 'blocked');
    stage.relate('dave', 'alice', 'blocked');
    stage.relate('alice', 'dave', 'unblocked');
    assert.deepEqual(stage.news(), []);
    // Nor is the end of a contact told to who could see nothing before.
    stage.relate('alice', 'bob', 'blocked');
    assert.deepEqual(stage.news(), ['bob: now: tea()']);
    stage.relate('bob', 'alice', 'unfriended');
    assert.deepEqual(stage.news(), []);
  });

  it('by the invited, until they block who invited them', () => {
    stage.begin('bob');
    stage.invite('bob', 'x', 'dave');
    assert.deepEqual(stage.news(), ['dave: bob invited: tea(alice bob)']);
    refused(() => stage.invite('alice', 'x', 'dave'), 'ALREADY');
    refused(() => stage.invite('bob', 'x', 'alice'), 'ALREADY');
    refused(() => stage.invite('bob', 'x', 'bob'), 'SELF');
    stage.join('carol/1', { id: 'x' });
    assert.ok(stage.news().includes('dave: carol joined: tea(alice bob carol)'));
    assert.equal(stage.list('dave/1').length, 1);
    stage.relate('dave', 'bob', 'blocked');
    assert.deepEqual(stage.news(), ['dave: now: tea()']);
    refused(() => stage.join('dave/1', { id: 'x' }), 'DENIED');
    refused(() => stage.invite('bob', 'x', 'dave'), 'BLOCKED');
    stage.invite('alice', 'x', 'dave');
  });

  it('no longer by the invited, when all in them have blocked them', () => {
    stage.begin('bob');
    stage.invite('bob', 'x', 'dave');
    stage.leave('bob/1');
    stage.told();
    stage.relate('alice', 'dave', 'blocked');
    assert.deepEqual(stage.news(), ['dave: now: tea()']);
    assert.deepEqual(stage.list('dave/1'), []);
    refused(() => stage.join('dave/1', { id: 'x' }), 'BLOCKED');
  });
});

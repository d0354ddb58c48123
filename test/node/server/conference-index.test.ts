import assert from 'node:assert/strict';
import { ConferenceStage, refused } from '../../support/conference-stage.ts';

describe('conferences are found', () => {
  let stage: ConferenceStage;

  beforeEach(() => {
    stage = new ConferenceStage();
    stage.connect('alice/1', 'bob/1', 'carol/1', 'dave/1');
    stage.relate('alice', 'bob', 'befriended');
    stage.relate('bob', 'carol', 'befriended');
  });
  afterEach(() => stage.conferences.stop());

  it('from a friend, by the name where the friend is in several', () => {
    refused(() => stage.join('bob/1', { friend: 'alice' }), 'NO_SUCH_ROOM', /alice is in no/);
    stage.begin();
    assert.deepEqual(stage.join('bob/1', { friend: 'alice' }).participants, ['alice', 'bob']);
    refused(() => stage.join('bob/1', { friend: 'alice' }), 'ALREADY', /"tea" already/);
    stage.leave('bob/1');
    stage.create('alice/1', 'y', 'cake');
    refused(() => stage.join('bob/1', { friend: 'alice' }), 'AMBIGUOUS', /cake, tea/);
    refused(() => stage.join('bob/1', { friend: 'alice', name: 'no' }), 'NO_SUCH_ROOM');
    assert.equal(stage.join('bob/1', { friend: 'alice', name: 'Cake' }).id, 'y');
    // One of the two is left to join.
    assert.equal(stage.join('bob/1', { friend: 'alice' }).id, 'x');
    refused(() => stage.join('bob/1', { friend: 'alice' }), 'ALREADY');
  });

  it('by the name alone, among those one knows of', () => {
    stage.begin();
    assert.equal(stage.join('bob/1', { name: 'TEA' }).id, 'x');
    refused(() => stage.join('dave/1', { name: 'tea' }), 'NO_SUCH_ROOM');
    stage.relate('carol', 'dave', 'befriended');
    stage.create('dave/1', 'y', 'tea');
    refused(() => stage.join('carol/1', { name: 'tea' }), 'AMBIGUOUS', /called "tea"/);
  });

  it('not from oneself, nor from those who are no contacts', () => {
    stage.begin();
    refused(() => stage.join('alice/1', { friend: 'alice' }), 'SELF');
    refused(() => stage.join('dave/1', { friend: 'alice' }), 'NOT_CONTACT');
    // In the same conference one sees them anyway.
    stage.join('bob/1', { id: 'x' });
    stage.join('carol/1', { id: 'x' });
    refused(() => stage.join('carol/1', { friend: 'alice' }), 'ALREADY');
  });

  it('by their id, whoever is in them', () => {
    stage.begin();
    refused(() => stage.join('dave/1', { id: 'y' }), 'NO_SUCH_ROOM');
    refused(() => stage.join('dave/1', { id: 'x' }), 'DENIED');
    assert.equal(stage.join('dave/1', { id: 'x' }, { isAdmitted: true }).id, 'x');
  });

  it('no longer when they have ended', () => {
    stage.begin('bob');
    stage.end('alice', 'x');
    refused(() => stage.join('bob/1', { id: 'x' }), 'NO_SUCH_ROOM');
    refused(() => stage.join('bob/1', { name: 'tea' }), 'NO_SUCH_ROOM');
    refused(() => stage.join('bob/1', { friend: 'alice' }), 'NO_SUCH_ROOM');
    refused(() => stage.leave('bob/1'), 'NOT_PARTICIPANT');
    assert.deepEqual(stage.participants('x'), []);
  });
});

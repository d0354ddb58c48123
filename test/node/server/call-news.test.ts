import assert from 'node:assert/strict';
import { CallStage } from '../../support/call-stage.ts';

describe('news of calls', () => {
  let stage: CallStage;

  beforeEach(() => {
    stage = new CallStage();
    stage.connect('alice/1', 'bob/1', 'carol/1');
    stage.room('x', 'alice', 'bob', 'carol');
  });
  afterEach(() => {
    stage.calls.stop();
  });

  it('are told once for what changes in one turn', () => {
    stage.start('alice/1', { room: 'x' }, { id: 'a' });
    stage.start('bob/1', { room: 'x' });
    stage.update('alice/1', 'a', { camera: true });
    assert.deepEqual(stage.news(), [
      'alice/1: #x active (alice/1+ bob/1)',
      'bob/1: #x active (alice/1+ bob/1)',
      'carol/1: #x active [alice bob]',
    ]);
    assert.deepEqual(stage.news(), []);
  });

  it('are told by themselves in the next turn', async () => {
    stage.start('alice/1', { room: 'x' }, { id: 'a' });
    assert.equal(stage.heard, 0);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(stage.heard, 3);
  });

  it('go to the others of a room twice a second at most, the last of them for sure', () => {
    stage.start('alice/1', { room: 'x' }, { id: 'a' });
    assert.ok(stage.news().includes('carol/1: #x active [alice]'));
    stage.clock.pass(100);
    stage.start('bob/1', { room: 'x' });
    const toCarol = (): string[] => stage.news().filter((line) => line.startsWith('carol'));
    assert.deepEqual(toCarol(), []);
    stage.leave('bob/1', 'a');
    assert.deepEqual(toCarol(), []);
    stage.start('bob/1', { room: 'x' });
    stage.pass(399);
    assert.deepEqual(toCarol(), []);
    stage.pass(1);
    assert.deepEqual(toCarol(), ['carol/1: #x active [alice bob]']);
    stage.pass(5_000);
    assert.deepEqual(toCarol(), []);
  });

  it('of an end do not wait, and are told to nobody who has heard of no beginning', () => {
    stage.start('alice/1', { room: 'x' }, { id: 'a' });
    stage.news();
    stage.leave('alice/1', 'a');
    assert.deepEqual(stage.news(), [
      'alice/1: #x ended: hung up',
      'alice/1: #x ended []',
      'bob/1: #x ended []',
      'carol/1: #x ended []',
    ]);
    stage.start('alice/1', { room: 'x' }, { id: 'b' });
    stage.leave('alice/1', 'b');
    assert.deepEqual(stage.news(), ['alice/1: #x ended: hung up']);
    assert.equal(stage.calls.size, 0);
  });

  it('of an end come before those of another one that begins there in the same turn', () => {
    stage.start('alice/1', { room: 'x' }, { id: 'a' });
    stage.news();
    stage.leave('alice/1', 'a');
    stage.start('bob/1', { room: 'x' }, { id: 'b' });
    assert.deepEqual(
      stage.news().filter((line) => line.startsWith('carol')),
      ['carol/1: #x ended []', 'carol/1: #x active [bob]'],
    );
  });

  it('tell of other names, to those in a call and to those it rings', () => {
    stage.connect('dave/1');
    stage.befriend('carol', 'dave');
    stage.start('alice/1', { room: 'x' }, { id: 'a' });
    stage.start('bob/1', { room: 'x' });
    stage.start('carol/1', { user: 'dave' });
    stage.pass(1_000);
    stage.news();
    stage.rename('bob', 'rob');
    stage.pass(500);
    const told = stage.told();
    const seen = told.map(({ device, view }) => {
      const users = 'users' in view ? view.users : view.participants.map(({ user }) => user);
      return `${device}: ${users.join(' ')}`;
    });
    assert.deepEqual(seen.sort(), ['alice/1: alice rob', 'bob/1: alice rob', 'carol/1: alice rob']);
    stage.rename('dave', 'eve');
    assert.deepEqual(stage.news(), [
      'carol/1: carol→eve ringing (carol/1)',
      'dave/1: carol→eve ringing (carol/1)',
    ]);
  });

  it('tell those who are in a call of it, and the other devices of the same account of the room', () => {
    stage.connect('alice/2');
    stage.start('alice/1', { room: 'x' }, { id: 'a' });
    assert.deepEqual(stage.news().slice(0, 2), [
      'alice/1: #x active (alice/1)',
      'alice/2: #x active [alice]',
    ]);
  });

  it('name nobody to those whom they block, but where these are in the call themselves', () => {
    stage.block('alice', 'carol');
    stage.start('alice/1', { room: 'x' }, { id: 'a' });
    stage.start('bob/1', { room: 'x' });
    assert.ok(stage.news().includes('carol/1: #x active [bob]'));
    stage.start('carol/1', { room: 'x' });
    assert.ok(stage.news().includes('carol/1: #x active (alice/1 bob/1 carol/1)'));
  });

  it('go to those who come into the room', () => {
    stage.start('alice/1', { room: 'x' }, { id: 'a' });
    stage.news();
    stage.connect('dave/1');
    stage.rooms.get('x')!.members.add('dave');
    stage.calls.roomGrown('x' as never);
    stage.pass(500);
    assert.ok(stage.news().includes('dave/1: #x active [alice]'));
    stage.calls.roomGrown('y' as never);
    stage.pass(500);
    assert.deepEqual(stage.news(), []);
  });

  it('carry all that is switched on', () => {
    stage.start('alice/1', { room: 'x' }, { id: 'a' });
    const equipment = { microphone: false, camera: true, entered: true, live: '', recording: true };
    stage.update('alice/1', 'a', equipment as never);
    const own = stage.told().find(({ device }) => device === 'alice/1');
    assert.deepEqual((own?.view as { participants?: unknown }).participants, [
      { user: 'alice', device: 'alice/1', ...equipment },
    ]);
  });
});

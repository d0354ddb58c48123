import assert from 'node:assert/strict';
import { Answers, RoomStage } from '../support/room-stage.ts';

describe('the ways into rooms', function () {
  this.timeout(20_000);
  let stage: RoomStage;
  beforeEach(async () => {
    stage = await RoomStage.open();
  });
  afterEach(() => stage.close());

  /** A room in a room in a room, the outer two with passwords. */
  const nested = async (): Promise<void> => {
    await stage.run(stage.alice, 'room', { room: 'a', password: 'one' });
    await stage.run(stage.alice, 'room', { room: 'a/b', password: 'two' });
    await stage.run(stage.alice, 'room', { room: 'a/b/c' });
    await stage.knows(stage.bob, 'a/b/c');
  };

  it('ask for the passwords of those above, the uppermost first', async () => {
    await nested();
    const answers = new Answers('one', 'two');
    const data = await stage.run(stage.bob, 'enter', { room: 'a/b/c' }, answers);
    assert.deepEqual(answers.asked, ['Password of a', 'Password of a/b']);
    assert.deepEqual(data, { room: 'a/b/c', joined: true });
    for (const path of ['a', 'a/b', 'a/b/c']) await stage.sees(stage.bob, path, 'alice', 'bob');
    // Whoever is in is asked for nothing.
    const none = new Answers();
    assert.equal((await stage.run(stage.bob, 'enter', { room: 'a/b' }, none))['joined'], false);
  });

  it('take what is given for the room itself, or for what opens it', async () => {
    await nested();
    const answers = new Answers('one');
    await stage.run(stage.bob, 'enter', { room: 'a/b/c', password: 'two' }, answers);
    assert.deepEqual(answers.asked, ['Password of a']);
    await stage.knows(stage.carol, 'a/b/c');
    const refusal = /The password of "a" is needed/;
    await stage.refused(
      stage.carol,
      'enter',
      { room: 'a/b', password: 'two' },
      'BAD_PASSWORD',
      refusal,
    );
    await stage.run(stage.carol, 'enter', { room: 'a', password: 'one' });
    await stage.run(stage.carol, 'enter', { room: 'a/b/c', password: 'two' });
  });

  it('let a person try three times, and say what was wrong', async () => {
    await nested();
    const once = new Answers('wrong', 'one');
    await stage.run(stage.bob, 'enter', { room: 'a' }, once);
    assert.deepEqual(once.asked, ['Password of a', 'Password of a']);
    assert.deepEqual(stage.told, [
      { event: 'notice', code: 'BAD_PASSWORD', text: 'Wrong password for the room "a".' },
    ]);
    await stage.knows(stage.carol, 'a');
    const never = new Answers('x', 'y', 'z');
    const wrong = /Wrong password .* It is locked for 60 seconds/;
    await stage.refused(stage.carol, 'enter', { room: 'a' }, 'BAD_PASSWORD', wrong, never);
    await stage.refused(stage.carol, 'enter', { room: 'a', password: 'one' }, 'LOCKED');
  });

  it('try what is given but once', async () => {
    await nested();
    const answers = new Answers();
    const wrong = /Wrong password for the room "a"/;
    const args = { room: 'a', password: 'guess' };
    await stage.refused(stage.bob, 'enter', args, 'BAD_PASSWORD', wrong, answers);
    assert.deepEqual(stage.situation(stage.bob).room, undefined);
  });

  it('are shut to the banned, before a password is asked for', async () => {
    await nested();
    await stage.run(stage.alice, 'enter', { room: 'a' });
    await stage.run(stage.alice, 'ban', { user: 'bob' });
    await stage.refused(stage.bob, 'enter', { room: 'a/b/c' }, 'BANNED', /"a"/, new Answers());
  });

  it('of rooms for voice are for those who may', async () => {
    await stage.run(stage.alice, 'createroom', { name: 'stage', media: 'voice' });
    await stage.knows(stage.bob, 'stage');
    await stage.run(stage.root, 'updategroup', { group: 'user', changes: '-joinVoiceRoom' });
    const denied = /"joinVoiceRoom"/;
    await stage.refused(stage.bob, 'enter', { room: 'stage' }, 'DENIED', denied);
  });
});

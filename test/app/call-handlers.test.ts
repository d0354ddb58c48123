/** Commands of calls over the product's own clients and server; helper processes are made of paper. */
import assert from 'node:assert/strict';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { banId, roomAt } from '../../lib/crdt/rooms.ts';
import { isSuppressed } from '../../lib/crdt/suppress.ts';
import { pairStream } from '../../lib/crdt/stream.ts';
import { callingStage, type Caller } from '../support/calling-stage.ts';
import { eventually } from '../support/channels.ts';

interface Told {
  readonly id: string;
  readonly state: string;
  readonly room?: string;
  readonly user?: string;
  readonly participants: string[];
}

describe('the commands of calls', function () {
  this.timeout(60_000);
  const stage = callingStage();
  let alice: Caller;
  let bob: Caller;
  let carol: Caller;

  beforeEach(async () => {
    [alice, bob, carol] = await stage.join('alice', 'bob', 'carol');
    await stage.befriend(alice, bob);
  });

  /** Somebody makes a room, and these become members of it. */
  const room = async (by: Caller, name: string, ...others: Caller[]): Promise<void> => {
    await by.run('room', { room: name });
    for (const one of others) {
      await eventually(`${name}`, () => roomAt(one.test.home.space, name) !== undefined);
      await one.run('room', { room: name });
    }
  };
  const enter = (who: Caller, name: string): void =>
    who.situation.enter(roomAt(who.test.home.space, name)!);
  const crown = async (who: Caller): Promise<void> => {
    await stage.world.server.crown(who.name);
    await eventually('the crown', () => who.test.home.record?.group === 'admin');
  };
  const isSilenced = (by: Caller, who: Caller, name: string): boolean =>
    isSuppressed(by.test.home.space, who.test.home.account, roomAt(by.test.home.space, name));
  const callOf = async (who: Caller, args: Record<string, string> = {}): Promise<Told> =>
    (await who.run('call', args))['call'] as Told;

  describe('"call"', () => {
    it('calls whom it names, and who may be called', async () => {
      await alice.refused('NO_SUCH_USER', 'call', { target: 'nobody' });
      await alice.refused('NO_SUCH_USER', 'call', { target: '@nobody' });
      await alice.refused('NO_SUCH_ROOM', 'call', { target: '#nowhere' });
      await alice.refused('SELF', 'call', { target: 'alice' });
      await alice.refused('NOT_CONTACT', 'call', { target: 'carol' });
      await stage.talk(alice, bob);
      await bob.run('hangup');
      await bob.test.client.logout();
      await eventually('his absence', async () => {
        const refused = await alice
          .run('call', { target: '@bob' })
          .catch((error: unknown) => error);
        return (refused as { code?: string }).code === 'OFFLINE';
      });
    });

    it('calls nobody who blocks, or is blocked', async () => {
      await bob.run('block', { user: 'alice' });
      await alice.refused('BLOCKED', 'call', { target: 'bob' });
      await bob.refused('BLOCKED', 'call', { target: 'alice' });
    });

    it('calls one at a time, and nobody who is in a call', async () => {
      await stage.befriend(alice, carol);
      await stage.talk(alice, bob);
      await alice.refused('BUSY', 'call', { target: 'carol' });
      await carol.refused('BUSY', 'call', { target: 'alice' });
      await eventually('a missed call', () => alice.test.missed.length === 1);
      assert.deepEqual(carol.calls.live, undefined);
      await carol.refused('BUSY', 'call', { target: 'alice' });
    });

    it('calls as one is allowed to', async () => {
      await crown(carol);
      await carol.run('updategroup', { group: 'user', changes: '-callUser -callRoom' });
      await eventually('the change', async () => {
        const refused = await alice.run('call', { target: 'bob' }).catch((error: unknown) => error);
        return (refused as { code?: string }).code === 'DENIED';
      });
      await alice.refused('DENIED', 'call', { target: 'lobby' });
      await callOf(carol, { target: 'lobby' });
      assert.equal((await callOf(alice, { target: 'lobby' })).participants.length, 2);
    });

    it('without a name calls the room that was entered, or whom one talks to', async () => {
      await alice.refused('NOT_IN_ROOM', 'call');
      await room(alice, 'kitchen');
      enter(alice, 'kitchen');
      const call = await callOf(alice);
      assert.deepEqual(
        [call.room, call.state, call.participants],
        ['kitchen', 'active', ['alice']],
      );
      await alice.run('hangup');
      alice.situation.talk(pairStream(alice.test.home.account, bob.test.home.account));
      const called = alice.refused('CLOSED', 'call');
      await bob.hears('ring', { user: 'alice' });
      await alice.run('hangup');
      await called;
    });

    it('without a name calls the room that one talks to, entered or not', async () => {
      await room(alice, 'kitchen', bob);
      await alice.run('talk', { conversation: '#kitchen' });
      assert.equal(alice.situation.room, undefined);
      assert.equal((await callOf(alice)).room, 'kitchen');
      await alice.run('hangup');
      await alice.run('talk', {});
      await alice.refused('NOT_IN_ROOM', 'call');
      enter(alice, 'kitchen');
      await alice.run('talk', { conversation: '#lobby' });
      assert.equal((await callOf(alice)).room, 'lobby');
    });

    it('calls who is in the room that was entered without being a contact', async () => {
      await room(alice, 'kitchen', carol);
      await alice.refused('NOT_CONTACT', 'call', { target: 'carol' });
      enter(alice, 'kitchen');
      await stage.talk(alice, carol);
      assert.deepEqual(alice.calls.live?.view.caller, 'alice');
      await alice.run('hangup');
      await carol.refused('NOT_CONTACT', 'call', { target: 'alice' });
    });

    it('calls no room of which one is no member, that is for text, or another’s conference', async () => {
      await room(alice, 'kitchen');
      await eventually('knowing', () => roomAt(bob.test.home.space, 'kitchen') !== undefined);
      await bob.refused('NOT_MEMBER', 'call', { target: 'kitchen' });
      await alice.run('createroom', { name: 'library', media: 'text' });
      await eventually('the library', () => roomAt(alice.test.home.space, 'library') !== undefined);
      await alice.refused('NOT_SUPPORTED', 'call', { target: 'library' });
    });
  });

  it('"calls" lists one’s own, those that ring, and those of rooms', async () => {
    for (const name of ['answer', 'decline']) await bob.refused('NO_CALL', name);
    const ringing = alice.refused('DECLINED', 'call', { target: 'bob' });
    await bob.hears('ring');
    await callOf(carol, { target: 'lobby' });
    await bob.hears('call', { joined: false });
    const listed = async (who: Caller): Promise<unknown[]> =>
      ((await who.run('calls'))['calls'] as Told[]).map(({ id: _, ...call }) => call);
    assert.deepEqual(await listed(bob), [
      { state: 'ringing', user: 'alice', participants: ['alice'] },
      { state: 'active', room: 'lobby', participants: ['carol'] },
    ]);
    assert.deepEqual(await listed(carol), [
      { state: 'active', room: 'lobby', participants: ['carol'], here: true },
    ]);
    assert.deepEqual((await listed(alice)).at(0), {
      state: 'ringing',
      user: 'bob',
      participants: ['alice'],
      here: true,
    });
    for (const name of ['answer', 'decline']) {
      await bob.refused('NO_CALL', name, { user: 'carol' });
      await bob.refused('SELF', name, { user: 'bob' });
      await bob.refused('NO_SUCH_USER', name, { user: 'nobody' });
    }
    await bob.run('decline', { user: 'alice' });
    await ringing;
  });

  it('of choices are about who is in the call', async () => {
    const args = { user: 'bob', percent: '50' };
    const commands = ['mute', 'unmute', 'hide', 'show', 'volume'];
    for (const name of commands) await alice.refused('NO_CALL', name, args);
    await stage.meet('lobby', alice, bob);
    for (const name of commands) {
      await alice.refused('NOT_PARTICIPANT', name, { ...args, user: 'carol' });
      await alice.refused('SELF', name, { ...args, user: 'alice' });
      await alice.refused('NO_SUCH_USER', name, { ...args, user: 'nobody' });
    }
    assert.deepEqual(await alice.run('volume', args), { user: 'bob', volume: 50 });
    assert.equal(alice.volume(bob), 50);
    await alice.run('mute', args);
    assert.equal(alice.volume(bob), 0);
    await alice.run('unmute', args);
    assert.equal(alice.volume(bob), 50);
    await eventually('being sent', () => bob.sends(alice).camera);
    await alice.run('hide', args);
    await eventually('no more', () => !bob.sends(alice).camera);
    await alice.run('show', args);
    await eventually('again', () => bob.sends(alice).camera);
    for (const percent of ['201', '-1', 'loud', '1.5'])
      await alice.refused('USAGE', 'volume', { user: 'bob', percent });
  });

  describe('"suppress" and "unsuppress"', () => {
    it('are for who owns the room, there', async () => {
      await room(alice, 'kitchen', bob, carol);
      await bob.refused('DENIED', 'suppress', { user: 'carol' });
      await bob.refused('NOT_OWNER', 'suppress', { user: 'carol', room: 'kitchen' });
      const done = await alice.run('suppress', { user: 'carol', room: 'kitchen' });
      assert.deepEqual(done, { user: 'carol', room: 'kitchen' });
      await alice.refused('ALREADY', 'suppress', { user: 'carol', room: 'kitchen' });
      enter(alice, 'kitchen');
      assert.deepEqual(await alice.run('unsuppress', { user: 'carol' }), {
        user: 'carol',
        room: 'kitchen',
      });
      await alice.refused('ALREADY', 'unsuppress', { user: 'carol' });
      await alice.refused('NO_SUCH_USER', 'suppress', { user: 'nobody' });
      await alice.refused('NO_SUCH_ROOM', 'suppress', { user: 'carol', room: 'nowhere' });
    });

    it('are for who may, everywhere or in one room', async () => {
      await room(alice, 'kitchen', bob, carol);
      await crown(bob);
      assert.deepEqual(await bob.run('suppress', { user: 'carol' }), { user: 'carol' });
      assert.deepEqual(await bob.run('suppress', { user: 'alice', room: 'kitchen' }), {
        user: 'alice',
        room: 'kitchen',
      });
      await stage.meet('kitchen', alice, bob, carol);
      assert.deepEqual([alice.sends(bob).sound, carol.sends(bob).sound], [false, false]);
      assert.deepEqual([bob.volume(alice), bob.volume(carol)], [0, 0]);
      for (const one of [alice, bob, carol]) await one.run('hangup');
      await stage.meet('lobby', alice, bob, carol);
      assert.deepEqual([alice.sends(bob).sound, carol.sends(bob).sound], [true, false]);
    });

    it('lift it where it is so: in the room that is meant, or else everywhere', async () => {
      await room(alice, 'kitchen', bob, carol);
      await crown(bob);
      // Who may anywhere lifts what the owner of the room has done there.
      await alice.run('suppress', { user: 'carol', room: 'kitchen' });
      enter(bob, 'kitchen');
      await eventually('the word', () => isSilenced(bob, carol, 'kitchen'));
      assert.deepEqual(await bob.run('unsuppress', { user: 'carol' }), {
        user: 'carol',
        room: 'kitchen',
      });
      // Both at once: one after the other.
      await bob.run('suppress', { user: 'carol', room: 'kitchen' });
      await bob.run('suppress', { user: 'carol' });
      assert.deepEqual(await bob.run('unsuppress', { user: 'carol' }), {
        user: 'carol',
        room: 'kitchen',
      });
      await bob.refused('ALREADY', 'unsuppress', { user: 'carol', room: 'kitchen' });
      // Who owns the room alone cannot undo what is for all.
      enter(alice, 'kitchen');
      const { home } = alice.test;
      const inRoom = banId(carol.test.home.account, roomAt(home.space, 'kitchen'));
      await eventually('the word', () => {
        return isSilenced(alice, carol, 'lobby') && home.space.get('suppress', inRoom) !== true;
      });
      await alice.refused('DENIED', 'unsuppress', { user: 'carol' });
      assert.deepEqual(await bob.run('unsuppress', { user: 'carol' }), { user: 'carol' });
      await bob.refused('ALREADY', 'unsuppress', { user: 'carol' });
    });

    it('are for an owner who may more in all calls too, where that is said', async () => {
      await room(alice, 'kitchen', carol);
      await crown(alice);
      enter(alice, 'kitchen');
      assert.deepEqual(await alice.run('suppress', { user: 'carol', everywhere: '' }), {
        user: 'carol',
      });
      await alice.refused('ALREADY', 'suppress', { user: 'carol' });
      // It is shown in the room as well, and is lifted from there.
      assert.deepEqual(await alice.run('unsuppress', { user: 'carol' }), { user: 'carol' });
      await alice.refused('ALREADY', 'unsuppress', { user: 'carol', everywhere: '' });
      assert.deepEqual(await alice.run('suppress', { user: 'carol' }), {
        user: 'carol',
        room: 'kitchen',
      });
      await alice.refused('ALREADY', 'unsuppress', { user: 'carol', everywhere: '' });
      await carol.refused('DENIED', 'suppress', { user: 'alice', everywhere: '' });
      const both = { user: 'carol', room: 'kitchen', everywhere: '' };
      await alice.refused('USAGE', 'suppress', both);
    });
  });

  describe('of screens', () => {
    it('share one, which those who watch it are sent, until it is shared no more', async () => {
      await alice.refused('NOT_IN_ROOM', 'golive');
      await alice.refused('NOT_LIVE', 'stoplive');
      await bob.refused('NOT_IN_ROOM', 'watch', { user: 'alice' });
      await stage.talk(alice, bob);
      await bob.refused('NOT_LIVE', 'watch', { user: 'alice' });
      assert.deepEqual(await alice.run('golive', { label: 'the budget' }), {
        live: true,
        label: 'the budget',
      });
      await bob.hears('golive', { user: 'alice', live: true, label: 'the budget' });
      assert.equal(alice.sends(bob).screen, false);
      assert.deepEqual(await bob.run('watch', { user: 'alice' }), {
        user: 'alice',
        watching: true,
      });
      await eventually('the screen', () => alice.sends(bob).screen);
      await bob.run('unwatch', { user: 'alice' });
      await bob.refused('NOT_LIVE', 'unwatch', { user: 'alice' });
      await eventually('no screen', () => !alice.sends(bob).screen);
      await bob.run('watch', { user: 'alice' });
      await eventually('the screen', () => alice.sends(bob).screen);
      assert.deepEqual(await alice.run('stoplive'), { live: false });
      assert.equal(alice.sends(bob).screen, false);
      assert.equal(alice.media[0]!.sources.at(-1), 'screen none');
      await bob.hears('golive', { user: 'alice', live: false });
      await bob.refused('NOT_LIVE', 'watch', { user: 'alice' });
      await bob.refused('NOT_PARTICIPANT', 'watch', { user: 'carol' });
      await bob.refused('SELF', 'watch', { user: 'bob' });
    });

    it('share none in a call that is over once it can be had', async () => {
      await stage.talk(alice, bob);
      let open = (): void => undefined;
      alice.media[0]!.held.set('source screen', new Promise((resolve) => (open = resolve)));
      const shared = alice.refused('NO_CALL', 'golive');
      await eventually('the screen', () => alice.media[0]!.sources.at(-1) === 'screen test');
      await bob.run('hangup');
      await eventually('the end', () => alice.calls.live === undefined);
      open();
      await shared;
    });

    it('share none that cannot be had, or that is gone', async () => {
      await stage.talk(alice, bob);
      alice.media[0]!.refusals.set('source screen', 'NO_DEVICE');
      await alice.refused('NO_DEVICE', 'golive');
      alice.media[0]!.refusals.clear();
      await alice.run('golive', {});
      await bob.hears('golive', { user: 'alice', live: true, label: '' });
      alice.media[0]!.options!.onEvent({
        event: 'ended',
        kind: 'screen',
        code: 'NO_DEVICE',
        text: 'The window was closed.',
      });
      await bob.hears('golive', { user: 'alice', live: false });
      await alice.hears('notice', { code: 'NO_DEVICE', text: 'The window was closed.' });
    });
  });

  it('"record" is told to everybody, and "stoprecord" too', async () => {
    await alice.refused('NO_CALL', 'record', { file: 'x.mkv' });
    await alice.refused('NO_CALL', 'stoprecord');
    await stage.talk(alice, bob);
    await alice.refused('NOT_SUPPORTED', 'stoprecord');
    alice.media[0]!.refusals.set('record', 'NO_DEVICE');
    await alice.refused('NO_DEVICE', 'record', { file: 'x.mkv' });
    assert.deepEqual(bob.heard('recording'), []);
    alice.media[0]!.refusals.clear();
    assert.deepEqual(await alice.run('record', { file: '~/x.mkv' }), {
      recording: true,
      file: '~/x.mkv',
    });
    const recorded = alice.media[0]!.calls.findLast(({ name }) => name === 'record');
    assert.equal(recorded?.args['file'], join(homedir(), 'x.mkv'));
    await bob.hears('recording', { user: 'alice', recording: true });
    // Another one cannot be had: the one before goes on, and they are told so still.
    alice.media[0]!.refusals.set('record', 'ALREADY');
    await alice.refused('ALREADY', 'record', { file: 'y.mkv' });
    assert.equal(alice.test.client.calling.calls.equipment?.recording, true);
    alice.media[0]!.refusals.clear();
    await alice.run('stoprecord');
    await bob.hears('recording', { user: 'alice', recording: false });
  });

  it('of devices are for the next call where there is none', async () => {
    assert.deepEqual(await alice.run('camera', { state: 'off' }), {
      device: 'camera',
      on: false,
      inCall: false,
    });
    await alice.run('mic', { state: 'on', name: 'tone:700' });
    await stage.talk(alice, bob);
    await bob.hears('chatdev', { user: 'alice', video: false, audio: true });
    assert.deepEqual(alice.media[0]!.sources, ['microphone tone:700']);
    assert.deepEqual(await alice.run('mic', { state: 'off' }), {
      device: 'microphone',
      on: false,
      inCall: true,
    });
    await bob.hears('chatdev', { user: 'alice', video: false, audio: false });
    assert.equal(alice.sends(bob).sound, false);
    await alice.refused('USAGE', 'mic', {});
  });

  it('of devices take "none" for off, and tell it so', async () => {
    await stage.talk(alice, bob);
    await bob.hears('chatdev', { user: 'alice', video: true, audio: true });
    assert.deepEqual(await alice.run('camera', { state: 'on', name: 'none' }), {
      device: 'camera',
      on: false,
      inCall: true,
    });
    await bob.hears('chatdev', { user: 'alice', video: false, audio: true });
    await alice.calls.equipment('microphone', 'none');
    await bob.hears('chatdev', { user: 'alice', video: false, audio: false });
    await alice.calls.equipment('screen', 'none');
    await alice.refused('NO_DEVICE', 'golive');
  });

  it('of the voice set when the microphone is heard', async () => {
    assert.deepEqual(await alice.run('voice', { mode: 'activity', decibels: '-40' }), {
      voice: 'activity',
      threshold: -40,
    });
    await stage.talk(alice, bob);
    const [media] = alice.media;
    assert.deepEqual(media!.last('gate').settings, { mode: 'activity', threshold: -40 });
    // The level stays for when it counts again.
    assert.deepEqual(await alice.run('voice', { mode: 'push' }), { voice: 'push', threshold: -40 });
    assert.deepEqual(media!.last('gate').settings, { mode: 'push', threshold: -40 });
    assert.deepEqual(await alice.run('push', { state: 'on' }), { push: true });
    assert.equal(media!.last('push').held, true);
    await alice.refused('USAGE', 'voice', { mode: 'activity', decibels: 'quiet' });
    await alice.refused('USAGE', 'push');
  });

  it('of the voice tell how it is, where nothing is asked for', async () => {
    assert.deepEqual(await alice.run('voice'), { voice: 'open' });
    await alice.run('voice', { mode: 'activity', decibels: '-40' });
    assert.deepEqual(await alice.run('voice'), { voice: 'activity', threshold: -40 });
  });

  describe('"stats" tells of the call', () => {
    it('how it goes for each of the others, as it is measured', async () => {
      await stage.meet('lobby', alice, bob);
      await alice.run('volume', { user: 'bob', percent: '80' });
      await alice.run('hide', { user: 'bob' });
      alice.media[0]!.stats = {
        peers: {
          [bob.device]: {
            state: 'connected',
            path: 'relayed',
            roundTripMs: 12.345,
            camera: {
              width: 160,
              height: 96,
              fps: 14.96,
              framesDecoded: 9,
              frameNumber: 7,
              latencyMs: 33.3,
            },
            sound: { level: 0.123, toneHz: 439.7, packets: 50, packetsLost: 1, jitterMs: 1.26 },
            sentBits: 1_000,
            receivedBits: 2_000,
            receivedBytes: 3_000,
            sending: { width: 320, height: 240, fps: 15 },
          },
        },
        microphone: { level: 0.5, toneHz: 440.2 },
      };
      const { call } = await alice.run('stats');
      const { id } = alice.calls.live!.view;
      assert.deepEqual(call, {
        id,
        room: 'lobby',
        state: 'active',
        participants: [
          {
            user: 'bob',
            device: (call as { participants: { device: string }[] }).participants[0]!.device,
            path: 'relayed',
            video: {
              width: 160,
              height: 96,
              fps: 15,
              framesDecoded: 9,
              frameNumber: 7,
              latencyMs: 33.3,
            },
            audio: { level: 0.12, toneHz: 440, packets: 50, packetsLost: 1, jitterMs: 1.3 },
            talking: false,
            muted: false,
            hidden: true,
            volume: 80,
            suppressed: false,
            live: false,
            rttMs: 12.3,
            sentBits: 1_000,
            receivedBits: 2_000,
            sending: { width: 320, height: 240, fps: 15 },
          },
        ],
        microphone: { level: 0.5, toneHz: 440 },
      });
    });

    it('while nothing is measured, or nobody else is there, and not where there is none', async () => {
      assert.equal('call' in (await alice.run('stats')), false);
      await alice.run('call', { target: 'lobby' });
      const alone = (await alice.run('stats'))['call'] as {
        state: string;
        participants: unknown[];
      };
      assert.deepEqual([alone.state, alone.participants], ['active', []]);
      await bob.run('call', { target: 'lobby' });
      await eventually('bob', () => alice.calls.live!.others.length === 1);
      const { participants } = (await alice.run('stats'))['call'] as {
        participants: Record<string, unknown>[];
      };
      assert.deepEqual(
        ['user', 'talking', 'sentBits'].map((name) => participants[0]![name]),
        ['bob', false, 0],
      );
    });
  });
});

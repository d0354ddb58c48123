/** Calls of people over the product's own clients and server; helper processes are made of paper. */
import assert from 'node:assert/strict';
import type { Ask, CallScreen, CallTile } from '../../../lib/app/types.ts';
import { MIRROR, tileId } from '../../../lib/app/calls/call-tiles.ts';
import { roomAt } from '../../../lib/crdt/rooms.ts';
import { usualSize } from '../../../lib/media/viewing.ts';
import { callingStage, type Caller } from '../../support/calling-stage.ts';
import { eventually, turns } from '../../support/channels.ts';
import { SMALL } from '../../support/live-call.ts';

/** Somebody who is there, and is asked nothing. */
const ask = {} as Ask;

describe('calls in the program', function () {
  this.timeout(60_000);
  const stage = callingStage({ calls: { ringMs: 400 } });
  let alice: Caller;
  let bob: Caller;

  beforeEach(async () => {
    [alice, bob] = await stage.join('alice', 'bob');
    await stage.befriend(alice, bob);
    for (const one of [alice, bob]) one.told.length = 0;
  });

  it('are told of as they go', async () => {
    await stage.talk(alice, bob);
    await bob.run('hangup');
    await alice.hears('call', { state: 'ended' });
    assert.deepEqual(alice.heard('call', 'ring', 'chatdev'), [
      'call state=ringing participants=alice user=bob',
      'chatdev user=bob video=true audio=true',
      'call state=connecting participants=alice,bob user=bob',
      'call state=active participants=alice,bob user=bob',
      'call state=ended participants= user=bob reason=hung up',
    ]);
    assert.deepEqual(bob.heard('call', 'ring', 'chatdev'), [
      'call state=ringing participants= user=alice',
      'ring user=alice',
      'chatdev user=alice video=true audio=true',
      'call state=connecting participants=alice,bob user=alice',
      'call state=active participants=alice,bob user=alice',
      'call state=ended participants= user=alice reason=hung up',
    ]);
    assert.deepEqual([alice.calls.live, bob.calls.live], [undefined, undefined]);
  });

  describe('that ring', () => {
    it('are waited for where nobody is there, and not where somebody is', async () => {
      const { call } = await alice.run('call', { target: 'bob' }, ask);
      assert.equal((call as { state: string }).state, 'ringing');
      await alice.run('hangup');
      await bob.hears('call', { state: 'ended', reason: 'withdrawn' });
      const called = alice.run('call', { target: 'bob' });
      await eventually('two rings', () => bob.told.filter((e) => e.event === 'ring').length === 2);
      const { call: answered } = await bob.run('answer', { user: 'alice' });
      assert.equal((answered as { state: string }).state, 'active');
      assert.deepEqual(((await called)['call'] as { participants: string[] }).participants, [
        'alice',
        'bob',
      ]);
    });

    it('may be declined, or not be answered', async () => {
      const called = alice.refused('DECLINED', 'call', { target: 'bob' });
      await bob.hears('ring');
      await bob.run('decline');
      await called;
      await alice.refused('NO_ANSWER', 'call', { target: 'bob' });
      await bob.hears('call', { state: 'ended', reason: 'no answer' });
      assert.deepEqual(
        bob.heard('call').filter((one) => one.includes('ended')),
        [
          'call state=ended participants= user=alice reason=declined',
          'call state=ended participants= user=alice reason=no answer',
        ],
      );
    });

    it('may be over before anybody waits for what becomes of them', async () => {
      let release!: () => void;
      alice.hold = new Promise((resolve) => (release = resolve));
      const called = alice.refused('DECLINED', 'call', { target: 'bob' });
      await bob.hears('ring');
      await bob.run('decline');
      await alice.hears('call', { state: 'ended' });
      release();
      await called;
    });
  });

  describe('without a part for calls', () => {
    it('are over at once, and it is said once', async () => {
      alice.refusal = 'NO_MEDIA';
      await alice.refused('NO_MEDIA', 'call', { target: 'bob' });
      await bob.hears('call', { state: 'ended' });
      assert.deepEqual(alice.heard('notice'), []);
      assert.equal(alice.calls.live, undefined);
    });

    it('are over at once for whoever answers them, too', async () => {
      bob.refusal = 'NO_MEDIA';
      const called = alice.run('call', { target: 'bob' });
      await bob.hears('ring');
      await bob.refused('NO_MEDIA', 'answer');
      await called;
      await alice.hears('call', { state: 'ended' });
      assert.deepEqual([bob.heard('notice'), bob.calls.live], [[], undefined]);
    });

    it('that has ended by itself go on with another', async () => {
      await stage.talk(alice, bob);
      const [first] = alice.media;
      first!.die();
      await alice.hears('notice', { code: 'NO_MEDIA' });
      await eventually('another', () => alice.media.length === 2);
      await eventually('a connection', () => bob.media[0]!.orders.filter(isOpen).length === 2);
      await eventually('being connected', () => alice.calls.live!.others[0]!.isConnected);
      assert.deepEqual(alice.media[1]!.sources.sort(), ['camera test', 'microphone tone:440']);
      assert.equal(alice.sends(bob).sound, true);
      assert.equal(alice.calls.live?.state.phase, 'active');
    });

    it('that ends again and again are over', async () => {
      await stage.talk(alice, bob);
      for (let death = 1; death <= 4; death++) {
        alice.media.at(-1)!.die();
        if (death < 4) await eventually('another', () => alice.media.length === death + 1);
      }
      await alice.hears('call', { state: 'ended' });
      await bob.hears('call', { state: 'ended' });
      assert.equal(alice.heard('notice').at(-1), 'notice code=NO_MEDIA');
      assert.equal(alice.media.length, 4);
    });
  });
  const isOpen = ({ order }: { order: string }): boolean => order === 'open';

  it('go on without a camera that cannot be had, which the others are told', async () => {
    alice.refusals.set('source camera', 'NO_DEVICE');
    await stage.talk(alice, bob);
    await bob.hears('chatdev', { user: 'alice', video: false, audio: true });
    assert.deepEqual(alice.heard('notice'), ['notice code=NO_DEVICE']);
    assert.deepEqual(alice.sends(bob), { sound: true, camera: false, screen: false });
    await alice.refused('NO_DEVICE', 'camera', { state: 'on' });
  });

  describe('in rooms', () => {
    let carol: Caller;

    beforeEach(async () => {
      [carol] = await stage.join('carol');
      await stage.meet('lobby', alice, bob, carol);
      await eventually('their views', () => alice.sends(bob).camera);
    });

    it('are heard by all, and seen by contacts alone until they enter', async () => {
      assert.deepEqual(alice.sends(bob), { sound: true, camera: true, screen: false });
      assert.deepEqual(alice.sends(carol), { sound: true, camera: false, screen: false });
      assert.deepEqual(carol.sends(alice), { sound: true, camera: false, screen: false });
      carol.situation.enter(roomAt(carol.test.home.space, 'lobby')!);
      await carol.calls.follow();
      await eventually('being seen', () => alice.sends(carol).camera && bob.sends(carol).camera);
      assert.equal(carol.sends(alice).camera, false);
      carol.situation.leave();
      await carol.calls.follow();
      await eventually('not being seen', () => !alice.sends(carol).camera);
    });

    it('are seen by whoever has become a contact meanwhile, on both sides', async () => {
      await stage.befriend(alice, carol);
      for (const one of [alice, carol]) one.tell({ event: 'contact', user: 'somebody' });
      await eventually('both', () => alice.sends(carol).camera && carol.sends(alice).camera);
      assert.equal(bob.sends(carol).camera, false);
    });

    it('fall silent where somebody is silenced for everyone, whoever has done it', async () => {
      await stage.world.server.crown('alice');
      await eventually('the crown', () => alice.test.home.record?.group === 'admin');
      await alice.run('suppress', { user: 'bob' });
      const suppressed = { event: 'servermute', user: 'bob', suppressed: true } as const;
      for (const one of [bob, carol]) {
        await eventually('being told', () =>
          one.test.admin.some(({ kind }) => kind === 'suppress'),
        );
        one.tell(suppressed);
      }
      await eventually('silence', () => !bob.sends(alice).sound && !bob.sends(carol).sound);
      await eventually('deafness', () => alice.volume(bob) === 0 && carol.volume(bob) === 0);
      assert.equal(alice.volume(carol), 100);
      await alice.refused('ALREADY', 'suppress', { user: 'bob' });
      await alice.run('unsuppress', { user: 'bob' });
      await eventually('hearing', () => alice.volume(bob) === 100);
    });

    it('are left by whoever this person blocks, without a word to them', async () => {
      await alice.run('block', { user: 'bob' });
      await eventually('no connection', () => alice.calls.live!.others.length === 1);
      assert.equal(alice.media[0]!.last('close').peer, bob.device);
    });

    it('are left by whoever this person blocks on another device', async () => {
      const phone = await stage.device('alice');
      await phone.run('block', { user: 'bob' });
      await eventually('no connection', () => alice.calls.live!.others.length === 1);
      assert.equal(alice.media[0]!.last('close').peer, bob.device);
      await phone.run('unblock', { user: 'bob' });
      await eventually('a connection', () => alice.calls.live!.others.length === 2);
    });

    it('are told of to who is not in them', async () => {
      const [dora] = await stage.join('dora');
      await dora.hears('call', { state: 'active', joined: false });
      await carol.run('hangup');
      await dora.hears('call', { participants: ['alice', 'bob'], joined: false });
      for (const one of [alice, bob]) await one.run('hangup');
      await dora.hears('call', { state: 'ended', joined: false });
      assert.ok(dora.heard('call').every((one) => one.includes('room=lobby')));
      const ends = bob.heard('call').filter((one) => one.includes('ended'));
      assert.deepEqual(ends, ['call state=ended participants= room=lobby reason=hung up']);
    });

    it('are listed', async () => {
      const { calls } = await alice.run('calls');
      assert.deepEqual(
        (calls as Record<string, unknown>[]).map(({ id: _, ...call }) => call),
        [{ state: 'active', room: 'lobby', participants: ['alice', 'bob', 'carol'], here: true }],
      );
    });
  });

  it('tell who talks, four times a second of each at most', async () => {
    await stage.talk(alice, bob);
    alice.told.length = 0;
    const { onEvent } = alice.media[0]!.options!;
    for (let time = 0; time < 50; time++)
      onEvent({ event: 'talking', peer: bob.device, talking: time % 2 === 0 });
    onEvent({ event: 'talking', peer: null, talking: true });
    onEvent({ event: 'talking', peer: 'nobody', talking: true });
    assert.deepEqual(alice.heard('talking'), [
      'talking user=bob talking=true',
      'talking user=alice talking=true',
    ]);
    await alice.hears('talking', { user: 'bob', talking: false });
  });

  it('tell who records, and when that has come to an end', async () => {
    await stage.talk(alice, bob);
    await alice.run('record', { file: '/tmp/x.wav' });
    await bob.hears('recording', { user: 'alice', recording: true });
    alice.media[0]!.options!.onEvent({
      event: 'ended',
      kind: 'record',
      code: 'DISK_FULL',
      text: '',
    });
    await bob.hears('recording', { user: 'alice', recording: false });
    assert.deepEqual(alice.heard('notice'), ['notice code=DISK_FULL']);
    await alice.run('record', { file: '/tmp/x.wav' });
    bob.told.length = 0;
    alice.media[0]!.die();
    await bob.hears('recording', { user: 'alice', recording: false });
  });

  describe('that are shown', () => {
    class FakeScreen implements CallScreen {
      tiles: readonly CallTile[] = [];
      readonly pictures: string[] = [];
      readonly sizes = new Map([
        [tileId(bob.device, 'camera'), SMALL],
        [MIRROR, { ...SMALL, fps: 5 }],
      ]);

      show(tiles: readonly CallTile[]): void {
        this.tiles = tiles;
      }

      picture(id: string): void {
        this.pictures.push(id);
      }

      size(id: string) {
        return this.sizes.get(id) ?? null;
      }
    }
    let screen: FakeScreen;

    beforeEach(async () => {
      screen = new FakeScreen();
      alice.calls.showing.watch(screen);
      await stage.talk(alice, bob);
    });

    it('have a tile for each who is in them, as they are', () => {
      assert.deepEqual(
        screen.tiles.map(({ user, isConnected, isTalking }) => [user, isConnected, isTalking]),
        [
          ['bob', true, false],
          ['alice', true, false],
        ],
      );
      const { onEvent } = alice.media[0]!.options!;
      onEvent({ event: 'talking', peer: bob.device, talking: true });
      onEvent({ event: 'talking', peer: null, talking: true });
      assert.deepEqual(
        screen.tiles.map(({ isTalking }) => isTalking),
        [true, true],
      );
    });

    it('have pictures of the sizes that are wanted, each handed on once it was taken', async () => {
      const media = alice.media[0]!;
      await eventually('the size', () => {
        const sent = bob.media[0]!.last('send', alice.device);
        return JSON.stringify(sent.camera) === JSON.stringify(SMALL);
      });
      const shown = media.orders.filter((one) => one.order === 'show' && one.shown);
      assert.equal(shown.length, 1);
      assert.deepEqual(media.last('mirror').size, { ...SMALL, fps: 5 });
      const picture = { event: 'picture', kind: 'camera', width: 2, height: 2, time: 0 } as const;
      const data = new Uint8Array(6);
      media.options!.onEvent({ ...picture, peer: bob.device, data });
      media.options!.onEvent({ ...picture, peer: null, data });
      assert.deepEqual(screen.pictures, [tileId(bob.device, 'camera'), MIRROR]);
      assert.deepEqual(
        media.orders.filter(({ order }) => order === 'taken'),
        [
          { order: 'taken', peer: bob.device, kind: 'camera' },
          { order: 'taken', peer: null, kind: 'camera' },
        ],
      );
      screen.sizes.clear();
      alice.calls.showing.sizesChanged();
      await eventually('no pictures', () => !bob.sends(alice).camera);
      assert.equal(media.last('mirror').size, null);
    });

    it('have pictures that nobody looks at only while they are recorded', async () => {
      const media = alice.media[0]!;
      const isShown = (): boolean =>
        media.orders
          .filter((one) => one.order === 'show')
          .findLast(({ kind }) => kind === 'camera')!.shown;
      screen.sizes.clear();
      alice.calls.showing.sizesChanged();
      await eventually('no pictures', () => !bob.sends(alice).camera);
      await alice.run('record', { file: '/tmp/x.mkv' });
      await eventually('pictures', () => bob.sends(alice).camera);
      assert.deepEqual(bob.media[0]!.last('send', alice.device).camera, usualSize(1));
      // They are for the recording, and are not handed to whoever does not show them.
      assert.equal(isShown(), false);
      await alice.run('stoprecord');
      await eventually('no pictures again', () => !bob.sends(alice).camera);
    });

    it('have nothing to be seen when they are over', async () => {
      await bob.run('hangup');
      await alice.hears('call', { state: 'ended' });
      assert.deepEqual(screen.tiles, []);
      assert.equal(alice.media[0]!.last('mirror').size, null);
      alice.calls.showing.watch(undefined);
    });
  });

  describe('whose server goes away', () => {
    it('go on, and one can leave them', async () => {
      await stage.talk(alice, bob);
      stage.isServerTaken = true;
      await stage.world.close();
      await eventually('its absence', () => !alice.test.client.connected);
      alice.calls.choose(bob.test.home.account, { volume: 50 });
      assert.equal(alice.volume(bob), 50);
      assert.deepEqual(await alice.run('camera', { state: 'off' }), {
        device: 'camera',
        on: false,
        inCall: true,
      });
      assert.equal(alice.sends(bob).camera, false);
      await alice.run('hangup');
      assert.equal(alice.calls.live, undefined);
      // The other one has only the word of this one for it.
      await bob.hears('call', { state: 'ended', reason: 'hung up' });
      await stage.world.open();
      await eventually('its return', () => bob.test.client.connected);
      await bob.test.client.calling.calls.known;
      assert.equal(bob.calls.live, undefined);
    });

    it('are known to it when it is back, and go on as they were', async () => {
      await stage.talk(alice, bob);
      stage.isServerTaken = true;
      await stage.world.close();
      await eventually('its absence', () => !alice.test.client.connected);
      for (const one of [alice, bob]) one.told.length = 0;
      await stage.world.open();
      const there = (one: Caller): number | undefined => one.calls.live?.view.participants.length;
      await eventually('both', () => there(alice) === 2 && there(bob) === 2);
      await turns();
      assert.deepEqual([...alice.heard('call'), ...bob.heard('call')].filter(isEnd), []);
      assert.deepEqual(
        [alice, bob].map(({ media }) => media[0]!.orders.filter(isOpen).length),
        [1, 1],
      );
    });
    const isEnd = (one: string): boolean => one.includes('ended');
  });

  it('end with the login', async () => {
    await stage.talk(alice, bob);
    await bob.test.client.logout();
    await alice.hears('call', { state: 'ended' });
    await bob.hears('call', { state: 'ended' });
    assert.equal(bob.calls.live, undefined);
    await eventually('the camera', () => bob.media[0]!.sources.at(-1)!.endsWith('none'));
    await alice.refused('OFFLINE', 'call', { target: 'bob' });
  });

  it('are had on one of several devices, and the others are told', async () => {
    const phone = await stage.device('alice');
    const called = bob.run('call', { target: 'alice' });
    for (const one of [alice, phone]) await one.hears('ring');
    await phone.run('answer');
    await called;
    await alice.hears('call', { state: 'ended', reason: 'elsewhere' });
    await alice.refused('NO_CALL', 'answer');
    assert.deepEqual(
      [alice.calls.live, phone.calls.live?.view.participants.length],
      [undefined, 2],
    );
    // It is ready for the call, but has given nothing away.
    assert.deepEqual(
      alice.media.flatMap(({ sources }) => sources),
      [],
    );
  });
});

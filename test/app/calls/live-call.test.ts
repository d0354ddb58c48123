import assert from 'node:assert/strict';
import type { AccountId, PublicKey } from '../../../lib/crdt/keys.ts';
import { USUAL } from '../../../lib/app/calls/choices.ts';
import { SCREEN_SIZE, usualSize } from '../../../lib/media/viewing.ts';
import { turns } from '../../support/channels.ts';
import { LiveStage, ME, seat, SMALL } from '../../support/live-call.ts';
import { FakeTime } from '../../support/time.ts';

const B = 'b/1' as PublicKey;
const C = 'c/1' as PublicKey;
/** With a greater key than this device. */
const X = 'x/1' as PublicKey;
const accounts = { b: 'b' as AccountId, c: 'c' as AccountId, m: 'm' as AccountId };

describe('a live call', () => {
  let stage: LiveStage;

  beforeEach(() => (stage = new LiveStage()));
  afterEach(() => {
    stage.live.end('hung up');
    assert.deepEqual(stage.faults, []);
  });

  describe('sends to each of the others', () => {
    it('sound, and in a joined room the camera to contacts only', async () => {
      stage.contacts.add(accounts.b);
      await stage.tell('b/1', 'c/1');
      for (const one of ['b/1', 'c/1']) stage.meet(one, { camera: SMALL });
      assert.deepEqual(stage.sent('b/1'), { sound: true, camera: SMALL, screen: null });
      assert.deepEqual(stage.sent('c/1'), { sound: true, camera: null, screen: null });
    });

    it('the camera to all who have entered the room', async () => {
      await stage.tell(seat('b/1', { entered: true }), 'c/1');
      for (const one of ['b/1', 'c/1']) stage.meet(one);
      assert.deepEqual(stage.sent('b/1').camera, SMALL);
      assert.equal(stage.sent('c/1').camera, null);
      await stage.tell('b/1', seat('c/1', { entered: true }));
      assert.equal(stage.sent('b/1').camera, null);
      assert.deepEqual(stage.sent('c/1').camera, SMALL);
    });

    it('the camera to whoever has become a contact, and to nobody who is none any more', async () => {
      await stage.tell('b/1');
      stage.meet('b/1');
      assert.equal(stage.sent('b/1').camera, null);
      stage.contacts.add(accounts.b);
      await stage.live.update();
      assert.deepEqual(stage.sent('b/1').camera, SMALL);
      stage.contacts.clear();
      await stage.live.update();
      assert.equal(stage.sent('b/1').camera, null);
      assert.equal(stage.prepared, 3);
    });

    it('the camera between two', async () => {
      stage = new LiveStage(null);
      await stage.tell('b/1');
      stage.meet('b/1');
      assert.deepEqual(stage.sent('b/1').camera, SMALL);
    });

    it('nothing that they do not want', async () => {
      stage.contacts.add(accounts.b);
      stage.on.screen = true;
      await stage.tell('b/1');
      // They have not said so yet.
      assert.deepEqual(stage.sent('b/1'), { sound: true, camera: null, screen: null });
      stage.meet('b/1', { camera: null, screen: SMALL });
      assert.deepEqual(stage.sent('b/1'), { sound: true, camera: null, screen: SMALL });
      stage.wants('b/1', { camera: SMALL, screen: null });
      assert.deepEqual(stage.sent('b/1'), { sound: true, camera: SMALL, screen: null });
    });

    it('nothing that is off', async () => {
      stage.contacts.add(accounts.b);
      Object.assign(stage.on, { camera: false, microphone: false });
      await stage.tell('b/1');
      stage.meet('b/1', { camera: SMALL, screen: SMALL });
      assert.deepEqual(stage.sent('b/1'), { sound: false, camera: null, screen: null });
      Object.assign(stage.on, { camera: true, microphone: true, screen: true });
      stage.live.refresh();
      assert.deepEqual(stage.sent('b/1'), { sound: true, camera: SMALL, screen: SMALL });
    });

    it('no sound while this side is silenced for everyone', async () => {
      await stage.tell('b/1');
      stage.meet('b/1');
      stage.suppressed.add(accounts.m);
      await stage.live.update();
      assert.equal(stage.sent('b/1').sound, false);
      stage.suppressed.clear();
      await stage.live.update();
      assert.equal(stage.sent('b/1').sound, true);
    });

    it('as large as they want, and no larger than is of use to anybody', async () => {
      stage.contacts.add(accounts.b);
      await stage.tell('b/1');
      stage.meet('b/1', { camera: { width: 8_192, height: 8_192, fps: 60 } });
      assert.deepEqual(stage.sent('b/1').camera, { width: 1_920, height: 1_080, fps: 30 });
      for (const nothing of [
        { width: 0, height: 96, fps: 15 },
        { width: 160, height: 0, fps: 15 },
        { width: 160, height: 96, fps: 0 },
      ]) {
        stage.wants('b/1', { camera: nothing });
        assert.equal(stage.sent('b/1').camera, null);
      }
    });

    it('the same, and is not told so twice', async () => {
      await stage.tell('b/1');
      stage.meet('b/1');
      const before = stage.media.orders.length;
      for (let time = 0; time < 5; time++) stage.live.refresh();
      await stage.live.update();
      assert.equal(stage.media.orders.length, before);
    });
  });

  describe('asks each of the others', () => {
    const sizes = (): unknown[] => [stage.wanted('b/1'), stage.wanted('c/1')];

    it('for pictures that are as usual for so many, where no front end says how large', async () => {
      await stage.tell('b/1', 'c/1');
      for (const one of ['b/1', 'c/1']) stage.meet(one);
      const two = { camera: usualSize(2), screen: null };
      assert.deepEqual(sizes(), [two, two]);
      await stage.tell('b/1');
      assert.deepEqual(stage.wanted('b/1'), { camera: usualSize(1), screen: null });
    });

    it('for pictures of the sizes in which they are shown, once for each size', async () => {
      stage.isShown = true;
      stage.sizes.set('camera b', SMALL);
      await stage.tell('b/1', 'c/1');
      for (const one of ['b/1', 'c/1']) stage.meet(one);
      assert.deepEqual(sizes(), [
        { camera: SMALL, screen: null },
        { camera: null, screen: null },
      ]);
      const said = stage.lines.said.length;
      stage.live.askAgain();
      assert.equal(stage.lines.said.length, said);
      stage.sizes.set('camera c', SMALL);
      stage.live.askAgain();
      assert.deepEqual(stage.wanted('c/1'), { camera: SMALL, screen: null });
      assert.equal(stage.lines.said.length, said + 1);
    });

    it('for no pictures where there is no camera, or they are hidden', async () => {
      await stage.tell(seat('b/1', { camera: false }), 'c/1');
      for (const one of ['b/1', 'c/1']) stage.meet(one);
      stage.choices.set(accounts.c, { ...USUAL, isHidden: true });
      stage.live.refresh();
      const nothing = { camera: null, screen: null };
      assert.deepEqual(sizes(), [nothing, nothing]);
      stage.choices.clear();
      stage.live.refresh();
      assert.deepEqual(stage.wanted('c/1')?.camera, usualSize(2));
    });

    it('for a screen while it is watched, which ends with the sharing', async () => {
      const shares = seat('b/1', { live: 'slides' });
      await stage.tell(shares);
      stage.meet('b/1');
      assert.equal(stage.wanted('b/1')?.screen, null);
      stage.live.other(B)!.isWatched = true;
      stage.live.refresh();
      assert.deepEqual(stage.wanted('b/1')?.screen, SCREEN_SIZE);
      await stage.tell('b/1');
      await stage.tell(shares);
      assert.equal(stage.live.other(B)?.isWatched, false);
      assert.equal(stage.wanted('b/1')?.screen, null);
    });

    it('for no screen that is watched where it is not shown', async () => {
      stage.isShown = true;
      await stage.tell(seat('b/1', { live: 'slides' }));
      stage.meet('b/1');
      stage.live.other(B)!.isWatched = true;
      stage.live.refresh();
      assert.equal(stage.wanted('b/1')?.screen, null);
      stage.sizes.set('screen b', SMALL);
      stage.live.askAgain();
      assert.deepEqual(stage.wanted('b/1')?.screen, SMALL);
    });

    it('again over each new line', async () => {
      await stage.tell('b/1');
      const { up, said } = stage.lines;
      assert.equal(stage.wanted('b/1'), undefined);
      stage.meet('b/1');
      const before = said.filter(({ name }) => name === 'view').length;
      up.clear();
      stage.live.refresh();
      stage.meet('b/1');
      assert.equal(said.filter(({ name }) => name === 'view').length, before + 1);
    });

    it('for pictures that are handed on only where somebody looks at them', async () => {
      await stage.tell('b/1');
      stage.meet('b/1');
      assert.equal(stage.media.last('show', B).shown, false);
      stage.isShown = true;
      stage.sizes.set('camera b', SMALL);
      stage.live.askAgain();
      const shown = stage.media.orders.filter((one) => one.order === 'show' && one.shown);
      assert.deepEqual(
        shown.map((one) => 'kind' in one && one.kind),
        ['camera'],
      );
    });
  });

  it('hears the others as loud as this person wants, and no one who is silenced', async () => {
    await stage.tell('b/1', 'c/1');
    assert.deepEqual([stage.volume('b/1'), stage.volume('c/1')], [100, 100]);
    stage.choices.set(accounts.b, { ...USUAL, volume: 150 });
    stage.choices.set(accounts.c, { ...USUAL, isMuted: true });
    stage.live.refresh();
    assert.deepEqual([stage.volume('b/1'), stage.volume('c/1')], [150, 0]);
    stage.suppressed.add(accounts.b);
    await stage.live.update();
    assert.equal(stage.volume('b/1'), 0);
  });

  it('has a connection and a line to each of the others, and to nobody else', async () => {
    await stage.tell('b/1', 'x/1');
    assert.deepEqual(stage.lines.kept?.devices, ['b/1', 'x/1']);
    for (const one of ['b/1', 'x/1']) stage.meet(one);
    // The one with the greater key makes the offers.
    assert.equal(stage.media.last('open', B).makesOffers, true);
    const { said } = stage.lines;
    assert.equal(said.find(({ to, name }) => to === X && name !== 'view')?.name, 'callme');
    await turns();
    const { attempt } = stage.media.last('open', B);
    assert.deepEqual(stage.said(B, 'offer'), { attempt, sdp: `offer ${attempt}` });
    await stage.tell('x/1');
    assert.deepEqual(stage.media.last('close'), { order: 'close', peer: B });
    assert.deepEqual(stage.lines.kept?.devices, ['x/1']);
    // What still comes of it is passed over.
    stage.live.take(B, { name: 'candidate', notice: { attempt: 1, candidate: 'x', mid: '0' } });
    stage.live.lineUp(B, true);
  });

  it('is what was said last of it, whatever takes how long', async () => {
    const first = stage.tell('b/1', 'c/1');
    const second = stage.tell('b/1');
    await Promise.all([first, second]);
    assert.deepEqual(stage.lines.kept?.devices, ['b/1']);
    assert.deepEqual(stage.live.participants, ['b', 'm']);
  });

  describe('is', () => {
    it('active alone, then with whoever comes', async () => {
      await stage.tell();
      assert.equal(stage.state, 'active m');
      await stage.tell('b/1');
      assert.equal(stage.state, 'active b m');
    });

    it('connecting until there is a connection to anybody', async () => {
      await stage.tell('b/1', 'c/1');
      assert.equal(stage.state, 'connecting b c m');
      await stage.connect('c/1');
      assert.equal(stage.state, 'active b c m');
    });

    it('of people, each named once', async () => {
      await stage.tell('b/1', 'b/2', 'm/2');
      assert.deepEqual(stage.live.participants, ['b', 'm']);
    });

    it('over for good', async () => {
      await stage.tell('b/1');
      await stage.connect('b/1');
      stage.live.end('put out');
      assert.deepEqual(stage.live.state, { phase: 'ended', reason: 'put out' });
      assert.deepEqual(stage.lines.kept, { id: undefined, devices: [] });
      assert.deepEqual(stage.media.last('close').peer, B);
      const orders = stage.media.orders.length;
      await stage.tell('b/1', 'c/1');
      stage.live.refresh();
      assert.deepEqual([stage.media.orders.length, stage.live.others.length], [orders, 0]);
    });
  });

  describe('loses', () => {
    let time: FakeTime;

    beforeEach(() => (time = new FakeTime()));
    afterEach(() => time.restore());
    const ofAll = (): string => stage.live.participants.join(' ');

    it('whoever is not connected to for three seconds, and finds them again', async () => {
      await stage.tell('b/1', 'c/1');
      for (const one of ['b/1', 'c/1']) await stage.connect(one);
      stage.becomes('b/1', 'disconnected');
      await time.pass(2_900);
      assert.equal(ofAll(), 'b c m');
      await time.pass(200);
      assert.equal(ofAll(), 'c m');
      assert.equal(stage.changes.at(-1), 'active c m');
      await stage.agree('b/1');
      stage.becomes('b/1', 'connected');
      assert.equal(ofAll(), 'b c m');
      stage.becomes('b/1', 'disconnected');
      await time.pass(1_000);
      stage.becomes('b/1', 'connected');
      await time.pass(10_000);
      assert.equal(ofAll(), 'b c m');
    });

    it('those who are there and cannot be reached, once until they are', async () => {
      await stage.tell('a/1', 'b/1', seat('c/1', { away: true }));
      await stage.connect('a/1');
      await time.pass(14_900);
      assert.deepEqual(stage.unreached, []);
      await time.pass(200);
      assert.deepEqual(stage.unreached, ['b']);
      await time.pass(60_000);
      await stage.connect('b/1');
      await time.pass(60_000);
      assert.deepEqual(stage.unreached, ['b']);
    });

    it('nobody who has just come, however long it takes', async () => {
      await stage.tell('b/1');
      stage.meet('b/1');
      await time.pass(60_000);
      assert.equal(ofAll(), 'b m');
    });

    it('those who are not there for the server, either', async () => {
      await stage.tell(seat('b/1', { away: true }));
      await time.pass(3_100);
      assert.equal(ofAll(), 'm');
      await stage.tell('b/1');
      assert.equal(ofAll(), 'b m');
    });

    it('whoever is away for the server and silent, though the connection has not noticed', async () => {
      await stage.tell('b/1', 'c/1');
      for (const one of ['b/1', 'c/1']) await stage.connect(one);
      const stats = (bytes: number): void => {
        const peer = { state: 'connected' as const, sentBits: 0, receivedBits: 0 };
        stage.media.stats = {
          peers: { [B]: { ...peer, receivedBytes: 7 }, [C]: { ...peer, receivedBytes: bytes } },
        };
      };
      stats(1);
      await stage.tell(seat('b/1', { away: true }), seat('c/1', { away: true }));
      for (let bytes = 2; bytes < 6; bytes++) {
        await time.pass(2_000);
        stats(bytes);
      }
      assert.equal(ofAll(), 'c m');
      await stage.tell('b/1', 'c/1');
      assert.equal(ofAll(), 'b c m');
      const asked = stage.media.calls.length;
      await time.pass(10_000);
      assert.ok(stage.media.calls.length <= asked + 1, 'it still looks after them');
    });

    it('whoever says that they leave, unless they come again', async () => {
      await stage.tell('b/1', 'c/1');
      for (const one of ['b/1', 'c/1']) await stage.connect(one);
      for (const one of [B, C]) stage.live.take(one, { name: 'bye', notice: {} });
      stage.live.lineUp(C, true);
      await time.pass(1_100);
      assert.equal(ofAll(), 'c m');
      stage.live.lineUp(B, true);
      stage.live.refresh();
      assert.equal(ofAll(), 'b c m');
      assert.equal(stage.desertions, 0);
    });

    it('its sense where the other of two leaves, and the server does not say so', async () => {
      stage = new LiveStage(null);
      await stage.tell('b/1');
      await stage.connect('b/1');
      stage.live.take(B, { name: 'bye', notice: {} });
      assert.equal(stage.desertions, 0);
      await time.pass(1_100);
      assert.equal(stage.desertions, 1);
    });

    it('its sense where the other of two was lost, and then says that they leave', async () => {
      stage = new LiveStage(null);
      await stage.tell('b/1');
      await stage.connect('b/1');
      stage.becomes('b/1', 'failed');
      await time.pass(10_000);
      stage.live.take(B, { name: 'bye', notice: {} });
      assert.equal(stage.desertions, 1);
    });

    it('not its sense where the other of two is lost: they may come again', async () => {
      stage = new LiveStage(null);
      await stage.tell('b/1');
      await stage.connect('b/1');
      stage.becomes('b/1', 'failed');
      await time.pass(60_000);
      assert.deepEqual([stage.desertions, stage.state], [0, 'active m']);
    });

    it('nothing to do when it has ended', async () => {
      await stage.tell(seat('b/1', { away: true }));
      await stage.connect('b/1');
      stage.becomes('b/1', 'disconnected');
      stage.live.end('hung up');
      const { length } = stage.changes;
      const orders = stage.media.orders.length;
      await time.pass(120_000);
      assert.deepEqual([stage.changes.length, stage.media.orders.length], [length, orders]);
    });
  });

  describe('agrees on how much is sent', () => {
    let time: FakeTime;

    beforeEach(() => (time = new FakeTime()));
    afterEach(() => time.restore());
    const offers = (): number => stage.media.calls.filter(({ name }) => name === 'offer').length;
    const limits = (): unknown =>
      stage.media.calls.findLast(({ name }) => name === 'accept')?.args['limits'];
    const answer = (): Promise<void> => stage.agree(B);

    beforeEach(async () => {
      await stage.tell('b/1');
      stage.meet('b/1', { camera: SMALL });
      await answer();
      stage.becomes('b/1', 'connected');
      await time.pass(3_000);
    });

    it('again where they want to see more, or less', async () => {
      const before = limits() as { all: number };
      assert.equal(offers(), 1);
      stage.wants('b/1', { camera: { width: 640, height: 480, fps: 30 } });
      await time.pass(2_000);
      assert.equal(offers(), 2);
      await answer();
      assert.ok((limits() as { all: number }).all > 2 * before.all);
      stage.wants('b/1', { camera: SMALL });
      await time.pass(2_000);
      await answer();
      assert.deepEqual(limits(), before);
    });

    it('not where little is different', async () => {
      stage.wants('b/1', { camera: { ...SMALL, width: SMALL.width - 2 } });
      await stage.live.update();
      await time.pass(10_000);
      assert.equal(offers(), 1);
    });

    it('once a second at most, however often they change their mind', async () => {
      for (let change = 0; change < 100; change++) {
        const width = change % 2 === 0 ? 1_280 : 160;
        stage.wants('b/1', { camera: { width, height: width, fps: 30 } });
        await time.pass(50);
        await answer();
      }
      assert.ok(offers() <= 8, `${offers()} offers in five seconds`);
    });

    it('again where there are many more in it', async () => {
      const before = limits() as { sound: number };
      await stage.tell('b/1', 'c/1', 'd/1', 'e/1', 'f/1', 'g/1');
      await time.pass(2_000);
      await answer();
      assert.ok((limits() as { sound: number }).sound < before.sound);
    });
  });

  describe('goes on with another helper process', () => {
    it('to which everybody and everything is told anew', async () => {
      stage.contacts.add(accounts.b);
      await stage.tell('b/1', 'x/1');
      for (const one of ['b/1', 'x/1']) await stage.connect(one);
      const sent = stage.sent('b/1');
      const { attempt } = stage.media.last('open', B);
      const theirs = stage.media.last('open', X).attempt;
      stage.isMediaThere = false;
      stage.live.refresh();
      stage.media.orders.length = 0;
      stage.isMediaThere = true;
      stage.live.mediaReady(true);
      assert.equal(stage.media.last('open', B).attempt, attempt + 1);
      assert.deepEqual(stage.sent('b/1'), sent);
      assert.equal(stage.volume('x/1'), 100);
      // Who makes the offers is to make another.
      assert.deepEqual(stage.said(X, 'callme'), { attempt: theirs, how: 'anew' });
    });

    it('or with the first one, once it is there', async () => {
      stage.isMediaThere = false;
      await stage.tell('b/1');
      stage.meet('b/1');
      assert.deepEqual(stage.media.orders, []);
      stage.isMediaThere = true;
      stage.live.mediaReady(false);
      assert.equal(stage.media.last('open', B).makesOffers, true);
      assert.equal(stage.sent('b/1').sound, true);
    });
  });

  it('seeks other ways to everybody on another network', async () => {
    await stage.tell('b/1', 'x/1');
    for (const one of ['b/1', 'x/1']) await stage.connect(one);
    await turns();
    const { said } = stage.lines;
    said.length = 0;
    stage.live.networkChanged();
    assert.deepEqual(said.at(0)?.name, 'callme');
  });

  it('knows what this device has switched on, as the server has it', async () => {
    await stage.tell('b/1');
    assert.equal(stage.live.ownEquipment?.device, ME);
    assert.equal(stage.live.ownEquipment?.camera, true);
  });
});

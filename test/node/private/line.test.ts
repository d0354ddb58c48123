import assert from 'node:assert/strict';
import { encode } from '../../../lib/crdt/codec.ts';
import { MAX_TEXT_BYTES } from '../../../lib/text.ts';
import { ended, eventually, turns } from '../../support/channels.ts';
import { fakeClock } from '../../support/time.ts';
import { privateStage, refuses, type Stranger, type Talker } from '../../support/private-stage.ts';

describe('a line to another device', function () {
  this.timeout(30_000);
  const stage = privateStage();
  let alice: Talker;
  let bob: Talker;
  let eve: Stranger;

  beforeEach(async () => {
    [alice, bob] = await stage.join('alice', 'bob');
    eve = await stage.stranger('eve');
  });

  describe('is none', () => {
    const isShut = async (stranger: Stranger, to: Talker): Promise<void> => {
      const channel = await stranger.channel(to);
      channel.send(encode([0, 1, 'request', {}]));
      await ended(channel);
      assert.deepEqual([to.told, to.sessions.waiting], [[], []]);
    };

    it('to a device that nobody knows', async () => {
      const { community } = stage;
      const unknown = (await community.join('mallory')).device();
      await isShut(stage.byHand(unknown), alice);
    });

    it('to a device that its account has shut out', async () => {
      const phone = await stage.device(bob);
      await bob.bench.revoke(phone.bench.member);
      await stage.catchUp();
      await phone.transport.stop();
      await isShut(stage.byHand(phone.bench.member), alice);
    });

    it('to another device of the own account', async () => {
      const phone = await stage.community.enrol(alice.bench.member);
      await stage.catchUp();
      await isShut(stage.byHand(phone), alice);
    });

    it('while nobody is logged in', async () => {
      alice.isLoggedIn = false;
      await isShut(eve, alice);
    });
  });

  describe('carries nothing but what is its turn', () => {
    it('no message where there is no session', async () => {
      const line = await eve.reach(alice);
      const said = { text: 'hello', time: 1 };
      await refuses(line.call('message', said), 'NO_SESSION');
      await line.call('request', {});
      await refuses(line.call('message', said), 'NO_SESSION');
      assert.deepEqual(alice.told, ['request eve']);
    });

    it('no yes to what was not asked, or by whoever asks', async () => {
      const line = await eve.reach(alice);
      await refuses(line.call('accept', {}), 'NO_REQUEST');
      await line.call('request', {});
      await refuses(line.call('accept', {}), 'NO_REQUEST');
      await alice.sessions.start(bob.account);
      await refuses(line.call('accept', {}), 'NO_REQUEST');
    });

    it('one request', async () => {
      const line = await eve.reach(alice);
      await line.call('request', {});
      await refuses(line.call('request', {}), 'NOT_SUPPORTED');
      assert.deepEqual(alice.told, ['request eve']);
    });

    it('a request of the same device in place of one that it has forgotten', async () => {
      await (await eve.reach(alice)).call('request', {});
      const line = await eve.reach(alice, { accept: () => ({}) });
      await line.call('request', {});
      assert.deepEqual(alice.told, ['request eve', 'closed eve: gone', 'request eve']);
      await alice.sessions.answer(eve.member.account, true);
      await line.call('message', { text: 'hello', time: 1 });
      assert.equal(alice.told.at(-1), 'message eve: hello');
    });

    it('no request beside an open session, which goes on', async () => {
      const line = await eve.reach(alice, { accept: () => ({}) });
      await line.call('request', {});
      await alice.sessions.answer(eve.member.account, true);
      await refuses((await eve.reach(alice)).call('request', {}), 'ALREADY');
      await line.call('message', { text: 'hello', time: 1 });
      assert.deepEqual(alice.told, ['request eve', 'open eve', 'message eve: hello']);
    });

    it('no text that is too long, or none', async () => {
      const line = await eve.reach(alice, { accept: () => ({}) });
      await line.call('request', {});
      await alice.sessions.answer(eve.member.account, true);
      for (const text of ['', 'x'.repeat(MAX_TEXT_BYTES + 1)])
        await refuses(line.call('message', { text, time: 1 }), 'BAD_MESSAGE');
      await line.call('message', { text: 'x'.repeat(MAX_TEXT_BYTES), time: 1 });
      assert.equal(alice.told.filter((told) => told.startsWith('message')).length, 1);
    });
  });

  it('ends with what is not understood, and the session with it', async () => {
    const frames = [
      Uint8Array.of(0xff),
      encode('request'),
      encode([0]),
      encode([3, 'close', { reason: 'nothing' }]),
      encode([3, 'close', {}]),
      encode([9, 1, 2, 3]),
    ];
    for (const [index, frame] of frames.entries()) {
      const stranger = index === 0 ? eve : await stage.stranger(`eve${index}`);
      const line = await stranger.reach(alice, { accept: () => ({}) });
      await line.call('request', {});
      await alice.sessions.answer(stranger.member.account, true);
      line.channel.send(frame);
      await eventually('the end', () => alice.told.at(-1)?.endsWith(': gone') === true);
      // That this end learns it takes a moment more.
      await ended(line.channel);
    }
  });

  it('is asked by one account at a bounded rate', async () => {
    for (let n = 0; n < 5; n++) {
      const line = await eve.reach(alice);
      await line.call('request', {});
      line.notify('close', { reason: 'withdrawn' });
      await alice.hears('closed eve: withdrawn', n + 1);
    }
    await refuses((await eve.reach(alice)).call('request', {}), 'RATE_LIMITED');
    // Others are not held up by it.
    await bob.talksWith(alice);
  });

  it('is asked by so many who wait for an answer, and no more', async () => {
    for (let n = 0; n < 32; n++) {
      const stranger = await stage.stranger(`s${n}`);
      await (await stranger.reach(alice)).call('request', {});
    }
    assert.equal(alice.sessions.waiting.length, 32);
    await refuses((await eve.reach(alice)).call('request', {}), 'RATE_LIMITED');
    await alice.sessions.answer(alice.sessions.waiting[0]!, false);
    await (await eve.reach(alice)).call('request', {});
  });

  it('is told by the same words however it is declined', async () => {
    const line = await eve.reach(alice);
    await line.call('request', {});
    await alice.sessions.stop(eve.member.account);
    await eventually('the end', () => line.ended);
    assert.deepEqual(eve.reasons, ['declined']);
  });

  it('is lost with a peer that says yes and then nothing any more', async () => {
    const line = await eve.reach(alice, {
      accept: () => ({}),
      message: () => new Promise(() => undefined),
    });
    await line.call('request', {});
    await alice.sessions.answer(eve.member.account, true);
    const clock = fakeClock();
    try {
      const said = alice.sessions.say(eve.member.account, { text: 'hello?', time: 1 });
      const refused = refuses(said, 'PEER_GONE');
      await clock.tickAsync(10_000);
      await refused;
    } finally {
      clock.uninstall();
    }
    assert.equal(alice.told.at(-1), 'closed eve: gone');
  });

  it('is ended where somebody connects and asks nothing', async () => {
    const clock = fakeClock();
    try {
      const reached = eve.channel(alice);
      await clock.tickAsync(10);
      const channel = await reached;
      await clock.tickAsync(9_000);
      assert.equal(channel.ended, false);
      await clock.tickAsync(2_000);
      assert.equal(channel.ended, true);
    } finally {
      clock.uninstall();
    }
    await turns();
    assert.deepEqual(alice.told, []);
  });
});

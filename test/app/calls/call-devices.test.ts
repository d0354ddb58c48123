import assert from 'node:assert/strict';
import { CallDevices, type DeviceNames } from '../../../lib/app/calls/call-devices.ts';
import { ClchatError, type ErrorCode } from '../../../lib/errors.ts';
import { SILENT, type Log } from '../../../lib/log.ts';
import type { EngineEvent } from '../../../lib/media/engine/messages.ts';
import { FakeMedia } from '../../support/live-call.ts';
import { FakeTime } from '../../support/time.ts';

const TEST: DeviceNames = { camera: 'test', microphone: 'tone:440', speaker: 'none' };

describe('the devices of calls', () => {
  let time: FakeTime;
  let devices: CallDevices;
  /** The helper processes, in order. */
  let started: FakeMedia[];
  /** All that was told, in short. */
  let told: string[];
  let faults: unknown[];
  let refusal: ErrorCode | undefined;
  let heard: EngineEvent[];
  /** What each of them refuses. */
  let refusals: Map<string, ErrorCode>;

  const open = (names: DeviceNames): void => {
    devices = new CallDevices({
      names,
      log: { ...SILENT, fault: (error) => faults.push(error) } satisfies Log,
      onEvent: (event) => heard.push(event),
      onReady: () => told.push('ready'),
      onRenewed: () => told.push('renewed'),
      onLost: ({ code }) => told.push(`lost ${code}`),
      onSwitched: (kind, isOn) => told.push(`${kind} ${isOn ? 'on' : 'off'}`),
      onNotice: (code, text) => told.push(`notice ${code}${text === '' ? ' without a text' : ''}`),
      startMedia: async (options) => {
        await Promise.resolve();
        if (refusal !== undefined) throw new ClchatError(refusal);
        const media = new FakeMedia(options);
        for (const [what, code] of refusals) media.refusals.set(what, code);
        started.push(media);
        return media;
      },
    });
  };

  beforeEach(() => {
    time = new FakeTime();
    [started, told, faults, heard] = [[], [], [], []];
    refusal = undefined;
    refusals = new Map();
    open(TEST);
  });
  afterEach(async () => {
    await devices.stop();
    time.restore();
    assert.deepEqual(faults, []);
    assert.ok(
      started.every(({ isStopped, refusals: of }) => isStopped || of.has('source camera')),
      'one is still there',
    );
  });

  const media = (): FakeMedia => started.at(-1) ?? assert.fail('there is none');

  it('are those that were named, once a call begins', async () => {
    assert.deepEqual([devices.isOn('camera'), devices.isOn('microphone')], [true, true]);
    assert.equal(devices.media, undefined);
    await devices.begin();
    assert.deepEqual(told, ['ready']);
    assert.deepEqual(media().sources.sort(), ['camera test', 'microphone tone:440']);
    assert.deepEqual(
      media().calls.filter(({ name }) => name === 'speaker'),
      [],
    );
  });

  it('are none where none were named', async () => {
    open({ camera: 'none', speaker: 'out.wav' });
    await devices.begin();
    assert.deepEqual(media().sources, []);
    assert.deepEqual(media().calls, [{ name: 'speaker', args: { spec: 'out.wav' } }]);
  });

  it('are given back when it ends, and taken again with the next', async () => {
    open({ ...TEST, speaker: 'default' });
    await devices.begin();
    const ended = devices.end();
    // The next one begins before all are given back.
    const begun = devices.begin();
    await Promise.all([ended, begun]);
    assert.deepEqual(media().sources, [
      'microphone tone:440',
      'camera test',
      'microphone none',
      'camera none',
      'screen none',
      'microphone tone:440',
      'camera test',
    ]);
    const speakers = media().calls.filter(({ name }) => name === 'speaker');
    assert.deepEqual(
      speakers.map(({ args }) => args['spec']),
      ['default', 'none', 'default'],
    );
    assert.equal(started.length, 1);
  });

  it('are not taken for a call that is over before they could be', async () => {
    const begun = devices.begin();
    await devices.end();
    await begun;
    assert.deepEqual([media().sources, told], [[], []]);
    await time.pass(11_000);
    assert.equal(media().isStopped, true);
  });

  describe('that cannot be had', () => {
    it('are told of, and the call goes on without them', async () => {
      refusals.set('source camera', 'NO_DEVICE').set('speaker', 'NO_DEVICE');
      open({ ...TEST, speaker: 'default' });
      await devices.begin();
      assert.deepEqual(told.sort(), [
        'camera off',
        'notice NO_DEVICE',
        'notice NO_DEVICE',
        'ready',
      ]);
      assert.deepEqual([devices.isOn('camera'), devices.isOn('microphone')], [false, true]);
    });

    it('are nobody’s concern when the call is over', async () => {
      open(TEST);
      refusals.set('source camera', 'NO_DEVICE');
      let release!: () => void;
      const held = new Promise<void>((resolve) => (release = resolve));
      await devices.warm();
      media().held.set('source camera', held);
      const begun = devices.begin();
      await time.pass(1);
      await devices.end();
      release();
      await begun;
      assert.deepEqual(told, ['ready']);
      assert.equal(devices.isOn('camera'), true);
    });

    it('are off where nobody knows whether they have come about, and given back if they do', async () => {
      open({ ...TEST, screen: 'test' });
      await devices.begin();
      told.length = 0;
      for (const kind of ['camera', 'screen'] as const) {
        media().refusals.set(`source ${kind}`, 'TIMEOUT');
        await assert.rejects(devices.switch(kind, true, '/dev/slow'), { code: 'TIMEOUT' });
        assert.equal(devices.isOn(kind), false);
        assert.equal(media().sources.at(-1), `${kind} none`);
      }
      assert.deepEqual(told, ['camera off'], 'the screen was off before');
      assert.equal(devices.nameOf('camera'), 'test');
    });

    it('are told of when a call begins with one that takes too long', async () => {
      refusals.set('source camera', 'TIMEOUT');
      open(TEST);
      await devices.begin();
      assert.deepEqual(told, ['ready', 'camera off', 'notice TIMEOUT']);
      assert.deepEqual(media().sources.at(-1), 'camera none');
    });

    it('leave what was on before', async () => {
      await devices.begin();
      media().refusals.set('source camera', 'NO_DEVICE');
      await assert.rejects(devices.switch('camera', true, '/dev/none'), { code: 'NO_DEVICE' });
      assert.deepEqual([devices.isOn('camera'), devices.nameOf('camera')], [true, 'test']);
    });

    it('may be gone in the midst of a call', async () => {
      await devices.begin();
      const ended = (kind: 'camera' | 'speaker' | 'record', text: string): void =>
        media().options!.onEvent({ event: 'ended', kind, code: 'NO_DEVICE', text });
      ended('camera', 'It was pulled out.');
      assert.deepEqual(told.slice(1), ['notice NO_DEVICE', 'camera off']);
      assert.equal(devices.isOn('camera'), false);
      ended('speaker', '');
      ended('record', '');
      assert.deepEqual(told.slice(3), ['notice NO_DEVICE', 'notice NO_DEVICE']);
      assert.deepEqual(
        heard.map((event) => 'kind' in event && event.kind),
        ['record'],
      );
    });
  });

  describe('are switched', () => {
    it('in a call at once', async () => {
      await devices.begin();
      await devices.switch('camera', false);
      assert.deepEqual([media().sources.at(-1), devices.isOn('camera')], ['camera none', false]);
      await devices.switch('camera', true);
      assert.deepEqual([media().sources.at(-1), devices.isOn('camera')], ['camera test', true]);
      await devices.switch('camera', true, 'film.mkv');
      assert.equal(media().sources.at(-1), 'camera film.mkv');
      await devices.choose('microphone', 'silence');
      assert.equal(media().sources.at(-1), 'microphone silence');
    });

    it('for the next call without one', async () => {
      await devices.switch('camera', false);
      await devices.switch('microphone', true, 'tone:600');
      assert.deepEqual(started, []);
      await devices.begin();
      assert.deepEqual(media().sources, ['microphone tone:600']);
    });

    it('on by whoever has named none, which is then the usual one', async () => {
      open({ camera: 'none' });
      await devices.begin();
      await devices.switch('camera', true);
      await devices.switch('microphone', true);
      assert.deepEqual(media().sources, ['camera default', 'microphone default']);
    });

    it('off, be the helper process just going or not', async () => {
      await devices.begin();
      const dying = media();
      const call = dying.call;
      Object.assign(dying, {
        call: (...args: Parameters<typeof call>) =>
          args[0] === 'source'
            ? Promise.reject(new ClchatError('CLOSED'))
            : call(...(args as [never, never])),
      });
      await devices.switch('microphone', false);
      dying.die();
      await time.pass(1);
      assert.deepEqual([started.length, media().sources], [2, ['camera test']]);
    });

    it('to others that are preferred, without being switched on', async () => {
      open({});
      devices.prefer({ camera: '/dev/video7', speaker: undefined });
      await devices.begin();
      assert.deepEqual(media().sources, []);
      await devices.switch('camera', true);
      assert.deepEqual(media().sources, ['camera /dev/video7']);
    });

    it('on for the call in which that was asked for, and for no other', async () => {
      open({ screen: 'test' });
      for (const kind of ['screen', 'camera'] as const) {
        await devices.begin();
        let release!: () => void;
        media().held.set(`source ${kind}`, new Promise((resolve) => (release = resolve)));
        const switched = assert.rejects(devices.switch(kind, true, 'test'), { code: 'NO_CALL' });
        await time.pass(1);
        await devices.end();
        const begun = kind === 'camera' ? devices.begin() : undefined;
        release();
        await Promise.all([switched, begun]);
        assert.equal(devices.isOn(kind), false);
        assert.equal(media().sources.at(-1), 'screen none', 'all were given back after that');
        await devices.begin();
        assert.equal(media().sources.at(-1), 'screen none', 'and none is taken');
        await devices.end();
      }
    });

    it('off by what was said last, however long it takes to be switched on', async () => {
      await devices.begin();
      await devices.switch('camera', false);
      let release!: () => void;
      media().held.set('source camera', new Promise((resolve) => (release = resolve)));
      const on = devices.switch('camera', true);
      await time.pass(1);
      const off = devices.switch('camera', false);
      release();
      await Promise.all([on, off]);
      assert.deepEqual([devices.isOn('camera'), media().sources.at(-1)], [false, 'camera none']);
    });

    it('off by what was said last, also while there is no helper process', async () => {
      open({ screen: 'test' });
      const begun = devices.begin();
      const on = devices.switch('camera', true, 'test');
      const off = devices.switch('camera', false);
      await Promise.all([begun, on, off]);
      assert.deepEqual([devices.isOn('camera'), media().sources], [false, []]);
    });

    it('on for no call that is over before there is a helper process', async () => {
      open({ screen: 'test' });
      const begun = devices.begin();
      const switched = assert.rejects(devices.switch('screen', true), { code: 'NO_CALL' });
      await devices.end();
      await Promise.all([begun, switched]);
      assert.deepEqual([media().sources, devices.isOn('screen')], [[], false]);
    });

    it('off by "none", in a call and without one', async () => {
      await devices.choose('microphone', 'none');
      assert.deepEqual([devices.isOn('microphone'), told], [false, ['microphone off']]);
      await devices.switch('camera', true, 'none');
      assert.equal(devices.isOn('camera'), false);
      await devices.begin();
      assert.deepEqual(media().sources, []);
      for (const kind of ['camera', 'screen'] as const) {
        await devices.switch(kind, true, 'test');
        told.length = 0;
        await devices.choose(kind, 'none');
        assert.deepEqual([devices.isOn(kind), told], [false, [`${kind} off`]]);
        assert.equal(media().sources.at(-1), `${kind} none`);
      }
      await devices.choose('speaker', 'none');
      await devices.switch('microphone', true, 'tone');
      await devices.switch('microphone', true, 'none');
      assert.deepEqual(
        [devices.isOn('microphone'), media().sources.at(-1)],
        [false, 'microphone none'],
      );
    });

    it('off by whoever would rather have none', async () => {
      devices.prefer({ microphone: 'none', speaker: 'none' });
      assert.deepEqual([devices.isOn('camera'), devices.isOn('microphone')], [true, false]);
      await devices.begin();
      assert.deepEqual(media().sources, ['camera test']);
    });

    it('on before a call by whoever has named none, which is then the usual one', async () => {
      open({ camera: 'none', microphone: 'none' });
      await devices.switch('microphone', true);
      assert.equal(devices.isOn('microphone'), true);
      await devices.begin();
      assert.deepEqual(media().sources, ['microphone default']);
      await devices.switch('camera', true);
      await devices.end();
      await devices.begin();
      assert.equal(media().sources.at(-1), 'camera default');
    });

    it('not on, of screens, where none was chosen', async () => {
      open({ screen: 'none' });
      await devices.begin();
      await assert.rejects(devices.switch('screen', true), {
        code: 'NO_DEVICE',
        message: /"none" was chosen.*"settings screen"/,
      });
      assert.deepEqual([media().sources, devices.isOn('screen')], [[], false]);
      await devices.choose('screen', 'test');
      await devices.switch('screen', true);
      assert.deepEqual(media().sources, ['screen test']);
    });

    it('to another one that is chosen, also where the call ends meanwhile', async () => {
      await devices.begin();
      let release!: () => void;
      media().held.set('source camera', new Promise((resolve) => (release = resolve)));
      const chosen = devices.choose('camera', 'film.mkv');
      await time.pass(1);
      await devices.end();
      release();
      await chosen;
      media().held.clear();
      await devices.begin();
      assert.deepEqual([media().sources.at(-1), devices.isOn('camera')], ['camera film.mkv', true]);
    });

    it('with a screen that is shared in this call only', async () => {
      open({ screen: 'test' });
      await devices.begin();
      await devices.switch('screen', true);
      assert.equal(media().sources.at(-1), 'screen test');
      await devices.end();
      assert.equal(devices.isOn('screen'), false);
    });
  });

  describe('make a recording', () => {
    it('of the present call', async () => {
      await assert.rejects(devices.record('a.mkv'), { code: 'NO_MEDIA' });
      await devices.begin();
      await devices.record('a.mkv');
      await devices.record(undefined);
      const recorded = media().calls.filter(({ name }) => name === 'record');
      assert.deepEqual(
        recorded.map(({ args }) => args['file']),
        ['a.mkv', undefined],
      );
      let release!: () => void;
      media().held.set('record', new Promise((resolve) => (release = resolve)));
      const late = assert.rejects(devices.record('b.mkv'), { code: 'NO_CALL' });
      const ended = devices.end();
      release();
      await Promise.all([late, ended]);
      assert.deepEqual(media().calls.at(-1), { name: 'record', args: { file: undefined } });
    });

    it('that ends where nobody knows whether it has begun, and then that is told', async () => {
      await devices.begin();
      media().refusals.set('record', 'TIMEOUT');
      const late = assert.rejects(devices.record('b.mkv'), { code: 'TIMEOUT' });
      await Promise.resolve();
      media().refusals.clear();
      media().refusals.set('record', 'ALREADY');
      await late;
      await time.pass(1);
      assert.equal(heard.length, 0, 'it has not ended');
      media().refusals.set('record', 'TIMEOUT');
      const another = assert.rejects(devices.record('c.mkv'), { code: 'TIMEOUT' });
      await Promise.resolve();
      media().refusals.clear();
      await another;
      await time.pass(1);
      assert.deepEqual(media().calls.at(-1), { name: 'record', args: { file: undefined } });
      assert.deepEqual(
        heard.map((event) => 'kind' in event && event.kind),
        ['record'],
      );
    });
  });

  describe('have a helper process', () => {
    it('that is ready ahead of the call, and goes where none comes', async () => {
      assert.equal(await devices.warm(), undefined);
      await time.pass(10_000);
      // Another one rings, for 15 seconds as each does.
      await devices.warm();
      await time.pass(16_000);
      assert.equal(media().isStopped, false);
      await time.pass(4_000);
      assert.equal(media().isStopped, true);
      assert.equal(devices.media, undefined);
      await devices.begin();
      assert.equal(started.length, 2);
      await time.pass(60_000);
      assert.equal(media().isStopped, false);
    });

    it('that is kept for what rings when a call ends meanwhile', async () => {
      await devices.begin();
      await devices.warm();
      await devices.end();
      await time.pass(16_000);
      assert.equal(media().isStopped, false);
      await time.pass(4_000);
      assert.equal(media().isStopped, true);
    });

    it('that is kept a while for the next call', async () => {
      await devices.begin();
      await devices.end();
      await time.pass(9_000);
      await devices.begin();
      await time.pass(9_000);
      assert.deepEqual([started.length, media().isStopped], [1, false]);
    });

    it('whose gate is as it was set, whichever it is', async () => {
      const settings = { mode: 'push' } as const;
      devices.setGate(settings);
      await devices.begin();
      assert.deepEqual(media().last('gate').settings, settings);
      devices.setGate({ mode: 'activity', threshold: -40 });
      media().die();
      await time.pass(1);
      assert.deepEqual(media().last('gate').settings, { mode: 'activity', threshold: -40 });
    });

    it('that knows whether the key is held by which one talks, until the call is over', async () => {
      devices.setHeld(true);
      await devices.begin();
      assert.equal(media().last('push').held, true);
      media().die();
      await time.pass(1);
      assert.deepEqual([started.length, media().last('push').held], [2, true]);
      await devices.end();
      assert.equal(media().last('push').held, false);
      await devices.begin();
      media().die();
      await time.pass(1);
      assert.throws(() => media().last('push'), /there was no order/);
    });

    it('or none, which is said', async () => {
      refusal = 'NO_MEDIA';
      assert.equal((await devices.warm())?.code, 'NO_MEDIA');
      await assert.rejects(devices.begin(), { code: 'NO_MEDIA' });
      refusal = undefined;
      await devices.begin();
      assert.deepEqual(told, ['ready']);
    });

    it('of which another takes the place, with all that is on', async () => {
      open({ ...TEST, speaker: 'default', screen: 'test' });
      await devices.begin();
      await devices.switch('screen', true);
      told.length = 0;
      media().die();
      await time.pass(1);
      assert.deepEqual([told, started.length], [['renewed'], 2]);
      assert.deepEqual(media().sources.sort(), [
        'camera test',
        'microphone tone:440',
        'screen test',
      ]);
      assert.equal(media().calls.filter(({ name }) => name === 'speaker').length, 1);
      assert.deepEqual([devices.isOn('camera'), devices.media], [true, media()]);
    });

    it('that is told of as another before its devices are there, however long these take', async () => {
      await devices.begin();
      told.length = 0;
      refusals.set('source camera', 'NO_DEVICE');
      media().die();
      await time.pass(1);
      assert.deepEqual(told, ['renewed', 'camera off', 'notice NO_DEVICE']);
    });

    it('three times a minute at most', async () => {
      await devices.begin();
      for (let death = 1; death <= 3; death++) {
        media().die();
        await time.pass(1_000);
      }
      assert.equal(started.length, 4);
      await time.pass(61_000);
      for (let death = 1; death <= 3; death++) {
        media().die();
        await time.pass(1_000);
      }
      assert.deepEqual([started.length, told.includes('lost NO_MEDIA')], [7, false]);
      media().die();
      await time.pass(1_000);
      assert.deepEqual([started.length, told.at(-1)], [7, 'lost NO_MEDIA']);
    });

    it('that is no loss where it goes between two calls', async () => {
      await devices.begin();
      await devices.end();
      told.length = 0;
      media().die();
      await time.pass(1);
      assert.deepEqual([told, devices.media, started.length], [[], undefined, 1]);
    });

    it('that is no loss to a call that is over when there is another', async () => {
      await devices.begin();
      told.length = 0;
      media().die();
      await devices.end();
      await time.pass(1);
      assert.deepEqual([told, media().sources], [[], []]);
    });

    it('until the program ends', async () => {
      await devices.begin();
      await devices.stop();
      assert.equal(media().isStopped, true);
      await assert.rejects(devices.begin(), { code: 'CLOSED' });
      assert.equal(started.length, 1);
    });

    it('that is just starting when the program ends', async () => {
      const begun = devices.begin();
      await devices.stop();
      await begun.catch(() => undefined);
      assert.ok(started.every(({ isStopped }) => isStopped));
      assert.deepEqual(
        started.flatMap(({ sources }) => sources),
        [],
      );
    });
  });
});

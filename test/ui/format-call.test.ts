import assert from 'node:assert/strict';
import type { AppEvent, ResultData } from '../../lib/app/types.ts';
import { CALL_ENDS } from '../../lib/node/calls/wire.ts';
import { CALL_COMMANDS } from '../../lib/ui/commands-call.ts';
import { formatEvent, formatResult } from '../../lib/ui/format.ts';
import { parse } from '../../lib/ui/parse.ts';
import type { Style } from '../../lib/ui/style.ts';

const NOW = new Date(2026, 10, 20, 14, 5).getTime();
const plain: Style = { colours: false, plain: true, time: true, now: () => NOW };
const HOSTILE = '\u001b]0;title\u0007\u001b[31mred\u202e\u0000\u009b2J';
const isClean = (text: string): void =>
  assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);

describe('texts of calls', () => {
  const told = (event: AppEvent): string | undefined => formatEvent(event, plain);
  type CallEvent = Extract<AppEvent, { event: 'call' }>;
  const call = (change: Partial<CallEvent> = {}): AppEvent => ({
    event: 'call',
    id: 'c',
    state: 'active',
    participants: ['bob', 'alice'],
    user: 'bob',
    ...change,
  });
  const inRoom = (change: Partial<CallEvent> = {}): AppEvent => {
    const { user: _, ...rest } = call(change) as CallEvent;
    return { ...rest, room: 'kitchen' };
  };

  it('say who calls, and what can be done about it', () => {
    const ring: AppEvent = { event: 'ring', id: 'c', user: 'bob' };
    assert.equal(told(ring), '14:05 * bob calls you: /answer or /decline');
    assert.equal(told(call({ state: 'ringing', participants: [] })), undefined);
  });

  it('say who is in it', () => {
    assert.match(told(call({ state: 'connecting' }))!, /Connecting to bob, alice…$/);
    assert.match(told(call())!, /In the call: bob, alice\.$/);
    assert.match(told(inRoom({ participants: ['alice'] }))!, /in the call of #kitchen, and nobody/);
  });

  it('say of calls in rooms how they are joined, and that they are over', () => {
    const there = told(inRoom({ joined: false }))!;
    assert.match(there, /There is a call in #kitchen: bob, alice\. Join it with \/call #kitchen$/);
    assert.deepEqual(parse('/call #kitchen'), { name: 'call', args: { target: '#kitchen' } });
    assert.match(
      told(inRoom({ joined: false, state: 'ended', participants: [] }))!,
      /The call in #kitchen is over\.$/,
    );
  });

  it('say why one is over, for each reason something else', () => {
    const texts = CALL_ENDS.map((reason) => told(call({ state: 'ended', reason }))!);
    assert.equal(new Set(texts).size, CALL_ENDS.length);
    assert.ok(texts.every((text) => text.includes('bob')));
    assert.match(told(call({ state: 'ended' }))!, /The call with bob is over\.$/);
  });

  it('say what somebody has switched on', () => {
    const dev = (video: boolean, audio: boolean): string =>
      told({ event: 'chatdev', user: 'bob', video, audio })!;
    assert.equal(
      new Set([dev(true, true), dev(true, false), dev(false, true), dev(false, false)]).size,
      4,
    );
    assert.match(dev(false, false), /bob has switched both off\.$/);
    assert.equal(told({ event: 'talking', user: 'bob', talking: true }), undefined);
  });

  it('say what is shared and recorded', () => {
    assert.match(
      told({ event: 'golive', user: 'bob', live: true, label: 'slides' })!,
      /bob shares a screen: slides\. \/watch bob$/,
    );
    assert.match(told({ event: 'golive', user: 'bob', live: true, label: '' })!, /a screen\. /);
    assert.match(told({ event: 'golive', user: 'bob', live: false })!, /no more\.$/);
    assert.match(told({ event: 'recording', user: 'bob', recording: true })!, /bob records/);
    assert.match(told({ event: 'recording', user: 'bob', recording: false })!, /bob has stopped/);
  });

  it('say of each command what it has done', () => {
    const pair = { id: 'c', state: 'active', user: 'bob', participants: ['alice', 'bob'] };
    const results: [string, ResultData, RegExp][] = [
      ['call', { call: { ...pair, state: 'ringing' } }, /^Calling bob… "hangup" gives up\.$/],
      ['call', { call: pair }, /^You are in the call of bob: alice, bob\.$/],
      [
        'call',
        { call: { ...pair, user: undefined, room: 'kitchen', participants: ['alice'] } },
        /#kitchen\.$/,
      ],
      ['answer', { call: pair }, /in the call of bob/],
      ['decline', { call: { ...pair, state: 'ended' } }, /declined the call of bob/],
      ['hangup', { call: pair }, /hung up/],
      ['calls', { calls: [] }, /^There is no call\.$/],
      [
        'calls',
        {
          calls: [
            { ...pair, here: true },
            { ...pair, state: 'ringing' },
          ],
        },
        /bob {2}alice, bob {2}\(you are in it\)\nbob {2}rings$/,
      ],
      ['mic', { device: 'microphone', on: true, inCall: true }, /^Your microphone is on\.$/],
      ['camera', { device: 'camera', on: false, inCall: false }, /off for the next call\.$/],
      ['mute', { user: 'bob' }, /do not hear bob/],
      ['unmute', { user: 'bob' }, /hear bob again/],
      ['hide', { user: 'bob' }, /do not see bob/],
      ['show', { user: 'bob' }, /see bob again/],
      ['enlarge', { enlarged: 'bob' }, /bob is shown large/],
      ['enlarge', { enlarged: '' }, /All are/],
      ['video', { video: 'on' }, /are shown/],
      ['video', { video: 'off' }, /not shown/],
      ['volume', { user: 'bob', volume: 150 }, /bob is at 150 %/],
      ['suppress', { user: 'bob' }, /bob is silenced for everyone in all calls\.$/],
      ['suppress', { user: 'bob', room: 'kitchen' }, /everyone in #kitchen\.$/],
      ['unsuppress', { user: 'bob' }, /bob can be heard again/],
      ['golive', { live: true, label: '' }, /You share your screen/],
      ['stoplive', { live: false }, /no more/],
      ['watch', { user: 'bob', watching: true }, /You watch bob/],
      ['unwatch', { user: 'bob', watching: false }, /do not watch bob/],
      ['record', { file: 'x.mkv', recording: true }, /into x\.mkv/],
      ['stoprecord', { recording: false }, /finished/],
      ['voice', { voice: 'open' }, /whenever it is on/],
      ['voice', { voice: 'activity' }, /while you talk/],
      ['voice', { voice: 'push' }, /while you "push"/],
      ['push', { push: true }, /You are heard/],
      ['push', { push: false }, /not heard/],
    ];
    for (const [name, data, text] of results) assert.match(formatResult(name, data, plain), text);
    const named = new Set(results.map(([name]) => name));
    assert.deepEqual(
      CALL_COMMANDS.map(({ name }) => name).filter((name) => !named.has(name)),
      [],
    );
  });

  it('carry nothing from others that the terminal would obey', () => {
    const user = HOSTILE;
    const events: AppEvent[] = [
      { event: 'ring', id: user, user },
      call({ user, participants: [user] }),
      call({ user, state: 'connecting', participants: [user] }),
      call({ user, state: 'ended', reason: 'lost' }),
      { ...(inRoom({ participants: [user, user], joined: false }) as CallEvent), room: user },
      { event: 'chatdev', user, video: true, audio: true },
      { event: 'golive', user, live: true, label: user },
      { event: 'recording', user, recording: true },
      { event: 'missed-call', user, time: NOW },
      { event: 'servermute', user, room: user, suppressed: true, by: user },
    ];
    for (const event of events) {
      const text = told(event) ?? assert.fail(event.event);
      isClean(text);
      assert.ok(text.includes('red'), text);
    }
    const participants = [user, user];
    const hostile: ResultData = {
      user,
      file: user,
      call: { user, participants },
      calls: [{ user, participants }],
    };
    for (const { name } of CALL_COMMANDS) isClean(formatResult(name, hostile, plain));
  });
});

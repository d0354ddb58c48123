import assert from 'node:assert/strict';
import type { AppEvent } from '../../lib/app/types.ts';
import { BARE, formatEvent, formatResult } from '../../lib/ui/format.ts';

const said = (event: AppEvent): string | undefined => formatEvent(event, BARE)?.replace(/^\* /, '');
const call = (fields: object): AppEvent => ({
  event: 'call',
  id: '00',
  state: 'active',
  participants: [],
  ...fields,
});

describe('texts of calls', () => {
  it('say who calls, and what can be done about it', () => {
    assert.match(
      said({ event: 'ring', id: '00', user: 'bob\u001b[31m' })!,
      /bob calls you: \/answer/,
    );
    assert.equal(said(call({ state: 'ringing', user: 'bob' })), undefined);
  });

  it('say who is in the call, and how it ends', () => {
    assert.match(
      said(call({ user: 'bob', participants: ['ann', 'bob'] }))!,
      /In the call: ann, bob\./,
    );
    assert.match(said(call({ room: 'den', participants: ['ann'] }))!, /#den, and nobody else/);
    const ends = ['hung up', 'declined', 'no answer', 'withdrawn', 'elsewhere', 'lost', 'put out'];
    const texts = ends.map((reason) => said(call({ state: 'ended', user: 'bob', reason })));
    assert.equal(new Set(texts).size, ends.length);
    for (const text of texts) assert.match(text!, /bob/);
  });

  it('say that there is a call which can be joined', () => {
    const text = said(call({ room: 'den', participants: ['bob'], joined: false }));
    assert.match(text!, /There is a call in #den: bob\. Join it with \/call #den/);
    assert.match(said(call({ room: 'den', state: 'ended', joined: false }))!, /#den is over/);
  });

  it('say what the others switch on, and nothing of who talks', () => {
    const devices = (video: boolean, audio: boolean): string | undefined =>
      said({ event: 'chatdev', user: 'bob', video, audio });
    const all = [
      devices(true, true),
      devices(true, false),
      devices(false, true),
      devices(false, false),
    ];
    assert.equal(new Set(all).size, 4);
    assert.match(
      said({ event: 'golive', user: 'bob', live: true, label: 'plan' })!,
      /plan.*\/watch bob/,
    );
    assert.match(said({ event: 'golive', user: 'bob', live: false })!, /no more/);
    assert.match(said({ event: 'recording', user: 'bob', recording: true })!, /bob records/);
    assert.equal(said({ event: 'talking', user: 'bob', talking: true }), undefined);
  });

  it('say what came of each command', () => {
    const result = (name: string, data: Record<string, unknown>): string =>
      formatResult(name, data, BARE);
    const view = { id: '00', state: 'active', user: 'bob', participants: ['ann', 'bob'] };
    assert.match(result('call', { call: { ...view, state: 'ringing' } }), /Calling bob/);
    assert.match(result('answer', { call: view }), /call of bob: ann, bob/);
    assert.equal(result('hangup', { call: view }), 'You have hung up.');
    assert.equal(result('calls', { calls: [] }), 'There is no call.');
    assert.match(result('calls', { calls: [{ ...view, here: true }] }), /bob.*you are in it/);
    assert.match(
      result('camera', { device: 'camera', on: true, inCall: false }),
      /for the next call/,
    );
    assert.match(result('suppress', { user: 'eve' }), /everyone in all calls/);
    assert.match(result('suppress', { user: 'eve', room: 'den' }), /in #den/);
    assert.match(result('volume', { user: 'bob', volume: 150 }), /bob is at 150 %/);
    assert.match(result('enlarge', { enlarged: '' }), /same size/);
  });
});

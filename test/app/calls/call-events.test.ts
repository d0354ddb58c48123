import assert from 'node:assert/strict';
import { equipmentEvents, unreachable } from '../../../lib/app/calls/call-events.ts';
import type { CallView, Participant } from '../../../lib/node/calls/wire.ts';
import { callNamed } from '../../support/call-stage.ts';
import { seat } from '../../support/live-call.ts';

const view = (...participants: Participant[]): CallView => ({
  id: callNamed('c'),
  state: 'active',
  participants,
});
const bob = seat('bob/1', { camera: true, microphone: true });

describe('what is told of those in a call', () => {
  it('is what they have switched on when they come, and this person not at all', () => {
    const first = view(bob, seat('carol/1', { camera: false, live: 'slides' }), seat('me/1'));
    assert.deepEqual(equipmentEvents(undefined, first, 'me'), [
      { event: 'chatdev', user: 'bob', video: true, audio: true },
      { event: 'chatdev', user: 'carol', video: false, audio: true },
      { event: 'golive', user: 'carol', live: true, label: 'slides' },
    ]);
  });

  it('is what they switch on and off, each by itself', () => {
    const changes: [Partial<Participant>, unknown][] = [
      [{ camera: false }, { event: 'chatdev', user: 'bob', video: false, audio: true }],
      [{ microphone: false }, { event: 'chatdev', user: 'bob', video: true, audio: false }],
      [{ live: '' }, { event: 'golive', user: 'bob', live: true, label: '' }],
      [{ recording: true }, { event: 'recording', user: 'bob', recording: true }],
    ];
    for (const [change, event] of changes)
      assert.deepEqual(equipmentEvents(view(bob), view({ ...bob, ...change }), 'me'), [event]);
    const live = view({ ...bob, live: 'x', recording: true });
    assert.deepEqual(equipmentEvents(live, view(bob), 'me'), [
      { event: 'golive', user: 'bob', live: false },
      { event: 'recording', user: 'bob', recording: false },
    ]);
    assert.deepEqual(equipmentEvents(live, view({ ...bob, live: 'y', recording: true }), 'me'), [
      { event: 'golive', user: 'bob', live: true, label: 'y' },
    ]);
  });

  it('is nothing where nothing of that is different', () => {
    const other = { ...bob, entered: true, away: true as const };
    assert.deepEqual(equipmentEvents(view(bob), view(other), 'me'), []);
    assert.deepEqual(equipmentEvents(view(bob), view(), 'me'), []);
  });

  it('is who cannot be reached, and what would help', () => {
    for (const [hasTurn, remedy] of [
      [false, /--turn-url-file/],
      [true, /TURN server does not/],
    ] as const) {
      const event = unreachable('bob', hasTurn);
      assert(event.event === 'notice' && event.code === 'NETWORK');
      assert.match(event.text, /^bob /);
      assert.match(event.text, remedy);
    }
  });
});

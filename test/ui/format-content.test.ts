import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { AppEvent } from '../../lib/app/types.ts';
import { contentEventText, contentResultText } from '../../lib/ui/format-content.ts';
import type { Style } from '../../lib/ui/style.ts';

const NOW = new Date(2026, 10, 20, 14, 5).getTime();
const plain: Style = { colours: false, plain: true, time: true, user: 'alice', now: () => NOW };
const HARMFUL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/;

describe('texts of what is done about messages', () => {
  const told = (event: AppEvent, conversation = '#lobby', style = plain): string =>
    contentEventText(event, style, conversation) ?? assert.fail(event.event);
  const at = { id: '3fa91c00de', by: 'bob', room: 'lobby' };

  it('say who did what, and where it is not here', () => {
    assert.equal(told({ event: 'edited', ...at, text: 'new' }), 'bob edits a message: new');
    assert.equal(
      told({ event: 'edited', ...at, text: 'new' }, '@bob'),
      'bob edits a message in #lobby: new',
    );
    assert.equal(told({ event: 'removed', ...at }), 'bob removes a message');
    assert.equal(
      told({ event: 'removed', id: 'x', by: 'bob', to: 'bob' }, '#lobby', { ...plain, ids: true }),
      'x bob removes a message in @bob',
    );
  });

  it('say what somebody feels about which message', () => {
    const reacted = {
      event: 'reacted',
      ...at,
      emoji: '👍',
      on: true,
      reactions: [],
      about: { from: 'carol', text: 'lunch?' },
    } as const;
    assert.equal(told(reacted), 'bob reacts 👍 to carol "lunch?"');
    assert.equal(
      told({ ...reacted, on: false, about: { from: 'alice', text: 'lunch?' } }),
      'bob takes 👍 back from you "lunch?"',
    );
    const { emoji: _emoji, on: _on, ...unreadable } = reacted;
    assert.equal(told({ ...unreadable, about: {} }), 'bob reacts to a message');
  });

  it('say what there is to be read and answered', () => {
    const lobby = { room: 'lobby', count: 12, mentions: 2 };
    assert.equal(
      told({
        event: 'unread',
        conversations: [lobby, { to: 'bob', count: 3, mentions: 0 }],
        requests: 1,
      }),
      'Unread: #lobby 12 (2 to you), @bob 3. 1 request to be a contact. "/notifications" lists them.',
    );
    assert.equal(
      told({ event: 'unread', conversations: [{ ...lobby, count: 999, more: true }], requests: 0 }),
      'Unread: #lobby 999+ (2 to you). "/notifications" lists them.',
    );
    const many = Array.from({ length: 9 }, () => ({ to: 'x', count: 1, mentions: 0 }));
    assert.equal(
      told({ event: 'unread', conversations: many, requests: 0 }),
      'Unread: @x 1, @x 1, @x 1, @x 1, @x 1 and 4 more conversations. "/notifications" lists them.',
    );
    assert.equal(
      told({ event: 'unread', conversations: [], requests: 2 }),
      '2 requests to be a contact. "/notifications" lists them.',
    );
  });

  it('count calls that were missed', () => {
    const bob = { to: 'bob', count: 3, mentions: 1, missed: 2 };
    assert.equal(
      told({ event: 'unread', conversations: [bob], requests: 0 }),
      'Unread: @bob 3 (1 to you, 2 missed calls). "/notifications" lists them.',
    );
    const data = { unread: [{ ...bob, mentions: 0, missed: 1 }], requests: {} };
    assert.equal(contentResultText('notifications', data, plain), '@bob: 3 (1 missed call)');
  });

  it('say nothing of events that are not theirs, or shown elsewhere', () => {
    assert.equal(contentEventText({ event: 'login', user: 'bob' }, plain), undefined);
    assert.equal(
      contentEventText({ event: 'typing', user: 'bob', room: 'lobby' }, plain),
      undefined,
    );
  });

  it('are harmless whatever others wrote', () => {
    const wild = fc.string({ unit: 'binary' });
    const event = fc.oneof(
      fc.record({
        event: fc.constant('edited' as const),
        id: wild,
        by: wild,
        room: wild,
        text: wild,
      }),
      fc.record({ event: fc.constant('removed' as const), id: wild, by: wild, to: wild }),
      fc.record({
        event: fc.constant('reacted' as const),
        id: wild,
        by: wild,
        room: wild,
        emoji: wild,
        on: fc.boolean(),
        reactions: fc.constant([]),
        about: fc.record({ from: wild, text: wild }, { requiredKeys: [] }),
      }),
      fc.record({
        event: fc.constant('unread' as const),
        conversations: fc.array(fc.record({ room: wild, count: fc.nat(), mentions: fc.nat() })),
        requests: fc.nat(),
      }),
    );
    fc.assert(
      fc.property(event, (one) => {
        const text = told(one, '#lobby', { ...plain, ids: true });
        assert.equal(HARMFUL.test(text), false, JSON.stringify(text));
      }),
    );
  });
});

describe('texts of results about messages', () => {
  const result = (name: string, data: Record<string, unknown>): string =>
    contentResultText(name, data, plain) ?? assert.fail(name);

  it('read as sentences', () => {
    assert.equal(result('edit', { state: 'held' }), 'The message is changed.');
    assert.equal(
      result('remove', { state: 'queued' }),
      'The message is removed. The server is away: it is told when it is back.',
    );
    assert.equal(result('react', { state: 'held', emoji: '👍', on: true }), 'You have reacted: 👍');
    assert.equal(
      result('react', { state: 'held', emoji: '👍', on: false }),
      'Your reaction 👍 is taken back.',
    );
  });

  it('list versions, the first one first', () => {
    const versions = [
      { text: 'one', time: NOW, user: 'bob' },
      { text: 'two\u001b[2J\nlines', time: NOW, user: 'carol' },
      null,
    ];
    assert.equal(result('versions', { versions }), '14:05 bob: one\n14:05 carol: two\n  lines');
    assert.equal(result('versions', {}), '');
  });

  it('list what is unread and who waits', () => {
    assert.equal(
      result('notifications', {
        unread: [
          { room: 'lobby', count: 999, more: true, mentions: 1 },
          { to: 'bob', count: 2, mentions: 0 },
        ],
        requests: { incoming: ['carol'], outgoing: ['dave'] },
      }),
      '#lobby: 999+ (1 to you)\n@bob: 2\ncarol asks to be a contact',
    );
    assert.match(result('notifications', {}), /^Nothing is unread/);
  });

  it('are for no other command', () => {
    assert.equal(contentResultText('say', {}, plain), undefined);
  });
});

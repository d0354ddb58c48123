import assert from 'node:assert/strict';
import { contactEventText, contactResultText } from '../../lib/ui/format-contacts.ts';

describe('texts of contacts', () => {
  const ofRequest = (
    direction: 'incoming' | 'outgoing',
    state: 'pending' | 'rejected' | 'cancelled',
  ): string => contactEventText({ event: 'request', user: 'bob', direction, state });

  it('say what somebody has done, and what can be done about it', () => {
    assert.equal(
      ofRequest('incoming', 'pending'),
      'bob asks to be a contact: /accept bob or /reject bob.',
    );
    const all = (['incoming', 'outgoing'] as const).flatMap((direction) =>
      (['pending', 'rejected', 'cancelled'] as const).map((state) => ofRequest(direction, state)),
    );
    assert.equal(new Set(all).size, 6);
    for (const text of all) assert.match(text, /bob.*\.$/);
    assert.equal(contactEventText({ event: 'contact', user: 'bob' }), 'bob is a contact now.');
    assert.equal(
      contactEventText({ event: 'unfriend', user: 'bob' }),
      'bob is no contact any more.',
    );
  });

  it('list', () => {
    assert.equal(contactResultText('contacts', { contacts: ['ann', 'bob'] }), 'ann\nbob');
    const unread = [{ to: 'bob', count: 3, mentions: 1 }];
    assert.equal(
      contactResultText('contacts', { contacts: ['ann', 'bob'], unread }),
      'ann\nbob  3 unread (1 to you)',
    );
    const displays = [{ user: 'ann', display: 'Ann Smith' }];
    assert.equal(
      contactResultText('contacts', { contacts: ['ann', 'bob'], displays }),
      'ann (Ann Smith)\nbob',
    );
    assert.match(contactResultText('contacts', { contacts: [] }) ?? '', /request USER/);
    assert.equal(
      contactResultText('requests', { requests: { incoming: ['ann'], outgoing: ['bob'] } }),
      'from ann\nto bob',
    );
    assert.equal(contactResultText('requests', {}), 'No requests.');
  });

  it('answer every command of contacts, and no other', () => {
    for (const name of ['request', 'accept', 'reject', 'cancel', 'unfriend'])
      assert.match(contactResultText(name, { user: 'bob', state: 'pending' }) ?? '', /bob/);
    assert.notEqual(
      contactResultText('request', { user: 'bob', state: 'pending' }),
      contactResultText('request', { user: 'bob', state: 'accepted' }),
    );
    for (const name of ['request', 'accept', 'reject', 'cancel', 'unfriend'])
      assert.match(contactResultText(name, { user: 'bob', state: 'queued' }) ?? '', /away/);
    assert.equal(contactResultText('whoelse', { users: [] }), undefined);
  });

  it('carry no control sequences', () => {
    const user = '\u001b[31mbob\u202e';
    assert.equal(contactEventText({ event: 'contact', user }), 'bob is a contact now.');
    assert.equal(contactResultText('contacts', { contacts: [user] }), 'bob');
  });
});

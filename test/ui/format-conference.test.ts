import assert from 'node:assert/strict';
import type { AppEvent, ConferenceView } from '../../lib/app/types.ts';
import { CHANGE_KINDS, END_REASONS } from '../../lib/node/server/conference-news.ts';
import { conferenceEventText, conferenceResultText } from '../../lib/ui/format-conference.ts';
import { BARE, type Style } from '../../lib/ui/style.ts';

const ID = '1f4e5d6c7b8a90001f4e5d6c7b8a9000';

describe('texts of conferences', () => {
  const style: Style = { ...BARE, user: 'Ben' };
  const event = (change: Partial<ConferenceView>): string | undefined =>
    conferenceEventText(
      {
        event: 'conference',
        id: ID,
        name: 'tea',
        owner: 'ann',
        state: 'active',
        participants: ['ann', 'cat'],
        ...change,
      },
      style,
    );
  const changed = (user: string, kind: string, rest: Partial<ConferenceView> = {}) =>
    event({ change: { user, kind }, ...rest });

  it('say what somebody has done, and what can be done about it', () => {
    assert.equal(
      changed('ann', 'joined'),
      'ann has begun the conference tea. Join it with /joinconf ann.',
    );
    assert.equal(changed('cat', 'joined'), 'cat has joined the conference tea.');
    assert.equal(
      changed('cat', 'invited'),
      'cat invites you to the conference tea. Join it with /joinconf #1f4e5d6c.',
    );
    assert.match(changed('ann', 'lost', { state: 'waiting' }) ?? '', /waits for its owner/);
    assert.doesNotMatch(changed('cat', 'lost') ?? '', /waits/);
    assert.equal(
      changed('ann', 'renamed', { name: 'milk' }),
      'ann has renamed a conference: it is milk now.',
    );
    const all = CHANGE_KINDS.map((kind) => changed('cat', kind));
    assert.equal(new Set(all).size, CHANGE_KINDS.length);
    for (const text of all) assert.match(text ?? '', /cat.*\.$/);
  });

  it('tell the reader of others, and of what others did to the reader', () => {
    for (const kind of ['joined', 'left', 'renamed', 'lost'])
      assert.equal(changed('ben', kind), undefined);
    assert.equal(changed('ben', 'kicked'), 'You have been put out of the conference tea.');
    assert.equal(changed('ben', 'owner'), 'You own the conference tea now.');
    assert.equal(changed('ben', 'back'), 'You are back in the conference tea.');
  });

  it('say why one has ended, but not to who has ended it', () => {
    const ended = (reason: string | undefined, owner = 'ann'): string | undefined =>
      event({ state: 'ended', participants: [], owner, ...(reason && { reason }) });
    assert.equal(ended(undefined), 'The conference tea has ended.');
    const texts = END_REASONS.map((reason) => ended(reason));
    assert.equal(new Set(texts).size, END_REASONS.length);
    for (const text of texts) assert.match(text ?? '', /^The conference tea has ended: .+\.$/);
    assert.equal(ended('owner left', 'ben'), undefined);
    assert.match(ended('owner lost', 'ben') ?? '', /lost the connection/);
    assert.match(ended('ended by an administrator', 'ben') ?? '', /administrator/);
    // From a later version of the server.
    assert.equal(ended('a \u001b[31mwhim'), 'The conference tea has ended: a whim.');
  });

  it('show who is in one', () => {
    assert.equal(event({ away: ['cat'] }), 'In the conference tea: ann, cat (away).');
    assert.match(event({ participants: [] }) ?? '', /Nobody whom you know/);
  });

  it('are none for what is not shown, or is of another part', () => {
    assert.equal(changed('cat', 'a later kind'), undefined);
    const other: AppEvent = { event: 'contact', user: 'ann' };
    assert.equal(conferenceEventText(other, style), undefined);
    assert.equal(conferenceResultText('contacts', {}, style), undefined);
  });

  it('answer each command', () => {
    const conference = { id: ID, name: 'tea', owner: 'ann', participants: ['ann', 'Ben'] };
    const texts = ['conference', 'joinconf', 'leaveconf', 'renameconf', 'ownerconf', 'endconf'].map(
      (command) => conferenceResultText(command, { conference, before: 'milk' }, style),
    );
    assert.deepEqual(texts, [
      'You have begun the conference tea (#1f4e5d6c), and own it.',
      'You are in the conference tea, with ann.',
      'You have left the conference tea.',
      'The conference milk is called tea now.',
      'ann owns the conference tea now.',
      'The conference tea has ended.',
    ]);
    assert.equal(
      conferenceResultText('inviteconf', { conference, user: 'cat' }, style),
      'cat may join the conference tea, and has been told.',
    );
    const alone = { ...conference, participants: ['ben'] };
    assert.equal(
      conferenceResultText('joinconf', { conference: alone }, style),
      'You are in the conference tea.',
    );
  });

  it('list', () => {
    const list = (...conferences: object[]): string | undefined =>
      conferenceResultText('conferences', { conferences }, style);
    assert.match(list() ?? '', /conference NAME/);
    const tea = { id: ID, name: 'tea', owner: 'ann', state: 'active', participants: ['ann'] };
    const lobby = { id: 'lobby', name: 'lobby', state: 'active', participants: ['cat', 'ben'] };
    assert.equal(
      list(
        { ...tea, state: 'waiting', away: ['ann'], here: true },
        { ...tea, name: '\u001b]0;x\u0007cake' },
        { ...lobby, here: false },
      ),
      [
        'tea  #1f4e5d6c  ann (away) (owned by ann, waits for its owner, you are in it)',
        'cake  #1f4e5d6c  ann (owned by ann)',
        'lobby  #lobby  cat, ben',
      ].join('\n'),
    );
  });
});

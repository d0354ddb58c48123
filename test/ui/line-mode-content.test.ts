/** What line mode does about messages that have been said: answers, what is seen, who is typing. */
import assert from 'node:assert/strict';
import { ClchatError } from '../../lib/errors.ts';
import { turns } from '../support/channels.ts';
import { lineModes, type LineModeBench, type LineModeSetup } from '../support/line-mode.ts';

describe('line mode', () => {
  const { open } = lineModes();
  /** One that has greeted. */
  const start = (setup?: LineModeSetup): LineModeBench => open(setup).forget();
  const answer = {
    id: 'r1',
    state: 'held',
    room: 'lobby',
    text: 'me too',
    time: new Date(2026, 1, 3, 4, 5).getTime(),
    reply: { id: 'b1', from: 'bob', text: 'lunch?' },
  };
  const receipt = { event: 'receipt', id: 'r1', held: true, on: 2, of: 2, read: 1 } as const;

  it('tells results in the order of the lines, also what was no command', async () => {
    const bench = start();
    let finish: (data: object) => void = () => undefined;
    bench.app.handlers.set('whoelse', () => new Promise((resolve) => (finish = resolve as never)));
    await bench.type('/whoelse', '/nonsense');
    assert.deepEqual(bench.lines, ['> /whoelse', '> /nonsense']);
    finish({ users: ['bob'] });
    await turns();
    assert.deepEqual(bench.lines.slice(2), [
      'bob',
      'USAGE: There is no command "nonsense". Try "/help".',
    ]);
  });

  it('says once what the result of a command and an event both say', async () => {
    const bench = start();
    const conference = { id: '1f4e', name: 'tea', owner: 'bob', state: 'active' } as const;
    const given = { ...conference, participants: ['alice', 'bob'] };
    const change = { user: 'bob', kind: 'owner' };
    const event = { event: 'conference', ...given, change } as const;
    bench.app.handlers.set('ownerconf', () => {
      bench.app.emit(event);
      return { conference: given };
    });
    await bench.type('/ownerconf bob');
    const told = '04:05 * bob owns the conference tea now.';
    assert.deepEqual(bench.lines, ['> /ownerconf bob', told]);
    bench.app.handlers.set('ownerconf', () => ({ conference: given }));
    bench.forget();
    await bench.type('/ownerconf bob');
    assert.deepEqual(bench.told(event), []);
    assert.deepEqual(bench.lines, ['> /ownerconf bob', 'bob owns the conference tea now.']);
    assert.deepEqual(bench.told(event), [told]);
  });

  it('shows an answer with what it answers, and how far it gets', async () => {
    const bench = start();
    bench.app.handlers.set('reply', () => answer);
    await bench.type('/reply ^ me too');
    bench.app.emit({ ...receipt, read: 0 });
    bench.app.emit(receipt);
    assert.deepEqual(bench.lines, ['04:05 alice ↪ bob "lunch?": me too ✓ ✓ ✓✓  read 1']);
  });

  it('shows an answer with the receipt that overtook it', async () => {
    const bench = start();
    bench.app.handlers.set('reply', () => {
      bench.app.emit(receipt);
      return { ...answer, to: 'bob', room: undefined };
    });
    await bench.type('/reply ^ me too');
    assert.deepEqual(bench.lines, ['04:05 you → bob ↪ bob "lunch?": me too ✓  read 1']);
  });

  it('shows an answer in words where lines stay as they are', async () => {
    const bench = start({ inPlace: false });
    bench.app.handlers.set('reply', () => answer);
    await bench.type('/reply ^ me too');
    assert.deepEqual(bench.lines, [
      '04:05 alice answering bob "lunch?": me too (held by the server)',
    ]);
  });

  it('says why an answer was not taken', async () => {
    const bench = start();
    bench.app.handlers.set('reply', () => {
      throw new ClchatError('NO_SUCH_MESSAGE');
    });
    await bench.type('/reply 9 me too');
    assert.deepEqual(bench.lines, ['NO_SUCH_MESSAGE: There is no such message.']);
  });

  it('marks one’s own message as read', async () => {
    const bench = start();
    await bench.type('hello');
    bench.app.emit({ ...receipt, id: 'm1', on: 1, read: 3 });
    assert.deepEqual(bench.lines, ['04:05 alice: hello … ✓  read 3']);
  });

  it('sounds where one is named, and shows it', () => {
    const bench = start();
    const named = bench.message({ text: 'hey @alice', mention: true });
    assert.deepEqual(bench.told(named), ['04:05 bob @you: hey @alice']);
    assert.equal(bench.prompt.bells, 1);
    bench.settings.set('bell', false);
    bench.told(named);
    assert.equal(bench.prompt.bells, 1);
  });

  it('shows ids once they are wanted', () => {
    const bench = start();
    bench.settings.set('ids', true);
    assert.deepEqual(bench.told(bench.message({ id: '3fa91c00de' })), [
      '04:05 3fa91c00 bob: hello',
    ]);
  });

  it('tells what others have done about messages', () => {
    const bench = start();
    const at = { id: 'b1', by: 'bob', room: 'lobby' };
    assert.deepEqual(bench.told({ event: 'edited', ...at, text: 'no' }), [
      '04:05 * bob edits a message: no',
    ]);
    assert.deepEqual(bench.told({ event: 'removed', ...at, room: 'den' }), [
      '04:05 * bob removes a message in #den',
    ]);
    const unread = { event: 'unread', conversations: [], requests: 1 } as const;
    assert.deepEqual(bench.told(unread), [
      '04:05 * 1 request to be a contact. "/notifications" lists them.',
    ]);
  });

  it('takes what is shown as seen while somebody is there, and nobody is in a pipe', async () => {
    const bench = start();
    bench.told(bench.message());
    assert.equal(bench.app.sights, 1);
    bench.clock.pass(200_000);
    bench.told(bench.message({ id: 'b2' }));
    assert.equal(bench.app.sights, 1);
    bench.prompt.handlers.onActivity?.();
    assert.equal(bench.app.sights, 2);
    const pipe = start({ inPlace: false, options: { unattended: true } });
    pipe.told(pipe.message());
    await pipe.type('/whoelse');
    assert.equal(pipe.app.sights, 0);
  });

  it('tells that a text is being typed, unless that is not wanted', () => {
    const bench = start();
    const { handlers } = bench.prompt;
    for (const line of ['h', 'he', '', '/message bob hi', '/whoelse']) handlers.onEdit?.(line);
    assert.deepEqual(bench.app.typed, [undefined, undefined, 'bob']);
    bench.settings.set('typing', false);
    handlers.onEdit?.('hello');
    assert.equal(bench.app.typed.length, 3);
  });

  it('shows before the prompt who is typing, until they have spoken', () => {
    const bench = start();
    const { prompt, app } = bench;
    const typing = { event: 'typing', user: 'bob', room: 'lobby' } as const;
    assert.deepEqual(bench.told(typing), []);
    assert.equal(prompt.prompt, '(bob is typing…) #lobby> ');
    bench.told(bench.message());
    assert.equal(prompt.prompt, '#lobby> ');
    app.conversation = '@bob';
    bench.told({ event: 'typing', user: 'bob', to: 'bob' });
    assert.equal(prompt.prompt, '(bob is typing…) @bob> ');
    bench.told(bench.message({ to: 'alice' }));
    assert.equal(prompt.prompt, '@bob> ');
    bench.settings.set('typing', false);
    bench.told({ event: 'typing', user: 'bob', to: 'bob' });
    assert.equal(prompt.prompt, '@bob> ');
  });
});

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import {
  commonPrefix,
  completeChat,
  completeCommand,
  completeFile,
  MAX_CANDIDATES,
} from '../../lib/ui/complete.ts';
import { COMMANDS } from '../../lib/ui/commands.ts';
import { FakeApp } from '../support/fake-app.ts';
import { temporary } from '../support/temporary.ts';

const app = new FakeApp({ user: 'alice' });

function texts(before: string, complete = completeCommand): string[] {
  const { start, candidates } = complete(before, app);
  return candidates.map(({ text }) => before.slice(0, start) + text);
}

describe('completion', () => {
  const { newDirectory } = temporary();

  it('offers commands', () => {
    assert.deepEqual(
      texts(''),
      COMMANDS.map((command) => command.name),
    );
    assert.deepEqual(texts('whoe'), ['whoelse', 'whoelsesince']);
    assert.deepEqual(texts('/WHOE'), ['/whoelse', '/whoelsesince']);
    assert.deepEqual(texts('nothing'), []);
    assert.deepEqual(texts('help his'), ['help history']);
  });

  it('offers what each argument is', () => {
    assert.deepEqual(texts('message '), [
      'message alice',
      'message bob',
      'message carol',
      'message Zoë',
    ]);
    assert.deepEqual(texts('message @b'), ['message @bob']);
    assert.deepEqual(texts('message zoë'), ['message Zoë']);
    assert.deepEqual(texts('message bob '), []);
    assert.deepEqual(texts('message bob bo'), []);
    assert.deepEqual(texts('block c'), ['block carol']);
    assert.deepEqual(texts('revoke l'), ['revoke laptop']);
    assert.deepEqual(texts('history #l'), ['history #lobby', 'history #long-hall']);
    assert.deepEqual(texts('history b'), ['history bob']);
    assert.deepEqual(
      texts('settings '),
      [
        ...['colours', 'bell', 'time', 'ids', 'receipts', 'typing'],
        ...['camera', 'mic', 'speaker', 'screen'],
      ].map((name) => `settings ${name}`),
    );
    assert.deepEqual(texts('settings b'), ['settings bell']);
    assert.deepEqual(texts('settings bell o'), ['settings bell on', 'settings bell off']);
    assert.deepEqual(texts('settings camera '), [
      'settings camera default',
      'settings camera none',
      'settings camera test',
    ]);
    assert.deepEqual(texts('settings MIC t'), ['settings MIC tone']);
    for (const device of ['camera', 'mic', 'speaker', 'screen'])
      assert.deepEqual(texts(`settings ${device} o`), []);
    assert.deepEqual(texts('settings constructor o'), [
      'settings constructor on',
      'settings constructor off',
    ]);
    assert.deepEqual(texts('login alice --c'), ['login alice --code']);
    assert.deepEqual(texts('whoelse '), []);
    assert.deepEqual(texts('export #lobby x --format j'), ['export #lobby x --format json']);
  });

  it('offers people and rooms after their signs, wherever one of them can stand', () => {
    assert.deepEqual(texts('enter #lo'), ['enter #lobby', 'enter #long-hall']);
    assert.deepEqual(texts('talk @b'), ['talk @bob']);
    assert.deepEqual(texts('talk #lob'), ['talk #lobby']);
    assert.deepEqual(texts('code #lob'), ['code #lobby']);
    assert.deepEqual(texts('code u'), ['code user']);
    assert.deepEqual(texts('admit @b'), ['admit @bob']);
    assert.deepEqual(texts('admit bob #lob'), ['admit bob #lobby']);
    assert.deepEqual(texts('updateroom lobby --owner @b'), ['updateroom lobby --owner @bob']);
    assert.deepEqual(texts('updateroom lobby --media t'), ['updateroom lobby --media text']);
  });

  it('offers conferences by name and by id, and people who may be in one', () => {
    assert.deepEqual(texts('joinconf #'), ['joinconf #1f4e8a00', 'joinconf #lobby']);
    assert.deepEqual(texts('joinconf #1'), ['joinconf #1f4e8a00']);
    assert.deepEqual(texts('joinconf t'), ['joinconf tea']);
    assert.deepEqual(texts('joinconf b'), ['joinconf bob']);
    assert.deepEqual(texts('joinconf @b'), ['joinconf @bob']);
    assert.deepEqual(texts('joinconf bob t'), ['joinconf bob tea']);
    assert.deepEqual(texts('leaveconf #l'), ['leaveconf #lobby']);
    assert.deepEqual(texts('leaveconf b'), []);
  });

  it('never offers a secret', () => {
    assert.deepEqual(texts('login alice '), []);
    assert.deepEqual(texts('passwd '), []);
  });

  it('offers people in chat, addressed at the beginning of a line', () => {
    assert.deepEqual(texts('bo', completeChat), ['bob:']);
    assert.deepEqual(texts('hello bo', completeChat), ['hello bob']);
    assert.deepEqual(texts('hello @bo', completeChat), ['hello @bob']);
    assert.deepEqual(texts('see #lon', completeChat), ['see #long-hall']);
    assert.deepEqual(texts('#lob', completeChat), ['#lobby']);
    assert.deepEqual(texts('C#lob', completeChat), []);
    assert.deepEqual(texts('/whoe', completeChat), ['/whoelse', '/whoelsesince']);
    assert.deepEqual(texts('//whoe', completeChat), []);
    assert.deepEqual(texts('', completeChat), []);
  });

  it('never offers a name that is not clean text, and not too many', () => {
    const names = ['bad\u001b[2J', 'b\u202ead', ...Array.from({ length: 1000 }, (_, n) => `b${n}`)];
    const { candidates } = completeCommand('block b', { names: () => names });
    assert.equal(candidates.length, MAX_CANDIDATES);
    assert.ok(candidates.every(({ text }) => /^b\d+$/.test(text)));
  });

  it('offers files, with spaces and in directories', async () => {
    const directory = await newDirectory();
    mkdirSync(join(directory, 'some where'));
    for (const name of ['some file', 'other', '.hidden', 'some\u001b[2J'])
      writeFileSync(join(directory, name), '');
    assert.deepEqual(
      completeFile(`${directory}/some`).map(({ text, final }) => [
        text.slice(directory.length),
        final,
      ]),
      [
        ['/some file', true],
        ['/some where/', false],
      ],
    );
    assert.deepEqual(completeFile(`${directory}/`).length, 3);
    assert.deepEqual(completeFile(`${directory}/.h`).length, 1);
    assert.deepEqual(texts(`backup ${directory}/some f`), [`backup ${directory}/some file`]);
    assert.deepEqual(completeFile(`${directory}/none/x`), []);
  });

  it('finds what candidates share', () => {
    const all = (...names: string[]): string =>
      commonPrefix(names.map((text) => ({ text, final: true })));
    assert.equal(all('whoelse', 'whoelsesince'), 'whoelse');
    assert.equal(all('a', 'b'), '');
    assert.equal(all(), '');
    // Two emoji that share their first UTF-16 unit.
    assert.equal(all('x\u{1f600}', 'x\u{1f601}'), 'x');
  });

  it('takes any line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (line) => {
        for (const complete of [completeCommand, completeChat]) {
          const { start } = complete(line.replaceAll('/', '|'), app);
          assert.ok(start >= 0 && start <= line.length);
        }
      }),
    );
  });
});

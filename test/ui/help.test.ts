import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { ClchatError } from '../../lib/errors.ts';
import { COMMANDS, usageOf } from '../../lib/ui/commands.ts';
import { completionScript } from '../../lib/ui/completions.ts';
import { errorsOf, helpFor, helpOverview, programHelp } from '../../lib/ui/help.ts';
import { manualPage } from '../../lib/ui/manual.ts';
import { OPTIONS, SHELLS } from '../../lib/ui/options.ts';

const listed = OPTIONS.filter((option) => option.hidden !== true);
const hidden = OPTIONS.filter((option) => option.hidden === true);

describe('help', () => {
  it('lists every command with its summary', () => {
    const text = helpOverview();
    const unbroken = text.replace(/\s+/g, ' ');
    for (const command of COMMANDS) {
      assert.ok(unbroken.includes(usageOf(command)), command.name);
      assert.ok(unbroken.includes(command.summary), command.name);
    }
    for (const line of text.split('\n')) assert.ok(line.length <= 80, line);
    for (const mark of ['…', '✓', '✓✓', '✗']) assert.ok(text.includes(`  ${mark}  `), mark);
  });

  it('explains every command', () => {
    for (const command of COMMANDS) {
      const text = helpFor(command.name);
      assert.ok(text.startsWith(usageOf(command)));
      for (const code of errorsOf(command)) assert.ok(text.includes(code), code);
      for (const example of command.examples ?? []) assert.ok(text.includes(example));
    }
    assert.equal(helpFor('/message'), helpFor('MSG'));
  });

  it('tells of all that whoever waits for the server may be told', () => {
    for (const name of ['block', 'revoke', 'suppress', 'unsuppress'])
      assert.match(helpFor(name), /\bNETWORK\b/, name);
  });

  it('suggests instead of an unknown one', () => {
    assert.throws(
      () => helpFor('mesage'),
      (error) =>
        error instanceof ClchatError &&
        error.code === 'USAGE' &&
        error.message.includes('"message"'),
    );
  });

  it('lists every option, examples first', () => {
    const text = programHelp();
    for (const option of listed) assert.ok(text.includes(`--${option.name}`), option.name);
    for (const option of hidden) assert.equal(text.includes(option.name), false);
    assert.ok(text.indexOf('Examples:') < text.indexOf('Usage:'));
    for (const line of text.split('\n')) assert.ok(line.length <= 90, line);
  });
});

describe('manual page', () => {
  const page = manualPage('1.2.3');

  it('tells of every option, command and exit status', () => {
    const plain = page.replaceAll('\\-', '-').replace(/\\f[BIR]/g, '');
    for (const option of listed) assert.ok(plain.includes(`--${option.name}`), option.name);
    for (const command of COMMANDS) assert.ok(plain.includes(usageOf(command)), command.name);
    for (const status of ['0', '1', '2', '3', '4', '130'])
      assert.ok(plain.includes(`\n${status}\n`));
    for (const name of ['PASSWORD', 'PASSPHRASE', 'BACKUP_PASSPHRASE'])
      assert.ok(plain.includes(`\nCLCHAT_${name}\n`), name);
    assert.ok(page.startsWith('.TH CLCHAT 1 "" "clchat 1.2.3"'));
  });

  it('has no line that roff would take for a request of its own', () => {
    const requests = /^\.(TH|SH|SS|TP|PP|B|br)( |$)/;
    for (const line of page.split('\n'))
      assert.ok(!/^[.']/.test(line) || requests.test(line), line);
    assert.equal(/(?<!\\)-/.test(page.replace(/^\.TH.*$/m, '')), false);
  });
});

describe('completion scripts', () => {
  for (const shell of SHELLS)
    it(`mention every command and option for ${shell}`, () => {
      const script = completionScript(shell);
      for (const { name } of COMMANDS) assert.match(script, new RegExp(`\\b${name}\\b`));
      for (const { name } of listed) assert.match(script, new RegExp(`(--|-l )${name}\\b`));
      for (const { name } of hidden) assert.equal(script.includes(name), false);
    });

  it('is a script that bash understands', () => {
    const script = completionScript('bash');
    execFileSync('bash', ['-n'], { input: script });
    const complete = (...words: string[]): string[] => {
      const line = words.map((word) => `'${word}'`).join(' ');
      const run = `${script}\nCOMP_WORDS=(${line}); COMP_CWORD=${words.length - 1}; _clchat; printf '%s\\n' "\${COMPREPLY[@]}"`;
      return execFileSync('bash', ['-c', run], { encoding: 'utf8' }).trim().split('\n');
    };
    assert.deepEqual(complete('clchat', '--pl'), ['--plain']);
    assert.deepEqual(complete('clchat', '-l'), ['-ls', '-lc']);
    assert.deepEqual(complete('clchat', '-lc', '-e', 'whoe'), ['whoelse', 'whoelsesince']);
    assert.deepEqual(complete('clchat', 'completion', ''), [...SHELLS]);
    assert.deepEqual(complete('clchat', ''), ['completion', 'man']);
    assert.deepEqual(complete('clchat', '--user', ''), ['']);
  });

  it('have the structure that zsh and fish want', () => {
    const zsh = completionScript('zsh');
    assert.ok(zsh.startsWith('#compdef clchat\n'));
    assert.equal(zsh.split('{').length, zsh.split('}').length);
    const specifications = zsh.split('\n').filter((line) => line.startsWith("    '("));
    assert.equal(
      specifications.length,
      listed.reduce((sum, { short }) => sum + (short === undefined ? 1 : 2), 0),
    );
    for (const line of specifications)
      assert.match(line, /^ {4}'\(-[^)]*\)--?[a-z-]+\[[^\]]+\](:[^']*)?' \\$/);
    for (const line of completionScript('fish').trim().split('\n').slice(1)) {
      assert.match(line, /^complete -c clchat /);
      assert.equal(line.split("'").length % 2, 1, line);
    }
  });
});

/** The scripts at work: what they mention, and single words, are in help.test.ts. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { completionScript } from '../../lib/ui/completions.ts';
import { OPTIONS, SHELLS } from '../../lib/ui/options.ts';
import { temporary } from '../support/temporary.ts';
import { TestTerminal } from '../support/terminal.ts';

const TAB = '\t';
/** The line is taken off, and with it what was listed below it. */
const NEXT = '\u0015\f';

/** Runs a shell in the terminal of the test. */
const RUN = `require('node:child_process').spawnSync(
  'bash',
  ['--noprofile', '--rcfile', process.env.RCFILE, '-i'],
  { stdio: 'inherit', cwd: process.env.DIRECTORY },
)`;

describe('completion in bash', () => {
  const { newDirectory } = temporary();
  let directory: string;
  let terminal: TestTerminal;

  beforeEach(async () => {
    directory = await newDirectory();
    const rcfile = join(await newDirectory(), 'rc');
    const own = ["PS1='$ '", "bind 'set bell-style none'", "bind 'set show-all-if-ambiguous on'"];
    writeFileSync(rcfile, [completionScript('bash'), ...own, 'printf "begun\\n"'].join('\n'));
    const environment = { RCFILE: rcfile, DIRECTORY: directory, LC_ALL: 'C.UTF-8' };
    terminal = new TestTerminal('--eval', [RUN], { environment });
    await terminal.see('begun');
    terminal.type('\f');
    await line('$');
  });
  afterEach(() => terminal.close());

  /** Waits until this is the line being typed. */
  const line = (text: string): Promise<void> =>
    terminal.until(`the line "${text}"`, () => terminal.cursorRow() === text.trimEnd());

  /** Types, and waits until the shell has made this of it. */
  async function becomes(typed: string, text: string): Promise<void> {
    terminal.type(typed + TAB);
    // A further letter shows that the shell is done, and whether it has put a space.
    terminal.type('|');
    await line(`$ ${text}|`);
    terminal.type(NEXT);
    await line('$');
  }

  it('knows options, long and short', async () => {
    await becomes('clchat --inv', 'clchat --invite-only ');
    await becomes('clchat -ls --block', 'clchat -ls --block-duration ');
    terminal.type(`clchat -l${TAB}`);
    await terminal.see('-lc  -ls');
  });

  it('knows the commands that -e takes, the shells and the subcommands', async () => {
    await becomes('clchat -lc -e hist', 'clchat -lc -e history ');
    await becomes('clchat --execute broa', 'clchat --execute broadcast ');
    await becomes('clchat completion z', 'clchat completion zsh ');
    await becomes('clchat compl', 'clchat completion ');
    terminal.type(`clchat -e whoe${TAB}`);
    await terminal.see('whoelse       whoelsesince');
  });

  it('finds files where a file is wanted, with spaces in their names', async () => {
    writeFileSync(join(directory, 'my password.txt'), '');
    mkdirSync(join(directory, 'secret things'));
    writeFileSync(join(directory, 'secret things', 'one two'), '');
    await becomes('clchat --password-file my', 'clchat --password-file my\\ password.txt ');
    await becomes('clchat --log secret\\ t', 'clchat --log secret\\ things/');
    await becomes('clchat --log sec', 'clchat --log secret\\ things/');
  });

  it('finds directories alone where a directory is wanted', async () => {
    mkdirSync(join(directory, 'stored data'));
    writeFileSync(join(directory, 'story'), '');
    await becomes('clchat --data sto', 'clchat --data stored\\ data/');
  });

  it('offers nothing where only the person knows', async () => {
    writeFileSync(join(directory, 'alice'), '');
    for (const option of OPTIONS)
      if (option.value !== undefined && option.complete === undefined)
        await becomes(`clchat --${option.name} al`, `clchat --${option.name} al`);
    // Nor a subcommand after the first word.
    await becomes('clchat -lc ma', 'clchat -lc ma');
  });

  it('keeps options to itself that are not in this version', async () => {
    for (const { name } of OPTIONS.filter((option) => option.hidden === true))
      await becomes(`clchat --${name.slice(0, -1)}`, `clchat --${name.slice(0, -1)}`);
  });
});

describe('completion in other shells', () => {
  it('tells zsh what each value is', () => {
    const script = completionScript('zsh');
    for (const [option, action] of [
      ['--password-file', ':FILE:_files'],
      ['--log', ':FILE:_files'],
      ['--data', ':DIR:_files -/'],
      ['--execute', ':COMMAND:_clchat_commands'],
      ['-e', ':COMMAND:_clchat_commands'],
      ['--listen', ':IP\\:PORT: '],
      ['--connect', ':IP\\[\\:PORT\\]: '],
      ['--json', ''],
    ] as const) {
      const lines = script.split('\n').filter((line) => line.includes(`)${option}[`));
      assert.equal(lines.length, 1, option);
      assert.ok(lines[0]?.endsWith(`]${action}' \\`), lines[0]);
    }
    // Those that are two spellings of one option exclude each other.
    assert.ok(script.includes("'(-e --execute)-e["));
    assert.ok(script.includes(`'2: :(${SHELLS.join(' ')})'`));
  });

  it('tells fish what each value is', () => {
    const lines = completionScript('fish').split('\n');
    const of = (option: string): string =>
      lines.find((line) => line.includes(`-l ${option} `)) ?? assert.fail(option);
    assert.match(of('password-file'), / -l password-file -r -F -d /);
    assert.match(of('data'), / -r -a '\(__fish_complete_directories\)' -d /);
    assert.match(of('execute'), / -l execute -s e -r -a '[a-z ]+' -d /);
    assert.match(of('lan-server'), / -l lan-server -o ls -d /);
    assert.match(of('help'), / -l help -s h -d /);
    assert.doesNotMatch(of('json'), / -r /);
    assert.match(of('user'), / -r -d /);
    // What is not completed from a list is not completed from the files here.
    assert.ok(lines.includes('complete -c clchat -f'));
  });

  for (const [shell, check] of [
    ['zsh', ['-n', '/dev/stdin']],
    ['fish', ['--no-execute', '/dev/stdin']],
  ] as const)
    if (spawnSync(shell, ['--version']).status === 0)
      it(`is a script that ${shell} understands`, () => {
        execFileSync(shell, check, { input: completionScript(shell) });
      });
});

/** The page as a whole; that it mentions every option and command is in help.test.ts. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { COMMANDS, usageOf } from '../../lib/ui/commands.ts';
import { errorsOf, EXAMPLES, sentence } from '../../lib/ui/help.ts';
import { manualPage } from '../../lib/ui/manual.ts';
import { OPTIONS, valueOf } from '../../lib/ui/options.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const page = manualPage('1.2.3');
/** As it is read: without what roff takes for itself. */
const plain = page
  .replace(/\\f[BIR]/g, '')
  .replaceAll('\\-', '-')
  .replaceAll('\\&', '')
  .replaceAll('\\e', '\\');

/** The part below a heading. */
function section(title: string): string {
  const [, rest] = plain.split(`.SH ${title}\n`);
  return rest?.split('.SH ')[0] ?? assert.fail(`there is no section ${title}`);
}

/** Every environment variable that the program reads under its name. */
function variables(): Set<string> {
  const found = new Set<string>();
  for (const directory of ['lib', 'bin'])
    for (const entry of readdirSync(join(ROOT, directory), { recursive: true, encoding: 'utf8' })) {
      if (!entry.endsWith('.ts')) continue;
      const text = readFileSync(join(ROOT, directory, entry), 'utf8');
      for (const [, name] of text.matchAll(/\b[eE]nv(?:ironment)?(?:\.|\[')([A-Z][A-Z_]+)\b/g))
        found.add(name!);
    }
  return found;
}

describe('manual', () => {
  it('has the sections of a manual page, in their order', () => {
    assert.deepEqual(
      page.split('\n').filter((line) => line.startsWith('.SH ')),
      [
        'NAME',
        'SYNOPSIS',
        'DESCRIPTION',
        'EXAMPLES',
        'OPTIONS',
        'COMMANDS',
        'EXIT STATUS',
        'ENVIRONMENT',
      ].map((title) => `.SH ${title}`),
    );
    assert.equal(section('NAME'), 'clchat - chat from a terminal, peer to peer\n');
    assert.ok(page.endsWith('\n'));
  });

  it('names its version, whatever is in it', () => {
    const [header] = manualPage('2.0.0-rc.1').split('\n');
    assert.equal(header, '.TH CLCHAT 1 "" "clchat 2.0.0\\-rc.1" "User Commands"');
  });

  it('names every environment variable that the code reads', () => {
    const environment = section('ENVIRONMENT');
    const read = variables();
    const secrets = ['PASSWORD', 'PASSPHRASE', 'BACKUP_PASSPHRASE', 'SMTP_URL', 'TURN_URL'];
    for (const name of secrets.map((one) => `CLCHAT_${one}`))
      assert.ok(read.has(name), `${name} is not read any more`);
    // Not for people to set: the system says by it where it keeps things.
    read.delete('LOCALAPPDATA');
    for (const name of read) assert.ok(environment.includes(`.TP\n${name}\n`), name);
    const named = [...environment.matchAll(/^\.TP\n(.*)$/gm)].map(([, name]) => name!);
    assert.ok(named.includes('NO_COLOR'));
    assert.deepEqual(named.toSorted(), [...read].toSorted());
  });

  it('explains each option: its spellings, its value and what it does', () => {
    const options = section('OPTIONS');
    for (const option of OPTIONS) {
      const { name, short, summary, hidden } = option;
      const value = valueOf(option);
      const spellings = [short, `--${name}`].filter((one) => one !== undefined);
      const head = spellings.map((one) => (value === '' ? one : `${one} ${value}`));
      const entry = `.TP\n${head.join(', ')}\n${sentence(summary)}\n`;
      assert.equal(options.includes(entry), hidden !== true, name);
    }
  });

  it('explains each command: its usage, its help, its other names and its errors', () => {
    for (const command of COMMANDS) {
      const { summary, help, aliases } = command;
      const errors = errorsOf(command);
      const entry = [
        `.TP\n${usageOf(command)}\n${sentence(summary)}`,
        ...(help === undefined ? [] : [help]),
        ...(aliases === undefined ? [] : [`.br\nAlso: ${aliases.join(', ')}`]),
        ...(errors.length === 0 ? [] : [`.br\nErrors: ${errors.join(', ')}.`]),
      ].join('\n');
      assert.ok(`${section('COMMANDS')}.`.includes(`${entry}\n.`), entry);
    }
  });

  it('begins with the same examples as --help', () => {
    for (const [command, what] of EXAMPLES)
      assert.ok(section('EXAMPLES').includes(`.TP\n${command}\n${sentence(what)}\n`), command);
  });

  // The text is tested above; where there is a groff, it reads it too.
  if (spawnSync('groff', ['--version']).status === 0)
    it('is set by groff without a warning, and with everything in it', () => {
      const options = ['-man', '-Tutf8', '-ww', '-rLL=200n', '-P-cbou'];
      const { status, stdout, stderr } = spawnSync('groff', options, {
        input: page,
        encoding: 'utf8',
      });
      assert.deepEqual([status, stderr], [0, '']);
      for (const option of OPTIONS.filter(({ hidden }) => hidden !== true))
        assert.ok(stdout.includes(`--${option.name}`), option.name);
      for (const command of COMMANDS) assert.ok(stdout.includes(usageOf(command)), command.name);
    });
});

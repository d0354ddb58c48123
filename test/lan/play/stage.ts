/**
 * Where the script is played: the hosts of a LAN, on which people run the program, in machine mode or
 * at a terminal. What is done to a host is a line that begins with `$ `:
 *
 *   $ clchat ARGUMENTS            starts the program in machine mode; a PASSWORD=secret may precede;
 *                                 the text of a refusal ends with [the exit status]
 *   $ begin LINE                  gives the program a line, and does not wait for what comes of it
 *   $ terminal ARGUMENTS          starts it at a terminal
 *   $ type TEXT, $ press KEY      does so at that terminal
 *   $ see TEXT                    waits until it stands there
 *   $ kill                        ends the program at once
 *   $ ended                       waits until it has ended: {status}
 *   $ unplug, $ plug              the cable of the host
 *   $ mail                        starts a mail server; its URL is in the file mail-url
 *   $ mailed ADDRESS              the next mail that is there for it: {text}
 *   $ sleep SECONDS
 *   $ order EVENT...              the events of these names came in this order first
 *   $ write FILE TEXT, $ make FILE BYTES, $ same FILE FILE
 *   $ spoil DIRECTORY             overwrites every file in it
 *   $ grep TEXT                   whether it stands in any file that the program keeps: {found}
 *   $ cat FILE                    {content}
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sleep } from '../../../lib/lifecycle.ts';
import { program } from '../../support/build.ts';
import { Cli, type CliEvent } from '../../support/cli.ts';
import { Tmux } from '../../support/tmux.ts';
import { Lab } from '../lab.ts';
import type { LabProcess, Line } from '../process.ts';

/** Longer than an owner whose connection is lost is waited for. */
const PATIENCE_MS = 60_000;

/** What came of a line. */
export interface Outcome {
  readonly ok: boolean;
  readonly code?: string;
  readonly text: string;
  readonly data: unknown;
}

const done = (data: unknown = {}): Outcome => ({ ok: true, text: '', data });

/** Somebody at a host. */
class Person {
  readonly host: string;
  cli: Cli | undefined;
  terminal: Tmux | undefined;

  constructor(host: string) {
    this.host = host;
  }
}

export class Stage {
  readonly #lab: Lab;
  readonly #directory: string;
  readonly #people = new Map<string, Person>();
  readonly #processes: Cli[] = [];
  #mail: LabProcess | undefined;
  #told = 0;

  private constructor(lab: Lab, directory: string) {
    this.#lab = lab;
    this.#directory = directory;
  }

  /** @param hosts names of the people at each host, the first of which is `h1` */
  static async build(hosts: readonly (readonly string[])[]): Promise<Stage> {
    await program();
    const lab = await Lab.create({ hosts: hosts.length });
    const stage = new Stage(lab, await mkdtemp(join(tmpdir(), 'clchat-play-')));
    for (const [index, people] of hosts.entries())
      for (const person of people) stage.#people.set(person, new Person(`h${index + 1}`));
    return stage;
  }

  async destroy(): Promise<void> {
    for (const { terminal } of this.#people.values()) await terminal?.close();
    await this.#lab.destroy();
    await rm(this.#directory, { recursive: true, force: true });
  }

  /** The events that somebody was told by the program that runs now. */
  events(who: string): readonly CliEvent[] {
    const lines = this.#person(who).cli?.lines ?? [];
    return lines.filter((line): line is CliEvent => line.type === 'event');
  }

  /** Waits until `find` gives something, which is asked with each output of somebody's program. */
  async until<T>(who: string, find: () => T | undefined, what: string): Promise<T> {
    return this.#running(who).until(find, what, PATIENCE_MS);
  }

  /** Carries out a line. */
  async do(who: string, line: string): Promise<Outcome> {
    if (line.startsWith('$ ')) return this.#onHost(who, line.slice(2));
    const { ok, code, text, data } = await this.#running(who).ask(line);
    return { ok, text, data, ...(code === undefined ? {} : { code }) };
  }

  /** What no process may ever do, and one has done since this was asked. */
  problems(): string[] {
    const all = this.#processes.flatMap((cli) => cli.problems());
    const fresh = all.slice(this.#told);
    this.#told = all.length;
    return fresh;
  }

  #person(who: string): Person {
    const person = this.#people.get(who);
    assert(person !== undefined, `there is no ${who}`);
    return person;
  }

  #running(who: string): Cli {
    const { cli } = this.#person(who);
    assert(cli !== undefined, `${who} has not started the program`);
    return cli;
  }

  /** Where somebody is and keeps files. */
  async #home(who: string): Promise<string> {
    const home = join(this.#directory, who);
    await mkdir(home, { recursive: true });
    return home;
  }

  async #onHost(who: string, line: string): Promise<Outcome> {
    const [word = '', ...rest] = line.split(' ');
    const [first = '', ...others] = rest;
    const person = this.#person(who);
    const home = await this.#home(who);
    switch (word) {
      case 'kill':
        await this.#running(who).crash();
        return done();
      case 'ended':
        return done({ status: await this.#running(who).status() });
      case 'unplug':
        await this.#lab.host(person.host).cut('carrier');
        return done();
      case 'plug':
        await this.#lab.host(person.host).restore();
        return done();
      case 'order':
        assert.deepEqual(
          this.events(who)
            .map(({ event }) => event)
            .filter((event) => rest.includes(event))
            .slice(0, rest.length),
          rest,
        );
        return done();
      case 'begin':
        this.#running(who).send(rest.join(' '));
        return done();
      case 'mail':
        await writeFile(join(home, 'mail-url'), `${await this.#startMail(person)}\n`);
        return done();
      case 'mailed':
        return done(await this.#mailed(first));
      case 'sleep':
        await sleep(Number(first) * 1_000);
        return done();
      case 'write':
        await writeFile(join(home, first), `${others.join(' ').replaceAll('\\n', '\n')}\n`);
        return done();
      case 'make':
        await writeFile(join(home, first), randomBytes(Number(others[0])));
        return done();
      case 'spoil': {
        const names = await readdir(join(home, first));
        assert(names.length > 0);
        for (const name of names) await writeFile(join(home, first, name), 'spoilt');
        return done();
      }
      case 'same': {
        const [one, other] = await Promise.all(
          [first, others[0] ?? ''].map((name) => readFile(join(home, name))),
        );
        return done({ same: one?.equals(other ?? Buffer.alloc(0)) });
      }
      case 'cat':
        return done({ content: await readFile(join(home, first), 'utf8') });
      case 'grep':
        return done({ found: await holds(join(home, 'data'), rest.join(' ')) });
      case 'terminal':
        await this.#openTerminal(person, home, rest);
        return done();
      case 'type':
        await person.terminal?.type(rest.join(' '));
        return done();
      case 'press':
        await person.terminal?.press(first);
        return done();
      case 'see':
        return done({ row: await person.terminal?.see(rest.join(' ')) });
      default:
        return this.#start(who, [word, ...rest]);
    }
  }

  /** What runs a command on somebody's host. */
  #prefix({ host }: Person): string[] {
    return ['ip', 'netns', 'exec', this.#lab.host(host).namespace];
  }

  /** Starts the program in machine mode. @returns what it is ready with, or why it is not */
  async #start(who: string, words: readonly string[]): Promise<Outcome> {
    const [, password] = /^PASSWORD=(.+)$/.exec(words[0] ?? '') ?? [];
    const [command, ...args] = password === undefined ? words : words.slice(1);
    assert.equal(command, 'clchat', `no such line on a host: ${words.join(' ')}`);
    const person = this.#person(who);
    const home = await this.#home(who);
    // One after the other: what was quit may be on its way out.
    await person.cli?.status();
    const cli = await Cli.start({
      prefix: this.#prefix(person),
      args: ['--json', ...args, ...(args.includes('--data') ? [] : ['--data', join(home, 'data')])],
      cwd: home,
      env: {
        PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
        HOME: home,
        XDG_DATA_HOME: join(home, 'data'),
        TMPDIR: tmpdir(),
        CLCHAT_BACKUP_PASSPHRASE: 'open sesame',
        ...(password === undefined ? {} : { CLCHAT_PASSWORD: password }),
      },
    });
    this.#processes.push(cli);
    person.cli = cli;
    const line = await cli.until(
      () => cli.lines.find(({ type }) => type === 'ready' || type === 'error'),
      'beginning',
    );
    if (line.type === 'ready') return done(line);
    assert(line.type === 'error');
    const status = await cli.status();
    return { ok: false, code: line.code, text: `${line.text} [${status}]`, data: undefined };
  }

  /** @returns the URL of a mail server */
  async #startMail({ host }: Person): Promise<string> {
    const script = fileURLToPath(new URL('../fixtures/mail.ts', import.meta.url));
    this.#mail = this.#lab.host(host).exec(process.execPath, ['--import', 'tsx', script]);
    const { url } = await this.#mail.next(({ url }) => url !== undefined, PATIENCE_MS, 'its URL');
    return String(url);
  }

  async #mailed(address: string): Promise<Line> {
    assert(this.#mail !== undefined, 'there is no mail server');
    const isFor = ({ to }: Line): boolean => Array.isArray(to) && to.includes(address);
    return this.#mail.next(isFor, PATIENCE_MS, `a mail for ${address}`);
  }

  async #openTerminal(person: Person, home: string, args: readonly string[]): Promise<void> {
    person.terminal = await Tmux.open({
      prefix: this.#prefix(person),
      directory: home,
      columns: 100,
      rows: 30,
      env: { HOME: home, XDG_DATA_HOME: home, LANG: 'C.UTF-8', TZ: 'UTC' },
    });
    await person.terminal.enter(
      `'${process.execPath}' '${await program()}' --data '${join(home, 'data')}' ${args.join(' ')}`,
    );
  }
}

/** Whether a text stands in any file of a directory, or below it. */
async function holds(directory: string, text: string): Promise<boolean> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  for (const { parentPath, name } of entries.filter((entry) => entry.isFile())) {
    // The store removes files while it goes on.
    const bytes = await readFile(join(parentPath, name)).catch(() => Buffer.alloc(0));
    if (bytes.includes(text)) return true;
  }
  return false;
}

/**
 * A place where tests start programs: temporary directories, an environment that touches nothing of
 * the person who runs the tests, and an end for every process. Everything listens on 127.0.0.1 only.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { program } from './build.ts';
import { Cli, type Exit, type Line } from './cli.ts';

export interface StartOptions {
  readonly password?: string;
  /** The profile's directory; a new one unless told, none at all with `null`. */
  readonly data?: string | null;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly complains?: RegExp;
}

export interface Finished extends Exit {
  readonly stdout: string;
  readonly stderr: string;
  readonly lines: readonly Line[];
}

export interface Community {
  readonly cli: Cli;
  /** `127.0.0.1:PORT`. */
  readonly address: string;
  readonly data: string;
  readonly id: string;
}

/** A port that is free now: the system is asked for one. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });
}

export class Workshop {
  readonly #processes: Cli[] = [];
  readonly #directories: string[] = [];
  #home: string | undefined;

  async newDirectory(): Promise<string> {
    const directory = await mkdtemp(join(tmpdir(), 'clchat-test-'));
    this.#directories.push(directory);
    return directory;
  }

  /** Where the program keeps profiles when no `--data` says otherwise. */
  async home(): Promise<string> {
    this.#home ??= await this.newDirectory();
    return join(this.#home, 'data', 'clchat');
  }

  /** Starts the program with exactly these arguments. */
  async start(
    args: readonly string[],
    options: Pick<StartOptions, 'env' | 'complains' | 'password'> = {},
  ): Promise<Cli> {
    await this.home();
    const home = this.#home!;
    const { password, complains } = options;
    const cli = await Cli.start({
      args,
      cwd: home,
      env: {
        PATH: process.env['PATH'] ?? '',
        ...(process.env['CLCHAT_DEBUG'] ? { CLCHAT_DEBUG: '1' } : {}),
        HOME: home,
        XDG_DATA_HOME: join(home, 'data'),
        TMPDIR: tmpdir(),
        ...(password === undefined ? {} : { CLCHAT_PASSWORD: password }),
        ...options.env,
      },
      ...(complains === undefined ? {} : { complains }),
    });
    this.#processes.push(cli);
    return cli;
  }

  /** Runs the program to its end, with this as its whole input. */
  async run(
    args: readonly string[],
    options: Pick<StartOptions, 'env' | 'complains' | 'password'> & { input?: string } = {},
  ): Promise<Finished> {
    const cli = await this.start(args, options);
    if (options.input !== undefined) cli.write(options.input);
    cli.endInput();
    await cli.status();
    const { stdout, stderr, lines } = cli;
    return { ...(await cli.exit), stdout, stderr, lines };
  }

  /** Starts a server with its admin, `root`. */
  async server(
    options: StartOptions & { name?: string; user?: string | null; port?: number } = {},
  ): Promise<Community> {
    const { name = 'acme', user = 'root', port = 0, args = [] } = options;
    const data = options.data ?? (await this.newDirectory());
    const who = user === null ? [] : ['--user', user];
    const where = ['--listen', `127.0.0.1:${port}`, '--name', name, '--data', data];
    const cli = await this.start(
      ['-ls', ...where, ...who, '--headless', '--json', ...args],
      options,
    );
    const ready = await cli.ready();
    const address = ready.server?.addresses[0];
    assert(ready.server !== undefined && address !== undefined);
    return { cli, address, data, id: ready.server.id };
  }

  /** The arguments of a client. */
  async clientArgs(address: string, user: string, options: StartOptions = {}): Promise<string[]> {
    const { data, args = [] } = options;
    const directory = data === undefined ? await this.newDirectory() : data;
    const where = directory === null ? [] : ['--data', directory];
    return ['-lc', '--connect', address, '--user', user, ...where, '--json', ...args];
  }

  /** Starts a client without waiting for it. */
  async begin(address: string, user: string, options: StartOptions = {}): Promise<Cli> {
    return this.start(await this.clientArgs(address, user, options), options);
  }

  /** Starts a client that gets in. */
  async client(address: string, user: string, options: StartOptions = {}): Promise<Cli> {
    const cli = await this.begin(address, user, options);
    const ready = await cli.ready();
    assert.equal(ready.mode, 'client');
    return cli;
  }

  /** Starts several clients at once, each on a device of its own. */
  clients<const Users extends readonly string[]>(
    address: string,
    users: Users,
    options: StartOptions = {},
  ): Promise<{ [K in keyof Users]: Cli }> {
    const all = users.map((user) => this.client(address, user, options));
    return Promise.all(all) as Promise<{ [K in keyof Users]: Cli }>;
  }

  /** Starts a client that must not get in. @returns the code told, and the exit status */
  async refused(
    address: string,
    user: string,
    options: StartOptions = {},
  ): Promise<{ code: string; text: string; status: number | null }> {
    const cli = await this.begin(address, user, options);
    const { code, text } = await cli.failure();
    const status = await cli.status();
    assert.equal(
      cli.lines.some(({ type }) => type === 'ready'),
      false,
      'it was ready all the same',
    );
    return { code, text, status };
  }

  /** What was wrong with any process; those that have ended are not looked at again. */
  problems(): string[] {
    return this.#processes.flatMap((cli) => cli.problems());
  }

  /** Ends every process and removes every directory. */
  async close(): Promise<void> {
    for (const cli of this.#processes) if (!cli.ended) cli.kill('SIGKILL');
    await Promise.all(this.#processes.map((cli) => cli.exit));
    if (process.env['CLCHAT_KEEP'] !== undefined) return;
    for (const directory of this.#directories)
      await rm(directory, { recursive: true, force: true });
  }
}

/**
 * To be called inside a `describe`: what is started lives until all its tests are over, and after
 * each of them no process may have done what none may ever do.
 */
export function workshop(): Workshop {
  const shop = new Workshop();
  let told = 0;

  before('build the program', async function () {
    this.timeout(60_000);
    await program();
  });

  afterEach(() => {
    const problems = shop.problems();
    const fresh = problems.slice(told);
    told = problems.length;
    assert.deepEqual(fresh, []);
  });

  after(() => shop.close());

  return shop;
}

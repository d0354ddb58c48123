/** Where recordings are made: people at terminals on hosts of a LAN, on which all is for real. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { sleep } from '../../lib/lifecycle.ts';
import { Lab } from '../lan/lab.ts';
import { program } from '../support/build.ts';
import { RecordedScreen } from './screen.ts';

export interface Size {
  readonly columns: number;
  readonly rows: number;
  /** As of a `RecordedScreen`. */
  readonly everyMs?: number;
}

/** How long somebody thinks before they answer a question, in milliseconds. */
const THINKING_MS = 500;

/** Where everybody is at home, each on a host of their own. */
const HOME = '/mnt';
/** A namespace that `ip` enters has mounts of its own. */
const ENTER = 'mount --bind "$1" "$2" && cd "$2" && PS1="$ " exec bash --noprofile --norc -i';

export class Studio {
  readonly #lab: Lab;
  readonly #directory: string;
  readonly #program: string;
  readonly #screens: RecordedScreen[] = [];

  private constructor(lab: Lab, directory: string, file: string) {
    this.#lab = lab;
    this.#directory = directory;
    this.#program = file;
  }

  /** @param hosts how many there are, from `h1` on */
  static async open(hosts: number): Promise<Studio> {
    const file = await program();
    const directory = await mkdtemp(join(tmpdir(), 'clchat-recording-'));
    try {
      return new Studio(await Lab.create({ hosts }), directory, file);
    } catch (error) {
      await rm(directory, { recursive: true, force: true });
      throw error;
    }
  }

  /** A shell on a host, on which `npx clchat` is this program. */
  async shell(host: string, size: Size): Promise<RecordedScreen> {
    const home = this.home(host);
    await mkdir(home, { recursive: true });
    const { namespace } = this.#lab.host(host);
    const screen = new RecordedScreen(
      'ip',
      ['netns', 'exec', namespace, 'bash', '-c', ENTER, 'bash', home, HOME],
      {
        ...size,
        cwd: home,
        env: {
          PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
          HOME,
          XDG_DATA_HOME: `${HOME}/data`,
          TERM: 'xterm-256color',
          TZ: 'UTC',
          LANG: 'C.UTF-8',
          'BASH_FUNC_npx%%': `() { shift; '${process.execPath}' '${this.#program}' "$@"; }`,
        },
      },
    );
    this.#screens.push(screen);
    await screen.see(/^\$$/m);
    return screen;
  }

  /** Where whoever is at a host keeps files. */
  home(host: string): string {
    return join(this.#directory, host);
  }

  async close(): Promise<void> {
    for (const screen of this.#screens) screen.close();
    await this.#lab.destroy();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

/** Answers what is asked, each after a moment. */
export async function answer(
  screen: RecordedScreen,
  ...answers: (readonly [question: string, text: string])[]
): Promise<void> {
  for (const [question, text] of answers) {
    await screen.see(question);
    await sleep(THINKING_MS);
    await screen.enter(text);
  }
}

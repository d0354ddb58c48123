/** Plays scenes: each row is carried out, and what it gives and tells is held against the table. */
import assert from 'node:assert/strict';
import { sleep } from '../../../lib/lifecycle.ts';
import type { CliEvent } from '../../support/cli.ts';
import { fits, OneWins, shown, type Gives, type Kept, type Row, type Scene } from './row.ts';
import type { Outcome, Stage } from './stage.ts';

/**
 * What only looks. A device learns of what others do in its own time, so these are asked again until
 * they show what they should.
 */
const LOOKS = new Set([
  ...['contacts', 'requests', 'rooms', 'structure', 'levels', 'self', 'notifications', 'devices'],
  ...['conferences', 'history', 'search', 'versions', 'stats', 'whoelse', 'whoelsesince', 'motd'],
  ...['settings', '$ grep', '$ same', '$ cat'],
]);
const PATIENCE_MS = 10_000;
const AGAIN_MS = 50;

/** The command of a line; of a line for a host with its sign. */
export function wordOf(line: string): string {
  const [first = '', second = ''] = line.split(' ');
  return first === '$' ? `$ ${second}` : first;
}

/** Something of which nobody is to be told until the scene is over. */
interface Silence {
  readonly row: string;
  readonly wrong: () => CliEvent | undefined;
}

/** @throws an error that names the row that failed, and what it was to be */
export async function play(stage: Stage, scene: Scene, kept: Kept): Promise<void> {
  const silences: Silence[] = [];
  for (const [index, row] of scene.rows.entries()) {
    const name = `row ${index + 1} of "${scene.title}": ${row[0]}> ${row[1]}`;
    try {
      await playRow(stage, row, kept, (wrong) => silences.push({ row: name, wrong }));
    } catch (error) {
      throw new Error(`${name}\n${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
  }
  for (const { row, wrong } of silences) {
    const event = wrong();
    assert(event === undefined, `${row}\nwas told after all: ${JSON.stringify(event)}`);
  }
  assert.deepEqual(stage.problems(), []);
}

async function playRow(
  stage: Stage,
  [names, line, gives = {}, ...told]: Row,
  kept: Kept,
  silent: (wrong: () => CliEvent | undefined) => void,
): Promise<void> {
  const before = new Map<string, CliEvent | undefined>();
  const mark = (who: string): void => void before.set(who, stage.events(who).at(-1));
  /** What somebody has been told since the row began. */
  const news = (who: string): readonly CliEvent[] => {
    const events = stage.events(who);
    const last = before.get(who);
    return last === undefined ? events : events.slice(events.indexOf(last) + 1);
  };
  for (const [listeners] of told) listeners.split(' ').forEach(mark);

  const typed = kept.fill(line);
  const all = names.split(' ');
  if (gives instanceof OneWins) await race(stage, all, typed, gives.code);
  else await Promise.all(all.map((who) => until(stage, who, typed, gives, kept)));

  for (const [listeners, event, shape = {}] of told)
    for (const who of listeners.split(' ')) {
      const isNot = event.startsWith('!');
      const name = isNot ? event.slice(1) : event;
      const found = (): CliEvent | undefined =>
        news(who).find((one) => one.event === name && fits(one, shape, kept));
      if (isNot) silent(found);
      else
        await stage.until(who, found, 'such an event').catch((error: unknown) =>
          assert.fail(
            `${who} was to be told ${name} ${shown(shape)}, and was told:\n${news(who)
              .map((one) => JSON.stringify(one))
              .join('\n')}\n${String(error).slice(0, 200)}`,
          ),
        );
    }
}

async function race(
  stage: Stage,
  all: readonly string[],
  line: string,
  code: string,
): Promise<void> {
  const outcomes = await Promise.all(all.map((who) => stage.do(who, line)));
  const codes = outcomes.map((outcome) => (outcome.ok ? 'ok' : outcome.code));
  assert.deepEqual(codes.sort(), [...all.slice(1).map(() => code), 'ok'].sort());
}

/** Carries out a line, again where it only looks, until it gives what it should. */
async function until(
  stage: Stage,
  who: string,
  line: string,
  gives: Gives,
  kept: Kept,
): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    const outcome = await stage.do(who, line);
    if (isAs(outcome, gives, kept)) return;
    if (LOOKS.has(wordOf(line)) && performance.now() < end) {
      await sleep(AGAIN_MS);
      continue;
    }
    const { ok, code, text, data } = outcome;
    const got = ok ? `${JSON.stringify(data)}\n${text}` : `${code}: ${text}`;
    assert.fail(`${who} was to get ${shown(gives)}, and got: ${got}`);
  }
}

function isAs({ ok, code, text, data }: Outcome, gives: Gives, kept: Kept): boolean {
  if (typeof gives === 'string') {
    const [wanted, ...part] = gives.split(' ');
    return !ok && code === wanted && text !== '' && text.includes(kept.fill(part.join(' ')));
  }
  if (!ok) return false;
  return gives instanceof RegExp ? gives.test(text) : fits(data ?? {}, gives, kept);
}

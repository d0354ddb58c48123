/** Calls of real programs, with patterns and tones for cameras and microphones: what they tell of them. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { sleep } from '../../lib/lifecycle.ts';
import type { Cli, CliEvent } from './cli.ts';
import type { Seen, SeenCall } from './seen-call.ts';

/** How often it is looked at what nothing tells of, in milliseconds. */
const LOOK_MS = 250;
/** How long pictures and sound may take on a busy machine, in milliseconds. */
const PATIENCE_MS = 45_000;

/** A camera and a microphone that need no devices, small enough for several on one machine. */
export function devices(hertz: number): readonly string[] {
  const sound = ['--mic', `tone:${hertz}`, '--speaker', 'none'];
  return ['--camera', 'test', ...sound, '--screen', 'test', '--video-size', '160x96@15'];
}

export async function befriend(one: Cli, other: Cli): Promise<void> {
  const [{ user: a }, { user: b }] = [await one.ok('self'), await other.ok('self')];
  await one.ok(`request ${b}`);
  await other.event('request', { user: a });
  await other.ok(`accept ${a}`);
  await one.event('contact', { user: b });
}

/** The call that somebody is in. */
export async function callOf(cli: Cli): Promise<SeenCall | undefined> {
  return (await cli.ok('stats'))['call'] as SeenCall | undefined;
}

/** Waits until something is so of somebody in the call. @returns what is told of them then */
export async function sees(
  cli: Cli,
  user: string,
  what: string,
  isSo: (seen: Seen) => boolean,
): Promise<Seen> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    const call = await callOf(cli);
    const seen = call?.participants.find((one) => one.user === user);
    if (seen !== undefined && isSo(seen)) return seen;
    if (performance.now() > end)
      assert.fail(`${what} of ${user} was not seen: ${JSON.stringify(call)}`);
    await sleep(LOOK_MS);
  }
}

/** Waits until so many more pictures of somebody have come. */
export async function seesMore(cli: Cli, user: string, count = 10): Promise<Seen> {
  const { video } = await sees(cli, user, 'a picture', (seen) => seen.video !== undefined);
  return sees(
    cli,
    user,
    `${count} more pictures`,
    (seen) => (seen.video?.framesDecoded ?? 0) >= video!.framesDecoded + count,
  );
}

/** Waits until the tone of somebody is heard, to the hundredth. */
export function hears(cli: Cli, user: string, hertz: number): Promise<Seen> {
  return sees(
    cli,
    user,
    `${hertz} Hz`,
    ({ audio }) => Math.abs((audio?.toneHz ?? 0) - hertz) <= hertz / 100,
  );
}

/** An event of a call with exactly these in it. */
export function withAll(state: string, ...users: string[]): (event: CliEvent) => boolean {
  return (event) =>
    event['state'] === state &&
    event['joined'] !== false &&
    [...(event['participants'] as string[])].sort().join() === [...users].sort().join();
}

/** One calls and the other answers; both are told that they are connected. */
export async function talk(one: Cli, other: Cli): Promise<string> {
  const [{ user: a }, { user: b }] = [await one.ok('self'), await other.ok('self')];
  const rings = other.events('ring', { user: a }).length;
  const asked = one.ask(`call ${b}`);
  const ring = await other.event('ring', { user: a }, { count: rings + 1 });
  await other.ok('answer');
  const result = await asked;
  assert.ok(result.ok, result.text);
  const id = String(ring['id']);
  for (const cli of [one, other]) await cli.event('call', { id, state: 'active' });
  return id;
}

/** Ends the call of both, wherever it is. */
export async function hangUp(one: Cli, ...others: Cli[]): Promise<void> {
  for (const cli of [one, ...others]) await cli.ask('hangup');
  // Whichever of them was the first.
  for (const cli of [one, ...others])
    await cli.until(
      () =>
        cli.events('call', (e) => e['joined'] !== false).at(-1)?.['state'] === 'ended' || undefined,
      'end of the call',
    );
}

/** The process that has the devices of a program. */
export async function helperOf(cli: Cli): Promise<number> {
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const [stat, command] = await Promise.all(
      ['stat', 'cmdline'].map((file) => readFile(`/proc/${name}/${file}`, 'utf8').catch(() => '')),
    );
    const parent = Number(/\) \S (\d+) /.exec(stat!)?.[1]);
    if (parent === cli.pid && command!.includes('engine-child')) return Number(name);
  }
  return assert.fail('it has no helper process');
}

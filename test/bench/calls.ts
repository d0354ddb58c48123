/**
 * Calls on this machine: until the first picture, how old pictures are, and how many can hold a call.
 * Beside it two bare connections of the same library, each in a process of its own.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { GapMeter } from '../../lib/media/audio/gaps.ts';
import { SOUND_SAMPLES } from '../../lib/media/frames.ts';
import type { Bench, Context } from './support/bench.ts';
import { Clchat, clientFlags, startServer } from './support/clchat.ts';
import { Worker } from './support/processes.ts';
import type { Row } from './support/report.ts';
import { bytes, median, now, percentile, time } from './support/stats.ts';
import type { BareCallMethods } from './workers/bare-call.ts';

const FIGURE_FIRST = 1.5;
const FIGURE_LATENCY_MS = 40;
const FIGURE_SIX_FPS = 15;
/** Of eight, each is shown at 11 a second where nobody says otherwise. */
const FIGURE_EIGHT_FPS = 10;
const FIGURE_UPLOAD = 700_000;
const FIGURE_GAP_MS = 20;
const FIGURE_MEMORY = 1.1;

const PICTURE = { width: 640, height: 480, fps: 30 };
const SETTLE_MS = 12_000;
const LOOK_MS = 100;
/** How long the first picture of a call may take. */
const FIRST_LIMIT_MS = 15_000;

/** What `stats` tells of one of the others. */
interface Seen {
  readonly video?: { readonly fps: number; readonly latencyMs?: number; readonly width: number };
  readonly sentBits: number;
}

interface Caller {
  readonly user: string;
  readonly process: Clchat;
}

/** Until it is possible: what others do takes a moment to get here. */
async function does({ user, process }: Caller, line: string): Promise<void> {
  for (const end = now() + FIRST_LIMIT_MS; ;) {
    const { ok, text } = await process.command(line);
    if (ok === true) return;
    if (now() > end) throw new Error(`${user}: ${line}: ${String(text)}`);
    await sleep(LOOK_MS);
  }
}

async function seenBy({ process }: Caller): Promise<readonly Seen[]> {
  const { data } = (await process.command('stats')) as {
    data?: { call?: { participants: Seen[] } };
  };
  return data?.call?.participants ?? [];
}

/** A server and people at it, who have a camera each, and a microphone that is as told. */
class Community {
  readonly #context: Context;
  readonly people: Caller[] = [];
  #address = '';

  constructor(context: Context) {
    this.#context = context;
  }

  async add(...flags: string[]): Promise<Caller> {
    const directory = await this.#context.directory();
    const user = `user${this.people.length + 1}`;
    const usual = { '--camera': 'test', '--speaker': 'none' };
    const rest = Object.entries(usual).filter(([flag]) => !flags.includes(flag));
    const media = ['--headless', ...rest.flat(), ...flags];
    if (this.people.length === 0) {
      const server = await startServer(this.#context, await this.#context.directory());
      this.#address = server.address;
      this.#server = server.process;
    }
    const process = new Clchat(this.#context, [
      ...clientFlags(this.#address, user, directory),
      ...media,
    ]);
    await process.ready;
    const person = { user, process };
    this.people.push(person);
    return person;
  }

  #server: Clchat | undefined;

  /** All join the call of one room, which they have entered. */
  async callRoom(): Promise<void> {
    await does(this.people[0]!, 'room den');
    for (const one of this.people) {
      await does(one, 'enter den');
      await does(one, 'call');
    }
  }

  async end(): Promise<void> {
    await Promise.all(this.people.map(({ process }) => process.quit()));
    await this.#server?.quit();
  }
}

/** From the answer to the first picture, and how old pictures are, of two bare connections. */
async function bare(
  context: Context,
  rounds: number,
): Promise<{ first: number[]; ages: number[] }> {
  const file = context.programs.worker('bare-call');
  const [one, other] = [new Worker<BareCallMethods>(file), new Worker<BareCallMethods>(file)];
  const first: number[] = [];
  let ages: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await Promise.all([one.call('open', PICTURE), other.call('open', PICTURE)]);
    const begun = now();
    const offer = await one.call('offer');
    let isDone = false;
    const trickle = async (from: typeof one, to: typeof one): Promise<void> => {
      while (!isDone) await to.call('add', await from.call('found'));
    };
    const answer = await other.call('answer', offer);
    void trickle(one, other).catch(() => undefined);
    void trickle(other, one).catch(() => undefined);
    await one.call('accept', answer);
    first.push((await other.call('firstPicture')) - begun);
    if (round === rounds - 1) {
      await sleep(SETTLE_MS);
      await other.call('latencies');
      await sleep(context.size(20_000, 5_000));
      ages = await other.call('latencies');
    }
    isDone = true;
    await Promise.all([one.call('close'), other.call('close')]);
  }
  await Promise.all([one.stop(), other.stop()]);
  return { first, ages };
}

/**
 * The same of calls between two who are contacts.
 * @param long those that go on for a while, counted from 1; the memory that is told is of these
 */
async function between(
  context: Context,
  rounds: number,
  long: readonly number[],
): Promise<{ first: number[]; ages: number[]; memory: number[] }> {
  const community = new Community(context);
  const caller = await community.add();
  const called = await community.add();
  await does(caller, `request ${called.user}`);
  await does(called, `accept ${caller.user}`);
  const first: number[] = [];
  const ages: number[] = [];
  const memory: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    const rung = new Promise<void>((resolve) => {
      called.process.onEvent = ({ event }) => event === 'ring' && resolve();
    });
    const calling = does(caller, `call ${called.user}`);
    await Promise.race([rung, calling]);
    // People take a moment; what can be made ready meanwhile is.
    await sleep(1_500);
    const begun = now();
    await does(called, 'answer');
    await calling;
    const end = begun + FIRST_LIMIT_MS;
    for (let seen: Seen | undefined; seen?.video === undefined; [seen] = await seenBy(called))
      if (now() > end) throw new Error('no picture came');
    first.push(now() - begun);
    if (long.includes(round)) {
      await sleep(SETTLE_MS);
      const until = now() + context.size(20_000, 5_000);
      while (now() < until) {
        const [seen] = await seenBy(called);
        if (seen?.video?.latencyMs !== undefined) ages.push(seen.video.latencyMs);
        await sleep(LOOK_MS);
      }
      memory.push(await memoryOf(called.process.pid));
    }
    await does(caller, 'hangup');
  }
  await community.end();
  return { first, ages, memory };
}

/** Of a program and its helper processes, in bytes. */
async function memoryOf(pid: number): Promise<number> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  const pids = [pid, ...children.trim().split(/\s+/).filter(Boolean).map(Number)];
  const sizes = pids.map(async (one) => {
    const status = await readFile(`/proc/${one}/status`, 'utf8').catch(() => '');
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1_024;
  });
  return (await Promise.all(sizes)).reduce((all, size) => all + size, 0);
}

/** A call of so many, of whom the first few talk. @returns the fewest pictures, and the largest upload */
async function crowd(
  context: Context,
  count: number,
  talking: number,
  ...sizes: readonly string[]
): Promise<{ fps: number; upload: number }> {
  const community = new Community(context);
  for (let number = 0; number < count; number++) {
    const microphone = number < talking ? `tone:${300 + 70 * number}` : 'none';
    await community.add('--mic', microphone, ...sizes);
  }
  await community.callRoom();
  await sleep(SETTLE_MS + 2_000 * count);
  const lowest = new Map<string, number[]>();
  const uploads = new Map<string, number[]>();
  const note = (of: Map<string, number[]>, key: string, value: number): void => {
    of.set(key, [...(of.get(key) ?? []), value]);
  };
  for (let look = 0; look < context.size(6, 2); look++) {
    for (const person of community.people) {
      const seen = await seenBy(person);
      if (seen.length !== count - 1)
        throw new Error(`${person.user} is with ${seen.length} others`);
      for (const [index, one] of seen.entries())
        note(lowest, `${person.user} ${index}`, one.video?.fps ?? 0);
      note(
        uploads,
        person.user,
        seen.reduce((all, one) => all + one.sentBits, 0),
      );
    }
    await sleep(2_000);
  }
  await community.end();
  const mean = (values: readonly number[]): number =>
    values.reduce((all, value) => all + value, 0) / values.length;
  return {
    fps: Math.min(...[...lowest.values()].map(mean)),
    upload: Math.max(...[...uploads.values()].map(mean)),
  };
}

/** A tone that is heard for a minute. @returns the longest gap in it, in milliseconds */
async function gaps(context: Context): Promise<number> {
  const community = new Community(context);
  const file = join(await context.directory(), 'heard.wav');
  const speaker = await community.add('--camera', 'none', '--mic', 'tone:440');
  const listener = await community.add('--camera', 'none', '--speaker', file);
  await community.callRoom();
  await sleep(context.size(65_000, 15_000));
  await speaker.process.command('hangup');
  await listener.process.command('hangup');
  await sleep(1_000);
  await community.end();
  const wav = await readFile(file);
  const samples = new Int16Array(
    wav.buffer.slice(wav.byteOffset + 44, wav.byteOffset + (wav.length & ~1)),
  );
  const first = samples.findIndex((sample) => Math.abs(sample) > 2_000);
  const last = samples.findLastIndex((sample) => Math.abs(sample) > 2_000);
  const meter = new GapMeter();
  // The beginning and the end belong to the connection, and not to what is heard over it.
  const from = first + 100 * SOUND_SAMPLES;
  for (let at = from; at + SOUND_SAMPLES < last - 50 * SOUND_SAMPLES; at += SOUND_SAMPLES)
    meter.hear(samples.subarray(at, at + SOUND_SAMPLES));
  return meter.gaps.longest;
}

export const calls: Bench = {
  name: 'calls',
  async run(context): Promise<Row[]> {
    const rounds = context.size(15, 3);
    const floor = await bare(context, rounds);
    const call = await between(context, rounds, [rounds]);
    context.note('two done');
    const gap = await gaps(context);
    const six = await crowd(context, 6, 0, '--video-size', '160x96@15');
    context.note('six done');
    const eight = await crowd(context, 8, 3);
    context.note('eight done');
    const [few, all] = [context.size(5, 2), context.size(100, 8)];
    const many = await between(context, all, [few, all]);
    const [early, late] = many.memory as [number, number];
    const ratio = median(call.first) / median(floor.first);
    const age = percentile(call.ages, 0.95) - percentile(floor.ages, 0.95);
    return [
      {
        what: 'from `answer` to the first picture, 640 × 480',
        clchat: time(median(call.first)),
        beside: `bare connection ${time(median(floor.first))}`,
        figure: { text: `≤ ${FIGURE_FIRST} ×`, reached: ratio <= FIGURE_FIRST },
      },
      {
        what: 'age of pictures when they are decoded, 30 a second, p95',
        clchat: time(percentile(call.ages, 0.95)),
        beside: `bare connection ${time(percentile(floor.ages, 0.95))}`,
        figure: { text: `≤ floor + ${FIGURE_LATENCY_MS} ms`, reached: age <= FIGURE_LATENCY_MS },
      },
      {
        what: '6 people, 160 × 96, 15 a second: fewest that anybody sees of anybody',
        clchat: `${six.fps.toFixed(1)} a second`,
        beside: '',
        // What is counted over two seconds may be one short.
        figure: { text: `${FIGURE_SIX_FPS} a second`, reached: six.fps >= FIGURE_SIX_FPS - 0.5 },
      },
      {
        what: '8 people, 160 × 96, three talk: fewest that anybody sees of anybody',
        clchat: `${eight.fps.toFixed(1)} a second`,
        beside: '',
        figure: { text: `≥ ${FIGURE_EIGHT_FPS} a second`, reached: eight.fps >= FIGURE_EIGHT_FPS },
      },
      {
        what: 'the same: most that anybody sends',
        clchat: `${(eight.upload / 1_000).toFixed(0)} kbit/s`,
        beside: '',
        figure: { text: '≤ 700 kbit/s', reached: eight.upload <= FIGURE_UPLOAD },
      },
      {
        what: 'longest gap in a minute of a tone',
        clchat: time(gap),
        beside: '',
        figure: { text: `≤ ${FIGURE_GAP_MS} ms`, reached: gap <= FIGURE_GAP_MS },
      },
      {
        what: 'memory of a participant after 100 calls',
        clchat: bytes(late),
        beside: `after 5: ${bytes(early)}`,
        figure: { text: '≤ + 10 %', reached: late <= early * FIGURE_MEMORY },
      },
    ];
  },
};

/**
 * What tests of sources and sinks need of a host: a sound server and an X display of their own, media
 * files, and whether anything was left behind.
 */
import assert from 'node:assert/strict';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { thisHost, type Host } from '../../lib/media/devices/host.ts';
import { SAMPLE_RATE, type Sound } from '../../lib/media/frames.ts';
import { sleep, until } from '../../lib/lifecycle.ts';

const execute = promisify(execFile);

/** How long programs of the system may take to come up on a busy machine, in milliseconds. */
const START_MS = 30_000;

function start(
  program: string,
  debian: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): ChildProcess {
  const child = spawn(program, args, {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...environment },
  });
  child.on('error', (error) => {
    throw new Error(`These tests need "${program}" (Debian: ${debian}).`, { cause: error });
  });
  return child;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  // An X server that is killed leaves its socket.
  child.kill('SIGTERM');
  const patience = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await ended;
  clearTimeout(patience);
}

/** What a microphone hears that hears the speaker `hall`. */
export const HALL_MICROPHONE = 'hall.monitor';

/** A PulseAudio of the test's own, with the speaker `hall` and a microphone `sine`. */
export class SoundServer {
  readonly host: Host;
  readonly #child: ChildProcess;
  readonly #players: ChildProcess[] = [];

  private constructor(host: Host, child: ChildProcess) {
    this.host = host;
    this.#child = child;
  }

  /** @param directory an empty one, for it alone */
  static async start(directory: string): Promise<SoundServer> {
    const socket = join(directory, 'native');
    const environment = {
      HOME: directory,
      XDG_RUNTIME_DIR: directory,
      PULSE_RUNTIME_PATH: directory,
      PULSE_SERVER: `unix:${socket}`,
    };
    await mkdir(join(directory, '.config', 'pulse'), { recursive: true });
    const modules = [
      `module-native-protocol-unix socket=${socket} auth-anonymous=1`,
      'module-null-sink sink_name=hall sink_properties=device.description="Großer_Saal"',
      'module-sine-source source_name=sine frequency=1000',
    ].flatMap((module) => ['-L', module]);
    const options = ['--exit-idle-time=-1', '--use-pid-file=no', '--disallow-exit', '-n'];
    // It asks for no other server.
    const own = { ...environment, PULSE_SERVER: undefined };
    const child = start('pulseaudio', 'pulseaudio', [...options, ...modules], own);
    const host = { ...thisHost(), environment: { ...process.env, ...environment } };
    const server = new SoundServer(host, child);
    const isUp = (): Promise<boolean> =>
      server.control('info').then(
        () => true,
        () => false,
      );
    assert.ok(await until(START_MS, isUp), 'PulseAudio comes up');
    return server;
  }

  /** Runs `pactl`. */
  async control(...args: string[]): Promise<string> {
    const options = { env: this.host.environment };
    return (await execute('pactl', args, options)).stdout;
  }

  /** Plays a tone in the hall until it is stopped. */
  play(hertz: number): void {
    const input = ['-re', '-f', 'lavfi', '-i', `sine=frequency=${hertz}:sample_rate=48000`];
    const output = ['-f', 'pulse', '-device', 'hall', '-buffer_duration', '100', 'tone'];
    const args = ['-v', 'error', '-nostdin', ...input, ...output];
    this.#players.push(start('ffmpeg', 'ffmpeg', args, this.host.environment));
  }

  /** Has what this process itself asks of a sound server be asked of this one. @returns what undoes that */
  adopt(): () => void {
    const names = ['PULSE_SERVER', 'HOME'] as const;
    const before = names.map((name) => [name, process.env[name]] as const);
    for (const name of names) process.env[name] = this.host.environment[name];
    return () => {
      for (const [name, value] of before)
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
    };
  }

  async stop(): Promise<void> {
    for (const player of this.#players) await stop(player);
    await stop(this.#child);
  }
}

/** An X server of the test's own, of 24 bits a pixel. */
export class XDisplay {
  /** `:1` */
  readonly name: string;
  readonly host: Host;
  readonly #server: ChildProcess;
  readonly #clients: ChildProcess[] = [];

  private constructor(name: string, server: ChildProcess) {
    this.name = name;
    this.host = { ...thisHost(), environment: { ...process.env, DISPLAY: name } };
    this.#server = server;
  }

  static async start(width: number, height: number): Promise<XDisplay> {
    const screen = ['-screen', '0', `${width}x${height}x24`, '-nolisten', 'tcp'];
    // It chooses a number that is free and writes it there.
    const child = start('Xvfb', 'xvfb', [...screen, '-displayfd', '3', '-noreset']);
    const number = await new Promise<string>((resolve, reject) => {
      let text = '';
      (child.stdio[3] as Readable).setEncoding('utf8').on('data', (part: string) => {
        text += part;
        if (text.endsWith('\n')) resolve(text.trim());
      });
      child.once('exit', () => reject(new Error(`Xvfb has ended. ${text}`)));
    });
    return new XDisplay(`:${number}`, child);
  }

  /** Runs a program for X to its end. */
  async run(program: string, ...args: string[]): Promise<void> {
    await execute(program, args, { env: this.host.environment });
  }

  /** Runs a program for X until it is stopped. */
  open(program: string, debian: string, ...args: string[]): ChildProcess {
    const client = start(program, debian, args, { DISPLAY: this.name });
    this.#clients.push(client);
    return client;
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) await stop(client);
    await stop(this.#server);
  }
}

/** Runs ffmpeg to its end. */
export async function ffmpeg(...args: string[]): Promise<void> {
  await execute('ffmpeg', ['-hide_banner', '-loglevel', 'error', '-nostdin', '-y', ...args]);
}

/** A film of two seconds: a moving picture of 320×240 at 15 a second, and a tone of 600 Hz. */
export async function makeFilm(path: string): Promise<void> {
  await ffmpeg(
    ...['-f', 'lavfi', '-i', 'testsrc2=size=320x240:rate=15:duration=2'],
    ...['-f', 'lavfi', '-i', 'sine=frequency=600:duration=2'],
    ...['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-c:a', 'pcm_s16le', path],
  );
}

/** What is measured of a film or a recording: its streams, as ffprobe tells of them. */
export interface Probe {
  readonly format: { readonly duration?: string; readonly format_name: string };
  readonly streams: readonly {
    readonly codec_type: string;
    readonly codec_name: string;
    readonly width?: number;
    readonly height?: number;
    readonly nb_read_frames?: string;
  }[];
}

export async function probe(path: string): Promise<Probe> {
  const what = ['-v', 'error', '-count_frames', '-show_format', '-show_streams', '-of', 'json'];
  return JSON.parse((await execute('ffprobe', [...what, path])).stdout) as Probe;
}

/** What ffmpeg prints. */
export async function ffmpegOutput(...args: string[]): Promise<Buffer> {
  const options = { encoding: 'buffer', maxBuffer: 256 * 1024 * 1024 } as const;
  return (await execute('ffmpeg', ['-v', 'error', '-nostdin', ...args], options)).stdout;
}

/** The samples of a file, at 48 kHz. */
export async function decodeSound(path: string): Promise<Int16Array> {
  const format = ['-map', '0:a', '-ac', '1', '-ar', `${SAMPLE_RATE}`, '-f', 's16le', '-'];
  return new Int16Array(new Uint8Array(await ffmpegOutput('-i', path, ...format)).buffer);
}

export function joinSounds(sounds: readonly Sound[]): Int16Array {
  const samples = new Int16Array(sounds.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const sound of sounds) {
    samples.set(sound, at);
    at += sound.length;
  }
  return samples;
}

/** Below this nothing is heard. */
const AUDIBLE = 300;

/** The frequency of a tone, counted by its waves; 0 where there is hardly any sound. */
export function frequencyOf(samples: Int16Array): number {
  let [isUp, first, last, waves] = [true, -1, -1, 0];
  samples.forEach((sample, at) => {
    if (sample < -AUDIBLE) isUp = false;
    if (sample <= AUDIBLE || isUp) return;
    isUp = true;
    if (first < 0) first = at;
    else waves++;
    last = at;
  });
  return waves === 0 ? 0 : (waves * SAMPLE_RATE) / (last - first);
}

/** What node does not tell of in its types: sockets, pipes and children that keep this process alive. */
const { _getActiveHandles: handles } = process as unknown as {
  readonly _getActiveHandles: () => object[];
};

/** Timers and files of this process at the moment. */
const held = (): string[] =>
  process
    .getActiveResourcesInfo()
    .filter((name) => /Timeout|FSReq|File/.test(name))
    .sort();

/** To be asked before: whether there is nothing afterwards that was not there. */
export async function leavesNothing(): Promise<() => Promise<void>> {
  // The timer of the test itself is set once its function has returned.
  await sleep(1);
  const before = held();
  // Each by itself: what runs the tests has pipes too, which keep it alive now and then.
  const known = new Set(handles.call(process));
  const added = (): object[] => handles.call(process).filter((one) => !known.has(one));
  return async () => {
    const isGone = (): boolean => held().length <= before.length && added().length === 0;
    if (await until(START_MS, isGone)) return;
    assert.deepEqual([held(), added()], [before, []]);
  };
}

/** The host that devices belong to, and the programs on it that are asked about them. */
import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { nativeSound, type NativeSound } from './native-sound.ts';

/** What sources, sinks and lists of devices need to know of the host. Tests hand in another one. */
export interface Host {
  readonly platform: NodeJS.Platform;
  readonly environment: NodeJS.ProcessEnv;
  /** The program ffmpeg: a path, or a name to be found in the path. */
  readonly ffmpeg: string;
  /** The native part for sound. @throws NO_DEVICE where it is missing */
  readonly native: () => NativeSound;
}

/** This one, as it is now. */
export function thisHost(): Host {
  const { platform, env: environment } = process;
  return { platform, environment, ffmpeg: 'ffmpeg', native: nativeSound };
}

/** How long a program may take to answer, in milliseconds. */
const ANSWER_MS = 3_000;
const MOST_OUTPUT = 1024 * 1024;

export interface Answer {
  readonly output: string;
  readonly complaints: string;
  /** No such program, or it may not be started. */
  readonly isMissing: boolean;
  /** It ended with a status other than 0, or not in time. */
  readonly hasFailed: boolean;
}

/**
 * How programs are started: never by a shell. Windows looks into the directory that a program starts
 * in before it looks into the path, so that must not be one that others write files into.
 */
export function startOptions({ platform, environment }: Host): {
  readonly env: NodeJS.ProcessEnv;
  readonly windowsHide: true;
  readonly shell: false;
  readonly cwd?: string;
} {
  return {
    env: environment,
    windowsHide: true,
    shell: false,
    ...(platform === 'win32' && { cwd: dirname(process.execPath) }),
  };
}

/** Runs a program to its end; what it says is bounded, in English, and in UTF-8. Never rejects. */
export function ask(host: Host, program: string, args: readonly string[]): Promise<Answer> {
  const options = {
    ...startOptions(host),
    env: { ...host.environment, LC_ALL: 'C.UTF-8', LANGUAGE: 'C' },
    timeout: ANSWER_MS,
    killSignal: 'SIGKILL',
    maxBuffer: MOST_OUTPUT,
    encoding: 'utf8',
  } as const;
  return new Promise((resolve) => {
    const child = execFile(program, args, options, (error, output, complaints) => {
      const isMissing = typeof error?.code === 'string' && error.code.startsWith('E');
      resolve({ output, complaints, isMissing, hasFailed: error !== null });
    });
    child.stdin?.end();
  });
}

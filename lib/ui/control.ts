/**
 * The control socket of a running process: by it `-e` reaches the process that holds the profile.
 * A client sends one JSON object a line, `{"command": "…", "directory": "…"}`, and gets one line of a
 * result each; from the directory paths in the command begin.
 * Only the user who runs the process can open it.
 */
import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, isAbsolute, join, resolve as absolute } from 'node:path';
import type { App } from '../app/types.ts';
import { ClchatError, isErrorCode, translate } from '../errors.ts';
import { BARE } from './format.ts';
import { taskOf } from './json-mode.ts';
import { LineSplitter, MAX_LINE_BYTES, readLines, type Line } from './lines.ts';
import { BoundedOutput } from './output.ts';
import { Pipeline } from './pipeline.ts';
import { failure, resultLine, type Context, type Outcome } from './runner.ts';
import type { Settings } from './settings.ts';
import { record } from './style.ts';

/** Longest path of a socket that every system takes, in bytes. */
const MAX_PATH_BYTES = 100;
const MAX_CLIENTS = 32;
/** A client that asks nothing for so long is let go, in milliseconds. */
const IDLE_MS = 60_000;
/** Longest path of a directory, in bytes. */
const MAX_DIRECTORY_BYTES = 4_096;
/** JSON may need six bytes for one of the command's. */
const MAX_REQUEST_BYTES = 6 * (MAX_LINE_BYTES + MAX_DIRECTORY_BYTES) + 64;
/** Longest result that a client takes from the process it trusts. */
const MAX_RESULT_BYTES = 64 << 20;

/**
 * Where the control socket of a data directory is: in it, or by a hash of its path in the system's
 * directory for such things when the path would be too long for a socket.
 */
export function controlPath(
  dataDirectory: string,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  const directory = absolute(dataDirectory);
  const inside = join(directory, 'control', 'socket');
  if (Buffer.byteLength(inside) <= MAX_PATH_BYTES) return inside;
  const hash = createHash('sha256').update(directory).digest('hex').slice(0, 24);
  const name = join(`clchat-${process.getuid?.() ?? 0}`, `${hash}.socket`);
  const runtime = environment['XDG_RUNTIME_DIR'] ?? '';
  const candidates = [runtime, tmpdir(), '/tmp'].filter((base) => base.startsWith('/'));
  const base = candidates.find(
    (candidate) => Buffer.byteLength(join(candidate, name)) <= MAX_PATH_BYTES,
  );
  return join(base ?? '/tmp', name);
}

/**
 * Makes the socket's directory, or makes sure that an existing one is ours alone: in a directory
 * that all may write, somebody else could have made it first.
 */
function secureDirectory(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const facts = lstatSync(directory);
  const mine = process.getuid === undefined || facts.uid === process.getuid();
  if (!facts.isDirectory() || !mine)
    throw new ClchatError('DENIED', `The directory ${directory} belongs to somebody else.`);
  chmodSync(directory, 0o700);
}

export interface ControlOptions {
  /** As `controlPath` gives it. */
  readonly path: string;
  readonly app: App;
  readonly settings: Settings;
  /** A client said `quit`; it has had its answer. */
  onQuit(): void;
}

export interface Control {
  /** Ends the service and removes the socket. */
  close(): Promise<void>;
}

/**
 * Serves the control socket; one that a dead process left is replaced.
 * @throws ClchatError DATA_IN_USE (a living process serves it), DENIED, DATA_READ_ONLY
 */
export async function serveControl(options: ControlOptions): Promise<Control> {
  const { path } = options;
  const clients = new Set<Socket>();
  const server = createServer((socket) => {
    clients.add(socket);
    socket.on('close', () => clients.delete(socket));
    serveClient(socket, options);
  });
  server.maxConnections = MAX_CLIENTS;
  try {
    secureDirectory(dirname(path));
    await listen(server, path);
  } catch (error) {
    throw translate(error, 'INTERNAL', 'The control socket cannot be made.');
  }
  // A failed accept (too many open files) is no reason to end; the next one may work.
  server.on('error', () => undefined);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of clients) socket.destroy();
      }),
  };
}

async function listen(server: Server, path: string): Promise<void> {
  try {
    await listenOnce(server, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    const living = await open(path);
    if (living !== undefined) {
      living.destroy();
      throw new ClchatError('DATA_IN_USE');
    }
    rmSync(path, { force: true });
    await listenOnce(server, path);
  }
  chmodSync(path, 0o600);
}

function listenOnce(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** What a request asks for; from another process, so anything at all. */
function requestIn(line: Line): { readonly command: Line; readonly directory?: string } {
  if (line === undefined) return { command: undefined };
  let request: unknown;
  try {
    request = JSON.parse(line);
  } catch {
    return { command: '' };
  }
  const { command, directory } = record(request);
  return {
    command: typeof command === 'string' ? command : '',
    ...(typeof directory === 'string' && isAbsolute(directory) ? { directory } : {}),
  };
}

function serveClient(socket: Socket, options: ControlOptions): void {
  const pipeline = new Pipeline<Outcome>(64);
  let quitting = false;
  const quit = (): void => {
    quitting = true;
  };
  const context: Context = {
    app: options.app,
    local: { settings: options.settings, quit },
    style: BARE,
  };
  const output = new BoundedOutput(socket, { onLeftOut: () => '' });
  let lines = 0;
  socket.setTimeout(IDLE_MS, () => {
    if (pipeline.empty) socket.destroy();
  });
  const reader = readLines(
    socket,
    {
      onLine(line) {
        const number = (lines += 1);
        const { command, directory } = requestIn(line);
        pipeline.push(taskOf(command, { ...context, directory }), async (outcome) => {
          output.write(resultLine(number, outcome));
          if (quitting) {
            quitting = false;
            await output.flush();
            options.onQuit();
          }
          await output.room();
        });
        if (!pipeline.full) return;
        reader.pause();
        void pipeline.room().then(() => reader.resume());
      },
      onEnd() {
        void pipeline.idle().then(() => socket.end());
      },
    },
    MAX_REQUEST_BYTES,
  );
}

/** A connection to a living process; undefined when there is none. */
function open(path: string): Promise<Socket | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.off('error', onError);
      resolve(socket);
    });
    const onError = (error: NodeJS.ErrnoException): void => {
      const nobody = ['ENOENT', 'ECONNREFUSED', 'ENOTSOCK', 'ENOTDIR'].includes(error.code ?? '');
      if (nobody) resolve(undefined);
      else reject(translate(error, 'CLOSED'));
    };
    socket.once('error', onError);
  });
}

/**
 * Runs one command in the process that serves `path`.
 * @returns its outcome; undefined when no process serves it
 * @throws ClchatError CLOSED (it ended before it answered), DATA_READ_ONLY (not ours to open)
 */
export async function runThroughControl(
  path: string,
  command: string,
  options: { signal?: AbortSignal } = {},
): Promise<Outcome | undefined> {
  const socket = await open(path);
  if (socket === undefined) return undefined;
  const { signal } = options;
  const onAbort = (): void => {
    socket.destroy();
  };
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    if (signal?.aborted === true) onAbort();
    socket.write(`${JSON.stringify({ command, directory: process.cwd() })}\n`);
    return await answer(socket);
  } finally {
    signal?.removeEventListener('abort', onAbort);
    socket.destroy();
  }
}

function answer(socket: Socket): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const splitter = new LineSplitter(MAX_RESULT_BYTES);
    const closed = (cause?: unknown): void =>
      reject(new ClchatError('CLOSED', 'The running process ended before it answered.', { cause }));
    socket.on('data', (chunk) => {
      const lines = splitter.push(chunk);
      if (lines.length > 0) resolve(outcomeIn(lines[0]));
    });
    socket.on('error', closed);
    socket.on('close', () => closed());
  });
}

/** The outcome in a result line of a process that may be of another version. */
function outcomeIn(line: Line): Outcome {
  if (line === undefined) return failure(new ClchatError('TOO_LARGE'));
  try {
    const result = JSON.parse(line) as Record<string, unknown>;
    const { ok, text, data, code } = result;
    if (typeof text === 'string') {
      if (ok === true && typeof data === 'object' && data !== null)
        return { ok, text, data: data as Record<string, unknown> };
      if (ok === false && isErrorCode(code)) return { ok, code, text };
    }
  } catch {
    // Told below, as anything else that is no result.
  }
  return failure(new ClchatError('VERSION', 'The running process is of another version.'));
}

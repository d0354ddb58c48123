/**
 * From the sender's Enter to the recipient's screen, through the server, which has it on the disk
 * before it tells anybody. Two real programs; a peer's clients are programs of the same kind.
 */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, type Bench, type Context } from './support/bench.ts';
import { Clchat, clientFlags, startServer, type ServerProcess } from './support/clchat.ts';
import { paced } from './support/messages.ts';
import {
  ended,
  onLines,
  processorTime,
  startNode,
  startProgram,
  Worker,
} from './support/processes.ts';
import type { Row } from './support/report.ts';
import { median, now, percentile, spread, time } from './support/stats.ts';
import { openTerminal, quit, Terminal } from './support/terminal.ts';
import type { EchoMethods } from './workers/echo.ts';
import type { SocketIoServerMethods } from './workers/socketio-server.ts';

const RATE = 200;
const TERMINAL_RATE = 20;
const SIZE = 200;
const FIGURE = { p50: 10, p99: 60 };
/** How long is waited for what is still on its way, in milliseconds. */
const PATIENCE_MS = 10_000;

/** Two ends of a conversation: lines go in at one and come out at the other. */
interface Conversation {
  say(text: string): void;
  /** Calls back with everything heard; several texts may be in one piece. */
  listen(handler: (heard: string, at: number) => void): void;
}

/** @returns the milliseconds of each message; those that never came are missing */
async function measure(
  conversation: Conversation,
  options: { rate: number; seconds: number; size: number },
): Promise<{ lags: number[]; said: number }> {
  const { rate, seconds, size } = options;
  const sent: number[] = [];
  const lags = new Map<number, number>();
  conversation.listen((heard, at) => {
    for (const [, digits] of heard.matchAll(/<(\d{6})>/g)) {
      const number = Number(digits);
      if (!lags.has(number)) lags.set(number, at - sent[number]!);
    }
  });
  const said = await paced(rate, seconds, (number) => {
    sent[number] = now();
    conversation.say(`<${String(number).padStart(6, '0')}>`.padEnd(size, ' and so on'));
  });
  for (const end = now() + PATIENCE_MS; lags.size < said && now() < end;) await sleep(20);
  return { lags: [...lags.values()], said };
}

function describe({ lags, said }: { lags: readonly number[]; said: number }): string {
  const lost = said - lags.length;
  return `${spread(lags)}${lost === 0 ? '' : `; ${lost} of ${said} did not come`}`;
}

/** Machine mode at both ends. */
async function betweenPrograms(context: Context, { address, process: server }: ServerProcess) {
  const start = async (user: string): Promise<Clchat> => {
    const flags = clientFlags(address, user, await context.directory());
    const client = new Clchat(context, flags, context.execArgv(`latency-${user}`));
    await client.ready;
    return client;
  };
  const [alice, bob] = [await start('alice'), await start('bob')];
  try {
    const conversation = {
      say: (text: string) => alice.write(`message bob ${text}`),
      listen: (handler: (heard: string, at: number) => void) => (bob.onText = handler),
    };
    // The first message opens the conversation and its key epoch.
    await alice.command('message bob hello');
    const used = (): Promise<number[]> =>
      Promise.all([alice, server, bob].map(({ pid }) => processorTime(pid)));
    const before = await used();
    const seconds = context.size(20, 5);
    const measured = await measure(conversation, { rate: RATE, seconds, size: SIZE });
    const after = await used();
    const [sender, middle, recipient] = after.map((all, index) =>
      time((all - before[index]!) / measured.said),
    );
    const each = `processor time a message: sender ${sender}, server ${middle}, recipient ${recipient}`;
    return { ...measured, each };
  } finally {
    await alice.quit();
    await bob.quit();
  }
}

/** A person's terminal at both ends, in the lobby. */
async function betweenTerminals(context: Context, address: string) {
  const start = async (user: string): Promise<Terminal> => {
    const flags = clientFlags(address, user, await context.directory());
    const first = new Clchat(context, flags);
    await first.ready;
    await first.quit();
    const terminal = openTerminal(context, flags);
    await terminal.see('#lobby> ');
    return terminal;
  };
  const [carol, dave] = [await start('carol'), await start('dave')];
  try {
    const conversation = {
      say: (text: string) => carol.type(`${text}\r`),
      listen: (handler: (heard: string, at: number) => void) => (dave.onOutput = handler),
    };
    const seconds = context.size(10, 4);
    return await measure(conversation, { rate: TERMINAL_RATE, seconds, size: 60 });
  } finally {
    await quit(carol);
    await quit(dave);
  }
}

/** What the terminals by themselves take: a program that says what it hears. */
async function echoInTerminal(context: Context): Promise<string> {
  // Without the terminal's own echo: the program's answer is what counts.
  const terminal = new Terminal('/bin/sh', ['-c', 'stty -echo; echo ready; exec cat']);
  await terminal.see('ready');
  const conversation = {
    say: (text: string) => terminal.type(`${text}\r`),
    listen: (handler: (heard: string, at: number) => void) => (terminal.onOutput = handler),
  };
  const seconds = context.size(3, 2);
  const measured = await measure(conversation, { rate: TERMINAL_RATE, seconds, size: 60 });
  terminal.type('\u0004');
  await terminal.ended();
  return describe(measured);
}

/** Two clients of a peer; see `line-peer.ts`. */
async function betweenPeers(context: Context, kind: 'socketio' | 'irc', address: string) {
  const start = async (own: string, other: string) => {
    const child = startNode(context.programs.worker('line-peer'), [kind, address, own, other]);
    let handler: (heard: string, at: number) => void = () => undefined;
    await new Promise<void>((resolve, reject) => {
      onLines(child.stdout!, (line, at) => (line === 'ready' ? resolve() : handler(line, at)));
      child.once('exit', () => reject(new Error(`a client of ${kind} ended`)));
    });
    return {
      say: (text: string) => void child.stdin!.write(`${text}\n`),
      listen: (heard: typeof handler) => void (handler = heard),
      stop: () => {
        child.stdin!.end();
        return ended(child);
      },
    };
  };
  const one = await start('alice', 'bob');
  const other = await start('bob', 'alice');
  try {
    const conversation = { say: one.say, listen: other.listen };
    return await measure(conversation, { rate: RATE, seconds: context.size(8, 3), size: SIZE });
  } finally {
    await one.stop();
    await other.stop();
  }
}

async function socketIo(context: Context): Promise<string> {
  const server = new Worker<SocketIoServerMethods>(context.programs.worker('socketio-server'));
  try {
    const address = await server.call('listen');
    return describe(await betweenPeers(context, 'socketio', address));
  } finally {
    await server.stop();
  }
}

/** Debian's package `ngircd`. */
async function ircd(context: Context): Promise<string> {
  const port = await freePort();
  const file = join(await context.directory(), 'ngircd.conf');
  await writeFile(
    file,
    `[Global]
Name = bench.invalid
Info = bench
Listen = 127.0.0.1
Ports = ${port}
ServerUID = nobody
ServerGID = nogroup
[Limits]
MaxConnectionsIP = 0
MaxPenaltyTime = 0
[Options]
DNS = no
Ident = no
PAM = no
`,
    { mode: 0o644 },
  );
  const server = startProgram('ngircd', ['-n', '-f', file]);
  const missing = once(server, 'error').then(() => true);
  try {
    if (await Promise.race([missing, untilListening(port)]))
      return 'not installed (apt-get install ngircd)';
    return describe(await betweenPeers(context, 'irc', `127.0.0.1:${port}`));
  } finally {
    if (server.pid !== undefined) {
      server.kill();
      await ended(server);
    }
  }
}

/** @returns false, once something listens */
async function untilListening(port: number): Promise<false> {
  for (const end = now() + 5_000; now() < end; await sleep(50)) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return false;
    } catch {
      // Not yet.
    } finally {
      socket.destroy();
    }
  }
  throw new Error('ngircd does not listen');
}

async function echo(context: Context): Promise<string> {
  const file = context.programs.worker('echo');
  const [server, client] = [new Worker<EchoMethods>(file), new Worker<EchoMethods>(file)];
  try {
    const port = await server.call('listen');
    const seconds = context.size(5, 2);
    return spread(await client.call('measure', { port, rate: RATE, seconds, size: SIZE }));
  } finally {
    await client.stop();
    await server.stop();
  }
}

export const latency: Bench = {
  name: 'latency',
  async run(context): Promise<Row[]> {
    const server = await startServer(
      context,
      await context.directory(),
      context.execArgv('latency-server'),
    );
    let programs: Awaited<ReturnType<typeof betweenPrograms>>;
    let terminals: Awaited<ReturnType<typeof betweenTerminals>>;
    try {
      programs = await betweenPrograms(context, server);
      context.note(`--json: ${describe(programs)}; ${programs.each}`);
      terminals = await betweenTerminals(context, server.address);
      context.note(`terminals: ${describe(terminals)}`);
    } finally {
      await server.process.quit();
    }
    const tcp = await echo(context);
    const bare = await echoInTerminal(context);
    const peers = `not durable, not encrypted: socket.io ${await socketIo(context)}; ngircd ${await ircd(context)}; raw TCP there and back ${tcp}`;
    const reached = ({ lags, said }: { lags: number[]; said: number }): boolean =>
      lags.length === said && median(lags) <= FIGURE.p50 && percentile(lags, 0.99) <= FIGURE.p99;
    const text = `p50 ≤ ${FIGURE.p50} ms, p99 ≤ ${FIGURE.p99} ms`;
    return [
      {
        what: `direct message, ${RATE}/s of ${SIZE} bytes, line in to line out (--json)`,
        clchat: `${describe(programs)}; ${programs.each}`,
        beside: peers,
        figure: { text, reached: reached(programs) },
      },
      {
        what: `lobby, ${TERMINAL_RATE}/s, Enter to screen of two pseudo-terminals`,
        clchat: describe(terminals),
        beside: `a terminal's own way there and back: ${bare}`,
        figure: { text, reached: reached(terminals) },
      },
    ];
  },
};

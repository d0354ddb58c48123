/**
 * Network namespaces, of which the labs build their networks. Each is named after the process that
 * made it, so that what a crashed run has left behind is found. Needs root, iproute2 and nftables.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:fs';
import { access, readdir, readFile, readlink, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { LabProcess } from '../lan/process.ts';

export const execute = promisify(execFile);

const TSX = import.meta.resolve('tsx');
const PREFIX = 'clchat-lab';
let labs = 0;

/** Programs, and the Debian packages that hold them. */
export const BASIC_PROGRAMS: Readonly<Record<string, string>> = {
  ip: 'iproute2',
  bridge: 'iproute2',
  nft: 'nftables',
};

/**
 * Begins a lab: removes what crashed runs have left behind.
 * @param what as the errors call the tests
 * @returns the name with which those of all its namespaces begin, and that of its directory of
 *   temporary files, if it makes one
 * @throws an error that says what is missing on this machine
 */
export async function beginLab(
  what: string,
  programs: Readonly<Record<string, string>> = BASIC_PROGRAMS,
): Promise<string> {
  if (process.getuid?.() !== 0)
    throw new Error(`The ${what} tests make network namespaces and so need root.`);
  for (const [program, debian] of Object.entries(programs))
    if (!(await isInstalled(program)))
      throw new Error(`The ${what} tests need "${program}" (Debian: ${debian}).`);
  await removeStale();
  return `${PREFIX}-${process.pid}-${await startTime(process.pid)}-${++labs}`;
}

/** Where a lab may keep files while it is there. */
export const directoryOf = (lab: string): string => join(tmpdir(), lab);

/** A host of a lab: a namespace with the programs that were started in it. */
export class NamespaceHost {
  readonly name: string;
  readonly namespace: string;
  readonly #processes = new Set<LabProcess>();

  constructor(name: string, namespace: string) {
    this.name = name;
    this.namespace = namespace;
  }

  /** Runs a script for Node, which talks by lines of JSON. */
  run(script: string, ...args: string[]): LabProcess {
    return this.exec(process.execPath, [script, ...args]);
  }

  /** As `run`, for one that is not bundled. */
  runTypeScript(script: string, ...args: string[]): LabProcess {
    return this.exec(process.execPath, ['--import', TSX, script, ...args]);
  }

  /** Runs any program that talks by lines of JSON. */
  exec(command: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}): LabProcess {
    const child: ChildProcess = spawn('ip', ['netns', 'exec', this.namespace, command, ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    });
    const running = new LabProcess(child, `${this.name}: ${[command, ...args].join(' ')}`);
    this.#processes.add(running);
    return running;
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#processes].map((running) => running.kill()));
    this.#processes.clear();
  }
}

export async function ip(...args: (readonly string[])[]): Promise<string> {
  return (await execute('ip', args.flat())).stdout;
}

/** Many commands of `ip` at once, in a namespace or, without one, outside of all. */
export async function ipBatch(
  namespace: string | undefined,
  commands: readonly string[],
): Promise<void> {
  if (commands.length === 0) return;
  const within = namespace === undefined ? [] : ['-n', namespace];
  await feed('ip', [...within, '-batch', '-'], `${commands.join('\n')}\n`);
}

export async function nft(namespace: string, rules: string): Promise<void> {
  await feed('ip', ['netns', 'exec', namespace, 'nft', '-f', '-'], rules);
}

/**
 * Filters what arrives at a device by a rule of nft. Where packets are to be lost this is the place:
 * one that is dropped on leaving would be an error for its sender.
 * @param name of the filter; another of that name at the device is replaced
 */
export const filterArrivals = (
  namespace: string,
  name: string,
  device: string,
  rule: string,
): Promise<void> => {
  const table = tableOf(name, device);
  return nft(
    namespace,
    `${without(table)}
     add table ${table}
     add chain ${table} in { type filter hook ingress device "${device}" priority 0; }
     add rule ${table} in ${rule}`,
  );
};

/** Undoes `filterArrivals`, if it was done. */
export const unfilterArrivals = (namespace: string, name: string, device: string): Promise<void> =>
  nft(namespace, without(tableOf(name, device)));

/** Names of nft tables have no hyphens. */
const tableOf = (name: string, device: string): string =>
  `netdev ${name}_${device.replaceAll('-', '_')}`;
const without = (table: string): string => `add table ${table}; delete table ${table}`;

/** Sets what a fresh host needs so that its addresses can be used at once. */
const SETTINGS = `cd /proc/sys/net
  for f in all default; do echo 0 >ipv6/conf/$f/accept_dad; echo 0 >ipv4/conf/$f/rp_filter; done
  for f in bridge/bridge-nf-call-iptables bridge/bridge-nf-call-ip6tables; do
    [ ! -e $f ] || echo 0 >$f; done`;

/** @param settings more that its shell does, in /proc/sys/net */
export async function addNamespace(namespace: string, settings = ''): Promise<void> {
  await ip(['netns', 'add', namespace]);
  await ip(['-n', namespace, 'link', 'set', 'lo', 'up']);
  const script = `${SETTINGS}\n${settings}`;
  await execute('ip', ['netns', 'exec', namespace, 'sh', '-c', script]).catch(() => undefined);
}

/** Ends the programs in them, too. Those that are not there are passed over. */
export async function removeNamespaces(namespaces: readonly string[]): Promise<void> {
  for (const pid of await processesIn(namespaces))
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Gone by itself.
    }
  for (const namespace of namespaces) await ip(['netns', 'del', namespace]).catch(() => undefined);
}

async function processesIn(namespaces: readonly string[]): Promise<number[]> {
  const inside = new Set<string>();
  for (const namespace of namespaces) {
    const file = await stat(`/run/netns/${namespace}`).catch(() => undefined);
    if (file !== undefined) inside.add(`net:[${file.ino}]`);
  }
  const found: number[] = [];
  if (inside.size === 0) return found;
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const network = await readlink(`/proc/${name}/ns/net`).catch(() => '');
    if (inside.has(network)) found.push(Number(name));
  }
  return found;
}

/** What is left of labs of processes that are no more. */
async function removeStale(): Promise<void> {
  const staleIn = async (directory: string): Promise<string[]> => {
    const stale: string[] = [];
    for (const name of await readdir(directory).catch(() => [])) {
      const [, pid, start] = /^clchat-lab-(\d+)-(\d+)-\d+(?:-|$)/.exec(name) ?? [];
      if (pid !== undefined && (await startTime(Number(pid))) !== start) stale.push(name);
    }
    return stale;
  };
  await removeNamespaces(await staleIn('/run/netns'));
  for (const lab of await staleIn(tmpdir()))
    await rm(directoryOf(lab), { recursive: true, force: true });
}

/** When a process started, in clock ticks since the machine did; undefined when there is none. */
async function startTime(pid: number): Promise<string | undefined> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return status?.slice(status.lastIndexOf(')') + 2).split(' ')[19];
}

async function isInstalled(program: string): Promise<boolean> {
  for (const directory of (process.env['PATH'] ?? '').split(delimiter))
    try {
      await access(join(directory, program), constants.X_OK);
      return true;
    } catch {
      // Not in this one.
    }
  return false;
}

async function feed(command: string, args: readonly string[], input: string): Promise<void> {
  const running = execute(command, args);
  running.child.stdin?.on('error', () => undefined);
  running.child.stdin?.end(input);
  await running;
}

/**
 * The way out of this host: the default route, and so the gateway that may map ports. Linux tells it
 * in a file; elsewhere a program of the system is asked, whose output is read by pure functions.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { isIPv4 } from 'node:net';
import { endianness } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isOnLink, listCards, type Card } from '../interfaces.ts';
import { systemClock, type Clock } from '../lifecycle.ts';

/** The default route of IPv4. */
export interface Route {
  /** The gateway's address on our side. */
  readonly gateway: string;
  /** The address of our card that leads there. */
  readonly own: string;
  /** Name of that card. */
  readonly card: string;
  readonly family: 4;
}

/** One default route as the system tells it. */
export interface RouteEntry {
  readonly gateway: string;
  /** Name of the card, where told. */
  readonly card?: string;
  /** Address of the card, where told. */
  readonly own?: string;
  /** The lowest is taken. */
  readonly metric: number;
}

const execute = promisify(execFile);

const UP = 1;
const GATEWAY = 2;

/**
 * Reads `/proc/net/route` of Linux.
 * @param order of bytes in its addresses: that of the processor
 */
export function parseProcRoute(text: string, order: 'LE' | 'BE'): RouteEntry[] {
  const entries: RouteEntry[] = [];
  for (const line of text.split('\n')) {
    const [card, destination, hex = '', flags, , , metric, mask] = line.trim().split(/\s+/);
    if (card === undefined || destination !== '00000000' || mask !== '00000000') continue;
    if (!/^[\dA-F]{8}$/i.test(hex) || (Number(`0x${flags}`) & (UP | GATEWAY)) !== (UP | GATEWAY))
      continue;
    const bytes = [...Buffer.from(hex, 'hex')];
    const gateway = (order === 'LE' ? bytes.reverse() : bytes).join('.');
    entries.push({ card, gateway, metric: Number(metric) });
  }
  return entries;
}

/** Reads what `route -n get default` prints on macOS and the BSDs. */
export function parseRouteGet(text: string): RouteEntry[] {
  const field = (name: string): string | undefined =>
    new RegExp(`^\\s*${name}: *(\\S+)\\s*$`, 'm').exec(text)?.[1];
  const [gateway, card] = [field('gateway'), field('interface')];
  if (gateway === undefined || card === undefined || !isIPv4(gateway)) return [];
  return [{ gateway, card, metric: 0 }];
}

/** Reads what `route print -4 0.0.0.0` prints on Windows, in any language. */
export function parseRoutePrint(text: string): RouteEntry[] {
  const entries: RouteEntry[] = [];
  for (const line of text.split('\n')) {
    const [destination, mask, gateway = '', own = '', metric, more] = line.trim().split(/\s+/);
    if (destination !== '0.0.0.0' || mask !== '0.0.0.0' || more !== undefined) continue;
    // A persistent route has no card; a gateway that is none is a word of the system's language.
    if (isIPv4(gateway) && isIPv4(own) && /^\d+$/.test(metric ?? ''))
      entries.push({ gateway, own, metric: Number(metric) });
  }
  return entries;
}

/** The best of the default routes whose card is up; undefined where there is none. */
export function chooseRoute(
  entries: readonly RouteEntry[],
  cards: readonly Card[],
): Route | undefined {
  for (const entry of [...entries].sort((a, b) => a.metric - b.metric)) {
    const candidates = cards.filter(
      ({ name, address, family, internal }) =>
        family === 4 &&
        !internal &&
        (entry.card === undefined || entry.card === name) &&
        (entry.own === undefined || entry.own === address),
    );
    // A card may have several addresses; the gateway is in the network of one of them.
    const card = candidates.find((one) => isOnLink(entry.gateway, one)) ?? candidates[0];
    if (card !== undefined)
      return { gateway: entry.gateway, own: card.address, card: card.name, family: 4 };
  }
  return undefined;
}

export interface RouteReaderOptions {
  readonly platform?: NodeJS.Platform;
  readonly cards?: () => readonly Card[];
  readonly readFile?: (path: string) => Promise<string>;
  /** Runs a program. @returns what it prints */
  readonly run?: (file: string, args: readonly string[]) => Promise<string>;
  readonly clock?: Clock;
}

/** How long what a program has told is good while the cards stay as they are, in milliseconds. */
const GOOD_MS = 60_000;

/** A function that tells the default route as it is now; undefined where there is none. Never rejects. */
export function createRouteReader(
  options: RouteReaderOptions = {},
): () => Promise<Route | undefined> {
  const { platform = process.platform, cards = listCards, clock = systemClock } = options;
  const { readFile: read = (path) => readFile(path, 'utf8'), run = runProgram } = options;

  const entriesNow = async (): Promise<RouteEntry[]> => {
    try {
      if (platform === 'linux') return parseProcRoute(await read('/proc/net/route'), endianness());
      if (platform === 'win32') {
        const program = join(process.env['SystemRoot'] ?? 'C:\\Windows', 'System32', 'route.exe');
        return parseRoutePrint(await run(program, ['print', '-4', '0.0.0.0']));
      }
      return parseRouteGet(await run('/sbin/route', ['-n', 'get', 'default']));
    } catch {
      // No such file, no such program, or no leave to ask.
      return [];
    }
  };

  let told: { entries: RouteEntry[]; of: string; until: number } | undefined;
  return async () => {
    const present = cards();
    // A file is read in no time; a program costs a process, and this is asked every few seconds.
    if (platform === 'linux') return chooseRoute(await entriesNow(), present);
    const of = JSON.stringify(present);
    if (told === undefined || told.of !== of || clock.monotonic() >= told.until)
      told = { entries: await entriesNow(), of, until: clock.monotonic() + GOOD_MS };
    return chooseRoute(told.entries, present);
  };
}

const MAX_OUTPUT = 64 * 1024;
const PROGRAM_MS = 1_000;

async function runProgram(file: string, args: readonly string[]): Promise<string> {
  const limits = { timeout: PROGRAM_MS, maxBuffer: MAX_OUTPUT, windowsHide: true };
  return (await execute(file, args, limits)).stdout;
}

/** Finding the server to join: at an address, or by mDNS on the LAN. */
import { formatEndpoint, parseEndpoint } from '../interfaces.ts';
import type { PublicKey, RandomBytes } from '../crdt/keys.ts';
import { ClchatError, codeOf } from '../errors.ts';
import { sleep } from '../lifecycle.ts';
import { clean, nearest } from '../text.ts';
import type { Log } from '../log.ts';
import type { Relay, Target, Transport } from '../node/channel.ts';
import { Link } from '../node/client/link.ts';
import { browse, type Browser, type FoundServer } from '../node/discovery.ts';
import { createTransport } from '../node/libp2p.ts';
import type { KnownProfile } from './places.ts';
import { DEFAULT_PORT, LAST_PORT } from './server-peer.ts';
import type { Ask } from './types.ts';

/** A server to log in to. */
export interface Found {
  readonly key: PublicKey;
  readonly name: string;
  /** Where it may be reached now; may change while it is looked for. */
  readonly addresses: () => readonly string[];
  /** The address that it has answered at, where it was asked. */
  readonly reached?: string;
  /** In the server's own process: joins the network inside the process. */
  readonly join?: (key: PublicKey) => Transport;
  /** …and where others reach it as a relay. */
  readonly relay?: () => Relay;
  /** Ends what still looks for it. */
  readonly stop: () => void;
  /** It was not there when it was looked for. */
  readonly isAway?: boolean;
  /** It was not asked for yet: what it means that it is not reached, or another one is. */
  readonly explain?: (error: unknown) => Error;
  /** …and where it has been reached then. */
  readonly onReached?: (address: string, name: string) => Promise<void>;
}

/** How long servers are looked for on the LAN, in milliseconds. */
const SEARCH_MS = 5_000;
/** …and how long when one can begin without, from a profile that is known. */
const KNOWN_MS = 2_000;
/** How long others may take to show up once one is there, before that one is taken. */
const COMPANY_MS = 150;
/** How long the other ports of a host may take once one has answered, in milliseconds. */
const OTHER_PORTS_MS = 400;

/** Whether an address leaves the port open. @throws BAD_ADDRESS */
export function isBareHost(connect: string): boolean {
  parseEndpoint(connect, { port: DEFAULT_PORT });
  if (connect.startsWith('[')) return connect.endsWith(']');
  return !/:\d+$/.test(connect) || /^[0-9a-f:]*:[0-9a-f:]*:[0-9a-f:]*$/i.test(connect);
}

/** Every place a server may listen at where only its IP was given. */
export function candidates(connect: string): string[] {
  const endpoint = parseEndpoint(connect, { port: DEFAULT_PORT });
  if (!isBareHost(connect)) return [formatEndpoint(endpoint)];
  const ports = Array.from({ length: LAST_PORT - DEFAULT_PORT + 1 }, (_, i) => DEFAULT_PORT + i);
  return ports.map((port) => formatEndpoint({ ...endpoint, port }));
}

/**
 * Asks who answers at an address, as nobody in particular.
 * @throws NETWORK, TIMEOUT, BAD_MESSAGE (no clchat server), VERSION, BAD_ADDRESS
 */
export function probe(connect: string, random: RandomBytes, log: Log): Promise<Found> {
  return probeAny(candidates(connect), () => 0, random, log);
}

/**
 * Asks who answers at several addresses of one host.
 * @param rank the lower it is, the rather a server is taken; of several, the one that comes first
 * @throws as `probe`
 */
export async function probeAny(
  addresses: readonly string[],
  rank: (key: PublicKey) => number,
  random: RandomBytes,
  log: Log,
): Promise<Found> {
  const transport = await createTransport({ seed: Uint8Array.from(random(32)), listen: [] });
  const enough = new AbortController();
  const found: Found[] = [];
  const errors: unknown[] = [];
  /** Addresses that have said nothing yet. */
  const open = new Set(addresses);
  try {
    let answered: () => void = () => undefined;
    const first = new Promise<void>((resolve) => (answered = resolve));
    const all = Promise.all(
      addresses.map(async (address, at) => {
        try {
          found[at] = await askAt(transport, address, log, enough.signal);
          answered();
        } catch (error) {
          errors.push(error);
        }
        open.delete(address);
        // None of those who may still answer would be taken before this one.
        const best = found.findIndex((one) => one !== undefined && rank(one.key) === 0);
        if (best >= 0 && !addresses.slice(0, best).some((other) => open.has(other))) enough.abort();
      }),
    );
    await Promise.race([all, first]);
    await Promise.race([all, sleep(OTHER_PORTS_MS, enough.signal)]);
    enough.abort();
    await all;
    const [best] = Object.values(found).sort((one, other) => rank(one.key) - rank(other.key));
    if (best !== undefined) return best;
    // What somebody said tells more than that nobody was there.
    throw errors.find((error) => !SILENCE.has(codeOf(error))) ?? errors[0];
  } finally {
    end(transport, log);
  }
}

/** What addresses say at which there is no server of ours. */
const SILENCE: ReadonlySet<string> = new Set(['NETWORK', 'TIMEOUT', 'CLOSED', 'BAD_MESSAGE']);

/**
 * Asks for one server, by its key, at all addresses it may have.
 * @throws NETWORK, TIMEOUT, SERVER_KEY_CHANGED (only others answer there)
 */
export async function probeFor(
  { key, addresses }: { readonly key: PublicKey; readonly addresses: readonly string[] },
  random: RandomBytes,
  log: Log,
): Promise<Found> {
  const transport = await createTransport({ seed: Uint8Array.from(random(32)), listen: [] });
  try {
    const target = { key, addresses };
    const found = await askServer(transport, target, log, new AbortController().signal);
    return { ...found, addresses: () => addresses };
  } finally {
    end(transport, log);
  }
}

/** Nobody waits for the goodbyes, which take a round trip or two. */
function end(transport: Transport, log: Log): void {
  transport.stop().catch((error: unknown) => log.fault(error));
}

function askAt(
  transport: Transport,
  address: string,
  log: Log,
  signal: AbortSignal,
): Promise<Found> {
  return askServer(transport, { addresses: [address] }, log, signal);
}

async function askServer(
  transport: Transport,
  target: Target,
  log: Log,
  signal: AbortSignal,
): Promise<Found> {
  const quiet = (): void => undefined;
  const events = {
    onPresence: quiet,
    onBroadcast: quiet,
    onTyping: quiet,
    onConference: quiet,
    onConferences: quiet,
    onLogout: quiet,
    onFault: (error: unknown) => log.fault(error),
  };
  const link = await Link.open(transport, target, events, signal);
  void link.close();
  const reached = link.address;
  return {
    key: link.server,
    name: link.hello.name,
    addresses: () => [reached],
    reached,
    stop: quiet,
  };
}

/**
 * A server known from before that is away: waited for at its addresses, or looked for until `stop`
 * where there are none.
 */
export function remembered(
  { about }: KnownProfile,
  addresses: readonly string[] | undefined,
): Found {
  const common = { key: about.server, name: about.serverName, isAway: true };
  if (addresses !== undefined)
    return { ...common, addresses: () => addresses, stop: () => undefined };
  const browser = browse({ onFound: () => undefined, onLost: () => undefined });
  return {
    ...common,
    addresses: () => browser.servers().find(({ key }) => key === about.server)?.addresses ?? [],
    stop: () => void browser.stop(),
  };
}

export interface SearchOptions {
  /** Only this one. */
  readonly name: string | undefined;
  /** Only these, where there are any: the servers of the profiles that may be meant. */
  readonly known: readonly KnownProfile[];
  /** Whether one may begin without the server. */
  readonly mayBeAway: boolean;
  readonly ask: Ask | undefined;
}

/**
 * Finds a server on the LAN; goes on looking until `stop`, so that its addresses stay true.
 * @throws NO_SERVER, MULTICAST_BLOCKED, AMBIGUOUS_SERVER
 */
export async function findServer(options: SearchOptions): Promise<Found> {
  const servers = new Map<PublicKey, FoundServer>();
  let arrived: () => void = () => undefined;
  let arrival = new Promise<void>((resolve) => (arrived = resolve));
  const browser = browse({
    onFound: (server) => {
      servers.set(server.key, server);
      arrived();
      arrival = new Promise((resolve) => (arrived = resolve));
    },
    onLost: (server) => servers.delete(server.key),
  });
  try {
    const matching = (): FoundServer[] =>
      [...servers.values()].filter(
        ({ key, name }) =>
          (options.name === undefined || name === options.name) &&
          (!options.mayBeAway || options.known.some(({ about }) => about.server === key)),
      );
    const end = performance.now() + (options.mayBeAway ? KNOWN_MS : SEARCH_MS);
    while (matching().length === 0 && performance.now() < end)
      await Promise.race([arrival, sleep(end - performance.now())]);
    // One that was asked for by name, or is known, need not wait for others.
    if (options.name === undefined && !options.mayBeAway && matching().length > 0)
      await sleep(COMPANY_MS);
    const one = await choose(matching(), [...servers.values()], options, browser);
    return {
      key: one.key,
      name: one.name,
      addresses: () => servers.get(one.key)?.addresses ?? one.addresses,
      stop: () => void browser.stop(),
    };
  } catch (error) {
    await browser.stop();
    throw error;
  }
}

async function choose(
  servers: readonly FoundServer[],
  all: readonly FoundServer[],
  { ask, name }: SearchOptions,
  browser: Browser,
): Promise<FoundServer> {
  const [first] = servers;
  if (first === undefined)
    throw name !== undefined && all.length > 0 ? noneNamed(name, all) : nothingFound(browser);
  if (servers.length === 1) return first;
  if (ask === undefined)
    throw new ClchatError(
      'AMBIGUOUS_SERVER',
      `Several servers were found: ${servers.map(({ name }) => name).join(', ')}. Choose one with --server NAME.`,
    );
  const sorted = [...servers].sort((a, b) => (a.name < b.name ? -1 : 1));
  const labels = sorted.map(({ name, addresses }) => `${name} (${addresses[0] ?? '?'})`);
  return sorted[await ask.choose('Which server?', labels)]!;
}

/** There are servers, but none of the name that was asked for. */
export function noneNamed(
  name: string,
  servers: readonly Pick<FoundServer, 'name'>[],
): ClchatError {
  const names = [...new Set(servers.map((server) => server.name))].sort();
  const meant = nearest(name, names);
  const hint = meant === undefined ? '' : ` Did you mean "${clean(meant)}"?`;
  return new ClchatError(
    'NO_SERVER',
    `No server here is named "${clean(name)}". Found: ${names.map((one) => clean(one)).join(', ')}.${hint}`,
  );
}

/** What can be said of why nothing was found. */
function nothingFound(browser: Browser): ClchatError {
  const { interfaces, heardOthers, errors } = browser.state();
  if (interfaces.length > 0 && !heardOthers && errors.length > 0)
    return new ClchatError('MULTICAST_BLOCKED', undefined, { data: { errors } });
  return new ClchatError(
    'NO_SERVER',
    heardOthers
      ? undefined
      : 'No server was found, and nothing else was heard by multicast either: this network may block it. Start a server with "clchat -ls", or give the address that it shows with --connect IP:PORT.',
  );
}

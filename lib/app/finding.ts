/** Finding the server to join: at an address, or by mDNS on the LAN. */
import { formatEndpoint, parseEndpoint } from '../interfaces.ts';
import type { PublicKey, RandomBytes } from '../crdt/keys.ts';
import { ClchatError } from '../errors.ts';
import { sleep } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import type { Transport } from '../node/channel.ts';
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
  /** In the server's own process: joins the network inside the process. */
  readonly join?: (key: PublicKey) => Transport;
  /** Ends what still looks for it. */
  readonly stop: () => void;
  /** It was not there when it was looked for. */
  readonly isAway?: boolean;
}

/** How long servers are looked for on the LAN, in milliseconds. */
const SEARCH_MS = 5_000;
/** …and how long when one can begin without, from a profile that is known. */
const KNOWN_MS = 2_000;
/** How long others may take to show up once one is there, before that one is taken. */
const COMPANY_MS = 150;

/** Every place a server may listen at where only its IP was given. */
export function candidates(connect: string): string[] {
  const endpoint = parseEndpoint(connect, { port: DEFAULT_PORT });
  const hasPort = /:\d+$/.test(connect) && !/^[0-9a-f:]+$/i.test(connect);
  if (hasPort || connect.startsWith('[')) return [formatEndpoint(endpoint)];
  const ports = Array.from({ length: LAST_PORT - DEFAULT_PORT + 1 }, (_, i) => DEFAULT_PORT + i);
  return ports.map((port) => formatEndpoint({ ...endpoint, port }));
}

/**
 * Asks who answers at an address, as nobody in particular.
 * @throws NETWORK, TIMEOUT, BAD_MESSAGE (no clchat server), VERSION, BAD_ADDRESS
 */
export async function probe(connect: string, random: RandomBytes, log: Log): Promise<Found> {
  const addresses = candidates(connect);
  const transport = await createTransport({ seed: Uint8Array.from(random(32)), listen: [] });
  try {
    const quiet = (): void => undefined;
    const events = {
      onPresence: quiet,
      onBroadcast: quiet,
      onLogout: quiet,
      onFault: (error: unknown) => log.fault(error),
    };
    const link = await Link.open(transport, { addresses }, events, new AbortController().signal);
    const found: Found = {
      key: link.server,
      name: link.hello.name,
      addresses: () => addresses,
      stop: quiet,
    };
    await link.close();
    return found;
  } finally {
    await transport.stop();
  }
}

/** A server known from before that is away: looked for until `stop`, where no address is given. */
export function remembered({ about }: KnownProfile, connect: string | undefined): Found {
  const common = { key: about.server, name: about.serverName, isAway: true };
  if (connect !== undefined) {
    const addresses = candidates(connect);
    return { ...common, addresses: () => addresses, stop: () => undefined };
  }
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
    const one = await choose(matching(), options, browser);
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
  { ask }: SearchOptions,
  browser: Browser,
): Promise<FoundServer> {
  const [first] = servers;
  if (first === undefined) throw nothingFound(browser);
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

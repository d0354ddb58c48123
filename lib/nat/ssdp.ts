/**
 * SSDP, as far as finding a gateway by UPnP needs it: the question by multicast and straight to the
 * gateway of the default route, and what that gateway answers. Nobody else's answers are looked at.
 */
import { createSocket } from 'node:dgram';
import type { Route } from './route.ts';

export const SSDP_PORT = 1900;
const GROUP = '239.255.255.250';
/** What is looked for: some gateways answer to one of these only. */
export const TARGETS = [
  'urn:schemas-upnp-org:device:InternetGatewayDevice:1',
  'urn:schemas-upnp-org:device:InternetGatewayDevice:2',
  'urn:schemas-upnp-org:service:WANIPConnection:1',
  'urn:schemas-upnp-org:service:WANIPConnection:2',
  'urn:schemas-upnp-org:service:WANPPPConnection:1',
] as const;
/** When the questions are put, in milliseconds. */
const SEARCHES_MS = [0, 250, 750] as const;
/** How far a question goes, in hops (UPnP Device Architecture 1.1, 1.3.2). */
const HOPS = 2;
/** Answers of the gateway that are looked at, their longest, and places in them that are told. */
const MAX_ANSWERS = 32;
const MAX_ANSWER_BYTES = 2_048;
const MAX_LOCATIONS = 4;

/** @param host to whom it is put, `IP:PORT` */
export function encodeSearch(target: string, host: string): string {
  const lines = [`HOST: ${host}`, 'MAN: "ssdp:discover"', 'MX: 1', `ST: ${target}`];
  return ['M-SEARCH * HTTP/1.1', ...lines, '', ''].join('\r\n');
}

/** Where an answer to one of our questions says that the description lies; undefined for anything else. */
export function decodeSearchAnswer(bytes: Uint8Array): string | undefined {
  if (bytes.length > MAX_ANSWER_BYTES) return undefined;
  const [status = '', ...lines] = Buffer.from(bytes).toString('latin1').split(/\r?\n/);
  if (!/^HTTP\/1\.[01] 200\b/i.test(status)) return undefined;
  const headers = new Map<string, string>();
  for (const line of lines) {
    if (line === '') break;
    const colon = line.indexOf(':');
    if (colon > 0)
      headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  const target = headers.get('st');
  if (!TARGETS.some((one) => one === target)) return undefined;
  return headers.get('location') || undefined;
}

export interface SearchOptions {
  readonly route: Route;
  /** `SSDP_PORT` by default. */
  readonly port?: number | undefined;
  /** Where the gateway says that a description of it lies, once for each. */
  readonly onLocation: (location: string) => void;
  /** Ends the search. */
  readonly signal: AbortSignal;
}

/** Searches until the signal aborts. Never rejects: a card that cannot be sent from finds nothing. */
export function searchGateway(options: SearchOptions): Promise<void> {
  const { route, port = SSDP_PORT, onLocation, signal } = options;
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    const timers: NodeJS.Timeout[] = [];
    const told = new Set<string>();
    let answers = 0;

    const search = (): void => {
      for (const target of TARGETS)
        for (const host of [route.gateway, GROUP])
          socket.send(encodeSearch(target, `${host}:${port}`), port, host, () => undefined);
    };
    socket.on('error', () => undefined);
    socket.on('message', (bytes, from) => {
      if (from.address !== route.gateway || answers >= MAX_ANSWERS) return;
      answers++;
      const location = decodeSearchAnswer(bytes);
      if (location === undefined || told.has(location) || told.size >= MAX_LOCATIONS) return;
      told.add(location);
      onLocation(location);
    });
    socket.bind({ address: route.own, port: 0, exclusive: true }, () => {
      try {
        socket.setMulticastTTL(HOPS);
        // The system would choose the card by its own routes for multicast.
        socket.setMulticastInterface(route.own);
      } catch {
        // A card without multicast: the gateway is asked straight all the same.
      }
      for (const delay of SEARCHES_MS) timers.push(setTimeout(search, delay));
    });
    const end = (): void => {
      for (const timer of timers) clearTimeout(timer);
      socket.close(() => resolve());
    };
    signal.addEventListener('abort', end, { once: true });
  });
}

/**
 * The network cards of this host and addresses of the form `IP:PORT`. The one place that parses and
 * writes them.
 */
import { BlockList, isIPv4, isIPv6, SocketAddress } from 'node:net';
import { networkInterfaces } from 'node:os';
import { ClchatError } from './errors.ts';

/** One address of one card. A card with several addresses appears several times. */
export interface Card {
  /** As the system calls it: `eth0`. */
  readonly name: string;
  readonly address: string;
  readonly family: 4 | 6;
  /** Length of the network's prefix in bits. */
  readonly prefix: number;
  /** The loopback. */
  readonly internal: boolean;
}

/** Where something listens or may be reached. */
export interface Endpoint {
  /** In canonical form, IPv6 without brackets. */
  readonly ip: string;
  readonly family: 4 | 6;
  readonly port: number;
}

/**
 * The addresses of the cards that are up and have a carrier, the loopback last. Empty on a host
 * that has none, or does not tell.
 */
export function listCards(): Card[] {
  let found: ReturnType<typeof networkInterfaces>;
  try {
    found = networkInterfaces();
  } catch {
    // Some sandboxes forbid the question (EPERM, or errno 97 without address families).
    return [];
  }
  const cards: Card[] = [];
  for (const [name, addresses] of Object.entries(found))
    for (const { address, family, cidr, internal } of addresses ?? []) {
      const prefix = Number(cidr?.split('/')[1]);
      if (Number.isInteger(prefix))
        cards.push({ name, address, family: family === 'IPv4' ? 4 : 6, prefix, internal });
    }
  return cards.sort((a, b) => Number(a.internal) - Number(b.internal));
}

const PORT = /^\d{1,5}$/;
/** `[IPv6]`, `[IPv6]:PORT`, or anything without a colon with an optional `:PORT`. */
const FORM = /^(?:\[(?<v6>[^\]]*)\]|(?<v4>[^:[\]]*))(?::(?<port>[^:]*))?$/;

/**
 * Parses `IP:PORT`, `[IPv6]:PORT` or `localhost:PORT`.
 * @param options.port taken where the text names none
 * @param options.listen whether port 0 (any free one) is allowed
 * @throws BAD_ADDRESS
 */
export function parseEndpoint(
  text: string,
  options: { port?: number; listen?: boolean } = {},
): Endpoint {
  const endpoint = tryParseEndpoint(text, options);
  if (endpoint !== undefined) return endpoint;
  throw new ClchatError('BAD_ADDRESS', undefined, { data: { address: text.slice(0, 100) } });
}

/** As `parseEndpoint`; undefined for what has no such form. */
export function tryParseEndpoint(
  text: string,
  options: { port?: number; listen?: boolean } = {},
): Endpoint | undefined {
  const bare = isIPv6(text) ? `[${text}]` : text;
  const parts = FORM.exec(bare)?.groups;
  if (parts === undefined) return undefined;
  const ip = parts.v6 ?? (parts.v4 === 'localhost' ? '127.0.0.1' : parts.v4) ?? '';
  // A zone (`%eth0`) means something on one host only.
  const family = parts.v6 === undefined ? 4 : 6;
  if (!(family === 4 ? isIPv4(ip) : isIPv6(ip) && !ip.includes('%'))) return undefined;
  const port = parts.port === undefined ? options.port : PORT.test(parts.port) && +parts.port;
  if (typeof port !== 'number' || port > 65_535) return undefined;
  if (port === 0 && options.listen !== true) return undefined;
  return { ip: family === 4 ? ip : canonical(ip), family, port };
}

function canonical(ip: string): string {
  return new SocketAddress({ address: ip, family: 'ipv6' }).address;
}

/** `IP:PORT`, with brackets around IPv6. */
export function formatEndpoint({ ip, port }: { ip: string; port: number }): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}

export function isWildcard(ip: string): boolean {
  return ip === '0.0.0.0' || ip === '::';
}

export function isLoopback(ip: string): boolean {
  return ip.startsWith('127.') || ip === '::1';
}

/** IPv6 addresses that are valid on one link only, and so need a zone. */
export function isLinkLocal6(ip: string): boolean {
  return /^fe[89ab]/i.test(ip);
}

/** Whether a host may have this address: no wildcard, multicast, broadcast or reserved one. */
export function isUnicast(ip: string): boolean {
  if (isIPv4(ip)) {
    const first = Number.parseInt(ip, 10);
    return first > 0 && first < 224;
  }
  return isIPv6(ip) && ip !== '::' && !/^ff/i.test(ip);
}

/** What an endpoint stands for: itself, or for a wildcard every address of its family here. */
export function expandEndpoint(endpoint: Endpoint, cards: readonly Card[]): Endpoint[] {
  if (!isWildcard(endpoint.ip)) return [endpoint];
  return cards
    .filter((card) => card.family === endpoint.family && !isLinkLocal6(card.address))
    .map((card) => ({ ...endpoint, ip: card.address }));
}

/** Whether `ip` lies in the network of `card`. */
export function isOnLink(ip: string, card: Card): boolean {
  if (card.family === 4) {
    if (!isIPv4(ip)) return false;
    const shift = 32 - card.prefix;
    return shift === 32 || bits(ip) >>> shift === bits(card.address) >>> shift;
  }
  if (!isIPv6(ip)) return false;
  const network = new BlockList();
  network.addSubnet(card.address, card.prefix, 'ipv6');
  return network.check(ip, 'ipv6');
}

function bits(ip: string): number {
  return ip.split('.').reduce((sum, part) => (sum << 8) | Number(part), 0);
}

/**
 * Sorts addresses of another peer: those in a network that a card here is in come first, the
 * loopback last. Otherwise the order stays.
 */
export function nearestFirst(addresses: readonly string[], cards: readonly Card[]): string[] {
  const distance = (address: string): number => {
    const ip = tryParseEndpoint(address)?.ip ?? '';
    if (isLoopback(ip)) return 2;
    return cards.some((card) => isOnLink(ip, card)) ? 0 : 1;
  };
  return addresses
    .map((address) => ({ address, distance: distance(address) }))
    .sort((a, b) => a.distance - b.distance)
    .map(({ address }) => address);
}

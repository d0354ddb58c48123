/**
 * As whom a peer is seen by another one. Nobody behind a router knows that of himself, and since the
 * one who sees it signs it, nobody can have packets sent to a third party by naming its address.
 */
import { BlockList, isIPv4, isIPv6 } from 'node:net';
import { encode } from '../../crdt/codec.ts';
import { verify, type PublicKey, type SigningKey } from '../../crdt/keys.ts';
import { ClchatError } from '../../errors.ts';
import { formatEndpoint, tryParseEndpoint, type Endpoint } from '../../interfaces.ts';
import type { Channel, Connection } from '../channel.ts';
import { FrameQueue, OBSERVE, observation, read, type Observation } from './wire.ts';

const TAG = 'clchat observed address v1';
/** No peer of ours is behind a port below; much else is. */
const LOWEST_PORT = 1_024;

const signed = (of: PublicKey, address: string): Uint8Array => encode([of, address]);

/** Serves a channel of `OBSERVE`: tells the peer at which address it is seen. */
export function tellObserved(channel: Channel, key: SigningKey): void {
  channel.onFrame(() => {
    throw new ClchatError('BAD_MESSAGE');
  });
  const { address, remote } = channel;
  channel.send(encode({ address, proof: key.sign(TAG, signed(remote, address)) }));
  void channel.close();
}

/** Asks a peer at which address it sees this one. @throws TIMEOUT, CLOSED, VERSION, BAD_MESSAGE */
export async function askObserved(
  connection: Connection,
  { signal }: { signal: AbortSignal },
): Promise<Observation> {
  const channel = await connection.open(OBSERVE, { signal });
  try {
    return read(observation, await new FrameQueue(channel).next(signal));
  } finally {
    void channel.close();
  }
}

/** Whether one peer has seen another one at that address. */
export function isObserved(by: PublicKey, of: PublicKey, { address, proof }: Observation): boolean {
  return verify(by, TAG, signed(of, address), proof);
}

/** How far an address is good for. */
export type Scope = 'loopback' | 'private' | 'global';

const SCOPES: readonly (readonly [Scope | undefined, BlockList])[] = [
  ['loopback', subnets('127.0.0.0/8', '::1/128')],
  [
    'private',
    subnets('10.0.0.0/8', '100.64.0.0/10', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'),
  ],
  [
    undefined,
    subnets(
      ...['0.0.0.0/8', '169.254.0.0/16', '192.0.0.0/24', '192.0.2.0/24', '198.18.0.0/15'],
      ...['198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/3', '2001:db8::/32'],
    ),
  ],
  ['global', subnets('0.0.0.0/0', '2000::/3')],
];

function subnets(...prefixes: readonly string[]): BlockList {
  const list = new BlockList();
  for (const prefix of prefixes) {
    const [network = '', bits] = prefix.split('/');
    list.addSubnet(network, Number(bits), network.includes(':') ? 'ipv6' : 'ipv4');
  }
  return list;
}

/** Undefined for what one host cannot be reached at: multicast, reserved and the like. */
export function scopeOf(ip: string): Scope | undefined {
  if (!isIPv4(ip) && (!isIPv6(ip) || isMapped(ip))) return undefined;
  const family = isIPv4(ip) ? 'ipv4' : 'ipv6';
  return SCOPES.find(([, list]) => list.check(ip, family))?.[0];
}

/** IPv4 in the form of IPv6, which the lists above take for IPv4. */
const isMapped = (ip: string): boolean => /^::(?:ffff:)?.*\./i.test(ip) || /^::ffff:/i.test(ip);

/**
 * Where packets may be sent to, of what the other side says the relay sees it at.
 * @param relay with the IP address by which it is reached from here
 */
export function addressesToTry(
  seen: readonly Observation[],
  remote: PublicKey,
  relay: { readonly key: PublicKey; readonly ip: string },
): Endpoint[] {
  const found = new Map<string, Endpoint>();
  for (const one of seen) {
    const endpoint = tryParseEndpoint(one.address);
    if (endpoint === undefined || endpoint.port < LOWEST_PORT) continue;
    const scope = scopeOf(endpoint.ip);
    // An address that is good where the relay is, is good here only if the relay is there, too.
    if (scope === undefined || (scope !== 'global' && scope !== scopeOf(relay.ip))) continue;
    if (isObserved(relay.key, remote, one)) found.set(formatEndpoint(endpoint), endpoint);
  }
  return [...found.values()];
}

/**
 * What the mapping of ports needs of a gateway, whichever protocol it is spoken to by; and which
 * gateways are spoken to at all.
 */
import { BlockList, isIPv4 } from 'node:net';
import { ClchatError } from '../errors.ts';
import { isOnLink, type Card } from '../interfaces.ts';
import type { Route } from './route.ts';

export type Transport = 'tcp' | 'udp';
export type MappingProtocol = 'pcp' | 'nat-pmp' | 'upnp';

/** What is asked of a gateway once. */
export interface MapRequest {
  readonly transport: Transport;
  readonly internalPort: number;
  /** The one wished for. */
  readonly externalPort: number;
  /** Seconds. */
  readonly lifetime: number;
}

/** A mapping to this host as it was granted. */
export type MappedPort = Pick<MapRequest, 'transport' | 'internalPort' | 'externalPort'>;

export interface Granted {
  readonly externalPort: number;
  /** Seconds; Infinity: for good. */
  readonly lifetime: number;
  /** Where the answer tells it. */
  readonly externalAddress?: string;
}

/**
 * A gateway, as spoken to by one protocol. A signal ends an operation with its reason; TIMEOUT stands
 * for a gateway that is silent or cannot be reached.
 */
export interface GatewayClient {
  readonly protocol: MappingProtocol;
  /** IPv4. */
  readonly gateway: string;
  /** @throws CARRIER_NAT where it has none, MAPPING_REFUSED, TIMEOUT, BAD_MESSAGE */
  externalAddress(signal: AbortSignal): Promise<string>;
  /**
   * Makes or renews a mapping to this host. Another port than the one asked for may be granted.
   * @throws PORT_TAKEN, PORT_EXHAUSTED, MAPPING_REFUSED, CARRIER_NAT, TIMEOUT, BAD_MESSAGE
   */
  map(request: MapRequest, signal: AbortSignal): Promise<Granted>;
  /**
   * Removes a mapping to this host, and never one to another. What is gone already is well.
   * @throws MAPPING_REFUSED, TIMEOUT, BAD_MESSAGE
   */
  unmap(mapped: MappedPort, signal: AbortSignal): Promise<void>;
  /**
   * Whether a mapping made before is still there, as far as can be told; false after a restart of
   * the gateway that is seen.
   * @throws MAPPING_REFUSED, TIMEOUT, BAD_MESSAGE
   */
  isThere(mapped: MappedPort, signal: AbortSignal): Promise<boolean>;
  close(): void;
}

/** What a gateway at home may have for an address on the side of its hosts. */
const PRIVATE = subnets([
  '10.0.0.0/8',
  '100.64.0.0/10',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
]);
/** What cannot be reached from the internet (RFC 6890 and its registry). */
const NOT_PUBLIC = subnets([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
]);

function subnets(list: readonly string[]): BlockList {
  const block = new BlockList();
  for (const subnet of list) {
    const [network = '', prefix] = subnet.split('/');
    block.addSubnet(network, Number(prefix));
  }
  return block;
}

/** Whether hosts on the internet can send to this address. */
export function isPublicAddress(ip: string): boolean {
  return isIPv4(ip) && !NOT_PUBLIC.check(ip);
}

/**
 * Why a gateway is not to be spoken to, as a sentence; undefined for one that may be. Only one on
 * the own link and in a private range is: another would be a stranger on the internet.
 */
export function whyNotSpokenTo(
  { gateway, own }: Route,
  cards: readonly Card[],
): string | undefined {
  if (!isIPv4(gateway) || !PRIVATE.check(gateway))
    return `The gateway ${gateway} is not in a private range, so no port is asked of it.`;
  const card = cards.find(({ address, internal }) => address === own && !internal);
  if (card === undefined || !isOnLink(gateway, card))
    return `The gateway ${gateway} is not in a network of this host, so no port is asked of it.`;
  return undefined;
}

/** The error for a gateway whose own address cannot be reached from the internet. */
export function carrierNat(address?: string): ClchatError {
  return address === undefined
    ? new ClchatError(
        'CARRIER_NAT',
        'The gateway has no public address: it is not connected, or its provider shares one among its customers. Nobody outside can connect to a port here.',
      )
    : new ClchatError(
        'CARRIER_NAT',
        `The gateway's own address ${address} is not a public one: it is behind another gateway, or its provider shares one address among its customers. Nobody outside can connect to a port here.`,
        { data: { address } },
      );
}

/**
 * The way in from the internet: ports of the gateway that lead to the server here and to what calls
 * need, for as long as it runs.
 */
import { sha256, utf8 } from '../crdt/bytes.ts';
import { formatEndpoint, tryParseEndpoint } from '../interfaces.ts';
import { deadline, type Clock } from '../lifecycle.ts';
import { discoverGateway, PROTOCOLS } from '../nat/discover.ts';
import { isPublicAddress, type Transport } from '../nat/gateway-client.ts';
import {
  createPortMapper,
  type Mapping,
  type MappingNews,
  type PortMapper,
} from '../nat/port-mapper.ts';
import { NONCE_BYTES } from '../nat/pcp.ts';
import { createRouteReader } from '../nat/route.ts';
import type { AppEvent } from './types.ts';

/** What stands beside our mappings in a gateway's table. */
const DESCRIPTION = 'clchat';
const NONCE_TAG = utf8('clchat port mapping v1\0');

/**
 * How long a start waits for the gateway, in milliseconds: it goes on without. With what comes before,
 * a server is ready within two seconds.
 */
const PATIENCE_MS = 1_200;
/** How often it is asked under which addresses others see this host, in milliseconds. */
const LOOK_MS = 30_000;

/**
 * What maps ports at the gateway of this host.
 * @param seed a secret of this server: by what is made of it a gateway knows it again after a crash
 */
export function gatewayMapper(
  seed: Uint8Array,
  clock: Clock,
): (onNews: (news: MappingNews) => void) => PortMapper {
  const route = createRouteReader();
  const nonce = sha256(NONCE_TAG, seed).subarray(0, NONCE_BYTES);
  const identity = { route, description: DESCRIPTION, nonce, clock };
  return (onNews) =>
    createPortMapper({
      discover: (signal, without) => {
        const protocols = PROTOCOLS.filter((protocol) => !without.includes(protocol));
        return discoverGateway({ ...identity, protocols }, signal);
      },
      route,
      onNews,
      clock,
    });
}

/** What has become of one of the ports. */
export type MappingEvent = Extract<AppEvent, { event: 'mapping' }>;

/** A port of this host, and where others come in to it. */
export interface OpenPort {
  readonly port: number;
  /** `IP:PORT` at the gateway. */
  readonly external: string;
}

export interface InternetOptions {
  /** Port at which the server listens: on TCP for clients. */
  readonly port: number;
  /** UDP ports here that others are to come in to as well. What becomes of them is no harm to the first. */
  readonly udpPorts: readonly number[];
  readonly mapper: (onNews: (news: MappingNews) => void) => PortMapper;
  /** Asks under which addresses others see this host, `IP` or `IP:PORT`; those on the LAN among them. */
  readonly observed: () => Promise<readonly string[]>;
  readonly tell: (event: MappingEvent) => void;
}

/** A port that the gateway says it leads here. */
interface Way {
  readonly mapping: Mapping;
  /** Peers on the internet see this host under another address: nobody comes in by this one. */
  isDoubted: boolean;
}

export class Internet {
  /** Resolves when the first port is mapped, or it is clear that it will not be for now. Never rejects. */
  readonly settled: Promise<void>;
  readonly #options: InternetOptions;
  readonly #mapper: PortMapper;
  readonly #ways = new Map<string, Way>();
  readonly #looking: NodeJS.Timeout;
  /** Public addresses under which others have seen this host when they were asked last. */
  #seen: readonly string[] = [];
  #isLooking = false;
  #isStopped = false;

  /** Begins to map the ports. */
  constructor(options: InternetOptions) {
    this.#options = options;
    this.#mapper = options.mapper((news) => this.#hear(news));
    this.settled = this.#map('tcp', options.port, deadline(PATIENCE_MS));
    const patient = new AbortController().signal;
    for (const port of options.udpPorts) void this.#map('udp', port, patient);
    this.#looking = setInterval(() => void this.#look(), LOOK_MS).unref();
  }

  /** `IP:PORT` at the gateway, while it leads to the server. */
  get external(): string | undefined {
    return this.#externalOf('tcp', this.#options.port);
  }

  /** The UDP ports that others can come in to now. */
  get udp(): readonly OpenPort[] {
    return this.#options.udpPorts.flatMap((port) => {
      const external = this.#externalOf('udp', port);
      return external === undefined ? [] : [{ port, external }];
    });
  }

  stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#looking);
    return this.#mapper.stop();
  }

  /** The same port at the gateway, where it can be had. What becomes of it later is told as news. */
  async #map(transport: Transport, port: number, signal: AbortSignal): Promise<void> {
    const request = { transport, internalPort: port, preferred: port };
    await this.#mapper.map(request, { signal }).catch(() => undefined);
  }

  #externalOf(transport: Transport, port: number): string | undefined {
    const way = this.#ways.get(keyOf(transport, port));
    return way === undefined || way.isDoubted ? undefined : formatEndpoint(way.mapping.external);
  }

  #hear(news: MappingNews): void {
    const { transport, internalPort } = 'mapping' in news ? news.mapping : news;
    const key = keyOf(transport, internalPort);
    const before = this.#ways.get(key);
    const port = { transport, port: internalPort };
    if (!('mapping' in news)) {
      this.#ways.delete(key);
      const { state, code } = news;
      const was = before === undefined ? {} : { external: formatEndpoint(before.mapping.external) };
      this.#options.tell({ event: 'mapping', state, code, ...was, ...port });
      return;
    }
    const { mapping } = news;
    // One that is new is to be looked at soon.
    if (before === undefined) void this.#look();
    const way: Way = { mapping, isDoubted: this.#isContradicted(mapping) };
    this.#ways.set(key, way);
    if (!way.isDoubted) this.#tellOpen(way, before?.isDoubted === true ? 'mapped' : news.state);
    else if (before?.isDoubted !== true)
      this.#tellDoubted(way, before === undefined ? 'failed' : 'lost');
  }

  /** Holds what the gateway says against what others see. */
  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const seen = await this.#options.observed().catch(() => []);
    this.#isLooking = false;
    if (this.#isStopped) return;
    this.#seen = seen
      .map((address) => tryParseEndpoint(address, { port: this.#options.port })?.ip ?? '')
      .filter(isPublicAddress);
    for (const way of this.#ways.values()) {
      const isDoubted = this.#isContradicted(way.mapping);
      if (isDoubted === way.isDoubted) continue;
      way.isDoubted = isDoubted;
      if (isDoubted) this.#tellDoubted(way, 'lost');
      else this.#tellOpen(way, 'mapped');
    }
  }

  /**
   * Whether all on the internet have seen this host under other addresses than the gateway says: it is
   * behind another one then, of a carrier or of the household, that leads nobody here.
   */
  #isContradicted({ external }: Mapping): boolean {
    return this.#seen.length > 0 && !this.#seen.includes(external.ip);
  }

  #tellOpen({ mapping }: Way, state: 'mapped' | 'renewed'): void {
    const { transport, internalPort, protocol } = mapping;
    const external = formatEndpoint(mapping.external);
    const port = { transport, port: internalPort };
    this.#options.tell({ event: 'mapping', state, external, protocol, ...port });
  }

  #tellDoubted({ mapping }: Way, state: 'lost' | 'failed'): void {
    const { transport, internalPort } = mapping;
    const external = formatEndpoint(mapping.external);
    const port = { transport, port: internalPort };
    this.#options.tell({ event: 'mapping', state, code: 'CARRIER_NAT', external, ...port });
  }
}

function keyOf(transport: Transport, port: number): string {
  return `${transport} ${port}`;
}

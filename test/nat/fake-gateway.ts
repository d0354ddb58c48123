/** A gateway in memory, with hosts behind it, as a port mapper sees it by one protocol. */
import { ClchatError, type ErrorCode } from '../../lib/errors.ts';
import { sleep } from '../../lib/lifecycle.ts';
import type {
  GatewayClient,
  Granted,
  MappedPort,
  MappingProtocol,
  MapRequest,
  Transport,
} from '../../lib/nat/gateway-client.ts';

/** How long an answer takes, and a search that finds nothing, in milliseconds. */
const LATENCY_MS = 5;
const SEARCH_MS = 1_900;

export interface FakeHost {
  readonly address: string;
  /** Nothing that it does reaches the gateway any more. */
  isDead: boolean;
}

export interface FakeEntry {
  readonly transport: Transport;
  readonly externalPort: number;
  readonly host: string;
  readonly internalPort: number;
  /** On the clock of `performance.now()`. */
  readonly until: number;
}

export class FakeGateway {
  protocol: MappingProtocol;
  address = '11.0.0.2';
  refuses = false;
  isAway = false;
  /** The ports that can be mapped: the first and the last. */
  ports: readonly [number, number] = [1_024, 65_535];
  /** Longest lease in seconds that it grants. */
  longest = Infinity;
  /** What is asked next so fails so, once. */
  failsNext: { readonly what: string; readonly code: ErrorCode } | undefined;
  /** What was done to it, in order. */
  readonly done: string[] = [];
  /** Clients that are not closed. */
  open = 0;
  #entries: FakeEntry[] = [];

  constructor(protocol: MappingProtocol) {
    this.protocol = protocol;
  }

  get entries(): readonly FakeEntry[] {
    const now = performance.now();
    this.#entries = this.#entries.filter(({ until }) => until > now);
    return this.#entries;
  }

  /** Maps a port to another host. */
  occupy(transport: Transport, externalPort: number): void {
    const host = '192.168.1.99';
    this.#entries.push({ transport, externalPort, host, internalPort: 1, until: Infinity });
  }

  /** Loses one mapping. */
  forget(transport: Transport, externalPort: number): void {
    this.#entries = this.#entries.filter(
      (entry) => entry.transport !== transport || entry.externalPort !== externalPort,
    );
  }

  reboot(): void {
    this.#entries = [];
  }

  /** A search for it, by a host that may be cut off. */
  async discover(
    host: FakeHost,
    signal: AbortSignal,
    without: readonly MappingProtocol[],
  ): Promise<GatewayClient> {
    this.done.push('discover');
    const isThere = !this.isAway && !host.isDead && !without.includes(this.protocol);
    await sleep(isThere ? LATENCY_MS : SEARCH_MS, signal);
    signal.throwIfAborted();
    if (!isThere) throw new ClchatError('NO_GATEWAY');
    return this.clientOf(host);
  }

  clientOf(host: FakeHost): GatewayClient {
    const { protocol } = this;
    const ask = async <T>(what: string, signal: AbortSignal, answer: () => T): Promise<T> => {
      this.done.push(what);
      await sleep(LATENCY_MS, signal);
      while (this.isAway || host.isDead) {
        signal.throwIfAborted();
        await sleep(LATENCY_MS, signal);
      }
      signal.throwIfAborted();
      const failure = this.failsNext;
      if (failure?.what !== what) return answer();
      this.failsNext = undefined;
      throw new ClchatError(failure.code);
    };
    this.open++;
    return {
      protocol,
      gateway: '192.168.1.1',
      externalAddress: (signal) => ask('externalAddress', signal, () => this.address),
      map: (request, signal) =>
        ask(`map ${request.externalPort}`, signal, () => this.#map(protocol, host, request)),
      unmap: (mapped, signal) =>
        ask(`unmap ${mapped.externalPort}`, signal, () => {
          this.#entries = this.#entries.filter((entry) => !isOf(entry, host, mapped));
        }),
      isThere: (mapped, signal) =>
        ask('isThere', signal, () => this.entries.some((entry) => isOf(entry, host, mapped))),
      close: () => void this.open--,
    };
  }

  #map(protocol: MappingProtocol, host: FakeHost, request: MapRequest): Granted {
    const { transport, internalPort } = request;
    if (this.refuses) throw new ClchatError('MAPPING_REFUSED');
    const [first, last] = this.ports;
    let externalPort = request.externalPort;
    const isFree = (): boolean =>
      externalPort >= first && externalPort <= last && !this.#isTaken(host, request, externalPort);
    if (!isFree() && protocol === 'upnp') throw new ClchatError('PORT_TAKEN');
    // By the other protocols the gateway chooses.
    if (!isFree())
      for (externalPort = first; !isFree(); externalPort++)
        if (externalPort > last) throw new ClchatError('PORT_EXHAUSTED');
    const lifetime = Math.min(request.lifetime, this.longest);
    const until = performance.now() + lifetime * 1_000;
    const entry = { transport, externalPort, host: host.address, internalPort, until };
    this.#entries = this.entries.filter(
      (one) => !isOf(one, host, { transport, internalPort, externalPort: one.externalPort }),
    );
    this.#entries.push(entry);
    return { externalPort, lifetime, ...(protocol === 'pcp' && { externalAddress: this.address }) };
  }

  #isTaken(host: FakeHost, request: MapRequest, externalPort: number): boolean {
    return this.entries.some(
      (entry) =>
        entry.transport === request.transport &&
        entry.externalPort === externalPort &&
        !isOf(entry, host, { ...request, externalPort }),
    );
  }
}

function isOf(entry: FakeEntry, { address }: FakeHost, mapped: MappedPort): boolean {
  return (
    entry.host === address &&
    entry.transport === mapped.transport &&
    entry.internalPort === mapped.internalPort &&
    entry.externalPort === mapped.externalPort
  );
}

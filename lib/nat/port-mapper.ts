/**
 * Keeps ports of this host mapped at its gateway, whatever befalls the gateway, the mapping or the way to
 * it, until it is stopped; then nothing is left behind. The protocols are another matter: see
 * `GatewayClient`.
 *
 * All that is done at the gateway is done in turn by one loop, which sleeps until something is due.
 */
import { ClchatError, hasCode } from '../errors.ts';
import { deadline, sleep, type Clock } from '../lifecycle.ts';
import {
  carrierNat,
  isPublicAddress,
  type GatewayClient,
  type MappingProtocol,
} from './gateway-client.ts';
import { KeptPort, type Mapping, type MappingNews, type PortRequest } from './kept-port.ts';
import type { Route } from './route.ts';

export type { GatewayClient, Mapping, MappingNews, MappingProtocol, PortRequest };

export interface PortMapper {
  /**
   * Maps a port and keeps it mapped until `stop`. Rejects if the first attempt fails; it is tried again
   * in the background all the same. The signal ends the waiting only, with its reason.
   * @throws NO_GATEWAY, MAPPING_REFUSED, CARRIER_NAT, PORT_EXHAUSTED, TIMEOUT, BAD_MESSAGE; CLOSED when
   *   it is stopped
   */
  map(request: PortRequest, options: { readonly signal: AbortSignal }): Promise<Mapping>;
  /** Those there are now. */
  readonly mappings: readonly Mapping[];
  /** Removes all mappings, as far as the gateway can be reached. Never rejects. */
  stop(): Promise<void>;
}

/** In milliseconds, unless said otherwise. */
const TIMINGS = {
  /** Asked for with each mapping, in seconds: for so long a crash leaves it behind. */
  lifetimeS: 7_200,
  /** How often it is looked whether one of the mappings is there, and at which address. */
  checkMs: 10_000,
  /** How often it is looked which way leads out. */
  routeMs: 5_000,
  /** How soon another attempt follows the first that has failed, and the many after it. */
  retryMs: 5_000,
  maxRetryMs: 60_000,
  /** A lease is not renewed more often than this, however short it is. */
  minRenewalMs: 10_000,
  /** How long one operation at the gateway may take, and all of an attempt. */
  operationMs: 3_000,
  attemptMs: 10_000,
  /** How long the removal of a mapping may take. */
  removalMs: 1_500,
};
export type Timings = Readonly<typeof TIMINGS>;

/** By how much what is repeated differs from time to time, so that hosts do not fall into step. */
const JITTER = 0.1;

export interface PortMapperOptions {
  /**
   * Finds the gateway, as spoken to by another protocol than those named.
   * @throws NO_GATEWAY
   */
  readonly discover: (
    signal: AbortSignal,
    without: readonly MappingProtocol[],
  ) => Promise<GatewayClient>;
  /** The default route as it is now. */
  readonly route: () => Promise<Route | undefined>;
  readonly onNews: (news: MappingNews) => void;
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly random?: () => number;
  /** In place of the usual ones. */
  readonly timings?: Partial<Timings>;
}

export function createPortMapper(options: PortMapperOptions): PortMapper {
  return new Mapper(options);
}

class Mapper implements PortMapper {
  readonly #options: PortMapperOptions;
  readonly #timings: Timings;
  readonly #kept: KeptPort[] = [];
  /** The first that was found first. A port stays with the one that it is mapped by. */
  readonly #clients = new Set<GatewayClient>();
  readonly #stopping = new AbortController();
  #wake = new AbortController();
  #loop: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;
  /** JSON of the route that was seen last. */
  #route: string | undefined;
  #routeDue = 0;
  #checkDue = 0;
  #checks = 0;

  constructor(options: PortMapperOptions) {
    this.#options = options;
    this.#timings = { ...TIMINGS, ...options.timings };
  }

  get mappings(): readonly Mapping[] {
    return this.#kept.flatMap(({ mapping }) => mapping ?? []);
  }

  async map(request: PortRequest, { signal }: { readonly signal: AbortSignal }): Promise<Mapping> {
    if (this.#stopping.signal.aborted) throw new ClchatError('CLOSED');
    const kept = this.#keep(request);
    if (kept.mapping !== undefined) return kept.mapping;
    const mapped = kept.wait(signal);
    kept.due = this.#now;
    this.#wake.abort();
    this.#loop ??= this.#run();
    return mapped;
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#end();
    return this.#stopped;
  }

  get #now(): number {
    return this.#options.clock.monotonic();
  }

  #keep(request: PortRequest): KeptPort {
    const { transport, internalPort } = request;
    const same = this.#kept.find(
      (one) => one.transport === transport && one.internalPort === internalPort,
    );
    if (same !== undefined) return same;
    const kept = new KeptPort(request);
    this.#kept.push(kept);
    return kept;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    this.#checkDue = this.#now + this.#timings.checkMs;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      if (this.#now >= this.#routeDue) await this.#followRoute();
      if (this.#now >= this.#checkDue) await this.#check();
      await this.#mapDue();
      const next = Math.min(this.#routeDue, this.#checkDue, ...this.#kept.map(({ due }) => due));
      const wake = AbortSignal.any([signal, this.#wake.signal]);
      await sleep(Math.max(0, next - this.#now), wake);
    }
  }

  /** Begins anew where another way leads out, or none. */
  async #followRoute(): Promise<void> {
    const route = JSON.stringify((await this.#options.route()) ?? null);
    this.#routeDue = this.#now + this.#timings.routeMs;
    const hasChanged = this.#route !== undefined && this.#route !== route;
    this.#route = route;
    if (!hasChanged) return;
    for (const client of this.#clients) this.#drop(client);
    for (const kept of this.#kept) {
      kept.startAfresh();
      kept.due = this.#now;
    }
  }

  /**
   * Looks at each gateway whether one mapping, each in its turn, is as it was. Where it is not, all are
   * due: a gateway that has started anew has forgotten all.
   */
  async #check(): Promise<void> {
    this.#checkDue = this.#now + this.#varied(this.#timings.checkMs);
    this.#checks++;
    for (const client of this.#clients) {
      const mapped = this.#kept.filter((one) => one.mapping !== undefined && one.client === client);
      const one = mapped[this.#checks % mapped.length];
      if (one === undefined) continue;
      try {
        const isThere = await client.isThere(one.mapped, this.#operation());
        const address = isThere ? await client.externalAddress(this.#operation()) : undefined;
        for (const kept of mapped) if (kept.mapping?.external.ip !== address) kept.due = this.#now;
      } catch (error) {
        if (this.#stopping.signal.aborted) return;
        // It is looked for again; an attempt then says what is the matter.
        if (isBroken(error)) this.#drop(client);
        for (const kept of mapped) kept.due = this.#now;
      }
    }
  }

  async #mapDue(): Promise<void> {
    const now = this.#now;
    // That there is no gateway holds for all, and is found out once.
    let absence: Error | undefined;
    for (const kept of this.#kept.filter(({ due }) => due <= now)) {
      let news: MappingNews | undefined;
      try {
        if (absence !== undefined && this.#clients.size === 0) throw absence;
        const mapping = await this.#attempt(kept);
        const half = (mapping.lifetime * 1_000) / 2;
        kept.due = this.#now + Math.max(this.#timings.minRenewalMs, this.#varied(half));
        news = kept.succeed(mapping);
      } catch (error) {
        if (hasCode(error, 'NO_GATEWAY')) absence = error;
        const { retryMs, maxRetryMs } = this.#timings;
        kept.due = this.#now + this.#varied(Math.min(retryMs * 2 ** kept.failures, maxRetryMs));
        if (!this.#stopping.signal.aborted) news = kept.fail(error);
      }
      if (this.#stopping.signal.aborted) return;
      if (news !== undefined) this.#options.onNews(news);
    }
  }

  /** Maps a port by the protocol that it is mapped by, or is in use, or by another where that refuses. */
  async #attempt(kept: KeptPort): Promise<Mapping> {
    const signal = deadline(this.#timings.attemptMs, this.#stopping.signal);
    const without: MappingProtocol[] = [];
    let refusal: Error | undefined;
    for (;;) {
      const known = [kept.client, ...this.#clients].find(
        (one) => one !== undefined && this.#clients.has(one) && !without.includes(one.protocol),
      );
      const client = known ?? (await this.#discover(signal, without, refusal));
      try {
        return await this.#mapAt(client, kept, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (hasCode(error, 'MAPPING_REFUSED')) {
          refusal ??= error;
          without.push(client.protocol);
          continue;
        }
        if (!isBroken(error)) throw error;
        this.#drop(client);
        // One that was found earlier may have changed its place by now.
        if (known === undefined) throw refusal ?? error;
      }
    }
  }

  async #discover(
    signal: AbortSignal,
    without: readonly MappingProtocol[],
    refusal: Error | undefined,
  ): Promise<GatewayClient> {
    try {
      const client = await this.#options.discover(signal, without);
      this.#clients.add(client);
      return client;
    } catch (error) {
      throw refusal ?? error;
    }
  }

  async #mapAt(client: GatewayClient, kept: KeptPort, signal: AbortSignal): Promise<Mapping> {
    const { transport, internalPort } = kept;
    const lifetime = this.#timings.lifetimeS;
    for (const externalPort of kept.candidates())
      try {
        kept.asking(client, externalPort);
        const request = { transport, internalPort, externalPort, lifetime };
        const granted = await client.map(request, this.#operation(signal));
        kept.asking(client, granted.externalPort);
        const ip =
          granted.externalAddress ?? (await client.externalAddress(this.#operation(signal)));
        if (!isPublicAddress(ip)) throw carrierNat(ip);
        return {
          transport,
          internalPort,
          protocol: client.protocol,
          external: { ip, port: granted.externalPort },
          lifetime: granted.lifetime,
        };
      } catch (error) {
        if (hasCode(error, 'PORT_TAKEN')) {
          kept.notThere();
          continue;
        }
        throw await this.#explained(error, client, kept, signal);
      }
    throw new ClchatError('PORT_EXHAUSTED');
  }

  /** What a failure comes from. Leaves no mapping behind that leads nowhere. */
  async #explained(
    error: unknown,
    client: GatewayClient,
    kept: KeptPort,
    signal: AbortSignal,
  ): Promise<unknown> {
    if (hasCode(error, 'CARRIER_NAT')) {
      await this.#remove(client, kept, signal);
      return error;
    }
    // A gateway without an address of its own refuses in many words.
    if (!hasCode(error, 'MAPPING_REFUSED') && !hasCode(error, 'PORT_EXHAUSTED')) return error;
    try {
      const ip = await client.externalAddress(deadline(this.#timings.removalMs, signal));
      return isPublicAddress(ip) ? error : carrierNat(ip);
    } catch (reason) {
      return hasCode(reason, 'CARRIER_NAT') ? reason : error;
    }
  }

  async #end(): Promise<void> {
    this.#stopping.abort(new ClchatError('CLOSED'));
    await this.#loop;
    await Promise.all(
      this.#kept.map(async (kept) => {
        const { client } = kept;
        // Also what was being asked for when all was given up: it may have been granted unheard.
        if (client !== undefined && this.#clients.has(client)) await this.#remove(client, kept);
        kept.giveUp(new ClchatError('CLOSED'));
      }),
    );
    for (const client of this.#clients) this.#drop(client);
    this.#kept.length = 0;
  }

  /** Never rejects: what cannot be removed ends with its lease. */
  async #remove(
    client: GatewayClient,
    kept: KeptPort,
    ...others: readonly AbortSignal[]
  ): Promise<void> {
    const signal = deadline(this.#timings.removalMs, ...others);
    await client.unmap(kept.mapped, signal).catch(() => undefined);
    kept.notThere();
  }

  /** Does without a client; what is mapped by it is to be mapped by another. */
  #drop(client: GatewayClient): void {
    this.#clients.delete(client);
    for (const kept of this.#kept)
      if (kept.mapping !== undefined && kept.client === client) kept.due = this.#now;
    client.close();
  }

  #operation(signal = this.#stopping.signal): AbortSignal {
    return deadline(this.#timings.operationMs, signal);
  }

  #varied(milliseconds: number): number {
    const random = this.#options.random ?? Math.random;
    return milliseconds * (1 + JITTER * (2 * random() - 1));
  }
}

/** Whether a gateway does not answer as it should, so that it is to be looked for again. */
function isBroken(error: unknown): boolean {
  return hasCode(error, 'TIMEOUT') || hasCode(error, 'BAD_MESSAGE') || hasCode(error, 'CLOSED');
}

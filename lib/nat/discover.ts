/**
 * Finding the gateway: PCP, NAT-PMP and UPnP are tried at the same time, and the first that is spoken is
 * taken. Only the gateway of the default route is asked, and only if it may be.
 */
import { ClchatError, hasCode } from '../errors.ts';
import { listCards, type Card } from '../interfaces.ts';
import { deadline, systemClock, type Clock } from '../lifecycle.ts';
import { whyNotSpokenTo, type GatewayClient, type MappingProtocol } from './gateway-client.ts';
import { NatPmpClient } from './nat-pmp.ts';
import { PcpClient } from './pcp.ts';
import type { Route } from './route.ts';
import { searchGateway } from './ssdp.ts';
import { UpnpClient } from './upnp.ts';

/** How long it is waited for any sign of a gateway, in milliseconds. */
export const SEARCH_MS = 1_900;
/** How long a gateway that shows itself by UPnP has for describing itself. */
const DESCRIPTION_MS = 3_000;
/** How long one that is found waits for a better one. */
const GRACE_MS = 50;
/** The best first. */
export const PROTOCOLS: readonly MappingProtocol[] = ['pcp', 'nat-pmp', 'upnp'];

export interface DiscoverOptions {
  /** The default route as it is now. */
  readonly route: () => Promise<Route | undefined>;
  /** What stands beside our mappings in a gateway's table, the same again after a restart. */
  readonly description: string;
  /** As of `PcpOptions`. */
  readonly nonce: Uint8Array;
  readonly clock?: Clock;
  /** Those to be tried; all by default. */
  readonly protocols?: readonly MappingProtocol[];
  /** Why a gateway is not to be spoken to; `whyNotSpokenTo` by default. */
  readonly whyNot?: (route: Route, cards: readonly Card[]) => string | undefined;
  /** Of the gateway, where they are not the usual ones. */
  readonly ports?: { readonly pmp?: number; readonly ssdp?: number };
}

interface Probe {
  readonly route: Route;
  readonly options: DiscoverOptions;
  /** Aborts when it has been searched for long enough. */
  readonly search: AbortSignal;
  /** Aborts when another one was better, or all is given up. */
  readonly all: AbortSignal;
}

/**
 * Finds the gateway of the default route and how it is spoken to; within 2 s if nothing answers.
 * @throws NO_GATEWAY, the reason of the signal
 */
export async function discoverGateway(
  options: DiscoverOptions,
  signal: AbortSignal,
): Promise<GatewayClient> {
  const search = deadline(SEARCH_MS, signal);
  const route = await options.route();
  signal.throwIfAborted();
  if (route === undefined)
    throw new ClchatError('NO_GATEWAY', 'This host has no default route, so no gateway either.');
  const reason = (options.whyNot ?? whyNotSpokenTo)(route, listCards());
  if (reason !== undefined) throw new ClchatError('NO_GATEWAY', reason);

  const over = new AbortController();
  const all = AbortSignal.any([signal, over.signal]);
  const probe: Probe = { route, options, search: AbortSignal.any([search, all]), all };
  const protocols = PROTOCOLS.filter((one) => options.protocols?.includes(one) ?? true);
  try {
    return await best(protocols.map((protocol) => PROBES[protocol](probe)));
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    over.abort();
  }
}

const PROBES: Readonly<Record<MappingProtocol, (probe: Probe) => Promise<GatewayClient>>> = {
  pcp: async ({ route, options, search }) => {
    const { nonce, clock = systemClock, ports } = options;
    return spoken(await PcpClient.open({ ...route, port: ports?.pmp, nonce, clock }), search);
  },
  'nat-pmp': async ({ route, options, search }) => {
    const { clock = systemClock, ports } = options;
    return spoken(await NatPmpClient.open({ ...route, port: ports?.pmp, clock }), search);
  },
  upnp: probeUpnp,
};

async function spoken(
  client: PcpClient | NatPmpClient,
  signal: AbortSignal,
): Promise<GatewayClient> {
  try {
    if (await client.isSpoken(signal)) return client;
    throw new ClchatError('NO_GATEWAY');
  } catch (error) {
    client.close();
    throw error;
  }
}

async function probeUpnp({ route, options, search, all }: Probe): Promise<GatewayClient> {
  const found = new AbortController();
  const description = deadline(SEARCH_MS + DESCRIPTION_MS, all);
  const opened: Promise<UpnpClient>[] = [];
  const open = (location: string): void => {
    const client = UpnpClient.open(
      { route, location, description: options.description },
      description,
    );
    opened.push(client);
    client.then(
      () => found.abort(),
      () => undefined,
    );
  };
  const signal = AbortSignal.any([search, found.signal]);
  await searchGateway({ route, port: options.ports?.ssdp, signal, onLocation: open });
  try {
    return await Promise.any(opened);
  } catch (error) {
    const [cause] = (error as AggregateError).errors as unknown[];
    if (cause === undefined) throw new ClchatError('NO_GATEWAY');
    const text = `The gateway ${route.gateway} offers UPnP, but it cannot be used.`;
    throw new ClchatError('NO_GATEWAY', `${text} ${(cause as Error).message}`, { cause });
  }
}

/**
 * The first of some attempts to succeed, or an earlier one in their order that succeeds soon after. What
 * succeeds too late is closed.
 * @throws what most can be learnt from, where all fail
 */
function best(attempts: readonly Promise<GatewayClient>[]): Promise<GatewayClient> {
  return new Promise((resolve, reject) => {
    const settled = new Map<number, GatewayClient | undefined>();
    const errors: unknown[] = [];
    let timer: NodeJS.Timeout | undefined;
    let isOver = false;

    const decide = (isLate: boolean): void => {
      if (isOver) return;
      const first = attempts.findIndex((_, index) => settled.get(index) !== undefined);
      const isBest = first >= 0 && [...attempts.keys()].every((n) => n >= first || settled.has(n));
      if (first < 0 && settled.size < attempts.length) return;
      if (first >= 0 && !isBest && !isLate) {
        timer ??= setTimeout(() => decide(true), GRACE_MS);
        return;
      }
      isOver = true;
      clearTimeout(timer);
      for (const [index, client] of settled) if (index !== first) client?.close();
      const client = settled.get(first);
      if (client !== undefined) resolve(client);
      else
        reject(
          (errors.find((error) => hasCode(error, 'NO_GATEWAY')) as Error | undefined) ??
            new ClchatError('NO_GATEWAY'),
        );
    };
    for (const [index, attempt] of attempts.entries())
      attempt.then(
        (client) => {
          if (isOver) return client.close();
          settled.set(index, client);
          decide(false);
        },
        (error: unknown) => {
          errors.unshift(error);
          settled.set(index, undefined);
          decide(false);
        },
      );
    decide(false);
  });
}

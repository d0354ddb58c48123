/** A port that is kept mapped: what became of it so far, who waits for it, and what is told of it. */
import { ClchatError, codeOf, type ErrorCode } from '../errors.ts';
import type { GatewayClient, MappedPort, MappingProtocol, Transport } from './gateway-client.ts';

export interface Mapping {
  readonly transport: Transport;
  readonly internalPort: number;
  readonly protocol: MappingProtocol;
  /** Where the port is reached from the internet. */
  readonly external: { readonly ip: string; readonly port: number };
  /** Seconds for which the gateway has granted it; Infinity: for good, so also after a crash here. */
  readonly lifetime: number;
}

export type MappingNews =
  /** `mapped` also when it is reached at another address or port than before. */
  | { readonly state: 'mapped' | 'renewed'; readonly mapping: Mapping }
  /**
   * `lost`: it was mapped and is not, as far as can be told. `failed`: it was not before, and still is
   * not, for another reason than was told last.
   */
  | {
      readonly state: 'lost' | 'failed';
      readonly transport: Transport;
      readonly internalPort: number;
      readonly code: ErrorCode;
    };

export interface PortRequest {
  readonly transport: Transport;
  readonly internalPort: number;
  /** The port of the gateway to begin with; `internalPort` by default. */
  readonly preferred?: number;
}

/** Ports of the gateway that are tried for one mapping. */
const MAX_TRIES = 32;
const LAST_PORT = 65_535;
/** The one that is tried after the last. */
const FIRST_PORT = 1_024;

interface Waiter {
  readonly resolve: (mapping: Mapping) => void;
  readonly reject: (error: Error) => void;
}

export class KeptPort {
  readonly transport: Transport;
  readonly internalPort: number;
  /** When it is to be mapped or renewed, in milliseconds of the monotonic clock. */
  due = 0;
  #firstChoice: number;
  #mapping: Mapping | undefined;
  #place: { readonly client: GatewayClient; readonly externalPort: number } | undefined;
  #failures = 0;
  #told: ErrorCode | undefined;
  readonly #waiting = new Set<Waiter>();

  constructor({ transport, internalPort, preferred = internalPort }: PortRequest) {
    this.transport = transport;
    this.internalPort = internalPort;
    this.#firstChoice = preferred;
  }

  get mapping(): Mapping | undefined {
    return this.#mapping;
  }

  /** Attempts that have failed since one has succeeded. */
  get failures(): number {
    return this.#failures;
  }

  /** Who was last asked for it: where it is mapped, or may be though no answer has come. */
  get client(): GatewayClient | undefined {
    return this.#place?.client;
  }

  /** As it was asked for last. */
  get mapped(): MappedPort {
    const { transport, internalPort } = this;
    return {
      transport,
      internalPort,
      externalPort: this.#place?.externalPort ?? this.#firstChoice,
    };
  }

  /** The ports of the gateway to be tried: the one it had or is to have, its own number, the next ones. */
  candidates(): Set<number> {
    const ports = new Set([this.#firstChoice, this.internalPort]);
    for (let port = this.#firstChoice; ports.size < MAX_TRIES; ports.add(port))
      port = port === LAST_PORT ? FIRST_PORT : port + 1;
    return ports;
  }

  /** Resolves or rejects by the next attempt; the signal ends the waiting, with its reason. */
  wait(signal: AbortSignal): Promise<Mapping> {
    return new Promise((resolve, reject) => {
      const abort = (): void => waiter.reject(signal.reason as Error);
      const leave = (): void => {
        signal.removeEventListener('abort', abort);
        this.#waiting.delete(waiter);
      };
      const waiter: Waiter = {
        resolve: (mapping) => {
          leave();
          resolve(mapping);
        },
        reject: (error) => {
          leave();
          reject(error);
        },
      };
      this.#waiting.add(waiter);
      if (signal.aborted) abort();
      else signal.addEventListener('abort', abort, { once: true });
    });
  }

  /** A gateway is asked for it. */
  asking(client: GatewayClient, externalPort: number): void {
    this.#place = { client, externalPort };
  }

  /** It is not mapped there. */
  notThere(): void {
    this.#place = undefined;
  }

  succeed(mapping: Mapping): MappingNews {
    const before = this.#mapping?.external;
    const { ip, port } = mapping.external;
    this.#mapping = mapping;
    this.#firstChoice = port;
    this.startAfresh();
    this.#told = undefined;
    for (const { resolve } of this.#waiting) resolve(mapping);
    return { state: before?.ip === ip && before.port === port ? 'renewed' : 'mapped', mapping };
  }

  /** @returns undefined where nothing has changed by it */
  fail(error: unknown): MappingNews | undefined {
    const { transport, internalPort } = this;
    const code = codeOf(error);
    const state = this.#mapping === undefined ? 'failed' : 'lost';
    const isNews = state === 'lost' || this.#told !== code;
    this.#mapping = undefined;
    this.#failures++;
    this.#told = code;
    this.giveUp(error instanceof Error ? error : new ClchatError(code));
    return isNews ? { state, transport, internalPort, code } : undefined;
  }

  /** What has failed before says nothing any more. */
  startAfresh(): void {
    this.#failures = 0;
  }

  /** Nobody waits any longer. */
  giveUp(error: Error): void {
    for (const { reject } of this.#waiting) reject(error);
  }
}

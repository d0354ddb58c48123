/**
 * The way in from the internet: a port of the gateway that leads to the server here, for as long as
 * it runs.
 */
import { sha256, utf8 } from '../crdt/bytes.ts';
import { formatEndpoint } from '../interfaces.ts';
import { deadline, type Clock } from '../lifecycle.ts';
import { discoverGateway, PROTOCOLS } from '../nat/discover.ts';
import { createPortMapper, type MappingNews, type PortMapper } from '../nat/port-mapper.ts';
import { NONCE_BYTES } from '../nat/pcp.ts';
import { createRouteReader } from '../nat/route.ts';
import type { AppEvent } from './types.ts';

/** What stands beside our mappings in a gateway's table. */
const DESCRIPTION = 'clchat';
const NONCE_TAG = utf8('clchat port mapping v1\0');

/** How long a start waits for the gateway, in milliseconds: it goes on without. */
const PATIENCE_MS = 2_500;

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

export interface InternetOptions {
  /** Port at which the server listens. */
  readonly port: number;
  readonly mapper: (onNews: (news: MappingNews) => void) => PortMapper;
  readonly tell: (event: AppEvent) => void;
}

export class Internet {
  readonly #mapper: PortMapper;
  readonly #tell: (event: AppEvent) => void;
  #external: string | undefined;

  private constructor(options: InternetOptions) {
    this.#tell = options.tell;
    this.#mapper = options.mapper((news) => this.#hear(news));
  }

  /** Resolves when the port is mapped, or it is clear that it will not be for now. Never rejects. */
  static async open(options: InternetOptions): Promise<Internet> {
    const internet = new Internet(options);
    const { port } = options;
    await internet.#mapper
      .map(
        { transport: 'tcp', internalPort: port, preferred: port },
        { signal: deadline(PATIENCE_MS) },
      )
      .catch(() => undefined);
    return internet;
  }

  /** `IP:PORT` at the gateway, while there is a mapping. */
  get external(): string | undefined {
    return this.#external;
  }

  #hear(news: MappingNews): void {
    const before = this.#external;
    if ('mapping' in news) {
      const { external, protocol } = news.mapping;
      this.#external = formatEndpoint(external);
      this.#tell({ event: 'mapping', state: news.state, external: this.#external, protocol });
      return;
    }
    this.#external = undefined;
    const { state, code } = news;
    const was = before === undefined ? {} : { external: before };
    this.#tell({ event: 'mapping', state, code, ...was });
  }

  stop(): Promise<void> {
    return this.#mapper.stop();
  }
}

/**
 * What a server peer has towards the outside: ports of the gateway where it is to be reached from the
 * internet, and what calls need to find their way.
 */
import { codeOf, hasCode } from '../errors.ts';
import { formatEndpoint, parseEndpoint } from '../interfaces.ts';
import type { Clock } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import { StunResponder } from '../nat/stun.ts';
import type { TurnServer } from '../nat/turn-url.ts';
import type { Libp2pTransport } from '../node/libp2p.ts';
import { DEFAULT_CALL_PORTS, portsIn, type PortRange } from './call-ports.ts';
import { gatewayMapper, Internet, type OpenPort } from './internet.ts';
import { observedBy } from './observers.ts';
import type { AppEvent } from './types.ts';

/** What calls can make use of at a server peer. */
export interface CallWays {
  /** Where it answers STUN, `IP:PORT`, what is known from outside first; empty where it cannot. */
  readonly stun: readonly string[];
  /** UDP ports of its host that the gateway leads others to. */
  readonly ports: readonly OpenPort[];
  readonly turn: TurnServer | undefined;
}

export interface OutsideOptions {
  readonly transport: Pick<Libp2pTransport, 'listening' | 'addresses' | 'observedAddresses'>;
  /** As of `gatewayMapper`. */
  readonly seed: Uint8Array;
  readonly turn: TurnServer | undefined;
  /** `DEFAULT_CALL_PORTS` by default. */
  readonly callPorts?: PortRange | undefined;
  /** It is to be reached from the internet: told of what becomes of that. */
  readonly onMapping?: ((event: AppEvent) => void) | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

export class Outside {
  /** Resolves when it is clear whether the gateway lets others in, or it has been waited for long enough. */
  readonly settled: Promise<void>;
  readonly #options: OutsideOptions;
  readonly #stun: StunResponder | undefined;
  readonly #internet: Internet | undefined;

  private constructor(options: OutsideOptions, stun: StunResponder | undefined) {
    this.#options = options;
    this.#stun = stun;
    this.#internet = this.#mapPorts(options);
    this.settled = this.#internet?.settled ?? Promise.resolve();
  }

  /** Answers STUN beside the port of the server, and begins to map ports of the gateway if that is wanted. */
  static async open(options: OutsideOptions): Promise<Outside> {
    return new Outside(options, await answerStun(options));
  }

  /** Where the gateway lets others in to the server, `IP:PORT`; undefined while it does not. */
  get external(): string | undefined {
    return this.#internet?.external;
  }

  get calls(): CallWays {
    const { transport, turn } = this.#options;
    const open = this.#internet?.udp ?? [];
    const external = open.filter((one) => this.#isOfStun(one)).map((one) => one.external);
    return {
      stun: [...external, ...transport.addresses().flatMap((own) => this.#stunAt(own) ?? [])],
      ports: open.filter((one) => !this.#isOfStun(one)),
      turn,
    };
  }

  async stop(): Promise<void> {
    await Promise.all([this.#internet?.stop(), this.#stun?.close()]);
  }

  /** Where STUN is answered beside an address of the server. */
  #stunAt(address: string): string | undefined {
    const own = parseEndpoint(address);
    const at = this.#options.transport.listening().findIndex((one) => {
      const { family, port } = parseEndpoint(one);
      return family === own.family && port === own.port;
    });
    const port = this.#stun?.ports[at];
    return port === undefined ? undefined : formatEndpoint({ ip: own.ip, port });
  }

  #isOfStun({ port }: OpenPort): boolean {
    return this.#stun?.ports.includes(port) === true;
  }

  #mapPorts({
    onMapping,
    transport,
    seed,
    turn,
    ...options
  }: OutsideOptions): Internet | undefined {
    const [first] = transport.listening();
    if (onMapping === undefined || first === undefined) return undefined;
    const { callPorts = DEFAULT_CALL_PORTS, clock } = options;
    const { port } = parseEndpoint(first);
    const udpPorts = new Set([...(this.#stun?.ports ?? []), ...portsIn(callPorts)]);
    udpPorts.delete(port);
    return new Internet({
      port,
      udpPorts: [...udpPorts],
      mapper: gatewayMapper(seed, clock),
      observed: observedBy({ peers: () => transport.observedAddresses(), turn }),
      tell: onMapping,
    });
  }
}

/**
 * At the port after that of the server, or any other. Not at that of the same number: some gateways
 * (miniupnpd with nftables) do not tell UDP and TCP mappings of one number apart, and lose the one when
 * the other is renewed.
 */
async function answerStun({
  transport,
  clock,
  log,
}: OutsideOptions): Promise<StunResponder | undefined> {
  const listening = transport.listening().map((address) => parseEndpoint(address));
  const beside = listening.map(({ ip, port }) => ({ ip, port: (port + 1) % 65_536 }));
  const anywhere = listening.map(({ ip }) => ({ ip, port: 0 }));
  try {
    return await StunResponder.open({ listen: beside, clock }).catch((error: unknown) => {
      if (!hasCode(error, 'PORT_IN_USE')) throw error;
      return StunResponder.open({ listen: anywhere, clock });
    });
  } catch (error) {
    log.info(`STUN is not answered: ${codeOf(error)}`);
    return undefined;
  }
}

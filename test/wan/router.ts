/** A router: of a home, of its provider in front of that, or of a carrier. */
import { sleep } from '../../lib/lifecycle.ts';
import { execute, ip, nft } from '../support/namespaces.ts';
import type { Cable } from './cable.ts';
import { GatewayDaemon, type DaemonOptions, type Igd } from './gateway-daemon.ts';
import { WanHost } from './host.ts';
import {
  CHAINS,
  parseMappings,
  routerRules,
  udpRules,
  type Firewall,
  type Nat,
  type RouterMapping,
} from './rules.ts';
import type { Shaping } from './shaping.ts';

export interface RouterOptions {
  /** `cone` when left out. */
  readonly nat?: Nat;
  /** `drop` when left out. */
  readonly firewall?: Firewall;
  /** `both` when left out. */
  readonly igd?: Igd;
  /** Whether it refuses to map anything. */
  readonly refuses?: boolean;
  /** The lowest and the highest port that may be mapped; 1024 and 65535 when left out. */
  readonly ports?: readonly [number, number];
  /** The shortest and the longest lease that PCP gives, in seconds; 120 and 86,400 when left out. */
  readonly lifetimes?: readonly [number, number];
}

/** An address that a carrier gives its customers. */
const CARRIER_ADDRESS = '100.64.9.2/29';

/** A mapping that there is, and what the daemon has noted of it. */
export interface MappingThere extends RouterMapping {
  /** Milliseconds since 1970; Infinity for good, or where the daemon knows nothing of it. */
  readonly expires: number;
  /** As the host that asked for it has called it, or else the daemon. */
  readonly description: string;
}

export class Router extends WanHost {
  readonly daemon: GatewayDaemon;
  readonly #options: RouterOptions;
  /** To the hosts behind it. */
  readonly #cables: Cable[] = [];

  /** @param directory for the files of its daemon */
  constructor(
    name: string,
    cable: Cable,
    shaping: Shaping,
    options: RouterOptions,
    place: Pick<DaemonOptions, 'network' | 'number' | 'claimedAddress'>,
    directory: string,
  ) {
    super(name, cable, shaping);
    this.#options = options;
    const { igd = 'both', refuses = false, ports = [1_024, 65_535] } = options;
    const { lifetimes = [120, 86_400] } = options;
    this.daemon = new GatewayDaemon(this, { ...place, igd, refuses, ports, lifetimes }, directory);
  }

  /** Notes a cable that leads to a host behind it. */
  add(cable: Cable): void {
    this.#cables.push(cable);
  }

  async start(): Promise<void> {
    await this.#loadRules();
    await this.daemon.start();
  }

  /**
   * Switches it off and on again: its mappings, their leases and all connections through it are gone.
   * @param milliseconds that it is off, in which those behind it have no carrier either
   */
  async reboot(milliseconds = 0): Promise<void> {
    await this.daemon.kill();
    const cables = [this.cable, ...this.#cables].filter(({ isCut }) => !isCut);
    await Promise.all(cables.map((cable) => cable.cut('carrier')));
    await this.daemon.forgetLeases();
    await this.#loadRules();
    await this.forgetConnections();
    await sleep(milliseconds);
    await Promise.all(cables.map((cable) => cable.restore()));
    await this.daemon.start();
  }

  override async setAddress(address: string): Promise<void> {
    await super.setAddress(address);
    this.daemon.noteAddress();
  }

  /** Takes away what maps ports, and all that it has mapped; the way out stays. */
  async takeAway(): Promise<void> {
    await this.daemon.kill();
    await this.daemon.forgetLeases();
    await this.#loadRules();
    await this.forgetConnections();
  }

  /** Undoes that. */
  async putBack(): Promise<void> {
    await this.daemon.start();
  }

  /** Leaves it no address but one of a carrier's customers, until it is given another. */
  async joinCarrier(): Promise<void> {
    const { namespace, device } = this.cable.near;
    await ip(['-n', namespace, '-4', 'address', 'flush', 'dev', device]);
    await ip(['-n', namespace, 'address', 'add', CARRIER_ADDRESS, 'dev', device]);
    this.daemon.noteAddress();
  }

  /** Loses every UDP datagram to it and through it, as some captive networks do, or no longer. */
  async dropUdp(isDropped = true): Promise<void> {
    await nft(this.namespace, udpRules(isDropped));
  }

  /** The mappings that there are, as the kernel has them. */
  async mappings(): Promise<MappingThere[]> {
    const list = ['nft', '-n', 'list', 'chain', 'inet', 'lab', CHAINS.in];
    const { stdout } = await execute('ip', ['netns', 'exec', this.namespace, ...list]);
    const leases = await this.daemon.leases();
    return parseMappings(stdout).map((mapping) => {
      const lease = leases.find(
        ({ transport, externalPort }) =>
          transport === mapping.transport && externalPort === mapping.externalPort,
      );
      return {
        ...mapping,
        expires: lease?.expires ?? Infinity,
        description: lease?.description ?? '',
      };
    });
  }

  async #loadRules(): Promise<void> {
    const { nat = 'cone', firewall = 'drop' } = this.#options;
    await nft(this.namespace, routerRules(nat, firewall));
  }
}

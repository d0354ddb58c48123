/**
 * A small LAN out of Linux network namespaces: hosts with cards on switches, on which everything
 * runs for real, multicast included. Nothing is made outside of the namespaces and nothing leads out
 * of them. Needs root, iproute2 and nftables.
 */
import {
  addNamespace,
  beginLab,
  execute,
  filterArrivals,
  ip,
  NamespaceHost,
  nft,
  removeNamespaces,
  unfilterArrivals,
} from '../support/namespaces.ts';

export interface LabOptions {
  /** Number of hosts, `h1` to `hN`, each with a card `eth0` on the first switch. */
  readonly hosts: number;
  /** Hosts (`h1`, …) that begin without a card. */
  readonly bare?: readonly string[];
  /** Hosts that also have a card `eth1` on the second switch. */
  readonly dual?: readonly string[];
  /** Hosts whose only card is on the second switch. */
  readonly second?: readonly string[];
  /** A default route, to a router that leads nowhere. */
  readonly gateway?: boolean;
  /** The switches drop multicast, and pass everything else. */
  readonly blockMulticast?: boolean;
  /** Hosts reach the router only, as in a guest Wi-Fi. */
  readonly isolate?: boolean;
}

/** 10.77.1.N and 10.77.2.N: the number of the switch and of the host. */
type SwitchNumber = 1 | 2;

export class Lab {
  readonly #prefix: string;
  readonly #options: LabOptions;
  readonly #hosts = new Map<string, LabHost>();

  private constructor(prefix: string, options: LabOptions) {
    this.#prefix = prefix;
    this.#options = options;
  }

  /**
   * Builds a LAN, after having removed what crashed runs have left behind.
   * @throws an error that says what is missing on this machine
   */
  static async create(options: LabOptions): Promise<Lab> {
    const lab = new Lab(await beginLab('LAN'), options);
    try {
      await lab.#build();
      return lab;
    } catch (error) {
      await lab.destroy();
      throw error;
    }
  }

  host(name: string): LabHost {
    const host = this.#hosts.get(name);
    if (host === undefined) throw new Error(`no host ${name} in this lab`);
    return host;
  }

  /** Ends what runs in the lab and removes it. */
  async destroy(): Promise<void> {
    const names = [...this.#hosts.values()].map((host) => host.namespace);
    await Promise.all([...this.#hosts.values()].map((host) => host.stopAll()));
    await removeNamespaces([...names, this.#namespace('switch')]);
  }

  #namespace(name: string): string {
    return `${this.#prefix}-${name}`;
  }

  async #build(): Promise<void> {
    const { hosts, bare = [], dual = [], second = [], gateway = false } = this.#options;
    const network = this.#namespace('switch');
    await addNamespace(network);
    for (const bridge of ['br1', 'br2'])
      await ip(
        ['-n', network, 'link', 'add', 'name', bridge, 'type', 'bridge'],
        ['stp_state', '0', 'forward_delay', '0', 'mcast_snooping', '0'],
      ).then(() => ip(['-n', network, 'link', 'set', bridge, 'up']));
    if (this.#options.blockMulticast === true) await nft(network, BLOCK_MULTICAST);
    if (gateway) {
      const router = await this.#addHost('router', 254);
      for (const number of [1, 2] as const) await router.addCard(number);
    }
    for (let number = 1; number <= hosts; number++) {
      const name = `h${number}`;
      const host = await this.#addHost(name, number);
      if (bare.includes(name)) continue;
      if (!second.includes(name)) await host.addCard(1);
      if (dual.includes(name) || second.includes(name)) await host.addCard(2);
    }
  }

  async #addHost(name: string, number: number): Promise<LabHost> {
    const host = new LabHost(name, number, this.#namespace(name), this.#namespace('switch'), {
      gateway: this.#options.gateway === true && name !== 'router',
      isolate: this.#options.isolate === true && name !== 'router',
    });
    this.#hosts.set(name, host);
    await addNamespace(host.namespace);
    return host;
  }
}

export class LabHost extends NamespaceHost {
  readonly #number: number;
  readonly #switch: string;
  readonly #options: { readonly gateway: boolean; readonly isolate: boolean };
  readonly #cards = new Set<SwitchNumber>();

  constructor(
    name: string,
    number: number,
    namespace: string,
    network: string,
    options: { gateway: boolean; isolate: boolean },
  ) {
    super(name, namespace);
    this.#number = number;
    this.#switch = network;
    this.#options = options;
  }

  /** Its address on a switch, as it was given. */
  address(number: SwitchNumber = 1): string {
    return `10.77.${number}.${this.#number}`;
  }

  /** Plugs in a card on a switch: `eth0` on the first, `eth1` on the second. */
  async addCard(number: SwitchNumber): Promise<void> {
    const card = cardOn(number);
    const port = this.#portOn(number);
    await ip(
      ['link', 'add', 'name', card, 'netns', this.namespace],
      ['type', 'veth', 'peer', 'name', port, 'netns', this.#switch],
    );
    await ip(['-n', this.#switch, 'link', 'set', port, 'master', `br${number}`, 'up']);
    if (this.#options.isolate)
      await execute('bridge', ['-n', this.#switch, 'link', 'set', 'dev', port, 'isolated', 'on']);
    await ip(['-n', this.namespace, 'link', 'set', card, 'up']);
    this.#cards.add(number);
    await this.setAddress(this.address(number), number);
  }

  /** Gives a card another address, as a DHCP server may. */
  async setAddress(address: string, number: SwitchNumber = 1): Promise<void> {
    const card = cardOn(number);
    await ip(['-n', this.namespace, '-4', 'addr', 'flush', 'dev', card]);
    await ip(['-n', this.namespace, 'addr', 'add', `${address}/24`, 'brd', '+', 'dev', card]);
    await this.#route(number);
  }

  /**
   * Cuts the host off: `carrier` pulls the cable, which the host sees; `silent` loses all packets,
   * which nobody sees.
   */
  async cut(how: 'carrier' | 'silent', number: SwitchNumber = 1): Promise<void> {
    if (how === 'carrier')
      await ip(['-n', this.#switch, 'link', 'set', this.#portOn(number), 'down']);
    else
      await Promise.all([
        filterArrivals(this.namespace, 'cut', cardOn(number), 'drop'),
        filterArrivals(this.#switch, 'cut', this.#portOn(number), 'drop'),
      ]);
  }

  /** Undoes `cut`. */
  async restore(number: SwitchNumber = 1): Promise<void> {
    const port = this.#portOn(number);
    await Promise.all([
      unfilterArrivals(this.namespace, 'cut', cardOn(number)),
      unfilterArrivals(this.#switch, 'cut', port),
      ip(['-n', this.#switch, 'link', 'set', port, 'up']),
    ]);
    await this.#route(number);
  }

  /** Addresses take their routes with them when they go. */
  async #route(number: SwitchNumber): Promise<void> {
    if (!this.#options.gateway || number !== Math.min(...this.#cards)) return;
    const via = ['via', `10.77.${number}.254`, 'dev', cardOn(number)];
    await ip(['-n', this.namespace, 'route', 'replace', 'default', ...via]);
  }

  #portOn(number: SwitchNumber): string {
    return `${this.name}-${number}`;
  }
}

const cardOn = (number: SwitchNumber): string => `eth${number - 1}`;

const BLOCK_MULTICAST = `table bridge lab { chain forward {
  type filter hook forward priority 0;
  ether daddr != ff:ff:ff:ff:ff:ff ether daddr & 01:00:00:00:00:00 != 00:00:00:00:00:00 drop;
}; }`;

/**
 * A small internet out of Linux network namespaces: homes behind real NAT and a real gateway daemon,
 * hosts with public addresses, a STUN and TURN server. Nothing is made outside of the namespaces and
 * nothing leads out of them. Needs root, iproute2, nftables, conntrack, miniupnpd built for nftables
 * and, for TURN, coturn.
 *
 * Public addresses are 11.0.0.x in networks of eight, of which the first two are taken, and
 * 2a0e:c1a7::/32: miniupnpd and others take those meant for documentation to be private.
 */
import { mkdir, rm } from 'node:fs/promises';
import {
  addNamespace,
  BASIC_PROGRAMS,
  beginLab,
  directoryOf,
  execute,
  ipBatch,
  NamespaceHost,
  removeNamespaces,
} from '../support/namespaces.ts';
import { bridgeCommands, Cable, layCables, untilUp, type CableEnd } from './cable.ts';
import { WanHost } from './host.ts';
import { Router, type RouterOptions } from './router.ts';
import { Shaping } from './shaping.ts';
import { startTurnServer, type TurnServer } from './turn.ts';

/**
 * A carrier that gives its customers no address of their own. `private`: theirs are of 100.64.0.0/10.
 * `squat`: of a public network that is another's, so that a router maps and shows a dead address.
 * `claim`: private, but the router shows the carrier's public address and maps all the same.
 */
export type Carrier = 'private' | 'squat' | 'claim';

/** A home; what is said of its router goes for its carrier's NAT and firewall too. */
export interface HomeOptions extends RouterOptions {
  /** 1 when left out: `a1` in the first home. */
  readonly hosts?: number;
  /** In front of all, `isp1` for the first home. */
  readonly carrier?: Carrier;
  /** Another router of the household in front of its own, `m1` for the first home. */
  readonly behind?: RouterOptions;
  /** N of 192.168.N.0/24; the number of the home when left out. */
  readonly subnet?: number;
  /** As for the whole internet when left out. */
  readonly ipv6?: boolean;
}

export interface WanOptions {
  /** With routers `r1`, `r2`, … and hosts `a1`, `a2`, …, `b1`, …; at most 9. */
  readonly homes: readonly HomeOptions[];
  /** Hosts with public addresses, `pub1` and so on; 1 when left out. */
  readonly publicHosts?: number;
  /** Whether there is a STUN and TURN server, on the host `turn`. */
  readonly turn?: boolean;
  /** Whether there is IPv6: every host has a public address then, behind a firewall in a home. */
  readonly ipv6?: boolean;
}

const PROGRAMS = {
  ...BASIC_PROGRAMS,
  tc: 'iproute2',
  conntrack: 'conntrack',
  miniupnpd: 'miniupnpd-nftables',
};

const MOST_HOMES = 9;
const SQUATTED = '21.64';
const PREFIX6 = '2a0e:c1a7';
/** Of the network between a host and the internet. */
const [LINK_BITS, LINK_SIZE] = [29, 8];

/** Addresses and routes of devices stay when those lose their carrier or are switched off. */
const KEEP = 'for f in all default; do echo 1 >ipv6/conf/$f/keep_addr_on_down; done';
const FORWARD = 'echo 1 >ipv4/ip_forward; echo 1 >ipv6/conf/all/forwarding';

/** Where a host may be plugged in, and what it is to be called there. */
interface Place {
  readonly far: CableEnd;
  readonly addresses: readonly string[];
  readonly routes: readonly string[];
}

/** A router of a home, seen from the internet inwards. */
interface Stage {
  readonly name: string;
  readonly options: RouterOptions;
  /** The first three parts of the addresses behind it. */
  readonly network: string;
  /** The IPv6 prefix of 64 bits behind it, up to the last colons. */
  readonly prefix6?: string;
}

export class WanLab {
  readonly #name: string;
  readonly #options: WanOptions;
  readonly #hosts = new Map<string, NamespaceHost>();
  readonly #internet: NamespaceHost;
  readonly #cables: Cable[] = [];
  readonly #shaping: Shaping;
  #links = 0;
  #bridges = 0;
  #turn: TurnServer | undefined;

  private constructor(name: string, options: WanOptions) {
    this.#name = name;
    this.#options = options;
    this.#internet = this.#addBare('inet');
    this.#shaping = new Shaping(async (host) => {
      const added = this.#addBare(host);
      await addNamespace(added.namespace);
      return added;
    });
  }

  /**
   * Builds an internet, after having removed what crashed runs have left behind.
   * @throws an error that says what is missing on this machine
   */
  static async create(options: WanOptions): Promise<WanLab> {
    if (options.homes.length > MOST_HOMES) throw new RangeError(`at most ${MOST_HOMES} homes`);
    const programs = options.turn === true ? { ...PROGRAMS, turnserver: 'coturn' } : PROGRAMS;
    const lab = new WanLab(await beginLab('WAN', programs), options);
    try {
      await assertNftables();
      await lab.#build();
      return lab;
    } catch (error) {
      await lab.destroy();
      throw error;
    }
  }

  /** `a1`, `b1`, …, `pub1`, `turn`. */
  host(name: string): WanHost {
    const host = this.#hosts.get(name);
    if (!(host instanceof WanHost)) throw new Error(`no host ${name} in this lab`);
    return host;
  }

  /** `r1`, …; `m1`, … and `isp1`, … where there are such. */
  router(name: string): Router {
    const host = this.host(name);
    if (!(host instanceof Router)) throw new Error(`${name} is no router`);
    return host;
  }

  /** The STUN and TURN server. */
  get turn(): TurnServer {
    if (this.#turn === undefined) throw new Error('no TURN server in this lab');
    return this.#turn;
  }

  /** Ends what runs in the lab and removes it. */
  async destroy(): Promise<void> {
    const hosts = [...this.#hosts.values()];
    await Promise.all(hosts.map((host) => host.stopAll()));
    await removeNamespaces(hosts.map(({ namespace }) => namespace));
    await rm(directoryOf(this.#name), { recursive: true, force: true });
  }
  async #build(): Promise<void> {
    const { homes, publicHosts = 1, turn = false } = this.#options;
    const directory = directoryOf(this.#name);
    await mkdir(directory);
    const routers = homes.flatMap((home, index) => this.#planHome(home, index + 1));
    for (let number = 1; number <= publicHosts; number++) this.#addPublic(`pub${number}`);
    const turnHost = turn ? this.#addPublic('turn') : undefined;
    const secondAddress = turnHost && following(turnHost.address);
    if (turnHost !== undefined) turnHost.cable.near.addresses.push(`${secondAddress}/${LINK_BITS}`);

    await Promise.all(
      [...this.#hosts.values()].map((host) => {
        const isForwarding = host instanceof Router || host === this.#internet;
        return addNamespace(host.namespace, isForwarding ? `${KEEP}; ${FORWARD}` : KEEP);
      }),
    );
    await Promise.all([
      // What nobody has is lost, as far away, and not refused at once.
      ipBatch(this.#internet.namespace, [
        'route add blackhole default',
        'route add blackhole ::/0',
      ]),
      ...routers.map(({ router, network }) => ipBatch(router.namespace, network)),
    ]);
    await layCables(this.#cables);
    await Promise.all(routers.map(({ router }) => router.start()));
    if (turnHost !== undefined)
      this.#turn = await startTurnServer(turnHost, secondAddress!, directory);
    await untilUp(this.#cables);
  }

  /** @returns its routers, each with the commands that make the network behind it */
  #planHome(home: HomeOptions, number: number): { router: Router; network: string[] }[] {
    const { hosts = 1, carrier } = home;
    const prefixOf = (link: string): string | undefined =>
      (home.ipv6 ?? this.#options.ipv6 === true) ? `${PREFIX6}:${number}:${link}` : undefined;
    const stages = stagesOf(home, number, prefixOf);
    const whole = `${PREFIX6}:${number}::/48`;
    let place = this.#placeOnInternet(stages[0]!.name, prefixOf('f0'), whole);
    const planned: { router: Router; network: string[] }[] = [];
    for (const [index, stage] of stages.entries()) {
      const outer = planned.at(-1)?.router;
      const claimed = carrier === 'claim' && index === 1 ? outer?.address : undefined;
      const router = this.#addRouter(stage, place, claimed);
      outer?.add(router.cable);
      const next = stages[index + 1];
      planned.push({ router, network: this.#networkBehind(stage, next && whole) });
      if (next !== undefined) place = placeBehind(router, stage, next.name, 2);
    }
    const { router } = planned.at(-1)!;
    for (let host = 1; host <= hosts; host++) {
      const name = `${String.fromCharCode(96 + number)}${host}`;
      router.add(this.#addHost(name, placeBehind(router, stages.at(-1)!, name, 10 + host)).cable);
    }
    return planned;
  }

  /** @param routed the IPv6 addresses that are behind another router in it */
  #networkBehind({ network, prefix6 }: Stage, routed: string | undefined): string[] {
    const commands = [
      ...bridgeCommands('lan', ++this.#bridges),
      `address add ${network}.1/24 brd + dev lan`,
    ];
    if (prefix6 === undefined) return commands;
    commands.push(`address add ${prefix6}::1/64 dev lan`);
    if (routed !== undefined) commands.push(`route add ${routed} via ${prefix6}::2 dev lan`);
    return commands;
  }

  /** @param routed the IPv6 addresses that are behind the host that is plugged in */
  #placeOnInternet(device: string, prefix6: string | undefined, routed?: string): Place {
    const base = LINK_SIZE * this.#links++;
    const at = (index: number): string => `11.0.${(base + index) >> 8}.${(base + index) & 255}`;
    const far = { addresses: [`${at(1)}/${LINK_BITS}`], routes: [] as string[] };
    const near = { addresses: [`${at(2)}/${LINK_BITS}`], routes: [`default via ${at(1)}`] };
    if (prefix6 !== undefined) {
      far.addresses.push(`${prefix6}::1/64`);
      near.addresses.push(`${prefix6}::2/64`);
      near.routes.push(`::/0 via ${prefix6}::1`);
      if (routed !== undefined) far.routes.push(`${routed} via ${prefix6}::2`);
    }
    return { ...near, far: { namespace: this.#internet.namespace, device, ...far } };
  }

  #addPublic(name: string): WanHost {
    const prefix6 = this.#options.ipv6 === true ? `${PREFIX6}:0:${this.#links}` : undefined;
    return this.#addHost(name, this.#placeOnInternet(name, prefix6));
  }

  #addHost(name: string, place: Place): WanHost {
    const host = new WanHost(name, this.#cableTo(name, 'eth0', place), this.#shaping);
    this.#hosts.set(name, host);
    return host;
  }

  #addRouter(stage: Stage, place: Place, claimedAddress: string | undefined): Router {
    const { name, options, network } = stage;
    const cable = this.#cableTo(name, 'wan', place);
    const number = this.#cables.length;
    const router = new Router(
      name,
      cable,
      this.#shaping,
      options,
      { network: `${network}.0/24`, number, claimedAddress },
      directoryOf(this.#name),
    );
    this.#hosts.set(name, router);
    return router;
  }

  #addBare(name: string): NamespaceHost {
    const host = new NamespaceHost(name, this.#namespace(name));
    this.#hosts.set(name, host);
    return host;
  }

  #cableTo(host: string, device: string, { far, addresses, routes }: Place): Cable {
    const near = { namespace: this.#namespace(host), device, addresses: [...addresses], routes };
    const cable = new Cable(near, far);
    this.#cables.push(cable);
    return cable;
  }

  #namespace(host: string): string {
    return `${this.#name}-${host}`;
  }
}

/** The routers of a home, the outermost first. @param prefixOf the IPv6 prefix of one of its links */
function stagesOf(
  { carrier, behind, nat, firewall, subnet, ...options }: HomeOptions,
  number: number,
  prefixOf: (link: string) => string | undefined,
): Stage[] {
  const stages: Stage[] = [];
  if (carrier !== undefined)
    stages.push({
      name: `isp${number}`,
      options: { nat, firewall, igd: 'off' },
      network: `${carrier === 'squat' ? SQUATTED : '100.64'}.${number}`,
      prefix6: prefixOf('f1'),
    });
  if (behind !== undefined)
    stages.push({
      name: `m${number}`,
      options: behind,
      network: `10.0.${number}`,
      prefix6: prefixOf('f2'),
    });
  stages.push({
    name: `r${number}`,
    options: { ...options, nat, firewall },
    network: `192.168.${subnet ?? number}`,
    prefix6: prefixOf('1'),
  });
  return stages;
}

function placeBehind(router: Router, stage: Stage, device: string, index: number): Place {
  const { network, prefix6 } = stage;
  const addresses = [`${network}.${index}/24`];
  const routes = [`default via ${network}.1`];
  if (prefix6 !== undefined) {
    addresses.push(`${prefix6}::${index}/64`);
    routes.push(`::/0 via ${prefix6}::1`);
  }
  const far = { namespace: router.namespace, device, bridge: 'lan', addresses: [], routes: [] };
  return { far, addresses, routes };
}

/** The IPv4 address after this one in its network. */
export function following(address: string): string {
  const parts = address.split('.');
  return [...parts.slice(0, 3), Number(parts[3]) + 1].join('.');
}

/** The daemon's other builds know nothing of the routers' rules. */
async function assertNftables(): Promise<void> {
  const { stdout, stderr } = await execute('miniupnpd', ['--version']);
  if (!`${stdout}${stderr}`.includes('nftables'))
    throw new Error(
      `The WAN tests need miniupnpd built for nftables (Debian: ${PROGRAMS.miniupnpd}).`,
    );
}

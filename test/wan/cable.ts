/** A cable between two hosts of a lab, or a host and a bridge in another one. */
import { sleep } from '../../lib/lifecycle.ts';
import { filterArrivals, ip, ipBatch, unfilterArrivals } from '../support/namespaces.ts';

export interface CableEnd {
  readonly namespace: string;
  readonly device: string;
  /** Into which it is plugged, in its namespace. */
  readonly bridge?: string;
  /** With the length of their prefixes. */
  addresses: string[];
  /** As `ip route` has them, without the device. */
  routes: readonly string[];
}

/**
 * How a cable is cut. `carrier`: it is pulled out, which both ends see. `silent`: all packets are
 * lost, which nobody sees. `route`: nothing is lost, but the host at the near end has no route that
 * leads out of its network.
 */
export type Cut = 'carrier' | 'silent' | 'route';

/** A hardware address that no host has. */
const UNUSED_ADDRESS = '02:00:00:00:00:00';
const [UP_MS, UP_POLL_MS] = [5_000, 20];

/** What `ip -j link` says of a device, as far as it is of interest. */
interface Link {
  readonly ifname: string;
  readonly operstate: string;
  readonly address: string;
}

export class Cable {
  readonly near: CableEnd;
  readonly far: CableEnd;
  /** Where there is something between the two ends: the devices that they are plugged into. */
  #between: { readonly namespace: string; readonly devices: readonly [string, string] } | undefined;
  #isCut = false;
  #isUnplugged = false;

  constructor(near: CableEnd, far: CableEnd) {
    this.near = near;
    this.far = far;
  }

  get isCut(): boolean {
    return this.#isCut;
  }

  get isSpliced(): boolean {
    return this.#between !== undefined;
  }

  async cut(how: Cut): Promise<void> {
    this.#isCut = true;
    if (how === 'route') {
      for (const route of this.near.routes)
        await ip(['-n', this.near.namespace, 'route', 'del', ...route.split(' ')]);
      return;
    }
    if (how === 'carrier') {
      this.#isUnplugged = true;
      return this.#switch('down');
    }
    await Promise.all(
      [this.near, this.far].map(({ namespace, device }) =>
        filterArrivals(namespace, 'cut', device, 'drop'),
      ),
    );
  }

  /** Undoes every cut. Returns when packets go through. */
  async restore(): Promise<void> {
    await Promise.all(
      [this.near, this.far].map(({ namespace, device }) =>
        unfilterArrivals(namespace, 'cut', device),
      ),
    );
    this.#isCut = this.#isUnplugged = false;
    await this.#switch('up');
    await this.plug();
  }

  /**
   * Sets up both ends, as far as they are not. Returns when they have noticed one another; the far end
   * of a cable that is pulled out has to wait until that is undone.
   */
  async plug(): Promise<void> {
    if (this.#isUnplugged) await this.#switch('down');
    const ends = this.#isUnplugged ? [this.near] : [this.near, this.far];
    await Promise.all(ends.map((end) => ipBatch(end.namespace, commandsFor(end))));
    if (!this.#isUnplugged) await untilUp([this]);
  }

  /** All devices between the ends, and these, by their namespaces. */
  get devices(): readonly (readonly [string, readonly string[]])[] {
    const ends = [this.near, this.far].map(
      ({ namespace, device }) => [namespace, [device]] as const,
    );
    return this.#between === undefined
      ? ends
      : [...ends, [this.#between.namespace, this.#between.devices]];
  }

  /**
   * Opens the cable: its far end is then a new device of the same name, and what was its far end lies
   * in the namespace `middle` beside the other end of the new one. Nothing goes through until these
   * two are joined.
   * @returns both, the one towards the near end first
   */
  async splice(middle: string): Promise<readonly [string, string]> {
    const { namespace, device } = this.far;
    const devices = [device, `${device}-out`] as const;
    const show = ['-j', '-n', namespace, 'link', 'show', 'dev', device];
    const [link] = JSON.parse(await ip(show)) as [Link];
    await ip(['-n', namespace, 'link', 'set', 'dev', device, 'netns', middle]);
    // The new one takes over the hardware address, which others have noted.
    await ip(['-n', middle, 'link', 'set', 'dev', device, 'address', UNUSED_ADDRESS]);
    await ip(
      ['link', 'add', 'name', device, 'address', link.address, 'netns', namespace],
      ['type', 'veth', 'peer', 'name', devices[1], 'netns', middle],
    );
    this.#between = { namespace: middle, devices };
    return devices;
  }

  async #switch(state: 'up' | 'down'): Promise<void> {
    const { namespace, devices } = this.#between ?? {
      namespace: this.far.namespace,
      devices: [this.far.device],
    };
    await ipBatch(
      namespace,
      devices.map((device) => `link set dev ${device} ${state}`),
    );
  }
}

/** Lays new cables and plugs them in, all at once. */
export async function layCables(cables: readonly Cable[]): Promise<void> {
  await ipBatch(
    undefined,
    cables.map(
      ({ near, far }) =>
        `link add name ${near.device} netns ${near.namespace} ` +
        `type veth peer name ${far.device} netns ${far.namespace}`,
    ),
  );
  const commands = new Map<string, string[]>();
  for (const end of cables.flatMap(({ near, far }) => [far, near])) {
    const known = commands.get(end.namespace) ?? [];
    commands.set(end.namespace, [...known, ...commandsFor(end)]);
  }
  await Promise.all([...commands].map(([namespace, lines]) => ipBatch(namespace, lines)));
}

/**
 * Waits until the kernel has noticed that all devices of cables have a carrier, which takes it up to a
 * second. Until then bridges and routes do without them.
 */
export async function untilUp(cables: readonly Cable[]): Promise<void> {
  const expected = new Map<string, string[]>();
  for (const [namespace, devices] of cables.flatMap((cable) => cable.devices))
    expected.set(namespace, [...(expected.get(namespace) ?? []), ...devices]);
  const end = performance.now() + UP_MS;
  await Promise.all(
    [...expected].map(async ([namespace, devices]) => {
      for (;;) {
        const links = JSON.parse(await ip(['-j', '-n', namespace, 'link', 'show'])) as Link[];
        const down = devices.filter(
          (device) => links.find(({ ifname }) => ifname === device)?.operstate !== 'UP',
        );
        if (down.length === 0) return;
        if (performance.now() > end)
          throw new Error(`no carrier in ${namespace}: ${down.join(', ')}`);
        await sleep(UP_POLL_MS);
      }
    }),
  );
}

/** A bridge that forwards at once and keeps its hardware address whatever is plugged into it. */
export const bridgeCommands = (name: string, number = 0): readonly string[] => [
  `link add name ${name} address 02:00:00:00:00:${number.toString(16).padStart(2, '0')} ` +
    'type bridge stp_state 0 forward_delay 0 mcast_snooping 0',
  `link set dev ${name} up`,
];

function commandsFor({ device, bridge, addresses, routes }: CableEnd): string[] {
  return [
    ...(bridge === undefined ? [] : [`link set dev ${device} master ${bridge}`]),
    `link set dev ${device} up`,
    ...addresses.map((address) =>
      address.includes(':')
        ? `address replace ${address} dev ${device}`
        : `address replace ${address} brd + dev ${device}`,
    ),
    ...routes.map((route) => `route replace ${route} dev ${device}`),
  ];
}

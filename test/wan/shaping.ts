/**
 * Makes cables slow and lossy. Delay is netem's where the kernel has it; else frames take a way through
 * a process that holds them back (delay-line.ts). They get there and back as VXLAN datagrams.
 */
import { fileURLToPath } from 'node:url';
import type { LabProcess } from '../lan/process.ts';
import {
  execute,
  filterArrivals,
  ipBatch,
  unfilterArrivals,
  type NamespaceHost,
} from '../support/namespaces.ts';
import { bridgeCommands, type Cable } from './cable.ts';

/** What a cable does to that which goes through it, in either direction. */
export interface Shape {
  /** Milliseconds, one way. */
  readonly delay?: number;
  /** Milliseconds by which the delay varies, up and down; at most the delay. */
  readonly jitter?: number;
  /** Percent of packets. */
  readonly loss?: number;
  /** Bits a second. */
  readonly rate?: number;
}

/** The longest that a packet waits in front of a slow cable; what would wait longer is lost. */
const QUEUE_MS = 200;
const START_MS = 15_000;
const VXLAN_PORT = 4_789;
/** What VXLAN adds to the longest frame fits in. */
const OUTER_MTU = 2_000;
const [OUTSIDE, INSIDE] = ['10.99.0.1', '10.99.0.2'];

let netem: Promise<boolean> | undefined;

export class Shaping {
  readonly #addHost: (name: string) => Promise<NamespaceHost>;
  #line: Promise<{ readonly namespace: string; readonly process: LabProcess }> | undefined;
  /** Of the cables that are open. */
  readonly #numbers = new Map<Cable, number>();
  #turn: Promise<unknown> = Promise.resolve();

  /** @param addHost adds a host to the lab, without any card */
  constructor(addHost: (name: string) => Promise<NamespaceHost>) {
    this.#addHost = addHost;
  }

  /**
   * Gives a cable a shape instead of the one that it has; what is left out is not done to it. Where
   * there is no netem, the first delay pulls the cable out for a moment.
   */
  shape(cable: Cable, shape: Shape): Promise<void> {
    const done = this.#turn.then(() => this.#apply(cable, shape));
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #apply(cable: Cable, { delay = 0, jitter = 0, loss = 0, rate }: Shape): Promise<void> {
    if (jitter > delay) throw new RangeError('a delay cannot vary by more than it is');
    const isDelayed = delay > 0;
    const isSlow = rate !== undefined;
    let queue: string | undefined;
    if (await (netem ??= hasNetem(cable.near.namespace))) {
      if (isDelayed || isSlow)
        queue = `netem limit 10000 delay ${delay}ms ${jitter}ms ${isSlow ? `rate ${rate}bit` : ''}`;
    } else {
      if (isDelayed || cable.isSpliced) await this.#delay(cable, delay, jitter);
      if (isSlow) queue = `tbf rate ${rate}bit burst 16kb latency ${QUEUE_MS}ms`;
    }
    // Else one loss would be that of many packets that travel as one inside the kernel.
    const segments = isDelayed || isSlow || loss > 0 ? 1 : 65_535;
    const chance = loss < 100 ? `numgen random mod 10000 < ${Math.round(loss * 100)}` : '';
    for (const { namespace, device } of [cable.near, cable.far]) {
      await ipBatch(namespace, [`link set dev ${device} gso_max_segs ${segments}`]);
      const change = (command: string, ...words: string[]): Promise<unknown> =>
        execute('tc', ['-n', namespace, 'qdisc', command, 'dev', device, 'root', ...words]);
      if (queue !== undefined) await change('replace', ...queue.trim().split(' '));
      else await change('del').catch(() => undefined);
      if (loss > 0) await filterArrivals(namespace, 'loss', device, `${chance} drop`);
      else await unfilterArrivals(namespace, 'loss', device);
    }
  }

  async #delay(cable: Cable, delay: number, jitter: number): Promise<void> {
    const { namespace, process } = await (this.#line ??= this.#startLine());
    let number = this.#numbers.get(cable);
    if (number === undefined) {
      number = this.#numbers.size;
      this.#numbers.set(cable, number);
      await open(cable, number, namespace);
    }
    process.send(JSON.stringify({ cable: number, delay, jitter }));
    await process.next(({ cable: set }) => set === number, START_MS, 'setting a delay');
  }

  /**
   * All cables with a delay lie open in one namespace, from which a link leads to that of the process.
   * It ends on a bridge, for this is a device that leaves no checksum and no segmenting to others.
   */
  async #startLine(): Promise<{ namespace: string; process: LabProcess }> {
    const [splices, line] = [await this.#addHost('splices'), await this.#addHost('delay')];
    const disable =
      'cd /proc/sys/net/ipv6/conf; echo 1 >all/disable_ipv6; echo 1 >default/disable_ipv6';
    await execute('ip', ['netns', 'exec', splices.namespace, 'sh', '-c', disable]);
    await ipBatch(undefined, [
      `link add name line netns ${splices.namespace} ` +
        `type veth peer name eth0 netns ${line.namespace}`,
    ]);
    await ipBatch(splices.namespace, [
      ...bridgeCommands('under'),
      `link set dev line mtu ${OUTER_MTU} master under up`,
      `link set dev under mtu ${OUTER_MTU}`,
      `address add ${OUTSIDE}/30 dev under`,
    ]);
    await ipBatch(line.namespace, [
      `link set dev eth0 mtu ${OUTER_MTU} up`,
      `address add ${INSIDE}/30 dev eth0`,
    ]);
    const script = fileURLToPath(new URL('./delay-line.ts', import.meta.url));
    const process = line.runTypeScript(script, String(VXLAN_PORT));
    await process.next(({ type }) => type === 'ready', START_MS, 'starting');
    return { namespace: splices.namespace, process };
  }
}

/** Opens a cable in a namespace, and lets either end into a tunnel of its own to the process. */
async function open(cable: Cable, number: number, namespace: string): Promise<void> {
  const devices = await cable.splice(namespace);
  const commands = devices.flatMap((device, end) => {
    const id = 2 * number + end;
    return [
      `link add name vx${id} type vxlan id ${id} nolearning ` +
        `remote ${INSIDE} dstport ${VXLAN_PORT} dev under`,
      ...bridgeCommands(`br${id}`),
      `link set dev vx${id} mtu 1500 master br${id} up`,
      `link set dev ${device} master br${id} up`,
    ];
  });
  await ipBatch(namespace, commands);
  await cable.plug();
}

/** Whether the kernel has netem. */
async function hasNetem(namespace: string): Promise<boolean> {
  const tc = (...args: string[]): Promise<boolean> =>
    execute('tc', ['-n', namespace, 'qdisc', ...args]).then(
      () => true,
      () => false,
    );
  const has = await tc('add', 'dev', 'lo', 'root', 'netem', 'delay', '1ms');
  if (has) await tc('del', 'dev', 'lo', 'root');
  return has;
}

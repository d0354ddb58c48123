/** The daemon of a router through which hosts ask for mappings: miniupnpd. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LabProcess } from '../lan/process.ts';
import { nft, type NamespaceHost } from '../support/namespaces.ts';
import { untilListening } from './listening.ts';
import { CHAINS, portControlRules } from './rules.ts';

/**
 * What a router lets hosts ask for mappings by. `both`: UPnP IGD 2, NAT-PMP and PCP. `upnp`: IGD 2
 * alone. `igd1`: IGD 1 alone, as its description says; who looks for IGD 2 finds it, too. `natpmp`:
 * NAT-PMP alone, PCP is answered as an unknown version. `pcp`: PCP alone, NAT-PMP is not answered.
 * `natpmp+pcp`: both of these.
 */
export type Igd = 'both' | 'upnp' | 'igd1' | 'natpmp' | 'pcp' | 'natpmp+pcp' | 'off';

export interface DaemonOptions {
  readonly igd: Igd;
  /** Whether it refuses to map anything. */
  readonly refuses: boolean;
  /** The lowest and the highest port that may be mapped. */
  readonly ports: readonly [number, number];
  /** The shortest and the longest lease that PCP gives, in seconds; others last as long as asked. */
  readonly lifetimes: readonly [number, number];
  /** Tells hosts this address instead of that of the router. */
  readonly claimedAddress?: string;
  /** The network of the hosts. */
  readonly network: string;
  /** A number of its own in the lab. */
  readonly number: number;
}

/** What the daemon has noted of a mapping. */
export interface Lease {
  readonly transport: 'tcp' | 'udp';
  readonly externalPort: number;
  /** Milliseconds since 1970; Infinity for good. */
  readonly expires: number;
  readonly description: string;
}

const HTTP_PORT = 5_000;
const PORT_CONTROL = 5_351;

/**
 * The daemon writes all that it says to the machine's console too, where there is no other log, and
 * some of it 65,000 times. Mounts inside of a namespace are seen there only.
 */
const QUIETLY = `[ ! -e /dev/console ] || mount --bind /dev/null /dev/console
  exec miniupnpd "$@"`;

const yes = (is: boolean): string => (is ? 'yes' : 'no');

export class GatewayDaemon {
  readonly #host: NamespaceHost;
  #options: DaemonOptions;
  readonly #file: (kind: string) => string;
  #process: LabProcess | undefined;

  /** @param directory for its files */
  constructor(host: NamespaceHost, options: DaemonOptions, directory: string) {
    this.#host = host;
    this.#options = options;
    this.#file = (kind) => join(directory, `${host.name}.${kind}`);
  }

  get isRunning(): boolean {
    return this.#process?.hasExited === false;
  }

  /** The end of what it has written. */
  get log(): string {
    return this.#process?.errors ?? '';
  }

  /** Returns when it answers. Mappings made before are still there. */
  async start(): Promise<void> {
    const { igd } = this.#options;
    if (igd === 'off' || this.isRunning) return;
    const hasPortControl = igd !== 'upnp' && igd !== 'igd1';
    const only = igd === 'natpmp' ? 'nat-pmp' : igd === 'pcp' ? 'pcp' : 'both';
    await nft(this.#host.namespace, portControlRules(only));
    await writeFile(this.#file('conf'), this.#settings(hasPortControl));
    this.#process = this.#host.exec('sh', [
      ...['-c', QUIETLY, 'miniupnpd'],
      ...['-d', '-f', this.#file('conf'), '-P', this.#file('pid')],
    ]);
    if (hasPortControl) await untilListening(this.#process, 'udp', PORT_CONTROL);
    if (this.#hasUpnp) await untilListening(this.#process, 'tcp', HTTP_PORT);
  }

  /** Ends it in good order; what it has mapped stays. */
  async stop(): Promise<void> {
    this.thaw();
    await this.#process?.kill('SIGTERM');
  }

  /** Ends it as a crash does; what it has mapped stays. */
  async kill(): Promise<void> {
    await this.#process?.kill();
  }

  /** Lets it behave otherwise from now on, by a restart that what it has mapped outlives. */
  async change(options: Partial<Pick<DaemonOptions, 'refuses' | 'ports'>>): Promise<void> {
    this.#options = { ...this.#options, ...options };
    await this.stop();
    await this.start();
  }

  /** It takes connections and datagrams and answers none, until it is thawed. */
  freeze(): void {
    this.#process?.signal('SIGSTOP');
  }

  thaw(): void {
    this.#process?.signal('SIGCONT');
  }

  /** Tells it that the router has another address. */
  noteAddress(): void {
    this.#process?.signal('SIGUSR1');
  }

  async forgetLeases(): Promise<void> {
    await rm(this.#file('leases'), { force: true });
  }

  async leases(): Promise<Lease[]> {
    const text = await readFile(this.#file('leases'), 'utf8').catch(() => '');
    return text.split('\n').flatMap((line) => {
      const [transport, external, , , expires, ...description] = line.split(':');
      if (transport !== 'TCP' && transport !== 'UDP') return [];
      return {
        transport: transport === 'TCP' ? 'tcp' : 'udp',
        externalPort: Number(external),
        expires: Number(expires) === 0 ? Infinity : Number(expires) * 1_000,
        description: description.join(':'),
      };
    });
  }

  get #hasUpnp(): boolean {
    return ['both', 'upnp', 'igd1'].includes(this.#options.igd);
  }

  #settings(hasPortControl: boolean): string {
    const { igd, refuses, ports, lifetimes, claimedAddress, network, number } = this.#options;
    const range = ports.join('-');
    return [
      'ext_ifname=wan',
      ...(claimedAddress === undefined ? [] : [`ext_ip=${claimedAddress}`]),
      'listening_ip=lan',
      `http_port=${HTTP_PORT}`,
      'ipv6_disable=yes',
      `enable_upnp=${yes(this.#hasUpnp)}`,
      `enable_natpmp=${yes(hasPortControl)}`,
      `force_igd_desc_v1=${yes(igd === 'igd1')}`,
      'secure_mode=yes',
      `min_lifetime=${lifetimes[0]}`,
      `max_lifetime=${lifetimes[1]}`,
      'notify_interval=60',
      // Mappings that nobody uses stay.
      'clean_ruleset_interval=0',
      // A daemon that starts has just booted, as far as hosts are told.
      'system_uptime=no',
      `uuid=c1c4a700-0000-4000-8000-${String(number).padStart(12, '0')}`,
      `lease_file=${this.#file('leases')}`,
      'upnp_table_name=lab',
      'upnp_nat_table_name=lab',
      `upnp_forward_chain=${CHAINS.forward}`,
      `upnp_nat_chain=${CHAINS.in}`,
      `upnp_nat_postrouting_chain=${CHAINS.out}`,
      ...(refuses ? [] : [`allow ${range} ${network} 1024-65535`]),
      'deny 0-65535 0.0.0.0/0 0-65535',
      '',
    ].join('\n');
  }
}

/** Devices that keep lines to one another over a network in one process. */
import type { AccountId, PublicKey } from '../../lib/crdt/keys.ts';
import { ClchatError } from '../../lib/errors.ts';
import { systemClock } from '../../lib/lifecycle.ts';
import { CallLines, type CallNotice, type LineTimes } from '../../lib/node/calls/lines.ts';
import { CALL, type CallId } from '../../lib/node/calls/wire.ts';
import type { Channel, Transport } from '../../lib/node/channel.ts';
import { Exchange } from '../../lib/node/exchange.ts';
import { createLoopback } from '../../lib/node/loopback.ts';
import { anyKey, eventually } from './channels.ts';

const SOON: LineTimes = { silent: 500, told: 500, waits: [5, 10], patience: 20 };

/** A device and what it hears. */
export class LineEnd {
  readonly transport: Transport;
  readonly lines: CallLines;
  /** `name` of each notice, and from whom. */
  readonly heard: { readonly from: PublicKey; readonly said: CallNotice }[] = [];
  readonly ups: PublicKey[] = [];
  /** Those of them that were the only line. */
  readonly onlyUps: PublicKey[] = [];
  readonly faults: unknown[] = [];
  /** Who may turn out to be in the call. */
  readonly expected = new Set<PublicKey>();
  dials = 0;

  constructor(network: CallNetwork, transport: Transport, times: Partial<LineTimes>) {
    this.transport = {
      key: transport.key,
      addresses: () => transport.addresses(),
      connect: (target, options) => {
        this.dials += 1;
        return network.connect(transport, target, options);
      },
      handle: (protocol, handler) =>
        transport.handle(protocol, (channel) => handler(network.noted(channel))),
      stop: () => transport.stop(),
    };
    this.lines = new CallLines({
      transport: this.transport,
      clock: systemClock,
      targets: async (account) => network.targets(account),
      mayCome: (device) => this.expected.has(device),
      onUp: (device, _path, isOnly) => {
        this.ups.push(device);
        if (isOnly) this.onlyUps.push(device);
      },
      onNotice: (from, said) => this.heard.push({ from, said }),
      onFault: (error) => this.faults.push(error),
      times: { ...SOON, ...times },
    });
  }

  get key(): PublicKey {
    return this.transport.key;
  }

  /** Is in a call with these. */
  meet(id: CallId, ...others: readonly { readonly key: PublicKey }[]): void {
    this.lines.keep(
      id,
      others.map(({ key }) => ({ device: key, account: accountOf(key) })),
    );
  }

  isUp(other: { readonly key: PublicKey }): boolean {
    return this.lines.isUp(other.key);
  }

  /** Waits until it has heard something of somebody so often. */
  hears(name: CallNotice['name'], from: { readonly key: PublicKey }, count = 1): Promise<void> {
    return eventually(
      `hearing "${name}"`,
      () =>
        this.heard.filter((one) => one.said.name === name && one.from === from.key).length >= count,
    );
  }
}

const accountOf = (device: PublicKey): AccountId => device.slice(0, 32) as AccountId;

export class CallNetwork {
  readonly #loopback = createLoopback();
  readonly #channels: Channel[] = [];
  readonly #ends: LineEnd[] = [];
  readonly #known: PublicKey[] = [];
  #isCut = false;
  /** Devices that nobody knows a way to. */
  readonly hidden = new Set<PublicKey>();

  /** Devices, each with a key greater than that of the one before. */
  join(count: number, times: Partial<LineTimes> = {}): LineEnd[] {
    const keys = Array.from({ length: count }, () => anyKey().public).sort();
    const ends = keys.map((key) => new LineEnd(this, this.#loopback.join(key), times));
    this.#ends.push(...ends);
    this.#known.push(...keys);
    return ends;
  }

  /** A device that speaks the protocol by hand. */
  byHand(): { key: PublicKey; reach: (to: LineEnd) => Promise<ByHand>; transport: Transport } {
    const transport = this.#loopback.join(anyKey().public);
    this.#known.push(transport.key);
    return {
      key: transport.key,
      transport,
      reach: async (to) => {
        const signal = AbortSignal.timeout(5_000);
        const target = { addresses: [to.key], key: to.key };
        const connection = await transport.connect(target, { signal });
        return new Exchange(await connection.open(CALL.name, { signal }), CALL, {
          methods: {},
          notices: {},
        });
      },
    };
  }

  noted<C extends Channel>(channel: C): C {
    this.#channels.push(channel);
    return channel;
  }

  async connect(...[transport, target, options]: Parameters<ConnectOver>) {
    if (this.#isCut) throw new ClchatError('NETWORK');
    const connection = await transport.connect(target, options);
    const open = connection.open.bind(connection);
    connection.open = async (protocol, how) => this.noted(await open(protocol, how));
    return connection;
  }

  targets(account: AccountId) {
    const devices = this.#known.filter((key) => accountOf(key) === account);
    if (devices.some((key) => this.hidden.has(key))) throw new ClchatError('OFFLINE');
    return devices.map((key) => ({ addresses: [key], key }));
  }

  /** Breaks all lines, as silence does, and lets nobody connect. */
  cut(): void {
    this.#isCut = true;
    for (const channel of this.#channels.splice(0)) channel.abort(new ClchatError('TIMEOUT'));
  }

  restore(): void {
    this.#isCut = false;
  }

  /** @returns what has gone wrong, and what is left of lines */
  async stop(): Promise<{ faults: unknown[]; left: number }> {
    for (const { lines } of this.#ends) await lines.stop();
    const left = this.#ends.reduce((sum, { lines }) => sum + lines.size, 0);
    for (const { transport } of this.#ends) await transport.stop();
    return { faults: this.#ends.flatMap(({ faults }) => faults), left };
  }
}

export type ByHand = Exchange<typeof CALL>;
type ConnectOver = (
  transport: Transport,
  ...rest: Parameters<Transport['connect']>
) => ReturnType<Transport['connect']>;

/** A host of an internet: behind a router, on the internet, or a router itself. */
import { execute, ip, NamespaceHost } from '../support/namespaces.ts';
import type { Cable, Cut } from './cable.ts';
import type { Shape, Shaping } from './shaping.ts';

export class WanHost extends NamespaceHost {
  /** The one towards the internet. */
  readonly cable: Cable;
  readonly #shaping: Shaping;

  constructor(name: string, cable: Cable, shaping: Shaping) {
    super(name, cable.near.namespace);
    this.cable = cable;
    this.#shaping = shaping;
  }

  /** Its address towards the internet; a host has no other. */
  get address(): string {
    return this.#addressWith('.')!;
  }

  /** Its IPv6 address, where it has one. */
  get address6(): string | undefined {
    return this.#addressWith(':');
  }

  /** Its router's address on its side. */
  get gateway(): string {
    return /^default via (\S+)/.exec(this.cable.near.routes.join('\n'))![1]!;
  }

  /** Cuts it off from the internet, and a host behind a router from all others. */
  async cut(how: Cut): Promise<void> {
    await this.cable.cut(how);
  }

  /** Undoes every cut. */
  async restore(): Promise<void> {
    await this.cable.restore();
  }

  /** Makes its cable slow and lossy, or, with nothing named, as good as new. */
  async shape(shape: Shape): Promise<void> {
    await this.#shaping.shape(this.cable, shape);
  }

  /** Gives it another IPv4 address of the same network instead of the one that it has. */
  async setAddress(address: string): Promise<void> {
    const { near, far } = this.cable;
    const length = near.addresses.find((one) => one.startsWith(`${this.address}/`))!.split('/')[1];
    const others = near.addresses.filter((one) => one.includes(':'));
    await ip(['-n', near.namespace, '-4', 'address', 'flush', 'dev', near.device]);
    near.addresses = [`${address}/${length}`, ...others];
    await this.cable.plug();
    // Else what goes to the old address still finds its way for a while.
    await ip(['-n', far.namespace, 'neighbour', 'flush', 'all']);
  }

  /** Forgets what connections go through it, as its kernel does when it starts. */
  protected async forgetConnections(): Promise<void> {
    await execute('ip', ['netns', 'exec', this.namespace, 'conntrack', '-F']);
  }

  #addressWith(separator: '.' | ':'): string | undefined {
    const found = this.cable.near.addresses.find((address) => address.includes(separator));
    return found?.split('/')[0];
  }
}

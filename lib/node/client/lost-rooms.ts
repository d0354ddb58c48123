/**
 * Encrypted rooms that the server does not give to this account any more, though what is here says
 * that it is in them: it was put out of them while this device was away.
 *
 *   l!<stream>   it is one of them
 */
import { prefixed, type Store, type StoreOperation } from '../../crdt/store.ts';
import type { StreamName } from '../../crdt/stream.ts';

export class LostRooms {
  readonly #store: Store;
  readonly #onFault: (error: unknown) => void;
  readonly #all = new Set<StreamName>();

  private constructor(store: Store, onFault: (error: unknown) => void) {
    this.#store = store;
    this.#onFault = onFault;
  }

  static async open(store: Store, onFault: (error: unknown) => void): Promise<LostRooms> {
    const lost = new LostRooms(store, onFault);
    for await (const [key] of store.entries(prefixed('l!')))
      lost.#all.add(key.slice(2) as StreamName);
    return lost;
  }

  get all(): ReadonlySet<StreamName> {
    return this.#all;
  }

  has(stream: StreamName): boolean {
    return this.#all.has(stream);
  }

  /** @returns whether that is news */
  add(stream: StreamName): boolean {
    if (this.#all.has(stream)) return false;
    this.#all.add(stream);
    this.#write({ type: 'put', key: `l!${stream}`, value: new Uint8Array() });
    return true;
  }

  /** The server gives it again. */
  delete(stream: StreamName): void {
    if (this.#all.delete(stream)) this.#write({ type: 'delete', key: `l!${stream}` });
  }

  /** Nothing is lost with it: the server tells again at the next login. */
  #write(operation: StoreOperation): void {
    this.#store.write([operation], { sync: false }).catch(this.#onFault);
  }
}

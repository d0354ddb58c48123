/**
 * Somebody who has all that a server's store holds, and some secrets: opens what can be opened with
 * them, by every way there is, and says which messages that lets them read.
 */
import { conversationAction } from '../../lib/crdt/content.ts';
import { decode } from '../../lib/crdt/codec.ts';
import { isMessage } from '../../lib/crdt/entry.ts';
import { derive, Keyring } from '../../lib/crdt/keyring.ts';
import { openWith, SealingKey, type EntryId } from '../../lib/crdt/keys.ts';
import { LogStore } from '../../lib/crdt/log-store.ts';
import type { EpochRecord } from '../../lib/crdt/records.ts';
import { openBody } from '../../lib/crdt/sealed-body.ts';
import type { State } from '../../lib/crdt/state.ts';
import type { Store } from '../../lib/crdt/store.ts';
import type { StreamName } from '../../lib/crdt/stream.ts';
import type { Keystore } from '../../lib/node/keystore.ts';

export class Eavesdropper {
  readonly #log: LogStore;
  readonly #keys = new Map<EntryId, Uint8Array>();
  readonly #epochs = new Map<EntryId, EpochRecord>();
  readonly #boxes: SealingKey[] = [];

  private constructor(store: Store) {
    this.#log = new LogStore(store);
  }

  /**
   * @param store of the server
   * @param keystore of a device
   * @param passwords keys that passwords have yielded
   */
  static async with(
    store: Store,
    keystore: Keystore,
    passwords: readonly SealingKey[] = [],
  ): Promise<Eavesdropper> {
    const eavesdropper = new Eavesdropper(store);
    const { device, keyring } = keystore.read();
    eavesdropper.#boxes.push(new SealingKey(device.sealing), ...passwords);
    for (const { generation, secret } of keyring)
      eavesdropper.#boxes.push(new Keyring(generation, secret).box);
    await eavesdropper.#openAll();
    return eavesdropper;
  }

  async #openAll(): Promise<void> {
    const streams: StreamName[] = await this.#log.names();
    for (const stream of streams) {
      const { state } = await this.#log.open(stream);
      for (const [id, record] of state.entries<EpochRecord>('epoch'))
        this.#epochs.set(id as EntryId, record);
    }
    const { state: space } = await this.#log.open('space');
    // What is opened may open more.
    for (let known = -1; known < this.#keys.size + this.#boxes.length;) {
      known = this.#keys.size + this.#boxes.length;
      this.#openKeyrings(space);
      for (const [id, record] of this.#epochs) this.#openEpoch(id, record);
    }
  }

  /** Whatever the space holds that was sealed to a key that is known. */
  #openKeyrings(space: State): void {
    for (const table of ['keyring', 'lock'])
      for (const [, record] of space.entries(table))
        for (const box of boxesIn(record)) {
          const secret = this.#unseal(box);
          if (secret !== undefined) this.#learn(secret);
        }
  }

  #openEpoch(id: EntryId, { wraps, lock, above, previous = [] }: EpochRecord): void {
    const under = (purpose: string, epoch: EntryId, box: Uint8Array): Uint8Array | undefined => {
      const known = this.#keys.get(epoch);
      return known === undefined ? undefined : openWith(derive(purpose, known), box);
    };
    const key =
      this.#keys.get(id) ??
      wraps.reduce<Uint8Array | undefined>(
        (found, [, , box]) => found ?? this.#unseal(box),
        lock?.box == null ? undefined : this.#unseal(lock.box),
      ) ??
      (above === undefined ? undefined : under('epoch within', above.epoch, above.box));
    if (key === undefined) return;
    this.#keys.set(id, key);
    const secret = lock?.secret == null ? undefined : under('epoch lock', id, lock.secret);
    if (secret !== undefined) this.#learn(secret);
    for (const { epoch, box } of previous) {
      const before = under('epoch previous', id, box);
      if (before !== undefined) this.#keys.set(epoch, before);
    }
  }

  /** A secret opens what is sealed to it, whatever it was made for. */
  #learn(secret: Uint8Array): void {
    for (const key of [new SealingKey(secret), new Keyring(1, secret).box])
      if (!this.#boxes.some((known) => Buffer.from(known.secret).equals(key.secret)))
        this.#boxes.push(key);
  }

  #unseal(box: Uint8Array): Uint8Array | undefined {
    for (const key of this.#boxes) {
      const secret = key.open(box);
      if (secret !== undefined) return secret;
    }
    return undefined;
  }

  /** Texts of a stream that can be read, in order; null for one that cannot. */
  async reads(stream: StreamName): Promise<(string | null)[]> {
    const texts: (string | null)[] = [];
    const { length } = this.#log.headOf(stream);
    for await (const { item } of this.#log.items(stream, 0, length)) {
      const entry = item.type === 'entry' ? item.entry : undefined;
      const action = entry && conversationAction(entry);
      if (entry?.salt === undefined || !isMessage(entry) || action?.kind !== 'sealed') continue;
      const { epoch, box } = action.body;
      const plain = [...this.#keys.values()]
        .map((key) => openBody(key, epoch, entry, entry.salt!, box))
        .find((one) => one !== undefined);
      texts.push(plain === undefined ? null : (decode(plain) as { text: string }).text);
    }
    return texts;
  }
}

/** Every byte string in plain data. */
function boxesIn(value: unknown): Uint8Array[] {
  if (value instanceof Uint8Array) return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap((one) => boxesIn(one));
}

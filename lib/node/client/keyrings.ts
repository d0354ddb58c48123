/** The generations of this account's keyring, as far as this device has them. */
import { equal } from '../../crdt/bytes.ts';
import { Keyring, openByDevice, reachable } from '../../crdt/keyring.ts';
import {
  SealingKey,
  sealTo,
  type AccountId,
  type PublicKey,
  type RandomBytes,
} from '../../crdt/keys.ts';
import { accountOf, deviceOf, type AccountRecord, type KeyringPublic } from '../../crdt/records.ts';
import type { Reader } from '../../crdt/state.ts';
import { ClchatError } from '../../errors.ts';
import type { Keystore } from '../keystore.ts';
import { withKeyring } from './auth.ts';

export interface KeyringsOptions {
  readonly keystore: Keystore;
  readonly account: AccountId;
  readonly device: PublicKey;
  readonly random: RandomBytes;
  readonly space: () => Reader;
  readonly onFault: (error: unknown) => void;
}

/** A new generation: its public half, and its secret for all who are to have it. */
export interface Renewal {
  readonly keyring: KeyringPublic;
  readonly wraps: readonly (readonly [PublicKey, Uint8Array])[];
  readonly previous: Uint8Array;
}

export class Keyrings {
  readonly #options: KeyringsOptions;
  readonly #known = new Map<number, Keyring>();
  /** Present generation and stamp of the keyrings when all that can be reached was here. */
  #refreshed: string | undefined;

  constructor(options: KeyringsOptions) {
    this.#options = options;
  }

  get #record(): AccountRecord | undefined {
    return accountOf(this.#options.space(), this.#options.account);
  }

  get(generation: number): Keyring | undefined {
    let keyring = this.#known.get(generation);
    if (keyring === undefined) {
      const kept = this.#options.keystore
        .read()
        .keyring.find((one) => one.generation === generation);
      if (kept === undefined) return undefined;
      keyring = new Keyring(generation, kept.secret);
      const present = this.#record?.keyring;
      // One of an account that came to nothing must not stand in the way of the account's own.
      if (present?.generation === generation && !isSame(keyring.public, present)) return undefined;
      this.#known.set(generation, keyring);
    }
    return keyring;
  }

  /** The present generation. @throws STALE_KEY when this device does not have it */
  get present(): Keyring {
    const generation = this.#record?.keyring.generation;
    const keyring = generation === undefined ? undefined : this.get(generation);
    if (keyring === undefined) throw new ClchatError('STALE_KEY');
    return keyring;
  }

  /** Takes what generations can be reached from here into the keystore. */
  async refresh(): Promise<void> {
    const { keystore, account, device, onFault } = this.#options;
    const space = this.#options.space();
    const generation = this.#record?.keyring.generation;
    if (generation === undefined) return;
    // Asked after each change of the space, most of which are none of its keyrings.
    const state = `${generation} ${space.stamp('keyring')}`;
    if (this.#refreshed === state) return;
    try {
      const newest =
        this.get(generation) ??
        openByDevice(
          space,
          account,
          generation,
          device,
          new SealingKey(keystore.read().device.sealing),
        );
      if (newest === undefined) return;
      const missing: Keyring[] = [];
      for (const keyring of reachable(space, account, newest)) {
        const known = this.get(keyring.generation);
        if (known !== undefined && isSame(known.public, keyring.public)) {
          if (keyring !== newest) break;
        } else missing.push(keyring);
      }
      if (missing.length === 0) {
        this.#refreshed = state;
        return;
      }
      await this.keep(missing);
      for (const { generation: other } of missing) this.#known.delete(other);
    } catch (error) {
      onFault(error);
    }
  }

  async keep(keyrings: readonly Keyring[]): Promise<void> {
    await this.#options.keystore.update((record) => ({
      ...record,
      keyring: keyrings.reduce(withKeyring, record.keyring),
    }));
  }

  /** A new generation for so many devices. */
  renew(devices: readonly PublicKey[]): { renewal: Renewal; keyring: Keyring } {
    const { random } = this.#options;
    const space = this.#options.space();
    const old = this.present;
    const keyring = Keyring.create(old.generation + 1, random);
    const wraps = devices.map((key): [PublicKey, Uint8Array] => {
      const sealing = deviceOf(space, key)?.sealing;
      if (sealing === undefined) throw new ClchatError('NO_SUCH_DEVICE');
      return [key, sealTo(sealing, keyring.secret, random)];
    });
    const previous = keyring.sealPrevious(old, random);
    return { renewal: { keyring: keyring.public, wraps, previous }, keyring };
  }

  /** What shuts a device out and begins a new generation, for those that remain. */
  revocation(device: PublicKey, rest: readonly PublicKey[]): { body: unknown; keyring: Keyring } {
    const { renewal, keyring } = this.renew(rest);
    const key = this.#record?.password;
    const password = key == null ? null : sealTo(key, keyring.secret, this.#options.random);
    return { body: { device, ...renewal, password }, keyring };
  }
}

function isSame(a: KeyringPublic, b: KeyringPublic): boolean {
  return a.sign === b.sign && equal(a.box, b.box);
}

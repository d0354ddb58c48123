/**
 * Keyrings: an account's own secret, one a generation. From it come the key to which others seal
 * conversation keys, and the key that vouches for the account's devices. A generation ends when a
 * device is revoked or the password is reset; each holds the one before it, so that who has the
 * newest has all.
 */
import { sha256, utf8 } from './bytes.ts';
import {
  openWith,
  SealingKey,
  sealTo,
  sealWith,
  SigningKey,
  type AccountId,
  type PublicKey,
  type RandomBytes,
} from './keys.ts';
import type { KeyringPublic, KeyringRecord } from './records.ts';
import { DEVICE_TAG, deviceStatement } from './space.ts';
import type { Reader } from './state.ts';

/** 32 bytes for one purpose, made of a secret. */
export function derive(purpose: string, secret: Uint8Array): Uint8Array {
  return Uint8Array.from(sha256(utf8(`clchat ${purpose} v1\0`), secret));
}

/** One generation of a keyring. */
export class Keyring {
  readonly generation: number;
  /** 32 bytes. */
  readonly secret: Uint8Array;
  readonly box: SealingKey;
  readonly sign: SigningKey;

  constructor(generation: number, secret: Uint8Array) {
    this.generation = generation;
    this.secret = secret;
    this.box = new SealingKey(derive('keyring box', secret));
    this.sign = new SigningKey(derive('keyring sign', secret));
  }

  static create(generation: number, random: RandomBytes): Keyring {
    return new Keyring(generation, Uint8Array.from(random(32)));
  }

  get public(): KeyringPublic {
    return { generation: this.generation, box: this.box.public, sign: this.sign.public };
  }

  /** Vouches for a device of the account. */
  vouch(server: PublicKey, account: AccountId, device: PublicKey, sealing: Uint8Array): Uint8Array {
    const statement = deviceStatement(server, account, device, sealing, this.generation);
    return this.sign.sign(DEVICE_TAG, statement);
  }

  /** The generation before, for whoever has this one. */
  sealPrevious(previous: Keyring, random: RandomBytes): Uint8Array {
    return sealWith(derive('keyring previous', this.secret), previous.secret, random);
  }

  openPrevious(sealed: Uint8Array): Keyring | undefined {
    const secret = openWith(derive('keyring previous', this.secret), sealed);
    return secret === undefined ? undefined : new Keyring(this.generation - 1, secret);
  }
}

/** The key pair that only a right password yields, made of OPAQUE's export key. */
export function passwordKey(exportKey: Uint8Array): SealingKey {
  return new SealingKey(derive('password', exportKey));
}

export interface PasswordKeys {
  readonly key: Uint8Array;
  readonly wrap: Uint8Array;
}

/** What stands in the log so that the password opens the keyring. */
export function wrapForPassword(
  keyring: Keyring,
  exportKey: Uint8Array,
  random: RandomBytes,
): PasswordKeys {
  const { public: key } = passwordKey(exportKey);
  return { key, wrap: sealTo(key, keyring.secret, random) };
}

function keyringRecord(
  space: Reader,
  account: AccountId,
  generation: number,
): KeyringRecord | undefined {
  return space.get<KeyringRecord>('keyring', `${account}:${generation}`);
}

/** Opens the present generation with the password's key; undefined when it does not. */
export function openByPassword(
  space: Reader,
  account: AccountId,
  generation: number,
  key: SealingKey,
): Keyring | undefined {
  const sealed = keyringRecord(space, account, generation)?.password;
  const secret = sealed == null ? undefined : key.open(sealed);
  return secret === undefined ? undefined : new Keyring(generation, secret);
}

/** Opens a generation with the key of a device for which it was wrapped. */
export function openByDevice(
  space: Reader,
  account: AccountId,
  generation: number,
  device: PublicKey,
  sealing: SealingKey,
): Keyring | undefined {
  const wrap = keyringRecord(space, account, generation)?.wraps.find(([key]) => key === device);
  const secret = wrap === undefined ? undefined : sealing.open(wrap[1]);
  return secret === undefined ? undefined : new Keyring(generation, secret);
}

/** All generations that can be reached from one, itself first. */
export function* reachable(space: Reader, account: AccountId, from: Keyring): Generator<Keyring> {
  let keyring: Keyring | undefined = from;
  while (keyring !== undefined) {
    yield keyring;
    const sealed: Uint8Array | null | undefined = keyringRecord(
      space,
      account,
      keyring.generation,
    )?.previous;
    keyring = sealed == null ? undefined : keyring.openPrevious(sealed);
  }
}

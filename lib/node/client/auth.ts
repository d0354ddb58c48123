/** Becoming somebody: registration, password login of a further device, new passwords. */
import { encode } from '../../crdt/codec.ts';
import { redeem } from '../../crdt/codes.ts';
import { encodeEntry, newSalt, signEntry, type Entry } from '../../crdt/entry.ts';
import { Keyring, passwordKey, wrapForPassword } from '../../crdt/keyring.ts';
import {
  SealingKey,
  sealTo,
  SigningKey,
  type AccountId,
  type EntryId,
  type PublicKey,
  type RandomBytes,
} from '../../crdt/keys.ts';
import { ClchatError, codeOf, type ErrorCode } from '../../errors.ts';
import type { Clock } from '../../lifecycle.ts';
import {
  become,
  joinKeyrings,
  makeVerifier,
  setAside,
  type Keystore,
  type KeystoreRecord,
  type Membership,
  type Verifier,
} from '../keystore.ts';
import type { OpaqueClient } from '../opaque.ts';
import type { Renewal } from './keyrings.ts';
import type { Link } from './link.ts';

export interface AuthOptions {
  readonly keystore: Keystore;
  readonly opaque: OpaqueClient;
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** What people know this installation by. */
  readonly label: string;
}

/** Where the next entry of this device in the space stream goes. */
export interface SpacePlace {
  readonly seq: number;
  readonly previous: EntryId | null;
  readonly clock: number;
}

/** The place of a device that has never written. */
export const FIRST_PLACE: SpacePlace = { seq: 1, previous: null, clock: 1 };

export interface Proof {
  readonly account: AccountId;
  readonly name: string;
  readonly generation: number;
  readonly wrap: Uint8Array | null;
  readonly passwordVersion: number;
  readonly exportKey: Uint8Array;
}

/**
 * Codes after which an entry may stand in the log all the same: the answer did not come, or was none,
 * or the server's disk failed it and may show the write after a restart. Others are its verdict.
 */
const UNSURE = new Set<ErrorCode>([
  'CLOSED',
  'TIMEOUT',
  'BAD_MESSAGE',
  'DISK_FULL',
  'DATA_READ_ONLY',
  'DATA_CORRUPT',
  'INTERNAL',
]);

/** Told when a wrong password has locked the account: the seconds. */
export type OnLocked = (seconds: number) => void;

export class Auth {
  readonly #options: AuthOptions;

  constructor(options: AuthOptions) {
    this.#options = options;
  }

  /** Signs an entry of the space stream that goes to the server outside the outbox. */
  spaceEntry(link: Link, kind: string, body: unknown, place: SpacePlace): Entry {
    const { keystore, clock, random } = this.#options;
    return signEntry(
      new SigningKey(keystore.read().device.seed),
      { server: link.server, stream: 'space', time: clock.now(), kind, ...place },
      encode(body),
      newSalt(random),
    );
  }

  /** Begun before it is needed: it takes as long as the server's answers, and beside them. */
  #verifier(password: string): Promise<Verifier> {
    const verifier = makeVerifier(password, this.#options.random);
    verifier.catch(() => undefined);
    return verifier;
  }

  #sealing(): SealingKey {
    return new SealingKey(this.#options.keystore.read().device.sealing);
  }

  async #membership(
    link: Link,
    account: { id: AccountId; name: string },
    password: { verifier: Promise<Verifier>; version: number } | undefined,
    { generation, secret }: Keyring,
  ): Promise<Membership> {
    const known =
      password === undefined
        ? {}
        : {
            passwordVersion: password.version,
            verifier: await password.verifier,
          };
    return {
      account: { ...account, ...known },
      keyring: [{ generation, secret }],
      server: { key: link.server, name: link.hello.name },
    };
  }

  /**
   * Asks the server to make this device one of an account. Until it has, what the device would then
   * have is kept aside: a keyring that the server never sealed would pass for the one of another
   * account that is entered later, and one that it sealed must be here, whatever becomes of the answer.
   */
  async #join(membership: Membership, ask: () => Promise<unknown>): Promise<void> {
    const { keystore } = this.#options;
    const { aside } = keystore.read();
    await keystore.update((record) => setAside(record, membership));
    try {
      await ask();
    } catch (error) {
      // Should this fail it does no harm: what is aside is used only where the server names its account.
      if (!UNSURE.has(codeOf(error)))
        await keystore.update((record) => ({ ...record, aside })).catch(() => undefined);
      throw error;
    }
    await keystore.update((record) => become(record, membership));
  }

  /**
   * Makes a new account with this device as its first.
   * @param password none: the account lives by its devices alone
   * @param code of an invitation
   * @throws NAME_TAKEN, BAD_NAME, CODE_REQUIRED, BAD_CODE
   */
  async register(
    link: Link,
    name: string,
    password: string | undefined,
    code?: string,
  ): Promise<AccountId> {
    const { random, keystore } = this.#options;
    const device = new SigningKey(keystore.read().device.seed).public;
    const keyring = Keyring.create(1, random);
    const verifier = password === undefined ? undefined : this.#verifier(password);
    const secret =
      password === undefined ? undefined : await this.#registration(link, name, password);
    const body = {
      name,
      device: { sealing: this.#sealing().public, label: this.#options.label },
      keyring: keyring.public,
      password: secret === undefined ? null : wrapForPassword(keyring, secret.exportKey, random),
      ...(code === undefined ? {} : { code: redeem(code, link.server, device, 'space') }),
    };
    const entry = this.spaceEntry(link, 'account', body, FIRST_PLACE);
    const account = entry.id.slice(0, 32) as AccountId;
    const membership = await this.#membership(
      link,
      { id: account, name },
      verifier && { verifier, version: 1 },
      keyring,
    );
    const request = { entry: encodeEntry(entry), record: secret?.record ?? null };
    await this.#join(membership, () => link.session.call('signup', request));
    return account;
  }

  async #registration(
    link: Link,
    name: string,
    password: string,
  ): Promise<{ record: Uint8Array; exportKey: Uint8Array }> {
    const { opaque } = this.#options;
    const { request, state } = await opaque.registerStart({ password });
    const { response } = await link.session.call('registerStart', { name, request });
    return opaque.registerFinish({ password, state, response, server: link.server });
  }

  /**
   * Proves the password to the server.
   * @throws NO_SUCH_USER, BAD_PASSWORD, LOCKED
   */
  async prove(link: Link, name: string, password: string, onLocked: OnLocked): Promise<Proof> {
    const { opaque } = this.#options;
    const { request, state } = await opaque.loginStart({ password });
    const { response } = await link.session.call('loginStart', { name, request });
    const finished = await opaque.loginFinish({ password, state, response, server: link.server });
    if (finished === undefined) {
      const { lockedSeconds } = await link.session.call('loginFailed', {});
      if (lockedSeconds > 0) onLocked(lockedSeconds);
      throw new ClchatError(
        'BAD_PASSWORD',
        lockedSeconds > 0
          ? `Wrong password. The account is locked for ${lockedSeconds} seconds.`
          : undefined,
        { data: { lockedSeconds } },
      );
    }
    const proof = await link.session.call('loginFinish', { finish: finished.finish });
    return { ...proof, exportKey: finished.exportKey };
  }

  /** Logs in with the password and adds this device to the account. */
  async enrol(link: Link, name: string, password: string, onLocked: OnLocked): Promise<AccountId> {
    const verifier = this.#verifier(password);
    const proof = await this.prove(link, name, password, onLocked);
    const secret = proof.wrap === null ? undefined : passwordKey(proof.exportKey).open(proof.wrap);
    if (secret === undefined)
      throw new ClchatError(
        'DATA_CORRUPT',
        'The password does not open the keyring of the account.',
      );
    const keyring = new Keyring(proof.generation, secret);
    const device = new SigningKey(this.#options.keystore.read().device.seed).public;
    const sealing = this.#sealing().public;
    const body = {
      account: proof.account,
      device: { sealing, label: this.#options.label },
      generation: proof.generation,
      proof: keyring.vouch(link.server, proof.account, device, sealing),
    };
    const entry = this.spaceEntry(link, 'device', body, FIRST_PLACE);
    const membership = await this.#membership(
      link,
      { id: proof.account, name: proof.name },
      { verifier, version: proof.passwordVersion },
      keyring,
    );
    await this.#join(membership, () => link.session.call('enrol', { entry: encodeEntry(entry) }));
    return proof.account;
  }

  /** Keeps a password that the server has found right, so that it can be told while it is away. */
  async remember(password: string, version: number): Promise<void> {
    const verifier = await makeVerifier(password, this.#options.random);
    await this.#options.keystore.update((record) =>
      record.account === undefined
        ? record
        : { ...record, account: { ...record.account, passwordVersion: version, verifier } },
    );
  }

  /**
   * Sets a new password.
   * @param old undefined for an account that has none
   * @param renewal a new generation of the keyring with it: then `keyring` is that one
   * @throws BAD_PASSWORD, LOCKED
   */
  async changePassword(
    link: Link,
    change: {
      name: string;
      old: string | undefined;
      fresh: string;
      keyring: Keyring;
      renewal?: Renewal | undefined;
      version: number;
    },
    place: SpacePlace,
    onLocked: OnLocked,
  ): Promise<void> {
    const { opaque, random } = this.#options;
    const { name, old, fresh, keyring, renewal } = change;
    if (old !== undefined) await this.prove(link, name, old, onLocked);
    const { request, state } = await opaque.registerStart({ password: fresh });
    const { response } = await link.session.call('passwordStart', { request });
    const { record, exportKey } = await opaque.registerFinish({
      password: fresh,
      state,
      response,
      server: link.server,
    });
    const body = {
      password: wrapForPassword(keyring, exportKey, random),
      ...(renewal === undefined ? {} : { renewal }),
    };
    const entry = this.spaceEntry(link, 'password', body, place);
    await link.session.call('password', { entry: encodeEntry(entry), record });
    await this.remember(fresh, change.version + 1);
  }

  /**
   * Redeems a reset code: a new password and a new keyring, on this device.
   * @throws BAD_CODE, NO_SUCH_USER
   */
  async recover(
    link: Link,
    name: string,
    code: string,
    password: string,
    place: SpacePlace,
  ): Promise<AccountId> {
    const { opaque, random } = this.#options;
    const { request, state } = await opaque.registerStart({ password });
    const start = await link.session.call('recoverStart', { name, code, request });
    const { record, exportKey } = await opaque.registerFinish({
      password,
      state,
      response: start.response,
      server: link.server,
    });
    const keyring = Keyring.create(start.generation + 1, random);
    const device = new SigningKey(this.#options.keystore.read().device.seed).public;
    const sealing = this.#sealing().public;
    const devices = new Map<PublicKey, Uint8Array>([...start.devices, [device, sealing]]);
    const body = {
      account: start.account,
      code,
      device: { sealing, label: this.#options.label },
      keyring: keyring.public,
      wraps: [...devices].map(([key, to]) => [key, sealTo(to, keyring.secret, random)]),
      password: wrapForPassword(keyring, exportKey, random),
    };
    const entry = this.spaceEntry(link, 'recover', body, place);
    // Nothing is kept before the server has it: the entry itself brings the keyring to this device.
    await link.session.call('recover', { entry: encodeEntry(entry), record });
    const account = { id: start.account, name };
    const membership = await this.#membership(link, account, undefined, keyring);
    await this.#options.keystore.update((known) => become(known, membership));
    return start.account;
  }
}

/** The keystore's keyrings with one more. */
export function withKeyring(
  known: KeystoreRecord['keyring'],
  keyring: Keyring,
): KeystoreRecord['keyring'] {
  return joinKeyrings(known, [{ generation: keyring.generation, secret: keyring.secret }]);
}

/** The ways to be logged in at a server: by the device, a password, a code; and another password. */
import type { AccountId } from '../../crdt/keys.ts';
import { ClchatError } from '../../errors.ts';
import { matchesPassword, type Keystore } from '../keystore.ts';
import { FIRST_PLACE, type Auth } from './auth.ts';
import type { Home } from './home.ts';
import type { Link } from './link.ts';
import { inTurn } from './space-turn.ts';

export interface AccessOptions {
  readonly auth: Auth;
  readonly keystore: Keystore;
  /** @throws NETWORK */
  readonly link: () => Link;
  /** What this device has of its account, once there is any. */
  readonly home: () => Home | undefined;
  /** A wrong password has locked an account for so many seconds. */
  readonly onLocked: (name: string, seconds: number) => void;
}

/** Who is logged in, and over which connection. */
export interface Entrance {
  readonly link: Link;
  readonly account: AccountId;
}

export class Access {
  readonly #options: AccessOptions;

  constructor(options: AccessOptions) {
    this.#options = options;
  }

  /**
   * Logs in as the account this device belongs to, by the device's key.
   * @param password where the person gave one: it has to be right
   * @throws REVOKED, NOT_LOGGED_IN (the server does not know the device), BAD_PASSWORD, LOCKED, NETWORK
   */
  async byDevice(password?: string): Promise<Entrance> {
    const link = this.#options.link();
    const { hello } = link;
    if (hello.revoked) throw new ClchatError('REVOKED');
    if (hello.account === null) throw new ClchatError('NOT_LOGGED_IN');
    const { id, name, passwordVersion } = hello.account;
    if (password !== undefined && passwordVersion > 0)
      await this.#check(link, name, password, passwordVersion);
    link.prepareSync();
    await link.session.call('login', {});
    return { link, account: id };
  }

  /** Here where this device can tell, else at the server, where a wrong one counts. */
  async #check(link: Link, name: string, password: string, version: number): Promise<void> {
    const { keystore, auth } = this.#options;
    const isCurrent = keystore.read().account?.passwordVersion === version;
    if (isCurrent && (await this.isKnown(password)) === true) return;
    await auth.prove(link, name, password, this.#lockedOf(name));
    await auth.remember(password, version);
  }

  #lockedOf(name: string): (seconds: number) => void {
    return (seconds) => this.#options.onLocked(name, seconds);
  }

  /** Whether a password is the one that this device knows; undefined where it knows none. */
  async isKnown(password: string): Promise<boolean | undefined> {
    const record = this.#options.keystore.read();
    if (record.account?.verifier === undefined) return undefined;
    return matchesPassword(record, password);
  }

  /** Logs in with a password, adding this device to the account. @throws as `Auth.enrol`, NETWORK */
  async byPassword(name: string, password: string): Promise<Entrance> {
    const link = this.#options.link();
    link.prepareSync();
    const account = await this.#options.auth.enrol(link, name, password, this.#lockedOf(name));
    return { link, account };
  }

  /**
   * Makes a new account, by the code of an invitation where there is one.
   * @throws as `Auth.register`, NETWORK
   */
  async register(name: string, password: string | undefined, code?: string): Promise<Entrance> {
    const link = this.#options.link();
    link.prepareSync();
    return { link, account: await this.#options.auth.register(link, name, password, code) };
  }

  /** Redeems a reset code. @throws as `Auth.recover`, NETWORK */
  async recover(name: string, code: string, password: string): Promise<Entrance> {
    const { auth, home } = this.#options;
    const link = this.#options.link();
    const place = home()?.spacePlace ?? FIRST_PLACE;
    return { link, account: await auth.recover(link, name, code, password, place) };
  }

  /**
   * Proves that this person knows the password of another account, as a login there would, for what
   * is submitted next. @throws as `Auth.prove`, NETWORK
   */
  async proveOther(name: string, password: string): Promise<void> {
    // A lock of the other account is not this person's: the error tells of it.
    await this.#options.auth.prove(this.#options.link(), name, password, () => undefined);
  }

  /** Whether the old password is needed for a new one: a restored server may have lost it. */
  async #hasPassword({ record }: Home): Promise<boolean> {
    if (record?.password == null) return false;
    // Before the first one is changed nothing else may be asked.
    const { session } = this.#options.link();
    return (
      record.mustChange === true || (await session.call('lookup', { name: record.name })).password
    );
  }

  /**
   * Changes the password; see `Auth.changePassword`. One made by somebody else takes its keyring
   * along. @throws USAGE (the old one is missing), NETWORK, and as there
   */
  async changePassword(home: Home, old: string | undefined, fresh: string): Promise<void> {
    const { record } = home;
    if (record === undefined) throw new ClchatError('NETWORK');
    const isAsked = await this.#hasPassword(home);
    if (isAsked && old === undefined)
      throw new ClchatError('USAGE', 'Give the old password as well.');
    const { keyring, renewal } =
      record.mustChange === true
        ? home.keyrings.renew(home.devices().map(({ key }) => key))
        : { keyring: home.keyrings.present, renewal: undefined };
    if (renewal !== undefined) await home.keyrings.keep([keyring]);
    const change = {
      name: record.name,
      old: isAsked ? old : undefined,
      fresh,
      keyring,
      renewal,
      version: record.passwordVersion,
    };
    const { auth, link } = this.#options;
    await inTurn(home, (place) =>
      auth.changePassword(link(), change, place, this.#lockedOf(record.name)),
    );
  }
}

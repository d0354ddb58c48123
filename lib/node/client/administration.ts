/** Accounts that are made for others. */
import { encodeEntry, type Entry } from '../../crdt/entry.ts';
import { Keyring, wrapForPassword } from '../../crdt/keyring.ts';
import type { AccountId, RandomBytes } from '../../crdt/keys.ts';
import type { Reply } from '../exchange.ts';
import type { OpaqueClient } from '../opaque.ts';
import type { SESSION } from '../wire.ts';
import type { SpacePlace } from './auth.ts';
import type { Home } from './home.ts';
import type { Link } from './link.ts';
import { inTurn } from './space-turn.ts';

export interface AdministrationOptions {
  /** @throws NOT_LOGGED_IN */
  readonly home: () => Home;
  /** @throws NETWORK */
  readonly link: () => Link;
  readonly opaque: OpaqueClient;
  readonly random: RandomBytes;
  /** Signs an entry of the space stream outside the outbox. */
  readonly sign: (link: Link, kind: string, body: unknown, place: SpacePlace) => Entry;
}

export interface NewUser {
  readonly name: string;
  readonly group: string;
  /** Its first password. */
  readonly password: string;
  /** Where the account gets its mails: the password too, where the server can send any. */
  readonly email?: string | undefined;
}

export class Administration {
  readonly #options: AdministrationOptions;

  constructor(options: AdministrationOptions) {
    this.#options = options;
  }

  /**
   * Makes an account for somebody else, who has to change its password at once.
   * @returns the account, and whether its password was mailed
   * @throws as the server refuses, NETWORK
   */
  async createUser(user: NewUser): Promise<Reply<typeof SESSION, 'createUser'>> {
    const { opaque, random, sign } = this.#options;
    const { name, group, password, email } = user;
    const link = this.#options.link();
    return inTurn(this.#options.home(), async (place) => {
      const { request, state } = await opaque.registerStart({ password });
      const { response, mails } = await link.session.call('createUserStart', { name, request });
      const { server } = link;
      const { record, exportKey } = await opaque.registerFinish({
        password,
        state,
        response,
        server,
      });
      // Its secret is forgotten here; with the new password comes another.
      const keyring = Keyring.create(1, random);
      const wrapped = wrapForPassword(keyring, exportKey, random);
      const body = { name, group, keyring: keyring.public, password: wrapped };
      const mailing = email === undefined ? {} : { email, ...(mails ? { password } : {}) };
      const entry = encodeEntry(sign(link, 'createuser', body, place));
      return link.session.call('createUser', { entry, record, ...mailing });
    });
  }

  /** Where an account gets its mails; null: nowhere. @throws as the server refuses, NETWORK */
  async setEmail(account: AccountId, email: string | null): Promise<void> {
    await this.#options.link().session.call('setEmail', { account, email });
  }

  /** Mails the code of a reset that was sealed, where the server can. @throws as it refuses, NETWORK */
  mailReset(account: AccountId, code: string): Promise<Reply<typeof SESSION, 'mailReset'>> {
    return this.#options.link().session.call('mailReset', { account, code });
  }

  /** Logs an account out everywhere. @throws as the server refuses, NETWORK */
  async kick(account: AccountId): Promise<void> {
    await this.#options.link().session.call('kick', { account });
  }
}

/** Which server logins go to, and how it is come by. */
import type { PublicKey, RandomBytes } from '../crdt/keys.ts';
import { ClchatError, codeOf, hasCode, translate } from '../errors.ts';
import { parseEndpoint } from '../interfaces.ts';
import type { Log } from '../log.ts';
import { clean } from '../text.ts';
import { isAway } from './entering.ts';
import {
  candidates,
  findServer,
  isBareHost,
  probe,
  probeAny,
  probeFor,
  remembered,
  type Found,
} from './finding.ts';
import { parseInviteLink, type InviteLink } from './invite-link.ts';
import type { KnownProfile, Places } from './places.ts';
import type { AppEvent, Ask } from './types.ts';

/** What is known of the server to find. */
export interface Where {
  /** `IP` or `IP:PORT`. */
  readonly connect?: string;
  /** An invite link. */
  readonly invite?: string;
  /** Its name on the LAN. */
  readonly server?: string;
  /** Who is to log in there. */
  readonly user?: string;
  /** Ask it even where its key is known from before. */
  readonly mustAnswer?: boolean;
}

export interface SeekingOptions {
  readonly places: Places;
  readonly random: RandomBytes;
  readonly log: Log;
  readonly tell: (event: AppEvent) => void;
}

export class Seeking {
  readonly #options: SeekingOptions;
  #found: Found | undefined;

  constructor(options: SeekingOptions) {
    this.#options = options;
  }

  /** The server that logins go to. */
  get found(): Found | undefined {
    return this.#found;
  }

  /** The server that runs in this process is the one. */
  take(found: Found): void {
    this.#found = found;
  }

  /** Gives up the server found before, and looking for it. */
  forget(): void {
    this.#found?.stop();
    this.#found = undefined;
  }

  /**
   * Finds the server to join: by an invite link, at an address, or on the LAN. One that is refused is
   * forgotten.
   * @throws NO_SERVER, AMBIGUOUS_SERVER, MULTICAST_BLOCKED, NETWORK, SERVER_KEY_CHANGED, BAD_INVITE
   */
  async find(where: Where, ask: Ask | undefined): Promise<void> {
    this.forget();
    const { places, log } = this.#options;
    const known = await places.known(where.user);
    const { connect, invite } = where;
    if (invite !== undefined) {
      const link = parseInviteLink(invite);
      const profile = known.find(({ about }) => about.server === link.key);
      // A person is told before being asked for anything that the server is not there.
      this.#found =
        ask === undefined && where.mustAnswer !== true
          ? this.#unasked(link, profile)
          : await this.#byLink(link, profile, where.mustAnswer);
      return;
    }
    try {
      this.#found =
        connect === undefined
          ? await this.#onLan(where, known, ask)
          : await this.#at(connect, known, where.mustAnswer);
    } catch (error) {
      const profile = await places.meant(known, where);
      if (!isAway(error) || profile === undefined) throw error;
      // Known from before: one reads and writes while the server is away.
      log.fault(error);
      const addresses = connect === undefined ? undefined : await this.#usual(profile, connect);
      this.#found = remembered(profile, addresses);
    }
  }

  /** The link says who the server is: nothing is taken on trust. */
  async #byLink(
    link: InviteLink,
    profile: KnownProfile | undefined,
    mustAnswer = false,
  ): Promise<Found> {
    const { places, random, log } = this.#options;
    try {
      const found = await probeFor(link, random, log);
      if (found.reached !== undefined) await places.vouch(found.reached, found);
      return found;
    } catch (error) {
      if (!isAway(error) || profile === undefined || mustAnswer) throw explained(error);
      log.fault(error);
      return remembered(profile, link.addresses);
    }
  }

  /** The link says who the server is and where: it is asked when somebody logs in. */
  #unasked(link: InviteLink, profile: KnownProfile | undefined): Found {
    const { places } = this.#options;
    return {
      key: link.key,
      name: profile?.about.serverName ?? '',
      addresses: () => link.addresses,
      stop: () => undefined,
      explain: explained,
      onReached: (address, name) => places.vouch(address, { key: link.key, name }),
    };
  }

  async #at(connect: string, known: readonly KnownProfile[], mustAnswer = false): Promise<Found> {
    const { places, random, log } = this.#options;
    if (isBareHost(connect)) return this.#atHost(connect, known, mustAnswer);
    const [last] = mustAnswer ? [] : await places.metAt(connect);
    const found: Found =
      last === undefined
        ? await probe(connect, random, log)
        : {
            key: last.key,
            name: last.name,
            addresses: () => candidates(connect),
            stop: () => undefined,
          };
    for (const address of candidates(connect)) await places.trust(address, found);
    return found;
  }

  /**
   * Where only the host is given, several servers may answer: those that are known come first, then
   * the lowest port. Each is held against what was met at its own port.
   */
  async #atHost(
    connect: string,
    known: readonly KnownProfile[],
    mustAnswer: boolean,
  ): Promise<Found> {
    const { places, random, log } = this.#options;
    const met = await places.metAt(connect);
    const addresses = [...new Set([...met.map(({ place }) => place), ...candidates(connect)])];
    addresses.sort((a, b) => parseEndpoint(a).port - parseEndpoint(b).port);
    const own = places.ownOf(known);
    const tiers: PublicKey[][] =
      own === undefined
        ? [known.map(({ about }) => about.server), met.map(({ key }) => key)]
        : [[own.about.server]];
    const used = tiers.filter((keys) => keys.length > 0);
    const rank = (key: PublicKey): number => {
      const tier = used.findIndex((keys) => keys.includes(key));
      return tier < 0 ? used.length : tier;
    };
    const found = await probeAny(addresses, rank, random, log);
    const expected = known.find(({ about }) => met.some(({ key }) => key === about.server));
    // Somebody else is there, the one whom this user knows is not: no reason to take them for it.
    if (!mustAnswer && expected !== undefined && !met.some(({ key }) => key === found.key))
      throw new ClchatError('NETWORK');
    await places.trust(found.reached ?? connect, found);
    return found;
  }

  /** Where a known server is to be waited for: other servers may be at other ports of the host. */
  async #usual({ about }: KnownProfile, connect: string): Promise<string[]> {
    const met = await this.#options.places.metAt(connect);
    const own = met.filter(({ key }) => key === about.server).map(({ place }) => place);
    return own.length > 0 ? own : candidates(connect);
  }

  /** Where nothing is found, a person may know the address. */
  async #onLan(where: Where, known: readonly KnownProfile[], ask: Ask | undefined): Promise<Found> {
    const { places } = this.#options;
    const mayBeAway = known.length > 0 && where.server === undefined && ask === undefined;
    try {
      const found = await findServer({ name: where.server, known, mayBeAway, ask });
      await places.trust(found.name, found).catch((error: unknown) => {
        found.stop();
        throw error;
      });
      return found;
    } catch (error) {
      if (ask === undefined || where.mustAnswer === true || !isAway(error)) throw error;
      this.#notice(error);
      return this.#askAddress(ask, await places.meant(known, where), known, error);
    }
  }

  async #askAddress(
    ask: Ask,
    profile: KnownProfile | undefined,
    known: readonly KnownProfile[],
    reason: unknown,
  ): Promise<Found> {
    const question =
      profile === undefined
        ? 'The address of the server (IP:PORT), or Enter to give up'
        : `${clean(profile.about.serverName)} is not there. Its address (IP:PORT), or Enter to go on without it`;
    for (;;) {
      const address = await ask.line(question);
      if (address === '') throw reason;
      try {
        return await this.#at(address, known);
      } catch (error) {
        if (!hasCode(error, 'BAD_ADDRESS')) throw error;
        this.#notice(error);
      }
    }
  }

  #notice(error: unknown): void {
    this.#options.tell({ event: 'notice', code: codeOf(error), text: (error as Error).message });
  }
}

/** What it means that the server of a link was not reached. */
function explained(error: unknown): Error {
  if (hasCode(error, 'SERVER_KEY_CHANGED'))
    return new ClchatError(
      'SERVER_KEY_CHANGED',
      'At the addresses of that link another server answers than the one that it was made by. Ask for a new link.',
      { cause: error },
    );
  if (!isAway(error)) return translate(error);
  return new ClchatError(
    codeOf(error),
    'The server of that link cannot be reached. It may be switched off, or have another address by now: ask for a new link.',
    { cause: error },
  );
}

/** Contacts of this account and requests to and from others, as this device knows of them. */
import { actionOf, type AccountAction } from '../../crdt/bodies.ts';
import {
  isContactAction,
  relationOf,
  type ContactKind,
  type Relation,
} from '../../crdt/contact.ts';
import type { Entry } from '../../crdt/entry.ts';
import type { AccountId } from '../../crdt/keys.ts';
import { deviceOf } from '../../crdt/records.ts';
import type { Replica } from '../../crdt/replica.ts';
import type { Reader } from '../../crdt/state.ts';
import { accountStream, otherOf, pairStream, placeOfStream } from '../../crdt/stream.ts';

/** Something that has been done about a contact. */
export interface ContactNews {
  /** The other account. */
  readonly other: AccountId;
  readonly kind: ContactKind;
  /** By this account, on another of its devices. */
  readonly mine: boolean;
  /** What the two are to each other by now. */
  readonly relation: Relation;
}

export interface ContactsOptions {
  readonly replica: Replica;
  readonly account: AccountId;
}

export class Contacts {
  readonly #options: ContactsOptions;

  constructor(options: ContactsOptions) {
    this.#options = options;
  }

  /**
   * Whether this account blocks another, which hides the two from each other: also by what no server
   * has seen yet.
   */
  async blocks(other: AccountId): Promise<boolean> {
    const { replica, account } = this.#options;
    const stream = accountStream(account);
    const { state } = await replica.log.open(stream);
    let isBlocked = state.get('block', other) === true;
    for (const entry of replica.unsealed(stream)) {
      const action = actionOf(entry, 'account') as AccountAction | undefined;
      if (action?.kind === 'block' && action.body.account === other)
        isBlocked = action.body.blocked;
    }
    return isBlocked;
  }

  /** What somebody is to this account: also by what no server has seen yet. */
  async relation(other: AccountId): Promise<Relation> {
    const { replica, account } = this.#options;
    const stream = pairStream(account, other);
    const { state } = await replica.log.open(stream);
    let relation = relationOf(state, account, other);
    for (const { kind } of replica.unsealed(stream)) relation = after(relation, kind);
    return relation;
  }

  /** Everybody who is something to this account, those whom it blocks left out. */
  async all(): Promise<Map<AccountId, Relation>> {
    const { replica, account } = this.#options;
    const relations = new Map<AccountId, Relation>();
    const streams = new Set(await replica.log.names());
    for (const { stream } of replica.pending()) streams.add(stream);
    for (const stream of streams) {
      const place = placeOfStream(stream);
      const other = place.type === 'pair' ? otherOf(place, account) : undefined;
      if (other === undefined || (await this.blocks(other))) continue;
      const relation = await this.relation(other);
      if (relation !== 'none') relations.set(other, relation);
    }
    return relations;
  }

  /** What an entry of a pair says to this account; undefined for any other, and where it is blocked. */
  async read(entry: Entry, space: Reader): Promise<ContactNews | undefined> {
    const { account } = this.#options;
    const other = otherOf(placeOfStream(entry.stream), account);
    const { kind } = entry;
    if (other === undefined || !isContactAction(entry)) return undefined;
    if (await this.blocks(other)) return undefined;
    const mine = deviceOf(space, entry.device)?.account === account;
    return { other, kind: kind as ContactKind, mine, relation: await this.relation(other) };
  }
}

/** What becomes of a relation by an own entry that is still on its way. */
function after(relation: Relation, kind: string): Relation {
  switch (kind) {
    case 'request':
      return relation === 'incoming' || relation === 'contact' ? 'contact' : 'outgoing';
    case 'accept':
      return relation === 'incoming' ? 'contact' : relation;
    case 'cancel':
    case 'reject':
    case 'unfriend':
      return 'none';
    default:
      return relation;
  }
}

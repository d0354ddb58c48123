/** What happens in the space that this person is told of: codes, groups, who is silenced, what things are called. */
import { actionOf, type SpaceAction } from '../../crdt/bodies.ts';
import type { Entry } from '../../crdt/entry.ts';
import type { AccountId, PublicKey } from '../../crdt/keys.ts';
import { accountOf, deviceOf, type CodeRecord } from '../../crdt/records.ts';
import type { Replica } from '../../crdt/replica.ts';
import { may } from '../../crdt/rights.ts';
import type { Batch } from '../../crdt/seal.ts';

export type AdminNews =
  | {
      /** A code of this account. */
      readonly kind: 'code';
      readonly purpose: CodeRecord['purpose'];
      readonly state: 'issued' | 'redeemed';
      readonly group: string | undefined;
      /** Who redeemed it. */
      readonly by: AccountId | undefined;
    }
  | {
      readonly kind: 'group';
      readonly group: string;
      readonly state: 'created' | 'updated' | 'removed' | 'set';
      /** Who is in it by now. */
      readonly account: AccountId | undefined;
    }
  /** Somebody is silenced for everyone, in all calls, or is not any more. */
  | {
      readonly kind: 'suppress';
      readonly account: AccountId;
      readonly on: boolean;
      readonly by: AccountId | undefined;
    }
  /** This account has another name. */
  | { readonly kind: 'name' }
  /** The server has another name. */
  | { readonly kind: 'server'; readonly name: string };

type Code = Pick<CodeRecord, 'purpose' | 'group'>;
type GroupState = Extract<AdminNews, { kind: 'group' }>['state'];

export class AdminNewsReader {
  readonly #replica: Replica;
  readonly #account: AccountId;
  /** Codes of this account as of the batch before: what redeems one may leave nothing of it. */
  #codes: ReadonlyMap<PublicKey, Code>;

  constructor(replica: Replica, account: AccountId) {
    this.#replica = replica;
    this.#account = account;
    this.#codes = this.#ownCodes();
  }

  #ownCodes(): Map<PublicKey, Code> {
    const codes = new Map<PublicKey, Code>();
    for (const [verifier, code] of this.#replica.space.entries<CodeRecord>('code'))
      if (code.issuer === this.#account) codes.set(verifier as PublicKey, code);
    return codes;
  }

  /** What a batch that was just added to the space tells; what this device did itself left out. */
  read({ seal, items }: Batch): AdminNews[] {
    const replica = this.#replica;
    const codes = new Map(this.#codes);
    const news: AdminNews[] = [];
    items.forEach((item, index) => {
      if (item.type !== 'entry' || replica.isVoid('space', seal.first + index)) return;
      const action = actionOf(item.entry, 'space') as SpaceAction | undefined;
      if (action === undefined) return;
      if (action.kind === 'code' && this.#authorOf(item.entry) === this.#account)
        codes.set(action.body.verifier, action.body);
      const told = this.#readOne(action, item.entry, codes);
      if (item.entry.device !== replica.device) news.push(...told);
    });
    this.#codes = this.#ownCodes();
    return news;
  }

  #authorOf(entry: Entry): AccountId | undefined {
    return deviceOf(this.#replica.space, entry.device)?.account;
  }

  #readOne(action: SpaceAction, entry: Entry, codes: ReadonlyMap<PublicKey, Code>): AdminNews[] {
    const author = this.#authorOf(entry);
    switch (action.kind) {
      case 'code':
        return author === this.#account ? [codeNews(action.body, 'issued', undefined)] : [];
      case 'account': {
        const code = action.body.code && codes.get(action.body.code.verifier);
        return code === undefined ? [] : [codeNews(code, 'redeemed', author)];
      }
      case 'elevate': {
        const code = codes.get(action.body.verifier);
        const group = author && accountOf(this.#replica.space, author)?.group;
        return [
          ...(code === undefined ? [] : [codeNews(code, 'redeemed', author)]),
          ...(group === undefined ? [] : this.#groupNews(group, 'set', author)),
        ];
      }
      case 'setgroup':
        return this.#groupNews(action.body.group, 'set', action.body.account);
      case 'creategroup':
        return this.#groupNews(action.body.name, 'created');
      case 'updategroup':
        return this.#groupNews(action.body.name, 'updated');
      case 'removegroup':
        return this.#groupNews(action.body.name, 'removed');
      case 'updateuser': {
        const isOwn = action.body.account === this.#account && action.body.name !== undefined;
        return isOwn ? [{ kind: 'name' }] : [];
      }
      case 'suppress': {
        const { account, room, on } = action.body;
        // Of those in one room it is told there.
        return room === undefined ? [{ kind: 'suppress', account, on, by: author }] : [];
      }
      case 'renameserver':
        return [{ kind: 'server', name: action.body.name }];
      default:
        return [];
    }
  }

  /** Of groups hears who is concerned, and who may view levels. */
  #groupNews(group: string, state: GroupState, account?: AccountId): AdminNews[] {
    const { space } = this.#replica;
    const concerns =
      account === undefined
        ? accountOf(space, this.#account)?.group === group
        : account === this.#account;
    return concerns || may(space, this.#account, 'viewLevels')
      ? [{ kind: 'group', group, state, account }]
      : [];
  }
}

function codeNews(
  { purpose, group }: Code,
  state: 'issued' | 'redeemed',
  by: AccountId | undefined,
): AdminNews {
  return { kind: 'code', purpose, state, group, by };
}

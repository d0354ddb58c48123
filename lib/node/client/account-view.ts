/** The space as one account on one device sees it: who it is, who else is there, and by what names. */
import type { AccountId, PublicKey } from '../../crdt/keys.ts';
import { accountNamed } from '../../crdt/people.ts';
import {
  accountOf,
  activeDevices,
  deviceOf,
  type AccountRecord,
  type DeviceRecord,
  type HeadRecord,
  type ServerRecord,
} from '../../crdt/records.ts';
import type { Replica } from '../../crdt/replica.ts';
import { pathOf } from '../../crdt/rooms.ts';
import type { Reader } from '../../crdt/state.ts';
import { placeOfStream, type StreamName } from '../../crdt/stream.ts';
import { ClchatError } from '../../errors.ts';
import { mentionsOf } from '../../text.ts';
import type { Keystore } from '../keystore.ts';
import type { SpacePlace } from './auth.ts';

export class AccountView {
  readonly replica: Replica;
  readonly account: AccountId;
  readonly #keystore: Keystore;

  constructor(replica: Replica, account: AccountId, keystore: Keystore) {
    this.replica = replica;
    this.account = account;
    this.#keystore = keystore;
  }

  get space(): Reader {
    return this.replica.space;
  }

  get record(): AccountRecord | undefined {
    return accountOf(this.space, this.account);
  }

  /** The account's name; from the keystore until the log is here. */
  get name(): string {
    return this.record?.name ?? this.#keystore.read().account?.name ?? '';
  }

  get serverName(): string {
    return this.space.get<ServerRecord>('server', 'server')?.name ?? '';
  }

  nameOf(account: AccountId | undefined): string {
    return (account === undefined ? undefined : accountOf(this.space, account)?.name) ?? '?';
  }

  /** @throws NO_SUCH_USER */
  named(name: string): AccountId {
    const account = accountNamed(this.space, name);
    if (account === undefined) throw new ClchatError('NO_SUCH_USER', `There is no user "${name}".`);
    return account;
  }

  names(): string[] {
    return [...this.space.entries<AccountRecord>('account')].flatMap(([, { name, removed }]) =>
      removed === true ? [] : [name],
    );
  }

  /** Whether a text speaks to this account. */
  isMention(text: string): boolean {
    return mentionsOf(text.normalize('NFC'), this.name).length > 0;
  }

  /** The path of a room. */
  roomName(stream: StreamName): string | undefined {
    const place = placeOfStream(stream);
    return place.type === 'room' ? pathOf(this.space, place.room) : undefined;
  }

  /** Those of this account that are not shut out. */
  devices(): { key: PublicKey; record: DeviceRecord }[] {
    return activeDevices(this.space, this.account).map((key) => ({
      key,
      record: deviceOf(this.space, key)!,
    }));
  }

  /** Where the next entry of this device in the space stream goes, outside the outbox. */
  get spacePlace(): SpacePlace {
    const head = this.space.get<HeadRecord>('head', this.replica.device);
    return {
      seq: (head?.seq ?? 0) + 1,
      previous: head?.id ?? null,
      clock: (this.space.get<number>('clock', 'clock') ?? 0) + 1,
    };
  }
}

/** What an account has on a device of a sealed community, fed by hand. */
import assert from 'node:assert/strict';
import type { Entry } from '../../lib/crdt/entry.ts';
import type { EntryId } from '../../lib/crdt/keys.ts';
import type { Outcome } from '../../lib/crdt/sealer.ts';
import { MemoryDisk } from '../../lib/crdt/store-memory.ts';
import type { Store } from '../../lib/crdt/store.ts';
import { pairStream, placeOfStream, type StreamName } from '../../lib/crdt/stream.ts';
import type { ErrorCode } from '../../lib/errors.ts';
import type { ReadMessage } from '../../lib/node/client/reading.ts';
import { Home, type HomeOptions } from '../../lib/node/client/home.ts';
import type { Receipt } from '../../lib/node/client/progress.ts';
import type { ContentNews } from '../../lib/node/client/telling.ts';
import type { Keystore } from '../../lib/node/keystore.ts';
import { memoryKeystore } from '../simulation/world.ts';
import { Random } from '../simulation/random.ts';
import { wireOf, type Member, type SealedCommunity } from './community.ts';

export class HomeBench {
  readonly disk = new MemoryDisk();
  readonly community: SealedCommunity;
  readonly member: Member;
  readonly keystore: Keystore = memoryKeystore(new Random(3));
  readonly messages: ReadMessage[] = [];
  /** What was done about messages. */
  readonly news: ContentNews[] = [];
  readonly receipts: Receipt[] = [];
  readonly refused: { id: EntryId; code: ErrorCode }[] = [];
  readonly faults: unknown[] = [];
  /** How often it was told that the space has moved on. */
  moves = 0;
  home!: Home;
  store!: Store;
  #taken = 0;

  private constructor(community: SealedCommunity, member: Member) {
    this.community = community;
    this.member = member;
  }

  /** The home of a device: up to date and with its keyring, unless told otherwise. */
  static async open(
    community: SealedCommunity,
    member: Member,
    options: { keyring?: boolean; empty?: boolean } = {},
  ): Promise<HomeBench> {
    const bench = new HomeBench(community, member);
    const { keyring } = member;
    await bench.keystore.update((record) => ({
      ...record,
      device: { seed: member.key.seed, sealing: member.sealing.secret },
      account: { id: member.account, name: member.name },
      keyring:
        options.keyring === false
          ? []
          : [{ generation: keyring.generation, secret: keyring.secret }],
    }));
    await bench.start();
    if (options.empty !== true) await bench.catchUp();
    return bench;
  }

  async start(options: Partial<HomeOptions> = {}): Promise<void> {
    const { community, member, keystore } = this;
    this.store = this.disk.open();
    this.home = await Home.open({
      keystore,
      store: this.store,
      server: community.server.id,
      account: member.account,
      clock: community.clock,
      random: community.random,
      onMessage: (message) => this.messages.push(message),
      onContact: () => undefined,
      onContent: (news) => this.news.push(news),
      onAdmin: () => undefined,
      onRoom: () => undefined,
      onReceipt: (receipt) => this.receipts.push(receipt),
      onRefused: (id, code) => this.refused.push({ id, code }),
      onRules: () => this.moves++,
      onFault: (error) => this.faults.push(error),
      ...options,
    });
  }

  /** The program is started again. */
  async restart(options: Partial<HomeOptions> = {}): Promise<void> {
    await this.stop();
    await this.start(options);
  }

  async stop(): Promise<void> {
    await this.home.close();
    await this.store.close();
  }

  /** Takes all that the server has sealed meanwhile and that this account may read. */
  async catchUp(): Promise<void> {
    const { batches } = this.community;
    while (this.#taken < batches.length) {
      const batch = batches[this.#taken++]!;
      if (!this.#mayRead(batch.seal.stream)) continue;
      const { seal, items } = wireOf(batch);
      await this.home.replica.ingest(seal, items);
    }
    await this.home.settled();
  }

  #mayRead(stream: StreamName): boolean {
    const place = placeOfStream(stream);
    const { account } = this.member;
    if (place.type === 'pair') return place.a === account || place.b === account;
    return place.type !== 'account' || place.account === account;
  }

  /**
   * The server judges what waits here, in order, and all that it has sealed comes back.
   * @returns what became of each entry
   */
  async deliver(): Promise<string[]> {
    const { replica, conversations } = this.home;
    const waiting = replica.pending();
    const became: [Entry, Outcome][] = [];
    for (const entry of waiting) became.push([entry, await this.community.submit(entry)]);
    await this.catchUp();
    for (const [entry, outcome] of became)
      if (outcome.type === 'rejected') await replica.withdraw(entry, outcome.code);
    // What was refused through no fault of its own has been made anew.
    for (const stream of new Set(waiting.map((entry) => entry.stream)))
      await conversations.remake(stream);
    return became.map(([, outcome]) => (outcome.type === 'sealed' ? 'sealed' : outcome.code));
  }

  /** Says something to somebody and has it sealed. */
  async say(text: string, stream: StreamName = 'room/lobby'): Promise<EntryId> {
    const { id } = await this.home.conversations.say(stream, text);
    await this.deliver();
    return id;
  }

  /** Its account shuts out a device. */
  async revoke(device: Member): Promise<void> {
    await this.catchUp();
    const { body, keyring } = this.home.revocation(device.id);
    await this.home.keyrings.keep([keyring]);
    await this.home.conversations.act('space', 'revoke', body);
    assert.deepEqual(await this.deliver(), ['sealed']);
  }

  pair(other: { member: Member }): StreamName {
    return pairStream(this.member.account, other.member.account);
  }

  get texts(): string[] {
    return this.messages.map(({ text }) => text);
  }

  /** What can be read of a conversation: texts, and their states where they are not held. */
  async read(stream: StreamName = 'room/lobby', count = 100, unbroken = false): Promise<string[]> {
    const messages = await this.home.conversations.newest(stream, count, unbroken);
    return messages.map(({ text, state, code }) =>
      state === 'held' ? text : `${text} (${[state, code ?? []].flat().join(' ')})`,
    );
  }
}

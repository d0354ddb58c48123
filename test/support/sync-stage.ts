/** A client's replication, alone with a server that is played by hand. */
import { LOBBY_STREAM, type StreamName } from '../../lib/crdt/stream.ts';
import type { Batch } from '../../lib/crdt/seal.ts';
import { ClchatError } from '../../lib/errors.ts';
import type { Receipt } from '../../lib/node/client/progress.ts';
import { SyncClient } from '../../lib/node/client/sync.ts';
import { eventually } from './channels.ts';
import { SealedCommunity, type Member } from './community.ts';
import { InboxBench, ReplicaBench } from './replicas.ts';
import { SyncHub } from './sync-hub.ts';

export class SyncStage {
  community: SealedCommunity;
  readonly alice: Member;
  readonly bob: Member;
  bench!: ReplicaBench;
  news!: InboxBench;
  hub!: SyncHub;
  sync!: SyncClient;
  /** Streams that came as a snapshot. */
  readonly adopted: StreamName[] = [];
  /** Streams that the server does not give any more. */
  readonly lost: StreamName[] = [];
  /** Streams that were taken back, and to where. */
  readonly forks: string[] = [];
  readonly receipts: Receipt[] = [];
  readonly faults: unknown[] = [];
  readonly #hubs: SyncHub[] = [];

  private constructor(community: SealedCommunity, alice: Member, bob: Member) {
    this.community = community;
    this.alice = alice;
    this.bob = bob;
  }

  /** A community of two, the same each time, and a device of the first, which holds nothing yet. */
  static async open(): Promise<SyncStage> {
    const community = await SealedCommunity.found();
    const [alice, bob] = [await community.join('alice'), await community.join('bob')];
    const stage = new SyncStage(community, alice, bob);
    await stage.enter(alice);
    return stage;
  }

  /** A device begins with nothing. */
  async enter(device: Member): Promise<void> {
    this.bench = await ReplicaBench.open(this.community, device);
    this.news = await InboxBench.open(this.bench);
    await this.connect();
  }

  /** A connection to the server, over which nothing has been said. */
  async connect(): Promise<void> {
    const { bench, news } = this;
    this.hub = await SyncHub.open(this.community);
    this.#hubs.push(this.hub);
    this.sync = new SyncClient(this.hub.near, {
      replica: bench.replica,
      inbox: news.inbox,
      onAdopted: (stream) => this.adopted.push(stream),
      onLost: (stream) => this.lost.push(stream),
      onReceipts: (list) => this.receipts.push(...list),
      onForked: async (stream, until) => {
        this.forks.push(`${stream} ${until}`);
        await bench.replica.rewind(stream, until);
        news.inbox.rewind(stream, until);
      },
      onFault: (error) => this.faults.push(error),
    });
  }

  async say(...texts: string[]): Promise<void> {
    for (const text of texts) await this.community.say(this.bob, text);
  }

  get lobby(): Batch[] {
    return this.community.of(LOBBY_STREAM);
  }

  length(stream = LOBBY_STREAM): number {
    return this.bench.replica.log.headOf(stream).length;
  }

  get have(): [number, number][] {
    return this.bench.replica.log.headOf(LOBBY_STREAM).have;
  }

  /** What was asked of the server by one method. */
  asked(method: string): string[] {
    return this.hub.asked.filter((one) => one.startsWith(method));
  }

  reaches(end: number, stream = LOBBY_STREAM): Promise<void> {
    return eventually(`${stream} reaches ${end}`, () => this.length(stream) === end);
  }

  /** Everything the server has sent until now has been taken. */
  async heard(): Promise<void> {
    await this.sync.exchange.call('lengths', { streams: [] });
    await this.sync.settled();
    await this.bench.replica.settled();
  }

  close(): void {
    for (const { exchange } of this.#hubs) exchange.abort(new ClchatError('CLOSED'));
  }
}

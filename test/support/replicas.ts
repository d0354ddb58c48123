/** Replicas of a sealed community, fed by hand. */
import { decode, encode } from '../../lib/crdt/codec.ts';
import { newSalt, type Entry } from '../../lib/crdt/entry.ts';
import type { SigningKey } from '../../lib/crdt/keys.ts';
import { LogStore } from '../../lib/crdt/log-store.ts';
import type { Ingested } from '../../lib/crdt/arrivals.ts';
import { Replica } from '../../lib/crdt/replica.ts';
import type { Batch } from '../../lib/crdt/seal.ts';
import type { Change } from '../../lib/crdt/state.ts';
import { MemoryDisk } from '../../lib/crdt/store-memory.ts';
import type { Store } from '../../lib/crdt/store.ts';
import type { StreamName } from '../../lib/crdt/stream.ts';
import { Inbox } from '../../lib/node/client/inbox.ts';
import { NOW, SealedCommunity, wireOf, type Member, type Writer } from './community.ts';

export class ReplicaBench {
  readonly disk = new MemoryDisk();
  readonly #server: Writer;
  readonly #device: SigningKey;
  replica!: Replica;
  /** What was told, in order. */
  readonly told: string[] = [];
  /** Who else is told of what came in. */
  onBatch: (batch: Batch, added: boolean) => void = () => undefined;

  private constructor(community: SealedCommunity, device: SigningKey) {
    this.#server = community.server;
    this.#device = device;
  }

  static async open(community: SealedCommunity, device: Writer): Promise<ReplicaBench> {
    const bench = new ReplicaBench(community, device.key);
    await bench.#open(bench.disk.open());
    return bench;
  }

  async #open(store: Store): Promise<void> {
    this.replica = await Replica.open({
      log: new LogStore(store),
      server: this.#server.id,
      device: this.#device,
      onBatch: (batch, added) => {
        this.told.push(`${added ? 'added' : 'older'} ${batch.seal.first}`);
        this.onBatch(batch, added);
      },
      onRefused: (entry, code, again) =>
        this.told.push(`${again ? 'again' : 'refused'} ${entry.kind} ${code}`),
    });
  }

  /** The program is started again. */
  async restart(wrap: (store: Store) => Store = (store) => store): Promise<void> {
    await this.replica.log.store.close();
    await this.#open(wrap(this.disk.open()));
  }

  async ingest(batch: Batch): Promise<Ingested> {
    const { seal, items } = wireOf(batch);
    return (await this.replica.ingest(seal, items)).result;
  }

  /** Takes batches, all of which must be new and in order. */
  async follow(batches: readonly Batch[]): Promise<void> {
    for (const batch of batches) {
      const result = await this.ingest(batch);
      if (result !== 'added') throw new Error(`${result} at ${batch.seal.first}`);
    }
  }

  say(text: string, stream: StreamName = 'room/lobby'): Promise<Entry> {
    return this.append(stream, 'say', { text });
  }

  append(stream: StreamName, kind: string, body: unknown): Promise<Entry> {
    const salt = newSalt(() => new Uint8Array(16).fill(this.told.length));
    const make = (): { body: Uint8Array; salt: Uint8Array } => ({ body: encode(body), salt });
    return this.replica.append(stream, kind, NOW, make, { sync: true });
  }
}

/** Two people, and the replica of the first, which has the space. */
export interface Pair {
  readonly community: SealedCommunity;
  readonly alice: Member;
  readonly bob: Member;
  readonly hers: ReplicaBench;
}

export async function pairWithReplica(): Promise<Pair> {
  const community = await SealedCommunity.found();
  const [alice, bob] = [await community.join('alice'), await community.join('bob')];
  const hers = await ReplicaBench.open(community, alice);
  await hers.follow(community.batches);
  hers.told.length = 0;
  return { community, alice, bob, hers };
}

/** An inbox over a replica, told of what comes in, and what it tells. */
export class InboxBench {
  readonly inbox: Inbox;
  /** Texts of the messages told, in order; `kind seq` of those that are sealed. */
  readonly heard: string[];
  readonly faults: unknown[];

  private constructor(inbox: Inbox, heard: string[], faults: unknown[]) {
    this.inbox = inbox;
    this.heard = heard;
    this.faults = faults;
  }

  static async open(bench: ReplicaBench, isQuiet = false): Promise<InboxBench> {
    const heard: string[] = [];
    const faults: unknown[] = [];
    const inbox = await Inbox.open({
      replica: bench.replica,
      isQuiet,
      onNews: ({ entry: { kind, seq, body } }) =>
        heard.push(
          kind === 'say' ? (decode(body ?? encode({})) as { text: string }).text : `${kind} ${seq}`,
        ),
      onFault: (error) => faults.push(error),
    });
    bench.onBatch = (batch, added) => {
      if (added && !inbox.take(batch)) void inbox.pump(batch.seal.stream);
    };
    return new InboxBench(inbox, heard, faults);
  }
}

/** The state of a stream as a snapshot gives it. */
export async function snapshotOf(
  community: SealedCommunity,
  stream: StreamName,
): Promise<{ seal: Uint8Array; records: Change[] }> {
  const { state } = await community.log.open(stream);
  return {
    seal: community.log.lastSeal(stream)!.bytes,
    records: [...state.records()],
  };
}

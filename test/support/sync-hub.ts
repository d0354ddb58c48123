/**
 * The server's side of replication by hand, over one channel and the log of a sealed community: it
 * answers as the real one does unless a test makes it wait, cut its answers short, or lie.
 */
import type { Batch } from '../../lib/crdt/seal.ts';
import type { StreamName } from '../../lib/crdt/stream.ts';
import type { Channel } from '../../lib/node/channel.ts';
import { Exchange, type Reply, type Request } from '../../lib/node/exchange.ts';
import { Snapshots } from '../../lib/node/server/snapshots.ts';
import { PORTION_BYTES, SYNC } from '../../lib/node/wire.ts';
import { openChannel } from './channels.ts';
import { wireOf, type SealedCommunity } from './community.ts';

type Methods = typeof SYNC.methods;
type Method = keyof Methods;
type Answers = {
  [M in Method]?: (request: Request<typeof SYNC, M>) => Promise<Reply<typeof SYNC, M>>;
};

export class SyncHub {
  /** What was asked, in order: the method and what it is about. */
  readonly asked: string[] = [];
  /** Each notice of what is held at the other end. */
  readonly acks: [StreamName, number][][] = [];
  readonly community: SealedCommunity;
  readonly exchange: Exchange<typeof SYNC>;
  /** The client's end. */
  readonly near: Channel;
  /** Bytes in one answer, or a batch more. */
  portion = PORTION_BYTES;
  /** Streams that are told of in one answer. */
  streams = 2_000;
  /** Requests under way, and the most of them at the same time. */
  underWay = 0;
  most = 0;
  /** Runs before a request is answered: the answer tells of the log as it is afterwards. */
  before: (method: Method, request: { stream?: StreamName }) => Promise<void> | void = () =>
    undefined;
  /** Answers in place of its own. */
  answers: Answers = {};

  private constructor(community: SealedCommunity, near: Channel, far: Channel) {
    this.community = community;
    this.near = near;
    const snapshots = new Snapshots(community.log, community.clock.monotonic);
    const { log } = community;
    const served = this.#serve({
      open: () => this.#heads(undefined),
      heads: ({ after }) => this.#heads(after),
      fetch: async ({ stream, from }) => {
        const { length } = log.headOf(stream);
        return { batches: await log.batches(stream, from, length, this.portion) };
      },
      fetchMany: async ({ wants }) => ({
        portions: await Promise.all(
          wants.map(([stream, from]) =>
            log.batches(stream, from, log.headOf(stream).length, this.portion),
          ),
        ),
      }),
      older: async ({ stream, before, least }) => ({
        batches: await log.batchesBefore(stream, before, least, this.portion),
      }),
      snapshot: ({ stream, page, at }) => snapshots.page(stream, page, at),
      lengths: async ({ streams }) => ({
        lengths: streams.map((stream) => log.headOf(stream).length),
      }),
      receipts: async () => ({ receipts: [] }),
    });
    this.exchange = new Exchange(far, SYNC, {
      methods: served,
      notices: { acks: ({ cursors }) => void this.acks.push(cursors) },
    });
  }

  static async open(community: SealedCommunity): Promise<SyncHub> {
    const { near, far } = await openChannel(SYNC.name);
    return new SyncHub(community, near, far);
  }

  #serve(own: Answers): Answers {
    const served: Record<string, unknown> = {};
    for (const method of Object.keys(SYNC.methods) as Method[])
      served[method] = async (request: Record<string, unknown> & { stream?: StreamName }) => {
        const { stream, ...rest } = request;
        const about = Object.values(rest).filter((value) => typeof value === 'number');
        this.asked.push([method, stream ?? [], about].flat().join(' '));
        this.most = Math.max(this.most, ++this.underWay);
        try {
          await this.before(method, request);
          const answer = (this.answers[method] ?? own[method]) as (asked: unknown) => unknown;
          return await answer(request);
        } finally {
          this.underWay--;
        }
      };
    return served;
  }

  /** How far the streams go, the space first, then by name. */
  async #heads(after: StreamName | undefined): Promise<Reply<typeof SYNC, 'open'>> {
    const { log } = this.community;
    const names = (await log.names()).filter((name) => name !== 'space');
    const all: StreamName[] = ['space', ...names.sort()];
    const rest = all.slice(after === undefined ? 0 : all.indexOf(after) + 1);
    const heads = rest.slice(0, this.streams).map((name): [StreamName, number, string] => {
      const { length, seal } = log.headOf(name);
      return [name, length, seal ?? ''];
    });
    return { heads, more: rest.length > heads.length };
  }

  push(...batches: Batch[]): void {
    for (const batch of batches) this.exchange.notify('batch', wireOf(batch));
  }

  /** Says how far a stream goes without pushing any of it. */
  tell(stream: StreamName): void {
    const { length } = this.community.log.headOf(stream);
    this.exchange.notify('heads', { heads: [[stream, length]] });
  }

  /** What was acknowledged last of a stream. */
  acknowledged(stream: StreamName): number | undefined {
    return new Map(this.acks.flat()).get(stream);
  }
}

import assert from 'node:assert/strict';
import { decodeEntry, type Entry } from '../../../lib/crdt/entry.ts';
import { accountStream, LOBBY_STREAM } from '../../../lib/crdt/stream.ts';
import { ClchatError, type ErrorCode } from '../../../lib/errors.ts';
import { Outbox } from '../../../lib/node/client/outbox.ts';
import type { Exchange } from '../../../lib/node/exchange.ts';
import type { SYNC } from '../../../lib/node/wire.ts';
import { eventually, turns } from '../../support/channels.ts';
import { SealedCommunity, type Member } from '../../support/community.ts';
import { ReplicaBench } from '../../support/replicas.ts';

type Outcome =
  { type: 'sealed'; position: number } | { type: 'refused' | 'rejected'; code: ErrorCode };
interface Request {
  readonly entries: Entry[];
  readonly answer: (outcomes: Outcome[]) => void;
  readonly fail: (error: Error) => void;
}

/** A server that answers when and as it is told to. */
class FakeServer {
  readonly requests: Request[] = [];
  ended = false;
  aborted: Error | undefined;

  call(
    _method: 'submit',
    { entries }: { entries: Uint8Array[] },
  ): Promise<{ outcomes: Outcome[] }> {
    return new Promise((resolve, reject) => {
      this.requests.push({
        entries: entries.map(decodeEntry),
        answer: (outcomes) => resolve({ outcomes }),
        fail: reject,
      });
    });
  }

  abort(error: Error): void {
    this.aborted = error;
    this.ended = true;
  }

  get exchange(): Exchange<typeof SYNC> {
    return this as unknown as Exchange<typeof SYNC>;
  }
}

describe('the outbox', () => {
  let community: SealedCommunity;
  let alice: Member;
  let bench: ReplicaBench;
  let outbox: Outbox;
  let server: FakeServer;
  let held: string[];
  let faults: unknown[];

  beforeEach(async () => {
    community = await SealedCommunity.found();
    alice = await community.join('alice');
    bench = await ReplicaBench.open(community, alice);
    await bench.follow(community.batches);
    held = [];
    faults = [];
    open();
  });

  function open(): void {
    outbox = new Outbox({
      replica: bench.replica,
      onHeld: ({ seq }) => held.push(`${seq}`),
      isLost: () => false,
      onFault: (error) => faults.push(error),
    });
    server = new FakeServer();
  }
  /** As the server answers, and pushes what it sealed. */
  const seal = async ({ entries, answer }: Request): Promise<void> => {
    const before = community.batches.length;
    const outcomes = await Promise.all(entries.map((entry) => community.submit(entry)));
    for (const batch of community.batches.slice(before)) {
      await bench.ingest(batch);
      for (const item of batch.items) if (item.type === 'entry') outbox.sealed(item.entry.id);
    }
    answer(outcomes);
  };
  const request = async (number: number): Promise<Request> => {
    await eventually(`request ${number}`, () => server.requests.length > number);
    return server.requests[number]!;
  };
  const seqs = ({ entries }: Request): number[] => entries.map(({ seq }) => seq);

  it('sends what waits, in order, together', async () => {
    for (const text of ['one', 'two', 'three']) await bench.say(text);
    outbox.attach(server.exchange);
    const first = await request(0);
    assert.deepEqual(seqs(first), [1, 2, 3]);
    await seal(first);
    await eventually('all are held', () => held.length === 3);
    assert.deepEqual(held, ['1', '2', '3']);
    await turns();
    assert.equal(server.requests.length, 1);
    assert.deepEqual(bench.replica.pending(), []);
  });

  it('tells who waits what became of it', async () => {
    outbox.attach(server.exchange);
    const good = await bench.say('good');
    const answer = outbox.answer(good.id);
    await seal(await request(0));
    assert.equal(await answer, 'held');
    const stream = accountStream(alice.account);
    const bad = await bench.append(stream, 'block', { account: alice.account, blocked: true });
    const refusal = outbox.answer(bad.id);
    await seal(await request(1));
    assert.equal(await refusal, 'SELF');
    assert.equal(bench.replica.refused(bad.id)?.code, 'SELF');
  });

  it('says queued while there is no server, and when it goes away', async () => {
    const entry = await bench.say('one');
    assert.equal(outbox.attached, false);
    assert.equal(await outbox.answer(entry.id), 'queued');
    outbox.attach(server.exchange);
    assert.equal(outbox.attached, true);
    const answer = outbox.answer(entry.id);
    await request(0);
    outbox.attach(undefined);
    assert.equal(await answer, 'queued');
  });

  it('sends again over the next connection what had no answer', async () => {
    for (const text of ['one', 'two']) await bench.say(text);
    outbox.attach(server.exchange);
    const lost = await request(0);
    // The server has it, but its answer is lost with the connection.
    for (const entry of lost.entries) await community.submit(entry);
    outbox.attach(undefined);
    lost.fail(new ClchatError('CLOSED'));
    server = new FakeServer();
    outbox.attach(server.exchange);
    const again = await request(0);
    assert.deepEqual(seqs(again), [1, 2]);
    await bench.follow(community.of(LOBBY_STREAM));
    await seal(again);
    await eventually('both are held', () => held.length === 2);
    assert.equal((await community.log.open(LOBBY_STREAM)).head.length, 2);
  });

  it('has a bounded number of requests under way, of a bounded size', async () => {
    for (let n = 0; n < 400; n++) await bench.say(`${n}`);
    outbox.attach(server.exchange);
    await request(7);
    await turns(20);
    assert.equal(server.requests.length, 8);
    assert.ok(server.requests.every(({ entries }) => entries.length === 32));
    await seal(server.requests[0]!);
    assert.deepEqual(seqs(await request(8))[0], 257);
    // Large ones travel in smaller company.
    await bench.restart();
    open();
    for (let n = 0; n < 60; n++)
      await bench.append(accountStream(alice.account), 'big', { text: 'x'.repeat(60_000) });
    outbox.attach(server.exchange);
    await request(7);
    for (const { entries } of server.requests) {
      const size = entries.reduce((sum, { body }) => sum + body!.length, 0);
      assert.ok(size < 600_000, `${size} bytes`);
    }
  });

  it('sends all of a stream again when something before it went astray', async () => {
    for (const text of ['one', 'two', 'three']) await bench.say(text);
    outbox.attach(server.exchange);
    const first = await request(0);
    first.answer(first.entries.map(() => ({ type: 'rejected', code: 'WAITING' })));
    const again = await request(1);
    assert.deepEqual(seqs(again), [1, 2, 3]);
    await seal(again);
    await eventually('all are held', () => held.length === 3);
  });

  it('withdraws what will never be sealed, with all that follows', async () => {
    const entries = [];
    for (const text of ['one', 'two', 'three']) entries.push(await bench.say(text));
    outbox.attach(server.exchange);
    const answers = entries.map(({ id }) => outbox.answer(id));
    const first = await request(0);
    await community.seal(first.entries[0]!);
    await bench.follow(community.of(LOBBY_STREAM));
    first.answer([
      { type: 'sealed', position: 0 },
      { type: 'rejected', code: 'DENIED' },
      { type: 'rejected', code: 'OUT_OF_ORDER' },
    ]);
    assert.deepEqual(await Promise.all(answers.slice(0, 2)), ['held', 'DENIED']);
    assert.deepEqual(bench.told.slice(-2), ['refused say DENIED', 'again say OUT_OF_ORDER']);
    assert.deepEqual(bench.replica.pending(), []);
    // Who waits for the third goes on waiting for what it is made anew as.
    const [third] = bench.replica.unmade(LOBBY_STREAM);
    const make = () => ({ body: third!.body!, salt: third!.salt! });
    const again = await bench.replica.append(LOBBY_STREAM, 'say', 0, make, {
      sync: false,
      instead: third!,
    });
    outbox.rename(third!.id, again.id);
    outbox.flush();
    await seal(await request(1));
    assert.equal(await answers[2], 'held');
  });

  it('tells who waits for what is not made anew after all', async () => {
    outbox.attach(server.exchange);
    const entry = await bench.say('one');
    const answer = outbox.answer(entry.id);
    await request(0);
    outbox.gaveUp(entry.id, 'STALE_KEY');
    assert.equal(await answer, 'STALE_KEY');
  });

  it('tells who waits that the server has no room, and tries again later', async () => {
    outbox.attach(server.exchange);
    const entry = await bench.say('one');
    const answer = outbox.answer(entry.id);
    (await request(0)).fail(new ClchatError('DISK_FULL'));
    assert.equal(await answer, 'queued');
    assert.equal(faults.length, 1);
    await seal(await request(1));
    await eventually('it is held', () => held.length === 1);
  });

  it('lets go of a connection that does not answer', async () => {
    outbox.attach(server.exchange);
    await bench.say('one');
    outbox.flush();
    (await request(0)).fail(new ClchatError('TIMEOUT'));
    await eventually('it is let go', () => server.aborted !== undefined);
    assert.equal(bench.replica.pending().length, 1);
  });

  it('does not believe a server that answers what was not asked', async () => {
    outbox.attach(server.exchange);
    await bench.say('one');
    outbox.flush();
    (await request(0)).answer([]);
    const again = await request(1);
    assert.deepEqual(seqs(again), [1]);
    assert.equal(faults.length, 1);
    again.answer([
      { type: 'sealed', position: 0 },
      { type: 'sealed', position: 1 },
    ]);
    assert.deepEqual(seqs(await request(2)), [1]);
    assert.deepEqual(held, []);
  });

  it('sends again what a snapshot may have judged already', async () => {
    await bench.say('one');
    outbox.attach(server.exchange);
    const first = await request(0);
    await community.submit(first.entries[0]!);
    outbox.resend(LOBBY_STREAM);
    const again = await request(1);
    assert.deepEqual(seqs(again), [1]);
    await seal(again);
    await eventually('it is held', () => held.length === 1);
  });

  it('is settled once nothing waits that could be sent', async () => {
    await outbox.settled();
    await bench.say('one');
    await outbox.settled();
    outbox.attach(server.exchange);
    let settled = false;
    const done = outbox.settled().then(() => (settled = true));
    const first = await request(0);
    assert.equal(settled, false);
    await seal(first);
    await done;
  });
});

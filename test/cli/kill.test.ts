/**
 * The server is killed, as by a power cut to its process, again and again while three people write
 * without a pause: what it has acknowledged is never lost, nothing comes twice, and everybody's
 * messages stay in order. `CLCHAT_KILLS` says how often; `CLCHAT_SEED` repeats a run's timing.
 */
import assert from 'node:assert/strict';
import { sleep } from '../../lib/lifecycle.ts';
import { Random } from '../simulation/random.ts';
import type { Cli } from '../support/cli.ts';
import { workshop } from '../support/workshop.ts';

const KILLS = Number(process.env['CLCHAT_KILLS'] ?? 5);
const SEED = Number(process.env['CLCHAT_SEED'] ?? Date.now() % 1_000_000);
const USERS = ['ann', 'ben', 'cat'] as const;
/** Between two messages of one person, in milliseconds. */
const PAUSE_MS = 20;
/** A client waits up to 5 s before it tries again, and then needs a moment, on a busy machine. */
const RECONNECTED_MS = 15_000;
/** Messages without an answer after which somebody waits. */
const UNANSWERED = 200;
/** Most messages that "history" gives at once. */
const MOST = 10_000;

/** One who writes without a pause: every third message to the next person, the others to all. */
class Writer {
  readonly name: string;
  readonly cli: Cli;
  readonly other: string;
  /** Texts in the order written; the number of each is that of its line. */
  readonly texts: string[] = [];
  #writing: Promise<void> | undefined;
  #stopped = false;

  constructor(name: string, cli: Cli, other: string) {
    this.name = name;
    this.cli = cli;
    this.other = other;
  }

  start(): void {
    this.#writing = this.#write();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#writing;
  }

  async #write(): Promise<void> {
    while (!this.#stopped) {
      const number = this.texts.length;
      if (number - this.cli.results.length < UNANSWERED) {
        const text = `${this.name} ${number}`;
        this.texts.push(text);
        this.cli.send(Writer.isDirect(number) ? `message ${this.other} ${text}` : `say ${text}`);
      }
      await sleep(PAUSE_MS);
    }
  }

  static isDirect(number: number): boolean {
    return number % 3 === 0;
  }

  /** Texts of those to the other person, or to all, that were acknowledged. */
  acknowledged(direct: boolean): string[] {
    return this.texts.filter(
      (_, number) => Writer.isDirect(number) === direct && this.cli.results[number]?.ok === true,
    );
  }

  /** Waits until it is connected, which may not take long, and has had one more acknowledged. */
  async atWork(): Promise<void> {
    const { results } = this.cli;
    let next = results.length;
    const lost = this.cli.events('server', { connected: false }).length;
    const back = { count: lost, patience: RECONNECTED_MS };
    if (lost > 0) await this.cli.event('server', { connected: true }, back);
    const held = (): true | undefined => {
      while (next < results.length) if (results[next++]?.data?.state === 'held') return true;
      return undefined;
    };
    await this.cli.until(held, 'message held');
  }

  count(state: 'held' | 'queued'): number {
    return this.cli.results.filter(({ data }) => data?.state === state).length;
  }
}

/** Waits until as many such messages have been told, which then must be these. */
async function arrives(
  cli: Cli,
  match: Readonly<Record<string, string>>,
  texts: readonly string[],
): Promise<void> {
  const end = performance.now() + 60_000;
  while (cli.events('message', match).length < texts.length && performance.now() < end)
    await sleep(100);
  const told = cli.texts(match);
  const known = new Set(told);
  // First what is missing: it says more than two long lists.
  assert.deepEqual(
    texts.filter((text) => !known.has(text)),
    [],
    `${JSON.stringify(match)} is incomplete`,
  );
  assert.deepEqual(told, texts);
}

describe(`a server killed ${KILLS} times (seed ${SEED})`, function () {
  this.timeout(60_000 + KILLS * 15_000);
  const shop = workshop();
  let writers: Writer[] = [];
  afterEach(() => Promise.all(writers.map((writer) => writer.stop())));

  it('loses nothing that it has acknowledged, and tells nothing twice', async function () {
    const random = new Random(SEED);
    let server = await shop.server();
    const port = Number(server.address.split(':')[1]);
    const clients = await shop.clients(server.address, USERS);
    writers = USERS.map((name, i) => new Writer(name, clients[i]!, USERS[(i + 1) % USERS.length]!));
    for (const writer of writers) writer.start();
    for (let kill = 1; kill <= KILLS; kill++) {
      // Mostly in the midst of work, sometimes before anybody has come back.
      if (random.chance(0.75)) await Promise.all(writers.map((writer) => writer.atWork()));
      await sleep(random.below(700));
      await server.cli.crash();
      await sleep(random.below(300));
      server = await shop.server({ data: server.data, port });
    }
    await Promise.all(writers.map((writer) => writer.atWork()));
    await Promise.all(writers.map((writer) => writer.stop()));
    for (const { cli, texts } of writers) await cli.result(texts.length, 60_000);

    for (const { cli } of writers) {
      const refused = cli.results.filter(({ ok }) => !ok);
      assert.deepEqual([refused, cli.events('refused'), cli.events('logout')], [[], [], []]);
    }
    const newcomer = await shop.client(server.address, 'dan');
    for (const writer of writers) {
      // What is told comes once: `Cli` watches the ids.
      const said = writer.acknowledged(false);
      const direct = writer.acknowledged(true);
      for (const { name, cli } of writers) {
        if (name === writer.name) continue;
        await arrives(cli, { from: writer.name, room: 'lobby' }, said);
        await arrives(cli, { from: writer.name, to: name }, name === writer.other ? direct : []);
      }
    }
    // Nor is anything lost or doubled in what the server keeps.
    const total = writers.reduce((sum, { texts }) => sum + texts.length, 0);
    const { messages = [] } = await newcomer.ok(`history #lobby ${MOST}`, 60_000);
    for (const writer of writers) {
      const kept = messages.filter(({ from }) => from === writer.name).map(({ text }) => text);
      assert.deepEqual(kept, writer.acknowledged(false).slice(-kept.length));
      const pair = await writer.cli.ok(`history @${writer.other} ${MOST}`, 60_000);
      const mine = pair.messages?.filter((message) => message.mine === true) ?? [];
      assert(mine.every(({ progress }) => progress?.state === 'held'));
      const texts = mine.map(({ text }) => text);
      assert.deepEqual(texts, writer.acknowledged(true).slice(-texts.length));
      if (total > MOST) continue;
      assert.equal(kept.length, writer.acknowledged(false).length);
      assert.equal(texts.length, writer.acknowledged(true).length);
    }
    const held = writers.reduce((sum, writer) => sum + writer.count('held'), 0);
    const queued = writers.reduce((sum, writer) => sum + writer.count('queued'), 0);
    assert.equal(held + queued, total);
    // Otherwise it was not killed at work.
    assert(held > 0 && queued > 0);
    console.log(`      ${KILLS} kills, ${total} messages: ${held} held at once, ${queued} queued`);
  });
});

/** One run of the simulation: a seed decides everything that happens. */
import assert from 'node:assert/strict';
import type { Clock } from '@sinonjs/fake-timers';
import { toHex } from '../../lib/crdt/bytes.ts';
import { LogStore } from '../../lib/crdt/log-store.ts';
import { isEncryptedRoom } from '../../lib/crdt/rooms.ts';
import {
  accountStream,
  pairStream,
  placeOfStream,
  type StreamName,
} from '../../lib/crdt/stream.ts';
import { codeOf } from '../../lib/errors.ts';
import type { Home } from '../../lib/node/client/home.ts';
import { fakeClock } from '../support/time.ts';
import { checkReadings, Doings, isCurrent } from './community.ts';
import { CALM, SimulatedNetwork } from './network.ts';
import { Random } from './random.ts';
import { LOBBY, SimulatedClient, SimulatedServer } from './world.ts';

export interface RunOptions {
  readonly seed: number;
  readonly clients: number;
  readonly operations: number;
}

export interface RunResult {
  readonly said: number;
  readonly crashes: number;
}

interface Spoken {
  readonly by: number;
  readonly text: string;
  readonly stream: StreamName;
  /** What the author was told. */
  answer: string | undefined;
}

export async function runSimulation(options: RunOptions): Promise<RunResult> {
  const time = fakeClock();
  try {
    return await new Run(options, time).run();
  } finally {
    time.uninstall();
  }
}

class Run {
  readonly #options: RunOptions;
  readonly #time: Clock;
  readonly #random: Random;
  readonly #network: SimulatedNetwork;
  readonly #server: SimulatedServer;
  readonly #clients: SimulatedClient[];
  readonly #running = new Set<number>();
  readonly #everCrashed = new Set<number>();
  readonly #spoken: Spoken[] = [];
  readonly #unexpected: unknown[] = [];
  readonly #doings: Doings;
  #serverUp = false;
  #crashes = 0;

  constructor(options: RunOptions, time: Clock) {
    this.#options = options;
    this.#time = time;
    this.#random = new Random(options.seed);
    this.#doings = new Doings(this.#random);
    this.#network = new SimulatedNetwork(this.#random);
    this.#server = new SimulatedServer(this.#network);
    this.#clients = Array.from(
      { length: options.clients },
      (_, number) => new SimulatedClient(this.#network, `peer${number}`, number),
    );
  }

  /** Lets a promise come about while simulated time goes on. */
  async #until<T>(promise: Promise<T>): Promise<T> {
    let done = false;
    const settled = promise.finally(() => (done = true));
    settled.catch(() => undefined);
    for (let step = 0; !done && step < 20_000; step++) await this.#time.tickAsync(5);
    assert.ok(done, 'nothing comes about any more');
    return settled;
  }

  async run(): Promise<RunResult> {
    await this.#until(this.#server.start());
    this.#serverUp = true;
    for (const number of this.#clients.keys()) await this.#start(number);
    assert.equal(this.#running.size, this.#clients.length);
    for (let step = 0; step < this.#options.operations; step++) {
      await this.#step();
      await this.#time.tickAsync(this.#random.below(this.#random.chance(0.05) ? 3_000 : 20));
    }
    await this.#calmDown();
    await this.#check();
    return { said: this.#spoken.length, crashes: this.#crashes };
  }

  async #start(number: number): Promise<void> {
    const client = this.#clients[number]!;
    try {
      await this.#until(client.start());
      this.#running.add(number);
    } catch (error) {
      // It may need the server and find none: it tries again later.
      if (!['NETWORK', 'TIMEOUT', 'CLOSED', 'VERSION'].includes(codeOf(error))) throw error;
      client.crash();
    }
  }

  async #step(): Promise<void> {
    const random = this.#random;
    const number = random.below(this.#clients.length);
    const client = this.#clients[number]!;
    const dice = random.next();
    if (dice < 0.55) this.#speak(number);
    else if (dice < 0.71) this.#do(number);
    else if (dice < 0.75) this.#block(number);
    else if (dice < 0.77) this.#befriend(number);
    else if (dice < 0.8) this.#network.cut(client.address);
    else if (dice < 0.88) this.#network.restore(client.address);
    else if (dice < 0.91) this.#changeWeather();
    else if (dice < 0.94) {
      if (!this.#running.delete(number)) return;
      this.#crashes++;
      this.#everCrashed.add(number);
      client.crash();
    } else if (dice < 0.97) {
      if (!this.#running.has(number)) await this.#start(number);
    } else if (dice < 0.985) {
      if (!this.#serverUp) return;
      this.#crashes++;
      this.#serverUp = false;
      this.#server.crash();
    } else await this.#ensureServer();
  }

  async #ensureServer(): Promise<void> {
    if (this.#serverUp) return;
    await this.#until(this.#server.start());
    this.#serverUp = true;
  }

  #changeWeather(): void {
    const random = this.#random;
    this.#network.weather = random.chance(0.3)
      ? CALM
      : {
          delay: [1, 2 + random.below(120)],
          loss: random.next() * 0.01,
          duplicate: random.next() * 0.1,
          reorder: random.next() * 0.1,
        };
  }

  #do(number: number): void {
    const { client } = this.#clients[number]!;
    if (this.#running.has(number) && client?.loggedIn === true) this.#doings.do(client);
  }

  #speak(number: number): void {
    if (!this.#running.has(number)) return;
    const { client } = this.#clients[number]!;
    const random = this.#random;
    if (client === undefined || !client.loggedIn) return;
    const { home } = client;
    const others = home.names().filter((name) => name !== home.name);
    const places = Doings.placesOf(home);
    const stream =
      others.length === 0 || random.chance(0.5)
        ? LOBBY
        : places.length > 0 && random.chance(0.4)
          ? random.pick(places)
          : pairStream(home.account, home.named(random.pick(others)));
    const spoken: Spoken = {
      by: number,
      text: `${number}:${this.#spoken.length}`,
      stream,
      answer: undefined,
    };
    this.#spoken.push(spoken);
    void this.#say(client, spoken);
  }

  async #say(client: NonNullable<SimulatedClient['client']>, spoken: Spoken): Promise<void> {
    try {
      const { home } = client;
      const entry = await home.conversations.say(spoken.stream, spoken.text);
      // In the outbox: from here on it must not be lost, whatever happens to the connection.
      spoken.answer = 'appended';
      spoken.answer = await home.outbox.answer(entry.id);
    } catch (error) {
      // A crash in between; anything else is a fault.
      if (codeOf(error) !== 'CLOSED' && codeOf(error) !== 'NOT_LOGGED_IN')
        this.#unexpected.push(error);
    }
  }

  #block(number: number): void {
    const { client } = this.#clients[number]!;
    if (!this.#running.has(number) || client === undefined || !client.loggedIn) return;
    const { home } = client;
    const others = home.names().filter((name) => name !== home.name);
    if (others.length === 0) return;
    const account = home.named(this.#random.pick(others));
    const stream = accountStream(home.account);
    const blocked = home.replica.log.record(stream, 'block', account) !== true;
    home.conversations.act(stream, 'block', { account, blocked }).then(
      () => home.outbox.flush(),
      () => undefined,
    );
  }

  /** Does anything about a contact, whether it fits or not: it is judged in the end. */
  #befriend(number: number): void {
    const { client } = this.#clients[number]!;
    if (!this.#running.has(number) || client === undefined || !client.loggedIn) return;
    const { home } = client;
    const others = home.names().filter((name) => name !== home.name);
    if (others.length === 0) return;
    const stream = pairStream(home.account, home.named(this.#random.pick(others)));
    const kind = this.#random.pick(['request', 'accept', 'reject', 'cancel', 'unfriend']);
    home.conversations.act(stream, kind, {}).then(
      () => home.outbox.flush(),
      () => undefined,
    );
  }

  async #calmDown(): Promise<void> {
    this.#network.weather = CALM;
    for (const client of this.#clients) this.#network.restore(client.address);
    await this.#ensureServer();
    for (const number of this.#clients.keys())
      if (!this.#running.has(number)) await this.#start(number);
    const busy = (): boolean =>
      this.#clients.some(
        ({ client }) => client?.connected !== true || client.home.replica.pending().length > 0,
      );
    for (let second = 0; second < 120 && busy(); second++) await this.#time.tickAsync(1_000);
    await this.#time.tickAsync(5_000);
  }

  async #check(): Promise<void> {
    const seed = `seed ${this.#options.seed}`;
    assert.deepEqual(this.#unexpected, [], seed);
    const server = new LogStore(this.#server.store!);
    const sealed = new Map<string, number>();
    for (const { client, name } of this.#clients) {
      assert.ok(client?.connected, `${seed}: ${name} is not connected`);
      const { home } = client;
      const unsent = home.replica
        .pending()
        .map(
          ({ stream, seq, kind }) =>
            `${kind} ${seq} of ${stream}, head ${server.headOf(stream).length}`,
        );
      assert.deepEqual(unsent, [], `${seed}: ${name} has unsent entries`);
      for (const stream of await home.replica.log.names()) {
        const mine = await dump(home.replica.log, stream);
        const theirs = await dump(server, stream);
        // Whoever was put out keeps what they had.
        if (!isCurrent(home, stream, server)) continue;
        assert.equal(mine.length, theirs.length, `${seed}: ${name} ${stream} length`);
        // A replica may lack what was sealed before its device came.
        for (const [position, { id, bytes }] of mine.items) {
          assert.equal(
            bytes,
            theirs.items.get(position)?.bytes,
            `${seed}: ${name} ${stream} ${position}`,
          );
          sealed.set(id, (sealed.get(id) ?? 0) + 1);
        }
        assert.ok(await home.replica.verifyState(stream), `${seed}: ${name} ${stream} state`);
      }
    }
    await this.#checkSpoken(seed);
    await checkReadings(this.#clients, server, seed);
  }

  /** Nothing acknowledged is lost, nothing is there twice, and everybody was told in order. */
  async #checkSpoken(seed: string): Promise<void> {
    const texts = new Map<StreamName, string[]>();
    for (const { client } of this.#clients)
      for (const stream of await client!.home.replica.log.names()) {
        // In an encrypted room everybody reads what was said while they were in it.
        if (texts.has(stream) || isPrivate(client!.home, stream)) continue;
        const messages = await client!.home.conversations.newest(stream, 1e6);
        const held = messages.filter(({ state }) => state === 'held').map(({ text }) => text);
        texts.set(stream, held);
      }
    for (const { answer, text, stream, by } of this.#spoken) {
      if (!texts.has(stream)) continue;
      const count = (texts.get(stream) ?? []).filter((one) => one === text).length;
      assert.ok(count <= 1, `${seed}: ${text} is there ${count} times`);
      if (answer === 'held')
        assert.equal(count, 1, `${seed}: ${text} was acknowledged and is lost`);
      if ((answer === 'queued' || answer === 'appended') && !this.#everCrashed.has(by)) {
        const refused = this.#clients[by]!.refused.length > 0;
        assert.ok(count === 1 || refused, `${seed}: ${text} was queued and is lost`);
      }
    }
    for (const [number, client] of this.#clients.entries()) {
      const heard = new Map<StreamName, string[]>();
      for (const { stream, text } of client.heard.filter((one) => /^\d/.test(one.text)))
        heard.set(stream, [...(heard.get(stream) ?? []), text]);
      for (const [stream, list] of heard) {
        if (this.#everCrashed.has(number)) continue;
        assert.equal(new Set(list).size, list.length, `${seed}: told twice`);
        // Of rooms one is told while one is in them.
        if (stream !== LOBBY && placeOfStream(stream).type === 'room') continue;
        const expected = (texts.get(stream) ?? []).filter(
          (text) => /^\d/.test(text) && !text.startsWith(`${number}:`),
        );
        assert.deepEqual(
          list,
          expected.slice(expected.length - list.length),
          `${seed}: news of ${stream}`,
        );
      }
    }
  }
}

function isPrivate(home: Home, stream: StreamName): boolean {
  const place = placeOfStream(stream);
  return place.type === 'room' && isEncryptedRoom(home.space, place.room);
}

async function dump(
  log: LogStore,
  stream: StreamName,
): Promise<{ length: number; items: Map<number, { id: string; bytes: string }> }> {
  const { length } = log.headOf(stream);
  const items = new Map<number, { id: string; bytes: string }>();
  for await (const { position, item } of log.items(stream, 0, length)) {
    const id = item.type === 'entry' ? item.entry.id : item.refusal.id;
    items.set(position, { id, bytes: toHex(item.bytes) });
  }
  return { length, items };
}

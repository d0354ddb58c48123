/** One run of the simulation: a seed decides everything that happens. */
import assert from 'node:assert/strict';
import type { Clock } from '@sinonjs/fake-timers';
import type { AccountId } from '../../lib/crdt/keys.ts';
import { LogStore } from '../../lib/crdt/log-store.ts';
import { accountOf } from '../../lib/crdt/records.ts';
import { codeOf, hasCode } from '../../lib/errors.ts';
import { sleep } from '../../lib/lifecycle.ts';
import type { Client } from '../../lib/node/client/client.ts';
import { fakeClock } from '../support/time.ts';
import { Absence } from './absence.ts';
import { Attachments, type Holder, type Sample } from './attachments.ts';
import { Attempts } from './attempts.ts';
import { checkContacts, checkReplicas, checkSpoken } from './checks.ts';
import { checkReadings, Doings, isCurrent } from './community.ts';
import { checkErased } from './erasure.ts';
import { checkPutOut, LockedRooms } from './locked-rooms.ts';
import { conferenceRooms, Meetings, whatIsWrong } from './meetings.ts';
import { CALM, SimulatedNetwork } from './network.ts';
import { Random } from './random.ts';
import { takeShortcuts } from './shortcuts.ts';
import { Talk } from './talk.ts';
import { SimulatedClient, SimulatedServer } from './world.ts';

export interface RunOptions {
  readonly seed: number;
  readonly clients: number;
  readonly operations: number;
  /** Files of this host to be attached. */
  readonly samples: readonly Sample[];
}

export interface RunResult {
  readonly said: number;
  readonly crashes: number;
  /** How often what was tried came about. */
  readonly done: ReadonlyMap<string, number>;
}

/** The account that may have two devices, and what its owner types on the second. */
const TWICE = 1;
const PASSWORD = 'correct horse';
/** A silence in which the server gives up whoever has gone, in milliseconds. */
const SILENCE_MS = 55_000;
/** How long it may take until all agree, in seconds. */
const PATIENCE = 120;

export async function runSimulation(options: RunOptions): Promise<RunResult> {
  const time = fakeClock();
  const untake = takeShortcuts();
  try {
    return await new Run(options, time).run();
  } finally {
    untake();
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
  readonly #attempts = new Attempts();
  readonly #talk: Talk;
  readonly #doings: Doings;
  readonly #meetings: Meetings;
  readonly #lockedRooms: LockedRooms;
  readonly #attachments: Attachments;
  readonly #absence = new Absence();
  readonly #accounts = new Map<AccountId, number[]>();
  /** The last client is of an account that is to be removed with all that it says. */
  readonly #hasGuest: boolean;
  /** The step from which on it is tried. */
  readonly #removalAt: number;
  #isGuestGone = false;
  #serverUp = false;
  #crashes = 0;

  constructor(options: RunOptions, time: Clock) {
    this.#options = options;
    this.#time = time;
    const random = (this.#random = new Random(options.seed));
    this.#talk = new Talk(random, this.#attempts);
    this.#doings = new Doings(random);
    this.#meetings = new Meetings(random, this.#attempts);
    this.#lockedRooms = new LockedRooms(random, this.#attempts);
    this.#attachments = new Attachments(random, this.#attempts, options.samples);
    this.#network = new SimulatedNetwork(random);
    this.#server = new SimulatedServer(this.#network);
    this.#hasGuest = random.chance(0.5);
    this.#removalAt = Math.floor(options.operations * (0.3 + random.next() * 0.5));
    const last = options.clients - 1;
    this.#clients = Array.from({ length: options.clients }, (_, number) => {
      const isFurther = number === last && !this.#hasGuest;
      const name = `peer${isFurther ? TWICE : number}`;
      const making = isFurther || number === TWICE ? { password: PASSWORD, isFurther } : {};
      return new SimulatedClient(this.#network, name, number, making);
    });
  }

  get #seed(): string {
    return `seed ${this.#options.seed}`;
  }

  /** Number of the client whose account is removed. */
  get #guest(): number {
    return this.#hasGuest ? this.#clients.length - 1 : -1;
  }

  /** Lets a promise come about while simulated time goes on. */
  async #until<T>(promise: Promise<T>): Promise<T> {
    let done = false;
    const settled = promise.finally(() => (done = true));
    settled.catch(() => undefined);
    for (let step = 0; !done && step < 20_000; step++) await this.#time.tickAsync(5);
    assert.ok(done, `${this.#seed}: nothing comes about any more`);
    return settled;
  }

  async run(): Promise<RunResult> {
    await this.#startServer();
    for (const number of this.#clients.keys()) await this.#start(number);
    assert.equal(this.#running.size, this.#clients.length);
    this.#makeFriends();
    for (let step = 0; step < this.#options.operations; step++) {
      if (step >= this.#removalAt) await this.#removeGuest();
      await this.#step();
      await this.#time.tickAsync(this.#random.below(this.#random.chance(0.05) ? 3_000 : 20));
    }
    await this.#calmDown();
    await this.#check();
    return { said: this.#talk.spoken.length, crashes: this.#crashes, done: this.#attempts.done };
  }

  async #startServer(): Promise<void> {
    await this.#until(this.#server.start());
    this.#serverUp = true;
    this.#absence.serverStarted();
    const { state } = await this.#log().open('space');
    assert.deepEqual(conferenceRooms(state), [], `${this.#seed}: conferences outlive the server`);
  }

  /** The server's log, as it lies on its disk. */
  #log(): LogStore {
    return new LogStore(this.#server.store!);
  }

  async #start(number: number): Promise<void> {
    const client = this.#clients[number]!;
    try {
      await this.#until(client.start());
      this.#running.add(number);
      this.#absence.started(number);
      const { account } = client.keystore.read();
      const devices = this.#accounts.get(account!.id) ?? [];
      this.#accounts.set(account!.id, devices);
      if (!devices.includes(number)) devices.push(number);
    } catch (error) {
      // It may need the server and find none: it tries again later.
      const isExpected =
        ['NETWORK', 'TIMEOUT', 'CLOSED', 'VERSION'].includes(codeOf(error)) ||
        (number === this.#guest && hasCode(error, 'NOT_LOGGED_IN'));
      if (!isExpected) throw error;
      client.crash();
    }
  }

  /** A client that can be used; undefined while there is none. */
  #ready(number: number): Client | undefined {
    const { client } = this.#clients[number]!;
    if (!this.#running.has(number) || client?.loggedIn !== true) return undefined;
    // One that the server has just forked from has nothing of the space until it comes anew.
    return client.home.record === undefined ? undefined : client;
  }

  /** Some are friends from the beginning: each asks the other. */
  #makeFriends(): void {
    for (const [a, b] of [
      [0, 1],
      [1, 2],
      [0, 3],
      [1, this.#clients.length - 1],
    ] as const) {
      const [one, other] = [this.#ready(a), this.#ready(b)];
      if (one !== undefined && other !== undefined) this.#talk.makeFriends(one, other);
    }
  }

  async #step(): Promise<void> {
    const random = this.#random;
    const number = random.below(this.#clients.length);
    const { address } = this.#clients[number]!;
    const client = this.#ready(number);
    const dice = random.next();
    if (dice < 0.74) {
      if (client !== undefined) await this.#act(dice / 0.74, number, client);
    } else if (dice < 0.765) {
      this.#network.cut(address);
      this.#absence.cut(number);
    } else if (dice < 0.85) {
      this.#network.restore(address);
      this.#absence.restored(number);
    } else if (dice < 0.88) this.#changeWeather();
    else if (dice < 0.905) this.#crash(number);
    else if (dice < 0.96) {
      if (!this.#running.has(number) && !this.#isGone(number)) await this.#start(number);
    } else if (dice < 0.966) this.#crashServer();
    else if (dice < 0.9985) await this.#ensureServer();
    else {
      await this.#time.tickAsync(SILENCE_MS);
      if (this.#serverUp)
        await this.#absence.check(this.#accounts, this.#server.store!, this.#seed);
    }
  }

  /** Somebody does something. @param dice in [0, 1) */
  async #act(dice: number, number: number, client: Client): Promise<void> {
    if (dice < 0.44) this.#talk.speak(number, client);
    else if (dice < 0.62) this.#doings.do(client);
    else if (dice < 0.77) this.#meetings.do(client);
    else if (dice < 0.85) this.#lockedRooms.do(client);
    else if (dice < 0.88) await this.#attachments.attach(number, client);
    else if (dice < 0.92) this.#attachments.fetch(client);
    else if (dice < 0.935) this.#attachments.remove(client);
    else if (dice < 0.96) this.#talk.block(client);
    else this.#talk.befriend(client);
  }

  #crash(number: number): void {
    if (!this.#running.delete(number)) return;
    this.#crashes++;
    this.#everCrashed.add(number);
    this.#absence.crashed(number);
    this.#clients[number]!.crash();
  }

  #crashServer(): void {
    if (!this.#serverUp) return;
    this.#crashes++;
    this.#serverUp = false;
    this.#absence.serverCrashed();
    this.#server.crash();
  }

  async #ensureServer(): Promise<void> {
    if (!this.#serverUp) await this.#startServer();
  }

  #isGone(number: number): boolean {
    return this.#isGuestGone && number === this.#guest;
  }

  /** The administrator removes an account with all that it has said. */
  async #removeGuest(): Promise<void> {
    const admin = this.#ready(0);
    const guest = this.#clients[this.#guest];
    if (guest === undefined || this.#isGuestGone || admin?.connected !== true) return;
    const { home } = admin;
    const account = guest.keystore.read().account!.id;
    const remove = async (): Promise<string> => {
      const body = { account, vengeance: true };
      const { id } = await home.conversations.act('space', 'removeuser', body);
      return home.outbox.answer(id);
    };
    const given = sleep(8_000).then(() => 'later');
    await this.#until(Promise.race([remove(), given]).catch(() => 'later'));
    if (this.#serverUp) await this.#noteGuest();
  }

  /** Takes note of whether the guest is still there, as the server has it. */
  async #noteGuest(): Promise<void> {
    const id = this.#clients[this.#guest]?.keystore.read().account?.id;
    if (id === undefined || this.#isGuestGone) return;
    const { state } = await this.#log().open('space');
    if (accountOf(state, id)?.removed !== true) return;
    this.#isGuestGone = true;
    this.#running.delete(this.#guest);
    this.#clients[this.#guest]!.crash();
    this.#attachments.removeAll(this.#guest);
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

  /** Those whose account is still there, with what they hold. */
  #holders(): Holder[] {
    const log = this.#log();
    return this.#clients.flatMap(({ name, client, files }, number): Holder[] => {
      if (client === undefined || this.#isGone(number)) return [];
      const { home } = client;
      return [{ number, name, client, files, isCurrent: (stream) => isCurrent(home, stream, log) }];
    });
  }

  async #calmDown(): Promise<void> {
    this.#network.weather = CALM;
    for (const client of this.#clients) this.#network.restore(client.address);
    await this.#ensureServer();
    await this.#noteGuest();
    for (const number of this.#clients.keys())
      if (!this.#running.has(number) && !this.#isGone(number)) await this.#start(number);
    await this.#wait(async () => {
      await this.#noteGuest();
      return this.#holders().some(
        ({ client }) => !client.connected || client.home.replica.pending().length > 0,
      );
    });
    await this.#wait(async () => this.#attachments.isWaiting(this.#holders(), this.#server.files));
    await this.#time.tickAsync(5_000);
    let wrong: string[] = [];
    await this.#wait(async () => {
      wrong = await this.#until(whatIsWrong(this.#holders(), this.#log()));
      return wrong.length > 0;
    });
    assert.deepEqual(wrong, [], `${this.#seed}: conferences`);
  }

  /** Lets time pass until nothing is under way any more, or it has taken too long. */
  async #wait(isBusy: () => Promise<boolean>): Promise<void> {
    for (let second = 0; second < PATIENCE && (await isBusy()); second++)
      await this.#time.tickAsync(1_000);
  }

  async #check(): Promise<void> {
    const { seed } = this.#options;
    assert.deepEqual(this.#attempts.faults, [], this.#seed);
    const holders = this.#holders();
    const files = this.#server.files;
    const log = this.#log();
    await checkReplicas(holders, log, this.#seed);
    const guests = this.#isGuestGone ? [this.#guest] : [];
    await checkSpoken(
      { spoken: this.#talk.spoken, clients: this.#clients, holders, guests },
      this.#everCrashed,
      this.#seed,
    );
    await checkReadings(holders, log, this.#seed);
    await checkContacts(holders, log, this.#seed);
    for (const holder of holders)
      await this.#until(this.#attachments.check(holder, { holders, server: files }, this.#seed));
    const everCrashed = this.#everCrashed;
    await this.#attachments.checkGone(holders, { log, files, everCrashed }, this.#seed);
    const disks = holders.map(({ name, number }) => ({ name, disk: this.#clients[number]!.disk }));
    checkErased(
      [...disks, { name: 'the server', disk: this.#server.disk }],
      { texts: this.#doings.removed, guests },
      this.#seed,
    );
    const keys = this.#clients.map(({ keystore, yielded }) => ({ keystore, yielded }));
    if (seed % 3 === 0) await checkPutOut(keys, log, this.#random, this.#seed);
  }
}

/** People who call one another by commands, over the product's own clients and server, without devices. */
import assert from 'node:assert/strict';
import { AppCalls } from '../../lib/app/calls/app-calls.ts';
import type { DeviceNames } from '../../lib/app/calls/call-devices.ts';
import { Situation } from '../../lib/app/situation.ts';
import type { AppEvent, Ask, ResultData } from '../../lib/app/types.ts';
import type { PublicKey } from '../../lib/crdt/keys.ts';
import { pairStream } from '../../lib/crdt/stream.ts';
import { ClchatError, codeOf, type ErrorCode } from '../../lib/errors.ts';
import { SILENT } from '../../lib/log.ts';
import type { ServerOptions } from '../../lib/node/server/server.ts';
import { eventually } from './channels.ts';
import { contextOf } from './commands.ts';
import { HANDLERS } from './handlers.ts';
import { FakeMedia } from './live-call.ts';
import { World, type TestClient } from './roles.ts';

export class Caller {
  readonly test: TestClient;
  readonly name: string;
  readonly device: PublicKey;
  readonly calls: AppCalls;
  readonly situation = new Situation();
  readonly told: AppEvent[] = [];
  /** The helper processes, in order. */
  readonly media: FakeMedia[] = [];
  readonly faults: unknown[] = [];
  /** What keeps helper processes from starting. */
  refusal: ErrorCode | undefined;
  /** Helper processes start when this is over. */
  hold: Promise<void> | undefined;
  /** What each of them refuses: `source camera`. */
  readonly refusals = new Map<string, ErrorCode>();

  constructor(test: TestClient, names: DeviceNames) {
    this.test = test;
    this.name = test.home.name;
    this.device = test.home.replica.device;
    this.calls = new AppCalls({
      names,
      size: undefined,
      log: { ...SILENT, fault: (error) => this.faults.push(error) },
      tell: (event) => this.tell(event),
      client: () => (test.client.loggedIn ? test.client : undefined),
      situation: this.situation,
      ports: () => [],
      startMedia: async (options) => {
        await this.hold;
        if (this.refusal !== undefined) throw new ClchatError(this.refusal);
        const media = new FakeMedia(options);
        for (const [what, code] of this.refusals) media.refusals.set(what, code);
        this.media.push(media);
        return media;
      },
    });
    test.callEvents = this.calls.events;
  }

  /** As `App` tells it. */
  tell(event: AppEvent): void {
    this.told.push(event);
    this.calls.heard(event);
  }

  /** Carries out a command, as `App` does. */
  async run(name: string, args: Record<string, string> = {}, ask?: Ask): Promise<ResultData> {
    const handler = HANDLERS[name] ?? assert.fail(`there is no command ${name}`);
    const { calls, situation } = this;
    const data = await handler(args, {
      ...contextOf(this.test.client),
      ask,
      calls,
      situation,
      tell: (event) => this.tell(event),
    });
    await calls.follow();
    return data;
  }

  async refused(code: ErrorCode, name: string, args: Record<string, string> = {}): Promise<void> {
    await assert.rejects(this.run(name, args), (error) => codeOf(error) === code);
  }

  /** Texts of the events of calls so far, in short, since last asked. */
  heard(...names: AppEvent['event'][]): string[] {
    return this.told.splice(0).flatMap((event) => {
      if (names.length > 0 && !names.includes(event.event)) return [];
      const { event: name, ...facts } = event as AppEvent & Record<string, unknown>;
      const shown = Object.entries(facts).filter(([key]) => !['id', 'text'].includes(key));
      return [[name, ...shown.map(([key, value]) => `${key}=${String(value)}`)].join(' ')];
    });
  }

  /** Waits until it is told of something. */
  async hears(event: AppEvent['event'], facts: Record<string, unknown> = {}): Promise<void> {
    const wanted = JSON.stringify(facts);
    await eventually(`${this.name} hears "${event}" ${wanted}`, () =>
      this.told.some(
        (one) =>
          one.event === event &&
          Object.entries(facts).every(
            ([key, value]) =>
              JSON.stringify((one as Record<string, unknown>)[key]) === JSON.stringify(value),
          ),
      ),
    );
  }

  /** What it sends to somebody. */
  sends(to: Caller): { sound: boolean; camera: boolean; screen: boolean } {
    const { sound, camera, screen } = this.media.at(-1)!.last('send', to.device);
    return { sound, camera: camera !== null, screen: screen !== null };
  }

  /** How loud somebody is heard. */
  volume(of: Caller): number {
    return this.media.at(-1)!.last('hear', of.device).volume;
  }
}

export interface CallingStage {
  readonly world: World;
  /** People with accounts, who know of one another. */
  readonly join: <const Names extends readonly string[]>(
    ...names: Names
  ) => Promise<{ [K in keyof Names]: Caller }>;
  /** A further device of an account that has the password `secret`. */
  readonly device: (of: string, names?: DeviceNames) => Promise<Caller>;
  readonly befriend: (one: Caller, other: Caller) => Promise<void>;
  /** One calls, the other answers, and they are connected. */
  readonly talk: (one: Caller, other: Caller) => Promise<void>;
  /** These are in the call of a room and connected. */
  readonly meet: (room: string, ...callers: Caller[]) => Promise<void>;
  /** Whose speaking to the server may fail: a test takes it away. */
  isServerTaken: boolean;
}

const TEST: DeviceNames = {
  camera: 'test',
  microphone: 'tone:440',
  speaker: 'none',
  screen: 'test',
};

/** To be called inside a `describe`: there is a new server for each of its tests. */
export function callingStage(options: Partial<ServerOptions> = {}): CallingStage {
  let world: World;
  const callers: Caller[] = [];

  const caller = (test: TestClient, names = TEST): Caller => {
    const one = new Caller(test, names);
    callers.push(one);
    return one;
  };
  const areConnected = async (...those: Caller[]): Promise<void> => {
    for (const one of those)
      await eventually(`${one.name} is connected to all`, () => {
        const others = one.calls.live?.others ?? [];
        return others.length === those.length - 1 && others.every((other) => other.isConnected);
      });
  };

  const stage: CallingStage = {
    isServerTaken: false,
    get world() {
      return world;
    },
    async join<const Names extends readonly string[]>(...names: Names) {
      const joined: Caller[] = [];
      for (const name of names) joined.push(caller(await world.join(name, 'secret')));
      const all = callers.length;
      for (const { test } of callers)
        await eventually('everybody', () => test.home.names().length >= all);
      return joined as { [K in keyof Names]: Caller };
    },
    async device(of, names) {
      const test = await world.client();
      await test.client.connect();
      await test.client.loginPassword(of, 'secret');
      return caller(test, names);
    },
    async befriend(one, other) {
      for (const [by, kind] of [
        [one, 'request'],
        [other, 'accept'],
      ] as const) {
        const { home } = by.test;
        const stream = pairStream(one.test.home.account, other.test.home.account);
        const entry = await home.conversations.act(stream, kind, {});
        assert.equal(await home.outbox.answer(entry.id), 'held');
      }
      for (const [by, friend] of [
        [one, other],
        [other, one],
      ] as const)
        await eventually('a contact', async () => {
          const all = await by.test.home.contacts.all();
          return all.get(friend.test.home.account) === 'contact';
        });
    },
    async talk(one, other) {
      const called = one.run('call', { target: other.name });
      await other.hears('ring', { user: one.name });
      await other.run('answer');
      await called;
      await areConnected(one, other);
    },
    async meet(room, ...those) {
      for (const one of those) await one.run('call', { target: room });
      await areConnected(...those);
    },
  };

  beforeEach(async () => {
    stage.isServerTaken = false;
    world = await World.start(options);
  });

  afterEach(async () => {
    const all = callers.splice(0);
    for (const { calls } of all) await calls.stop();
    await world.stop();
    const faults = all.flatMap((one) => [...one.faults, ...one.test.faults]);
    const excused = ['NETWORK', 'CLOSED', 'TIMEOUT'];
    assert.deepEqual(
      faults.filter((fault) => !(stage.isServerTaken && excused.includes(codeOf(fault)))),
      [],
    );
    assert.deepEqual(world.faults, []);
  });

  return stage;
}

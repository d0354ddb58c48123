/** A server with its administrator and three others, who go about in rooms by commands. */
import assert from 'node:assert/strict';
import { Situation } from '../../lib/app/situation.ts';
import type { AppEvent, Ask, ResultData } from '../../lib/app/types.ts';
import type { RoomId } from '../../lib/crdt/keys.ts';
import { ADMIN_GROUP } from '../../lib/crdt/permissions.ts';
import { roomAt } from '../../lib/crdt/rooms.ts';
import { ClchatError, type ErrorCode } from '../../lib/errors.ts';
import { contextOf } from './commands.ts';
import { eventually } from './channels.ts';
import { HANDLERS } from './handlers.ts';
import { World, type TestClient } from './roles.ts';

export type Args = Readonly<Record<string, string>>;

/** Answers questions in order; what was asked is kept. */
export class Answers implements Ask {
  readonly asked: string[] = [];
  readonly #answers: (string | boolean)[];

  constructor(...answers: (string | boolean)[]) {
    this.#answers = answers;
  }

  #next<T extends string | boolean>(question: string, type: 'string' | 'boolean'): Promise<T> {
    this.asked.push(question);
    const answer = this.#answers.shift();
    assert.equal(typeof answer, type, `"${question}" was not expected`);
    return Promise.resolve(answer as T);
  }

  line(question: string): Promise<string> {
    return this.#next(question, 'string');
  }

  secret(question: string): Promise<string> {
    return this.#next(question, 'string');
  }

  confirm(question: string): Promise<boolean> {
    return this.#next(question, 'boolean');
  }

  choose(question: string): Promise<number> {
    return assert.fail(`"${question}" was not expected`);
  }
}

export class RoomStage {
  readonly world: World;
  readonly root: TestClient;
  readonly alice: TestClient;
  readonly bob: TestClient;
  readonly carol: TestClient;
  /** What commands have told on the way. */
  readonly told: AppEvent[] = [];
  readonly #situations = new Map<TestClient, Situation>();

  private constructor(world: World, all: readonly TestClient[]) {
    this.world = world;
    [this.root, this.alice, this.bob, this.carol] = all as [
      TestClient,
      TestClient,
      TestClient,
      TestClient,
    ];
  }

  static async open(): Promise<RoomStage> {
    const world = await World.start();
    const root = await world.join('root');
    await world.server.crown('root');
    await eventually('the crown', () => root.home.record?.group === ADMIN_GROUP);
    const others: TestClient[] = [];
    for (const name of ['alice', 'bob', 'carol']) others.push(await world.join(name));
    const stage = new RoomStage(world, [root, ...others]);
    for (const one of [root, ...others])
      await eventually('everybody', () => one.home.names().length === 4);
    return stage;
  }

  situation(who: TestClient): Situation {
    let situation = this.#situations.get(who);
    if (situation === undefined) this.#situations.set(who, (situation = new Situation()));
    return situation;
  }

  /** Carries out a command. */
  async run(who: TestClient, name: string, args: Args = {}, ask?: Ask): Promise<ResultData> {
    const handler = HANDLERS[name] ?? assert.fail(`there is no command ${name}`);
    return handler(args, {
      ...contextOf(who.client),
      ask,
      situation: this.situation(who),
      tell: (event) => this.told.push(event),
    });
  }

  /** Carries out a command that must be refused, and has written nothing when it is. */
  async refused(
    who: TestClient,
    name: string,
    args: Args,
    code: ErrorCode,
    text = /./,
    ask?: Ask,
  ): Promise<void> {
    const length = (): number => who.home.replica.log.headOf('space').length;
    const before = length();
    try {
      await this.run(who, name, args, ask);
    } catch (error) {
      assert.ok(error instanceof ClchatError, String(error));
      assert.deepEqual([error.code, text.test(error.message)], [code, true], error.message);
      assert.equal(length(), before, 'it has been written');
      return;
    }
    assert.fail(`${name} was not refused`);
  }

  /** Waits until somebody knows of a room. */
  async knows(who: TestClient, ...paths: string[]): Promise<void> {
    for (const path of paths)
      await eventually(path, () => roomAt(who.home.space, path) !== undefined);
  }

  at(path: string, who = this.alice): RoomId {
    return roomAt(who.home.space, path) ?? assert.fail(`there is no room ${path}`);
  }

  /** Names of those who are in a room, as somebody knows it. */
  async members(who: TestClient, path: string): Promise<string[]> {
    const members = await who.client.rooms.members(this.at(path, who));
    return (members ?? []).map((account) => who.home.nameOf(account)).sort();
  }

  /** Waits until somebody knows of exactly these in a room. */
  async sees(who: TestClient, path: string, ...names: string[]): Promise<void> {
    await eventually(
      `${names.join()} in ${path}`,
      async () => (await this.members(who, path)).join() === names.join(),
    );
  }

  async close(): Promise<void> {
    const all = [this.root, this.alice, this.bob, this.carol].flatMap(({ faults }) => faults);
    await this.world.stop();
    assert.deepEqual([...this.world.faults, ...all], []);
  }
}

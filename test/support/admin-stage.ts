/** A server with its administrator and others, and the commands that they give. */
import assert from 'node:assert/strict';
import type { Ask, ResultData } from '../../lib/app/types.ts';
import { ADMIN_GROUP } from '../../lib/crdt/permissions.ts';
import { ClchatError } from '../../lib/errors.ts';
import type { Clock } from '../../lib/lifecycle.ts';
import type { Mail, Mailer } from '../../lib/node/mailer.ts';
import type { ServerOptions } from '../../lib/node/server/server.ts';
import { contextOf } from './commands.ts';
import { eventually } from './channels.ts';
import { HANDLERS } from './handlers.ts';
import { World, type TestClient } from './roles.ts';

export type Args = Readonly<Record<string, string>>;

/** Keeps what it is given to send, or fails as told. */
export class FakeMailer implements Mailer {
  readonly mails: Mail[] = [];
  failure: Error | undefined;

  async send(mail: Mail): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    this.mails.push(mail);
  }

  async close(): Promise<void> {
    await Promise.resolve();
  }
}

/** A clock of which only the time of day can be put forward: nobody seems to have fallen silent. */
export class WallClock implements Clock {
  shift = 0;
  now = (): number => Date.now() + this.shift;
  monotonic = (): number => performance.now();
}

export class AdminStage {
  readonly world: World;
  readonly root: TestClient;

  private constructor(world: World, root: TestClient) {
    this.world = world;
    this.root = root;
  }

  static async open(options: Partial<ServerOptions> = {}): Promise<AdminStage> {
    const world = await World.start({ blockDuration: 60, ...options });
    const root = await world.join('root');
    await world.server.crown('root');
    await eventually('the crown', () => root.home.record?.group === ADMIN_GROUP);
    return new AdminStage(world, root);
  }

  /** Carries out a command. */
  async run(who: TestClient, name: string, args: Args = {}, ask?: Ask): Promise<ResultData> {
    const handler = HANDLERS[name] ?? assert.fail(`there is no command ${name}`);
    return handler(args, { ...contextOf(who.client), ask });
  }

  /** Carries out a command that must be refused, and has written nothing when it is. */
  async refused(
    who: TestClient,
    name: string,
    args: Args,
    code: string,
    ask?: Ask,
  ): Promise<ClchatError> {
    const before = who.home.replica.log.headOf('space').length;
    try {
      await this.run(who, name, args, ask);
    } catch (error) {
      assert.ok(error instanceof ClchatError, String(error));
      assert.equal(error.code, code, error.message);
      assert.equal(who.home.replica.log.headOf('space').length, before, 'it has been written');
      return error;
    }
    return assert.fail(`${name} was not refused`);
  }

  /** A group of its own for somebody, with some permissions at a level. */
  async put(who: TestClient, level: number, ...permissions: string[]): Promise<string> {
    const group = `g${this.root.home.replica.log.headOf('space').length}`;
    await this.run(this.root, 'creategroup', { name: group, level: String(level) });
    if (permissions.length > 0) {
      const changes = permissions.map((one) => `+${one}`).join(' ');
      await this.run(this.root, 'updategroup', { group, changes });
    }
    await this.run(this.root, 'setusergroup', { user: who.home.name, group });
    await eventually('the group', () => who.home.record?.group === group);
    return group;
  }

  async close(): Promise<void> {
    await this.world.stop();
    assert.deepEqual(this.world.faults, []);
  }
}

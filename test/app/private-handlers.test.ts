/** Commands of private sessions over the product's own clients and server, on the simulated network. */
import assert from 'node:assert/strict';
import { privateEventsOf } from '../../lib/app/private-events.ts';
import type { AppEvent, Ask, ResultData } from '../../lib/app/types.ts';
import { eventually } from '../support/channels.ts';
import { contextOf } from '../support/commands.ts';
import { HANDLERS } from '../support/handlers.ts';
import { World, type TestClient } from '../support/roles.ts';

describe('the commands of private sessions', function () {
  this.timeout(30_000);
  let world: World;
  let alice: TestClient;
  let bob: TestClient;
  const events = new Map<TestClient, AppEvent[]>();
  /** Somebody who is there, and never answers. */
  const ask = {} as Ask;

  const join = async (name: string): Promise<TestClient> => {
    const told: AppEvent[] = [];
    const test = await world.client({}, (news) => told.push(...privateEventsOf(test.home, news)));
    await test.client.connect();
    await test.client.register(name, undefined);
    events.set(test, told);
    return test;
  };
  const run = (
    who: TestClient,
    name: string,
    args: Record<string, string> = {},
    attended = false,
  ): Promise<ResultData> => {
    const handler = HANDLERS[name] ?? assert.fail(name);
    return handler(args, { ...contextOf(who.client), ...(attended ? { ask } : {}) });
  };
  const hears = (who: TestClient, event: AppEvent['event']): Promise<void> =>
    eventually(event, () => events.get(who)!.some((one) => one.event === event));

  beforeEach(async () => {
    world = await World.start();
    events.clear();
    alice = await join('alice');
    bob = await join('bob');
    await eventually('they know each other', () => alice.home.names().includes('bob'));
  });
  afterEach(() => world.stop());

  it('wait for the answer where nobody is there', async () => {
    const started = run(alice, 'startprivate', { user: 'bob' });
    await hears(bob, 'private-request');
    assert.deepEqual(await run(bob, 'yes'), { user: 'alice' });
    assert.deepEqual(await started, { user: 'bob', state: 'open' });
    assert.deepEqual(events.get(alice), [
      { event: 'path', user: 'bob', kind: 'direct' },
      { event: 'private-open', user: 'bob', verified: 'no' },
    ]);
  });

  it('do not keep a person waiting, who is told', async () => {
    const started = await run(alice, 'startprivate', { user: 'bob' }, true);
    assert.deepEqual(started, { user: 'bob', state: 'asked' });
    await hears(bob, 'private-request');
    await run(bob, 'no', { user: 'alice' });
    await hears(alice, 'private-closed');
    assert.deepEqual(events.get(alice), [
      { event: 'private-closed', user: 'bob', reason: 'declined' },
    ]);
    await run(alice, 'startprivate', { user: 'bob' }, true);
    assert.deepEqual(await run(bob, 'startprivate', { user: 'alice' }, true), {
      user: 'alice',
      state: 'open',
    });
  });

  it('need a name where several wait', async () => {
    const carol = await join('carol');
    for (const who of [alice, carol]) {
      await eventually('they know bob', () => who.home.names().includes('bob'));
      await run(who, 'startprivate', { user: 'bob' }, true);
    }
    await assert.rejects(run(bob, 'yes'), { code: 'AMBIGUOUS', message: /alice, carol/ });
    await run(bob, 'no', { user: 'carol' });
    assert.deepEqual(await run(bob, 'yes'), { user: 'alice' });
    await assert.rejects(run(bob, 'yes'), { code: 'NO_REQUEST' });
  });

  it('say something, and how to begin where there is no session', async () => {
    const args = { user: 'bob', message: 'hello' };
    await assert.rejects(run(alice, 'private', args), {
      code: 'NO_SESSION',
      message: /"startprivate bob"/,
    });
    await run(alice, 'startprivate', { user: 'bob' }, true);
    await run(bob, 'yes');
    assert.deepEqual(await run(alice, 'private', args), { user: 'bob', state: 'delivered' });
    const told = events.get(bob)!.find(({ event }) => event === 'private-message');
    assert.ok(told?.event === 'private-message' && told.from === 'alice' && told.text === 'hello');
    assert.deepEqual(await run(alice, 'stopprivate', { user: 'bob' }), { user: 'bob' });
    await assert.rejects(run(alice, 'stopprivate', { user: 'bob' }), { code: 'NO_SESSION' });
  });

  it('find nobody who is offline, or blocks', async () => {
    await bob.block('alice');
    await assert.rejects(run(alice, 'startprivate', { user: 'bob' }), { code: 'BLOCKED' });
    await bob.block('alice', false);
    await bob.stop();
    await eventually('bob is gone', () => alice.told.includes('bob left'));
    await assert.rejects(run(alice, 'startprivate', { user: 'bob' }), { code: 'OFFLINE' });
  });

  it('end with a block and with a logout', async () => {
    await run(alice, 'startprivate', { user: 'bob' }, true);
    await run(bob, 'yes');
    await run(bob, 'block', { user: 'alice' });
    await hears(alice, 'private-closed');
    await run(bob, 'unblock', { user: 'alice' });
    events.get(alice)!.length = 0;
    await run(alice, 'startprivate', { user: 'bob' }, true);
    await run(bob, 'yes');
    await bob.client.logout();
    await hears(alice, 'private-closed');
    assert.deepEqual(events.get(alice)!.at(-1), {
      event: 'private-closed',
      user: 'bob',
      reason: 'logout',
    });
  });

  it('show the number that both have, and remember that it was compared', async () => {
    const { number, verified } = await run(alice, 'verify', { user: 'bob' });
    assert.equal(verified, 'no');
    assert.deepEqual(await run(bob, 'verify', { user: 'alice', answer: 'yes' }), {
      user: 'alice',
      number,
      verified: 'yes',
    });
    await run(alice, 'startprivate', { user: 'bob' }, true);
    await hears(bob, 'private-request');
    const [told] = events.get(bob)!;
    assert.ok(told?.event === 'private-request' && told.verified === 'yes');
    assert.equal((await run(bob, 'verify', { user: 'alice', answer: 'no' }))['verified'], 'no');
  });
});

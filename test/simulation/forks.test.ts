/** What becomes of messages where the server's history parts from what devices have. */
import assert from 'node:assert/strict';
import { Replica } from '../../lib/crdt/replica.ts';
import { Sealer } from '../../lib/crdt/sealer.ts';
import { ClchatError } from '../../lib/errors.ts';
import { sleep } from '../../lib/lifecycle.ts';
import { Inbox } from '../../lib/node/client/inbox.ts';
import { eventually } from '../support/channels.ts';
import { World, type TestClient } from '../support/roles.ts';

/** Puts something in the place of a method. @returns what undoes it */
function replace<T extends object, K extends keyof T>(
  object: T,
  name: K,
  make: (original: T[K]) => T[K],
): () => void {
  const original = object[name];
  object[name] = make(original);
  return () => (object[name] = original);
}

describe('a server that continues from a backup', function () {
  this.timeout(60_000);
  let world: World;
  let alice: TestClient;
  let bob: TestClient;

  beforeEach(async () => {
    world = await World.start();
    alice = await world.join('alice');
    bob = await world.join('bob');
  });
  afterEach(() => world.stop());

  /** Waits until the lobby reads so. */
  const reads = async (who: TestClient, expected: string[], other?: string): Promise<void> => {
    for (let tries = 0; tries < 200; tries++) {
      if ((await who.reads(other)).join('\n') === expected.join('\n')) return;
      await sleep(50);
    }
    assert.deepEqual(await who.reads(other), expected);
  };

  it('gets what was sealed and lost together with what was written meanwhile, in that order', async () => {
    assert.equal(await alice.say('before'), 'held');
    const backup = await world.backup();
    assert.equal(await alice.say('lost'), 'held');
    await bob.stop();
    await alice.stop();
    alice.addresses = ['10.9.9.9:1'];
    await alice.open();
    await alice.client.startAway();
    assert.equal(await alice.say('written away'), 'queued');
    await world.restore(backup);
    const carol = await world.join('carol');
    assert.equal(await carol.say('gone on'), 'held');
    alice.addresses = world.transport.addresses();
    alice.client.networkChanged();
    await reads(alice, ['before', 'gone on', 'lost', 'written away']);
    await reads(carol, ['before', 'gone on', 'lost', 'written away']);
    assert.equal(await alice.say('later'), 'held');
    assert.deepEqual(alice.refused, []);
  });

  it('gets a direct message again whose key it has lost, after a restart too', async () => {
    const backup = await world.backup();
    await bob.stop();
    assert.equal(await alice.say('important', 'bob'), 'held');
    await alice.stop();
    await world.restore(backup);
    await bob.open();
    await bob.login();
    assert.equal(await bob.say('hello', 'alice'), 'held');
    await alice.open();
    await alice.login();
    await bob.hears('important');
    await reads(alice, ['hello', 'important'], 'bob');
    assert.deepEqual(alice.refused, []);
  });

  it('gets what belongs to a stream that it lacks altogether', async () => {
    const backup = await world.backup();
    assert.equal(await alice.say('all of it lost'), 'held');
    await bob.stop();
    await alice.stop();
    await world.restore(backup);
    await alice.open();
    await alice.login();
    const carol = await world.join('carol');
    await reads(carol, ['all of it lost']);
    assert.equal(await alice.say('next'), 'held');
    await reads(carol, ['all of it lost', 'next']);
  });

  it('is not followed by a device that could not hand back what it has', async () => {
    const backup = await world.backup();
    assert.equal(await bob.say('held'), 'held');
    await alice.hears('held');
    await bob.stop();
    await alice.stop();
    await world.restore(backup, { recoverMs: 1_000 });
    let failures = 1;
    const undo = replace(
      Sealer.prototype,
      'handBack',
      (handBack) =>
        function (this: Sealer, batch) {
          if (failures-- > 0) return Promise.reject(new ClchatError('DISK_FULL'));
          return handBack.call(this, batch);
        },
    );
    try {
      await alice.open();
      await alice.client.startAway();
      await eventually('being back', () => alice.client.connected);
    } finally {
      undo();
    }
    await reads(alice, ['held']);
    const carol = await world.join('carol');
    await reads(carol, ['held']);
  });

  it('has its news told by a device that was killed while it went back', async () => {
    await bob.say('one');
    await alice.hears('one');
    const backup = await world.backup();
    await bob.say('two');
    await alice.hears('two');
    await bob.stop();
    await alice.stop();
    await world.restore(backup);
    const carol = await world.join('carol');
    await carol.say('new 1');
    await carol.say('new 2');
    await alice.open();
    let undo = (): void => undefined;
    const killed = new Promise<void>((resolve) => {
      undo = replace(Inbox.prototype, 'rewind', () => () => {
        alice.transport.crash();
        alice.disk.crash(0);
        resolve();
        throw new Error('killed');
      });
    });
    alice.login().catch(() => undefined);
    await killed;
    undo();
    await alice.client.stop().catch(() => undefined);
    alice.messages.length = 0;
    await alice.open();
    await alice.login();
    await alice.hears('new 2');
    assert.deepEqual(alice.texts, ['new 1', 'new 2']);
  });

  it('does not find any more what stands no longer where it stood', async () => {
    const backup = await world.backup();
    await bob.stop();
    const carol = await world.join('carol');
    assert.equal(await carol.say('apples are red'), 'held');
    await alice.hears('apples are red');
    const found = async (word: string): Promise<string[]> =>
      (await alice.home.search.search(word)).map(({ text }) => text);
    assert.deepEqual(await found('apples'), ['apples are red']);
    await alice.stop();
    await carol.stop();
    await world.restore(backup);
    const dave = await world.join('dave');
    assert.equal(await dave.say('pears are green'), 'held');
    await alice.open();
    await alice.login();
    await alice.hears('pears are green');
    assert.deepEqual(await found('apples'), []);
    assert.deepEqual(await found('pears'), ['pears are green']);
  });
});

describe('messages under a key that changes', function () {
  this.timeout(60_000);
  let world: World;
  let alice: TestClient;
  let bob: TestClient;
  let second: TestClient;

  beforeEach(async () => {
    world = await World.start();
    alice = await world.join('alice');
    bob = await world.join('bob', 'pass word');
    second = await world.client();
    await second.client.connect();
    await second.client.loginPassword('bob', 'pass word');
    await eventually('knowing the device', () => alice.home.audienceSize('room/lobby') === 2);
  });
  afterEach(() => world.stop());

  const revoke = async (): Promise<void> => {
    const { body } = bob.home.revocation(second.home.replica.device);
    const entry = await bob.home.conversations.act('space', 'revoke', body);
    assert.equal(await bob.home.outbox.answer(entry.id), 'held');
  };

  for (const isRestarted of [false, true])
    it(`arrive when they waited${isRestarted ? ' through a restart' : ''}`, async () => {
      await alice.stop();
      alice.addresses = ['10.9.9.9:1'];
      await alice.open();
      await alice.client.startAway();
      assert.equal(await alice.say('queued', 'bob'), 'queued');
      if (isRestarted) {
        await alice.stop();
        await alice.open();
        await alice.client.startAway();
      }
      await revoke();
      alice.addresses = world.transport.addresses();
      alice.client.networkChanged();
      await bob.hears('queued');
      assert.deepEqual(alice.refused, []);
      assert.deepEqual(await alice.reads('bob'), ['queued']);
    });

  it('keep their order', async () => {
    const count = 150;
    const write = async (): Promise<void> => {
      for (let number = 1; number <= count; number++) {
        const { home } = alice;
        const stream = `pair/${[home.account, home.named('bob')].sort().join(':')}` as const;
        await home.conversations.say(
          stream as Parameters<typeof home.conversations.say>[0],
          `${number}`,
        );
        home.outbox.flush();
        if (number === 50) void revoke();
      }
    };
    await write();
    await bob.hears(`${count}`);
    assert.deepEqual(
      bob.texts,
      Array.from({ length: count }, (_, index) => `${index + 1}`),
    );
    assert.deepEqual(alice.refused, []);
  });
});

describe('a newcomer', function () {
  this.timeout(60_000);

  it('is told of what is said while the space comes in', async () => {
    const world = await World.start();
    const alice = await world.join('alice');
    const bob = await world.client();
    await bob.client.connect();
    let isFirst = true;
    const undo = replace(
      Replica.prototype,
      'adopt',
      (adopt) =>
        async function (this: Replica, ...args) {
          if (isFirst) {
            isFirst = false;
            assert.equal(await alice.say('hi bob'), 'held');
          }
          return adopt.apply(this, args);
        },
    );
    try {
      await bob.client.register('bob', undefined);
    } finally {
      undo();
    }
    await bob.hears('hi bob');
    await world.stop();
  });
});

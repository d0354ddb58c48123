import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { roomStream, LOBBY_STREAM } from '../../../lib/crdt/stream.ts';
import { Manifest, toBlobHash } from '../../../lib/node/blobs/manifest.ts';
import { BLOB } from '../../../lib/node/blobs/wire.ts';
import { Exchange } from '../../../lib/node/exchange.ts';
import { eventually } from '../../support/channels.ts';
import { fileContent, fileStage, holds, type FileClient } from '../../support/file-stage.ts';

/** Five whole chunks and a part of one. */
const LARGE = 5 * 256 * 1024 + 1_000;

describe('files, the client’s side', function () {
  this.timeout(30_000);
  const stage = fileStage();
  let alice: FileClient;
  let bob: FileClient;

  beforeEach(async () => {
    alice = await stage.join('alice');
    bob = await stage.join('bob');
  });

  describe('are sent and saved', () => {
    it('in an open room, whole and under their name', async () => {
      const sent = await alice.send(fileContent(LARGE), LOBBY_STREAM, 'Plan für morgen.pdf');
      assert.equal((await bob.sees(sent)).name, 'Plan für morgen.pdf');
      assert.deepEqual(await bob.saves(sent), sent.bytes);
      assert.ok(stage.server.has(toBlobHash(sent.file.hash)));
      assert.deepEqual([sent.file.key, alice.files.has(sent.file)], [undefined, true]);
    });

    it('between two and in a closed room, with nothing but sealed bytes at the server', async () => {
      const room = await stage.closedRoom(alice, bob);
      const marker = Buffer.from('the quick brown fox jumps');
      const bytes = Buffer.alloc(LARGE, marker);
      const isIn = async (directory: string, file: string): Promise<boolean> =>
        (await readFile(join(directory, file))).includes(marker);
      for (const stream of [alice.pairWith(bob), roomStream(room), LOBBY_STREAM]) {
        const sent = await alice.send(bytes, stream);
        assert.deepEqual(Buffer.from(await bob.saves(sent)), bytes);
        const [file, ...others] = (await alice.held()).filter((name) =>
          name.startsWith(toBlobHash(sent.file.hash)),
        );
        assert.equal(others.length, 0);
        for (const directory of [stage.directory, alice.directory, bob.directory])
          assert.equal(await isIn(directory, file!), stream === LOBBY_STREAM);
      }
    });

    it('of no bytes at all', async () => {
      for (const stream of [LOBBY_STREAM, alice.pairWith(bob)]) {
        const sent = await alice.send(new Uint8Array(), stream, 'empty');
        assert.equal((await bob.saves(sent)).length, 0);
      }
    });

    it('with what an image shows', async () => {
      const gif = Buffer.from('474946383961400120000000', 'hex');
      const sent = await alice.send(gif, LOBBY_STREAM, 'a.gif');
      const { type, width, height } = await bob.sees(sent);
      assert.deepEqual([type, width, height], ['image/gif', 320, 32]);
    });

    it('more than once, and brought to the server once', async () => {
      const first = await alice.send(fileContent(LARGE));
      const second = await bob.send(fileContent(LARGE));
      assert.deepEqual(first.file.hash, second.file.hash);
      assert.equal(stage.server.list().length, 1);
      // It was there already.
      assert.deepEqual(
        bob.test.sendings.map(({ progress }) => progress),
        [1, 1],
      );
    });

    it('several at once', async () => {
      const sizes = [LARGE, 10, 3 * LARGE, 0, 300_000];
      const sent = [];
      for (const [seed, size] of sizes.entries())
        sent.push(await alice.attach(fileContent(size, seed), LOBBY_STREAM, `${seed}.bin`));
      await Promise.all([alice.files.send(), alice.files.send()]);
      for (const one of sent) assert.deepEqual(await bob.saves(one), one.bytes);
    });

    it('and it is told how far they have got', async () => {
      const sent = await alice.send(fileContent(LARGE));
      const news = alice.test.sendings;
      assert.ok(news.every(({ id, name }) => id === sent.entry.id && name === 'plan.pdf'));
      const shares = news.map(({ progress }) => progress);
      assert.deepEqual([shares[0], shares.at(-1)], [0, 1]);
      assert.deepEqual(
        shares,
        shares.toSorted((a, b) => a - b),
      );
      assert.ok(shares.length >= 6 && shares.length <= 8, shares.join());
      assert.deepEqual(
        news.map(({ state }) => state),
        [...shares.slice(1).map(() => 'sending'), 'done'],
      );
      const fetched: number[] = [];
      await bob.saves(sent, fetched);
      assert.deepEqual([fetched[0], fetched.at(-1)], [0, 1]);
      assert.ok(fetched.length >= 6);
      // Here already: nothing to be told.
      await bob.saves(sent, fetched);
      assert.equal(fetched.at(-1), 1);
      assert.equal(fetched.filter((share) => share === 1).length, 1);
    });
  });

  describe('are not sent', () => {
    it('as long as no message names them', async () => {
      const path = await alice.write(fileContent(LARGE));
      const file = await alice.files.add(path, LOBBY_STREAM);
      await alice.files.send();
      assert.deepEqual([stage.server.list(), alice.files.isWaiting(file)], [[], true]);
      assert.deepEqual(alice.test.sendings, []);
      const { home } = alice.test;
      await home.outbox.answer((await home.conversations.say(LOBBY_STREAM, { text: '', file })).id);
      await alice.test.client.settle();
      assert.equal(alice.files.isWaiting(file), false);
      assert.ok(stage.server.has(toBlobHash(file.hash)));
    });

    it('where their message is refused', async () => {
      await bob.test.block('alice');
      const stream = alice.pairWith(bob);
      const file = await alice.files.add(await alice.write(fileContent(9)), stream);
      const { home } = alice.test;
      const entry = await home.conversations.say(stream, { text: '', file });
      assert.equal(await home.outbox.answer(entry.id), 'BLOCKED');
      await alice.files.send();
      assert.deepEqual(stage.server.list(), []);
      // It is still its author's.
      assert.ok(alice.files.has(file));
    });

    it('where the group may not attach so much, and are not even read', async () => {
      await stage.world.server.crown('alice');
      const limit = async (fileLimit: number): Promise<void> => {
        const { home } = alice.test;
        const body = { name: 'user', add: [], remove: [], fileLimit };
        const entry = await home.conversations.act('space', 'updategroup', body);
        assert.equal(await home.outbox.answer(entry.id), 'held');
        await eventually(
          'the limit',
          () =>
            bob.test.home.space.get<{ fileLimit?: number }>('group', 'user')?.fileLimit ===
            fileLimit,
        );
      };
      await limit(1_000_000);
      await assert.rejects(bob.attach(fileContent(1_000_001)), {
        code: 'TOO_LARGE',
        message: 'A file may have up to 977 KiB here.',
      });
      assert.deepEqual(await bob.held(), []);
      for (const stream of [LOBBY_STREAM, bob.pairWith(alice)])
        await bob.send(fileContent(1_000_000), stream);
      await limit(0);
      await assert.rejects(bob.attach(fileContent(1)), { code: 'DENIED' });
      // Others have the limit of their own group.
      await alice.send(fileContent(1_000_001));
    });

    it('where they are none, or change meanwhile', async () => {
      const none = { code: 'NO_SUCH_FILE' };
      await assert.rejects(alice.files.add('/dev/null', LOBBY_STREAM), none);
      await assert.rejects(alice.files.add(alice.directory, LOBBY_STREAM), none);
      await assert.rejects(alice.files.add(join(alice.directory, 'nothing'), LOBBY_STREAM), none);
      assert.deepEqual(await alice.held(), []);
    });

    it('to a conversation that was closed after they had been read', async () => {
      const room = await stage.closedRoom(alice, bob);
      const file = await alice.files.add(await alice.write(fileContent(9)), LOBBY_STREAM);
      const { conversations } = alice.test.home;
      await assert.rejects(conversations.say(roomStream(room), { text: '', file }), {
        code: 'DENIED',
      });
    });
  });

  describe('wait for the server', () => {
    it('and are sent by themselves when it is back', async () => {
      await stage.close();
      await eventually('it is away', () => !alice.test.client.connected);
      const sent = await alice.attach(fileContent(LARGE));
      await alice.files.send();
      assert.equal(alice.files.isWaiting(sent.file), true);
      await stage.open();
      await eventually('it is sent', () => stage.server.has(toBlobHash(sent.file.hash)));
      await alice.stop();
      assert.deepEqual(await bob.saves(sent), sent.bytes);
    });

    it('beyond a restart, until their author is back', async () => {
      await stage.close();
      await eventually('it is away', () => !alice.test.client.connected);
      const sent = await alice.attach(fileContent(LARGE));
      await alice.crash();
      await stage.open();
      await eventually('he is back', () => bob.test.client.connected);
      await alice.comeBack();
      await eventually('it is sent', () => stage.server.has(toBlobHash(sent.file.hash)));
      assert.deepEqual(await bob.saves(sent), sent.bytes);
      assert.equal(alice.test.sendings.at(-1)?.state, 'done');
      assert.equal(alice.test.sendings.at(-1)?.id, sent.entry.id);
      assert.equal(alice.test.sendings.at(-1)?.name, 'plan.pdf');
    });

    it('which takes them later where it could not at first', async () => {
      const { transport } = stage.world;
      const handler = transport.handler(BLOB.name)!;
      transport.handle(BLOB.name, (channel) => {
        new Exchange(channel, BLOB, { methods: {}, notices: {} });
      });
      const sent = await alice.attach(fileContent(LARGE));
      await alice.files.send();
      assert.equal(alice.files.isWaiting(sent.file), true);
      assert.equal(alice.test.faults.splice(0).length, 1);
      transport.handle(BLOB.name, handler);
      await eventually('it is sent', () => stage.server.has(toBlobHash(sent.file.hash)));
    });
  });

  describe('go on where they were left', () => {
    /** Runs `then` once about half of what is sent has been. */
    const halfway = async (by: FileClient, then: () => Promise<void>): Promise<void> => {
      const before = by.test.sendings.length;
      await eventually('half of it', () =>
        by.test.sendings.slice(before).some(({ progress }) => progress >= 0.4),
      );
      assert.ok((by.test.sendings.at(-1)?.progress ?? 1) < 1, 'it was too quick');
      await then();
    };
    const HUGE = 12 * 256 * 1024;

    it('after their sender was killed', async () => {
      const sent = await alice.attach(fileContent(HUGE), alice.pairWith(bob));
      void alice.files.send();
      await halfway(alice, () => alice.crash());
      const before = alice.test.sendings.length;
      await alice.comeBack();
      await eventually('it is sent', () => stage.server.has(toBlobHash(sent.file.hash)));
      const [first] = alice.test.sendings.slice(before);
      assert.ok(first!.progress >= 0.3, `it began again at ${first!.progress}`);
      assert.deepEqual(await bob.saves(sent), sent.bytes);
    });

    it('after the server was killed', async () => {
      const sent = await alice.attach(fileContent(HUGE));
      void alice.files.send();
      await halfway(alice, async () => {
        await stage.world.crash();
        await stage.server.close();
        stage.world.faults.length = 0;
      });
      await eventually('it is away', () => !alice.test.client.connected);
      const before = alice.test.sendings.length;
      await stage.open();
      await eventually('it is sent', () => stage.server.has(toBlobHash(sent.file.hash)));
      const [first] = alice.test.sendings.slice(before);
      assert.ok(first!.progress >= 0.3, `it began again at ${first!.progress}`);
      assert.deepEqual(await bob.saves(sent), sent.bytes);
      alice.test.faults.length = 0;
    });

    it('after their receiver was killed', async () => {
      const sent = await alice.send(fileContent(HUGE));
      const file = await bob.sees(sent);
      const shares: number[] = [];
      const fetching = bob.files.fetch(file, (share) => shares.push(share));
      fetching.catch(() => undefined);
      await eventually('half of it', () => (shares.at(-1) ?? 0) >= 0.4);
      await bob.crash();
      await assert.rejects(fetching);
      await bob.comeBack();
      const more: number[] = [];
      assert.deepEqual(await bob.saves(sent, more), sent.bytes);
      assert.ok(more[0]! >= 0.3 && more[0]! < 1, `it began again at ${more[0]}`);
    });
  });

  describe('are fetched', () => {
    /** Of a server that has lost it. */
    const lost = async (): Promise<ReturnType<FileClient['send']>> => {
      const sent = await alice.send(fileContent(LARGE), alice.pairWith(bob));
      await stage.server.delete(toBlobHash(sent.file.hash));
      return sent;
    };

    it('from their author’s device where the server has lost them', async () => {
      const sent = await lost();
      assert.deepEqual(await bob.saves(sent), sent.bytes);
      assert.deepEqual(stage.server.list(), []);
    });

    it('from whoever else has fetched them', async () => {
      const carol = await stage.join('carol');
      const sent = await alice.send(fileContent(LARGE));
      assert.deepEqual(await bob.saves(sent), sent.bytes);
      await stage.server.delete(toBlobHash(sent.file.hash));
      await alice.stop();
      assert.deepEqual(await carol.saves(sent), sent.bytes);
    });

    it('as long as anybody has them who is there', async () => {
      const sent = await lost();
      await alice.stop();
      await assert.rejects(bob.saves(sent), { code: 'NO_SUCH_FILE', message: /Try again later/ });
      await alice.comeBack();
      assert.deepEqual(await bob.saves(sent), sent.bytes);
    });

    it('without the server from others, and from here', async () => {
      const carol = await stage.join('carol');
      const sent = await alice.send(fileContent(LARGE));
      for (const client of [bob, carol]) await client.sees(sent);
      await stage.close();
      await eventually('it is away', () =>
        [alice, bob, carol].every(({ test }) => !test.client.connected),
      );
      assert.deepEqual(await bob.saves(sent), sent.bytes);
      await alice.stop();
      assert.deepEqual(await bob.saves(sent), sent.bytes);
      await bob.stop();
      await assert.rejects(carol.saves(sent), { code: 'NETWORK' });
      await stage.open();
    });

    it('from another where a server sends something else', async () => {
      const sent = await alice.send(fileContent(LARGE));
      const manifest = await stage.server.manifest(toBlobHash(sent.file.hash));
      let asked = 0;
      stage.world.transport.handle(BLOB.name, (channel) => {
        new Exchange(channel, BLOB, {
          notices: {},
          methods: {
            manifest: () => ({ manifest: manifest!.bytes }),
            have: () => ({ have: Uint8Array.of(0xff) }),
            chunk: ({ index }) => {
              asked++;
              return { chunk: fileContent(manifest!.lengthOf(index), 9) };
            },
          },
        });
      });
      assert.deepEqual(await bob.saves(sent), sent.bytes);
      assert.ok(asked > 0);
      // Where there is nobody else, nothing of it is taken.
      const carol = await stage.join('carol');
      await alice.stop();
      await bob.stop();
      await assert.rejects(carol.saves(sent), { code: 'BAD_MESSAGE' });
    });

    it('as what their message says', async () => {
      const other = Manifest.of(LOBBY_STREAM, 3, [fileContent(32)]);
      stage.world.transport.handle(BLOB.name, (channel) => {
        new Exchange(channel, BLOB, {
          notices: {},
          methods: {
            manifest: () => ({ manifest: other.bytes }),
            have: () => ({ have: Uint8Array.of(0xff) }),
          },
        });
      });
      const sent = await alice.attach(fileContent(LARGE));
      await alice.stop();
      await assert.rejects(bob.saves(sent), { code: 'BAD_MESSAGE' });
      assert.deepEqual(await bob.held(), []);
    });
  });

  describe('are given to others', () => {
    const ask = async (asker: FileClient | 'stranger', file: { hash: Uint8Array }) => {
      const from = asker === 'stranger' ? await stage.world.peer('stranger') : asker.test;
      const { address, key } = alice.test.transport;
      const exchange = await stage.channel(from, { addresses: [address], key });
      return exchange.call('have', { hash: toBlobHash(file.hash) });
    };
    const refused = { code: 'NO_SUCH_FILE' };

    it('who may read a message that names them, and to nobody else', async () => {
      const carol = await stage.join('carol');
      const open = await alice.send(fileContent(LARGE));
      const secret = await alice.send(fileContent(LARGE), alice.pairWith(bob));
      for (const { file } of [open, secret]) await ask(bob, file);
      await eventually('she knows carol', () => alice.test.home.names().includes('carol'));
      await ask(carol, open.file);
      await assert.rejects(ask(carol, secret.file), refused);
      for (const { file } of [open, secret]) await assert.rejects(ask('stranger', file), refused);
      await assert.rejects(ask(bob, { hash: fileContent(32) }), refused);
    });

    it('but not to those who only repeat their names elsewhere', async () => {
      const carol = await stage.join('carol');
      const { file, bytes } = await alice.send(fileContent(LARGE), alice.pairWith(bob));
      const { conversations, outbox } = carol.test.home;
      const entry = await conversations.say(LOBBY_STREAM, {
        text: 'mine',
        file: { hash: file.hash, size: bytes.length, name: 'plan.pdf' },
      });
      assert.equal(await outbox.answer(entry.id), 'held');
      const { reading } = alice.test.home.conversations;
      await eventually('she has the message', () => reading.find(entry.id) !== undefined);
      await assert.rejects(ask(carol, file), refused);
      await ask(bob, file);
    });

    it('but not to those whom one has blocked, nor when logged out', async () => {
      const { file } = await alice.send(fileContent(LARGE));
      await alice.test.block('bob');
      await assert.rejects(ask(bob, file), refused);
      await alice.test.block('bob', false);
      await ask(bob, file);
      await alice.test.client.logout();
      await assert.rejects(ask(bob, file), refused);
    });

    it('but nothing is taken from them', async () => {
      const manifest = Manifest.of(LOBBY_STREAM, 0, []);
      const { address, key } = alice.test.transport;
      const exchange = await stage.channel(bob.test, { addresses: [address], key });
      await assert.rejects(exchange.call('begin', { manifest: manifest.bytes }), {
        code: 'DENIED',
      });
    });
  });

  describe('go with their message', () => {
    const remove = async ({ test }: FileClient, { entry }: { entry: { id: string } }) => {
      const { home } = test;
      const stream = home.conversations.reading.find(entry.id as never)!.entry.stream;
      const removal = await home.conversations.act(stream, 'remove', { target: entry.id });
      assert.equal(await home.outbox.answer(removal.id), 'held');
    };
    const gone = (...clients: FileClient[]): Promise<void> =>
      eventually('nothing is left', async () => {
        if (stage.server.list().length > 0) return false;
        return clients.every(({ store }) => store.list().length === 0);
      });

    it('from the server, and from all who have them', async () => {
      const sent = await alice.send(fileContent(LARGE), alice.pairWith(bob));
      await bob.saves(sent);
      await remove(alice, sent);
      await gone(alice, bob);
      assert.deepEqual([await alice.held(), await bob.held()], [[], []]);
    });

    it('from a device that was away, when it is back', async () => {
      const sent = await alice.send(fileContent(LARGE));
      await bob.saves(sent);
      await bob.stop();
      await remove(alice, sent);
      await gone(alice);
      assert.equal((await bob.held()).length, 1);
      await bob.comeBack();
      await gone(alice, bob);
    });

    it('after a crash on the way as well', async () => {
      const sent = await alice.send(fileContent(LARGE));
      await bob.saves(sent);
      // He dies before he has done what the removal says.
      let die: (error: Error) => void = () => undefined;
      bob.store.delete = () => new Promise((_resolve, reject) => (die = reject));
      await remove(alice, sent);
      await gone(alice);
      const { id } = sent.entry;
      const { reading } = bob.test.home.conversations;
      await eventually('he has the removal', async () => {
        const { entry, standing } = reading.find(id)!;
        return (await reading.read(entry, standing)).removed === true;
      });
      const killed = bob.crash();
      die(new Error('killed'));
      await killed;
      assert.equal((await bob.held()).length, 1);
      await bob.comeBack();
      await gone(alice, bob);
    });

    it('only with the last that names them', async () => {
      const first = await alice.send(fileContent(LARGE));
      const second = await bob.send(fileContent(LARGE));
      await alice.sees(second);
      await remove(alice, first);
      const { reading } = bob.test.home.conversations;
      await eventually('it is erased', () => {
        return reading.find(first.entry.id)?.entry.body === undefined;
      });
      assert.deepEqual(await alice.saves(second), second.bytes);
      assert.ok(holds(stage.server, second.file));
      await remove(bob, second);
      await gone(alice, bob);
    });

    it('while they are being sent, of which nobody hears', async () => {
      const sent = await alice.attach(fileContent(20 * 256 * 1024));
      void alice.files.send();
      await eventually('a part', () => alice.test.sendings.some(({ progress }) => progress > 0.2));
      await remove(alice, sent);
      await gone(alice);
      await alice.files.settled();
      await eventually('it is not to be sent', async () => {
        await alice.files.send();
        return !alice.files.isWaiting(sent.file);
      });
      assert.deepEqual(
        alice.test.sendings.filter(({ state }) => state !== 'sending'),
        [],
      );
    });

    it('and with their author, where nothing of that account is to stay', async () => {
      await stage.world.server.crown('bob');
      const sent = await alice.send(fileContent(LARGE));
      await bob.saves(sent);
      const { home } = bob.test;
      const body = { account: alice.test.home.account, vengeance: true };
      const entry = await home.conversations.act('space', 'removeuser', body);
      assert.equal(await home.outbox.answer(entry.id), 'held');
      await gone(bob);
      assert.deepEqual(await bob.held(), []);
    });

    it('and with their room', async () => {
      const room = await stage.closedRoom(alice, bob);
      const sent = await alice.send(fileContent(LARGE), roomStream(room));
      await bob.saves(sent);
      const { home } = alice.test;
      const entry = await home.conversations.act('space', 'removeroom', { room });
      assert.equal(await home.outbox.answer(entry.id), 'held');
      await gone(alice, bob);
    });
  });

  it('are offered to a server that continues from an old backup', async () => {
    const before = await stage.world.backup();
    const sent = await alice.send(fileContent(LARGE));
    await stage.server.delete(toBlobHash(sent.file.hash));
    await stage.world.restore(before, { blobs: stage.server, recoverMs: 500 });
    await eventually(
      'it is there again',
      () => stage.server.has(toBlobHash(sent.file.hash)),
      20_000,
    );
    assert.deepEqual(
      alice.test.sendings.map(({ state }) => state).filter((state) => state === 'done'),
      ['done'],
    );
    assert.deepEqual(await bob.saves(sent), sent.bytes);
  });
});

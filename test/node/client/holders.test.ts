import assert from 'node:assert/strict';
import { ClchatError } from '../../../lib/errors.ts';
import { toBlobHash, type BlobHash } from '../../../lib/node/blobs/manifest.ts';
import { Holders } from '../../../lib/node/client/holders.ts';
import type { Link } from '../../../lib/node/client/link.ts';
import { MAX_PEERS } from '../../../lib/node/wire.ts';
import { anyKey, eventually, turns } from '../../support/channels.ts';
import { fileContent, fileStage, type FileClient } from '../../support/file-stage.ts';

const hashOf = (number: number): BlobHash => toBlobHash(fileContent(32, number));

describe('who may have a file', function () {
  this.timeout(30_000);

  describe('as the server tells', () => {
    const asked: BlobHash[] = [];
    const faults: unknown[] = [];
    let isThere: boolean;
    let answer: () => Promise<unknown>;
    let holders: Holders;
    const somebody = () => ({ device: anyKey().public, addresses: ['127.0.0.1:1'] });

    beforeEach(() => {
      asked.length = faults.length = 0;
      isThere = true;
      answer = async () => ({ peers: [somebody()] });
      const session = {
        call: (_method: string, { hash }: { hash: BlobHash }) => {
          asked.push(hash);
          return answer();
        },
      };
      holders = new Holders({
        transport: undefined as never,
        home: () => undefined,
        link: () => (isThere ? ({ session } as unknown as Link) : undefined),
        server: () => ({ addresses: [] }),
        onFault: (error) => faults.push(error),
      });
    });

    it('is remembered, of so many devices', async () => {
      answer = async () => ({ peers: [somebody(), somebody(), somebody()] });
      for (let number = 0; number < MAX_PEERS; number++) await holders.waysTo(hashOf(number));
      assert.equal(holders.size, MAX_PEERS);
    });

    it('is asked one after the other, of the newest of many files', async () => {
      let answerAll: () => void = () => undefined;
      const wait = new Promise<void>((resolve) => (answerAll = resolve));
      answer = async () => (await wait, { peers: [] });
      for (let number = 0; number < 50; number++) holders.note(hashOf(number));
      await turns(10);
      assert.deepEqual(asked, [hashOf(0)]);
      answerAll();
      await eventually('all are asked of', () => asked.at(-1) === hashOf(49));
      await turns(10);
      assert.deepEqual(
        asked.slice(1),
        Array.from({ length: 16 }, (_, index) => hashOf(34 + index)),
      );
      holders.note(hashOf(3));
      assert.equal(asked.at(-1), hashOf(3));
    });

    it('is asked again of another file where it could not be told of one', async () => {
      const refusals = ['NO_SUCH_FILE', 'CLOSED', 'TIMEOUT'] as const;
      for (const code of refusals) {
        answer = async () => Promise.reject(new ClchatError(code));
        holders.note(hashOf(1));
        await turns(5);
        assert.equal((await holders.waysTo(hashOf(1))).length, 1, 'the server');
      }
      assert.deepEqual(faults, []);
      answer = async () => Promise.reject(new ClchatError('BAD_MESSAGE'));
      holders.note(hashOf(1));
      await turns(5);
      assert.equal(faults.length, 1);
      assert.equal(asked.length, 2 * refusals.length + 1);
      isThere = false;
      holders.note(hashOf(1));
      assert.equal(asked.length, 2 * refusals.length + 1);
      await assert.rejects(holders.waysTo(hashOf(1)), { code: 'NETWORK' });
    });
  });

  describe('while the server is away', () => {
    const stage = fileStage();
    let alice: FileClient;
    let bob: FileClient;

    beforeEach(async () => {
      alice = await stage.join('alice');
      bob = await stage.join('bob');
    });

    const away = async (client: FileClient): Promise<void> => {
      await stage.close();
      await eventually('it is away', () => !client.test.client.connected);
    };

    it('is who was told of when the message came', async () => {
      const open = await alice.send(fileContent(600_000, 1));
      const sealed = await alice.send(fileContent(300_000, 2), alice.pairWith(bob));
      for (const one of [open, sealed]) await bob.sees(one);
      await bob.test.client.settle();
      await away(bob);
      for (const one of [open, sealed]) assert.deepEqual(await bob.saves(one), one.bytes);
      await alice.stop();
      await stage.open();
    });

    it('is whoever has fetched it as well', async () => {
      const carol = await stage.join('carol');
      const first = await alice.send(fileContent(600_000, 1));
      await bob.saves(first);
      await carol.sees(first);
      await carol.test.client.settle();
      await alice.stop();
      await away(carol);
      assert.deepEqual(await carol.saves(first), first.bytes);
      await stage.open();
    });

    it('is nobody where nobody was told of, or they are away, too', async () => {
      const sent = await alice.send(fileContent(600_000));
      const carol = await stage.join('carol');
      const file = await carol.sees(sent);
      await bob.sees(sent);
      await bob.test.client.settle();
      await alice.stop();
      await carol.stop();
      await away(bob);
      await assert.rejects(bob.saves(sent), { code: 'NETWORK' });
      // Nothing is remembered beyond a restart.
      await carol.open();
      await assert.rejects(
        carol.files.fetch(file, () => undefined),
        { code: 'NETWORK' },
      );
      await stage.open();
    });
  });
});

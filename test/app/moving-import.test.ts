import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { credentialsIn } from '../../lib/app/moving-import.ts';
import type { Ask, ResultData } from '../../lib/app/types.ts';
import { accountOf } from '../../lib/crdt/records.ts';
import { AdminStage } from '../support/admin-stage.ts';
import { eventually } from '../support/channels.ts';
import { enterAs } from '../support/entering.ts';
import { ShiftedClock, type TestClient } from '../support/roles.ts';
import { temporary } from '../support/temporary.ts';

describe('lines with names and passwords', () => {
  it('are read as ChatCLI writes them', () => {
    const text =
      '# staff\r\nyoda jedi*knight\r\n\r\n  hans   falcon of mine \n\tluke\tgrow light#saber\nleia\n';
    assert.deepEqual(credentialsIn(text), [
      { line: 2, name: 'yoda', password: 'jedi*knight' },
      { line: 4, name: 'hans', password: 'falcon of mine' },
      { line: 5, name: 'luke', password: 'grow light#saber' },
      { line: 6, code: 'USAGE', text: 'A line is a name, a space and a password.' },
    ]);
    assert.deepEqual(credentialsIn(''), []);
  });

  it('give what was written, whatever it was', () => {
    const word = fc.string({ unit: 'grapheme', minLength: 1 }).filter((one) => !/\s|^#/u.test(one));
    const ending = fc.constantFrom('\n', '\r\n', '\r');
    const blank = fc.constantFrom('', '   ', '# a comment', '\t');
    fc.assert(
      fc.property(fc.array(fc.tuple(word, word, blank)), ending, (rows, end) => {
        const lines = rows.flatMap(([name, password, other]) => [`${name} ${password}`, other]);
        const expected = rows.map(([name, password], index) => ({
          line: 2 * index + 1,
          name: name.normalize('NFC'),
          password,
        }));
        assert.deepEqual(credentialsIn(lines.join(end)), expected);
      }),
    );
  });

  it('are so many at most', () => {
    const text = (count: number): string => 'name word\n'.repeat(count);
    assert.equal(credentialsIn(text(10_000)).length, 10_000);
    assert.throws(() => credentialsIn(text(10_001)), { code: 'TOO_LARGE' });
  });
});

describe('the command import', () => {
  const { newDirectory } = temporary();
  let stage: AdminStage;
  let root: TestClient;
  let clock: ShiftedClock;
  let file: string;

  beforeEach(async () => {
    clock = new ShiftedClock();
    stage = await AdminStage.open({ clock });
    ({ root } = stage);
    file = join(await newDirectory(), 'credentials.txt');
  });
  afterEach(() => stage.close());

  async function imported(text: string | Uint8Array, who = root, ask?: Ask): Promise<ResultData> {
    await writeFile(file, text);
    return stage.run(who, 'import', { file }, ask);
  }

  it('makes an account of each line, which its owner can use as before', async () => {
    const data = await imported('# Jedi\nyoda jedi*knight\nhans falcon of mine\n');
    assert.deepEqual(data, { file, made: ['yoda', 'hans'], skipped: [] });
    assert.equal(accountOf(root.home.space, root.home.named('hans'))?.group, 'user');
    const hans = await stage.world.client();
    const password = 'falcon of mine';
    await enterAs(hans, 'hans', { password });
    assert.equal(hans.home.record?.mustChange, true);
    await stage.refused(hans, 'say', { text: 'x' }, 'MUST_CHANGE');
    // The same again is good: the keyring, which whoever imported it knows, is another all the same.
    await stage.run(hans, 'passwd', { old: password, new: password });
    assert.equal(hans.home.record?.mustChange, undefined);
    assert.equal(hans.home.keyrings.present.generation, 2);
    assert.equal(await hans.say('here'), 'held');
    const second = await stage.world.client();
    await enterAs(second, 'hans', { password });
    assert.equal(second.home.keyrings.present.generation, 2);
  });

  it('asks a person who comes in for the new password, which may be the same', async () => {
    await imported('yoda jedi*knight');
    const yoda = await stage.world.client();
    const asked: string[] = [];
    const secret = async (question: string): Promise<string> => {
      asked.push(question);
      return 'jedi*knight';
    };
    await enterAs(yoda, 'yoda', { ask: { secret } as unknown as Ask });
    assert.match(asked[1] ?? '', /or the same again/);
    assert.equal(asked.length, 3);
    assert.equal(yoda.home.record?.mustChange, undefined);
  });

  it('skips lines of which nothing can be made, and says why', async () => {
    const long = 'x'.repeat(100);
    const text = [
      'root taken',
      'r\u043e\u043et looks',
      'yoda jedi*knight',
      'alone',
      'YODA again',
      'a:b colon',
      'everyone word',
      `${long} name`,
      'luke light',
    ].join('\n');
    const { made, skipped } = await imported(text);
    assert.deepEqual(made, ['yoda', 'luke']);
    const all = skipped as { line: number; name?: string; code: string; text: string }[];
    assert.deepEqual(
      all.map(({ line, name, code }) => [line, name, code]),
      [
        [1, 'root', 'NAME_TAKEN'],
        [2, 'r\u043e\u043et', 'NAME_TAKEN'],
        [4, undefined, 'USAGE'],
        [5, 'YODA', 'NAME_TAKEN'],
        [6, 'a:b', 'BAD_NAME'],
        [7, 'everyone', 'BAD_NAME'],
        [8, long.slice(0, 64), 'BAD_NAME'],
      ],
    );
    assert.match(all[1]?.text ?? '', /"root"/);
    // Once more, for those that were wrong: what is there stays.
    const again = await imported(text.replace('alone', 'alone word'));
    assert.deepEqual(again['made'], ['alone']);
  });

  it('takes text in UTF-8, and nothing else', async () => {
    const { made } = await imported(Buffer.from('\ufeffZo\u0065\u0308 w\u00f6rd\n'));
    assert.deepEqual(made, ['Zo\u00eb']);
    await enterAs(await stage.world.client(), 'Zo\u00eb', { password: 'w\u00f6rd' });
    await assert.rejects(imported(Uint8Array.of(0x61, 0x20, 0xff)), { code: 'USAGE' });
    await assert.rejects(stage.run(root, 'import', { file: `${file}.none` }), {
      code: 'NO_SUCH_FILE',
    });
    await assert.rejects(stage.run(root, 'import', {}), { code: 'USAGE' });
  });

  it('is for those who may make accounts', async () => {
    const bob = await stage.world.join('bob');
    await writeFile(file, 'yoda jedi');
    const { data } = await stage.refused(bob, 'import', { file }, 'DENIED');
    assert.deepEqual(data, { permission: 'createUser' });
    await eventually('bob', () => root.home.names().includes('bob'));
    await stage.run(root, 'updategroup', { group: 'user', changes: 'level=60' });
    await stage.put(bob, 50, 'createUser');
    await stage.refused(bob, 'import', { file }, 'DENIED');
    await stage.run(root, 'updategroup', { group: 'user', changes: 'level=0' });
    await eventually(
      'the level',
      () => bob.home.space.get<{ level: number }>('group', 'user')?.level === 0,
    );
    assert.deepEqual((await imported('yoda jedi', bob))['made'], ['yoda']);
  });

  it('asks a person first', async () => {
    const asked: string[] = [];
    const answer = (is: boolean): Ask => {
      const confirm = async (question: string): Promise<boolean> => {
        asked.push(question);
        return is;
      };
      return { confirm } as unknown as Ask;
    };
    const text = 'yo\u001b[1mda jedi\nleia word\nalone\n';
    const data = await imported(text, root, answer(false));
    assert.deepEqual([data['declined'], data['made']], [true, []]);
    assert.deepEqual(asked, ['Make 2 accounts, beginning with "yoda"?']);
    assert.deepEqual((await imported(text, root, answer(true)))['made'], ['leia']);
    // Where there is nothing to be made there is nothing to be asked.
    await imported('alone', root, answer(false));
    assert.equal(asked.length, 2);
  });

  it('makes many, as fast as the server lets it', async () => {
    const names = Array.from({ length: 150 }, (_, i) => `user${i}`);
    const importing = imported(names.map((name) => `${name} word`).join('\n'));
    // The server has enough after the first hundred; then some more a second.
    await eventually('a hundred', () => root.home.names().length > 100);
    clock.shift += 5_000;
    const { made } = await importing;
    assert.deepEqual(made, names);
  }).timeout(30_000);

  it('says how far it got when the server goes away', async () => {
    const names = Array.from({ length: 60 }, (_, i) => `user${i}`);
    const importing = imported(names.map((name) => `${name} word`).join('\n'));
    const failed = assert.rejects(importing, (error: Error & { code: string }) => {
      assert.ok(['CLOSED', 'NETWORK', 'TIMEOUT'].includes(error.code), error.code);
      assert.match(error.message, /^\d+ accounts are made\. Line \d+ could not be: /);
      return true;
    });
    await eventually('a few', () => root.home.names().length > 5);
    await stage.world.close();
    await failed;
    await stage.world.open();
  });
});

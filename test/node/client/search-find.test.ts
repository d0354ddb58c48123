import assert from 'node:assert/strict';
import { findMessages, searchable } from '../../../lib/node/client/search-find.ts';
import { queryOf } from '../../../lib/node/client/search-words.ts';
import { IndexBench, roomNumber, SearchStage, stretchesOf } from '../../support/search-stage.ts';

const room = roomNumber(1);

describe('finding messages by the search index', () => {
  let stage: SearchStage;
  let bench: IndexBench;
  /** Messages that were read. */
  let read: number;
  beforeEach(async () => {
    stage = new SearchStage();
    bench = await IndexBench.open(stage.store);
    read = 0;
  });
  afterEach(() => stage.close());

  /** Says something that is in the index by another text. */
  const say = async (texts: readonly string[], indexed = texts): Promise<void> => {
    const first = stage.itemsOf(room).length;
    await stage.sayAll(room, texts);
    await bench.add(
      indexed.map((text, n) => ({ stream: room, position: first + n, text, time: first + n })),
    );
  };
  const find = async (query: string, limit: number): Promise<string[]> => {
    const messages = await findMessages(bench.catalog.segments, queryOf(query), limit, {
      log: stage.log,
      seal: bench.seal,
      book: bench.book,
      reading: {
        read: (...message) => {
          read++;
          return stage.reading.read(...message);
        },
      },
      stretches: stretchesOf(true),
    });
    return messages.map(({ text }) => text);
  };
  const numbered = (word: string, count: number): string[] =>
    Array.from({ length: count }, (_, n) => `${word} ${n}`);

  it('reads no more of them than are wanted', async () => {
    await say(numbered('word', 100));
    assert.deepEqual(await find('word', 3), ['word 99', 'word 98', 'word 97']);
    assert.equal(read, 3);
  });

  it('reads on where the index is out of date, and does not tell what is not so', async () => {
    await say(numbered('word', 10));
    await say(numbered('other', 40), numbered('word', 40));
    assert.deepEqual(await find('word', 5), ['word 9', 'word 8', 'word 7', 'word 6', 'word 5']);
    assert.equal(read, 45, 'each once');
  });

  it('gives up where next to nothing is so', async () => {
    await say(numbered('other', 300), numbered('word', 300));
    await say(numbered('word', 1));
    assert.deepEqual(await find('word', 2), ['word 0']);
    assert.equal(read, 2 * 8 * 8);
  });

  it('reads on for words that follow each other', async () => {
    await say(['red fox']);
    await say(numbered('fox red', 50));
    assert.deepEqual(await find('"red fox"', 3), ['red fox']);
  });

  it('passes by what is no message any more, and what is of another history', async () => {
    await say(['word 0', 'word 1', 'word 2', 'word 3']);
    await stage.wipe(room, [1]);
    await bench.add([{ stream: room, position: 99, text: 'word' }]);
    await stage.edit(room, 0, 'word 0');
    await bench.add([{ stream: room, position: 4, text: 'word' }]);
    assert.deepEqual((await find('word', 9)).sort(), ['word 0', 'word 2', 'word 3']);
    await stage.store.write([bench.book.rewind(room)], { sync: false });
    assert.deepEqual(await find('word', 9), []);
    await say(['word 5']);
    assert.deepEqual(await find('word', 9), ['word 5']);
  });

  it('looks into the names of files too', () => {
    const file = { hash: new Uint8Array(32), size: 1, name: 'list.txt' };
    assert.equal(searchable({ text: 'see this', file }), 'see this\nlist.txt');
    assert.equal(searchable({ text: 'see this' }), 'see this');
  });
});

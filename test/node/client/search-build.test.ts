import assert from 'node:assert/strict';
import { prefixed } from '../../../lib/crdt/store.ts';
import { Draft } from '../../../lib/node/client/search-build.ts';
import { IndexBench, roomNumber, stretchesOf } from '../../support/search-stage.ts';
import { collect } from '../../support/store-contract.ts';

const [one, other] = [roomNumber(1), roomNumber(2)];

describe('a draft of the search index', () => {
  let bench: IndexBench;
  let draft: Draft;
  const next = (): Draft => (draft = new Draft(bench.catalog, bench.book));
  beforeEach(async () => {
    bench = await IndexBench.open();
    next();
  });
  const write = (isErasing = false): Promise<string[] | undefined> =>
    draft.write(stretchesOf(true), { isErasing });

  it('becomes a segment, with what has been looked at, in one batch', async () => {
    draft.begin(one, 0, 5);
    draft.add(one, 1, 1_000, 'ant bee ant');
    draft.add(one, 3, 2_000, 'bee');
    draft.begin(other, 7, 8);
    draft.add(other, 7, 3_000, 'cat');
    assert.equal(draft.size, 3);
    assert.deepEqual([...draft.streams], [one, other]);
    assert.deepEqual(await collect(bench.store, prefixed('x!')), []);
    assert.deepEqual(await write(), []);
    assert.deepEqual(bench.words(['ant', 'bee', 'cat']), {
      ant: ['1/1'],
      bee: ['1/1', '1/3'],
      cat: ['2/7'],
    });
    assert.deepEqual(bench.book.of(one).done, [[0, 5]]);
    assert.deepEqual(bench.book.of(other).done, [[7, 8]]);
    const again = await IndexBench.open(bench.store);
    assert.equal(again.catalog.segments.length, 1);
    assert.deepEqual(again.book.of(one).done, [[0, 5]]);
  });

  it('needs no segment where nothing was said', async () => {
    draft.begin(one, 0, 5);
    draft.add(one, 1, 1_000, ' !?');
    assert.equal(draft.size, 0);
    await write();
    assert.deepEqual(bench.catalog.segments, []);
    assert.deepEqual(bench.book.of(one).done, [[0, 5]]);
    next();
    assert.deepEqual(await write(), []);
  });

  it('takes a message back that has to be read again', async () => {
    draft.begin(one, 0, 5);
    draft.add(one, 1, 0, 'ant');
    draft.again(one, 1, ['ant']);
    assert.equal(draft.size, 0);
    assert.ok(!draft.changesSegments);
    // The item itself may come behind what edits it.
    draft.again(one, 4, []);
    draft.add(one, 4, 0, 'bee');
    assert.equal(draft.size, 0);
    await write();
    assert.deepEqual(bench.words(['ant', 'bee']), {});
    assert.deepEqual(bench.book.of(one).done, [
      [0, 1],
      [2, 4],
    ]);
    assert.deepEqual([...draft.outdated], [one]);
  });

  it('takes a message out of the index that has to be read again', async () => {
    await bench.add([
      { stream: one, position: 0, text: 'ant' },
      { stream: one, position: 1, text: 'ant bee' },
    ]);
    draft.again(one, 1, ['bee ant']);
    assert.ok(draft.changesSegments);
    draft.begin(one, 2, 3);
    draft.add(one, 2, 0, 'cat');
    assert.ok((await write())!.length > 0);
    assert.deepEqual(bench.words(['ant', 'bee', 'cat']), { ant: ['1/0'], cat: ['1/2'] });
    assert.deepEqual(bench.book.of(one).done, [
      [0, 1],
      [2, 3],
    ]);
  });

  it('takes out of one segment what is of several streams', async () => {
    await bench.add([
      { stream: one, position: 0, text: 'ant' },
      { stream: other, position: 0, text: 'ant' },
      { stream: other, position: 1, text: 'ant' },
    ]);
    draft.again(one, 0, ['ant']);
    draft.again(other, 1, ['ant']);
    await write();
    assert.deepEqual(bench.words(['ant']), { ant: ['2/0'] });
  });

  describe('of a stream that is taken back meanwhile', () => {
    beforeEach(async () => {
      await bench.add([{ stream: one, position: 0, text: 'ant' }]);
      next();
      draft.begin(one, 1, 2);
      draft.add(one, 1, 0, 'bee');
      draft.begin(other, 0, 1);
      draft.add(other, 0, 0, 'cat');
    });

    it('is not written while that is under way', async () => {
      bench.book.rewind(one);
      assert.equal(await write(), undefined);
      assert.equal(bench.catalog.segments.length, 1);
      assert.deepEqual(bench.book.of(other).done, []);
    });

    it('is not written when that has been done', async () => {
      await bench.store.write([bench.book.rewind(one)], { sync: false });
      assert.equal(await write(), undefined);
      assert.deepEqual(bench.book.of(one), { generation: 1, done: [] });
      next().begin(one, 0, 1);
      draft.add(one, 0, 0, 'dog');
      await write();
      assert.deepEqual(bench.catalog.segments.at(-1)!.streams, [{ name: one, generation: 1 }]);
    });

    it('takes out what is to be erased all the same', async () => {
      next();
      draft.takeOut(one, 0, ['ant']);
      draft.begin(one, 0, 1);
      bench.book.rewind(one);
      assert.ok((await write(true))!.length > 0);
      assert.deepEqual(bench.words(['ant']), {});
    });
  });

  it('counts two words as one that have the same hash', async () => {
    const { seal } = bench;
    const hash = seal.hash.bind(seal);
    seal.hash = (word) => hash(word === 'bee' ? 'ant' : word);
    draft.begin(one, 0, 1);
    draft.add(one, 0, 0, 'ant bee cat');
    await write();
    const [segment] = bench.catalog.segments;
    assert.equal(segment!.places()(0).words, 2);
    assert.equal(segment!.frequency(seal.hash('bee')), 1);
    next().takeOut(one, 0, ['ant']);
    await write();
    assert.deepEqual(bench.words(['ant', 'cat']), {});
  });
});

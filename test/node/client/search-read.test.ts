import assert from 'node:assert/strict';
import { Draft } from '../../../lib/node/client/search-build.ts';
import {
  isSearched,
  MessageReader,
  type Gap,
  type ReaderOptions,
} from '../../../lib/node/client/search-read.ts';
import { IndexBench, roomNumber, SearchStage, stretchesOf } from '../../support/search-stage.ts';

const room = roomNumber(1);

describe('reading what is not in the search index', () => {
  let stage: SearchStage;
  let bench: IndexBench;
  let reader: MessageReader;
  /** Ids of messages that were read with all that has been done about them. */
  let wholly: number;
  beforeEach(async () => {
    stage = new SearchStage();
    bench = await IndexBench.open(stage.store);
    wholly = 0;
    const reading: ReaderOptions['conversations']['reading'] = {
      read: (...message) => {
        wholly++;
        return stage.reading.read(...message);
      },
      versions: (message) => stage.reading.versions(message),
    };
    const { replica, secrets } = stage.sources;
    reader = new MessageReader({ replica, secrets, conversations: { reading } }, bench.book);
  });
  afterEach(() => stage.close());

  const gaps = async (waiting = new Set<string>()): Promise<Gap[]> => {
    const found: Gap[] = [];
    for await (const gap of reader.gaps(
      await stage.log.names(),
      waiting as never,
      stretchesOf(true),
    ))
      found.push(gap);
    return found;
  };
  const places = async (): Promise<string[]> =>
    (await gaps()).map(({ stream, from, until }) => `${Number(stream.slice(5))} ${from}-${until}`);
  /** Indexes what there is, so far as it was not before. */
  const index = async (): Promise<Draft> => {
    const draft = new Draft(bench.catalog, bench.book);
    for (const gap of await gaps()) await reader.read(draft, gap, stretchesOf(true));
    await draft.write(stretchesOf(false));
    return draft;
  };
  const WORDS = ['ant', 'bee', 'cat'];

  it('finds what is here and was not read, in portions', async () => {
    await stage.sayAll(
      room,
      Array.from({ length: 300 }, () => 'ant'),
    );
    await stage.say(roomNumber(2), 'bee', 0, false);
    await stage.say(roomNumber(2), 'bee');
    assert.deepEqual(await places(), ['1 0-256', '1 256-300', '2 1-2']);
    await index();
    assert.deepEqual(await places(), []);
    await stage.hold(roomNumber(2), 0, 1);
    await stage.say(room, 'ant');
    assert.deepEqual(await places(), ['1 300-301', '2 0-1']);
  });

  it('reads rooms and pairs only', () => {
    assert.deepEqual(
      (
        [
          'space',
          `account/${'1'.repeat(32)}`,
          room,
          `pair/${'1'.repeat(32)}:${'2'.repeat(32)}`,
        ] as const
      ).map(isSearched),
      [false, false, true, true],
    );
  });

  it('reads a text as it stands now', async () => {
    await stage.say(room, 'ant');
    await index();
    assert.deepEqual(bench.words(WORDS), { ant: ['1/0'] });
    await stage.edit(room, 0, 'bee');
    const draft = await index();
    assert.deepEqual([...draft.outdated], [room]);
    assert.deepEqual(bench.words(WORDS), {});
    await index();
    assert.deepEqual(bench.words(WORDS), { bee: ['1/0'] });
  });

  it('reads it as it was edited before it came', async () => {
    await stage.say(room, 'ant', 0, false);
    await stage.edit(room, 0, 'bee');
    await index();
    await stage.hold(room, 0, 1);
    await index();
    assert.deepEqual(bench.words(WORDS), { bee: ['1/0'] });
  });

  it('takes the trouble only with messages that were edited, and once with each', async () => {
    const texts = Array.from({ length: 600 }, () => 'ant');
    await stage.sayAll(room, texts);
    for (const target of [3, 500]) await stage.edit(room, target, 'bee');
    const draft = await index();
    assert.equal(wholly, 2);
    assert.deepEqual([...draft.outdated], []);
    assert.deepEqual(bench.words(WORDS).bee, ['1/3', '1/500']);
    // Of what follows one by one nothing can have been edited yet.
    await stage.say(room, 'cat');
    await index();
    assert.equal(wholly, 2);
  });

  it('reads nothing of a stream that is being taken back', async () => {
    await stage.say(room, 'ant');
    const operation = bench.book.rewind(room);
    const waiting = new Set<string>();
    assert.deepEqual(await gaps(waiting), []);
    assert.deepEqual([...waiting], [room]);
    await stage.store.write([operation], { sync: false });
    assert.deepEqual(await places(), ['1 0-1']);
  });

  it('reads nothing of a stream while an edit in it is being erased', async () => {
    await stage.say(room, 'ant');
    const edit = await stage.edit(room, 0, 'bee');
    reader.fades(room, edit);
    assert.deepEqual(await places(), []);
    await stage.wipe(room, [edit]);
    assert.deepEqual(await places(), ['1 0-2']);
    await index();
    assert.deepEqual(bench.words(WORDS), { ant: ['1/0'] });
  });

  it('knows all texts that a message may be in the index by', async () => {
    await stage.say(room, 'ant');
    await stage.edit(room, 0, 'bee');
    await stage.edit(room, 0, 'cat');
    assert.deepEqual(await reader.textsAt(room, 0), ['ant', 'bee', 'cat']);
    assert.deepEqual(await reader.textsAt(room, 1), []);
    assert.deepEqual(await reader.textsAt(room, 9), []);
  });
});

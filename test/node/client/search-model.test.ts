/**
 * Whatever happens to the streams, a search finds what a plain look at every message finds. Random
 * things are said, come late, are edited, erased and taken back, while the program is closed, opened
 * and cut off.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { NOW } from '../../support/community.ts';
import { roomNumber, SearchStage } from '../../support/search-stage.ts';

const WORDS = ['ant', 'bee', 'cat', 'dog', 'eel', 'fox'];
const LIMIT = 1_000;

const words = fc.array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 6 });
const room = fc.nat({ max: 2 }).map(roomNumber);
/** Of something that is there, as a fraction. */
const at = fc.nat({ max: 999 }).map((thousandths) => thousandths / 1_000);

const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ act: fc.constant('say' as const), room, words, time: at }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('miss' as const), room, words }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('fill' as const), room, at }) },
  { weight: 4, arbitrary: fc.record({ act: fc.constant('edit' as const), room, at, words }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('erase' as const), room, at }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('rewind' as const), room, at }) },
  { weight: 4, arbitrary: fc.record({ act: fc.constant('update' as const) }) },
  { weight: 3, arbitrary: fc.record({ act: fc.constant('begin' as const) }) },
  { weight: 4, arbitrary: fc.record({ act: fc.constant('search' as const), words }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('reopen' as const) }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('crash' as const), at }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function check(stage: SearchStage, sought: readonly string[]): Promise<void> {
  const { messages, isComplete } = await stage.index.find(sought.join(' '), { limit: LIMIT });
  const texts = stage.texts();
  const expected = [...texts].filter(([, text]) =>
    sought.every((word) => text.split(' ').includes(word)),
  );
  const found = messages.map(({ id, text }): [string, string] => [id, text]);
  assert.deepEqual(found.toSorted(), expected.toSorted());
  assert.ok(isComplete);
}

async function take(stage: SearchStage, doing: Step): Promise<void> {
  if (doing.act === 'update') return stage.index.update();
  if (doing.act === 'begin') return stage.update();
  if (doing.act === 'search') return check(stage, [...new Set(doing.words)]);
  if (doing.act === 'reopen') return stage.reopen();
  if (doing.act === 'crash') return stage.crash(Math.floor(doing.at * (stage.disk.unsynced + 1)));
  const stream = doing.room;
  const items = stage.itemsOf(stream);
  switch (doing.act) {
    case 'say':
      await stage.say(stream, doing.words.join(' '), NOW + Math.floor(doing.time * 10_000));
      return;
    case 'miss':
      await stage.say(stream, doing.words.join(' '), NOW, false);
      return;
    case 'fill': {
      const gaps = stage.gapsOf(stream);
      const gap = gaps[Math.floor(doing.at * gaps.length)];
      if (gap !== undefined) await stage.hold(stream, ...gap);
      return;
    }
    case 'edit': {
      const messages = items.flatMap((item, position) =>
        item.target === undefined && !item.isErased ? [position] : [],
      );
      const target = messages[Math.floor(doing.at * messages.length)];
      if (target !== undefined) await stage.edit(stream, target, doing.words.join(' '));
      return;
    }
    case 'erase': {
      // A message with its edits, or an edit alone.
      const position = Math.floor(doing.at * items.length);
      const with_ = items.flatMap(({ target }, other) =>
        other === position || target === position ? [other] : [],
      );
      const there = with_.filter((one) => stage.isHeld(stream, one) && !items[one]!.isErased);
      if (there.includes(position)) await stage.erase(stream, there);
      return;
    }
    case 'rewind':
      await stage.rewind(stream, Math.floor(doing.at * (items.length + 1)));
  }
}

describe('search as against a plain look at every message', () => {
  it('finds the same', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 80, size: 'max' }),
        async (steps) => {
          const stage = new SearchStage();
          for (const doing of steps) await take(stage, doing);
          for (const word of WORDS) await check(stage, [word]);
          await check(stage, ['ant', 'bee']);
          await stage.close();
          assert.deepEqual(stage.faults, []);
        },
      ),
      { numRuns: process.env['CLCHAT_FULL'] === undefined ? 30 : 100 },
    );
  }).timeout(60_000);
});

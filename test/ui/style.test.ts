import assert from 'node:assert/strict';
import fc from 'fast-check';
import { author, authorColour, clock, note, paint, stamp, type Style } from '../../lib/ui/style.ts';
import { record, records, word, words } from '../../lib/ui/style.ts';

const NOW = new Date(2026, 10, 20, 14, 5).getTime();
const plain: Style = { colours: false, plain: true, time: true, now: () => NOW };
const coloured: Style = { ...plain, plain: false, colours: true };
const HARMFUL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/;

describe('a time', () => {
  it('has a date where it is not of today, and dashes where it is none', () => {
    assert.equal(clock(NOW, plain), '14:05');
    assert.equal(clock(new Date(2026, 10, 19, 23, 59).getTime(), plain), '2026-11-19 23:59');
    for (const time of [NaN, Infinity, 1e300, -1e300]) assert.equal(clock(time, plain), '--:--');
  });

  it('stands before a line only where it is wanted', () => {
    assert.equal(stamp(NOW, plain), '14:05 ');
    assert.equal(stamp(NOW, { ...plain, time: false }), '');
    assert.equal(note('so it is', plain), '14:05 * so it is');
  });
});

describe('a name', () => {
  it('has the same colour everywhere, and not all have the same', () => {
    const bob = authorColour('bob');
    assert.equal(authorColour('BOB'), bob);
    assert.equal(author('bob', coloured), `\u001b[${bob}mbob\u001b[0m`);
    const colours = new Set('abcdefghijklmnopqrst'.split('').map(authorColour));
    assert.ok(colours.size > 5);
  });

  it('is harmless', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        assert.equal(HARMFUL.test(author(name, plain)), false);
      }),
    );
  });
});

describe('colours', () => {
  it('are put on only where there are any, and something to be coloured', () => {
    assert.equal(paint('x', '31', plain), 'x');
    assert.equal(paint('', '31', coloured), '');
    assert.equal(paint('x', '31', coloured), '\u001b[31mx\u001b[0m');
  });
});

describe('values of results', () => {
  it('are read whatever their shape is, and are harmless', () => {
    assert.equal(word('a\u001b[2Jb\nc'), 'ab c');
    assert.deepEqual([word(3), word(true), word(undefined), word({})], ['3', 'true', '', '']);
    assert.deepEqual(words(['a', 1, null]), ['a', '1', '']);
    assert.deepEqual(words('a'), []);
    assert.deepEqual(record(null), {});
    assert.deepEqual(records([{ a: 1 }, null, 'x']), [{ a: 1 }]);
    assert.deepEqual(records({}), []);
  });
});

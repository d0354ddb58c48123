import assert from 'node:assert/strict';
import fc from 'fast-check';
import { extentOf, fit, graphemes, textWidth, wrapLines } from '../../lib/ui/width.ts';

describe('width', () => {
  it('counts characters as people do', () => {
    assert.deepEqual(graphemes('ae\u0301👩‍👩‍👧🇩🇪한'), ['a', 'e\u0301', '👩‍👩‍👧', '🇩🇪', '한']);
    assert.deepEqual(graphemes(''), []);
  });

  it('knows the columns of usual text', () => {
    const cases: [string, number][] = [
      ['', 0],
      ['plain', 5],
      ['e\u0301', 1],
      ['日本語', 6],
      ['ｆｕｌｌ', 8],
      ['한국', 4],
      ['👍', 2],
      ['👍🏽', 2],
      ['👩‍👩‍👧', 2],
      ['🇩🇪', 2],
      ['☺', 1],
      ['☺\ufe0f', 2],
      ['1\ufe0f\u20e3', 2],
      ['✓✗…→⏎', 5],
      ['Zoë', 3],
      ['\u200b\u0301', 0],
      ['עברית', 5],
      ['ไทย', 3],
    ];
    for (const [text, width] of cases) assert.equal(textWidth(text), width, text);
  });

  it('tells where a text ends, or that it cannot be told', () => {
    assert.deepEqual(extentOf('', 10), { rows: 1, column: 0 });
    assert.deepEqual(extentOf('x'.repeat(10), 10), { rows: 1, column: 10 });
    assert.deepEqual(extentOf('x'.repeat(11), 10), { rows: 2, column: 1 });
    assert.deepEqual(extentOf('ab\ncd', 10), { rows: 2, column: 2 });
    // A wide character does not fit into the last column.
    assert.deepEqual(extentOf('xxx日', 4), { rows: 2, column: 2 });
    // One to six columns, depending on the terminal.
    assert.deepEqual(extentOf('👩‍👩‍👧', 10), { rows: 1, column: 6 });
    assert.equal(extentOf('xxxxxx👩‍👩‍👧', 10), undefined);
  });

  it('breaks at spaces what does not fit, as if colours were not there', () => {
    const red = '\u001b[31mone two three\u001b[0m';
    assert.equal(wrapLines('one two three', 8), 'one two\nthree');
    assert.equal(wrapLines(red, 8), '\u001b[31mone two\nthree\u001b[0m');
    assert.equal(wrapLines(red, 13), red);
    assert.equal(wrapLines('  as  it is\n日本語 日本', 11), '  as  it is\n日本語 日本');
    assert.equal(wrapLines('日本語 日本', 10), '日本語\n日本');
    assert.equal(wrapLines('a-word-that-is-longer x', 5), 'a-word-that-is-longer\nx');
  });

  it('cuts to fit', () => {
    assert.equal(fit('short', 5), 'short');
    assert.equal(fit('longer', 5), 'long…');
    assert.equal(fit('日本語', 4), '日…');
    assert.equal(fit('x', 0), '');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(20), (text, columns) => {
        assert.ok(textWidth(fit(text, columns)) <= columns);
        assert.equal(graphemes(text).join(''), text);
      }),
    );
  });
});

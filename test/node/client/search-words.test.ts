import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  countsOf,
  isFound,
  queryOf,
  tokensOf,
  wordsOf,
  WORDS_LIMIT,
} from '../../../lib/node/client/search-words.ts';

describe('words of a search', () => {
  it('are letters and digits, without what stands between them', () => {
    assert.deepEqual(tokensOf('One, two;  ONE! example.com/a_b 3.14'), [
      ...['one', 'two', 'one', 'example', 'com', 'a', 'b', '3', '14'],
    ]);
    assert.deepEqual(tokensOf("don’t don't"), ['don', 't', 'don', 't']);
    assert.deepEqual(tokensOf('\u001b[2J\u0007 ... --'), ['2j']);
    assert.deepEqual(tokensOf(' \n\t!?'), []);
  });

  it('have neither case nor width nor accents', () => {
    for (const [one, other] of [
      ['cafe', 'CAFÉ'],
      ['cafe', 'cafe\u0301'],
      ['strasse', 'Straße'],
      ['STRASSE', 'STRAẞE'],
      ['fine viii', 'ﬁne Ⅷ'],
      ['wide', 'ＷＩＤＥ'],
      ['istanbul', 'İstanbul'],
      ['οδος', 'ΟΔΌΣ'],
      ['елка', 'Ёлка'],
      ['soft', 'so\u00adft'],
      ['محمد', 'مُحَمَّد'],
    ] as const)
      assert.deepEqual(tokensOf(one), tokensOf(other), `${one} ${other}`);
    assert.notDeepEqual(tokensOf('の'), tokensOf('ノ'));
    assert.notDeepEqual(tokensOf('が'), tokensOf('か'), 'a voiced sound is another');
    assert.notDeepEqual(tokensOf('कि'), tokensOf('का'), 'a vowel is not an accent');
  });

  it('are told apart where no spaces are written', () => {
    assert.deepEqual(tokensOf('会議は明日'), ['会議', 'は', '明日']);
    assert.deepEqual(tokensOf('สวัสดีครับ'), ['สวัสดี', 'ครับ']);
    assert.deepEqual(tokensOf('한국어 문장'), ['한국어', '문장']);
  });

  it('are the same in a text of plain ASCII as in any other', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii', maxLength: 200 }), (text) => {
        assert.deepEqual(tokensOf(`${text} é`), [...tokensOf(text), 'e']);
      }),
    );
  });

  it('are bounded', () => {
    assert.deepEqual(wordsOf('x'.repeat(100)), ['x'.repeat(64)]);
    const many = Array.from({ length: 900 }, (_, n) => `w${n}`);
    assert.deepEqual(wordsOf(many.join(' ')), many.slice(0, WORDS_LIMIT));
  });

  it('are counted', () => {
    assert.deepEqual(Object.fromEntries(countsOf(['a', 'b', 'a', 'a'])), { a: 3, b: 1 });
  });

  describe('in quotes', () => {
    it('have to follow each other', () => {
      assert.deepEqual(queryOf('"red fox" dog “a  B c”'), {
        words: ['red', 'fox', 'dog', 'a', 'b', 'c'],
        phrases: [
          ['red', 'fox'],
          ['a', 'b', 'c'],
        ],
      });
      const query = queryOf('"red fox"');
      assert.ok(isFound('A Red, FOX!', query));
      assert.ok(!isFound('fox red', query));
      assert.ok(!isFound('red old fox', query));
      assert.ok(!isFound('red', query));
    });

    it('are words like all others where there is one of them, or no end', () => {
      assert.deepEqual(queryOf('"fox"'), { words: ['fox'], phrases: [] });
      assert.deepEqual(queryOf('""'), { words: [], phrases: [] });
      assert.deepEqual(queryOf('a "b c'), { words: ['a', 'b', 'c'], phrases: [] });
    });
  });

  it('of a text find that text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 100 }), (text) => {
        const phrases = [tokensOf(text)].filter(({ length }) => length > 0);
        assert.ok(isFound(text, { words: wordsOf(text), phrases }));
      }),
    );
  });
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { hasCode } from '../../lib/errors.ts';
import { escapeXml, MAX_XML_BYTES, parseXml } from '../../lib/nat/xml.ts';

const isBad = (error: unknown): boolean => hasCode(error, 'BAD_MESSAGE');

describe('XML', () => {
  it('is a tree of names without their prefixes', () => {
    const root = parseXml(
      `<?xml version="1.0"?><!-- so --><r:root xmlns:r="urn:x"><a> one </a><a b="c">two</a><c><a>in</a></c><d/></r:root>`,
    ).at('root');
    assert(root !== undefined);
    assert.deepEqual(
      root.all('a').map(({ text }) => text),
      ['one', 'two'],
    );
    assert.equal(root.at('c', 'a')?.text, 'in');
    assert.equal(root.at('d')?.text, '');
    assert.equal(root.at('e'), undefined);
    assert.equal(root.at('c', 'e', 'f'), undefined);
    assert.deepEqual(root.all('constructor'), []);
    assert.deepEqual(root.all('#text'), []);
  });

  it('has texts with the five entities and no others', () => {
    const text = (inner: string): string | undefined => parseXml(`<a>${inner}</a>`).at('a')?.text;
    assert.equal(text('&lt;&amp;&gt;&quot;&apos;'), `<&>"'`);
    assert.equal(text('&amp;lt;'), '&lt;');
    assert.equal(text('&bomb; &#65; &toString;'), '&bomb; &#65; &toString;');
    assert.equal(text('<![CDATA[<b>]]>'), '<b>');
    assert.equal(text('0x10'), '0x10');
  });

  it('holds what it was given', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (given) => {
        const text = given.replace(/[\p{Cc}]/gu, '').trim();
        assert.equal(parseXml(`<a>${escapeXml(text)}</a>`).at('a')?.text, text);
      }),
    );
  });

  it('is refused with a document type, too long or too deep', () => {
    const lol = Array.from({ length: 9 }, (_, n) => {
      return `<!ENTITY lol${n + 1} "${`&lol${n};`.repeat(10)}">`;
    });
    const bombs = [
      `<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol0 "lol">${lol.join('')}]><lolz>&lol9;</lolz>`,
      '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
      '<!doctype a><a/>',
      '<! DOCTYPE a><a/>',
      '<a>'.repeat(350_000),
      '<a>'.repeat(40) + '</a>'.repeat(40),
      `<a>${'x'.repeat(MAX_XML_BYTES)}</a>`,
      `<a>${'ä'.repeat(MAX_XML_BYTES / 2)}</a>`,
    ];
    for (const bomb of bombs) assert.throws(() => parseXml(bomb), isBad, bomb.slice(0, 60));
  });

  it('is refused or taken somehow, whatever it is, and soon', () => {
    const started = performance.now();
    const fill = (text: string): string => text.repeat(Math.floor(MAX_XML_BYTES / text.length) - 1);
    const hard = [
      '<',
      '<a ',
      '<a>b</a>',
      '<![CDATA[',
      '<!--',
      '<?a',
      '<a b="',
      '&amp;',
      '</a>',
      ' ',
    ];
    for (const text of [...hard.map(fill), `<a>${fill('<b/>')}</a>`, `<a ${fill('b="c" ')}>`])
      try {
        parseXml(text);
      } catch (error) {
        assert(isBad(error), String(error));
      }
    // A parser that goes through the text again for each element would take minutes.
    assert.ok(performance.now() - started < 15_000);

    const pieces = fc.constantFrom(
      '<',
      '>',
      '/',
      'a',
      '<a>',
      '</a>',
      '"',
      '=',
      ' ',
      '&',
      ';',
      '!',
      '?',
      '[',
      ']',
      '-',
      '__proto__',
      'constructor',
      ':',
    );
    const texts = fc.oneof(
      fc.array(pieces, { maxLength: 60 }).map((list) => list.join('')),
      fc.string({ unit: 'binary', maxLength: 200 }),
    );
    fc.assert(
      fc.property(texts, (text) => {
        try {
          assert.equal(typeof parseXml(text).text, 'string');
        } catch (error) {
          assert(isBad(error), String(error));
        }
      }),
      { numRuns: 500 },
    );
  });
});

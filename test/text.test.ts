import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  byteLength,
  clean,
  cleanAll,
  fold,
  isName,
  mentionsOf,
  nearest,
  sizeText,
  whyNotFree,
} from '../lib/text.ts';

const any = fc.string({ unit: 'binary', maxLength: 60 });
/** Much of what terminals act on, between what they print. */
const nasty = fc
  .array(
    fc.constantFrom(
      '\u001b',
      '[',
      ']',
      'P',
      '\\',
      '0',
      ';',
      '3',
      '1',
      'm',
      'H',
      'J',
      '\u0007',
      '\u009b',
      '\u009d',
      '\u009c',
      '\u0090',
      'a',
      'ß',
      '🙂',
      '\n',
      '\r',
      '\t',
      '\b',
      '\u007f',
      '\u202e',
      '\u2066',
      '\u200f',
      '\ufeff',
      '\u{e0041}',
      '\ud800',
      '\u2028',
      '\u0000',
      ' ',
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(''));

describe('text of others', () => {
  it('is printed with nothing in it that a terminal would act on', () => {
    fc.assert(
      fc.property(fc.oneof(any, nasty), fc.boolean(), (text, multiline) => {
        const safe = clean(text, { multiline });
        for (const character of safe) {
          const point = character.codePointAt(0)!;
          const isControl = point < 32 || (point >= 127 && point < 160);
          assert.ok(!isControl || (multiline && character === '\n'), JSON.stringify(text));
          assert.ok(!/[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/.test(character));
        }
        assert.ok(safe.isWellFormed());
        assert.equal(clean(safe, { multiline }), safe, 'cleaning is done once');
      }),
      { numRuns: 1_000 },
    );
  });

  it('loses escape sequences whole, not just their first character', () => {
    for (const [dirty, expected] of [
      ['\u001b[31mred\u001b[0m', 'red'],
      ['\u001b]0;title\u0007text', 'text'],
      ['\u001b]8;;http://x\u001b\\link\u001b]8;;\u001b\\', 'link'],
      ['\u001bPq#0;2\u001b\\after', 'after'],
      ['\u009b2Jcleared', 'cleared'],
      ['\u001b(Bplain', 'plain'],
      ['\u001bcreset', 'reset'],
      ['half\u001b[', 'half'],
      ['a\u202eb', 'ab'],
      ['tab\there', 'tab here'],
      ['\u{e0041}\u{e0042}x', 'x'],
    ] as const)
      assert.equal(clean(dirty), expected, JSON.stringify(dirty));
  });

  it('keeps what people write', () => {
    for (const text of ['Grüße', '世界', '🙂👍🏽', 'e\u0301', '👨‍👩‍👧', 'עברית', 'a‌b', 'x²'])
      assert.equal(clean(text), text);
  });

  it('has lines only where they are wanted', () => {
    assert.equal(clean('a\r\nb\rc\nd', { multiline: true }), 'a\nb\nc\nd');
    assert.equal(clean('a\r\nb'), 'a b');
  });

  it('is cleaned inside of plain data, keys too', () => {
    const dirty = {
      'k\u001b[1mey': ['\u202ex', 7, null, true, { deep: 'a\u0007b' }],
      bytes: Uint8Array.of(27),
    };
    assert.deepEqual(cleanAll(dirty), {
      key: ['x', 7, null, true, { deep: 'ab' }],
      bytes: Uint8Array.of(27),
    });
  });

  it('is not copied inside of plain data where nothing is to be cleaned', () => {
    const names = Object.freeze(['ann', 'bob']);
    const data = { names, list: [{ names, text: 'x\ny' }], none: null };
    assert.equal(cleanAll(data), data);
    const list: unknown[] = Object.freeze([['ann']]) as unknown[];
    assert.equal(cleanAll(list), list);
    // What is not frozen to the ground may be another at the next time.
    (list[0] as string[])[0] = 'a\u0007';
    assert.deepEqual(cleanAll(list), [['a']]);
    const dirty = { ...data, more: '\u0007' };
    assert.deepEqual(cleanAll(dirty), { ...data, more: '' });
    assert.equal(cleanAll(dirty).names, names);
    assert.deepEqual(Object.keys(cleanAll(JSON.parse('{"a\\u0007":1,"__proto__":2}') as object)), [
      'a',
      '__proto__',
    ]);
  });

  it('is cleaned in time linear in plain data, however deep', () => {
    let deep: unknown = '\u0007';
    for (let depth = 0; depth < 200; depth++) deep = { deep };
    let at: unknown = cleanAll(deep);
    while (typeof at === 'object') at = (at as { deep: unknown }).deep;
    assert.equal(at, '');
  });
});

describe('a name', () => {
  it('has 1 to 32 printable characters', () => {
    for (const name of [
      'a',
      'alice',
      'Zoë',
      '世界',
      '🙂',
      'x'.repeat(32),
      '🙂'.repeat(32),
      "o'neil",
      '100%',
    ])
      assert.ok(isName(name), name);
    for (const name of [
      '',
      'a b',
      ' a',
      'a\u00a0b',
      'a\tb',
      'a@b',
      '#a',
      'a/b',
      'a:b',
      'x'.repeat(33),
      '🙂'.repeat(33),
      'a\u0000',
      'a\u001b[1m',
      'a\u202eb',
      '\ufeffa',
      'a\u200eb',
      'e\u0301',
      '\ud800',
      'a\u2028',
      'a\u00ad',
      '\u{e0041}',
      'a\u200b',
    ])
      assert.ok(!isName(name), JSON.stringify(name));
  });

  it('is cleaned already', () => {
    fc.assert(
      fc.property(fc.oneof(any, nasty), (text) => {
        if (!isName(text)) return;
        assert.equal(clean(text), text);
        assert.equal(text.normalize('NFC'), text);
      }),
    );
  });

  it('is compared without regard to case and composition', () => {
    for (const [a, b] of [
      ['Alice', 'aLICE'],
      ['straße', 'STRASSE'],
      ['straße', 'STRA\u1e9eE'],
      ['Zoë', 'ZOE\u0308'],
      ['ΣΑΣ', 'σας'],
      ['ǆ', 'Ǆ'],
    ] as const)
      assert.equal(fold(a), fold(b), `${a} ${b}`);
    assert.notEqual(fold('alice'), fold('alíce'));
    for (let point = 0; point < 0x11_0000; point++) {
      const character = String.fromCodePoint(point);
      assert.equal(fold(fold(character)), fold(character), point.toString(16));
    }
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        assert.equal(fold(fold(text)), fold(text));
        assert.equal(fold(text.normalize('NFD')), fold(text));
      }),
    );
  });
});

describe('a name for a new account', () => {
  it('stands for nobody else, and is read as nothing else', () => {
    for (const name of ['you', 'You', 'EVERYONE', 'lobby', 'server', '*', 'all', '-', '--json'])
      assert.notEqual(whyNotFree(name), undefined, name);
    for (const name of ['"', `o'neil`, '`x`', '\u201cx\u201d', '\u00abx\u00bb', '\u201ax'])
      assert.match(whyNotFree(name) ?? '', /quotes/, name);
    for (const name of ['bob', 'youssef', 'a-b', 'lobbyist', 'Zoë', '日本', 'root', '**', 'x*'])
      assert.equal(whyNotFree(name), undefined, name);
  });

  it('may still be had by who has it', () => {
    for (const name of ['you', 'lobby', '-x', '"x"']) assert.equal(isName(name), true, name);
  });

  it('is judged whatever it is', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (name) => void whyNotFree(name)));
  });
});

describe('the nearest word', () => {
  it('is one that is begun or mistyped, and none that is far', () => {
    const words = ['connect', 'code', 'acme', 'vm'];
    assert.equal(nearest('conect', words), 'connect');
    assert.equal(nearest('ACMEE', words), 'acme');
    assert.equal(nearest('con', words), 'connect');
    assert.equal(nearest('mv', words), 'vm');
    for (const typed of ['', 'elephant', 'x'.repeat(10_000)])
      assert.equal(nearest(typed, words), undefined, typed.slice(0, 20));
  });
});

describe('bytes of a text', () => {
  it('are those of its UTF-8', () => {
    assert.deepEqual(['', 'a', 'ß', '世', '🙂'].map(byteLength), [0, 1, 2, 3, 4]);
  });
});

describe('mentions', () => {
  const mentioned = (text: string, name: string): string[] =>
    mentionsOf(text, name).map(([from, until]) => text.slice(from, until));

  it('are whole names after the sign, in any case', () => {
    for (const [text, name, found] of [
      ['hi @bob!', 'bob', ['@bob']],
      ['@BOB, @Bob', 'bob', ['@BOB', '@Bob']],
      ["(@bob's) @bob.", 'bob', ['@bob', '@bob']],
      ['ask @Zoë', 'zoë', ['@Zoë']],
      ['@b.c or @b', 'b.c', ['@b.c']],
      ['@bobby @bob-x @bob.x bob a@bob @bob_', 'bob', []],
      ['@@bob', 'bob', ['@bob']],
      ['@a|b @a', 'a|b', ['@a|b']],
      ['@', '', []],
    ] as const)
      assert.deepEqual(mentioned(text, name), found, text);
  });

  it('are found wherever a name stands alone, whatever it is', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 32 }).filter(isName);
    fc.assert(
      fc.property(name, fc.string(), (one, rest) => {
        assert.ok(mentioned(`${rest} @${one} ${rest}`, one).includes(`@${one}`));
        for (const found of mentioned(rest, one)) assert.equal(fold(found), fold(`@${one}`));
      }),
    );
  });
});

describe('sizes', () => {
  it('have as many digits as people read', () => {
    const sizes = [
      0,
      1,
      999,
      1_000,
      1_949,
      99_900,
      99_950,
      999_499,
      999_500,
      25 << 20,
      4 * 2 ** 30,
    ];
    assert.deepEqual(sizes.map(sizeText), [
      '0 bytes',
      '1 byte',
      '999 bytes',
      '1000 bytes',
      '1.9 KiB',
      '97.6 KiB',
      '97.6 KiB',
      '976 KiB',
      '976 KiB',
      '25 MiB',
      '4 GiB',
    ]);
    assert.deepEqual([1024, 1 << 20, (1 << 20) - 1].map(sizeText), ['1 KiB', '1 MiB', '1 MiB']);
    assert.equal(sizeText(12e15), '10914 TiB');
  });
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import addressParser from 'nodemailer/lib/addressparser';
import { isEmail } from '../../lib/node/addresses.ts';

describe('e-mail addresses', () => {
  const good = [
    'bob@example.org',
    "o'brien+chat.x@mail.example.co",
    'b@e.f',
    'jürgen@bücher.example',
    `${'a'.repeat(64)}@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(61)}`,
  ];
  for (const text of good)
    it(`take ${text.slice(0, 40)}`, () => {
      assert.equal(isEmail(text), true);
    });

  const bad: Readonly<Record<string, string>> = {
    'no @': 'bob.example.org',
    'no dot in the domain': 'bob.x@localhost',
    'nothing before the @': '@example.org',
    'two @': 'bob@eve@example.org',
    'empty labels': 'bob@example..org',
    'a dot at the end': 'bob@example.org.',
    'a dot in front': '.bob@example.org',
    'a hyphen at the edge of a label': 'bob@-example.org',
    'an IP in brackets': 'bob@[10.0.0.1]',
    'a space': 'bob @example.org',
    'a space around it': ' bob@example.org',
    'a quote': '"bob"@example.org',
    'angle brackets': '<bob@example.org>',
    'a list': 'bob@example.org,eve@example.org',
    'a comment': 'bob(eve@example.com)@example.org',
    'a group': 'all:bob@example.org',
    'a line feed': 'bob@example.org\nBcc:eve@example.com',
    'a NUL': 'bob\0@example.org',
    'an invisible character': 'b\u200bob@example.org',
    'a direction override': 'b\u202eob@example.org',
    'another normal form': 'ju\u0308rgen@example.org',
    'half a character': 'b\ud800@example.org',
    '65 bytes before the @': `${'a'.repeat(65)}@example.org`,
    '255 characters': `${'a'.repeat(64)}@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(62)}`,
    'nothing at all': '',
  };
  for (const [what, text] of Object.entries(bad))
    it(`refuse ${what}`, () => {
      assert.equal(isEmail(text), false);
    });

  it('mean one address, the same, to whoever reads a header', () => {
    const part = fc.string({
      unit: fc.constantFrom(...`ab.-+@<>()[],;:\\"'\`=?_ \t\r\n\0ü\u0308漢`),
      maxLength: 12,
    });
    const near = fc.tuple(part, part).map(([local, domain]) => `${local}@${domain}.org`);
    let taken = 0;
    fc.assert(
      fc.property(fc.oneof(near, fc.string({ unit: 'binary' }), fc.emailAddress()), (text) => {
        if (!isEmail(text)) return;
        taken += 1;
        assert.deepEqual(addressParser(text), [{ address: text, name: '' }]);
        assert.doesNotMatch(text, /[\s\p{C}"<>,;:()[\]\\]/u);
        assert.match(text, /^[^@]+@[^@]+\.[^@]+$/);
      }),
      { numRuns: 2_000 },
    );
    assert.ok(taken > 200, `${taken}`);
  });

  it('are judged at once, however long', () => {
    const began = performance.now();
    for (const text of ['a@' + 'b.'.repeat(1e6), 'a.'.repeat(127) + '@', `a@${'b-'.repeat(125)}`])
      assert.equal(isEmail(text), false);
    assert.ok(performance.now() - began < 1_000);
  });
});

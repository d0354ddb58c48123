import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isFirstPassword, newCode, newFirstPassword, writtenCode } from '../../lib/app/codes.ts';

describe('codes and first passwords', () => {
  it('are of letters and digits that nobody takes for one another, and never the same', () => {
    const codes = Array.from({ length: 200 }, newCode);
    const passwords = Array.from({ length: 200 }, newFirstPassword);
    for (const code of codes) assert.match(code, /^(?:[A-HJKMNP-Z2-9]{4}-){6}[A-HJKMNP-Z2-9]{4}$/);
    for (const one of passwords)
      assert.match(one, /^(?:[A-HJKMNP-Z2-9]{4}-){3}[A-HJKMNP-Z2-9]{4}$/);
    assert.equal(new Set([...codes, ...passwords]).size, 400);
    assert.doesNotMatch(codes.join(''), /[ILO01]/);
    // All of the alphabet is in use.
    assert.equal(new Set(codes.join('').replaceAll('-', '')).size, 31);
  });

  it('can be told from passwords that people choose', () => {
    for (let i = 0; i < 50; i++) assert.ok(isFirstPassword(newFirstPassword()));
    for (const other of ['', 'correct horse', newCode(), `${newFirstPassword()}x`, 'jedi*knight'])
      assert.equal(isFirstPassword(other), false, other);
    assert.equal(isFirstPassword(newFirstPassword().toLowerCase()), false);
  });

  it('are the same however they are typed', () => {
    const code = newCode();
    const between = fc.array(fc.constantFrom(' ', '-', '_', ''), { minLength: 28, maxLength: 28 });
    fc.assert(
      fc.property(
        between,
        fc.array(fc.boolean(), { minLength: 28, maxLength: 28 }),
        (gaps, low) => {
          const typed = [...code.replaceAll('-', '')]
            .map((letter, at) => (low[at] === true ? letter.toLowerCase() : letter) + gaps[at])
            .join('');
          assert.equal(writtenCode(typed), code);
        },
      ),
    );
    for (const none of ['-- ', 'abc-def', `${code}-2`]) assert.equal(writtenCode(none), none);
  });
});

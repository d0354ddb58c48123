import assert from 'node:assert/strict';
import { missingIn } from './required.ts';
import { below, fits, from, Kept, keep, none, some } from './row.ts';

describe('the rows of the script', () => {
  const kept = new Kept();
  const is = (value: unknown, shape: unknown): boolean => fits(value, shape, kept);

  it('say what some JSON has to look like', () => {
    assert(is({ a: 1, b: [{ c: 'x' }, 2] }, { b: [{ c: /x/ }, 2] }));
    assert(!is({ a: 1 }, { a: 2 }) && !is({ a: [1, 2] }, { a: [1] }));
    assert(is({ a: 1 }, { b: undefined }) && !is({ b: 1 }, { b: undefined }));
    assert(is([1, 2], some(2)) && !is([1], some(2)) && is([1], none(2)) && !is([2], none(2)));
    assert(!is(undefined, some(1)) && !is(undefined, none(1)));
  });

  it('compare numbers', () => {
    assert(is(5, from(5)) && !is(4.9, from(5)) && is(4.9, below(5)) && !is(5, below(5)));
    assert(!is('7', from(5)) && !is(undefined, below(5)));
  });

  it('keep values, or the part of a text that is wanted', () => {
    assert(
      is({ id: 'abc', text: 'the code is X-1.' }, { id: keep('id'), text: keep('code', /X-\d/) }),
    );
    assert.equal(kept.fill('{id} {code}'), 'abc X-1');
    assert(is('abc', '{id}') && !is('abd', '{id}'));
    assert(!is({}, { id: keep('other') }) && !is('nothing', keep('other', /X/)));
    assert.throws(() => kept.fill('{other}'));
  });

  it('miss what nobody plays', () => {
    const missing = missingIn([]);
    for (const one of ['joinconf fine', 'joinconf NAME_CLASH', 'DENIED "createRoom"', 'attachment'])
      assert(missing.includes(one), one);
    const rows = [['bob', 'joinconf alice', 'NAME_CLASH', ['bob', 'attachment']]] as const;
    const less = missingIn([{ title: '', rows }]);
    assert.deepEqual(
      missing.filter((one) => !less.includes(one)),
      ['joinconf NAME_CLASH', 'attachment'],
    );
  });
});

import assert from 'node:assert/strict';
import { Once } from '../../lib/ui/once.ts';
import { TestClock } from '../support/community.ts';

describe('what a result and an event both say', () => {
  let clock: TestClock;
  let once: Once;
  beforeEach(() => {
    clock = new TestClock();
    once = new Once(clock);
  });

  it('is said once, whichever comes first', () => {
    assert.equal(once.isRepeated('done', 'result'), false);
    assert.equal(once.isRepeated('done', 'event'), true);
    assert.equal(once.isRepeated('done', 'event'), false);
    assert.equal(once.isRepeated('done', 'result'), true);
  });

  it('is said again where it happens again', () => {
    for (let time = 0; time < 3; time++) {
      assert.equal(once.isRepeated('bob is online', 'event'), false);
      assert.equal(once.isRepeated('nothing found', 'result'), false);
    }
  });

  it('is no more the same after a while', () => {
    once.isRepeated('done', 'result');
    clock.pass(6_000);
    assert.equal(once.isRepeated('done', 'event'), false);
  });

  it('is not kept in mind without end', () => {
    once.isRepeated('first', 'result');
    for (let number = 0; number < 100; number++) once.isRepeated(`${number}`, 'result');
    assert.equal(once.isRepeated('first', 'event'), false);
    assert.equal(once.isRepeated('99', 'event'), true);
  });
});

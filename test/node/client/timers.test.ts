import assert from 'node:assert/strict';
import { Timers } from '../../../lib/node/client/timers.ts';
import { FakeTime } from '../../support/time.ts';

describe('timers of several things', () => {
  let time: FakeTime;
  let timers: Timers<string>;
  let done: string[];
  const later = (key: string, milliseconds: number, what = key): void =>
    timers.set(key, milliseconds, () => done.push(what));

  beforeEach(() => {
    time = new FakeTime();
    timers = new Timers();
    done = [];
  });
  afterEach(() => time.restore());

  it('are due each by itself, and once', async () => {
    later('a', 200);
    later('b', 100);
    await time.pass(150);
    assert.deepEqual(done, ['b']);
    await time.pass(1_000);
    assert.deepEqual(done, ['b', 'a']);
  });

  it('are replaced and cleared', async () => {
    later('a', 100, 'first');
    later('a', 200, 'second');
    later('b', 100);
    timers.clear('b');
    timers.clear('c');
    await time.pass(1_000);
    assert.deepEqual(done, ['second']);
  });
});

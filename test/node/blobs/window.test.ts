import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Window } from '../../../lib/node/blobs/window.ts';

describe('the window of a transfer', () => {
  const after = (times: readonly number[]): number => {
    const window = new Window();
    for (const time of times) window.note(time);
    return window.size;
  };

  it('opens as long as answers come quickly, up to 2 MiB', () => {
    assert.equal(after([]), 2);
    assert.ok(after([5, 5, 5]) > 2);
    assert.equal(after(Array<number>(100).fill(5)), 8);
  });

  it('closes as soon as they take long, down to one at a time', () => {
    const open = Array<number>(100).fill(5);
    assert.equal(after([...open, 2_000]), 4);
    assert.equal(after([...open, 2_000, 2_000, 2_000, 2_000]), 1);
    assert.equal(after([60_000]), 1);
  });

  it('stays as it is where they come neither quickly nor late', () => {
    assert.equal(after(Array<number>(50).fill(800)), 2);
  });

  it('is always open, and never too far', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(5_000)), (times) => {
        const size = after(times);
        assert.ok(Number.isInteger(size) && size >= 1 && size <= 8);
      }),
    );
  });
});

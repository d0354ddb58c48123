import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Bytes, putNumber, putText } from '../../../lib/media/terminal/bytes.ts';

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}

describe('bytes for a terminal', () => {
  it('have numbers in decimal digits', () => {
    const put = (number: number): string => {
      const data = new Uint8Array(16);
      return textOf(data.subarray(0, putNumber(data, 0, number)));
    };
    for (let number = 0; number < 2_100; number++) assert.equal(put(number), String(number));
    assert.equal(put(987_654_321), '987654321');
  });

  it('have texts one after the other', () => {
    const data = new Uint8Array(8);
    assert.equal(putText(data, putText(data, 1, 'ab'), 'c'), 4);
    assert.equal(textOf(data.subarray(1, 4)), 'abc');
  });

  it('put the cursor by row and column, and move it to the right', () => {
    const bytes = new Bytes();
    bytes.move(7, 1_234);
    bytes.skip(1);
    bytes.skip(42);
    assert.equal(textOf(bytes.take().bytes), '\u001b[1234;7H\u001b[C\u001b[42C');
  });

  it('blank an area row by row', () => {
    const bytes = new Bytes();
    bytes.blank({ column: 3, row: 5, width: 4, height: 2 });
    const parts = bytes.take();
    assert.equal(textOf(parts.bytes), '\u001b[5;3H    \u001b[6;3H    ');
    assert.deepEqual(parts.ends, [10, 20]);
  });

  it('know where each part ends, and have none that is empty', () => {
    const bytes = new Bytes();
    bytes.end();
    bytes.text('één');
    bytes.end();
    bytes.end();
    bytes.number(12);
    assert.deepEqual(bytes.take().ends, [5, 7]);
    const empty = bytes.take();
    assert.deepEqual([empty.bytes.length, empty.ends], [0, []]);
  });

  it('lose nothing when they need more room', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 9_000 }), { maxLength: 12 }), (texts) => {
        const bytes = new Bytes();
        for (const text of texts) {
          bytes.text(text.toWellFormed());
          bytes.end();
        }
        assert.equal(textOf(bytes.take().bytes), texts.map((text) => text.toWellFormed()).join(''));
      }),
      { numRuns: 30 },
    );
  });
});

/** What the file of the history may hold; its bounds and its mode are in profile-files.test.ts. */
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { InputHistory, MAX_HISTORY } from '../../lib/ui/history-file.ts';
import { temporary } from '../support/temporary.ts';

describe('file of the input history', () => {
  const { newDirectory } = temporary();
  let path: string;
  beforeEach(async () => (path = join(await newDirectory(), 'history')));

  it('gives back whatever was typed, and in the same order', () => {
    const unit = fc.constantFrom('\\', 'n', '\n', '\r', ' ', 'a', 'é', '\u{1f600}', '\u2028');
    fc.assert(
      fc.property(fc.array(fc.string({ unit, maxLength: 12 }), { maxLength: 20 }), (lines) => {
        rmSync(path, { force: true });
        const history = new InputHistory(path);
        for (const line of lines) history.add(line);
        const expected = lines
          .filter((line) => line.trim() !== '')
          .filter((line, at, kept) => line !== kept[at - 1]);
        assert.deepEqual(history.entries, expected);
        assert.deepEqual(new InputHistory(path).entries, expected);
      }),
    );
  });

  it('may be any bytes: what is added after them is kept', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        writeFileSync(path, bytes);
        const history = new InputHistory(path);
        assert.ok(history.entries.length <= MAX_HISTORY);
        history.add('the newest');
        assert.equal(new InputHistory(path).entries.at(-1), 'the newest');
      }),
    );
  });

  it('joins nothing to a line that was cut short', () => {
    writeFileSync(path, 'first\ncut sho');
    new InputHistory(path).add('whoelse');
    assert.deepEqual(new InputHistory(path).entries, ['first', 'cut sho', 'whoelse']);
  });

  it('holds one line for each entry, so that two programs may write it', () => {
    const [one, other] = [new InputHistory(path), new InputHistory(path)];
    one.add('first');
    other.add('two\nlines');
    one.add('third');
    assert.equal(readFileSync(path, 'utf8'), 'first\ntwo\\nlines\nthird\n');
    assert.deepEqual(new InputHistory(path).entries, ['first', 'two\nlines', 'third']);
  });

  it('keeps the longest line that is taken, and a longer one as long as the program runs', () => {
    const history = new InputHistory(path);
    // Written, it takes twice as much.
    const longest = '\\'.repeat(4096);
    history.add(longest);
    history.add(`${longest}x`);
    history.add('y'.repeat(1 << 17));
    assert.deepEqual(history.entries, [longest, `${longest}x`]);
    assert.deepEqual(new InputHistory(path).entries, [longest]);
    appendFileSync(path, `${'y'.repeat(8193)}\nshort\n`);
    assert.deepEqual(new InputHistory(path).entries, [longest, 'short']);
  });

  it('is not needed', () => {
    const history = new InputHistory();
    history.add('for now');
    assert.deepEqual(history.entries, ['for now']);
  });
});

/** What the front end keeps in the profile: the history of lines and the settings. */
import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { InputHistory, MAX_HISTORY } from '../../lib/ui/history-file.ts';
import { Settings } from '../../lib/ui/settings.ts';
import { temporary } from '../support/temporary.ts';

describe('input history', () => {
  const { newDirectory } = temporary();

  it('comes back, line ends and all, readable to its owner only', async () => {
    const path = join(await newDirectory(), 'history');
    const history = new InputHistory(path);
    for (const line of ['one', 'two\nlines', 'back\\slash \\n', 'two', 'two', '  ', ''])
      history.add(line);
    const expected = ['one', 'two\nlines', 'back\\slash \\n', 'two'];
    assert.deepEqual(history.entries, expected);
    assert.deepEqual(new InputHistory(path).entries, expected);
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  it('is bounded, in memory and in the file', async () => {
    const path = join(await newDirectory(), 'history');
    const history = new InputHistory(path);
    for (let count = 0; count < 2 * MAX_HISTORY + 5; count += 1) history.add(`line ${count}`);
    // So long a line is for this run alone; one that is longer still is not kept at all.
    history.add('x'.repeat(5000));
    history.add('x'.repeat(1 << 17));
    assert.equal(history.entries.length, MAX_HISTORY);
    assert.equal(history.entries.at(-1)?.length, 5000);
    assert.equal(new InputHistory(path).entries.at(-1), `line ${2 * MAX_HISTORY + 4}`);
    assert.ok(readFileSync(path, 'utf8').split('\n').length < 2 * MAX_HISTORY);
    writeFileSync(path, 'old\n'.repeat(5000) + 'new\n', { mode: 0o644 });
    assert.equal(new InputHistory(path).entries.length, MAX_HISTORY);
    assert.equal(readFileSync(path, 'utf8').split('\n').length, MAX_HISTORY + 1);
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  it('goes on in memory where it cannot be written', async () => {
    const history = new InputHistory(join(await newDirectory(), 'none', 'history'));
    history.add('kept');
    history.add('too');
    assert.deepEqual(history.entries, ['kept', 'too']);
  });
});

describe('settings', () => {
  const { newDirectory } = temporary();

  it('come back, and ignore what is no setting', async () => {
    const path = join(await newDirectory(), 'settings.json');
    const settings = new Settings(path);
    const { ...first } = settings.all();
    settings.set('bell', false);
    settings.set('__proto__', false);
    assert.deepEqual(new Settings(path).all('bell'), { bell: false });
    assert.equal(statSync(path).mode & 0o777, 0o600);
    writeFileSync(path, '{"bell":"no","time":false,"toString":false}');
    assert.deepEqual(new Settings(path).all(), { ...first, time: false });
    for (const damaged of ['', '[', 'null', '3', '[]']) {
      writeFileSync(path, damaged);
      assert.equal(new Settings(path).get('bell'), true);
    }
  });

  it('hold for the run where they cannot be written', async () => {
    const settings = new Settings(join(await newDirectory(), 'none', 'settings.json'));
    settings.set('time', false);
    assert.equal(settings.get('time'), false);
  });
});

import assert from 'node:assert/strict';
import { TypedLines } from '../../lib/ui/typed-lines.ts';

describe('lines typed ahead', () => {
  it('wait for whoever takes them, and are handed over in order', () => {
    const lines = new TypedLines();
    const taken: string[] = [];
    lines.push('one');
    lines.push('two');
    lines.attach((line) => void taken.push(line));
    lines.push('three');
    assert.deepEqual(taken, ['one', 'two', 'three']);
  });

  it('wait while one is being worked on, and answer questions meanwhile', async () => {
    const lines = new TypedLines();
    const taken: string[] = [];
    let finish: () => void = () => undefined;
    lines.attach((line) => {
      taken.push(line);
      return line === 'login' ? new Promise((resolve) => (finish = resolve)) : undefined;
    });
    for (const line of ['login', 'secret', 'hello']) lines.push(line);
    assert.equal(lines.shift(), 'secret');
    assert.deepEqual(taken, ['login']);
    finish();
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(taken, ['login', 'hello']);
    assert.equal(lines.shift(), undefined);
  });

  it('go on after a failure, and are bounded', async () => {
    const lines = new TypedLines();
    const taken: string[] = [];
    lines.attach((line) => {
      taken.push(line);
      return line === 'bad' ? Promise.reject(new Error('no')) : undefined;
    });
    lines.push('bad');
    let room = 0;
    while (lines.push(`${room}`)) room += 1;
    assert.equal(room, 64);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(taken.length, 65);
    assert.deepEqual(lines.clear(), []);
  });
});

import assert from 'node:assert/strict';
import { PassThrough, Writable } from 'node:stream';
import { BoundedOutput, MAX_WAITING_BYTES } from '../../lib/ui/output.ts';

describe('bounded output', () => {
  it('leaves out what comes by itself while too much waits, and says how much', async () => {
    const stream = new PassThrough();
    const output = new BoundedOutput(stream, { onLeftOut: (count) => `${count} left out` });
    const line = 'x'.repeat(1 << 20);
    for (let count = 0; count < 40; count += 1) output.offer(line);
    assert.ok(stream.writableLength + stream.readableLength <= MAX_WAITING_BYTES + 2 * line.length);
    output.write('result');
    let text = '';
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await output.room();
    await output.flush();
    assert.match(text, /result\d+ left out$/);
    const left = Number(/(\d+) left/.exec(text)?.[1]);
    assert.equal(text.split('x').length - 1, (40 - left) << 20);
  });

  it('waits for a reader, and for none that is gone', async () => {
    const stream = new PassThrough({ highWaterMark: 10 });
    let gone = 0;
    const output = new BoundedOutput(stream, { onGone: () => (gone += 1), onLeftOut: String });
    output.write('x'.repeat(100));
    let room = false;
    const waiting = output.room().then(() => (room = true));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(room, false);
    stream.destroy(new Error('broken pipe'));
    await waiting;
    await output.flush();
    output.write('into nothing');
    output.offer('into nothing');
    assert.equal(gone, 1);
  });

  it('flushes to the last byte', async () => {
    const chunks: string[] = [];
    const slow = new Writable({
      write(chunk: Buffer, _encoding, done) {
        setTimeout(() => {
          chunks.push(chunk.toString());
          done();
        }, 2);
      },
    });
    const output = new BoundedOutput(slow, { onLeftOut: String });
    for (let count = 0; count < 5; count += 1) output.write(`${count}`);
    await output.flush();
    assert.equal(chunks.join(''), '01234');
    await output.flush();
  });
});

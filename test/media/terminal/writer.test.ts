import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock, until, type Clock } from '../../../lib/lifecycle.ts';
import { Bytes, type Parts } from '../../../lib/media/terminal/bytes.ts';
import { AHEAD } from '../../../lib/media/terminal/confirmations.ts';
import { Writer, type Output, type WriterOptions } from '../../../lib/media/terminal/writer.ts';
import { CellScreen } from '../../support/drawn-screens.ts';
import { printed } from '../../support/sequences.ts';
import { FakeTime } from '../../support/time.ts';

const PATIENCE = 15_000;
/** What a portion has more than its parts. */
const FRAME = 100;

/** So many parts of such a length, each of one letter. */
function parts(count: number, length: number): Parts {
  const bytes = new Bytes();
  for (let part = 0; part < count; part++) {
    bytes.text(String.fromCharCode(0x61 + (part % 26)).repeat(length));
    bytes.end();
  }
  return bytes.take();
}

/** An output that says when it has taken something only once it is told to. */
class HeldOutput implements Output {
  /** What it has taken: as it was then, not before. */
  readonly taken: Uint8Array[] = [];
  #held: { bytes: Uint8Array; callback: (error?: Error | null) => void }[] = [];

  write(bytes: Uint8Array, callback: (error?: Error | null) => void): void {
    this.#held.push({ bytes, callback });
  }

  /** Portions that are not taken yet. */
  get held(): number {
    return this.#held.length;
  }

  async release(error?: Error): Promise<void> {
    const first = this.#held.shift();
    if (first === undefined) return;
    this.taken.push(first.bytes.slice());
    first.callback(error);
    await sleep(2);
  }

  /** What was printed. */
  get text(): string {
    return this.taken.map((portion) => printed(portion)).join('');
  }
}

function writerOn(output: Output, options: Partial<WriterOptions> = {}): Writer {
  return new Writer({
    ...{ output, clock: systemClock, portion: 1_000, onIdle: () => undefined },
    ...options,
  });
}

describe('a writer of portions', () => {
  it('writes all of the parts, in portions that are bounded', async () => {
    const output = new HeldOutput();
    const writer = writerOn(output);
    writer.send(parts(30, 300));
    while (output.held > 0) {
      assert.equal(output.held, 1);
      await output.release();
      assert.ok(output.taken.at(-1)!.length <= 1_000 + FRAME);
    }
    assert.equal(output.taken.length, 10);
    assert.match(output.text, /^(?:([a-z])\1{299}){30}$/);
    assert.equal(writer.isIdle, true);
    assert.equal(
      writer.bytes,
      output.taken.reduce((sum, { length }) => sum + length, 0),
    );
  });

  it('writes a part that is longer than a portion in one', async () => {
    const output = new HeldOutput();
    writerOn(output).send(parts(2, 5_000));
    await output.release();
    await output.release();
    assert.deepEqual(
      output.taken.map((portion) => printed(portion).replace(/(.)\1+/, '$1')),
      ['a', 'b'],
    );
  });

  it('leaves cursor, colours and modes as they were', async () => {
    const screen = new CellScreen('blocks', { columns: 40, rows: 6 });
    const { terminal } = screen;
    let isTaken = false;
    const output: Output = {
      write: (bytes, callback) =>
        void screen.write(bytes).then(() => {
          isTaken = true;
          callback();
        }),
    };
    await screen.write('\u001b[5;3H\u001b[1;34;43mx');
    const writer = writerOn(output);
    const bytes = new Bytes();
    bytes.move(30, 2);
    // More than the row has room for: it is not wrapped.
    bytes.text(`\u001b[31;7m${'y'.repeat(30)}`);
    writer.send(bytes.take());
    assert.ok(await until(PATIENCE, () => isTaken));
    assert.deepEqual([terminal.buffer.active.cursorX, terminal.buffer.active.cursorY], [3, 4]);
    assert.equal(screen.row(3).trim(), '');
    await screen.write('z'.repeat(40));
    const cell = terminal.buffer.active.getLine(4)!.getCell(3)!;
    assert.deepEqual(
      [
        cell.getChars(),
        cell.getFgColor(),
        cell.getBgColor(),
        cell.isInverse(),
        cell.isBold() !== 0,
      ],
      ['z', 4, 3, 0, true],
    );
    // And wrapping is on again.
    assert.equal(screen.row(6).trim(), 'zzz');
    assert.match(terminal.modes.wraparoundMode ? 'on' : 'off', /on/);
  });

  it('shows the cursor after a portion, unless it is not to be seen', async () => {
    for (const isShown of [true, false]) {
      const output = new HeldOutput();
      writerOn(output, { showsCursor: () => isShown }).send(parts(1, 5));
      await output.release();
      const text = Buffer.from(output.taken[0]!).toString();
      assert.equal(text.includes('\u001b[?25h'), isShown);
      assert.equal(text.includes('\u001b[?25l'), true);
    }
  });

  it('lets others write between two portions', async () => {
    const written: string[] = [];
    const slow = new Writable({
      highWaterMark: 1,
      write: (chunk: Buffer, _encoding, callback) => {
        written.push(chunk.toString());
        setTimeout(callback, 3);
      },
    });
    const writer = writerOn(slow);
    writer.send(parts(100, 900));
    assert.ok(await until(PATIENCE, () => written.length >= 3));
    const before = written.length;
    slow.write('typed');
    assert.ok(await until(PATIENCE, () => written.includes('typed')));
    // At most the portion that was under way comes before it.
    assert.ok(written.indexOf('typed') <= before + 1);
    assert.ok(await until(PATIENCE, () => writer.isIdle));
    assert.equal(written.length, 101);
  });

  it('gives up what waits for what is sent then, but finishes the portion under way', async () => {
    const output = new HeldOutput();
    let idle = 0;
    const writer = writerOn(output, { onIdle: () => (idle += 1) });
    writer.send(parts(5, 900));
    const bytes = new Bytes();
    bytes.text('instead');
    writer.send(bytes.take());
    assert.equal(output.held, 1);
    await output.release();
    await output.release();
    assert.deepEqual([output.text, idle], [`${'a'.repeat(900)}instead`, 1]);
  });

  it('writes nothing any more to a terminal that is gone', async () => {
    const output = new HeldOutput();
    const writer = writerOn(output);
    writer.send(parts(5, 900));
    await output.release(new Error('EPIPE'));
    writer.send(parts(5, 900));
    await writer.end(parts(1, 1));
    assert.deepEqual([output.taken.length, output.held], [1, 0]);
    assert.equal(writer.isIdle, false);
    const throwing = writerOn({
      write: () => {
        throw new Error('destroyed');
      },
    });
    throwing.send(parts(1, 1));
    await throwing.end(parts(1, 1));
    assert.equal(throwing.isIdle, false);
  });

  it('ends with the last parts, in place of what waits', async () => {
    const output = new HeldOutput();
    const writer = writerOn(output);
    writer.send(parts(5, 900));
    const end = writer.end(parts(1, 3));
    await output.release();
    await output.release();
    await end;
    assert.equal(output.text, `${'a'.repeat(900)}aaa`);
    writer.send(parts(1, 4));
    writer.answered();
    await output.release();
    assert.deepEqual([output.taken.length, output.held], [2, 0]);
  });

  describe('as time passes', () => {
    let time: FakeTime;
    beforeEach(() => (time = new FakeTime()));
    afterEach(() => time.restore());

    it('ends without a terminal that takes nothing', async () => {
      const writer = writerOn(new HeldOutput());
      writer.send(parts(5, 900));
      await time.until(writer.end(parts(1, 3)));
      assert.ok(time.passed >= 900 && time.passed <= 1_100);
    });

    it('rests after writes that kept everything waiting', async () => {
      let blocked = 0;
      const clock: Clock = { now: () => 0, monotonic: () => performance.now() + blocked };
      let portions = 0;
      const output: Output = {
        write: (_bytes, callback) => {
          portions += 1;
          blocked += 50;
          callback();
        },
      };
      writerOn(output, { clock }).send(parts(10, 900));
      await time.pass(140);
      assert.equal(portions, 1);
      await time.pass(1_000);
      assert.ok(portions >= 7 && portions <= 8, `${portions}`);
    });

    it('is no further ahead of the terminal than it may be', async () => {
      let written = 0;
      const output: Output = {
        write: (bytes, callback) => {
          written += bytes.length;
          callback();
        },
      };
      const writer = writerOn(output, { hearsConfirmations: true, portion: 8_000 });
      writer.send(parts(100, 8_000));
      await time.pass(100);
      const first = written;
      assert.ok(first >= AHEAD && first <= AHEAD + 9_000, `${first}`);
      await time.pass(300);
      assert.equal(written, first);
      writer.answered();
      await time.pass(100);
      assert.ok(written > first && written <= first + 40_000, `${written}`);
      // Without an answer it goes on after a while.
      const before = written;
      await time.pass(3_000);
      assert.ok(written > before);
    });
  });
});

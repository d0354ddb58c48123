import assert from 'node:assert/strict';
import { Terminal } from '@xterm/headless';
import { LEAST_ROWS, Region } from '../../lib/ui/region.ts';

const SIZE = { columns: 40, rows: 20 };

/** A terminal that has printed some lines. */
class Stage {
  readonly terminal = new Terminal({ cols: SIZE.columns, rows: SIZE.rows, allowProposedApi: true });
  readonly region = new Region();

  async write(bytes: string): Promise<void> {
    await new Promise<void>((resolve) => this.terminal.write(bytes, resolve));
  }

  async say(...texts: string[]): Promise<void> {
    for (const text of texts) {
      this.region.note(text);
      await this.write(`${text}\r\n`);
    }
  }

  /** All that can be seen, by scrolling back too. */
  get all(): string[] {
    const { active } = this.terminal.buffer;
    return Array.from({ length: active.length }, (_, at) => this.#line(at));
  }

  /** What is on the screen, from the first row to the last. */
  get screen(): string[] {
    const { baseY } = this.terminal.buffer.active;
    return Array.from({ length: SIZE.rows }, (_, at) => this.#line(baseY + at));
  }

  #line(at: number): string {
    return this.terminal.buffer.active.getLine(at)?.translateToString(true) ?? '';
  }
}

describe('rows that are lent', () => {
  let stage: Stage;
  beforeEach(() => (stage = new Stage()));

  it('leave room for what is said', () => {
    assert.equal(stage.region.most(12, SIZE), 12);
    assert.equal(stage.region.most(100, SIZE), SIZE.rows - LEAST_ROWS);
    assert.equal(stage.region.most(5, { columns: 40, rows: 4 }), 0);
    stage.region.lend(12, SIZE);
    assert.deepEqual(stage.region.left(SIZE), { columns: 40, rows: 8 });
  });

  it('are empty, with what was said last below them', async () => {
    await stage.say('one', 'two', 'three');
    await stage.write(stage.region.lend(10, SIZE));
    assert.deepEqual(stage.screen.slice(0, 10), Array<string>(10).fill(''));
    assert.deepEqual(stage.screen.slice(10, 13), ['one', 'two', 'three']);
  });

  it('are not touched by what is said, however much it is', async () => {
    await stage.write(stage.region.lend(10, SIZE));
    await stage.write('\u001b7\u001b[1;1Hpicture\u001b8');
    await stage.say(...Array.from({ length: 30 }, (_, at) => `line ${at}`));
    assert.equal(stage.screen[0], 'picture');
    assert.equal(stage.screen[18], 'line 29');
  });

  it('cost nothing of what was said before and meanwhile', async () => {
    const before = Array.from({ length: 30 }, (_, at) => `before ${at}`);
    const during = Array.from({ length: 30 }, (_, at) => `during ${at}`);
    await stage.say(...before);
    await stage.write(stage.region.lend(10, SIZE));
    await stage.say(...during);
    await stage.write(stage.region.lend(0, SIZE));
    for (const text of [...before, ...during]) assert.ok(stage.all.includes(text), text);
    await stage.say('after');
    assert.equal(stage.all.filter((text) => text !== '').at(-1), 'after');
  });

  it('stay when the rest is cleared', async () => {
    await stage.write(stage.region.lend(10, SIZE));
    await stage.write('\u001b7\u001b[1;1Hpicture\u001b8');
    await stage.say('one');
    await stage.write(stage.region.clear());
    assert.equal(stage.screen[0], 'picture');
    assert.ok(!stage.screen.includes('one'));
  });
});

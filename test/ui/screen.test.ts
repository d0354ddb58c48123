import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import type * as Xterm from '@xterm/headless';
import fc from 'fast-check';
import { inColumns, Screen, type TypedLine } from '../../lib/ui/screen.ts';
import { graphemes } from '../../lib/ui/width.ts';

const { Terminal } = createRequire(import.meta.url)('@xterm/headless') as typeof Xterm;

function line(text: string, cursor = graphemes(text).length): TypedLine {
  return { prompt: '> ', sgr: '', cells: graphemes(text), cursor };
}

/** A screen drawn into an emulated terminal. */
class Drawn {
  readonly screen: Screen;
  readonly terminal;
  #typed = line('');

  constructor(columns: number, rows: number) {
    this.screen = new Screen({ columns, rows }, true);
    this.terminal = new Terminal({ cols: columns, rows, allowProposedApi: true, scrollback: 5000 });
  }

  write(bytes: string): Promise<void> {
    return new Promise((resolve) =>
      this.terminal.write(bytes + this.screen.draw(this.#typed), resolve),
    );
  }

  type(text: string, cursor?: number): Promise<void> {
    this.#typed = line(text, cursor);
    return this.write('');
  }

  /** What was printed and typed, wrapped rows put together again. */
  lines(): string[] {
    const { active } = this.terminal.buffer;
    const lines: string[] = [];
    for (let row = 0; row < active.length; row += 1) {
      const one = active.getLine(row);
      const text = one?.translateToString() ?? '';
      if (one?.isWrapped === true) lines.push((lines.pop() ?? '') + text);
      else lines.push(text);
    }
    while (lines.at(-1)?.trim() === '') lines.pop();
    return lines.map((text) => text.trimEnd());
  }

  cursor(): [column: number, row: number] {
    const { cursorX, cursorY } = this.terminal.buffer.active;
    return [cursorX, cursorY];
  }
}

describe('screen', () => {
  it('prints above the typed line', async () => {
    const drawn = new Drawn(20, 5);
    await drawn.type('hello');
    await drawn.write(drawn.screen.print('one\ntwo'));
    assert.deepEqual(drawn.lines(), ['one', 'two', '> hello']);
    assert.deepEqual(drawn.cursor(), [7, 2]);
  });

  it('puts the cursor into the row and column where it belongs', async () => {
    const drawn = new Drawn(10, 5);
    await drawn.type('0123456789abcdef', 3);
    assert.deepEqual(drawn.lines(), ['> 01234567', '89abcdef']);
    assert.deepEqual(drawn.cursor(), [5, 0]);
    await drawn.type('0123456789abcdef', 8);
    assert.deepEqual(drawn.cursor(), [0, 1]);
    await drawn.type('01234567');
    assert.deepEqual(drawn.cursor(), [0, 1]);
    await drawn.type('日本語日本語', 4);
    assert.deepEqual(drawn.lines(), ['> 日本語日', '本語']);
    assert.deepEqual(drawn.cursor(), [0, 1]);
  });

  it('shows the part of a very long line where the cursor is', async () => {
    const drawn = new Drawn(10, 4);
    await drawn.write(drawn.screen.print('kept'));
    const text = Array.from({ length: 100 }, (_, index) => String(index % 10)).join('');
    await drawn.type(text);
    assert.deepEqual(drawn.lines(), ['kept', '8901234567', '8901234567', '89']);
    assert.deepEqual(drawn.cursor(), [2, 3]);
    await drawn.type(text, 0);
    assert.deepEqual(drawn.lines(), ['kept', '> 01234567', '8901234567', '8901234567']);
    await drawn.type('');
    assert.deepEqual(drawn.lines(), ['kept', '>']);
  });

  it('shows a line end within the line as a sign', async () => {
    const drawn = new Drawn(20, 4);
    await drawn.type('a\nb');
    assert.deepEqual(drawn.lines(), ['> a⏎b']);
  });

  it('changes marks in place, in a row of their own where there is no room', async () => {
    const drawn = new Drawn(20, 10);
    const short = drawn.screen.printMarked('short', '…');
    await drawn.write(short.bytes);
    const wide = drawn.screen.printMarked('a text of 18 colum', '…');
    await drawn.write(wide.bytes);
    await drawn.type('typed '.repeat(5));
    await drawn.write(short.update('✓ 1/3'));
    await drawn.write(wide.update('✓✓'));
    assert.deepEqual(drawn.lines(), [
      'short ✓ 1/3',
      'a text of 18 colum',
      '✓✓',
      '> typed typed typed',
      'typed typed',
    ]);
    await drawn.write(short.update('✓'));
    assert.equal(drawn.lines()[0], 'short ✓');
  });

  it('changes the mark of a text that is taller than the screen, and says when it is gone', async () => {
    const drawn = new Drawn(20, 6);
    const tall = drawn.screen.printMarked('tall '.repeat(40), '…');
    await drawn.write(tall.bytes);
    await drawn.type('typed');
    await drawn.write(tall.update('✓ 1/3'));
    assert.deepEqual(drawn.lines().slice(-2), ['✓ 1/3', '> typed']);
    assert.equal(tall.isShown(), true);
    for (let i = 0; i < 6; i++) await drawn.write(drawn.screen.print('more'));
    await drawn.type('typed');
    assert.equal(tall.isShown(), false);
    assert.equal(tall.update('✗'), '');
  });

  it('lets go of marks that have left the screen, even if it looks otherwise', async () => {
    const drawn = new Drawn(20, 5);
    const marked = drawn.screen.printMarked('mine', '…');
    await drawn.write(marked.bytes);
    // The typed line grows, pushes the mark out at the top, and shrinks again.
    await drawn.type('x'.repeat(70));
    await drawn.type('x'.repeat(75));
    await drawn.write(drawn.screen.print('more'));
    await drawn.type('');
    assert.equal(marked.update('✓'), '');
    assert.equal(drawn.lines()[0], 'mine …');
    const second = drawn.screen.printMarked('second', '…');
    await drawn.write(second.bytes);
    await drawn.write(drawn.screen.clear());
    assert.equal(second.update('✓'), '');
  });

  it('lets go of marks above a text whose rows cannot be counted', () => {
    const screen = new Screen({ columns: 10, rows: 20 }, true);
    const marked = screen.printMarked('m', '…');
    screen.draw(line(''));
    screen.print('xxxxxx👩‍👩‍👧');
    assert.equal(marked.update('✓'), '');
  });

  it('finds the line again after a change of width', () => {
    const up = (bytes: string): string =>
      /^\u001b\[\?25l(\u001b\[(\d+)A)?\r/.exec(bytes)?.[2] ?? '0';
    const narrowed = (reflows: boolean, cursor?: number): string => {
      const screen = new Screen({ columns: 60, rows: 20 }, reflows);
      screen.draw(line('x'.repeat(108)));
      screen.resize({ columns: 34, rows: 20 }, cursor);
      return up(screen.draw(line('')));
    };
    // 110 columns: a row of 60 and one of 50. At 34 the first takes two; the cursor's row is cut
    // off, or takes two as well with the cursor in the second.
    assert.equal(narrowed(true), '2');
    assert.equal(narrowed(true, 34), '2');
    assert.equal(narrowed(true, 17), '3');
    assert.equal(narrowed(false), '1');
    const screen = new Screen({ columns: 60, rows: 20 }, true);
    screen.draw(line('x'.repeat(108)));
    assert.equal(screen.isUnclear(34), true);
    assert.equal(screen.isUnclear(51), false);
    assert.equal(new Screen({ columns: 60, rows: 20 }, false).isUnclear(1), false);
  });

  it('keeps every printed line and exactly one typed line, whatever happens', async () => {
    const text = fc
      .array(
        fc.constantFrom(
          'word',
          ' ',
          '日本',
          '👩‍👩‍👧',
          'e\u0301',
          '🇩🇪',
          'x'.repeat(9),
          '☺\ufe0f',
          'ไทย',
        ),
        { minLength: 1, maxLength: 8 },
      )
      .map((parts) => parts.join(''));
    const action = fc.oneof(
      fc.record({ do: fc.constant('type' as const), text, at: fc.nat(40) }),
      fc.record({ do: fc.constant('print' as const), text }),
      fc.record({ do: fc.constant('mark' as const), text }),
      fc.record({
        do: fc.constant('update' as const),
        which: fc.nat(9),
        mark: fc.constantFrom('✓', '✓✓', '✓ 12/34'),
      }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(action, { maxLength: 25 }),
        fc.integer({ min: 12, max: 40 }),
        fc.integer({ min: 4, max: 9 }),
        async (actions, columns, rows) => {
          const drawn = new Drawn(columns, rows);
          const printed: string[] = [];
          const marked: { update: (mark: string) => string; at: number }[] = [];
          const withoutSpace = (value: string): string => value.replace(/\s/g, '');
          let typed = '';
          for (const [index, one] of actions.entries()) {
            if (one.do === 'type') {
              typed = one.text;
              await drawn.type(typed, Math.min(one.at, graphemes(typed).length));
            } else if (one.do === 'print') {
              printed.push(`${index}${one.text}`);
              await drawn.write(drawn.screen.print(`${index}${one.text}`));
            } else if (one.do === 'mark') {
              const line_ = drawn.screen.printMarked(`${index}${one.text}`, '…');
              marked.push({ update: line_.update, at: printed.push(`${index}${one.text}…`) - 1 });
              await drawn.write(line_.bytes);
            } else {
              const target = marked[one.which % Math.max(1, marked.length)];
              const bytes = target?.update(one.mark) ?? '';
              if (target !== undefined && bytes !== '')
                printed[target.at] = (printed[target.at] ?? '').replace(
                  /[…✓][✓ 0-9/]*$/u,
                  one.mark,
                );
              await drawn.write(bytes);
            }
          }
          await drawn.type('END');
          // Rows that end with a wide character have a gap, and widths differ: only the text counts.
          const all = drawn.lines().map(withoutSpace).join('');
          assert.equal(all, withoutSpace(`${printed.join('')}> END`));
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe('columns', () => {
  it('hold as many names as fit', () => {
    assert.equal(inColumns(['a', 'bb', 'ccc', '日本'], 14), 'a     bb\nccc   日本');
    assert.equal(inColumns(['a very long name', 'b'], 5), 'a very long name\nb');
    assert.equal(inColumns([], 10), '');
  });
});

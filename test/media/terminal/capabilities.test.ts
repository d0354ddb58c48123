import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import type * as Xterm from '@xterm/headless';
import fc from 'fast-check';
import {
  Answers,
  askTerminal,
  cellQuestions,
  chooseMode,
  isAnswer,
  lastQuestion,
  questions,
  type Environment,
} from '../../../lib/media/terminal/capabilities.ts';
import { GRAPHICS_MODES } from '../../../lib/media/terminal/renderer.ts';
import { KeyDecoder } from '../../../lib/ui/terminal-keys.ts';
import { TERMINALS } from '../../support/known-terminals.ts';

const { Terminal } = createRequire(import.meta.url)('@xterm/headless') as typeof Xterm;

const E = '\u001b';
const ST = `${E}\\`;
const UTF8 = { LANG: 'C.UTF-8' };

const SIZE = { columns: 80, rows: 24 };

function answered(environment: Environment, ...pieces: string[]): Answers {
  const answers = new Answers(environment, SIZE);
  for (const piece of pieces) answers.take(piece);
  return answers;
}

describe('what a terminal can do', () => {
  for (const { name, environment, answers, expected } of TERMINALS)
    it(`is read from the answers of ${name}`, () => {
      const all = answered(environment, ...answers);
      assert.equal(all.isComplete, true);
      assert.deepEqual(all.capabilities, expected);
    });

  it('does not depend on the pieces in which answers come', () => {
    const known = fc.constantFrom(...TERMINALS);
    fc.assert(
      fc.property(
        known,
        fc.array(fc.nat({ max: 300 })),
        ({ answers, environment, expected }, cuts) => {
          const text = answers.join('');
          const places = [0, ...cuts.filter((cut) => cut < text.length).sort((a, b) => a - b)];
          const pieces = places.map((from, index) => text.slice(from, places[index + 1]));
          assert.deepEqual(answered(environment, ...pieces).capabilities, expected);
        },
      ),
    );
  });

  it('is read from among keys and whatever else comes', () => {
    const noise = fc.constantFrom('hello', `${E}[A`, `${E}OP`, '\r', `${E}[200~`, 'é', `${E}[5;3R`);
    fc.assert(
      fc.property(fc.constantFrom(...TERMINALS), fc.array(noise), (known, between) => {
        const pieces = known.answers.flatMap((answer, index) => [between[index] ?? '', answer]);
        assert.deepEqual(answered(known.environment, ...pieces).capabilities, known.expected);
      }),
    );
  });

  it('is something whatever comes', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({
        unit: fc.constantFrom(
          E,
          '[',
          'P',
          '_',
          'G',
          ']',
          '?',
          ';',
          '\\',
          '1',
          '4',
          '8',
          ':',
          'c',
          't',
          'S',
          '$',
          'r',
          '>',
          '|',
          '/',
          '\u0007',
        ),
        maxLength: 60,
      }),
      fc.constantFrom(...TERMINALS.flatMap(({ answers }) => answers)),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const { modes, cell } = answered(UTF8, ...pieces).capabilities;
        assert.ok(modes.includes('ascii'));
        assert.deepEqual(
          modes,
          GRAPHICS_MODES.filter((mode) => modes.includes(mode)),
        );
        if (cell !== undefined) assert.ok(cell.width >= 4 && cell.height <= 200);
      }),
      { numRuns: 500 },
    );
  });

  it('is found after a flood that has no end', () => {
    const answers = answered(UTF8, `${E}P>|${'x'.repeat(100_000)}`, `${E}]11;`.repeat(10_000));
    answers.take(`${E}[?62;4;22c${E}[6;16;8t`);
    assert.deepEqual(answers.capabilities.modes, ['sixel', '256', 'ascii']);
  });

  it('is taken from the environment where the terminal does not answer', () => {
    const modes = (environment: Environment): string =>
      new Answers({ ...UTF8, ...environment }).capabilities.modes.join(' ');
    assert.equal(modes({ TERM: 'xterm-kitty' }), 'kitty truecolor 256 ascii');
    assert.equal(modes({ KITTY_WINDOW_ID: '1', TERM: 'xterm' }), 'kitty 256 ascii');
    assert.equal(modes({ TERM_PROGRAM: 'ghostty', TERM: 'xterm' }), 'kitty truecolor 256 ascii');
    assert.equal(modes({ TERM: 'xterm-256color', COLORTERM: 'truecolor' }), 'truecolor 256 ascii');
    assert.equal(modes({ TERM: 'xterm-256color', COLORTERM: '24bit' }), 'truecolor 256 ascii');
    assert.equal(modes({ TERM: 'xterm-256color' }), '256 ascii');
    assert.equal(modes({ TERM: 'xterm-direct' }), 'truecolor 256 ascii');
    assert.equal(modes({ TERM: 'vt100' }), 'ascii');
    assert.equal(modes({ TERM: 'dumb' }), '');
    assert.equal(modes({ TERM: 'screen', STY: '1.pts', COLORTERM: 'truecolor' }), '256 ascii');
    // What stands between does not hand images on.
    assert.equal(modes({ TERM: 'tmux-256color', TMUX: 'x', KITTY_WINDOW_ID: '1' }), '256 ascii');
  });

  it('is no image where all has been answered but that', () => {
    // Begun in kitty, seen in another terminal.
    const answers = answered({ ...UTF8, KITTY_WINDOW_ID: '1', TERM: 'xterm' }, `${E}[?62;22c`);
    assert.deepEqual(answers.capabilities.modes, ['256', 'ascii']);
    const refused = answered(UTF8, `${E}_Gi=20615;ENOTSUPPORTED:no${ST}`, `${E}[?62c`);
    assert.deepEqual(refused.capabilities.modes, ['256', 'ascii']);
    const other = answered(UTF8, `${E}_Gi=31;OK${ST}`, `${E}[?62c`);
    assert.deepEqual(other.capabilities.modes, ['256', 'ascii']);
  });

  it('is no half block where characters beyond ASCII do not arrive', () => {
    const modes = (environment: Environment): readonly string[] =>
      answered({ COLORTERM: 'truecolor', ...environment }, `${E}[?62;4c`, `${E}[6;16;8t`)
        .capabilities.modes;
    assert.deepEqual(modes({}), ['sixel', 'ascii']);
    assert.deepEqual(modes({ LANG: 'de_DE.ISO-8859-1' }), ['sixel', 'ascii']);
    assert.deepEqual(modes({ LANG: 'de_DE.UTF-8', LC_ALL: 'C' }), ['sixel', 'ascii']);
    assert.ok(modes({ LANG: 'C', LC_CTYPE: 'de_DE.utf8' }).includes('truecolor'));
    assert.ok(modes({ LANG: 'de_DE.UTF-8', LC_ALL: '' }).includes('truecolor'));
  });

  it('is no sixel where nobody says how large a cell is, or there are too few colours', () => {
    assert.deepEqual(answered(UTF8, `${E}[?62;4c`).capabilities.modes, ['256', 'ascii']);
    const few = answered(UTF8, `${E}[6;16;8t`, `${E}[?1;0;16S`, `${E}[?63;4c`);
    assert.deepEqual(few.capabilities.modes, ['256', 'ascii']);
    for (const cell of ['6;0;0', '6;1000;1000', '6;16;', '4;16;8'])
      assert.equal(answered(UTF8, `${E}[${cell}t`).capabilities.cell, undefined);
  });

  it('tells light from dark', () => {
    const isLight = (colour: string): boolean | undefined =>
      answered(UTF8, `${E}]11;${colour}\u0007`).capabilities.isLight;
    assert.equal(isLight('rgb:ffff/ffff/ffff'), true);
    assert.equal(isLight('rgb:fd/f6/e3'), true);
    assert.equal(isLight('rgb:1e1e/1e1e/2e2e'), false);
    assert.equal(isLight('rgba:0000/0000/0000/8000'), false);
    assert.equal(isLight('black'), undefined);
  });
});

describe('answers of a terminal', () => {
  it('are told from keys', () => {
    for (const { answers } of TERMINALS)
      for (const answer of answers) assert.equal(isAnswer(answer), true, JSON.stringify(answer));
    for (const other of [
      'a',
      E,
      `${E}[A`,
      `${E}[1;5D`,
      `${E}[3~`,
      `${E}[12;40R`,
      `${E}[0n`,
      `${E}OH`,
      '',
    ])
      assert.equal(isAnswer(other), false, JSON.stringify(other));
  });

  it('come whole through what reads the keys, and are not taken for typing', () => {
    for (const { answers } of TERMINALS) {
      const decoder = new KeyDecoder();
      const keys = answers.flatMap((answer) => decoder.push(Buffer.from(answer)));
      assert.deepEqual(
        keys.map((key) => (key.type === 'report' ? key.text : key)),
        answers,
      );
    }
  });
});

describe('the questions to a terminal', () => {
  /** What an emulator shows and answers once it was asked. */
  async function asked(environment: Environment): Promise<{ screen: string; answers: string }> {
    const terminal = new Terminal({ cols: 40, rows: 4, allowProposedApi: true });
    let answers = '';
    terminal.onData((data) => (answers += data));
    await new Promise<void>((resolve) =>
      terminal.write(`\u001b[1;31m> \u001b[1;3H${questions(environment)}x`, resolve),
    );
    const line = terminal.buffer.active.getLine(0)!;
    const cell = line.getCell(2)!;
    assert.deepEqual([cell.getFgColor(), cell.isBold() !== 0, cell.isBgDefault()], [1, true, true]);
    return { screen: line.translateToString(true), answers };
  }

  it('show nothing, and leave cursor and colours as they were', async () => {
    for (const { environment } of TERMINALS) assert.equal((await asked(environment)).screen, '> x');
  });

  it('are answered by an emulator, the last one at the end', async () => {
    const { answers } = await asked({ ...UTF8, TERM: 'xterm' });
    assert.match(answers, /\u001b\[\?1;2c$/);
    assert.equal(answered(UTF8, answers).isComplete, true);
  });

  it('are none where a terminal would print or misunderstand them', () => {
    assert.equal(questions({ TERM: 'dumb' }), '');
    assert.equal(questions({ TERM: 'linux' }), `${E}[c`);
    assert.equal(questions({ TERM_PROGRAM: 'Apple_Terminal' }), `${E}[c`);
    assert.equal(questions({ TERM: 'screen-256color', TMUX: 'x' }).includes(`${E}_G`), false);
    assert.equal(questions({ TERM: 'screen', STY: 'x' }).includes(`${E}P`), false);
    assert.equal(questions({ TERM: 'xterm' }).endsWith(`${E}[c`), true);
  });
});

describe('the questions about cells alone', () => {
  it('are some of all, and nothing that would end an image half handed over', () => {
    assert.equal(cellQuestions({ TERM: 'xterm' }), `${E}[16t${E}[?2;1;0S${E}[?2;4;0S${E}[c`);
    for (const { environment } of TERMINALS) {
      const all = questions(environment);
      for (const question of cellQuestions(environment).split(/(?=\u001b)/))
        assert.ok(all.includes(question), JSON.stringify(question));
      assert.equal(cellQuestions(environment).includes(`${E}_G`), false);
    }
  });

  it('are answered by the size of a cell', () => {
    for (const { environment, answers, expected } of TERMINALS) {
      const about = answers.filter((answer) => /^\u001b\[(?:6;|\?2;|\?[\d;]*c)/.test(answer));
      assert.deepEqual(answered(environment, ...about).capabilities.cell, expected.cell);
    }
  });

  it('are none where there are none at all', () => {
    for (const ask of [cellQuestions, lastQuestion]) {
      assert.equal(ask({ TERM: 'dumb' }), '');
      assert.equal(ask({ TERM: 'linux' }), `${E}[c`);
    }
  });
});

describe('asking a terminal', () => {
  it('ends with its last answer', async () => {
    let written = '';
    const environment = { ...UTF8, TERM: 'xterm' };
    const asking = askTerminal({
      ...{ environment, size: SIZE, milliseconds: 60_000 },
      write: (text) => (written += text),
    });
    assert.equal(written, questions(environment));
    asking.take(`${E}_Gi=20615;OK${ST}${E}[?6`);
    asking.take('2c');
    assert.deepEqual((await asking.capabilities).modes, ['kitty', '256', 'ascii']);
  });

  it('is about what one wants to know, and tells which answer is the last', async () => {
    let written = '';
    const environment = { ...UTF8, TERM: 'xterm' };
    const asking = askTerminal({
      ...{ environment, size: SIZE, milliseconds: 60_000, asks: cellQuestions },
      write: (text) => (written += text),
    });
    assert.equal(written, cellQuestions(environment));
    assert.deepEqual(
      [`${E}[6;20;10t`, `${E}[?62c`].map((one) => asking.take(one)),
      [false, true],
    );
    assert.deepEqual((await asking.capabilities).cell, { width: 10, height: 20 });
  });

  it('ends without answers too', async () => {
    const environment = { ...UTF8, TERM: 'xterm-256color', COLORTERM: 'truecolor' };
    const asking = askTerminal({ environment, write: () => undefined, milliseconds: 5 });
    assert.deepEqual((await asking.capabilities).modes, ['truecolor', '256', 'ascii']);
  });

  it('does not wait where nothing was asked', async () => {
    const asking = askTerminal({
      ...{ environment: { TERM: 'dumb' }, milliseconds: 3_600_000 },
      write: () => undefined,
    });
    assert.deepEqual((await asking.capabilities).modes, []);
  });
});

describe('the mode that is chosen', () => {
  it('is the best one, or the one that is named', () => {
    assert.equal(chooseMode({ modes: ['sixel', '256', 'ascii'] }), 'sixel');
    assert.equal(chooseMode({ modes: ['sixel', '256', 'ascii'] }, 'ascii'), 'ascii');
    assert.equal(chooseMode({ modes: ['ascii'] }, 'kitty'), 'kitty');
  });

  it('is none where nothing can be drawn, or the name is none', () => {
    assert.throws(() => chooseMode({ modes: [] }), { code: 'NOT_SUPPORTED' });
    assert.throws(() => chooseMode({ modes: ['ascii'] }, 'beautiful'), { code: 'USAGE' });
  });
});

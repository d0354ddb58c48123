import assert from 'node:assert/strict';
import fc from 'fast-check';
import { byteLength } from '../../lib/text.ts';
import {
  edit,
  editorOf,
  MAX_TYPED_BYTES,
  replace,
  searchLabel,
  textBefore,
  textOfLine,
  type EditorState,
  type Effect,
} from '../../lib/ui/line-editor.ts';
import { KeyDecoder, type Key } from '../../lib/ui/terminal-keys.ts';
import { graphemes } from '../../lib/ui/width.ts';

const HISTORY = ['first line', 'second', 'third line'];

/** The state after the bytes that a terminal would send, and the last effect. */
function typed(
  bytes: string,
  state = editorOf(),
  hidden = false,
): { state: EditorState; effect: Effect } {
  const decoder = new KeyDecoder();
  let effect: Effect = { type: 'none' };
  for (const key of [...decoder.push(Buffer.from(bytes)), ...decoder.flush()])
    ({ state, effect } = edit(state, key, { history: HISTORY, hidden }));
  return { state, effect };
}

/** The line with `|` where the cursor is. */
function after(bytes: string, state = editorOf()): string {
  const end = typed(bytes, state).state;
  return `${textBefore(end)}|${textOfLine(end).slice(textBefore(end).length)}`;
}

const UP = '\u001b[A';
const DOWN = '\u001b[B';
const LEFT = '\u001b[D';
const RIGHT = '\u001b[C';
const CTRL_LEFT = '\u001b[1;5D';
const CTRL_RIGHT = '\u001b[1;5C';

describe('line editor', () => {
  it('inserts and moves by what people see as one character', () => {
    assert.equal(after('abc'), 'abc|');
    assert.equal(after(`ac${LEFT}b`), 'ab|c');
    assert.equal(after(`a👩‍👩‍👧b${LEFT}${LEFT}x`), 'ax|👩‍👩‍👧b');
    assert.equal(after('a👩‍👩‍👧\u007f'), 'a|');
    assert.equal(after(`e${LEFT}${RIGHT}\u0301x`), 'e\u0301x|');
    assert.equal(after(`🇪${LEFT}🇩`), '🇩🇪|');
    assert.equal(after(`ab${LEFT}${LEFT}${LEFT}x\u001b[3~`), 'x|b');
    assert.equal(after('ab\u0001x\u0005y'), 'xaby|');
    assert.equal(after('ab\u0002\u0002\u0006x'), 'ax|b');
    assert.equal(after('ab\u0014'), 'ba|');
  });

  it('moves and deletes by words', () => {
    assert.equal(after(`one two-three${CTRL_LEFT}`), 'one two-|three');
    assert.equal(after(`one two-three${CTRL_LEFT}${CTRL_LEFT}`), 'one |two-three');
    assert.equal(after(`one two\u0001${CTRL_RIGHT}`), 'one| two');
    assert.equal(after('one two-three\u0017'), 'one |');
    assert.equal(after('one two-three\u001b\u007f'), 'one two-|');
    assert.equal(after('one two\u0001\u001bd'), '| two');
    assert.equal(after('größe ändern\u001bb\u001bb'), '|größe ändern');
  });

  it('kills and yanks, also across lines', () => {
    assert.equal(after('one two\u0017\u0017\u0019'), 'one two|');
    assert.equal(after('one two\u0001\u000b\u0019\u0019'), 'one twoone two|');
    assert.equal(after('abc\u0015x\u0019'), 'xabc|');
    const { state } = typed('kept\u0015sent\r');
    assert.equal(textOfLine(state), '');
    assert.equal(after('\u0019', state), 'kept|');
  });

  it('undoes', () => {
    assert.equal(after('one two\u0017\u001f'), 'one two|');
    assert.equal(after('one two\u001f'), '|');
    assert.deepEqual(typed('\u001f').effect, { type: 'bell' });
  });

  it('goes through the history and back to what was typed', () => {
    assert.equal(after(`dra${UP}`), 'third line|');
    assert.equal(after(`dra${UP}${UP}\u0010`), 'first line|');
    assert.equal(after(`dra${UP}${UP}${UP}${UP}`), 'first line|');
    assert.equal(after(`dra${UP}${UP}${DOWN}`), 'third line|');
    assert.equal(after(`dra${UP}${UP}${DOWN}${DOWN}`), 'dra|');
    assert.deepEqual(typed(DOWN).effect, { type: 'bell' });
    assert.deepEqual(typed(`${UP}\r`).effect, { type: 'submit', line: 'third line' });
    assert.equal(after(`x\u001b<`), 'first line|');
    assert.equal(after(`x\u001b<\u001b>`), 'x|');
  });

  it('searches the history', () => {
    const searching = typed('dra\u0012line');
    assert.equal(searchLabel(searching.state), '(search) line: ');
    assert.equal(textOfLine(searching.state), 'third line');
    assert.equal(after('dra\u0012line\u0012'), 'first |line');
    assert.equal(searchLabel(typed('\u0012line\u0012\u0012').state), '(not found) line: ');
    assert.equal(after('dra\u0012line\u0007'), 'dra|');
    assert.equal(after('dra\u0012line\u001b'), 'third |line');
    assert.deepEqual(typed('\u0012sec\r').effect, { type: 'submit', line: 'second' });
    assert.equal(after(`\u0012linex\u007f`), 'third |line');
    assert.equal(after(`dra\u0012s\u007f`), 'dra|');
    assert.equal(after(`\u0012line${LEFT}`), 'third| line');
  });

  it('tells what is not its own', () => {
    assert.deepEqual(typed('abc\r').effect, { type: 'submit', line: 'abc' });
    assert.deepEqual(typed('abc\u0003').effect, { type: 'interrupt', empty: false });
    assert.deepEqual(typed('\u0003').effect, { type: 'interrupt', empty: true });
    assert.deepEqual(typed('\u0004').effect, { type: 'end' });
    assert.equal(after('ab\u0001\u0004'), '|b');
    assert.deepEqual(typed('a\t').effect, { type: 'complete' });
    assert.deepEqual(typed('\u000c').effect, { type: 'clear' });
    assert.deepEqual(typed('\u001a').effect, { type: 'suspend' });
  });

  it('has neither history nor completion for a secret', () => {
    for (const key of [UP, '\u0010', '\u0012', '\t', '\u001b<'])
      assert.deepEqual(typed(key, editorOf(), true), {
        state: editorOf(),
        effect: { type: 'bell' },
      });
    assert.deepEqual(typed('secret\r', editorOf(), true).effect, {
      type: 'submit',
      line: 'secret',
    });
  });

  it('makes one line of a paste, without what could harm', () => {
    const { state } = typed('\u001b[200~a\r\nb\u001b[2J\tc\n\n\u001b[201~');
    assert.equal(textOfLine(state), 'a\nb c');
    assert.equal(after('a\u001b\rb'), 'a\nb|');
  });

  it('takes no more than fits into a message', () => {
    const { state, effect } = typed(`${'é'.repeat(20_000)}`);
    assert.deepEqual(effect, { type: 'bell' });
    assert.equal(byteLength(textOfLine(state)), MAX_TYPED_BYTES);
    assert.equal(textOfLine(typed('x', state).state), textOfLine(state));
  });

  it('replaces what a completion replaces', () => {
    const { state } = typed('message bo hi');
    const next = replace(state, 8, 10, 'bob');
    assert.equal(textOfLine(next), 'message bob hi');
    assert.equal(textBefore(next), 'message bob');
  });

  it('keeps its order under any keys', () => {
    const named = fc.record({
      type: fc.constant('key' as const),
      name: fc.constantFrom(
        'enter',
        'tab',
        'backspace',
        'delete',
        'left',
        'right',
        'home',
        'end',
        'up',
        'down',
        'escape',
      ),
      ctrl: fc.boolean(),
      alt: fc.boolean(),
      shift: fc.boolean(),
    });
    const character = fc.record({
      type: fc.constant('key' as const),
      name: fc.constant('character'),
      character: fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz_<>'),
      ctrl: fc.boolean(),
      alt: fc.boolean(),
      shift: fc.constant(false),
    });
    const text = fc.record({
      type: fc.constantFrom('text' as const, 'paste' as const),
      text: fc.oneof(
        fc.string({ unit: 'grapheme' }),
        fc.constantFrom('🇩', '\u0301', '\u200d', '👩', 'a b', '\n'),
      ),
    });
    const key = fc.oneof({ weight: 3, arbitrary: text }, named, {
      weight: 2,
      arbitrary: character,
    });
    fc.assert(
      fc.property(fc.array(key, { maxLength: 40 }), fc.boolean(), (keys, hidden) => {
        let state = editorOf();
        for (const one of keys as Key[]) {
          const before = state;
          const step = edit(state, one, { history: HISTORY, hidden });
          state = step.state;
          assert.ok(state.cursor >= 0 && state.cursor <= state.cells.length);
          assert.deepEqual(state.cells, graphemes(textOfLine(state)));
          assert.ok(state.undo.length <= 50);
          if (step.effect.type === 'submit') {
            // What is submitted is what was to be seen.
            if (before.search === undefined) assert.equal(step.effect.line, textOfLine(before));
            assert.equal(textOfLine(state), '');
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});

/**
 * The line editor: keys to states, and nothing else. Positions count graphemes, so that no key ever
 * stands in the midst of an emoji or between a letter and its accent.
 */
import { byteLength, clean, MAX_TEXT_BYTES } from '../text.ts';
import type { Key, NamedKey } from './terminal-keys.ts';
import { graphemes } from './width.ts';

/** Longest line that can be typed, in bytes: a text and the command before it. */
export const MAX_TYPED_BYTES = MAX_TEXT_BYTES + 1024;

const MAX_UNDO = 50;

interface Content {
  /** The line as graphemes; a line end pasted into it is one of them. */
  readonly cells: readonly string[];
  /** From 0 (before the first cell) to `cells.length`. */
  readonly cursor: number;
}

interface Search {
  readonly query: string;
  /** Index into the history of the match, or of where the search stands. */
  readonly index: number;
  readonly failed: boolean;
  /** What was there before the search, for Ctrl-G. */
  readonly before: Content;
}

export interface EditorState extends Content {
  /** What the last kill took. */
  readonly killed: string;
  readonly last: 'insert' | 'kill' | 'other';
  /** Where in the history the line is from; absent: typed. */
  readonly historyIndex?: number;
  /** The typed line while another of the history is shown. */
  readonly draft: string;
  readonly search?: Search;
  readonly undo: readonly Content[];
}

export type Effect =
  | { readonly type: 'none' | 'bell' | 'complete' | 'clear' | 'suspend' | 'end' }
  /** Ctrl-C; `empty` tells whether there was anything on the line that it cleared. */
  | { readonly type: 'interrupt'; readonly empty: boolean }
  | { readonly type: 'submit'; readonly line: string };

export interface Step {
  readonly state: EditorState;
  readonly effect: Effect;
}

export interface EditorContext {
  /** Oldest first. */
  readonly history: readonly string[];
  /** A secret: no history, no completion, nothing is remembered. */
  readonly hidden?: boolean;
}

const NOTHING: Effect = { type: 'none' };
const BELL: Effect = { type: 'bell' };

/** A line with the cursor at its end. */
export function editorOf(text = ''): EditorState {
  const cells = graphemes(text);
  return { cells, cursor: cells.length, killed: '', last: 'other', draft: '', undo: [] };
}

/** The next line; what was killed can still be yanked. */
function emptied(state: EditorState): EditorState {
  return { ...editorOf(), killed: state.killed };
}

export function textOfLine(state: Content): string {
  return state.cells.join('');
}

/** The part of the line before the cursor. */
export function textBefore(state: Content): string {
  return state.cells.slice(0, state.cursor).join('');
}

/** What is to be seen in place of the prompt during a history search. */
export function searchLabel(state: EditorState): string | undefined {
  if (state.search === undefined) return undefined;
  return `(${state.search.failed ? 'not found' : 'search'}) ${state.search.query}: `;
}

/** One key further. Total: a key without a meaning changes nothing. */
export function edit(state: EditorState, key: Key, context: EditorContext): Step {
  if (key.type === 'cursor' || key.type === 'report') return { state, effect: NOTHING };
  if (state.search !== undefined) return searchKey(state, state.search, key, context);
  if (key.type === 'text') return insert(state, clean(key.text));
  if (key.type === 'paste') return insert(state, pasted(key.text), true);
  return command(state, key, context);
}

/** Replaces the cells of a range by a text and puts the cursor behind it. */
export function replace(state: EditorState, from: number, to: number, text: string): EditorState {
  const head = state.cells.slice(0, from).join('') + text;
  const cells = graphemes(head + state.cells.slice(to).join(''));
  return changed(state, { cells, cursor: cellAt(cells, head.length) }, 'other');
}

/** Several pasted lines are edited as one and sent as one text; a final line end sends nothing. */
function pasted(text: string): string {
  return clean(text, { multiline: true }).replace(/\n+$/, '');
}

/** The index of the cell boundary at or after an offset in UTF-16 units. */
export function cellAt(cells: readonly string[], offset: number): number {
  let length = 0;
  for (let index = 0; index < cells.length; index += 1) {
    if (length >= offset) return index;
    length += (cells[index] as string).length;
  }
  return cells.length;
}

function changed(state: EditorState, content: Content, last: EditorState['last']): EditorState {
  const keep = last === 'insert' && state.last === 'insert';
  const before: Content = { cells: state.cells, cursor: state.cursor };
  const undo = keep ? state.undo : [...state.undo.slice(1 - MAX_UNDO), before];
  return { ...state, ...content, last, undo };
}

function moved(state: EditorState, cursor: number): Step {
  const within = Math.max(0, Math.min(state.cells.length, cursor));
  return { state: { ...state, cursor: within, last: 'other' }, effect: NOTHING };
}

function insert(state: EditorState, text: string, separate = false): Step {
  if (text === '') return { state, effect: NOTHING };
  const head = textBefore(state);
  const tail = state.cells.slice(state.cursor).join('');
  const room = MAX_TYPED_BYTES - byteLength(head) - byteLength(tail);
  const fitting = cutToBytes(text, room);
  const cells = graphemes(head + fitting + tail);
  const content = { cells, cursor: cellAt(cells, head.length + fitting.length) };
  return {
    state: changed(state, content, separate ? 'other' : 'insert'),
    effect: fitting === text ? NOTHING : BELL,
  };
}

function cutToBytes(text: string, bytes: number): string {
  if (byteLength(text) <= bytes) return text;
  let out = '';
  let size = 0;
  for (const character of text) {
    size += byteLength(character);
    if (size > bytes) break;
    out += character;
  }
  return out;
}

/** Takes a range out of the line; consecutive kills add up. */
function kill(state: EditorState, from: number, to: number): Step {
  if (from === to) return { state, effect: BELL };
  const taken = state.cells.slice(from, to).join('');
  const forward = from === state.cursor;
  let killed = taken;
  if (state.last === 'kill') killed = forward ? state.killed + taken : taken + state.killed;
  const next = replace(state, from, to, '');
  return { state: { ...next, killed, last: 'kill' }, effect: NOTHING };
}

function erase(state: EditorState, from: number, to: number): Step {
  if (from === to) return { state, effect: BELL };
  return { state: replace(state, from, to, ''), effect: NOTHING };
}

const WORD = /^[\p{L}\p{N}_]/u;
const NOT_SPACE = /^\S/u;

function wordLeft(state: Content, kind: RegExp): number {
  let at = state.cursor;
  while (at > 0 && !kind.test(state.cells[at - 1] as string)) at -= 1;
  while (at > 0 && kind.test(state.cells[at - 1] as string)) at -= 1;
  return at;
}

function wordRight(state: Content): number {
  let at = state.cursor;
  while (at < state.cells.length && !WORD.test(state.cells[at] as string)) at += 1;
  while (at < state.cells.length && WORD.test(state.cells[at] as string)) at += 1;
  return at;
}

function command(state: EditorState, key: NamedKey, context: EditorContext): Step {
  const { cursor, cells } = state;
  const byWord = key.ctrl || key.alt;
  switch (key.name) {
    case 'enter':
      if (key.alt && context.hidden !== true) return insert(state, '\n', true);
      return { state: emptied(state), effect: { type: 'submit', line: textOfLine(state) } };
    case 'tab':
      return { state, effect: context.hidden === true ? BELL : { type: 'complete' } };
    case 'backspace':
      if (byWord) return kill(state, wordLeft(state, WORD), cursor);
      return erase(state, Math.max(0, cursor - 1), cursor);
    case 'delete':
      if (byWord) return kill(state, cursor, wordRight(state));
      return erase(state, cursor, Math.min(cells.length, cursor + 1));
    case 'left':
      return moved(state, byWord ? wordLeft(state, WORD) : cursor - 1);
    case 'right':
      return moved(state, byWord ? wordRight(state) : cursor + 1);
    case 'home':
      return moved(state, 0);
    case 'end':
      return moved(state, cells.length);
    case 'up':
      return older(state, context);
    case 'down':
      return newer(state, context);
    case 'character':
      return key.ctrl ? control(state, key, context) : meta(state, key, context);
    case 'escape':
    case 'insert':
    case 'pageup':
    case 'pagedown':
      return { state, effect: NOTHING };
    default:
      return key.name satisfies never;
  }
}

function control(state: EditorState, key: NamedKey, context: EditorContext): Step {
  const { cursor, cells } = state;
  switch (key.character) {
    case 'a':
      return moved(state, 0);
    case 'e':
      return moved(state, cells.length);
    case 'b':
      return moved(state, cursor - 1);
    case 'f':
      return moved(state, cursor + 1);
    case 'd':
      if (cells.length === 0) return { state, effect: { type: 'end' } };
      return erase(state, cursor, Math.min(cells.length, cursor + 1));
    case 'k':
      return kill(state, cursor, cells.length);
    case 'u':
      return kill(state, 0, cursor);
    case 'w':
      return kill(state, wordLeft(state, NOT_SPACE), cursor);
    case 'y':
      return state.killed === '' ? { state, effect: BELL } : insert(state, state.killed, true);
    case 't':
      return transpose(state);
    case 'p':
      return older(state, context);
    case 'n':
      return newer(state, context);
    case 'r':
      return context.hidden === true ? { state, effect: BELL } : startSearch(state, context);
    case 'l':
      return { state, effect: { type: 'clear' } };
    case 'z':
      return { state, effect: { type: 'suspend' } };
    case '_':
      return undo(state);
    case 'c':
      return {
        state: emptied(state),
        effect: { type: 'interrupt', empty: cells.length === 0 },
      };
    default:
      return { state, effect: NOTHING };
  }
}

function meta(state: EditorState, key: NamedKey, context: EditorContext): Step {
  switch (key.character) {
    case 'b':
      return moved(state, wordLeft(state, WORD));
    case 'f':
      return moved(state, wordRight(state));
    case 'd':
      return kill(state, state.cursor, wordRight(state));
    case '<':
      return fromHistory(state, 0, context);
    case '>':
      return fromHistory(state, context.history.length, context);
    default:
      return { state, effect: NOTHING };
  }
}

function transpose(state: EditorState): Step {
  const { cells } = state;
  const at = Math.min(state.cursor, cells.length - 1);
  if (at < 1) return { state, effect: BELL };
  const swapped = `${cells[at]}${cells[at - 1]}`;
  return { state: replace(state, at - 1, at + 1, swapped), effect: NOTHING };
}

function undo(state: EditorState): Step {
  const content = state.undo.at(-1);
  if (content === undefined) return { state, effect: BELL };
  return {
    state: { ...state, ...content, last: 'other', undo: state.undo.slice(0, -1) },
    effect: NOTHING,
  };
}

function older(state: EditorState, context: EditorContext): Step {
  return fromHistory(state, (state.historyIndex ?? context.history.length) - 1, context);
}

function newer(state: EditorState, context: EditorContext): Step {
  if (state.historyIndex === undefined) return { state, effect: BELL };
  return fromHistory(state, state.historyIndex + 1, context);
}

/** Shows a line of the history; past its newest comes the typed line again. */
function fromHistory(state: EditorState, index: number, context: EditorContext): Step {
  const { history } = context;
  if (
    context.hidden === true ||
    index < 0 ||
    (index >= history.length && state.historyIndex === undefined)
  )
    return { state, effect: BELL };
  const draft = state.historyIndex === undefined ? textOfLine(state) : state.draft;
  const { historyIndex: _, ...rest } = state;
  const shown = editorOf(index >= history.length ? draft : history[index]);
  const content = { cells: shown.cells, cursor: shown.cursor };
  const next: EditorState = { ...rest, ...content, last: 'other', draft, undo: [] };
  return {
    state: index >= history.length ? next : { ...next, historyIndex: index },
    effect: NOTHING,
  };
}

function startSearch(state: EditorState, context: EditorContext): Step {
  const before = { cells: state.cells, cursor: state.cursor };
  const search: Search = { query: '', index: context.history.length, failed: false, before };
  return { state: { ...state, search, last: 'other' }, effect: NOTHING };
}

function find(
  state: EditorState,
  search: Search,
  query: string,
  from: number,
  context: EditorContext,
): Step {
  for (let index = Math.min(from, context.history.length - 1); index >= 0; index -= 1) {
    const line = context.history[index] as string;
    const at = line.indexOf(query);
    if (at === -1) continue;
    const cells = graphemes(line);
    const found = { ...search, query, index, failed: false };
    return {
      state: { ...state, cells, cursor: cellAt(cells, at), search: found },
      effect: NOTHING,
    };
  }
  return { state: { ...state, search: { ...search, query, failed: true } }, effect: BELL };
}

function searchKey(state: EditorState, search: Search, key: Key, context: EditorContext): Step {
  const { search: _, ...accepted } = state;
  if (key.type === 'text') {
    const query = cutToBytes(search.query + clean(key.text), 256);
    return find(state, search, query, search.index, context);
  }
  if (key.type !== 'key') return edit(accepted, key, context);
  if (key.name === 'backspace' && !key.alt) {
    const query = graphemes(search.query).slice(0, -1).join('');
    if (query === '')
      return {
        state: {
          ...state,
          ...search.before,
          search: { ...search, query, index: context.history.length, failed: false },
        },
        effect: NOTHING,
      };
    return find(state, search, query, context.history.length - 1, context);
  }
  if (key.ctrl && key.character === 'r') {
    if (search.query === '') return { state, effect: BELL };
    return find(state, search, search.query, search.index - 1, context);
  }
  if (key.ctrl && (key.character === 'g' || key.character === 'c'))
    return { state: { ...accepted, ...search.before }, effect: NOTHING };
  if (key.name === 'escape') return { state: accepted, effect: NOTHING };
  // Any other key takes the match and then does what it always does.
  return edit(accepted, key, context);
}

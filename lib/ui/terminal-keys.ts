/**
 * Bytes of a terminal to key events. Whatever arrives, in whatever pieces: sequences that are not
 * known are swallowed whole, invalid UTF-8 becomes U+FFFD, and nothing is kept without bound.
 */

export type KeyName =
  | 'enter'
  | 'tab'
  | 'backspace'
  | 'delete'
  | 'insert'
  | 'escape'
  | 'up'
  | 'down'
  | 'left'
  | 'right'
  | 'home'
  | 'end'
  | 'pageup'
  | 'pagedown'
  /** With `ctrl` or `alt`: a letter, digit or sign, in `character`. */
  | 'character';

export interface NamedKey {
  readonly type: 'key';
  readonly name: KeyName;
  readonly character?: string;
  readonly ctrl: boolean;
  readonly alt: boolean;
  readonly shift: boolean;
}

export type Key =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'paste'; readonly text: string }
  /** The terminal's answer to "where is the cursor", from 1. */
  | { readonly type: 'cursor'; readonly row: number; readonly column: number }
  /** Another answer of the terminal, whole. */
  | { readonly type: 'report'; readonly text: string }
  | NamedKey;

/** How sequences end that a terminal answers with, and no key sends. */
const REPORTS: ReadonlySet<string> = new Set(['c', 'n', 't', 'S']);

/** Longest paste that is taken, in UTF-16 units; the rest of a longer one is dropped. */
export const MAX_PASTE = 64 * 1024;

const MAX_SEQUENCE = 64;
const MAX_STRING_SEQUENCE = 4096;
const PASTE_END = '\u001b[201~';

const FINALS: Readonly<Record<string, KeyName>> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  F: 'end',
  H: 'home',
};
const TILDES: Readonly<Record<string, KeyName>> = {
  '1': 'home',
  '2': 'insert',
  '3': 'delete',
  '4': 'end',
  '5': 'pageup',
  '6': 'pagedown',
  '7': 'home',
  '8': 'end',
};

function named(name: KeyName, modifiers: Partial<NamedKey> = {}): NamedKey {
  return { type: 'key', name, ctrl: false, alt: false, shift: false, ...modifiers };
}

/** The modifiers of xterm's parameter: 1 + shift 1 + alt 2 + ctrl 4. */
function modified(parameter: string | undefined): Partial<NamedKey> {
  const bits = Math.max(0, Number(parameter ?? '1') - 1);
  return { shift: (bits & 1) !== 0, alt: (bits & 2) !== 0, ctrl: (bits & 4) !== 0 };
}

export class KeyDecoder {
  #utf8 = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true });
  /** Characters not yet made into keys: the beginning of a sequence, at most. */
  #waiting = '';
  /** The paste under way. */
  #paste: string | undefined;

  /** Whether an Escape is waiting that may be a key of its own: see `flush`. */
  get ambiguous(): boolean {
    return this.#waiting !== '' && this.#paste === undefined;
  }

  push(bytes: Uint8Array): Key[] {
    this.#waiting += this.#utf8.decode(bytes, { stream: true });
    return this.#decode(false);
  }

  /** To be called when nothing has followed an Escape for a moment: it was the key. */
  flush(): Key[] {
    return this.#paste === undefined ? this.#decode(true) : [];
  }

  #decode(final: boolean): Key[] {
    const keys: Key[] = [];
    let text = '';
    const endText = (): void => {
      if (text !== '') keys.push({ type: 'text', text });
      text = '';
    };
    while (this.#waiting !== '') {
      if (this.#paste !== undefined) {
        if (!this.#takePaste(keys)) break;
        continue;
      }
      const first = this.#waiting[0] as string;
      if (first >= ' ' && first !== '\u007f' && !(first >= '\u0080' && first <= '\u009f')) {
        // A surrogate pair is never split: TextDecoder hands out whole characters.
        const run = /^[^\u0000-\u001f\u007f-\u009f]+/.exec(this.#waiting)?.[0] ?? first;
        text += run;
        this.#waiting = this.#waiting.slice(run.length);
        continue;
      }
      endText();
      if (first !== '\u001b') {
        this.#waiting = this.#waiting.slice(1);
        const key = control(first);
        if (key !== undefined) keys.push(key);
        continue;
      }
      if (!this.#takeEscape(keys, final)) break;
    }
    endText();
    return keys;
  }

  /** @returns whether the paste ended */
  #takePaste(keys: Key[]): boolean {
    const end = this.#waiting.indexOf(PASTE_END);
    // The last few characters may be the beginning of the end.
    const upTo = end === -1 ? Math.max(0, this.#waiting.length - PASTE_END.length + 1) : end;
    this.#paste = ((this.#paste ?? '') + this.#waiting.slice(0, upTo)).slice(0, MAX_PASTE);
    this.#waiting = this.#waiting.slice(upTo);
    if (end === -1) return false;
    this.#waiting = this.#waiting.slice(PASTE_END.length);
    keys.push({ type: 'paste', text: this.#paste.toWellFormed() });
    this.#paste = undefined;
    return true;
  }

  /** @returns false when more has to arrive before it can be told */
  #takeEscape(keys: Key[], final: boolean): boolean {
    const rest = this.#waiting;
    const next = rest[1];
    if (next === undefined) {
      if (!final) return false;
      this.#waiting = '';
      keys.push(named('escape'));
      return true;
    }
    if (next === '[') return this.#takeControlSequence(keys, final);
    if (next === 'O') {
      const letter = rest[2];
      if (letter === undefined && !final) return false;
      const sequence = letter !== undefined && letter >= ' ' && letter <= '~';
      this.#waiting = rest.slice(sequence ? 3 : 2);
      const name = FINALS[letter ?? ''];
      if (!sequence) keys.push(altCharacter('O'));
      else if (name !== undefined) keys.push(named(name));
      else if (letter === 'M') keys.push(named('enter'));
      return true;
    }
    if (/[\]PX^_]/.test(next)) return this.#takeString(keys, final);
    if (next === '\u001b') {
      // Escape twice: the second may begin a sequence of its own, sent with Alt.
      this.#waiting = rest.slice(1);
      keys.push(named('escape'));
      return true;
    }
    const point = String.fromCodePoint(rest.codePointAt(1) ?? 0);
    this.#waiting = rest.slice(1 + point.length);
    const key = control(point);
    keys.push(key === undefined ? altCharacter(point) : { ...key, alt: true });
    return true;
  }

  #takeControlSequence(keys: Key[], final: boolean): boolean {
    const match = /^\u001b\[([0-?]*)([ -/]*)([@-~])/.exec(this.#waiting);
    if (match === null) {
      const broken = /^\u001b\[[0-?]*[ -/]*[^ -~]/.exec(this.#waiting);
      const tooLong = this.#waiting.length > MAX_SEQUENCE;
      if (broken === null && !tooLong && !final) return false;
      // Cut short by something that cannot belong to it: that is read on its own.
      const length =
        broken === null ? Math.min(this.#waiting.length, MAX_SEQUENCE) : broken[0].length - 1;
      if (final && this.#waiting === '\u001b[') keys.push(altCharacter('['));
      this.#waiting = this.#waiting.slice(length);
      return true;
    }
    const [sequence, parameters = '', , letter = ''] = match;
    this.#waiting = this.#waiting.slice(sequence.length);
    const [first = '', second] = parameters.split(';');
    if (letter === '~' && first === '200') this.#paste = '';
    else if (letter === 'R' && /^\d{1,5};\d{1,5}$/.test(parameters))
      keys.push({ type: 'cursor', row: Number(first), column: Number(second) });
    else if (REPORTS.has(letter)) keys.push({ type: 'report', text: sequence });
    else if (letter === 'Z') keys.push(named('tab', { shift: true }));
    else {
      const name = letter === '~' ? TILDES[first] : FINALS[letter];
      if (name !== undefined) keys.push(named(name, modified(second)));
    }
    return true;
  }

  /** Answers that carry a text (OSC, DCS and the like); they end with BEL or ST. */
  #takeString(keys: Key[], final: boolean): boolean {
    const end = /[\u0007\u009c]|\u001b\\/.exec(this.#waiting.slice(2));
    if (end === null && this.#waiting.length <= MAX_STRING_SEQUENCE && !final) return false;
    const length = end === null ? this.#waiting.length : 2 + end.index + end[0].length;
    if (end !== null) keys.push({ type: 'report', text: this.#waiting.slice(0, length) });
    this.#waiting = this.#waiting.slice(length);
    return true;
  }
}

function altCharacter(character: string): NamedKey {
  return named('character', { alt: true, character });
}

/** A control character as the key that sends it. */
function control(character: string): NamedKey | undefined {
  switch (character) {
    case '\r':
    case '\n':
      return named('enter');
    case '\t':
      return named('tab');
    case '\b':
    case '\u007f':
      return named('backspace');
    default: {
      const code = character.charCodeAt(0);
      if (code >= 1 && code <= 26)
        return named('character', { ctrl: true, character: String.fromCharCode(code + 96) });
      if (code === 0) return named('character', { ctrl: true, character: ' ' });
      if (code >= 28 && code <= 31)
        return named('character', { ctrl: true, character: String.fromCharCode(code + 64) });
      return undefined;
    }
  }
}

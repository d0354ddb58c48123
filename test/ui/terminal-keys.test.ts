import assert from 'node:assert/strict';
import fc from 'fast-check';
import { KeyDecoder, MAX_PASTE, type Key } from '../../lib/ui/terminal-keys.ts';

function keys(...chunks: (string | Uint8Array)[]): Key[] {
  const decoder = new KeyDecoder();
  const all = chunks.flatMap((chunk) => decoder.push(Buffer.from(chunk)));
  return [...all, ...decoder.flush()];
}

/** A short name for each key. */
function names(...chunks: (string | Uint8Array)[]): string[] {
  return keys(...chunks).map((key) => {
    if (key.type === 'text') return `"${key.text}"`;
    if (key.type === 'paste') return `paste "${key.text}"`;
    if (key.type === 'report') return 'report';
    if (key.type === 'cursor') return `cursor ${key.row} ${key.column}`;
    const modifiers = `${key.ctrl ? 'C-' : ''}${key.alt ? 'M-' : ''}${key.shift ? 'S-' : ''}`;
    return modifiers + (key.character ?? key.name);
  });
}

describe('keys', () => {
  it('are read from what terminals send', () => {
    assert.deepEqual(names('ab é日👍'), ['"ab é日👍"']);
    assert.deepEqual(names('\r\n\t\u007f\b'), ['enter', 'enter', 'tab', 'backspace', 'backspace']);
    assert.deepEqual(names('\u0001\u0003\u001a\u001f\u0000'), ['C-a', 'C-c', 'C-z', 'C-_', 'C- ']);
    assert.deepEqual(names('\u001b[A\u001b[B\u001b[C\u001b[D\u001b[H\u001b[F'), [
      'up',
      'down',
      'right',
      'left',
      'home',
      'end',
    ]);
    assert.deepEqual(names('\u001bOA\u001bOH\u001b[1~\u001b[3~\u001b[5~'), [
      'up',
      'home',
      'home',
      'delete',
      'pageup',
    ]);
    assert.deepEqual(names('\u001b[1;5D\u001b[1;3C\u001b[3;5~\u001b[Z'), [
      'C-left',
      'M-right',
      'C-delete',
      'S-tab',
    ]);
    assert.deepEqual(names('\u001bb\u001bé\u001b\u007f\u001b\r'), [
      'M-b',
      'M-é',
      'M-backspace',
      'M-enter',
    ]);
    assert.deepEqual(names('\u001b'), ['escape']);
    assert.deepEqual(names('\u001b\u001b[A'), ['escape', 'up']);
    assert.deepEqual(names('\u001b[12;40Rx'), ['cursor 12 40', '"x"']);
  });

  it('are apart from what the terminal answers', () => {
    const answers = ['\u001b[?1;2c', '\u001b[0n', '\u001b[6;16;8t', '\u001b[?1;0;256S'];
    answers.push('\u001b]11;rgb:0/0/0\u0007', '\u001bP1$r0m\u001b\\', '\u001b_Gi=1;OK\u001b\\');
    for (const text of answers)
      assert.deepEqual(keys(`a${text}b`), [
        { type: 'text', text: 'a' },
        { type: 'report', text },
        { type: 'text', text: 'b' },
      ]);
    assert.deepEqual(names('\u001b[0', 'n'), ['report']);
  });

  it('leave nothing of sequences that mean nothing here', () => {
    assert.deepEqual(names('a\u001b[?1;2yb'), ['"a"', '"b"']);
    assert.deepEqual(names('a\u001b[200;1;2;3xb\u009b'), ['"a"', '"b"']);
    assert.deepEqual(names('a\u001b[1\rb'), ['"a"', 'enter', '"b"']);
  });

  it('take a paste whole', () => {
    assert.deepEqual(names('\u001b[200~two\nlines \u001b[A\u0003\u001b[201~x'), [
      'paste "two\nlines \u001b[A\u0003"',
      '"x"',
    ]);
    assert.deepEqual(names('\u001b[200~a', 'b\u001b[20', '1~', '\r'), ['paste "ab"', 'enter']);
  });

  it('bound a paste and a string, and go on after them', () => {
    const decoder = new KeyDecoder();
    decoder.push(Buffer.from('\u001b[200~'));
    for (let count = 0; count < 40; count += 1) decoder.push(Buffer.alloc(10_000, 'x'));
    const [paste, ...rest] = decoder.push(Buffer.from('\u001b[201~y'));
    assert.ok(paste?.type === 'paste' && paste.text.length === MAX_PASTE);
    assert.deepEqual(rest, [{ type: 'text', text: 'y' }]);
    const endless = decoder.push(Buffer.from(`\u001b]${'x'.repeat(5000)}`));
    assert.deepEqual(endless, []);
    assert.deepEqual(decoder.push(Buffer.from('z')), [{ type: 'text', text: 'z' }]);
  });

  it('wait for the rest of a sequence or a character', () => {
    const decoder = new KeyDecoder();
    const bytes = Buffer.from('日\u001b[1;5D👍');
    const seen = [...bytes].flatMap((byte) => decoder.push(Uint8Array.of(byte)));
    assert.deepEqual(
      seen.map((key) => key.type),
      ['text', 'key', 'text'],
    );
    assert.equal(decoder.ambiguous, false);
    decoder.push(Uint8Array.of(0x1b));
    assert.equal(decoder.ambiguous, true);
    assert.equal(decoder.flush()[0]?.type, 'key');
  });

  it('come from any bytes, however divided', () => {
    const piece = fc.oneof(
      fc
        .constantFrom(
          '\u001b',
          '\u001b[',
          '\u001b[200~',
          '\u001b[201~',
          '\u001bO',
          '\u001b]',
          '\r',
          'é',
          '👍',
        )
        .map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 12 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const decoder = new KeyDecoder();
        for (const bytes of pieces)
          for (const key of decoder.push(bytes))
            if (key.type === 'text') {
              assert.ok(key.text.isWellFormed());
              assert.equal(/[\u0000-\u001f\u007f-\u009f]/.test(key.text), false);
            }
        // Whatever came before, an ended paste and a moment of silence make it fresh.
        decoder.push(Buffer.from('\u001b\\\u001b[201~'));
        decoder.flush();
        decoder.push(Buffer.from('\u001b[201~'));
        decoder.flush();
        const text = decoder
          .push(Buffer.from('ok'))
          .map((key) => (key.type === 'text' ? key.text : ''));
        assert.ok(text.join('').endsWith('ok'));
      }),
      { numRuns: 500 },
    );
  });
});

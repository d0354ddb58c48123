import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Bytes } from '../../../lib/media/terminal/bytes.ts';
import {
  labelText,
  putLabel,
  putPlaceholder,
  sameLabel,
  type Label,
  type Measure,
} from '../../../lib/media/terminal/label.ts';
import { fit, textWidth } from '../../../lib/ui/width.ts';
import { CellScreen } from '../../support/drawn-screens.ts';
import { controls, printed } from '../../support/sequences.ts';

const MEASURE: Measure = { width: textWidth, fit };

function label(name: string, marks: Partial<Label> = {}): Label {
  return { name, hasCamera: true, isConnected: true, ...marks };
}

describe('a label', () => {
  it('has the name to the left and what there is to say to the right', () => {
    assert.equal(labelText(label('bob'), 12, MEASURE), 'bob         ');
    assert.equal(labelText(label('bob', { isMuted: true }), 12, MEASURE), 'bob    muted');
    assert.equal(
      labelText(label('bob', { isTalking: true, isLive: true }), 12, MEASURE),
      '* bob   live',
    );
    const all = label('bob', {
      ...{ isMuted: true, isSuppressed: true, isLive: true },
      ...{ hasCamera: false, isConnected: false },
    });
    assert.equal(
      labelText(all, 54, MEASURE),
      'bob      no connection suppressed muted live no camera',
    );
  });

  it('leaves out what is less important where there is no room', () => {
    const bob = label('bob', { isMuted: true, isConnected: false });
    assert.equal(labelText(bob, 18, MEASURE), 'bob  no connection');
    assert.equal(labelText(bob, 15, MEASURE), 'bob            ');
    const long = label('bartholomew', { isMuted: true });
    assert.equal(labelText(long, 14, MEASURE), 'barthol… muted');
    assert.equal(labelText(long, 11, MEASURE), 'bartholomew');
    assert.equal(labelText(long, 6, MEASURE), 'barth…');
  });

  it('has exactly its columns, whatever the name', () => {
    const name = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('日本語の名前', 'é̂́', '👩‍👩‍👧‍👦👍🏽', 'ﬁ', '\u001b[31mred', 'a\u0000b'),
    );
    const marks = fc.record({
      isTalking: fc.boolean(),
      isMuted: fc.boolean(),
      isSuppressed: fc.boolean(),
      isLive: fc.boolean(),
      hasCamera: fc.boolean(),
      isConnected: fc.boolean(),
    });
    fc.assert(
      fc.property(name, marks, fc.integer({ min: 1, max: 60 }), (text, others, columns) => {
        const shown = labelText({ name: text, ...others }, columns, MEASURE);
        assert.equal(textWidth(shown), columns, JSON.stringify(shown));
        assert.doesNotMatch(shown, /[\u0000-\u001f\u007f-\u009f]/);
      }),
    );
  });

  it('is the same label while it reads the same', () => {
    assert.equal(sameLabel(label('bob'), label('bob', { isMuted: false })), true);
    assert.equal(sameLabel(label('bob'), label('bob', { isMuted: true })), false);
    assert.equal(sameLabel(label('bob'), label('bob', { isTalking: true })), false);
    assert.equal(sameLabel(label('bob'), label('Bob')), false);
  });

  it('is green while somebody talks, but for who has no colours', () => {
    const place = { column: 3, row: 2, width: 10, height: 1 };
    const written = (mode: 'ascii' | '256', isTalking: boolean): Uint8Array => {
      const bytes = new Bytes();
      putLabel(bytes, place, label('bob', { isTalking }), mode, MEASURE);
      return bytes.take().bytes.slice();
    };
    assert.deepEqual(controls(written('256', true), 'm'), ['1;32', '0']);
    assert.deepEqual(controls(written('256', false), 'm'), []);
    assert.deepEqual(controls(written('ascii', true), 'm'), []);
    assert.deepEqual(controls(written('256', true), 'H'), ['2;3']);
  });
});

describe('the place of a picture that is not there', () => {
  const place = { column: 4, row: 2, width: 9, height: 5 };

  it('has the initial in the middle of a plain ground', async () => {
    const screen = new CellScreen('blocks');
    const bytes = new Bytes();
    putPlaceholder(bytes, place, label('élodie'), 'truecolor', MEASURE);
    await screen.write(bytes.take().bytes);
    assert.equal(screen.row(4).slice(3, 12), '    É    ');
    for (let row = 2; row < 7; row++)
      for (let column = 4; column < 13; column++)
        assert.deepEqual(screen.cell(column, row).ground, [48, 48, 48]);
    assert.equal(screen.isTouched(3, 4) || screen.isTouched(13, 4), false);
    assert.equal(screen.isTouched(8, 1) || screen.isTouched(8, 7), false);
  });

  it('has as many columns with wide and with strange initials', () => {
    for (const name of ['日本', '👩‍👩‍👧‍👦', 'ßa', 'ŉ', '', '\u001b[2J', '́x'])
      for (const mode of ['kitty', 'ascii'] as const) {
        const bytes = new Bytes();
        putPlaceholder(bytes, place, label(name), mode, MEASURE);
        const { bytes: written, ends } = bytes.take();
        assert.equal(ends.length, place.height);
        assert.equal(textWidth(printed(written)), place.width * place.height, name);
        if (mode === 'ascii') assert.deepEqual(controls(written, 'm'), []);
      }
  });
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  fileResultText,
  sentText,
  shareText,
  transferText,
  type Transfer,
} from '../../lib/ui/format-file.ts';
import { MARK_COLUMNS } from '../../lib/ui/format-message.ts';
import { textWidth } from '../../lib/ui/width.ts';

const about = (fields: Partial<Transfer> = {}): Transfer => ({
  event: 'attachment',
  id: 'm1',
  name: 'plan.pdf',
  progress: 0,
  state: 'sending',
  ...fields,
});
const HOSTILE = 'a\u001b[2J\nb\u202e\u009b1m.pdf';

describe('format of files', () => {
  it('tells what became of one that was attached', () => {
    const file = { name: 'plan.pdf', size: 1_234_567 };
    const texts = [
      { state: 'held', sent: true, file },
      { state: 'held', sent: false, file },
      { state: 'queued', sent: false, file },
    ].map((data) => fileResultText('attach', data));
    assert.deepEqual(texts, [
      'plan.pdf (1.2 MiB) is sent.',
      'plan.pdf (1.2 MiB) is said, and goes on being sent.',
      'The server is away: plan.pdf (1.2 MiB) is kept here and sent when the server is back.',
    ]);
  });

  it('tells where one was saved', () => {
    const saved = { id: 'm1', file: '/home/ann/plan (1).pdf', bytes: 12 };
    assert.equal(fileResultText('save', saved), 'Saved as /home/ann/plan (1).pdf (12 bytes).');
    assert.equal(fileResultText('say', saved), undefined);
  });

  it('tells how far one has got, as wide as a mark may be', () => {
    assert.equal(transferText(about()), 'Sending plan.pdf');
    assert.equal(transferText(about({ state: 'fetching' })), 'Fetching plan.pdf');
    const texts = [-1, 0, 0.1, 0.25, 0.5, 0.76, 0.999, 1, 7].map((share) =>
      shareText(share, false),
    );
    assert.deepEqual(texts, [
      '░░░░ 0%',
      '░░░░ 0%',
      '░░░░ 10%',
      '█░░░ 25%',
      '██░░ 50%',
      '███░ 76%',
      '███░ 99%',
      '███░ 99%',
      '███░ 99%',
    ]);
    assert.equal(shareText(0.5, true), '50 %');
    fc.assert(
      fc.property(fc.double({ noNaN: true }), (share) => {
        assert.ok(textWidth(shareText(share, false)) <= MARK_COLUMNS);
      }),
    );
  });

  it('tells in the end what became of one', () => {
    assert.equal(sentText(about({ state: 'done' })), 'plan.pdf is sent.');
    const failed = about({ state: 'failed', code: 'TOO_LARGE' });
    assert.equal(sentText(failed), 'plan.pdf was not sent. TOO_LARGE');
    assert.equal(sentText(about({ state: 'failed' })), 'plan.pdf was not sent.');
  });

  it('lets nothing of a name through but what can be seen, and not too much', () => {
    const file = { name: HOSTILE, size: 3 };
    const texts = [
      fileResultText('attach', { state: 'held', sent: true, file }),
      fileResultText('save', { file: HOSTILE, bytes: 3 }),
      transferText(about({ name: HOSTILE })),
      sentText(about({ name: HOSTILE, state: 'done' })),
    ];
    for (const text of texts)
      assert.doesNotMatch(text ?? '\n', /[\u0000-\u001f\u0080-\u009f\u202e]/);
    assert.ok(textWidth(transferText(about({ name: 'x'.repeat(500) }))) <= 60);
    assert.equal(fileResultText('attach', {}), ' (NaN bytes) is said, and goes on being sent.');
  });
});

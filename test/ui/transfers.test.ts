import assert from 'node:assert/strict';
import type { Transfer } from '../../lib/ui/format-file.ts';
import type { Style } from '../../lib/ui/style.ts';
import { Transfers } from '../../lib/ui/transfers.ts';
import { FakePrompt } from '../support/line-mode.ts';

describe('lines about files', () => {
  function begin(inPlace: boolean): {
    prompt: FakePrompt;
    tell: (state: Transfer['state'], progress: number, more?: Partial<Transfer>) => void;
  } {
    const prompt = new FakePrompt(inPlace);
    const style: Style = { colours: false, plain: !inPlace, time: false, now: () => 0 };
    const transfers = new Transfers(prompt, () => style);
    return {
      prompt,
      tell: (state, progress, more = {}) =>
        transfers.note({ event: 'attachment', id: 'm1', name: 'a.bin', state, progress, ...more }),
    };
  }
  const SHARES = [0, 0.01, 0.2, 0.3, 0.5, 0.9, 1];

  it('change in place, one for each', () => {
    const { prompt, tell } = begin(true);
    for (const share of SHARES) tell('sending', share);
    tell('fetching', 0.5, { id: 'm2', name: 'b.bin' });
    tell('done', 1);
    tell('done', 1, { id: 'm2' });
    assert.deepEqual(prompt.lines, [
      '* Sending a.bin ░░░░ 1% ░░░░ 20% █░░░ 30% ██░░ 50% ███░ 90% ✓',
      '* Fetching b.bin ██░░ 50% ✓',
    ]);
  });

  it('are few where they cannot change', () => {
    const { prompt, tell } = begin(false);
    for (let share = 0; share <= 1; share += 0.001) tell('sending', share);
    tell('done', 1);
    for (const share of SHARES) tell('fetching', share, { id: 'm2' });
    tell('done', 1, { id: 'm2' });
    assert.deepEqual(prompt.lines, [
      '* Sending a.bin: 25 %',
      '* Sending a.bin: 50 %',
      '* Sending a.bin: 75 %',
      '* a.bin is sent.',
      '* Fetching a.bin: 30 %',
      '* Fetching a.bin: 50 %',
      '* Fetching a.bin: 90 %',
    ]);
  });

  it('are none for what is there at once', () => {
    for (const inPlace of [true, false]) {
      const { prompt, tell } = begin(inPlace);
      tell('sending', 0);
      tell('sending', 1);
      tell('done', 1);
      tell('fetching', 0, { id: 'm2' });
      tell('done', 1, { id: 'm2' });
      assert.deepEqual(prompt.lines, []);
    }
  });

  it('tell why the server does not keep one; why one cannot be fetched, its command tells', () => {
    const failed = { code: 'TOO_LARGE' } as const;
    for (const inPlace of [true, false]) {
      const { prompt, tell } = begin(inPlace);
      tell('failed', 0, failed);
      tell('fetching', 0, { id: 'm2' });
      tell('failed', 0, { id: 'm2', code: 'NETWORK' });
      assert.deepEqual(prompt.lines, ['* a.bin was not sent. TOO_LARGE']);
    }
    const { prompt, tell } = begin(true);
    tell('sending', 0.5);
    tell('failed', 0.5, failed);
    assert.deepEqual(prompt.lines, [
      '* Sending a.bin ██░░ 50% ✗',
      '* a.bin was not sent. TOO_LARGE',
    ]);
  });

  it('tell that one is sent whose line has left the screen', () => {
    const { prompt, tell } = begin(true);
    const printMarked = prompt.printMarked.bind(prompt);
    prompt.printMarked = (text, mark) => ({ ...printMarked(text, mark), isShown: () => false });
    tell('sending', 0.5);
    tell('done', 1);
    tell('fetching', 0.5, { id: 'm2' });
    tell('done', 1, { id: 'm2' });
    assert.deepEqual(prompt.lines, [
      '* Sending a.bin ██░░ 50% ✓',
      '* a.bin is sent.',
      '* Fetching a.bin ██░░ 50% ✓',
    ]);
  });
});

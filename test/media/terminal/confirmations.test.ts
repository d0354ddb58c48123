import assert from 'node:assert/strict';
import type { Clock } from '../../../lib/lifecycle.ts';
import {
  AHEAD,
  CONFIRMATION,
  Confirmations,
  LEAST_AHEAD,
  MOST_AHEAD,
  MOST_QUEUED_MS,
  PATIENCE_MS,
  QUESTION,
} from '../../../lib/media/terminal/confirmations.ts';
import { CellScreen } from '../../support/drawn-screens.ts';

class Hands implements Clock {
  time = 0;
  now(): number {
    return this.time;
  }
  monotonic(): number {
    return this.time;
  }
}

describe('confirmations', () => {
  let clock: Hands;
  let confirmations: Confirmations;
  beforeEach(() => {
    clock = new Hands();
    confirmations = new Confirmations(clock, true);
  });

  /** Writes portions until it has to wait. */
  function fill(portion: number): number {
    let questions = 0;
    for (let count = 0; count < 1_000 && confirmations.wait === 0; count++)
      if (confirmations.wrote(portion, false) !== '') questions += 1;
    return questions;
  }

  it('are what any terminal answers to the question', async () => {
    const screen = new CellScreen('blocks');
    let answer = '';
    screen.terminal.onData((data) => (answer += data));
    await screen.write(QUESTION);
    assert.equal(answer, CONFIRMATION);
  });

  it('bound what is on its way', () => {
    fill(4_000);
    assert.ok(confirmations.ahead >= AHEAD && confirmations.ahead < AHEAD + 4_000);
    assert.equal(confirmations.wait, PATIENCE_MS);
    clock.time = 300;
    assert.equal(confirmations.wait, PATIENCE_MS - 300);
  });

  it('let as much be written as has been taken', () => {
    const questions = fill(4_000);
    const before = confirmations.ahead;
    confirmations.answered();
    assert.equal(confirmations.wait, 0);
    assert.ok(confirmations.ahead < before);
    for (let answers = 1; answers < questions; answers++) confirmations.answered();
    assert.ok(confirmations.ahead < AHEAD);
    // One that nobody asked for.
    confirmations.answered();
    assert.equal(confirmations.wait, 0);
  });

  /** A link of so many bytes a millisecond, and so many milliseconds there and back. */
  function over(speed: number, delay: number): { bytes: number; waited: number } {
    /** Bytes that were not sent yet, with the question behind them, and when answers come. */
    const answers: number[] = [];
    let [free, bytes, waited] = [0, 0, 0];
    for (; clock.time < 60_000; clock.time += 1) {
      while (answers.length > 0 && answers[0]! <= clock.time) {
        answers.shift();
        confirmations.answered();
      }
      while (confirmations.wait === 0 && confirmations.most < Infinity) {
        const portion = Math.min(16_000, confirmations.portion);
        free = Math.max(free, clock.time) + portion / speed;
        bytes += portion;
        if (confirmations.wrote(portion, false) !== '') answers.push(free + delay);
      }
      // What is typed now comes after all that is on its way.
      if (clock.time > 20_000) waited = Math.max(waited, free - clock.time);
    }
    return { bytes, waited };
  }

  it('let nothing wait for long on a slow way', () => {
    // 1 Mbit/s, far away.
    const { bytes, waited } = over(125, 80);
    assert.ok(waited < 3 * MOST_QUEUED_MS, `${waited}`);
    assert.ok(bytes > 0.7 * 125 * 60_000, `${bytes}`);
  });

  it('have a quick way used, near and far', () => {
    for (const delay of [1, 50]) {
      clock = new Hands();
      confirmations = new Confirmations(clock, true);
      assert.ok(over(3_000, delay).bytes > 0.9 * 3_000 * 60_000);
      assert.ok(confirmations.most <= MOST_AHEAD);
    }
  });

  it('let a little be written on the slowest way', () => {
    const { bytes } = over(4, 0);
    assert.ok(confirmations.most >= LEAST_AHEAD && confirmations.most < 4 * LEAST_AHEAD);
    assert.ok(bytes > 0.7 * 4 * 60_000 && bytes < 1.3 * 4 * 60_000, `${bytes}`);
  });

  it('are asked for after a while, and at the end of a picture', () => {
    assert.equal(confirmations.wrote(100, false), '');
    assert.equal(confirmations.wrote(100, true), QUESTION);
    assert.equal(confirmations.wrote(20_000, false), QUESTION);
    confirmations.answered();
    assert.equal(confirmations.ahead, 20_000);
  });

  it('bound small pictures too', () => {
    let written = 0;
    while (confirmations.wait === 0 && written < 1_000) {
      confirmations.wrote(10, true);
      written += 1;
    }
    assert.ok(written < 100);
  });

  it('are not waited for without end', () => {
    for (let time = 0; time < 3; time++) {
      fill(4_000);
      clock.time += PATIENCE_MS;
      assert.equal(confirmations.wait, 0);
      assert.equal(confirmations.ahead, 0);
    }
    // It never answers: it is not asked any more.
    assert.equal(confirmations.wrote(1_000_000, true), '');
    assert.equal(confirmations.wait, 0);
  });

  it('are asked for again where there have been some, and those too late are not mistaken', () => {
    for (let time = 0; time < 10; time++) {
      let questions = fill(4_000) - 1;
      confirmations.answered();
      questions += fill(4_000);
      clock.time += PATIENCE_MS;
      assert.equal(confirmations.wait, 0);
      assert.equal(confirmations.most >= LEAST_AHEAD, true);
      assert.equal(confirmations.wrote(1, true), QUESTION);
      // The answers that were given up come after all.
      for (let late = 0; late < questions; late++) confirmations.answered();
      assert.equal(confirmations.ahead, 1);
      confirmations.answered();
      assert.equal(confirmations.ahead, 0);
    }
  });

  it('are not asked for where nobody hears them', () => {
    const deaf = new Confirmations(clock, false);
    assert.equal(deaf.most, Infinity);
    assert.equal(deaf.wrote(1_000_000, true), '');
    assert.deepEqual([deaf.wait, deaf.ahead], [0, 0]);
  });
});

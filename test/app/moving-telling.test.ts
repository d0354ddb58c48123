import assert from 'node:assert/strict';
import { Telling } from '../../lib/app/moving-telling.ts';
import type { AppEvent } from '../../lib/app/types.ts';

describe('how far something long has got', () => {
  it('is told now and then, and not when it is over soon', () => {
    let time = 1_000_000;
    const told: AppEvent[] = [];
    const context = { now: () => time, tell: (event: AppEvent) => void told.push(event) };
    const telling = new Telling(context, 'Export of #lobby');
    for (let done = 0; done < 200; done++) {
      telling.tell('written', done, 200);
      time += 10;
    }
    assert.equal(told.length, 0);
    for (let done = 0; done < 1_000; done++) {
      telling.tell('written', done, 1_000);
      time += 10;
    }
    const texts = told.map((event) => event.event === 'notice' && event.text);
    assert.deepEqual(
      texts,
      [10, 40, 70].map((share) => `Export of #lobby: ${share} % written.`),
    );
    // A clock that is put back does not silence it.
    time -= 1_000_000;
    telling.tell('fetched', 0, 0);
    assert.equal(told.length, 4);
  });
});

import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { until } from '../../../lib/lifecycle.ts';
import type { Output, Painter } from '../../../lib/media/terminal/painter.ts';
import { Drain, painterOn, participant } from '../../support/painter-stage.ts';
import { controls } from '../../support/sequences.ts';
import { BLACK, plain, waves, WHITE } from '../../support/terminal-pictures.ts';
import { FakeTime } from '../../support/time.ts';

describe('the pace of a painter', () => {
  let painter: Painter | undefined;
  afterEach(() => painter?.stop());

  it('drops what a slow terminal cannot take, and holds no more than a portion', async () => {
    let [waiting, most] = [0, 0];
    const slow = new Writable({
      highWaterMark: 1,
      write: (chunk: Buffer, _encoding, callback) =>
        void setTimeout(() => {
          waiting -= chunk.length;
          callback();
        }, 10),
    });
    const output: Output = {
      write: (bytes, callback) => {
        waiting += bytes.length;
        most = Math.max(most, waiting);
        slow.write(bytes, callback);
      },
    };
    const one = painterOn(output, 'truecolor', { portion: 4_096 });
    painter = one;
    one.show([participant('alice')]);
    for (let number = 0; number < 60; number++) {
      one.frame('alice', waves(160, 120, number));
      await until(5, () => false);
    }
    const { drawn, dropped } = one.counts;
    assert.ok(drawn > 0 && dropped > 20, `${drawn} and ${dropped}`);
    assert.ok(drawn + dropped >= 59);
    assert.ok(most <= 4_096 + 100, `${most}`);
  });

  describe('as time passes', () => {
    let time: FakeTime;
    beforeEach(() => (time = new FakeTime()));
    afterEach(() => time.restore());

    it('draws no more pictures of a tile a second than it may', async () => {
      const one = painterOn(new Drain(), 'ascii', { fps: 10 });
      one.show([participant('alice'), participant('bob')]);
      for (let number = 0; number < 100; number++) {
        one.frame('alice', plain(16, 16, number % 2 === 0 ? WHITE : BLACK));
        if (number % 20 === 0) one.frame('bob', plain(16, 16, [number, number, number]));
        await time.pass(10);
      }
      await time.pass(200);
      const { drawn, dropped } = one.counts;
      // 10 or 11 of the one, all 5 of the other.
      assert.ok(drawn >= 15 && drawn <= 17, `${drawn}`);
      assert.equal(drawn + dropped, 105);
    });

    it('lets all tiles have their turn on a slow terminal', async () => {
      const drawn = new Map<number, number>();
      const output: Output = {
        write: (bytes, callback) => {
          for (const place of controls(bytes.slice(), 'H')) {
            const column = Number(place.split(';')[1]);
            drawn.set(column, (drawn.get(column) ?? 0) + 1);
          }
          setTimeout(callback, 40);
        },
      };
      const one = painterOn(output, 'truecolor');
      const ids = ['alice', 'bob', 'carol', 'dave'];
      one.show(ids.map((id) => participant(id)));
      for (let number = 0; number < 200; number++) {
        for (const id of ids)
          one.frame(id, plain(64, 48, [number, 255 - number, 7 * (number % 30)]));
        await time.pass(10);
      }
      const counts = [...drawn.values()].filter((count) => count > 10);
      assert.ok(counts.length >= 2);
      assert.ok(Math.max(...counts) <= 1.5 * Math.min(...counts), counts.join());
    });

    it('waits for the terminal to confirm what it has taken', async () => {
      const drain = new Drain();
      const one = painterOn(drain, 'truecolor', { hearsConfirmations: true, fps: 1_000 });
      one.show([participant('alice')]);
      for (let number = 0; number < 60; number++) {
        one.frame('alice', waves(80, 60, number));
        await time.pass(5);
      }
      const { bytes } = drain;
      assert.ok(bytes >= 16 * 1_024 && bytes <= 34 * 1_024, `${bytes}`);
      for (let answer = 0; answer < 50; answer++) one.answered();
      await time.pass(50);
      assert.ok(drain.bytes > bytes);
    });
  });
});

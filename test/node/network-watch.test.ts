import assert from 'node:assert/strict';
import type { Card } from '../../lib/interfaces.ts';
import { watchNetwork } from '../../lib/node/network-watch.ts';
import { fakeClock } from '../support/time.ts';

const card = (address: string, name = 'eth0'): Card => ({
  name,
  address,
  family: 4,
  prefix: 24,
  internal: false,
});

describe('the watch of the network', () => {
  let time: ReturnType<typeof fakeClock>;
  let cards: Card[];
  let monotonic: number;
  let ahead: number;
  let changes: number;
  let stop: () => void;

  beforeEach(() => {
    time = fakeClock();
    [cards, ahead, monotonic, changes] = [[card('192.168.1.2'), card('fe80::1')], 0, 0, 0];
    const begun = Date.now();
    stop = watchNetwork({
      onChange: () => void (changes += 1),
      cards: () => cards,
      clock: {
        now: () => Date.now() + ahead,
        monotonic: () => Date.now() - begun + monotonic,
      },
    });
  });
  afterEach(() => {
    stop();
    time.uninstall();
  });

  it('says nothing while all is as it was, in whatever order', async () => {
    await time.tickAsync(10_000);
    cards = cards.toReversed();
    await time.tickAsync(10_000);
    assert.equal(changes, 0);
  });

  it('tells once of addresses that come, go or change', async () => {
    for (const next of [
      [card('192.168.1.2')],
      [card('192.168.1.2'), card('10.0.0.2', 'wlan0')],
      [card('192.168.1.3'), card('10.0.0.2', 'wlan0')],
      [card('192.168.1.3'), card('10.0.0.2', 'wlan1')],
      [],
    ]) {
      cards = next;
      const before = changes;
      await time.tickAsync(1_000);
      assert.equal(changes, before + 1);
      await time.tickAsync(5_000);
      assert.equal(changes, before + 1);
    }
  });

  it('tells of a host that was asleep, by either clock', async () => {
    ahead = 60_000;
    await time.tickAsync(1_000);
    assert.equal(changes, 1);
    monotonic = 60_000;
    await time.tickAsync(1_000);
    assert.equal(changes, 2);
    await time.tickAsync(10_000);
    assert.equal(changes, 2);
  });

  it('is not disturbed by a clock that is set back, or a moment without the processor', async () => {
    await time.tickAsync(2_000);
    ahead = -3_600_000;
    await time.tickAsync(2_000);
    ahead += 2_500;
    await time.tickAsync(2_000);
    assert.equal(changes, 0);
  });

  it('ends', async () => {
    stop();
    cards = [];
    await time.tickAsync(5_000);
    assert.equal(changes, 0);
  });
});

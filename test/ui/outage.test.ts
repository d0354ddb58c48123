import assert from 'node:assert/strict';
import { Outage } from '../../lib/ui/outage.ts';
import { fakeClock } from '../support/time.ts';

describe('an outage of the server', () => {
  let time: ReturnType<typeof fakeClock>;
  let outage: Outage;
  let said: string[];

  beforeEach(() => {
    time = fakeClock();
    said = [];
    outage = new Outage({
      clock: { monotonic: () => Date.now() },
      tell: ({ connected }) => said.push(connected ? 'back' : 'away'),
      say: (text) => said.push(text),
    });
  });
  afterEach(() => {
    outage.stop();
    time.uninstall();
  });

  const note = (connected: boolean, isShown = true): void =>
    outage.note({ event: 'server', connected, name: 'ac\u001b[2Jme' }, isShown);

  it('that is short is told in one line, when it is over', async () => {
    note(false);
    assert.equal(outage.isAway, true);
    await time.tickAsync(12_400);
    assert.deepEqual(said, []);
    note(true);
    assert.equal(outage.isAway, false);
    await time.tickAsync(60_000);
    assert.deepEqual(said, ['The server acme was away for 12 seconds and is back.']);
    note(false);
    await time.tickAsync(300);
    note(true);
    assert.equal(said[1], 'The server acme was away for 1 second and is back.');
  });

  it('that is long is told while it lasts, and when it is over', async () => {
    note(false);
    await time.tickAsync(20_000);
    assert.deepEqual(said, ['away']);
    await time.tickAsync(60_000);
    note(true);
    assert.deepEqual(said, ['away', 'back']);
  });

  it('is told at once where nothing else shows it', () => {
    note(false, false);
    note(true, false);
    assert.deepEqual(said, ['away', 'back']);
  });

  it('is one, however often it is told of', async () => {
    note(false);
    await time.tickAsync(6_000);
    note(false);
    await time.tickAsync(4_000);
    note(true);
    assert.deepEqual(said, ['The server acme was away for 10 seconds and is back.']);
    note(true);
    assert.equal(said[1], 'back');
  });

  it('is forgotten by whoever logs out', async () => {
    note(false);
    outage.restart(undefined, true);
    assert.equal(outage.isAway, false);
    await time.tickAsync(60_000);
    assert.deepEqual(said, []);
    outage.restart({ name: 'acme', connected: true }, true);
    assert.equal(outage.isAway, false);
    outage.restart({ name: 'acme', connected: false }, true);
    assert.equal(outage.isAway, true);
    note(true);
    assert.deepEqual(said, ['The server acme was away for 1 second and is back.']);
  });

  it('is not told of any more after the end', async () => {
    note(false);
    outage.stop();
    await time.tickAsync(60_000);
    assert.deepEqual(said, []);
  });
});

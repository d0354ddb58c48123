import assert from 'node:assert/strict';
import { Pace } from '../../../lib/node/client/search-pace.ts';
import { FakeTime } from '../../support/time.ts';

describe('the pace of indexing', () => {
  let time: FakeTime;
  let pace: Pace;
  let load: number;
  beforeEach(() => {
    time = new FakeTime();
    load = 0;
    pace = new Pace(() => load);
  });
  afterEach(() => time.restore());

  /** Milliseconds that a rest takes. */
  const restOf = async (): Promise<number> => {
    const begun = time.passed;
    await time.until(pace.stretches().rest());
    return time.passed - begun;
  };

  it('asks for a rest after a stretch of work', async () => {
    const stretches = pace.stretches();
    assert.ok(!stretches.isDue);
    await time.pass(4);
    assert.ok(!stretches.isDue);
    await time.pass(1);
    assert.ok(stretches.isDue);
    await time.until(stretches.rest());
    assert.ok(!stretches.isDue);
    await time.pass(5);
    assert.ok(stretches.isDue);
  });

  it('rests as long as it works, and much longer while batches come in', async () => {
    assert.equal(await restOf(), 5);
    pace.busy();
    assert.equal(await restOf(), 45);
    await time.pass(250);
    assert.equal(await restOf(), 5);
  });

  it('rests longest where there is no time left for it, while batches come in', async () => {
    load = 0.9;
    assert.equal(await restOf(), 5);
    pace.busy();
    assert.equal(await restOf(), 10_000);
    assert.equal(await restOf(), 5);
  });

  it('looks at how busy its thread is', async () => {
    time.restore();
    const own = new Pace();
    own.busy();
    const begun = performance.now();
    while (performance.now() - begun < 60);
    own.busy();
    const resting = own.stretches().rest();
    const isLong = await Promise.race([
      resting.then(() => false),
      new Promise((resolve) => setTimeout(() => resolve(true), 200)),
    ]);
    assert.equal(isLong, true);
    own.stop();
    await resting;
  });

  it('hardly rests while somebody waits', async () => {
    pace.busy();
    let done = (): void => undefined;
    const waiting = pace.hurry(() => new Promise<void>((resolve) => (done = resolve)));
    assert.ok((await restOf()) <= 1);
    const other = pace.hurry(() => Promise.resolve(7));
    assert.equal(await other, 7);
    assert.ok((await restOf()) <= 1, 'one of two waits still');
    done();
    await waiting;
    assert.equal(await restOf(), 45);
  });

  it('ends a rest as soon as somebody waits', async () => {
    pace.busy();
    const resting = pace.stretches().rest();
    await time.pass(1);
    await pace
      .hurry(() => Promise.reject(new Error('whatever comes of it')))
      .catch(() => undefined);
    await resting;
    assert.ok(time.passed < 5);
  });

  it('rests no more once it is stopped', async () => {
    const resting = pace.stretches().rest();
    pace.stop();
    await resting;
    assert.ok((await restOf()) <= 1);
    assert.ok(time.passed < 5);
  });
});

import assert from 'node:assert/strict';
import { install, type Clock as FakeClock } from '@sinonjs/fake-timers';
import { ClchatError, codeOf } from '../lib/errors.ts';
import {
  deadline,
  Gather,
  inParallel,
  Lifecycle,
  sleep,
  startAll,
  STOP_STEP_MS,
  systemClock,
  until,
  waitBefore,
  within,
} from '../lib/lifecycle.ts';

describe('a lifecycle', () => {
  it('stops in reverse, each step with the reason', async () => {
    const lifecycle = new Lifecycle();
    const done: string[] = [];
    lifecycle.add('a', (reason) => void done.push(`a ${reason}`));
    const value = await lifecycle.start(
      'b',
      async () => 7,
      (started, reason) => void done.push(`b ${started} ${reason}`),
    );
    assert.equal(value, 7);
    assert.equal(lifecycle.stopping, false);
    assert.equal(lifecycle.signal.aborted, false);
    const reports = lifecycle.stop('enough');
    assert.equal(lifecycle.stopping, true);
    assert.equal(lifecycle.signal.aborted, true);
    assert.deepEqual(await reports, []);
    assert.deepEqual(done, ['b 7 enough', 'a enough']);
  });

  it('stops once, however often it is asked', async () => {
    const lifecycle = new Lifecycle();
    let times = 0;
    lifecycle.add('a', async () => {
      await sleep(5);
      times++;
    });
    const [one, two] = [lifecycle.stop(), lifecycle.stop()];
    assert.equal(one, two);
    await Promise.all([one, two, lifecycle.stop()]);
    assert.equal(times, 1);
  });

  it('goes on past a step that fails, and reports it', async () => {
    const lifecycle = new Lifecycle();
    const done: string[] = [];
    const [first, second] = [new Error('first'), new Error('second')];
    lifecycle.add('a', () => void done.push('a'));
    lifecycle.add('b', () => {
      throw first;
    });
    lifecycle.add('c', () => Promise.reject(second));
    assert.deepEqual(await lifecycle.stop(), [
      { step: 'c', error: second },
      { step: 'b', error: first },
    ]);
    assert.deepEqual(done, ['a']);
  });

  it('goes on past a step that hangs', async () => {
    const time = install({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const lifecycle = new Lifecycle();
      let done = false;
      lifecycle.add('a', () => void (done = true));
      lifecycle.add('b', () => new Promise(() => undefined));
      const stopped = lifecycle.stop();
      await time.tickAsync(STOP_STEP_MS - 1);
      assert.equal(done, false);
      await time.tickAsync(1);
      const [report] = await stopped;
      assert.deepEqual([report?.step, codeOf(report?.error), done], ['b', 'TIMEOUT', true]);
    } finally {
      time.uninstall();
    }
  });

  it('starts nothing more once it stops, and undoes what was about to start', async () => {
    const lifecycle = new Lifecycle();
    let go = (): void => undefined;
    const ready = new Promise<void>((resolve) => (go = resolve));
    const undone: string[] = [];
    const starting = lifecycle.start(
      'slow',
      async () => {
        await ready;
        return 'value';
      },
      (value, reason) => void undone.push(`${value} ${reason}`),
    );
    const stopped = lifecycle.stop();
    go();
    await assert.rejects(starting, { code: 'CLOSED' });
    await stopped;
    assert.deepEqual(undone, ['value stopping']);
    assert.throws(() => lifecycle.add('late', () => undefined), { code: 'CLOSED' });
  });

  it('that cannot be started as a whole stops what had been started', async () => {
    const done: string[] = [];
    const failure = new ClchatError('PORT_IN_USE');
    const started = startAll(async (lifecycle) => {
      await lifecycle.start(
        'a',
        () => 'a',
        (value, reason) => void done.push(`${value} ${reason}`),
      );
      throw failure;
    });
    await assert.rejects(started, failure);
    assert.deepEqual(done, ['a start failed']);
    assert.equal(await startAll(async () => 5), 5);
  });
});

describe('waiting', () => {
  let time: FakeClock;
  beforeEach(() => (time = install({ toFake: ['setTimeout', 'clearTimeout'] })));
  afterEach(() => time.uninstall());

  it('is bounded by within', async () => {
    const never = within(100, new Promise(() => undefined), 'something');
    const told = assert.rejects(never, {
      code: 'TIMEOUT',
      message: /something took longer than 100/,
    });
    await time.tickAsync(100);
    await told;
    assert.equal(await within(100, Promise.resolve(3), 'x'), 3);
    await assert.rejects(within(100, Promise.reject(new Error('own')), 'x'), /own/);
    assert.equal(time.countTimers(), 0);
  });

  it('sleeps until the time, or until it is aborted', async () => {
    const done: string[] = [];
    const controller = new AbortController();
    void sleep(100).then(() => done.push('long'));
    void sleep(100, controller.signal).then(() => done.push('aborted'));
    await time.tickAsync(50);
    controller.abort();
    await time.tickAsync(0);
    assert.deepEqual(done, ['aborted']);
    await sleep(100, controller.signal);
    await time.tickAsync(50);
    assert.deepEqual(done, ['aborted', 'long']);
    assert.equal(time.countTimers(), 0);
  });

  it('waits until something is so, though not for ever', async () => {
    let looked = 0;
    assert.equal(await until(100, () => true), true);
    const soon = until(100, async () => ++looked > 3);
    await time.tickAsync(100);
    assert.equal(await soon, true);
    const never = until(100, () => false);
    await time.tickAsync(200);
    assert.equal(await never, false);
    assert.equal(time.countTimers(), 0);
  });

  it('lasts longer from attempt to attempt, and then as long as the last', () => {
    const waits = [100, 300, 1_000];
    assert.deepEqual(
      [0, 1, 2, 3, 50].map((attempt) => waitBefore(attempt, waits)),
      [100, 300, 1_000, 1_000, 1_000],
    );
    assert.equal(waitBefore(3, []), 0);
  });

  it('has deadlines that any of several signals may bring forward', async () => {
    const alone = deadline(100);
    await time.tickAsync(99);
    assert.equal(alone.aborted, false);
    await time.tickAsync(1);
    assert.equal(codeOf(alone.reason), 'TIMEOUT');
    const controller = new AbortController();
    const both = deadline(100, controller.signal);
    const reason = new Error('enough');
    controller.abort(reason);
    assert.equal(both.reason, reason);
  });
});

describe('the clock of the system', () => {
  it('tells the time of day, and one that never steps back', async () => {
    assert.ok(Math.abs(systemClock.now() - Date.now()) < 1_000);
    const before = systemClock.monotonic();
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.ok(systemClock.monotonic() > before);
  });
});

describe('gathering', () => {
  let clock: FakeClock;
  let runs: number[];
  let gather: Gather;
  beforeEach(() => {
    clock = install();
    runs = [];
    gather = new Gather(() => runs.push(clock.now), 20, 200);
  });
  afterEach(() => clock.uninstall());

  it('runs soon for the first, once for all that ask meanwhile', () => {
    gather.ask();
    clock.tick(5);
    gather.ask();
    clock.tick(1_000);
    assert.deepEqual(runs, [20]);
    gather.ask();
    clock.tick(1_000);
    assert.deepEqual(runs, [20, 1_025]);
  });

  it('keeps runs apart while it is asked all the time', () => {
    for (let n = 0; n < 100; n++) {
      gather.ask();
      clock.tick(10);
    }
    assert.deepEqual(runs, [20, 220, 420, 620, 820]);
  });

  it('does not forget who asked last', () => {
    gather.ask();
    clock.tick(30);
    gather.ask();
    clock.tick(1_000);
    assert.deepEqual(runs, [20, 220]);
  });

  it('gives up what was asked for when it is stopped, and can go on', () => {
    gather.ask();
    gather.stop();
    clock.tick(1_000);
    assert.deepEqual(runs, []);
    gather.ask();
    clock.tick(30);
    gather.ask();
    gather.stop();
    clock.tick(1_000);
    assert.deepEqual(runs, [1_020]);
    gather.ask();
    clock.tick(20);
    assert.equal(runs.length, 2);
  });
});

describe('many runs in parallel', () => {
  it('are begun in order, and so many at the same time', async () => {
    const begun: number[] = [];
    let now = 0;
    let most = 0;
    await inParallel([5, 1, 4, 2, 3], 2, async (one) => {
      begun.push(one);
      most = Math.max(most, ++now);
      await sleep(one);
      now--;
    });
    assert.deepEqual(begun, [5, 1, 4, 2, 3]);
    assert.equal(most, 2);
    await inParallel([], 2, () => assert.fail('there is nothing to run'));
  });

  it('fail with the first that fails', async () => {
    const run = async (one: number): Promise<void> => {
      if (one === 2) throw new Error('two');
    };
    await assert.rejects(inParallel([1, 2, 3], 2, run), { message: 'two' });
  });
});

import assert from 'node:assert/strict';
import { EXIT } from '../../lib/errors.ts';
import { Departure, type DepartureOptions } from '../../lib/ui/departure.ts';
import type { Ending } from '../../lib/ui/runner.ts';
import { turns } from '../support/channels.ts';
import { FakeApp } from '../support/fake-app.ts';
import { FakePrompt } from '../support/line-mode.ts';

const QUIT: Ending = { reason: 'quit', status: EXIT.fine };

describe('the end of a front end', () => {
  let prompt: FakePrompt;
  let app: FakeApp;
  let isOver: boolean;
  let completed: Promise<Ending>;

  const open = (options: Partial<DepartureOptions> = {}, served = 0): Departure => {
    isOver = false;
    prompt = new FakePrompt(true);
    app = new FakeApp({ user: 'alice' });
    const status = app.status.bind(app);
    app.status = () => ({ ...status(), served });
    const departure = new Departure({
      app,
      prompt,
      unattended: false,
      headless: false,
      idle: () => Promise.resolve(),
      ...options,
    });
    completed = departure.complete();
    void completed.then(() => (isOver = true));
    return departure;
  };

  it('comes when it is decided, after what is under way', async () => {
    let finish: () => void = () => undefined;
    const departure = open({ idle: () => new Promise((resolve) => (finish = resolve)) });
    void departure.leave(QUIT);
    await turns();
    assert.deepEqual([departure.isDecided, isOver, app.settled], [true, false, 0]);
    finish();
    assert.deepEqual(await completed, QUIT);
    assert.equal(app.settled, 1);
  });

  it('waits for a word where it takes a server away from others', async () => {
    const departure = open({}, 2);
    prompt.answers.push(false, true);
    await departure.leave(QUIT);
    assert.equal(departure.isDecided, false);
    await departure.leave(QUIT);
    assert.equal(departure.isDecided, true);
    assert.deepEqual(prompt.lines, Array(2).fill('2 people are online; end the server?'));
  });

  it('asks nobody where nobody is, and takes no answer for a yes', async () => {
    await open({ unattended: true }, 1).leave(QUIT);
    assert.deepEqual(prompt.lines, []);
    const departure = open({}, 1);
    await departure.leave(QUIT);
    assert.equal(departure.isDecided, true);
    assert.deepEqual(prompt.lines, ['1 person is online; end the server?']);
  });

  it('is that of the input, unless it is to go on without', async () => {
    const headless = open({ headless: true });
    headless.stop('end');
    assert.equal(headless.isDecided, false);
    const departure = open();
    departure.stop('end');
    assert.deepEqual(await completed, { reason: 'end', status: EXIT.fine });
    const unanswered = open();
    unanswered.stop('unanswered');
    assert.deepEqual(await completed, { reason: 'end', status: EXIT.failed });
  });

  it('comes at once by a second interrupt', async () => {
    const departure = open({ idle: () => new Promise(() => undefined) });
    departure.stop('interrupt');
    await turns();
    assert.equal(isOver, false);
    assert.deepEqual(prompt.done, ['break off']);
    departure.stop('interrupt');
    const ending = await completed;
    assert.deepEqual(ending, { reason: 'interrupt', status: EXIT.interrupted });
    assert.equal(app.settled, 0);
  });
});

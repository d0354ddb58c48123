import assert from 'node:assert/strict';
import { Attention } from '../../lib/ui/attention.ts';
import { TestClock } from '../support/community.ts';
import { FakeApp } from '../support/fake-app.ts';

describe('attention', () => {
  const clock = new TestClock();
  let app: FakeApp;
  const open = (attended: boolean): Attention => {
    app = new FakeApp({ user: 'alice' });
    return new Attention({ app, clock, attended });
  };

  it('sees what is shown while a person is at the keyboard, and from when one is back', () => {
    const attention = open(true);
    attention.shown();
    assert.equal(app.sights, 1, 'whoever has started the program is there');
    clock.pass(119_000);
    attention.shown();
    assert.equal(app.sights, 2);
    clock.pass(1_000);
    attention.shown();
    assert.equal(app.sights, 2, 'nobody has pressed a key for two minutes');
    attention.touch();
    assert.equal(app.sights, 3);
    attention.shown();
    assert.equal(app.sights, 4);
  });

  it('tells of keys once a second', () => {
    const attention = open(true);
    for (let key = 0; key < 10; key++) attention.touch();
    assert.deepEqual([app.touches, app.sights], [1, 1]);
    clock.pass(1_000);
    attention.touch();
    assert.deepEqual([app.touches, app.sights], [2, 2]);
  });

  it('is nobody’s where no person can be', () => {
    const attention = open(false);
    attention.shown();
    attention.touch();
    assert.deepEqual([app.touches, app.sights], [1, 0]);
  });
});

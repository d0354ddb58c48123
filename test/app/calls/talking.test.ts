import assert from 'node:assert/strict';
import { Talking } from '../../../lib/app/calls/talking.ts';
import { FakeTime } from '../../support/time.ts';

describe('who talks', () => {
  let time: FakeTime;
  let told: string[];
  let talking: Talking;

  beforeEach(() => {
    time = new FakeTime();
    told = [];
    talking = new Talking((user, isTalking) => told.push(`${user} ${isTalking ? 'on' : 'off'}`));
  });
  afterEach(() => {
    talking.stop();
    time.restore();
  });

  it('is told at once, and once', () => {
    talking.note('bob', true);
    talking.note('bob', true);
    talking.note('carol', false);
    assert.deepEqual(told, ['bob on']);
  });

  it('is told four times a second at most of each, whatever is heard', async () => {
    for (let passed = 0; passed < 10_000; passed += 10) {
      talking.note('bob', (passed / 10) % 2 === 0);
      talking.note('carol', (passed / 10) % 2 === 1);
      await time.pass(10);
    }
    const of = (user: string): number => told.filter((one) => one.startsWith(user)).length;
    assert.ok(of('bob') <= 41 && of('bob') >= 10, `${of('bob')}`);
    assert.ok(of('carol') <= 41 && of('carol') >= 10, `${of('carol')}`);
  });

  it('is as it was heard last, in the end', async () => {
    talking.note('bob', true);
    talking.note('bob', false);
    assert.deepEqual(told, ['bob on']);
    await time.pass(250);
    assert.deepEqual(told, ['bob on', 'bob off']);
    talking.note('bob', true);
    talking.note('bob', false);
    await time.pass(1_000);
    assert.deepEqual(told, ['bob on', 'bob off']);
  });

  it('is told not to talk any more when they leave, and again when they are back', async () => {
    talking.note('bob', true);
    talking.gone('bob');
    talking.gone('carol');
    await time.pass(250);
    assert.deepEqual(told, ['bob on', 'bob off']);
    await time.pass(1_000);
    talking.note('bob', true);
    assert.deepEqual(told.splice(0), ['bob on', 'bob off', 'bob on']);
    // However often they come and go.
    for (let passed = 0; passed < 10_000; passed += 10) {
      talking.note('bob', true);
      talking.gone('bob');
      await time.pass(10);
    }
    assert.ok(told.length <= 41, `${told.length}`);
  });

  it('is nobody where those who hear them begin anew', async () => {
    for (const user of ['bob', 'carol']) talking.note(user, true);
    await time.pass(250);
    talking.reset();
    assert.deepEqual(told.splice(0), ['bob on', 'carol on', 'bob off', 'carol off']);
    await time.pass(250);
    talking.note('bob', true);
    assert.deepEqual(told, ['bob on']);
  });

  it('is told no more when it is over', async () => {
    talking.note('bob', true);
    talking.note('bob', false);
    talking.stop();
    await time.pass(1_000);
    assert.deepEqual(told, ['bob on']);
    talking.note('bob', true);
    assert.deepEqual(told, ['bob on', 'bob on']);
  });
});

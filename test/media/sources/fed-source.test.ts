import assert from 'node:assert/strict';
import { noDevice } from '../../../lib/media/devices/refusals.ts';
import { FedSource } from '../../../lib/media/sources/fed-source.ts';
import { FakeTime } from '../../support/time.ts';

describe('a source that is fed', () => {
  let time: FakeTime;
  let released = 0;
  const make = (): FedSource<number> => {
    released = 0;
    const release = async (): Promise<void> => void released++;
    return new FedSource({ label: 'it', most: 2, release, stallMs: 1_000 });
  };
  beforeEach(() => (time = new FakeTime()));
  afterEach(() => time.restore());

  it('has begun with its first frame', async () => {
    const source = make();
    const begun = source.begun(500, 'too late');
    source.give(1);
    assert.equal(await begun, source);
    await source.close();
    await source.close();
    assert.equal(released, 1);
  });

  it('is closed when there is none in time, and when it fails before', async () => {
    const late = make();
    await assert.rejects(time.until(late.begun(500, 'too late')), {
      code: 'NO_DEVICE',
      message: 'too late',
    });
    assert.deepEqual([time.passed, released], [500, 1]);
    const failed = make();
    const begun = failed.begun(500, 'too late');
    failed.fail(noDevice('gone'));
    await assert.rejects(begun, { code: 'NO_DEVICE', message: 'gone' });
    assert.equal(released, 1);
  });

  it('ends when it gets nothing for too long, and gives the device back', async () => {
    const source = make();
    source.give(1);
    await time.pass(900);
    source.give(2);
    await time.pass(900);
    const frames: number[] = [];
    const reading = (async () => {
      for await (const frame of source.frames()) frames.push(frame);
    })();
    const ended = assert.rejects(reading, {
      code: 'NO_DEVICE',
      message: 'it gives nothing any more.',
    });
    await time.pass(200);
    await ended;
    assert.deepEqual([frames, released], [[1, 2], 1]);
    source.give(3);
    await source.close();
    assert.equal(released, 1);
  });
});

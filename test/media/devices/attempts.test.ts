import assert from 'node:assert/strict';
import { ClchatError } from '../../../lib/errors.ts';
import { firstToOpen } from '../../../lib/media/devices/attempts.ts';
import { noDevice } from '../../../lib/media/devices/refusals.ts';
import { FakeTime } from '../../support/time.ts';
import { sleep } from '../../../lib/lifecycle.ts';

describe('several ways to open something', () => {
  let time: FakeTime;
  beforeEach(() => (time = new FakeTime()));
  afterEach(() => time.restore());

  it('are tried in their order, until one works', async () => {
    const tried: string[] = [];
    const way = (name: string, works: boolean) => async (): Promise<string> => {
      tried.push(name);
      if (!works) throw noDevice(name);
      return name;
    };
    const ways = [way('a', false), way('b', true), way('c', true)];
    assert.equal(await firstToOpen(ways), 'b');
    assert.deepEqual(tried, ['a', 'b']);
    await assert.rejects(firstToOpen([way('d', false), way('e', false)]), { message: 'd' });
    await assert.rejects(firstToOpen([]), { code: 'NO_DEVICE' });
  });

  it('share the time that there is', async () => {
    const given: number[] = [];
    const way = async (milliseconds: number): Promise<never> => {
      given.push(milliseconds);
      await sleep(2_000);
      throw noDevice('slow');
    };
    await assert.rejects(time.until(firstToOpen([way, way, way, way], 5_000)), { message: 'slow' });
    assert.deepEqual(given, [5_000, 3_000, 1_000]);
  });

  it('are of no use where something else is wrong', async () => {
    const wrong = async (): Promise<never> => {
      throw new ClchatError('DISK_FULL');
    };
    await assert.rejects(firstToOpen([wrong, async () => 1]), { code: 'DISK_FULL' });
  });
});

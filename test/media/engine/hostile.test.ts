/** What comes from the helper process of somebody who means no good. */
import assert from 'node:assert/strict';
import { LARGEST } from '../../../lib/media/frames.ts';
import { Link, MediaSide } from '../../support/media-sides.ts';

/** What several pictures of 8K take that are nearly empty. */
const SEVERAL_BYTES = 100_000;
const SMALL = { width: 160, height: 96, fps: 15 };

describe('a helper process', function () {
  this.timeout(120_000);
  let mallory: MediaSide;
  let bob: MediaSide;

  before(async () => {
    [mallory, bob] = await Promise.all([MediaSide.start('hostile-engine'), MediaSide.start()]);
    await mallory.use('camera', 'test');
    const link = new Link({ side: mallory, name: 'mallory' }, { side: bob, name: 'bob' });
    await link.connected();
    bob.media.order({ order: 'show', peer: 'mallory', kind: 'camera', shown: true });
  });
  after(() => Promise.all([mallory?.stop(), bob?.stop()]));

  /** Pictures as they should be come again. */
  const comesRight = async (): Promise<void> => {
    mallory.send('bob', { camera: SMALL });
    await bob.finds('mallory', 'pictures as they should be', ({ camera }) => {
      return camera?.width === SMALL.width && camera.frameNumber !== undefined && camera.fps > 5;
    });
  };

  it('goes on where each picture has another size than the one before', async () => {
    await comesRight();
    bob.sizes.clear();
    const { framesDecoded } = (await bob.statsOf('mallory')).camera!;
    mallory.send('bob', { camera: { width: 320, height: 240, fps: 30 } });
    await bob.finds('mallory', 'pictures of all sizes', ({ camera }) => {
      return bob.sizes.size > 20 && camera!.framesDecoded > framesDecoded + 60;
    });
    await comesRight();
  });

  it('shows nothing that is larger than any screen, and goes on', async () => {
    await comesRight();
    const { receivedBytes } = await bob.statsOf('mallory');
    mallory.send('bob', { camera: { width: 640, height: 480, fps: 2 } });
    await bob.finds('mallory', 'several that are too large', (now) => {
      return now.receivedBytes > receivedBytes + SEVERAL_BYTES;
    });
    await bob.finds('mallory', 'nothing that could be shown', ({ camera }) => camera === undefined);
    for (const size of bob.sizes) {
      const [width = 0, height = 0] = size.split('x').map(Number);
      assert.ok(width <= LARGEST.width && height <= LARGEST.height, size);
    }
    await comesRight();
  });
});

import { openNull } from '../../../lib/media/sinks/null.ts';
import type { Sound, VideoFrame } from '../../../lib/media/frames.ts';
import { describeSink, tone } from '../../support/media-sink-contract.ts';

describeSink<Sound>('nothing, for sound', async () => openNull(), tone);
describeSink<VideoFrame>(
  'nothing, for pictures',
  async () => openNull(),
  () => ({
    width: 2,
    height: 2,
    data: new Uint8Array(6),
    time: 0,
  }),
);

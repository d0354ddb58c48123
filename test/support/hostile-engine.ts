/**
 * The helper process of somebody who sends what nobody has asked for. Asked for pictures that are 320
 * wide it sends each in another size, and for 640 such of 8K; else what is asked for.
 */
import { Connection, type PictureKind } from '../../lib/media/engine/connection.ts';
import type { VideoFrame } from '../../lib/media/frames.ts';

const { prototype } = Connection;
// It is called as a method again.
// eslint-disable-next-line @typescript-eslint/unbound-method
const send = prototype.sendPicture;
let number = 0;

function grey(width: number, height: number, time: number): VideoFrame {
  const data = new Uint8Array((width * height * 3) / 2).fill(128);
  data.fill((number * 16) % 256, 0, width * 16);
  return { width, height, data, time };
}

prototype.sendPicture = function (kind: PictureKind, frame: VideoFrame): void {
  number += 1;
  const { width, time } = frame;
  const [wide, high] = [16 + ((number * 46) % 600), 16 + ((number * 34) % 400)];
  if (width === 320) send.call(this, kind, grey(wide, high, time));
  else if (width === 640) send.call(this, kind, grey(7_680, 4_320, time));
  else send.call(this, kind, frame);
};

await import('../../lib/media/engine/engine-child.ts');

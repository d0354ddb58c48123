/** A program with a helper process for calls, of which it tells the number, and that is then killed. */
import { MediaProcess } from '../../lib/media/media-process.ts';

const media = await MediaProcess.start({
  onEvent: () => undefined,
  onGone: () => undefined,
  onNote: () => undefined,
});
process.stdout.write(`${media.pid}\n`);

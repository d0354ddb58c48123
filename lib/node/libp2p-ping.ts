/** The ping protocol of libp2p: sends back what comes. */
import type { Stream } from '@libp2p/interface';
import { ClchatError } from '../errors.ts';

export const PING_PROTOCOL = '/ipfs/ping/1.0.0';
/** How long one may be pinged over a stream, in milliseconds. */
const PING_MS = 10_000;

/** libp2p's own keeps all that comes while the peer does not read, without bound. */
export function answerPing(stream: Stream): void {
  const timer = setTimeout(() => stream.abort(new ClchatError('TIMEOUT')), PING_MS);
  timer.unref();
  stream.addEventListener('message', ({ data }) => {
    if (stream.status === 'open' && !stream.send(data)) stream.pause();
  });
  stream.addEventListener('drain', () => {
    if (stream.readStatus === 'paused') stream.resume();
  });
  stream.addEventListener('end', () => void stream.close().catch(() => undefined));
  stream.addEventListener('close', () => clearTimeout(timer));
}

/** Where pictures and sound go that nobody is to see or hear. */
import type { Sink } from '../streams.ts';

export function openNull<Frame>(): Sink<Frame> {
  return {
    label: 'nothing',
    write: () => undefined,
    onEnd: () => undefined,
    close: async () => undefined,
  };
}

/** What a conversation says of a call that is over. */
import type { CallBody } from '../crdt/bodies.ts';

function some(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? '' : 's'}`;
}

/** How long something took, to the minute, or to the second where it was less than one. */
function durationText(seconds: number): string {
  if (seconds < 60) return some(seconds, 'second');
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  if (hours === 0) return some(minutes, 'minute');
  return rest === 0 ? some(hours, 'hour') : `${some(hours, 'hour')} ${some(rest, 'minute')}`;
}

/** Such as `Missed call`, `Call, 12 minutes` or `Call of 4 people, 1 hour`. */
export function callText({ outcome, caller, seconds, people }: CallBody): string {
  if (outcome === 'missed') return 'Missed call';
  const what = caller === undefined ? `Call of ${people} people` : 'Call';
  return `${what}, ${durationText(seconds)}`;
}

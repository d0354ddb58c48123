/** What rings the bell of a terminal: what is meant for this person alone, or waits for an answer. */
import type { AppEvent } from '../app/types.ts';

/** Whether an event rings it, where the person wants that at all. */
export function ringsBell(event: AppEvent): boolean {
  switch (event.event) {
    case 'message':
      return !event.mine && (event.to !== undefined || event.mention === true);
    case 'private-message':
    case 'private-request':
    case 'ring':
    case 'missed-call':
      return true;
    default:
      return false;
  }
}

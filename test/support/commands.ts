/** What handlers of commands are given, where nothing depends on it. */
import type { HandlerContext } from '../../lib/app/handling.ts';
import { Situation } from '../../lib/app/situation.ts';
import type { Client } from '../../lib/node/client/client.ts';

export function contextOf(client: Client): HandlerContext {
  return {
    client,
    now: Date.now,
    ask: undefined,
    situation: new Situation(),
    tell: () => undefined,
  };
}

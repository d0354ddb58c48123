/** What handlers of commands are given, where nothing depends on it; and what they may answer. */
import type { HandlerContext } from '../../lib/app/handling.ts';
import { Situation } from '../../lib/app/situation.ts';
import type { ErrorCode } from '../../lib/errors.ts';
import type { Client } from '../../lib/node/client/client.ts';
import { commandOf } from '../../lib/ui/commands.ts';
import { errorsOf } from '../../lib/ui/help.ts';

export function contextOf(client: Client): HandlerContext {
  return {
    client,
    now: Date.now,
    ask: undefined,
    situation: new Situation(),
    tell: () => undefined,
  };
}

/** What any command can give, for no reason of its own. */
const ANY: ReadonlySet<string> = new Set<ErrorCode>(['INTERNAL', 'DISK_FULL', 'DATA_READ_ONLY']);

/** What else goes with NETWORK. */
const CUT_OFF: ReadonlySet<string> = new Set<ErrorCode>(['CLOSED', 'TIMEOUT']);

/** Whether the table has it that a command can be refused by a code. */
export function mayGive(name: string, code: string): boolean {
  const command = commandOf(name);
  if (command === undefined) return code === 'USAGE';
  const errors: readonly string[] = errorsOf(command);
  return (
    ANY.has(code) || errors.includes(code) || (CUT_OFF.has(code) && errors.includes('NETWORK'))
  );
}

/** What handlers of commands are given, where nothing depends on it; and what they may answer. */
import { AppCalls } from '../../lib/app/calls/app-calls.ts';
import type { HandlerContext } from '../../lib/app/handling.ts';
import { Situation } from '../../lib/app/situation.ts';
import { SILENT } from '../../lib/log.ts';
import type { ErrorCode } from '../../lib/errors.ts';
import type { Client } from '../../lib/node/client/client.ts';
import { commandOf } from '../../lib/ui/commands.ts';
import { errorsOf } from '../../lib/ui/help.ts';

export function contextOf(client: Client): HandlerContext {
  const situation = new Situation();
  const tell = (): void => undefined;
  return {
    client,
    now: Date.now,
    ask: undefined,
    situation,
    calls: new AppCalls({
      names: {},
      size: undefined,
      log: SILENT,
      tell,
      client: () => client,
      situation,
      ports: () => [],
    }),
    tell,
  };
}

/** What any line can give, for no reason of the command's own. */
const ANY: ReadonlySet<string> = new Set<ErrorCode>([
  'USAGE',
  'TOO_LARGE',
  'CLOSED',
  'INTERNAL',
  'DISK_FULL',
  'DATA_READ_ONLY',
]);

/** Whether the table has it that a command can be refused by a code. */
export function mayGive(name: string, code: string): boolean {
  const command = commandOf(name);
  if (command === undefined) return ANY.has(code);
  const errors: readonly string[] = errorsOf(command);
  const isLate = code === 'TIMEOUT' && errors.includes('NETWORK');
  return ANY.has(code) || isLate || errors.includes(code);
}

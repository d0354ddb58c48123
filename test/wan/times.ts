/** What was measured in an internet, for those who want to know: `docs/network.md` is made of it. */
import { appendFileSync } from 'node:fs';

/** Notes a line of JSON in the file that `CLCHAT_TIMES` names, where it does. */
export function noteTime(what: string, milliseconds: number): void {
  const file = process.env['CLCHAT_TIMES'];
  const line = JSON.stringify({ what, milliseconds: Math.round(milliseconds) });
  if (file !== undefined) appendFileSync(file, `${line}\n`);
}

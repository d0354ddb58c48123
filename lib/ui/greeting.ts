/** The first line of line mode: who and where one is, and what comes next. */
import type { AppStatus } from '../app/types.ts';
import { clean } from '../text.ts';

/** @param inChat lines are said, and commands begin with a slash */
export function greeting({ mode, user, server, conversation }: AppStatus, inChat: boolean): string {
  const where = server === undefined ? '' : ` on ${clean(server.name)}`;
  const who = user === undefined ? 'You are not logged in' : `You are ${clean(user)}${where}`;
  const place = inChat && conversation !== undefined ? `, in ${clean(conversation)}` : '';
  const ways =
    mode === 'shell'
      ? ' "connect IP:PORT" or "connect NAME" joins a server, "server NAME IP:PORT" starts one.'
      : '';
  return `${who}${place}.${ways} "${inChat ? '/' : ''}help" lists the commands.`;
}

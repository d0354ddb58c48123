/** Texts of contacts: results of commands, and what others do. */
import type { AppEvent, ResultData } from '../app/types.ts';
import { clean } from '../text.ts';
import { done, unreadText } from './format-content.ts';
import { inList, record, records, words } from './style.ts';

type ContactEvent = Extract<AppEvent, { readonly event: 'request' | 'contact' | 'unfriend' }>;

/** One sentence, safe to print. */
export function contactEventText(event: ContactEvent): string {
  const user = clean(event.user);
  switch (event.event) {
    case 'contact':
      return `${user} is a contact now.`;
    case 'unfriend':
      return `${user} is no contact any more.`;
    case 'request': {
      const isIncoming = event.direction === 'incoming';
      if (event.state === 'pending')
        return isIncoming
          ? `${user} asks to be a contact: /accept ${user} or /reject ${user}.`
          : `${user} has been asked to be a contact.`;
      if (event.state === 'rejected')
        return isIncoming
          ? `The request of ${user} is rejected.`
          : `${user} has rejected your request.`;
      return isIncoming
        ? `${user} has withdrawn the request.`
        : `Your request to ${user} is withdrawn.`;
    }
    default:
      return event satisfies never;
  }
}

/** Contacts, each with what of their talk is unread. */
function contactsText(data: ResultData): string {
  const unread = new Map(records(data['unread']).map((one) => [one['to'], unreadText(one)]));
  const show = inList(data['displays']);
  const lines = words(data['contacts']).map((user) =>
    unread.has(user) ? `${show(user)}  ${unread.get(user)}` : show(user),
  );
  return lines.join('\n') || 'No contacts yet. Ask somebody with "/request USER".';
}

/** The text of a result; undefined for a command that is not of contacts. */
export function contactResultText(name: string, data: ResultData): string | undefined {
  const user = typeof data['user'] === 'string' ? clean(data['user']) : '';
  switch (name) {
    case 'request':
      if (data['state'] === 'queued')
        return `${user} is asked as soon as the server is back: it is away.`;
      return data['state'] === 'accepted'
        ? `${user} is a contact now.`
        : `${user} has been asked. You are told of the answer.`;
    case 'accept':
      return done(`${user} is a contact now.`, data);
    case 'reject':
      return done(`The request of ${user} is rejected.`, data);
    case 'cancel':
      return done(`Your request to ${user} is withdrawn.`, data);
    case 'unfriend':
      return done(`${user} is no contact any more.`, data);
    case 'contacts':
      return contactsText(data);
    case 'requests': {
      const { incoming, outgoing } = record(data['requests']);
      const lines = [
        ...words(incoming).map((one) => `from ${one}`),
        ...words(outgoing).map((one) => `to ${one}`),
      ];
      return lines.join('\n') || 'No requests.';
    }
    default:
      return undefined;
  }
}

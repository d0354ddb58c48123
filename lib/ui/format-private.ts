/** Texts of private sessions: results of commands, and what others do. */
import type { AppEvent, ResultData } from '../app/types.ts';
import { clean } from '../text.ts';
import { body } from './format-message.ts';
import { author, BOLD, note, paint, RED, stamp, word, type Style } from './style.ts';

type Comparison = Extract<AppEvent, { readonly event: 'private-open' }>['verified'];
type PrivateEvent = Extract<
  AppEvent,
  {
    readonly event:
      | 'private-request'
      | 'private-open'
      | 'private-away'
      | 'private-message'
      | 'private-closed'
      | 'path';
  }
>;

const PATHS = {
  direct: 'directly',
  relayed: 'through a relay, which sees that you talk, and not what is said',
  punched: 'directly, through the routers of both',
} as const;

/** What has become of a session or a request, by the reason that is given. */
const CLOSED: Readonly<
  Record<Extract<PrivateEvent, { event: 'private-closed' }>['reason'], (user: string) => string>
> = {
  stopped: (user) => `The private session with ${user} is over.`,
  declined: (user) => `${user} has declined the private session.`,
  withdrawn: (user) => `The request for a private session with ${user} is withdrawn.`,
  late: (user) => `The request for a private session with ${user} was not answered in time.`,
  elsewhere: (user) => `The private session with ${user} is had on another device.`,
  logout: (user) => `The private session with ${user} is over by a logout.`,
  gone: (user) => `${user} is gone, and the private session with them is over.`,
};

const openText = (user: string): string =>
  `The private session with ${user} is open: /private ${user} TEXT.`;

function changedText(user: string): string {
  return `The safety number with ${user} is not the one that you have compared: /verify ${user} shows it.`;
}

function requestText(event: Extract<PrivateEvent, { event: 'private-request' }>): string {
  const user = clean(event.user);
  const answers = `/yes ${user} or /no ${user}.`;
  if (event.direction === 'outgoing')
    return `${user} is reached only through a relay, which sees that you talk, and not what is said. Go on? ${answers}`;
  const way = event.kind === 'relayed' ? ', through a relay' : '';
  return `${user} asks for a private session${way}: ${answers}`;
}

/** Lines of the program's own, and a warning where the number that was compared has changed. */
function withWarning(
  text: string,
  { user, verified }: { readonly user: string; readonly verified: Comparison },
  style: Style,
): string {
  if (verified !== 'changed') return note(text, style);
  return `${note(text, style)}\n${paint(changedText(clean(user)), RED, style)}`;
}

function unshownText(unshown: number | undefined): string {
  if (unshown === undefined) return '';
  return unshown === 1
    ? ' Your last message may not have been shown to them.'
    : ` Your last ${unshown} messages may not have been shown to them.`;
}

/** Safe to print. */
export function privateEventText(event: PrivateEvent, style: Style): string {
  switch (event.event) {
    case 'private-request':
      return withWarning(requestText(event), event, style);
    case 'private-open':
      return withWarning(openText(clean(event.user)), event, style);
    case 'private-away':
      return note(
        `The line to ${clean(event.user)} is lost. Another one is sought; what you say waits for it.`,
        style,
      );
    case 'private-message': {
      const mark = paint(style.plain ? '(private)' : '[private]', BOLD, style);
      return `${stamp(event.time, style)}${mark} ${author(event.from, style)}: ${body(event.text)}`;
    }
    case 'private-closed':
      return note(CLOSED[event.reason](clean(event.user)) + unshownText(event.unshown), style);
    case 'path':
      return note(`${clean(event.user)} is connected ${PATHS[event.kind]}.`, style);
    default:
      return event satisfies never;
  }
}

/** Twelve groups of digits, four a line. */
function numberLines(number: string): string[] {
  const groups = number.split(' ');
  return [0, 4, 8].map((from) => `  ${groups.slice(from, from + 4).join(' ')}`);
}

/** By whether the number was compared. */
const COMPARED = new Map<string, (user: string) => string>([
  ['yes', () => 'You have compared it.'],
  [
    'no',
    (user) =>
      `Read it to each other. Where it is the same, nobody stands between you: "verify ${user} yes" remembers that.`,
  ],
  [
    'changed',
    (user) =>
      `Careful: the number that you have compared was another one. Keys of yours or of ${user} are new: compare it again, and "verify ${user} yes" remembers that.`,
  ],
]);

/** The text of a result; undefined for a command that is not of private sessions. */
export function privateResultText(name: string, data: ResultData): string | undefined {
  const user = word(data['user']);
  switch (name) {
    case 'startprivate':
      return data['state'] === 'open'
        ? openText(user)
        : `${user} has been asked for a private session. You are told of the answer.`;
    case 'private':
      return data['state'] === 'waiting'
        ? `The line to ${user} is lost: it is shown to them when there is another one.`
        : `${user} has it.`;
    case 'stopprivate':
      return CLOSED.stopped(user);
    case 'yes':
      return `You have said yes to ${user}.`;
    case 'no':
      return `You have said no to ${user}.`;
    case 'verify':
      return [
        `The safety number of you and ${user}:`,
        ...numberLines(word(data['number'])),
        COMPARED.get(word(data['verified']))?.(user) ?? '',
      ].join('\n');
    default:
      return undefined;
  }
}

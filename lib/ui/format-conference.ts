/** Texts of conferences: results of commands, and what happens in them. */
import type { AppEvent, ConferenceView, ResultData } from '../app/types.ts';
import { clean, fold } from '../text.ts';
import { record, records, word, words, type Style } from './style.ts';

type ConferenceEvent = Extract<AppEvent, { readonly event: 'conference' }>;
type Change = NonNullable<ConferenceView['change']>;

/** As much of an id as people need to tell one from another. */
const SHORT_ID = 8;

/** Why a conference has ended, by the reason that the server gives. */
const REASONS = new Map([
  ['owner left', 'its owner has left it'],
  ['ended by its owner', 'its owner has ended it'],
  ['ended by an administrator', 'an administrator has ended it'],
  ['empty', 'nobody is in it any more'],
  ['owner lost', 'its owner has lost the connection and has not come back'],
]);

/** Those of them that are the owner's own doing. */
const OWN = new Set(['owner left', 'ended by its owner', 'empty']);

function isReader(user: string | undefined, style: Style): boolean {
  return user !== undefined && style.user !== undefined && fold(user) === fold(style.user);
}

function idText(id: unknown): string {
  return `#${word(id).slice(0, SHORT_ID)}`;
}

/** Names of those in it, with what is to be known of each. */
function people(participants: readonly string[], away: readonly string[]): string {
  return participants.map((name) => (away.includes(name) ? `${name} (away)` : name)).join(', ');
}

function endedText({ name, reason = '' }: ConferenceEvent): string {
  const why = REASONS.get(reason) ?? clean(reason);
  return `The conference ${clean(name)} has ended${why === '' ? '' : `: ${why}`}.`;
}

/** What has happened to somebody; undefined where the reader did it, and has an answer to that. */
function changeText(
  { id, name, owner, state }: ConferenceEvent,
  { user: changed, kind }: Change,
  style: Style,
): string | undefined {
  const called = `the conference ${clean(name)}`;
  const user = clean(changed);
  const isOwner = owner !== undefined && fold(owner) === fold(changed);
  if (isReader(changed, style)) {
    if (kind === 'kicked') return `You have been put out of ${called}.`;
    if (kind === 'back') return `You are back in ${called}.`;
    return kind === 'owner' ? `You own ${called} now.` : undefined;
  }
  switch (kind) {
    case 'joined':
      return isOwner
        ? `${user} has begun ${called}. Join it with /joinconf ${user}.`
        : `${user} has joined ${called}.`;
    case 'left':
      return `${user} has left ${called}.`;
    case 'kicked':
      return `${user} has been put out of ${called}.`;
    case 'lost':
      return state === 'waiting' && isOwner
        ? `${user} has lost the connection: ${called} waits for its owner.`
        : `${user} has lost the connection, and may be back soon in ${called}.`;
    case 'back':
      return `${user} is back in ${called}.`;
    case 'owner':
      return `${user} owns ${called} now.`;
    case 'renamed':
      return `${user} has renamed a conference: it is ${clean(name)} now.`;
    case 'invited':
      return `${user} invites you to ${called}. Join it with /joinconf ${idText(id)}.`;
    default:
      return undefined;
  }
}

/** The line of an event; undefined for one of another part, or that is not shown. */
export function conferenceEventText(event: AppEvent, style: Style): string | undefined {
  if (event.event !== 'conference') return undefined;
  const { name, owner, state, participants, away = [], change, reason } = event;
  if (state === 'ended')
    return isReader(owner, style) && OWN.has(reason ?? '') ? undefined : endedText(event);
  if (change !== undefined) return changeText(event, change, style);
  if (participants.length === 0)
    return `Nobody whom you know is in the conference ${clean(name)} any more.`;
  const all = people(
    participants.map((one) => clean(one)),
    away.map((one) => clean(one)),
  );
  return `In the conference ${clean(name)}: ${all}.`;
}

function listed(one: Record<string, unknown>): string {
  const owner = word(one['owner']);
  const facts = [
    owner === '' ? '' : `owned by ${owner}`,
    one['state'] === 'waiting' ? 'waits for its owner' : '',
    one['here'] === true ? 'you are in it' : '',
  ].filter((fact) => fact !== '');
  const about = facts.length === 0 ? '' : ` (${facts.join(', ')})`;
  const all = people(words(one['participants']), words(one['away']));
  return `${word(one['name'])}  ${idText(one['id'])}  ${all}${about}`;
}

/** The text of a result; undefined for a command of another part. */
export function conferenceResultText(
  command: string,
  data: ResultData,
  style: Style,
): string | undefined {
  const conference = record(data['conference']);
  const name = word(conference['name']);
  switch (command) {
    case 'conference':
      return `You have begun the conference ${name} (${idText(conference['id'])}), and own it.`;
    case 'joinconf': {
      const others = words(conference['participants']).filter((one) => !isReader(one, style));
      const all = people(others, words(conference['away']));
      return `You are in the conference ${name}${all === '' ? '' : `, with ${all}`}.`;
    }
    case 'leaveconf':
      return `You have left the conference ${name}.`;
    case 'renameconf':
      return `The conference ${word(data['before'])} is called ${name} now.`;
    case 'ownerconf':
      return `${word(conference['owner'])} owns the conference ${name} now.`;
    case 'endconf':
      return `The conference ${name} has ended.`;
    case 'inviteconf':
      return `${word(data['user'])} may join the conference ${name}, and has been told.`;
    case 'conferences':
      return (
        records(data['conferences'])
          .map((one) => listed(one))
          .join('\n') || 'No conferences. Begin one with "/conference NAME".'
      );
    default:
      return undefined;
  }
}

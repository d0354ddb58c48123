/** Texts of calls: results of commands, and what others do. */
import type { AppEvent, ResultData } from '../app/types.ts';
import { clean } from '../text.ts';
import { record, records, word, words } from './style.ts';

type CallEvent = Extract<
  AppEvent,
  { readonly event: 'ring' | 'call' | 'talking' | 'chatdev' | 'golive' | 'recording' }
>;
type Reason = NonNullable<Extract<CallEvent, { event: 'call' }>['reason']>;

/** Why a call is over, by the reason that is given; `user`: the other one, or the room. */
const ENDED: Readonly<Record<Reason, (who: string) => string>> = {
  'hung up': (who) => `The call with ${who} is over.`,
  declined: (who) => `The call with ${who} was declined.`,
  'no answer': (who) => `The call with ${who} was not answered.`,
  withdrawn: (who) => `The call with ${who} was given up.`,
  elsewhere: (who) => `The call with ${who} was taken on another device.`,
  lost: (who) => `The connection to the call with ${who} was lost.`,
  'put out': (who) => `You are not in the call with ${who} any more: you may not be.`,
};

function whoOf({ user, room }: { readonly user?: string; readonly room?: string }): string {
  if (user !== undefined) return clean(user);
  return room === undefined ? 'nobody' : `#${clean(room)}`;
}

function callText(event: Extract<CallEvent, { event: 'call' }>): string | undefined {
  const who = whoOf(event);
  const names = event.participants.map((one) => clean(one));
  if (event.joined === false) {
    if (event.state === 'ended') return `The call in ${who} is over.`;
    return `There is a call in ${who}: ${names.join(', ')}. Join it with /call ${who}`;
  }
  switch (event.state) {
    // Whoever is called is told by `ring`.
    case 'ringing':
      return undefined;
    case 'connecting':
      return `Connecting to ${names.join(', ')}…`;
    case 'active':
      return names.length < 2
        ? `You are in the call of ${who}, and nobody else is yet.`
        : `In the call: ${names.join(', ')}.`;
    case 'ended':
      return ENDED[event.reason ?? 'hung up'](who);
    default:
      return event.state satisfies never;
  }
}

function devicesText({ user, video, audio }: Extract<CallEvent, { event: 'chatdev' }>): string {
  const name = clean(user);
  if (video && audio) return `${name} can be seen and heard.`;
  if (video) return `${name} can be seen; the microphone is off.`;
  return audio ? `${name} can be heard; the camera is off.` : `${name} has switched both off.`;
}

/** The line of an event; undefined for one that changes something shown already. */
export function callEventText(event: CallEvent): string | undefined {
  switch (event.event) {
    case 'ring':
      return `${clean(event.user)} calls you: /answer or /decline`;
    case 'call':
      return callText(event);
    case 'talking':
      return undefined;
    case 'chatdev':
      return devicesText(event);
    case 'golive': {
      const user = clean(event.user);
      if (!event.live) return `${user} shares the screen no more.`;
      const label =
        event.label === undefined || event.label === '' ? '' : `: ${clean(event.label)}`;
      return `${user} shares a screen${label}. /watch ${user}`;
    }
    case 'recording':
      return event.recording
        ? `${clean(event.user)} records this call.`
        : `${clean(event.user)} has stopped recording.`;
    default:
      return event satisfies never;
  }
}

function whoIn(data: Record<string, unknown>): string {
  const room = data['room'];
  return room === undefined ? word(data['user']) : `#${word(room)}`;
}

function callResult(data: ResultData): string {
  const call = record(data['call']);
  const who = whoIn(call);
  if (call['state'] === 'ringing') return `Calling ${who}… "hangup" gives up.`;
  const others = words(call['participants']);
  return others.length < 2
    ? `You are in the call of ${who}.`
    : `You are in the call of ${who}: ${others.join(', ')}.`;
}

function listResult(data: ResultData): string {
  const lines = records(data['calls']).map((call) => {
    const state = call['state'] === 'ringing' ? 'rings' : words(call['participants']).join(', ');
    return `${whoIn(call)}  ${state}${call['here'] === true ? '  (you are in it)' : ''}`;
  });
  return lines.length === 0 ? 'There is no call.' : lines.join('\n');
}

const DEVICES = new Map([
  ['camera', 'camera'],
  ['microphone', 'microphone'],
]);

/** The text of a result; undefined for a command that is not of calls. */
export function callResultText(name: string, data: ResultData): string | undefined {
  const user = word(data['user']);
  switch (name) {
    case 'call':
    case 'answer':
      return callResult(data);
    case 'decline':
      return `You have declined the call of ${whoIn(record(data['call']))}.`;
    case 'hangup':
      return 'You have hung up.';
    case 'calls':
      return listResult(data);
    case 'mic':
    case 'camera': {
      const device = DEVICES.get(word(data['device'])) ?? 'device';
      const when = data['inCall'] === true ? '' : ' for the next call';
      return `Your ${device} is ${data['on'] === true ? 'on' : 'off'}${when}.`;
    }
    case 'mute':
      return `You do not hear ${user} any more.`;
    case 'unmute':
      return `You hear ${user} again.`;
    case 'hide':
      return `You do not see ${user} any more.`;
    case 'show':
      return `You see ${user} again.`;
    case 'enlarge': {
      const large = word(data['enlarged']);
      return large === '' ? 'All are of the same size.' : `${large} is shown large.`;
    }
    case 'video':
      return `Pictures are ${data['video'] === 'on' ? 'shown' : 'not shown'}.`;
    case 'volume':
      return `${user} is at ${word(data['volume'])} % for you.`;
    case 'suppress':
    case 'unsuppress': {
      const where = data['room'] === undefined ? 'in all calls' : `in #${word(data['room'])}`;
      return name === 'suppress'
        ? `${user} is silenced for everyone ${where}.`
        : `${user} can be heard again ${where}.`;
    }
    case 'golive':
      return 'You share your screen. "stoplive" ends that.';
    case 'stoplive':
      return 'You share your screen no more.';
    case 'watch':
      return `You watch ${user}.`;
    case 'unwatch':
      return `You do not watch ${user} any more.`;
    case 'record':
      return `The call is recorded into ${word(data['file'])}, and everybody in it is told.`;
    case 'stoprecord':
      return 'The recording is finished.';
    case 'voice':
      return VOICES.get(word(data['voice'])) ?? '';
    case 'push':
      return data['push'] === true ? 'You are heard.' : 'You are not heard.';
    default:
      return undefined;
  }
}

const VOICES = new Map([
  ['open', 'Your microphone is heard whenever it is on.'],
  ['activity', 'Your microphone is heard while you talk.'],
  ['push', 'Your microphone is heard while you "push".'],
]);

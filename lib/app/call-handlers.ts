/** Calls: calling, answering, leaving; devices; and what one chooses about the others. */
import type { AccountId, RoomId } from '../crdt/keys.ts';
import { may } from '../crdt/rights.ts';
import { pathOf, roomOf } from '../crdt/rooms.ts';
import { isSuppressed, isSuppressedAt } from '../crdt/suppress.ts';
import { LOBBY_STREAM, otherOf, placeOfStream } from '../crdt/stream.ts';
import { ClchatError } from '../errors.ts';
import type { GateMode } from '../media/audio/gate.ts';
import type { CallView } from '../node/calls/wire.ts';
import type { CallTarget } from '../node/client/calls.ts';
import type { Home } from '../node/client/home.ts';
import type { LiveCall, Other } from './calls/live-call.ts';
import {
  control,
  conversationNamed,
  mustBeAllowed,
  need,
  otherAccount,
  roomNamed,
  whole,
  type Handler,
  type HandlerContext,
} from './handling.ts';
import { pathOf as fileAt } from './moving-paths.ts';
import type { ResultData } from './types.ts';

/** Whom or what to call. @throws NOT_IN_ROOM, NO_SUCH_USER, NO_SUCH_ROOM, SELF, AMBIGUOUS */
function targetOf({ client: { home }, situation }: HandlerContext, written?: string): CallTarget {
  const { room } = situation;
  const within = room === undefined ? {} : { room };
  const stream = written === undefined ? situation.current : conversationNamed(home, written);
  const place = stream === undefined ? undefined : placeOfStream(stream);
  if (place?.type === 'pair') {
    const account = otherOf(place, home.account);
    if (account !== undefined) return { account, ...within };
  }
  // Whoever is nowhere is in the lobby for texts, which is no wish to speak there.
  const isMeant = written !== undefined || room !== undefined || stream !== LOBBY_STREAM;
  if (place?.type === 'room' && isMeant) return { room: place.room };
  throw new ClchatError(
    'NOT_IN_ROOM',
    'Call whom? "call USER", "call ROOM", or "enter ROOM" first.',
  );
}

function viewOf({ client: { home } }: HandlerContext, view: CallView): ResultData {
  const { id, room, state, participants, caller, callee } = view;
  const user = caller === home.name ? callee : caller;
  return {
    id,
    state,
    ...(room === undefined ? {} : { room: pathOf(home.space, room) ?? '' }),
    ...(user === undefined ? {} : { user }),
    participants: [...new Set(participants.map((one) => one.user))],
  };
}

const call: Handler = async ({ target, device }, context) => {
  const { calls, client, ask } = context;
  const meant = targetOf(context, target);
  if ('account' in meant) mustBeAllowed(client.home, 'callUser');
  const view = await calls.start(meant, device !== undefined);
  // A person goes on meanwhile, and is told of the answer.
  if (ask === undefined) await calls.untilAnswered(view);
  return { call: viewOf(context, calls.live?.view ?? view) };
};

/** The call that is meant, of those that ring. @throws NO_SUCH_USER, NO_CALL */
function rung({ client }: HandlerContext, user: string | undefined): CallView | undefined {
  if (user === undefined) return undefined;
  const name = client.home.nameOf(otherAccount(client.home, user));
  const found = client.calling.calls.ringing.find(({ caller }) => caller === name);
  if (found === undefined) throw new ClchatError('NO_CALL', `${name} is not calling you.`);
  return found;
}

const answer: Handler = async ({ user }, context) => {
  const view = await context.calls.answer(rung(context, user)?.id);
  return { call: viewOf(context, view) };
};

const decline: Handler = async ({ user }, context) => {
  const view = await context.client.calling.calls.decline(rung(context, user)?.id);
  return { call: viewOf(context, { ...view, state: 'ended' }) };
};

const hangup: Handler = async (_args, context) => {
  const view = await context.calls.leave();
  return { call: viewOf(context, { ...view, state: 'ended', participants: [] }) };
};

const switched =
  (kind: 'camera' | 'microphone'): Handler =>
  async ({ state, name }, { calls }) => {
    // Where it is "none", nothing is captured, and nobody is to be told otherwise.
    const isOn = need(state, 'on or off') === 'on' && name !== 'none';
    await calls.switch(kind, isOn, name);
    return { device: kind, on: isOn, inCall: calls.live !== undefined };
  };

/** @throws NO_CALL */
function mustBeInCall({ calls }: HandlerContext): LiveCall {
  const { live } = calls;
  if (live === undefined) throw new ClchatError('NO_CALL', 'You are in no call.');
  return live;
}

/** Somebody in the present call. @throws NO_CALL, NO_SUCH_USER, SELF, NOT_PARTICIPANT */
function participant(context: HandlerContext, user: string | undefined): AccountId {
  const live = mustBeInCall(context);
  const { home } = context.client;
  const account = otherAccount(home, need(user, 'The user'));
  const name = home.nameOf(account);
  if (!live.view.participants.some((one) => one.user === name))
    throw new ClchatError('NOT_PARTICIPANT', `${name} is not in the call.`);
  return account;
}

const choosing =
  (choice: 'isMuted' | 'isHidden', value: boolean): Handler =>
  ({ user }, context) => {
    const account = participant(context, user);
    context.calls.choose(account, { [choice]: value });
    return Promise.resolve({ user: context.client.home.nameOf(account) });
  };

const MOST_VOLUME = 200;

const volume: Handler = ({ user, percent }, context) => {
  const account = participant(context, user);
  const wanted = whole(need(percent, 'The volume'), 'The volume');
  if (wanted > MOST_VOLUME) throw new ClchatError('USAGE', `At most ${MOST_VOLUME} percent.`);
  context.calls.choose(account, { volume: wanted });
  return Promise.resolve({ user: context.client.home.nameOf(account), volume: wanted });
};

/** The room of the present call, or the one that is entered, where somebody is to be silenced. */
function placeOf({ calls, situation }: HandlerContext): RoomId | undefined {
  return calls.live?.view.room ?? situation.room;
}

const NEEDED = { data: { permission: 'suppressUser' } };

/** Of whom it is to be said, and where. */
interface Silencing {
  readonly home: Home;
  readonly account: AccountId;
  /** The room that is meant; undefined: all calls. */
  readonly here: RoomId | undefined;
  readonly isOwner: boolean;
  /** Has the permission, which is for all places. */
  readonly mayAnywhere: boolean;
  /** One place was named: it is that one or none. */
  readonly isNamed: boolean;
}

/** Where somebody is to be silenced. @throws ALREADY */
function whereToSilence({ home, account, here, ...who }: Silencing): RoomId | undefined {
  // Who owns the place speaks for it alone, unless they say otherwise.
  const room = who.isOwner || who.isNamed ? here : undefined;
  if (isSuppressed(home.space, account, room))
    throw new ClchatError('ALREADY', 'That user is silenced.');
  return room;
}

/** Where somebody is silenced who is to be heard again: there, or else everywhere. @throws ALREADY, DENIED */
function whereSilenced({ home, account, here, ...who }: Silencing): RoomId | undefined {
  const places = who.isNamed || here === undefined ? [here] : [here, undefined];
  const found = places.filter((at) => isSuppressedAt(home.space, account, at));
  const lifted = found.findIndex((at) => who.mayAnywhere || (at !== undefined && who.isOwner));
  if (lifted >= 0) return found[lifted];
  const isElsewhere = isSuppressed(home.space, account, here);
  if (!isElsewhere) throw new ClchatError('ALREADY', 'That user is not silenced.');
  const all = 'That user is silenced in all calls';
  if (who.mayAnywhere)
    throw new ClchatError('ALREADY', `${all}, and not in that room: leave out --room.`);
  throw new ClchatError('DENIED', `${all}: that takes the permission "suppressUser".`, NEEDED);
}

const suppressing =
  (on: boolean): Handler =>
  async ({ user, room: written, everywhere }, context) => {
    const { client } = context;
    const { home } = client;
    const account = home.named(need(user, 'The user'));
    const isEverywhere = everywhere !== undefined;
    if (isEverywhere && written !== undefined)
      throw new ClchatError('USAGE', 'Either in one room, or everywhere.');
    const there = written === undefined ? placeOf(context) : roomNamed(home, written);
    const here = isEverywhere ? undefined : there;
    const isOwner = here !== undefined && roomOf(home.space, here)?.owner === home.account;
    const mayAnywhere = may(home.space, home.account, 'suppressUser');
    if (!isOwner && !mayAnywhere)
      throw new ClchatError(
        written === undefined ? 'DENIED' : 'NOT_OWNER',
        'You need the permission "suppressUser", or to own the room.',
        NEEDED,
      );
    const isNamed = isEverywhere || written !== undefined;
    const silencing = { home, account, here, isOwner, mayAnywhere, isNamed };
    const room = (on ? whereToSilence : whereSilenced)(silencing);
    const scope = room === undefined ? {} : { room };
    const state = await control(client, 'space', 'suppress', { account, ...scope, on });
    return {
      user: home.nameOf(account),
      ...(room === undefined ? {} : { room: pathOf(home.space, room) ?? '' }),
      ...(state === 'queued' ? { state } : {}),
    };
  };

const MAX_LABEL = 100;

const golive: Handler = async ({ label }, context) => {
  const { calls } = context;
  if (calls.live === undefined)
    throw new ClchatError('NOT_IN_ROOM', 'You are in no call: a screen is shared in one.');
  const given = (label ?? '').toWellFormed().slice(0, MAX_LABEL);
  await calls.share(given);
  return { live: true, label: given };
};

const stoplive: Handler = async (_args, context) => {
  const { calls } = context;
  if (!calls.devices.isOn('screen'))
    throw new ClchatError('NOT_LIVE', 'You do not share a screen.');
  await calls.share(undefined);
  return { live: false };
};

/** Those devices of somebody that are in the call. */
function devicesOf(live: LiveCall, account: AccountId): Other[] {
  return live.others.filter((other) => other.account === account);
}

const watching =
  (isWatched: boolean): Handler =>
  ({ user }, context) => {
    if (context.calls.live === undefined)
      throw new ClchatError('NOT_IN_ROOM', 'You are in no call.');
    const account = participant(context, user);
    const live = mustBeInCall(context);
    const sharing = devicesOf(live, account).filter((one) =>
      isWatched ? one.participant.live !== undefined : one.isWatched,
    );
    const name = context.client.home.nameOf(account);
    if (sharing.length === 0)
      throw new ClchatError(
        'NOT_LIVE',
        isWatched ? `${name} shares no screen.` : `You do not watch ${name}.`,
      );
    for (const one of sharing) one.isWatched = isWatched;
    live.refresh();
    return Promise.resolve({ user: name, watching: isWatched });
  };

const record: Handler = async ({ file }, context) => {
  const { calls } = context;
  mustBeInCall(context);
  await calls.devices.record(fileAt(need(file, 'The file')));
  await calls.setRecording(true);
  return { recording: true, file };
};

const stoprecord: Handler = async (_args, context) => {
  const { calls } = context;
  mustBeInCall(context);
  if (!calls.isRecording) throw new ClchatError('NOT_SUPPORTED', 'Nothing is being recorded.');
  await calls.devices.record(undefined);
  await calls.setRecording(false);
  return { recording: false };
};

const voice: Handler = ({ mode: wanted, decibels }, { calls: { devices } }) => {
  if (wanted !== undefined)
    devices.setGate({
      mode: wanted as GateMode,
      ...(decibels === undefined
        ? {}
        : { threshold: -whole(decibels.replace(/^-/, ''), 'The level') }),
    });
  const { mode, threshold } = devices.gate;
  return Promise.resolve({ voice: mode, ...(threshold === undefined ? {} : { threshold }) });
};

const push: Handler = ({ state }, { calls }) => {
  const held = need(state, 'on or off') === 'on';
  calls.devices.setHeld(held);
  return Promise.resolve({ push: held });
};

const calls: Handler = async (_args, context) => {
  const { home, calling } = context.client;
  await calling.calls.known;
  const { live } = context.calls;
  return {
    calls: [
      ...(live === undefined ? [] : [{ ...viewOf(context, live.view), here: true }]),
      ...calling.calls.ringing.map((view) => viewOf(context, view)),
      ...calling.calls.rooms
        .filter(({ id }) => id !== live?.view.id)
        .map(({ id, room, users }) => ({
          id,
          state: 'active',
          room: pathOf(home.space, room) ?? '',
          participants: users,
        })),
    ],
  };
};

export const CALL_HANDLERS: Readonly<Record<string, Handler>> = {
  call,
  answer,
  decline,
  hangup,
  mic: switched('microphone'),
  camera: switched('camera'),
  mute: choosing('isMuted', true),
  unmute: choosing('isMuted', false),
  hide: choosing('isHidden', true),
  show: choosing('isHidden', false),
  volume,
  suppress: suppressing(true),
  unsuppress: suppressing(false),
  golive,
  stoplive,
  watch: watching(true),
  unwatch: watching(false),
  record,
  stoprecord,
  voice,
  push,
  calls,
};

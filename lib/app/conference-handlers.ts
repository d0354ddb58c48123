/** Conferences: begun, joined and left, and what is their owner's to do with them. */
import type { RoomId } from '../crdt/keys.ts';
import { lockOf, roomOf } from '../crdt/rooms.ts';
import { ClchatError, hasCode, type ErrorCode } from '../errors.ts';
import type { ConferenceNews } from '../node/client/conferences.ts';
import { isName, whyNotFree } from '../text.ts';
import { presentOne, targetOf, whichOne } from './conference-names.ts';
import {
  mustBeAllowed,
  need,
  otherAccount,
  type Handler,
  type HandlerContext,
} from './handling.ts';

/** What codes mean here, where the server gives no more than the code. */
type Texts = Partial<Record<ErrorCode, string>>;

const BEGINNING: Texts = {
  TOO_LARGE: 'You own, or are in, as many conferences as anybody can.',
};
const JOINING: Texts = {
  TOO_LARGE: 'It is full, or you are in as many conferences as anybody can.',
};
const RENAMING: Texts = {
  ALREADY: 'That is its name already.',
  NAME_CLASH: 'You, or somebody else in it, are in another conference of that name.',
};
const GIVING: Texts = {
  ALREADY: 'That user owns it already.',
  TOO_LARGE: 'That user owns as many conferences as anybody can.',
};

async function explained<T>(texts: Texts, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const text = error instanceof ClchatError ? texts[error.code] : undefined;
    if (text === undefined) throw error;
    throw new ClchatError((error as ClchatError).code, text, { cause: error });
  }
}

/** @throws BAD_NAME */
function checkedName(written: string | undefined): string {
  const name = need(written, 'The name');
  if (!isName(name)) throw new ClchatError('BAD_NAME');
  const why = whyNotFree(name);
  if (why !== undefined) throw new ClchatError('BAD_NAME', why);
  return name;
}

const conference: Handler = async ({ name, password }, { client, situation }) => {
  mustBeAllowed(client.home, 'createConference');
  const called = checkedName(name);
  const made = await explained(BEGINNING, () => client.conferences.create(called, password));
  situation.enter(made.id);
  return { conference: made };
};

const joinconf: Handler = async ({ friend, name, device, password }, context) => {
  const { client, situation } = context;
  const target = await targetOf(client, friend, name, password !== undefined);
  const joined = await client.conferences
    .join(target, device !== undefined)
    .catch((error: unknown) => {
      if (!hasCode(error, 'DENIED') || !('id' in target)) throw error;
      return joinByPassword(context, target.id, password, error);
    });
  situation.enter(joined.id);
  return { conference: joined };
};

/** Who is nothing to anybody in a conference comes in by its password, where it has one. */
async function joinByPassword(
  { client, ask }: HandlerContext,
  id: RoomId,
  given: string | undefined,
  denied: ClchatError,
): Promise<ConferenceNews> {
  const { home, conferences } = client;
  const lock = lockOf(home.space, id);
  if (lock?.password !== true || lock.retired) throw denied;
  const password = given ?? (await ask?.secret(`Password of ${roomOf(home.space, id)?.name}`));
  if (password === undefined || password === '') throw denied;
  return explained(JOINING, () => conferences.joinByPassword(id, password));
}

const leaveconf: Handler = async ({ name }, { client, situation }) => {
  const left = await client.conferences.leave(await whichOne(client, situation, name));
  situation.forget(left.id);
  return { conference: left };
};

/** The present conference, which has to be this account's. @throws NOT_PARTICIPANT, NOT_OWNER, AMBIGUOUS */
async function ownOne({ client, situation }: HandlerContext): Promise<ConferenceNews> {
  const { here: _here, ...present } = await presentOne(client, situation);
  const { space, account } = client.home;
  if (roomOf(space, present.id)?.owner !== account) throw new ClchatError('NOT_OWNER');
  return present;
}

const renameconf: Handler = async ({ name }, context) => {
  const called = checkedName(name);
  const own = await ownOne(context);
  await explained(RENAMING, () => context.client.conferences.rename(own.id, called));
  return { conference: { ...own, name: called }, before: own.name };
};

const ownerconf: Handler = async ({ user }, context) => {
  const { home, conferences } = context.client;
  const to = home.named(need(user, 'The user'));
  const own = await ownOne(context);
  await explained(GIVING, () => conferences.transfer(own.id, to));
  return { conference: { ...own, owner: home.nameOf(to) } };
};

const endconf: Handler = async (_args, context) => {
  const own = await ownOne(context);
  await context.client.conferences.end(own.id);
  context.situation.forget(own.id);
  return { conference: { ...own, state: 'ended', participants: [] } };
};

const inviteconf: Handler = async ({ user }, { client, situation }) => {
  const { home, conferences } = client;
  const invited = otherAccount(home, need(user, 'The user'));
  const { here: _here, ...present } = await presentOne(client, situation);
  await conferences.invite(present.id, invited);
  return { conference: present, user: home.nameOf(invited) };
};

const conferences: Handler = async (_args, { client }) => ({
  conferences: await client.conferences.list(),
});

export const CONFERENCE_HANDLERS: Readonly<Record<string, Handler>> = {
  conference,
  joinconf,
  leaveconf,
  renameconf,
  ownerconf,
  endconf,
  inviteconf,
  conferences,
};

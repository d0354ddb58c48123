/** Codes: invitations, and what lifts somebody into a group. */
import { codeKey, normalCode, redeem } from '../crdt/codes.ts';
import { groupNamed } from '../crdt/people.ts';
import { USER_GROUP } from '../crdt/permissions.ts';
import { may } from '../crdt/rights.ts';
import { ClchatError } from '../errors.ts';
import type { Client } from '../node/client/client.ts';
import type { Home } from '../node/client/home.ts';
import { decree, mustFindGroup, mustReachGroup } from './admin-handling.ts';
import { newCode } from './codes.ts';
import { mustBeAllowed, need, whole, type Handler } from './handling.ts';
import type { ResultData } from './types.ts';

/** How long an invitation is good unless told, in seconds. */
const INVITATION_SECONDS = 7 * 86_400;
/** …and a code that lifts into a group. */
const CODE_SECONDS = 86_400;
/** Most uses of a code. */
const MAX_USES = 10_000;

interface NewCode {
  readonly purpose: 'signup' | 'elevate';
  readonly group: string;
  readonly uses: number;
  readonly seconds: number;
}

async function issue(client: Client, wanted: NewCode): Promise<ResultData> {
  const { seconds, ...rest } = wanted;
  const code = newCode();
  const expires = client.serverTime() + seconds * 1_000;
  await decree(client, 'code', { ...rest, verifier: codeKey(code).public, expires });
  return { code, ...wanted };
}

function mayInviteInto(home: Home, group: string): void {
  if (may(home.space, home.account, 'inviteUserAny')) return;
  const isClosed = groupNamed(home.space, group)?.permissions.includes('noInviteFor') === true;
  mustBeAllowed(home, isClosed ? 'inviteUserAny' : 'inviteUser');
}

const invite: Handler = async ({ group: typed }, { client }) => {
  const { home } = client;
  const group = mustFindGroup(home, typed ?? USER_GROUP);
  mayInviteInto(home, group);
  mustReachGroup(home, group);
  return issue(client, { purpose: 'signup', group, uses: 1, seconds: INVITATION_SECONDS });
};

/** A whole number of one or more. */
function positive(written: string | undefined, name: string, otherwise: number): number {
  const number = written === undefined ? otherwise : whole(written, name);
  if (number === 0) throw new ClchatError('USAGE', `${name} must be 1 or more.`);
  return number;
}

const code: Handler = async ({ group: typed, uses: times, seconds }, { client }) => {
  const { home } = client;
  mustBeAllowed(home, 'issueCode');
  const group = mustFindGroup(home, typed);
  const uses = positive(times, 'The number of uses', 1);
  if (uses > MAX_USES)
    throw new ClchatError('TOO_LARGE', `A code is good for at most ${MAX_USES} uses.`);
  mustReachGroup(home, group);
  return issue(client, {
    purpose: 'elevate',
    group,
    uses,
    seconds: positive(seconds, 'The time', CODE_SECONDS),
  });
};

const elevate: Handler = async ({ code: written }, { client }) => {
  const { home } = client;
  const typed = need(written, 'The code');
  if (normalCode(typed) === '') throw new ClchatError('BAD_CODE');
  const { server, device } = home.replica;
  await decree(client, 'elevate', redeem(typed, server, device, 'space'));
  return { user: home.name, group: home.record?.group };
};

export const CODE_HANDLERS: Readonly<Record<string, Handler>> = { invite, code, elevate };

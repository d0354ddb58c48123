/** Private sessions: asking for one, answering, talking, ending; and whether it is them. */
import type { AccountId } from '../crdt/keys.ts';
import { ClchatError } from '../errors.ts';
import type { Client } from '../node/client/client.ts';
import { comparisonWith, rememberComparison, safetyNumber } from '../node/private/safety-number.ts';
import { checkText, need, otherAccount, type Handler } from './handling.ts';

const startprivate: Handler = async ({ user }, { client, ask }) => {
  const { home, privately } = client;
  const other = otherAccount(home, need(user, 'The user'));
  const name = home.nameOf(other);
  const mayRelay =
    ask &&
    (() =>
      ask.confirm(
        `${name} is reached only through a relay, which sees that you talk, and not what is said. Go on?`,
        true,
      ));
  const { decided } = await privately.start(other, mayRelay);
  // A person goes on meanwhile, and is told of the answer.
  if (ask === undefined) await decided;
  return { user: name, state: privately.isOpenWith(other) ? 'open' : 'asked' };
};

const say: Handler = async ({ user, message }, { client, now }) => {
  const { home, privately } = client;
  const other = otherAccount(home, need(user, 'The user'));
  const said = { text: checkText(message), time: now() };
  const heard = await privately.say(other, said).catch((error: unknown) => {
    if (!(error instanceof ClchatError) || error.code !== 'NO_SESSION') throw error;
    const name = home.nameOf(other);
    throw new ClchatError(
      'NO_SESSION',
      `There is no private session with ${name}: "startprivate ${name}" asks for one.`,
    );
  });
  return { user: home.nameOf(other), state: heard === 'shown' ? 'delivered' : 'waiting' };
};

const stopprivate: Handler = async ({ user }, { client }) => {
  const { home, privately } = client;
  const other = otherAccount(home, need(user, 'The user'));
  await privately.stop(other);
  return { user: home.nameOf(other) };
};

/** Whose question is answered: that of the one who is named, or the only one that waits. */
function asker({ home, privately }: Client, user: string | undefined): AccountId {
  if (user !== undefined) return otherAccount(home, user);
  const [first, ...others] = privately.waiting;
  if (first === undefined) throw new ClchatError('NO_REQUEST', 'Nobody waits for an answer.');
  if (others.length === 0) return first;
  const names = [first, ...others].map((account) => home.nameOf(account)).join(', ');
  throw new ClchatError('AMBIGUOUS', `Several wait for an answer: ${names}.`);
}

const answer =
  (isYes: boolean): Handler =>
  async ({ user }, { client }) => {
    const other = asker(client, user);
    await client.privately.answer(other, isYes);
    return { user: client.home.nameOf(other) };
  };

const verify: Handler = async ({ user, answer: told }, { client: { home } }) => {
  const name = need(user, 'The user');
  const other = otherAccount(home, name);
  const number = safetyNumber(home, other);
  if (number === undefined) throw new ClchatError('NO_SUCH_USER');
  if (told !== undefined) await rememberComparison(home, other, told === 'yes');
  return { user: home.nameOf(other), number, verified: comparisonWith(home, other) };
};

export const PRIVATE_HANDLERS: Readonly<Record<string, Handler>> = {
  startprivate,
  private: say,
  stopprivate,
  yes: answer(true),
  no: answer(false),
  verify,
};

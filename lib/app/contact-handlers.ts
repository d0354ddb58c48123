/** Contacts: who asks whom, and who is one. */
import type { ContactKind, Relation } from '../crdt/contact.ts';
import type { AccountId } from '../crdt/keys.ts';
import { pairStream } from '../crdt/stream.ts';
import { ClchatError, type ErrorCode } from '../errors.ts';
import type { Home } from '../node/client/home.ts';
import { control, need, otherAccount, type Handler } from './handling.ts';
import { displaysOf, unreadOf } from './views.ts';

/** Why something cannot be done as things stand; the server decides. */
function mustBe(relation: Relation, wanted: readonly Relation[], code: ErrorCode): void {
  if (!wanted.includes(relation)) throw new ClchatError(code);
}

const request: Handler = async ({ user, password }, { client }) => {
  const { home } = client;
  const name = need(user, 'The user');
  const other = otherAccount(home, name);
  const relation = await home.contacts.relation(other);
  const stream = pairStream(home.account, other);
  let outcome: 'held' | 'queued' = 'held';
  if (password === undefined) {
    mustBe(relation, ['none', 'incoming'], 'ALREADY');
    outcome = await control(client, stream, 'request', {});
  } else {
    mustBe(relation, ['none', 'incoming', 'outgoing'], 'ALREADY');
    await client.proveOther(home.nameOf(other), password);
    await control(client, stream, 'befriend', {});
  }
  if (outcome === 'queued') return { user: home.nameOf(other), state: outcome };
  const isContact = password !== undefined || relation === 'incoming';
  return { user: home.nameOf(other), state: isContact ? 'accepted' : 'pending' };
};

const act =
  (kind: ContactKind, wanted: Relation, code: ErrorCode): Handler =>
  async ({ user }, { client }) => {
    const { home } = client;
    const other = otherAccount(home, need(user, 'The user'));
    mustBe(await home.contacts.relation(other), [wanted], code);
    const state = await control(client, pairStream(home.account, other), kind, {});
    return { user: home.nameOf(other), ...(state === 'queued' ? { state } : {}) };
  };

/** Those who are something to this account, in the order of their names. */
async function those(home: Home, wanted: Relation): Promise<{ id: AccountId; name: string }[]> {
  const found: { id: AccountId; name: string }[] = [];
  for (const [id, relation] of await home.contacts.all())
    if (relation === wanted) found.push({ id, name: home.nameOf(id) });
  return found.sort((a, b) => a.name.localeCompare(b.name));
}

const names = (people: readonly { readonly name: string }[]): string[] =>
  people.map(({ name }) => name);

const contacts: Handler = async (_args, { client: { home } }) => {
  const all = await those(home, 'contact');
  const streams = all.map(({ id }) => pairStream(home.account, id));
  const contacts = names(all);
  return { contacts, unread: await unreadOf(home, streams), ...displaysOf(home, contacts) };
};

/** Who asks to be a contact, and who has been asked. */
export async function requestsOf(home: Home): Promise<{ incoming: string[]; outgoing: string[] }> {
  return {
    incoming: names(await those(home, 'incoming')),
    outgoing: names(await those(home, 'outgoing')),
  };
}

const requests: Handler = async (_args, { client: { home } }) => ({
  requests: await requestsOf(home),
});

export const CONTACT_HANDLERS: Readonly<Record<string, Handler>> = {
  request,
  accept: act('accept', 'incoming', 'NO_REQUEST'),
  reject: act('reject', 'incoming', 'NO_REQUEST'),
  cancel: act('cancel', 'outgoing', 'NO_REQUEST'),
  unfriend: act('unfriend', 'contact', 'NOT_CONTACT'),
  contacts,
  requests,
};

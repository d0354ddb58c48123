/** What a client does to register and to prove a password, by hand. */
import assert from 'node:assert/strict';
import { encodeEntry, type Entry } from '../../../lib/crdt/entry.ts';
import { Keyring, wrapForPassword } from '../../../lib/crdt/keyring.ts';
import type { Request } from '../../../lib/node/exchange.ts';
import type { OpaqueClient } from '../../../lib/node/opaque.ts';
import type { SESSION } from '../../../lib/node/wire.ts';
import { fakeOpaqueClient } from '../../support/fake-opaque.ts';
import type { Peer, World } from '../../support/roles.ts';

/** Registers an account with a password. */
export async function register(
  peer: Peer,
  password: string,
  opaque: OpaqueClient = fakeOpaqueClient,
): Promise<Uint8Array> {
  const { member, session } = peer;
  const { request, state } = await opaque.registerStart({ password });
  const { response } = await session.call('registerStart', { name: member.name, request });
  const { server } = member;
  const { record, exportKey } = await opaque.registerFinish({ password, state, response, server });
  await session.call('signup', { entry: encodeEntry(member.signup(exportKey)), record });
  return exportKey;
}

/** Proves a password. @returns undefined where the answer shows that it is wrong */
export async function prove(
  { session, member }: Peer,
  name: string,
  password: string,
  opaque: OpaqueClient = fakeOpaqueClient,
) {
  const { request, state } = await opaque.loginStart({ password });
  const { response, account } = await session.call('loginStart', { name, request });
  const { server } = member;
  const finished = await opaque.loginFinish({ password, state, response, server });
  if (finished === undefined) return undefined;
  const proof = await session.call('loginFinish', { finish: finished.finish });
  assert.equal(proof.account, account);
  return { ...proof, exportKey: finished.exportKey };
}

/** An account that somebody makes for another, its first password registered. */
export interface NewUser {
  readonly entry: Entry;
  readonly keyring: Keyring;
  readonly request: Request<typeof SESSION, 'createUser'>;
}

/** What makes an account whose first password is `first`. */
export async function newUser(
  { random }: World,
  { session, member }: Peer,
  name: string,
  change: object = {},
): Promise<NewUser> {
  const password = 'first';
  const { request, state } = await fakeOpaqueClient.registerStart({ password });
  const { response } = await session.call('createUserStart', { name, request });
  const call = { password, state, response, server: member.server };
  const { record, exportKey } = await fakeOpaqueClient.registerFinish(call);
  const keyring = Keyring.create(1, random.bytes);
  const entry = member.write('space', 'createuser', {
    name,
    group: 'user',
    keyring: keyring.public,
    password: wrapForPassword(keyring, exportKey, random.bytes),
    ...change,
  });
  return { entry, keyring, request: { entry: encodeEntry(entry), record } };
}

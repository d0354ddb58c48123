/** What a client does to register and to prove a password, by hand. */
import assert from 'node:assert/strict';
import { encodeEntry } from '../../../lib/crdt/entry.ts';
import type { OpaqueClient } from '../../../lib/node/opaque.ts';
import { fakeOpaqueClient } from '../../support/fake-opaque.ts';
import type { Peer } from '../../support/roles.ts';

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

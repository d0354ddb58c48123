/**
 * OPAQUE's interface without its cost: the same messages in the same order, the same answers to a
 * right and to a wrong password, the same key from the same password. It protects nothing.
 */
import { createHash } from 'node:crypto';
import { concat, equal, utf8 } from '../../lib/crdt/bytes.ts';
import type { PublicKey } from '../../lib/crdt/keys.ts';
import type { OpaqueClient, OpaqueServer } from '../../lib/node/opaque.ts';
import { ClchatError } from '../../lib/errors.ts';

const hash = (length: number, ...parts: (Uint8Array | string)[]): Uint8Array => {
  const shake = createHash('shake256', { outputLength: length });
  for (const part of parts) shake.update(concat(Uint8Array.of(part.length), toBytes(part)));
  return Uint8Array.from(shake.digest());
};
const toBytes = (part: Uint8Array | string): Uint8Array =>
  typeof part === 'string' ? utf8(part) : part;

const blind = (password: string): Uint8Array => hash(32, 'blind', password);
const recordOf = (password: string, oprf: Uint8Array, server: PublicKey): Uint8Array =>
  hash(64, 'record', password, oprf, server);

export const fakeOpaqueClient: OpaqueClient = {
  async registerStart({ password }) {
    return { request: blind(password), state: utf8(password) };
  },
  async registerFinish({ password, response, server }) {
    const record = recordOf(password, response, server);
    const exportKey = hash(64, 'export', record);
    return { record, exportKey, serverKey: hash(32, 'server', server) };
  },
  async loginStart({ password }) {
    return { request: blind(password), state: utf8(password) };
  },
  async loginFinish({ password, response, server }) {
    if (response.length !== 64) throw new ClchatError('BAD_MESSAGE');
    const [oprf, tag] = [response.subarray(0, 32), response.subarray(32)];
    const record = recordOf(password, oprf, server);
    if (!equal(hash(32, 'tag', record), tag)) return undefined;
    return {
      finish: hash(64, 'finish', record),
      exportKey: hash(64, 'export', record),
      sessionKey: hash(32, 'session', record),
    };
  },
};

/** @param calls what the server was asked, in order */
export function fakeOpaqueServer(calls: string[] = []): OpaqueServer {
  const oprf = (user: string, request: Uint8Array): Uint8Array => hash(32, 'oprf', user, request);
  return {
    async registerResponse({ user, request }) {
      calls.push(`register ${user}`);
      if (request.length !== 32) throw new ClchatError('BAD_MESSAGE');
      return oprf(user, request);
    },
    async loginResponse({ user, record, request }) {
      calls.push(`login ${user}`);
      if (request.length !== 32) throw new ClchatError('BAD_MESSAGE');
      const known = record ?? hash(64, 'nobody', user);
      return {
        response: concat(oprf(user, request), hash(32, 'tag', known)),
        state: hash(64, 'finish', known),
      };
    },
    async loginVerify({ state, finish }) {
      calls.push('verify');
      return equal(state, finish) ? hash(32, 'session', finish) : undefined;
    },
  };
}

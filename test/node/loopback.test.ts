import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createLoopback } from '../../lib/node/loopback.ts';
import type { PublicKey } from '../../lib/crdt/keys.ts';
import { hasCode } from '../../lib/errors.ts';
import { transportContract } from '../support/transport-contract.ts';
import type { Transport } from '../../lib/node/channel.ts';

const newKey = (): PublicKey => randomBytes(32).toString('hex') as PublicKey;

transportContract('loopback', async () => {
  const hub = createLoopback();
  const peers: Transport[] = [];
  return {
    join: async () => {
      const peer = hub.join(newKey());
      peers.push(peer);
      return peer;
    },
    nowhere: newKey(),
    stop: async () => {
      await Promise.all(peers.map((peer) => peer.stop()));
    },
  };
});

describe('loopback', () => {
  it('has each key once, until that peer stops', async () => {
    const hub = createLoopback();
    const key = newKey();
    const peer = hub.join(key);
    assert.throws(
      () => hub.join(key),
      (error) => hasCode(error, 'PORT_IN_USE'),
    );
    await peer.stop();
    assert.equal(hub.join(key).key, key);
  });
});

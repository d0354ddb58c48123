import assert from 'node:assert/strict';
import {
  Keyring,
  openByDevice,
  openByPassword,
  passwordKey,
  reachable,
} from '../../lib/crdt/keyring.ts';
import { SealingKey, sealTo, verify, type AccountId } from '../../lib/crdt/keys.ts';
import { DEVICE_TAG, deviceStatement } from '../../lib/crdt/space.ts';
import { State } from '../../lib/crdt/state.ts';
import { Random } from '../simulation/random.ts';
import { Ledger } from '../support/community.ts';
import { flipped } from '../support/mutate.ts';

const random = new Random(1).bytes;
const ACCOUNT = 'a'.repeat(32) as AccountId;

describe('keyrings', () => {
  it('have keys that come of their secret alone', () => {
    const ring = Keyring.create(1, random);
    const same = new Keyring(1, ring.secret);
    assert.deepEqual(same.public, ring.public);
    const other = Keyring.create(1, random);
    assert.notDeepEqual(other.public.box, ring.public.box);
    assert.notEqual(other.public.sign, ring.public.sign);
    const box = sealTo(ring.public.box, random(32), random);
    assert.ok(same.box.open(box));
    assert.equal(other.box.open(box), undefined);
  });

  it('vouch for one device of one account of one server, at one generation', () => {
    const ring = Keyring.create(3, random);
    const { server } = new Ledger();
    const sealing = random(32);
    const proof = ring.vouch(server.id, ACCOUNT, server.id, sealing);
    const valid = (...[of, account, device, key, generation]: Parameters<typeof deviceStatement>) =>
      verify(
        ring.public.sign,
        DEVICE_TAG,
        deviceStatement(of, account, device, key, generation),
        proof,
      );
    const other = 'b'.repeat(64) as typeof server.id;
    assert.ok(valid(server.id, ACCOUNT, server.id, sealing, 3));
    assert.ok(!valid(other, ACCOUNT, server.id, sealing, 3));
    assert.ok(!valid(server.id, 'b'.repeat(32) as AccountId, server.id, sealing, 3));
    assert.ok(!valid(server.id, ACCOUNT, other, sealing, 3));
    assert.ok(!valid(server.id, ACCOUNT, server.id, random(32), 3));
    assert.ok(!valid(server.id, ACCOUNT, server.id, sealing, 4));
  });

  it('open the generation before, and nobody else does', () => {
    const [one, two, three] = [1, 2, 3].map((number) => Keyring.create(number, random));
    const sealed = two!.sealPrevious(one!, random);
    assert.deepEqual(two!.openPrevious(sealed)?.secret, one!.secret);
    assert.equal(two!.openPrevious(sealed)?.generation, 1);
    assert.equal(three!.openPrevious(sealed), undefined);
    for (const altered of flipped(sealed, 11)) assert.equal(two!.openPrevious(altered), undefined);
  });

  it('are reached from the newest back, as far as they hang together', () => {
    const rings = [1, 2, 3, 4, 5].map((number) => Keyring.create(number, random));
    const space = new State();
    const put = (generation: number, previous: Uint8Array | null): void =>
      space.apply([
        {
          table: 'keyring',
          id: `${ACCOUNT}:${generation}`,
          value: { wraps: [], password: null, previous },
        },
      ]);
    put(1, null);
    put(2, rings[1]!.sealPrevious(rings[0]!, random));
    // A reset: the older ones are out of reach.
    put(3, null);
    put(4, rings[3]!.sealPrevious(rings[2]!, random));
    put(5, rings[4]!.sealPrevious(rings[3]!, random));
    const from = (ring: Keyring): number[] =>
      [...reachable(space, ACCOUNT, ring)].map(({ generation }) => generation);
    assert.deepEqual(from(rings[4]!), [5, 4, 3]);
    assert.deepEqual(from(rings[1]!), [2, 1]);
    put(5, random(72));
    assert.deepEqual(from(rings[4]!), [5]);
    assert.deepEqual([...reachable(new State(), ACCOUNT, rings[0]!)].length, 1);
  });

  it('are opened by the devices and the password they were wrapped for', () => {
    const ring = Keyring.create(2, random);
    const device = new SealingKey(random(32));
    const other = new SealingKey(random(32));
    const key = 'c'.repeat(64) as Parameters<typeof openByDevice>[3];
    const password = passwordKey(random(64));
    const space = new State();
    const value = {
      wraps: [[key, sealTo(device.public, ring.secret, random)]],
      password: sealTo(password.public, ring.secret, random),
      previous: null,
    };
    space.apply([{ table: 'keyring', id: `${ACCOUNT}:2`, value }]);
    assert.deepEqual(openByDevice(space, ACCOUNT, 2, key, device)?.public, ring.public);
    assert.equal(openByDevice(space, ACCOUNT, 2, key, other), undefined);
    assert.equal(openByDevice(space, ACCOUNT, 1, key, device), undefined);
    assert.deepEqual(openByPassword(space, ACCOUNT, 2, password)?.public, ring.public);
    assert.equal(openByPassword(space, ACCOUNT, 2, passwordKey(random(64))), undefined);
    assert.equal(openByPassword(space, ACCOUNT, 3, password), undefined);
  });
});

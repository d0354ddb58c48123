import assert from 'node:assert/strict';
import { toHex } from '../../../lib/crdt/bytes.ts';
import { Keyring, openByDevice, passwordKey } from '../../../lib/crdt/keyring.ts';
import type { PublicKey } from '../../../lib/crdt/keys.ts';
import { Keyrings } from '../../../lib/node/client/keyrings.ts';
import type { Keystore } from '../../../lib/node/keystore.ts';
import { memoryKeystore } from '../../simulation/world.ts';
import { Random } from '../../simulation/random.ts';
import { Ledger, type Member } from '../../support/community.ts';

const EXPORT = new Uint8Array(64).fill(5);

describe('keyrings', () => {
  let ledger: Ledger;
  let alice: Member;
  let keystore: Keystore;
  let faults: unknown[];

  /** Those of a device, which has in its keystore what it is given. */
  const open = async (device: Member, ...kept: Keyring[]): Promise<Keyrings> => {
    keystore = memoryKeystore(new Random(3));
    faults = [];
    await keystore.update((record) => ({
      ...record,
      device: { seed: device.key.seed, sealing: device.sealing.secret },
      keyring: kept.map(({ generation, secret }) => ({ generation, secret })),
    }));
    return new Keyrings({
      keystore,
      account: device.account,
      device: device.id,
      random: ledger.random,
      space: () => ledger.space,
      onFault: (error) => faults.push(error),
    });
  };
  const kept = (): number[] => keystore.read().keyring.map(({ generation }) => generation);
  /** The account shuts a device out. @returns the generation that begins */
  const revoke = (by: Member, device: Member, rest: readonly Member[]): Keyring => {
    const fresh = Keyring.create(by.keyring.generation + 1, ledger.random);
    ledger.accept(by.write('space', 'revoke', by.revocation(device.id, rest, fresh)));
    for (const one of rest) one.keyring = fresh;
    return fresh;
  };

  beforeEach(() => {
    ledger = new Ledger();
    alice = ledger.join('alice');
  });

  it('give the generations that are kept, and the present one', async () => {
    const first = alice.keyring;
    const keyrings = await open(alice, first);
    assert.equal(toHex(keyrings.present.secret), toHex(first.secret));
    assert.equal(keyrings.get(1), keyrings.get(1));
    assert.equal(keyrings.get(2), undefined);
    const second = revoke(alice, ledger.enrol(alice), [alice]);
    assert.throws(() => keyrings.present, { code: 'STALE_KEY' });
    await keyrings.keep([second]);
    assert.equal(toHex(keyrings.present.secret), toHex(second.secret));
    assert.equal(toHex(keyrings.get(1)!.secret), toHex(first.secret));
  });

  it('give none of a number that the account has as another', async () => {
    const keyrings = await open(alice, Keyring.create(1, ledger.random));
    assert.equal(keyrings.get(1), undefined);
    assert.throws(() => keyrings.present, { code: 'STALE_KEY' });
    await keyrings.keep([alice.keyring]);
    assert.equal(toHex(keyrings.present.secret), toHex(alice.keyring.secret));
    assert.deepEqual(kept(), [1]);
  });

  it('are made up by what the space has for the device, as far back as that leads', async () => {
    const first = alice.keyring;
    const phone = ledger.enrol(alice);
    const keyrings = await open(phone);
    for (let n = 0; n < 3; n++) revoke(alice, ledger.enrol(alice), [alice, phone]);
    await keyrings.refresh();
    assert.deepEqual(kept().sort(), [1, 2, 3, 4]);
    assert.equal(toHex(keyrings.present.secret), toHex(alice.keyring.secret));
    assert.equal(toHex(keyrings.get(1)!.secret), toHex(first.secret));
    // Nothing is written where nothing is new.
    keystore.update = () => Promise.reject(new Error('written'));
    await keyrings.refresh();
    assert.deepEqual(faults, []);
  });

  it('are not made up for a device that was shut out', async () => {
    const phone = ledger.enrol(alice);
    const keyrings = await open(phone, phone.keyring);
    revoke(alice, phone, [alice]);
    await keyrings.refresh();
    assert.deepEqual(kept(), [1]);
    assert.throws(() => keyrings.present, { code: 'STALE_KEY' });
    assert.deepEqual(faults, []);
  });

  it('tell of it where they cannot be kept, and go on', async () => {
    const phone = ledger.enrol(alice);
    const keyrings = await open(phone, phone.keyring);
    revoke(alice, ledger.enrol(alice), [alice, phone]);
    const real = { ...keystore };
    keystore.update = () => Promise.reject(new Error('no room'));
    await keyrings.refresh();
    assert.equal(faults.length, 1);
    keystore.update = (change) => real.update(change);
    await keyrings.refresh();
    assert.deepEqual(kept().sort(), [1, 2]);
  });

  it('wait for an account that is not here yet', async () => {
    const stranger = alice.device();
    stranger.account = 'f'.repeat(32) as Member['account'];
    const keyrings = await open(stranger);
    await keyrings.refresh();
    assert.deepEqual([kept(), faults], [[], []]);
    assert.throws(() => keyrings.present, { code: 'STALE_KEY' });
  });

  it('begin a new generation for some devices, which lead to the one before', async () => {
    const phone = ledger.enrol(alice);
    const tablet = ledger.enrol(alice);
    const keyrings = await open(alice, alice.keyring);
    const { renewal, keyring } = keyrings.renew([alice.id, phone.id]);
    assert.equal(keyring.generation, 2);
    assert.deepEqual(renewal.keyring, keyring.public);
    assert.deepEqual(
      renewal.wraps.map(([key]) => key),
      [alice.id, phone.id],
    );
    for (const [n, device] of [alice, phone].entries())
      assert.equal(toHex(device.sealing.open(renewal.wraps[n]![1])!), toHex(keyring.secret));
    assert.equal(tablet.sealing.open(renewal.wraps[0]![1]), undefined);
    const before = keyring.openPrevious(renewal.previous);
    assert.equal(toHex(before!.secret), toHex(alice.keyring.secret));
    assert.throws(() => keyrings.renew(['0'.repeat(64) as PublicKey]), { code: 'NO_SUCH_DEVICE' });
  });

  it('shut a device out, by what the rules accept', async () => {
    const bob = ledger.join('bob', EXPORT);
    for (const member of [alice, bob]) {
      const phone = ledger.enrol(member);
      const keyrings = await open(member, member.keyring);
      const { body, keyring } = keyrings.revocation(phone.id, [member.id]);
      ledger.accept(member.write('space', 'revoke', body));
      const { space } = ledger;
      const opened = openByDevice(space, member.account, 2, member.id, member.sealing);
      assert.equal(toHex(opened!.secret), toHex(keyring.secret));
      const { password } = body as { password: Uint8Array | null };
      const secret = password === null ? null : passwordKey(EXPORT).open(password);
      assert.equal(secret && toHex(secret), member === bob ? toHex(keyring.secret) : null);
    }
  });
});

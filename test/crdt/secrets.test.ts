import assert from 'node:assert/strict';
import { decode, encode } from '../../lib/crdt/codec.ts';
import { isMessage, eraseBody, type Entry } from '../../lib/crdt/entry.ts';
import { Keyring, openByDevice, reachable } from '../../lib/crdt/keyring.ts';
import type { EntryId } from '../../lib/crdt/keys.ts';
import { messageKind, sayOf, Secrets, type SecretsOptions } from '../../lib/crdt/secrets.ts';
import { sealBody } from '../../lib/crdt/sealed-body.ts';
import { State } from '../../lib/crdt/state.ts';
import { LOBBY_STREAM, pairStream, type StreamName } from '../../lib/crdt/stream.ts';
import { MAX_TEXT_BYTES } from '../../lib/text.ts';
import { Ledger, type Member } from '../support/community.ts';

/** What one device of a person can open, with the generations of the keyring that it has. */
function secretsOf(
  ledger: Ledger,
  member: Member,
  keyrings = [member.keyring],
  change: Partial<SecretsOptions> = {},
): Secrets {
  return new Secrets({
    server: ledger.server.id,
    device: member.id,
    account: member.account,
    random: ledger.random,
    keyring: (generation) => keyrings.find((ring) => ring.generation === generation),
    isProven: () => true,
    space: () => ledger.space,
    provedLock: () => undefined,
    opened: () => undefined,
    keptEpoch: () => undefined,
    ...change,
  });
}

describe('conversation keys', () => {
  let ledger: Ledger;
  let alice: Member;
  let bob: Member;
  let pair: StreamName;
  let state: State;

  beforeEach(() => {
    ledger = new Ledger();
    alice = ledger.join('alice');
    bob = ledger.join('bob');
    pair = pairStream(alice.account, bob.account);
    ({ state } = ledger.at(pair));
  });

  const openEpoch = (by: Member, secrets: Secrets): Entry =>
    by.write(pair, 'epoch', secrets.newEpoch(pair, state));
  const write = (by: Member, secrets: Secrets, epoch: EntryId, text: string): Entry => {
    const at = { stream: pair, seq: by.next(pair) };
    const { body, salt } = secrets.write({ plain: { text } }, at, epoch, state);
    return by.write(pair, 'sealed', body, { salt });
  };

  it('are opened for exactly the members, who read what is sealed under them', () => {
    const [hers, his] = [secretsOf(ledger, alice), secretsOf(ledger, bob)];
    assert.equal(hers.writable(pair, state), undefined);
    const epoch = ledger.accept(openEpoch(alice, hers));
    assert.equal(hers.writable(pair, state), epoch.id);
    assert.equal(his.writable(pair, state), epoch.id);
    const message = ledger.accept(write(alice, hers, epoch.id, 'Grüße'));
    assert.ok(!Buffer.from(message.body!).includes('Gr'));
    assert.deepEqual(his.read(message, state), { text: 'Grüße' });
    assert.deepEqual(hers.read(message, state), { text: 'Grüße' });
    const carol = ledger.join('carol');
    assert.equal(secretsOf(ledger, carol).read(message, state), undefined);
    // Somebody who claims to be bob has not his keyring.
    const claims = { ...carol, account: bob.account } as Member;
    assert.equal(secretsOf(ledger, claims, [carol.keyring]).read(message, state), undefined);
  });

  it('are written under before any seal has them, as long as they reach the members', () => {
    const hers = secretsOf(ledger, alice);
    const epoch = openEpoch(alice, hers);
    assert.equal(hers.writable(pair, state), undefined);
    hers.noteOpened(epoch);
    assert.equal(hers.writable(pair, state), epoch.id);
    const message = write(alice, hers, epoch.id, 'early');
    assert.deepEqual(hers.read(message, state), { text: 'early' });
    hers.forgetOpened(pair);
    assert.equal(hers.writable(pair, state), undefined);
    hers.noteOpened(epoch);
    rotate(bob, ledger.enrol(bob));
    assert.equal(hers.writable(pair, state), undefined);
  });

  it('are not written under when this device cannot open them', () => {
    const epoch = ledger.accept(openEpoch(bob, secretsOf(ledger, bob)));
    const poor = secretsOf(ledger, alice, []);
    assert.equal(poor.writable(pair, state), undefined);
    const at = { stream: pair, seq: 1 };
    assert.throws(() => poor.write({ plain: { text: 'x' } }, at, epoch.id, state), {
      code: 'STALE_KEY',
    });
    // Wrapped for her name, but with something that her key does not open.
    const body = bob.epoch([alice, bob], 1, new Uint8Array(32));
    (body['wraps'] as [string, number, Uint8Array][])[0]![2] = new Uint8Array(80);
    const poisoned = ledger.accept(bob.write(pair, 'epoch', body));
    assert.equal(
      secretsOf(ledger, alice).read(write(bob, secretsOf(ledger, bob), epoch.id, 'x'), state)?.text,
      'x',
    );
    assert.throws(
      () => secretsOf(ledger, alice).write({ plain: { text: 'x' } }, at, poisoned.id, state),
      {
        code: 'STALE_KEY',
      },
    );
  });

  it('open no new epoch for somebody who is not there', () => {
    const nobody = pairStream(alice.account, 'f'.repeat(32) as Member['account']);
    assert.throws(() => secretsOf(ledger, alice).newEpoch(nobody, state), {
      code: 'NO_SUCH_USER',
    });
  });

  /** Shuts a device out. @returns the fresh keyring */
  function rotate(member: Member, out: Member): Keyring {
    const fresh = Keyring.create(member.keyring.generation + 1, ledger.random);
    const body = member.revocation(out.id, [member], fresh);
    ledger.accept(member.write('space', 'revoke', body));
    member.keyring = fresh;
    return fresh;
  }

  it('keep a revoked device from all that follows, even with everything that it ever had', () => {
    const phone = ledger.enrol(alice);
    const stolen = [phone.keyring];
    const thief = (): Secrets => secretsOf(ledger, phone, stolen);
    const old = ledger.accept(openEpoch(bob, secretsOf(ledger, bob)));
    const before = ledger.accept(write(bob, secretsOf(ledger, bob), old.id, 'before'));
    assert.equal(thief().read(before, state)?.text, 'before');
    const first = alice.keyring;
    const fresh = rotate(alice, phone);

    // Bob goes on: the old key is void, so he opens another.
    const his = secretsOf(ledger, bob);
    assert.equal(his.writable(pair, state), undefined);
    const epoch = ledger.accept(openEpoch(bob, his));
    const after = ledger.accept(write(bob, his, epoch.id, 'after'));
    assert.equal(secretsOf(ledger, alice, [fresh, first]).read(after, state)?.text, 'after');
    assert.equal(secretsOf(ledger, alice, [fresh, first]).read(before, state)?.text, 'before');

    // The thief holds every byte of the log, its old keyring and its device keys.
    assert.equal(thief().read(after, state), undefined);
    const { space } = ledger;
    assert.equal(openByDevice(space, alice.account, 2, phone.id, phone.sealing), undefined);
    assert.equal(openByDevice(space, alice.account, 2, alice.id, phone.sealing), undefined);
    assert.equal(phone.keyring.openPrevious(new Uint8Array(72)), undefined);
    assert.deepEqual(
      [...reachable(space, alice.account, phone.keyring)].map((r) => r.generation),
      [1],
    );
    // And has no way to write: neither under the old key nor under one of its own.
    ledger.reject(write(phone, thief(), old.id, 'hah'), 'REVOKED');
    phone.rewind(pair, undefined);
    ledger.reject(openEpoch(phone, thief()), 'REVOKED');
  });

  it('give every generation to a device that joins later', () => {
    const his = secretsOf(ledger, bob);
    const first = ledger.accept(openEpoch(bob, his));
    const before = ledger.accept(write(bob, his, first.id, 'before'));
    const one = alice.keyring;
    rotate(alice, ledger.enrol(alice));
    const second = ledger.accept(openEpoch(bob, secretsOf(ledger, bob)));
    const after = ledger.accept(write(bob, secretsOf(ledger, bob), second.id, 'after'));
    const tablet = ledger.enrol(alice);
    const rings = [...reachable(ledger.space, alice.account, tablet.keyring)];
    assert.deepEqual(rings.at(-1)?.secret, one.secret);
    const secrets = secretsOf(ledger, tablet, rings);
    assert.deepEqual(
      [before, after].map((entry) => secrets.read(entry, state)?.text),
      ['before', 'after'],
    );
  });

  it('say nothing of what is erased, malformed, altered or no message', () => {
    const his = secretsOf(ledger, bob);
    const epoch = ledger.accept(openEpoch(bob, his));
    const message = write(bob, his, epoch.id, 'x');
    assert.equal(his.read(eraseBody(message), state), undefined);
    assert.equal(his.read(epoch, state), undefined);
    const moved = bob.write(pair, 'sealed', message.body!, { salt: message.salt! });
    assert.equal(his.read(moved, state), undefined);
    for (const body of [
      {},
      { epoch: epoch.id, box: new Uint8Array(5) },
      { epoch: 'x', box: new Uint8Array() },
      7,
    ])
      assert.equal(his.read(bob.forge(pair, 'sealed', body), state), undefined);
    // Sealed rightly, but no message inside.
    const salt = ledger.random(16);
    const place = { server: ledger.server.id, stream: pair, device: bob.id, seq: 50 };
    const key = new Uint8Array(32);
    const own = ledger.accept(
      bob.write(pair, 'epoch', bob.epoch([alice, bob], 1, key), {
        seq: bob.next(pair) - 2,
        previous: epoch.id,
      }),
    );
    const inside = sealBody(key, own.id, place, salt, encode({ text: 7 }));
    assert.equal(his.read(bob.forge(pair, 'sealed', inside, { salt, seq: 50 }), state), undefined);
    const said = sealBody(key, own.id, place, salt, encode({ text: 'seven' }));
    assert.equal(
      his.read(bob.forge(pair, 'sealed', said, { salt, seq: 50 }), state)?.text,
      'seven',
    );
  });
});

describe('messages', () => {
  it('are of the kind that their stream takes', () => {
    const ledger = new Ledger();
    const [alice, bob] = [ledger.join('alice'), ledger.join('bob')];
    assert.equal(messageKind(ledger.space, LOBBY_STREAM), 'say');
    assert.equal(messageKind(ledger.space, pairStream(alice.account, bob.account)), 'sealed');
    const said = alice.write(LOBBY_STREAM, 'say', { text: 'open' });
    assert.ok(isMessage(said));
    assert.ok(!isMessage({ ...said, kind: 'epoch' }));
    assert.equal(secretsOf(ledger, bob).read(said, new State())?.text, 'open');
    const { body } = secretsOf(ledger, alice).write(
      { plain: { text: 'open' } },
      { stream: LOBBY_STREAM, seq: 1 },
      undefined,
      new State(),
    );
    assert.deepEqual(decode(body), { text: 'open' });
  });

  it('have a text of up to 16 KiB', () => {
    assert.throws(() => sayOf(''), { code: 'USAGE' });
    assert.throws(() => sayOf('x'.repeat(MAX_TEXT_BYTES + 1)), { code: 'TOO_LARGE' });
    assert.throws(() => sayOf('ü'.repeat(MAX_TEXT_BYTES / 2 + 1)), { code: 'TOO_LARGE' });
    assert.deepEqual(sayOf('x'.repeat(MAX_TEXT_BYTES)).text.length, MAX_TEXT_BYTES);
  });
});

import assert from 'node:assert/strict';
import {
  Keyring,
  openByDevice,
  openByPassword,
  passwordKey,
  wrapForPassword,
} from '../../lib/crdt/keyring.ts';
import { sealTo, type AccountId } from '../../lib/crdt/keys.ts';
import {
  accountOf,
  deviceOf,
  type KeyringRecord,
  type RoomRecord,
} from '../../lib/crdt/records.ts';
import { redeem } from '../../lib/crdt/codes.ts';
import type { Entry } from '../../lib/crdt/entry.ts';
import { accountNamed } from '../../lib/crdt/people.ts';
import { codeVerifier, MAX_DEVICES } from '../../lib/crdt/space.ts';
import { isKey } from '../../lib/crdt/store-keys.ts';
import { changeOperations } from '../../lib/crdt/state-store.ts';
import { LOBBY } from '../../lib/crdt/stream.ts';
import { isName } from '../../lib/text.ts';
import { foundation, GROUPS, Ledger, Member, NOW } from '../support/community.ts';
import { codeFacts } from '../support/rooms.ts';

const EXPORT = new Uint8Array(64).fill(5);
const NOBODY = 'f'.repeat(32) as AccountId;

describe('the space', () => {
  let ledger: Ledger;
  let alice: Member;
  let bob: Member;

  beforeEach(() => {
    ledger = new Ledger();
    alice = ledger.join('alice', EXPORT);
    bob = ledger.join('bob');
  });

  const generation = (member: Member): number =>
    accountOf(ledger.space, member.account)!.keyring.generation;
  /** Changes an account's record past all rules. */
  const put = (member: Member, change: object): void => {
    const value = { ...accountOf(ledger.space, member.account)!, ...change };
    ledger.space.apply([{ table: 'account', id: member.account, value }]);
  };

  describe('begins', () => {
    it('with the server, its groups and its lobby, once', () => {
      const { space } = ledger;
      assert.deepEqual(space.get('server', 'server'), { name: 'acme', created: NOW });
      assert.deepEqual(space.get('group', 'helper'), GROUPS.helper);
      assert.deepEqual(space.get<RoomRecord>('room', LOBBY), {
        name: 'lobby',
        owner: null,
        lifetime: 'builtin',
        private: false,
      });
      ledger.reject(foundation(ledger.server), 'ALREADY');
    });
  });

  describe('accounts', () => {
    it('come with their first device and keyring', () => {
      const account = accountOf(ledger.space, alice.account)!;
      assert.deepEqual(
        [account.name, account.group, account.passwordVersion, account.created],
        ['alice', 'user', 1, NOW],
      );
      assert.equal(accountNamed(ledger.space, 'ALICE'), alice.account);
      assert.equal(accountNamed(ledger.space, 'nobody'), undefined);
      const device = deviceOf(ledger.space, alice.id)!;
      assert.deepEqual(
        [device.account, device.label, device.revoked, device.added],
        [alice.account, 'laptop', false, 1],
      );
      assert.equal(accountOf(ledger.space, bob.account)?.password, null);
      assert.equal(accountOf(ledger.space, bob.account)?.passwordVersion, 0);
      const opened = openByPassword(ledger.space, alice.account, 1, passwordKey(EXPORT));
      assert.deepEqual(opened?.secret, alice.keyring.secret);
    });

    it('have names that nobody can take for another', () => {
      for (const name of ['alice', 'Alice', 'ALICE', '\u0430lice', 'al\u0456ce']) {
        const member = new Member(ledger.server.id, ledger.random, name);
        ledger.reject(member.signup(), 'NAME_TAKEN');
      }
      ledger.join('ＡＬＩＣＥ2');
      ledger.join('straße');
      ledger.reject(new Member(ledger.server.id, ledger.random, 'STRASSE').signup(), 'NAME_TAKEN');
    });

    it('have no name that would not fit as a key of the store', () => {
      // Names of 32 characters whose folded forms are far longer.
      for (const character of ['ᾷ', 'ΐ', 'ﬃ', '𐐀', 'ŉ', '𝒳']) {
        const name = character.repeat(32);
        if (!isName(name)) continue;
        const before = [...ledger.space.records()].length;
        const entry = new Member(ledger.server.id, ledger.random, name).signup();
        const verdict = ledger.submit(entry);
        const stored = changeOperations('space', 'changes' in verdict ? verdict.changes : []);
        for (const { key } of stored) assert.ok(isKey(key), `${name}: ${key}`);
        if (verdict.type === 'rejected') {
          assert.equal(verdict.code, 'BAD_NAME');
          assert.equal([...ledger.space.records()].length, before);
        }
      }
    });

    it('come with the code that invited them, into the group that it is for', () => {
      ledger.appoint(alice, 'admin');
      const facts = { purpose: 'signup', group: 'helper', ...codeFacts('WELCOME') };
      ledger.accept(alice.write('space', 'code', facts));
      const invited = (name: string, code: string, by?: Member): Entry => {
        const member = new Member(ledger.server.id, ledger.random, name);
        return member.signup(undefined, {
          code: redeem(code, ledger.server.id, (by ?? member).id, 'space'),
        });
      };
      ledger.reject(invited('dora', 'WELCOMF'), 'BAD_CODE');
      ledger.reject(invited('dora', 'WELCOME', bob), 'BAD_CODE');
      const entry = ledger.accept(invited('dora', 'WELCOME'));
      const dora = entry.id.slice(0, 32) as AccountId;
      assert.equal(accountOf(ledger.space, dora)?.group, 'helper');
      ledger.reject(invited('emil', 'WELCOME'), 'BAD_CODE');
    });

    it('begin with the first generation of a keyring', () => {
      const carol = new Member(ledger.server.id, ledger.random, 'carol');
      const keyring = Keyring.create(2, ledger.random).public;
      ledger.reject(carol.signup(undefined, { keyring }), 'BAD_ENTRY');
    });
  });

  describe('devices', () => {
    it('join when the keyring of the account vouches for them', () => {
      const phone = ledger.enrol(alice);
      assert.equal(deviceOf(ledger.space, phone.id)?.account, alice.account);
    });

    it('do not join otherwise', () => {
      const phone = alice.device();
      const proof = (member: Member, device: Member, account = alice.account): Uint8Array =>
        member.keyring.vouch(ledger.server.id, account, device.id, device.sealing.public);
      const entry = (change: object) => {
        const made = phone.enrolment(change);
        phone.rewind('space', undefined);
        return made;
      };
      ledger.reject(entry({ account: NOBODY }), 'NO_SUCH_USER');
      ledger.reject(entry({ generation: 2 }), 'STALE_KEY');
      ledger.reject(entry({ generation: 0 }), 'STALE_KEY');
      ledger.reject(entry({ proof: new Uint8Array(64) }), 'DENIED');
      // Vouched for by another account, for another device, account, server or sealing key.
      ledger.reject(entry({ proof: proof(bob, phone) }), 'DENIED');
      ledger.reject(entry({ proof: proof(alice, alice) }), 'DENIED');
      ledger.reject(entry({ proof: proof(alice, phone, bob.account) }), 'DENIED');
      const elsewhere = alice.keyring.vouch(bob.id, alice.account, phone.id, phone.sealing.public);
      ledger.reject(entry({ proof: elsewhere }), 'DENIED');
      const device = { sealing: bob.sealing.public, label: 'x' };
      ledger.reject(entry({ device }), 'DENIED');
      ledger.accept(entry({}));
    });

    it('are limited in number', function () {
      for (let i = 1; i < MAX_DEVICES; i++) ledger.enrol(alice);
      ledger.reject(alice.device().enrolment(), 'TOO_LARGE');
      ledger.enrol(bob);
    });
  });

  describe('a revocation', () => {
    let phone: Member;
    let fresh: Keyring;
    beforeEach(() => {
      phone = ledger.enrol(alice);
      fresh = Keyring.create(2, ledger.random);
    });
    const body = (change: object = {}): Record<string, unknown> => ({
      ...alice.revocation(phone.id, [alice], fresh),
      password: sealTo(passwordKey(EXPORT).public, fresh.secret, ledger.random),
      ...change,
    });

    it('begins a generation of the keyring that only the other devices and the password open', () => {
      ledger.accept(alice.write('space', 'revoke', body()));
      const { space } = ledger;
      assert.equal(deviceOf(space, phone.id)?.revoked, true);
      assert.equal(deviceOf(space, alice.id)?.revoked, false);
      assert.equal(generation(alice), 2);
      const open = (device: Member): Keyring | undefined =>
        openByDevice(space, alice.account, 2, device.id, device.sealing);
      assert.deepEqual(open(alice)?.secret, fresh.secret);
      assert.equal(open(phone), undefined);
      assert.deepEqual(
        openByPassword(space, alice.account, 2, passwordKey(EXPORT))?.secret,
        fresh.secret,
      );
    });

    it('is refused for devices that are not there, of others or revoked already', () => {
      const refuse = (device: string): unknown =>
        ledger.refuse(alice.write('space', 'revoke', body({ device })), 'NO_SUCH_DEVICE');
      refuse('0'.repeat(64));
      refuse(bob.id);
      refuse(ledger.server.id);
      ledger.accept(alice.write('space', 'revoke', body()));
      refuse(phone.id);
    });

    it('is refused where the last administrator could not come back', () => {
      const root = ledger.join('root');
      ledger.appoint(root, 'admin');
      const own = (): Entry =>
        root.write(
          'space',
          'revoke',
          root.revocation(root.id, [], Keyring.create(2, ledger.random)),
        );
      ledger.refuse(own(), 'LAST_ADMIN');
      ledger.appoint(bob, 'admin', root);
      ledger.accept(own());
    });

    it('is refused when it does not reach exactly the other devices', () => {
      const wrap = (member: Member): unknown => [
        member.id,
        sealTo(member.sealing.public, fresh.secret, ledger.random),
      ];
      const tablet = ledger.enrol(alice);
      for (const devices of [
        [],
        [alice],
        [alice, tablet, phone],
        [alice, alice],
        [alice, phone],
        [alice, tablet, bob],
      ]) {
        const entry = alice.write('space', 'revoke', body({ wraps: devices.map(wrap) }));
        ledger.refuse(entry, 'STALE_KEY');
      }
      ledger.accept(alice.write('space', 'revoke', body({ wraps: [tablet, alice].map(wrap) })));
    });

    it('is refused when its generation is not the next, or the password is left out', () => {
      for (const [number, code] of [
        [1, 'STALE_KEY'],
        [3, 'STALE_KEY'],
      ] as const) {
        const keyring = Keyring.create(number, ledger.random).public;
        ledger.refuse(alice.write('space', 'revoke', body({ keyring })), code);
      }
      ledger.refuse(alice.write('space', 'revoke', body({ password: null })), 'BAD_ENTRY');
      // And where there is none, there is none to be wrapped for.
      const tablet = ledger.enrol(bob);
      const own = bob.revocation(tablet.id, [bob], fresh);
      const extra = { ...own, password: new Uint8Array(80) };
      ledger.refuse(bob.write('space', 'revoke', extra), 'BAD_ENTRY');
      ledger.accept(bob.write('space', 'revoke', own));
    });

    it('may shut out the device itself, the last one too', () => {
      const last = bob.revocation(bob.id, [], fresh);
      ledger.accept(bob.write('space', 'revoke', last));
      ledger.reject(bob.forge('room/lobby', 'say', { text: 'x' }), 'REVOKED');
    });
  });

  describe('a password', () => {
    it('is set anew for the present generation', () => {
      const other = new Uint8Array(64).fill(6);
      const password = wrapForPassword(alice.keyring, other, ledger.random);
      ledger.accept(alice.write('space', 'password', { password }));
      const { space } = ledger;
      assert.equal(accountOf(space, alice.account)?.passwordVersion, 2);
      assert.equal(openByPassword(space, alice.account, 1, passwordKey(EXPORT)), undefined);
      assert.deepEqual(
        openByPassword(space, alice.account, 1, passwordKey(other))?.secret,
        alice.keyring.secret,
      );
      ledger.accept(
        bob.write('space', 'password', {
          password: wrapForPassword(bob.keyring, other, ledger.random),
        }),
      );
      assert.equal(accountOf(space, bob.account)?.passwordVersion, 1);
    });

    it('made by somebody else is replaced with a new keyring, before anything else', () => {
      const { space } = ledger;
      put(alice, { mustChange: true });
      ledger.reject(alice.forge('room/lobby', 'say', { text: 'x' }), 'MUST_CHANGE');
      ledger.reject(alice.forge('space', 'room', { name: 'den', private: false }), 'MUST_CHANGE');
      const fresh = Keyring.create(2, ledger.random);
      const body = (change: object = {}): object => ({
        password: wrapForPassword(fresh, EXPORT, ledger.random),
        renewal: {
          keyring: fresh.public,
          wraps: [[alice.id, sealTo(alice.sealing.public, fresh.secret, ledger.random)]],
          previous: fresh.sealPrevious(alice.keyring, ledger.random),
          ...change,
        },
      });
      const password = wrapForPassword(alice.keyring, EXPORT, ledger.random);
      ledger.refuse(alice.write('space', 'password', { password }), 'MUST_CHANGE');
      ledger.refuse(alice.write('space', 'password', body({ wraps: [] })), 'STALE_KEY');
      const old = { keyring: alice.keyring.public };
      ledger.refuse(alice.write('space', 'password', body(old)), 'STALE_KEY');
      ledger.accept(alice.write('space', 'password', body()));
      assert.equal(accountOf(space, alice.account)?.mustChange, undefined);
      assert.equal(generation(alice), 2);
      const opened = openByPassword(space, alice.account, 2, passwordKey(EXPORT));
      assert.deepEqual(opened?.secret, fresh.secret);
      ledger.accept(alice.write('room/lobby', 'say', { text: 'x' }));
    });
  });

  describe('a reset', () => {
    const CODE = 'sesame';
    const reset = { verifier: codeVerifier(CODE) };
    let lost: Member;
    beforeEach(() => {
      ledger.appoint(alice, 'admin');
      // Bob has lost all his devices, and comes with a new one.
      lost = new Member(ledger.server.id, ledger.random, 'bob');
      lost.account = bob.account;
    });
    const recovery = (change: object = {}, member = lost, number = 2): unknown => {
      const fresh = Keyring.create(number, ledger.random);
      return {
        account: bob.account,
        code: CODE,
        device: member.deviceKeys,
        keyring: fresh.public,
        wraps: [...new Set([bob, member])].map((one) => [
          one.id,
          sealTo(one.sealing.public, fresh.secret, ledger.random),
        ]),
        password: wrapForPassword(fresh, EXPORT, ledger.random),
        ...change,
      };
    };

    it('is for administrators', () => {
      const body = { account: alice.account, ...reset };
      ledger.refuse(bob.write('space', 'reset', body), 'DENIED');
      ledger.appoint(bob, 'helper', alice);
      ledger.refuse(bob.write('space', 'reset', body), 'DENIED');
      ledger.refuse(alice.write('space', 'reset', { account: NOBODY, ...reset }), 'NO_SUCH_USER');
      ledger.accept(alice.write('space', 'reset', { account: bob.account, ...reset }));
    });

    it('lets a new device in with its code, once, and begins a new keyring', () => {
      ledger.accept(alice.write('space', 'reset', { account: bob.account, ...reset }));
      const wrong = lost.forge('space', 'recover', recovery({ code: 'sesam' }));
      ledger.reject(wrong, 'BAD_CODE');
      ledger.accept(lost.write('space', 'recover', recovery()));
      const { space } = ledger;
      assert.equal(generation(bob), 2);
      assert.equal(deviceOf(space, lost.id)?.account, bob.account);
      assert.equal(accountOf(space, bob.account)?.passwordVersion, 1);
      const record = space.get<KeyringRecord>('keyring', `${bob.account}:2`);
      assert.equal(record?.previous, null);
      ledger.refuse(lost.write('space', 'recover', recovery({}, lost, 3)), 'BAD_CODE');
    });

    it('makes a password of their own of one that somebody else had made', () => {
      put(bob, { mustChange: true });
      ledger.accept(alice.write('space', 'reset', { account: bob.account, ...reset }));
      ledger.accept(lost.write('space', 'recover', recovery()));
      assert.equal(accountOf(ledger.space, bob.account)?.mustChange, undefined);
    });

    it('is of no use without a reset, for another account or at another generation', () => {
      const from = (member: Member, body: unknown) => member.forge('space', 'recover', body);
      ledger.reject(from(lost, recovery()), 'BAD_CODE');
      ledger.accept(alice.write('space', 'reset', { account: bob.account, ...reset }));
      ledger.reject(from(lost, recovery({ account: NOBODY })), 'BAD_CODE');
      ledger.reject(from(lost, recovery({ account: alice.account })), 'BAD_CODE');
      ledger.reject(from(lost, recovery({}, lost, 1)), 'STALE_KEY');
      ledger.reject(from(lost, recovery({}, lost, 3)), 'STALE_KEY');
      ledger.reject(from(lost, recovery({ wraps: [] })), 'STALE_KEY');
      const carol = ledger.join('carol');
      ledger.refuse(carol.write('space', 'recover', recovery({}, carol)), 'DENIED');
      // A device that is left may redeem it too.
      ledger.accept(bob.write('space', 'recover', recovery({}, bob)));
      assert.equal(deviceOf(ledger.space, bob.id)?.added, 2);
    });
  });
});

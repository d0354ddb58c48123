import assert from 'node:assert/strict';
import { redeem } from '../../lib/crdt/codes.ts';
import type { Entry } from '../../lib/crdt/entry.ts';
import { Keyring, openByPassword, passwordKey, wrapForPassword } from '../../lib/crdt/keyring.ts';
import type { AccountId } from '../../lib/crdt/keys.ts';
import { accountNamed, groupNamed, MAX_GROUPS } from '../../lib/crdt/people.ts';
import {
  accountOf,
  deviceOf,
  presentAccount,
  type CodeRecord,
  type GroupRecord,
  type ServerRecord,
} from '../../lib/crdt/records.ts';
import { levelOf, may } from '../../lib/crdt/rights.ts';
import { isOpenMember, roomOf } from '../../lib/crdt/rooms.ts';
import { Ledger, Member, NOW } from '../support/community.ts';
import { codeFacts, madeBy, roomEntry } from '../support/rooms.ts';

const NOBODY = 'f'.repeat(32) as AccountId;
const EXPORT = new Uint8Array(64).fill(5);

describe('people', () => {
  let ledger: Ledger;
  /** An administrator. */
  let root: Member;
  let alice: Member;
  let bob: Member;

  beforeEach(() => {
    ledger = new Ledger();
    root = ledger.join('root');
    alice = ledger.join('alice');
    bob = ledger.join('bob');
    ledger.appoint(root, 'admin');
  });

  const groupOf = (member: Member): string => accountOf(ledger.space, member.account)!.group;
  /** A group of its own for somebody, with some permissions at a level. */
  const put = (member: Member, level: number, ...permissions: string[]): string => {
    const name = `g${ledger.at('space').length}`;
    ledger.accept(root.write('space', 'creategroup', { name, level }));
    ledger.accept(root.write('space', 'updategroup', { name, add: permissions, remove: [] }));
    ledger.accept(root.write('space', 'setgroup', { account: member.account, group: name }));
    return name;
  };

  describe('are put into groups', () => {
    const set = (by: Member | Ledger['server'], member: Member, group: string): Entry =>
      by.write('space', 'setgroup', { account: member.account, group });

    it('by those who may, and never above their own level', () => {
      const carol = ledger.join('carol');
      ledger.refuse(set(bob, carol, 'helper'), 'DENIED');
      ledger.accept(set(root, bob, 'helper'));
      ledger.accept(set(bob, carol, 'mute'));
      ledger.refuse(set(bob, carol, 'admin'), 'DENIED');
      ledger.refuse(set(bob, root, 'user'), 'DENIED');
      const nobody = { account: NOBODY, group: 'user' };
      ledger.refuse(root.write('space', 'setgroup', nobody), 'NO_SUCH_USER');
      assert.equal(groupOf(carol), 'mute');
    });

    it('that do not exist, and then may do nothing', () => {
      ledger.accept(set(root, alice, 'none'));
      assert.equal(groupOf(alice), 'none');
      assert.equal(levelOf(ledger.space, alice.account), 0);
      ledger.refuse(alice.write('room/lobby', 'say', { text: 'x' }), 'DENIED');
    });

    it('without the last administrator being lost', () => {
      for (const group of ['user', 'helper', 'none'])
        ledger.refuse(set(root, root, group), 'LAST_ADMIN');
      ledger.accept(set(root, root, 'admin'));
      ledger.accept(set(root, bob, 'admin'));
      ledger.accept(set(root, root, 'user'));
      ledger.refuse(set(bob, bob, 'helper'), 'LAST_ADMIN');
    });

    it('by the server itself only the first administrator', () => {
      const other = new Ledger(2);
      const dora = other.join('dora');
      const first = (member: Member, group: string): Entry =>
        other.server.forge('space', 'setgroup', { account: member.account, group });
      other.reject(first(dora, 'helper'), 'DENIED');
      other.appoint(dora, 'admin');
      other.reject(first(other.join('emil'), 'admin'), 'DENIED');
    });
  });

  describe('make groups', () => {
    const create = (by: Member, name: string, level: number): Entry =>
      by.write('space', 'creategroup', { name, level });
    const update = (by: Member, name: string, change: object): Entry =>
      by.write('space', 'updategroup', { name, add: [], remove: [], ...change });
    const group = (name: string): GroupRecord | undefined => groupNamed(ledger.space, name);

    it('with a level up to their own, and no permissions yet', () => {
      ledger.refuse(create(alice, 'crew', 0), 'DENIED');
      put(alice, 50, 'setGroupPerm');
      ledger.refuse(create(alice, 'crew', 51), 'DENIED');
      ledger.accept(create(alice, 'crew', 50));
      assert.deepEqual(group('crew'), { level: 50, permissions: [] });
      ledger.refuse(create(alice, 'crew', 1), 'NAME_TAKEN');
      ledger.refuse(create(alice, 'user', 1), 'NAME_TAKEN');
    });

    it('a bounded number of them', () => {
      const there = [...ledger.space.entries('group')].length;
      for (let n = there; n < MAX_GROUPS; n++) ledger.accept(create(root, `group${n}`, 0));
      ledger.refuse(create(root, 'more', 0), 'TOO_LARGE');
      ledger.accept(root.write('space', 'removegroup', { name: `group${there}` }));
      ledger.accept(create(root, 'more', 0));
    });

    it('and give them what they have themselves', () => {
      put(alice, 50, 'setGroupPerm', 'createRoom');
      ledger.accept(create(alice, 'crew', 10));
      ledger.refuse(update(alice, 'crew', { add: ['createUser'] }), 'DENIED');
      ledger.refuse(update(alice, 'crew', { add: ['createRoom', 'createUser'] }), 'DENIED');
      ledger.accept(update(alice, 'crew', { add: ['createRoom', 'setGroupPerm', 'createRoom'] }));
      assert.deepEqual(group('crew')?.permissions, ['createRoom', 'setGroupPerm']);
      ledger.accept(update(alice, 'crew', { add: ['createRoom'], remove: ['createRoom'] }));
      assert.deepEqual(group('crew')?.permissions, ['setGroupPerm']);
      ledger.accept(update(root, 'crew', { add: ['createUser'], level: 20, fileLimit: 9 }));
      assert.deepEqual(group('crew'), {
        level: 20,
        permissions: ['setGroupPerm', 'createUser'],
        fileLimit: 9,
      });
      ledger.accept(update(alice, 'crew', { remove: ['createUser'] }));
      ledger.refuse(update(bob, 'crew', {}), 'DENIED');
      ledger.refuse(update(alice, 'none', {}), 'NO_SUCH_GROUP');
    });

    it('but touch none above them, nor lift one there, nor the administrators', () => {
      put(alice, 50, 'setGroupPerm');
      ledger.accept(create(root, 'high', 51));
      ledger.accept(create(root, 'low', 50));
      ledger.refuse(update(alice, 'high', {}), 'DENIED');
      ledger.refuse(update(alice, 'high', { level: 3 }), 'DENIED');
      ledger.refuse(alice.write('space', 'removegroup', { name: 'high' }), 'DENIED');
      ledger.refuse(update(alice, 'low', { level: 51 }), 'DENIED');
      ledger.accept(update(alice, 'low', { level: 50 }));
      for (const change of [{ add: [] }, { level: 1 }, { remove: ['createRoom'] }])
        ledger.refuse(update(root, 'admin', change), 'DENIED');
    });

    it('that can be removed, whose members then may do nothing', () => {
      const name = put(bob, 5, 'sendMessage');
      ledger.accept(root.write('space', 'removegroup', { name }));
      assert.equal(groupOf(bob), name);
      assert.ok(!may(ledger.space, bob.account, 'sendMessage'));
      for (const builtin of ['admin', 'user'])
        ledger.refuse(root.write('space', 'removegroup', { name: builtin }), 'DENIED');
      ledger.refuse(root.write('space', 'removegroup', { name }), 'NO_SUCH_GROUP');
      ledger.refuse(alice.write('space', 'removegroup', { name: 'helper' }), 'DENIED');
    });
  });

  describe('make accounts for others', () => {
    const create = (by: Member, name: string, group: string, keyring?: Keyring): Entry => {
      const first = keyring ?? Keyring.create(1, ledger.random);
      return by.write('space', 'createuser', {
        name,
        group,
        keyring: first.public,
        password: wrapForPassword(first, EXPORT, ledger.random),
      });
    };

    it('whose password has to be changed', () => {
      const keyring = Keyring.create(1, ledger.random);
      const entry = ledger.accept(create(root, 'dora', 'helper', keyring));
      const id = entry.id.slice(0, 32) as AccountId;
      const { space } = ledger;
      assert.deepEqual(accountOf(space, id), {
        name: 'dora',
        group: 'helper',
        created: NOW,
        keyring: keyring.public,
        password: passwordKey(EXPORT).public,
        passwordVersion: 1,
        mustChange: true,
      });
      assert.equal(accountNamed(space, 'DORA'), id);
      assert.deepEqual(openByPassword(space, id, 1, passwordKey(EXPORT))?.secret, keyring.secret);
      // With a device it can do nothing but that.
      const dora = new Member(ledger.server.id, ledger.random, 'dora', keyring);
      dora.account = id;
      ledger.accept(dora.enrolment());
      ledger.reject(dora.forge('room/lobby', 'say', { text: 'x' }), 'MUST_CHANGE');
    });

    it('if they may, and into groups up to their own level', () => {
      ledger.refuse(create(alice, 'dora', 'user'), 'DENIED');
      put(alice, 50, 'createUser');
      ledger.refuse(create(alice, 'dora', 'admin'), 'DENIED');
      ledger.accept(create(alice, 'dora', 'helper'));
      ledger.accept(create(alice, 'emil', 'of-no-group'));
    });

    it('under names that are free', () => {
      for (const name of ['bob', 'BOB', 'b\u043eb'])
        ledger.refuse(create(root, name, 'user'), 'NAME_TAKEN');
      ledger.refuse(create(root, 'ᾷ'.repeat(32), 'user'), 'BAD_NAME');
      const second = Keyring.create(2, ledger.random);
      ledger.refuse(create(root, 'dora', 'user', second), 'BAD_ENTRY');
    });
  });

  describe('are renamed', () => {
    const update = (by: Member, account: AccountId, change: object): Entry =>
      by.write('space', 'updateuser', { account, ...change });

    it('by themselves, and by those who may, of their level or below', () => {
      ledger.accept(update(alice, alice.account, { name: 'Alicia', display: 'Alicia A.' }));
      const { space } = ledger;
      const record = accountOf(space, alice.account);
      assert.deepEqual([record?.name, record?.display], ['Alicia', 'Alicia A.']);
      assert.equal(accountNamed(space, 'alice'), undefined);
      assert.equal(accountNamed(space, 'alicia'), alice.account);
      ledger.refuse(update(alice, bob.account, { name: 'rob' }), 'DENIED');
      ledger.refuse(update(alice, bob.account, {}), 'DENIED');
      put(alice, 10, 'renameUser');
      ledger.accept(update(alice, bob.account, { name: 'rob' }));
      put(bob, 11);
      ledger.refuse(update(alice, bob.account, { name: 'bob' }), 'DENIED');
      ledger.refuse(update(root, NOBODY, { name: 'x' }), 'NO_SUCH_USER');
    });

    it('to names that are free, their own in another spelling among them', () => {
      ledger.refuse(update(alice, alice.account, { name: 'BOB' }), 'NAME_TAKEN');
      ledger.refuse(update(alice, alice.account, { name: 'b\u043eb' }), 'NAME_TAKEN');
      ledger.refuse(update(alice, alice.account, { name: 'ᾷ'.repeat(32) }), 'BAD_NAME');
      ledger.accept(update(alice, alice.account, { name: 'ALICE' }));
      assert.equal(accountNamed(ledger.space, 'alice'), alice.account);
      const impostor = (): Entry => new Member(ledger.server.id, ledger.random, 'alice').signup();
      ledger.reject(impostor(), 'NAME_TAKEN');
      // A name that was given up is free again.
      ledger.accept(update(alice, alice.account, { name: 'dora' }));
      ledger.accept(impostor());
    });
  });

  describe('are removed', () => {
    const remove = (by: Member, member: Member, vengeance = false): Entry =>
      by.write('space', 'removeuser', { account: member.account, vengeance });

    it('with all that they are, but what they wrote', () => {
      const { space } = ledger;
      const phone = ledger.enrol(bob);
      put(bob, 5, 'createRoom', 'inviteUser', 'sendMessage');
      const den = madeBy(ledger.accept(roomEntry(bob, 'den')));
      const hers = madeBy(ledger.accept(roomEntry(root, 'hers')));
      ledger.accept(bob.write('space', 'join', { room: hers.id }));
      const facts = { purpose: 'signup', group: 'user', ...codeFacts('WELCOME', 5) };
      ledger.accept(bob.write('space', 'code', facts));
      ledger.accept(bob.write('room/lobby', 'say', { text: 'x' }));

      ledger.accept(remove(root, bob));
      const record = accountOf(space, bob.account);
      assert.deepEqual([record?.name, record?.removed, record?.erased], ['bob', true, undefined]);
      assert.equal(presentAccount(space, bob.account), undefined);
      for (const device of [bob, phone]) assert.equal(deviceOf(space, device.id)?.revoked, true);
      assert.equal(roomOf(space, den.id)?.owner, null);
      for (const { id } of [den, hers]) assert.ok(!isOpenMember(space, id, bob.account));
      assert.equal(space.get('code', facts.verifier), undefined);
      for (const device of [bob, phone])
        ledger.reject(device.forge('room/lobby', 'say', { text: 'x' }), 'REVOKED');
      ledger.reject(bob.device().enrolment(), 'NO_SUCH_USER');
      ledger.refuse(remove(root, bob), 'NO_SUCH_USER');
      ledger.refuse(
        root.write('space', 'setgroup', { account: bob.account, group: 'user' }),
        'NO_SUCH_USER',
      );
      // Somebody else may take the name.
      ledger.accept(new Member(ledger.server.id, ledger.random, 'Bob').signup());
    });

    it('with vengeance, which is known for ever', () => {
      ledger.accept(remove(root, bob, true));
      assert.equal(accountOf(ledger.space, bob.account)?.erased, true);
    });

    it('by those who may, of their level or below, and not the last administrator', () => {
      ledger.refuse(remove(alice, bob), 'DENIED');
      ledger.refuse(remove(bob, bob), 'DENIED');
      put(alice, 10, 'removeUser');
      put(bob, 11);
      ledger.refuse(remove(alice, bob), 'DENIED');
      ledger.refuse(remove(alice, root), 'DENIED');
      ledger.refuse(remove(root, root), 'LAST_ADMIN');
      ledger.appoint(bob, 'admin', root);
      ledger.accept(remove(bob, root));
      ledger.refuse(remove(bob, bob), 'LAST_ADMIN');
      ledger.accept(remove(alice, alice));
    });
  });

  describe('hand out codes', () => {
    const code = (by: Member, purpose: string, group: string, facts: object): Entry =>
      by.write('space', 'code', { purpose, group, ...facts });
    const elevate = (by: Member, written: string, device: Member = by): Entry =>
      by.write('space', 'elevate', redeem(written, ledger.server.id, device.id, 'space'));

    it('that invite, if they may, into groups up to their own level', () => {
      ledger.refuse(code(alice, 'signup', 'helper', codeFacts('ONE')), 'DENIED');
      ledger.refuse(code(alice, 'signup', 'none', codeFacts('ONE')), 'NO_SUCH_GROUP');
      ledger.accept(code(alice, 'signup', 'user', codeFacts('ONE', 3, NOW + 77)));
      const { verifier } = codeFacts('ONE');
      assert.deepEqual(ledger.space.get<CodeRecord>('code', verifier), {
        purpose: 'signup',
        group: 'user',
        issuer: alice.account,
        uses: 3,
        expires: NOW + 77,
      });
      ledger.refuse(code(bob, 'signup', 'user', codeFacts('ONE')), 'ALREADY');
      put(alice, 50, 'inviteUser');
      ledger.accept(code(alice, 'signup', 'helper', codeFacts('TWO')));
      put(alice, 50, 'sendMessage');
      ledger.refuse(code(alice, 'signup', 'user', codeFacts('THREE')), 'DENIED');
    });

    it('into a group that is closed to others only where they may anywhere', () => {
      const closed = put(bob, 0, 'noInviteFor');
      ledger.refuse(code(alice, 'signup', closed, codeFacts('ONE')), 'DENIED');
      put(alice, 0, 'inviteUserAny');
      ledger.accept(code(alice, 'signup', closed, codeFacts('ONE')));
      ledger.accept(code(alice, 'signup', 'user', codeFacts('TWO')));
    });

    it('that are worth what their maker may do now', () => {
      put(alice, 50, 'issueCode', 'inviteUser');
      ledger.accept(code(alice, 'elevate', 'helper', codeFacts('BACK', 9)));
      ledger.accept(code(alice, 'signup', 'helper', codeFacts('NEW', 9)));
      // A helper of old who was made nobody does not lift themselves up again…
      ledger.appoint(alice, 'user', root);
      for (const by of [alice, bob]) ledger.refuse(elevate(by, 'BACK'), 'BAD_CODE');
      // …nor brings in others to do it.
      const friend = new Member(ledger.server.id, ledger.random, 'friend');
      const invited = { code: redeem('NEW', ledger.server.id, friend.id, 'space') };
      ledger.reject(friend.signup(undefined, invited), 'BAD_CODE');
      // Nor does a code lead above whoever made it, when its group is lifted.
      put(alice, 50, 'issueCode');
      ledger.accept(elevate(bob, 'BACK'));
      const lifted = { name: 'helper', add: [], remove: [], level: 51 };
      ledger.accept(root.write('space', 'updategroup', lifted));
      ledger.refuse(elevate(alice, 'BACK'), 'BAD_CODE');
      ledger.accept(root.write('space', 'removegroup', { name: 'helper' }));
      ledger.refuse(elevate(alice, 'BACK'), 'BAD_CODE');
    });

    it('that are good until their time', () => {
      put(alice, 50, 'issueCode');
      const expires = ledger.now + 1_000;
      ledger.refuse(code(alice, 'elevate', 'user', codeFacts('OLD', 9, NOW - 1)), 'BAD_CODE');
      ledger.accept(code(alice, 'elevate', 'user', codeFacts('UP', 9, expires)));
      ledger.now = expires;
      ledger.accept(elevate(bob, 'UP'));
      ledger.now++;
      // Whatever its own device says that the time is.
      const early = redeem('UP', ledger.server.id, bob.id, 'space');
      ledger.refuse(bob.write('space', 'elevate', early, { time: NOW }), 'BAD_CODE');
    });

    it('that lift into a group, once for each use', () => {
      ledger.refuse(code(alice, 'elevate', 'user', codeFacts('UP')), 'DENIED');
      put(alice, 50, 'issueCode');
      ledger.refuse(code(alice, 'elevate', 'admin', codeFacts('UP')), 'DENIED');
      ledger.accept(code(alice, 'elevate', 'helper', codeFacts('UP')));
      const carol = ledger.join('carol');
      ledger.refuse(elevate(bob, 'DOWN'), 'BAD_CODE');
      ledger.refuse(elevate(bob, 'UP', carol), 'BAD_CODE');
      assert.equal(groupOf(bob), 'user');
      ledger.accept(elevate(bob, 'UP'));
      assert.equal(groupOf(bob), 'helper');
      ledger.refuse(elevate(carol, 'UP'), 'BAD_CODE');
      assert.equal(groupOf(carol), 'user');
    });

    it('for one purpose each', () => {
      ledger.accept(code(root, 'signup', 'helper', codeFacts('IN')));
      ledger.refuse(elevate(bob, 'IN'), 'BAD_CODE');
      ledger.accept(code(root, 'elevate', 'helper', codeFacts('UP')));
      const dora = new Member(ledger.server.id, ledger.random, 'dora');
      const proof = redeem('UP', ledger.server.id, dora.id, 'space');
      ledger.reject(dora.signup(undefined, { code: proof }), 'BAD_CODE');
    });

    it('by which the last administrator is not lost', () => {
      ledger.accept(code(root, 'elevate', 'helper', codeFacts('UP', 2)));
      ledger.refuse(elevate(root, 'UP'), 'LAST_ADMIN');
      assert.equal(groupOf(root), 'admin');
      ledger.accept(elevate(bob, 'UP'));
    });

    it('that are void with the account of who issued them', () => {
      put(alice, 50, 'issueCode');
      ledger.accept(code(alice, 'elevate', 'helper', codeFacts('UP')));
      const gone = { account: alice.account, vengeance: false };
      ledger.accept(root.write('space', 'removeuser', gone));
      ledger.refuse(elevate(bob, 'UP'), 'BAD_CODE');
    });
  });

  it('name the server and say its word of the day, if they may', () => {
    ledger.refuse(alice.write('space', 'renameserver', { name: 'mine' }), 'DENIED');
    ledger.refuse(alice.write('space', 'motd', { text: 'mine' }), 'DENIED');
    ledger.accept(root.write('space', 'motd', { text: 'hello' }));
    ledger.accept(root.write('space', 'renameserver', { name: 'ours' }));
    assert.deepEqual(ledger.space.get<ServerRecord>('server', 'server'), {
      name: 'ours',
      created: NOW,
      motd: 'hello',
    });
  });
});

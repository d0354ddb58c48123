import assert from 'node:assert/strict';
import type { AccountId } from '../../lib/crdt/keys.ts';
import { PERMISSIONS } from '../../lib/crdt/permissions.ts';
import { accountOf } from '../../lib/crdt/records.ts';
import { admins, isLastAdmin, levelOf, may } from '../../lib/crdt/rights.ts';
import { GROUPS, Ledger, NOW, type Member } from '../support/community.ts';

const NOBODY = 'f'.repeat(32) as AccountId;

describe('rights', () => {
  let ledger: Ledger;
  let alice: Member;
  let bob: Member;
  const put = (member: Member, change: object): void => {
    const value = { ...accountOf(ledger.space, member.account)!, ...change };
    ledger.space.apply([{ table: 'account', id: member.account, value }]);
  };

  beforeEach(() => {
    ledger = new Ledger();
    alice = ledger.join('alice');
    bob = ledger.join('bob');
  });

  it('are those of the group, each by itself', () => {
    const { space } = ledger;
    for (const [group, { level, permissions }] of Object.entries(GROUPS)) {
      put(alice, { group });
      assert.equal(levelOf(space, alice.account), level);
      for (const permission of PERMISSIONS)
        assert.equal(
          may(space, alice.account, permission),
          (permissions as string[]).includes(permission),
          `${group} ${permission}`,
        );
    }
  });

  it('are none of those in no group, of nobody and of an account that is no more', () => {
    const { space } = ledger;
    const check = (account: AccountId): void => {
      assert.equal(levelOf(space, account), 0);
      for (const permission of PERMISSIONS) assert.ok(!may(space, account, permission));
    };
    check(NOBODY);
    put(alice, { group: 'gone' });
    check(alice.account);
    for (const group of ['__proto__', 'constructor', 'toString', '']) {
      put(alice, { group });
      check(alice.account);
    }
    put(alice, { group: 'admin', removed: true });
    check(alice.account);
  });

  it('of administrators are had by those who are there', () => {
    assert.equal(admins(ledger.space), 0);
    ledger.appoint(alice, 'admin');
    ledger.appoint(bob, 'admin', alice);
    assert.equal(admins(ledger.space), 2);
    assert.ok(!isLastAdmin(ledger.space, alice.account));
    put(bob, { removed: true });
    assert.equal(admins(ledger.space), 1);
    assert.ok(isLastAdmin(ledger.space, alice.account));
    assert.ok(!isLastAdmin(ledger.space, bob.account));
    assert.ok(!isLastAdmin(ledger.space, NOBODY));
  });

  it('of administrators are not had by those whom the server shuts out', () => {
    for (const member of [alice, bob])
      ledger.appoint(member, 'admin', member === alice ? undefined : alice);
    const ban = { account: bob.account, until: NOW + 10 };
    ledger.accept(alice.write('space', 'ban', ban));
    const { space } = ledger;
    assert.ok(isLastAdmin(space, alice.account, NOW));
    assert.ok(!isLastAdmin(space, bob.account, NOW));
    assert.ok(!isLastAdmin(space, alice.account, NOW + 10));
    assert.ok(!isLastAdmin(space, alice.account), 'it ends');
    const leaving = { account: alice.account, group: 'user' };
    ledger.refuse(alice.write('space', 'setgroup', leaving), 'LAST_ADMIN');
    ledger.accept(alice.write('space', 'ban', { ...ban, until: 0 }));
    assert.ok(isLastAdmin(space, alice.account));
    ledger.now = NOW + 1e12;
    ledger.refuse(alice.write('space', 'setgroup', leaving), 'LAST_ADMIN');
    const gone = { account: alice.account, vengeance: false };
    ledger.refuse(alice.write('space', 'removeuser', gone), 'LAST_ADMIN');
    // The one who is shut out is no loss.
    ledger.accept(alice.write('space', 'removeuser', { ...gone, account: bob.account }));
  });
});

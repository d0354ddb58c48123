import assert from 'node:assert/strict';
import type { AccountId } from '../../lib/crdt/keys.ts';
import { PERMISSIONS } from '../../lib/crdt/permissions.ts';
import { accountOf } from '../../lib/crdt/records.ts';
import { admins, isLastAdmin, levelOf, may } from '../../lib/crdt/rights.ts';
import { GROUPS, Ledger, type Member } from '../support/community.ts';

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
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { codeKey } from '../../lib/crdt/codes.ts';
import type { AccountId, PublicKey } from '../../lib/crdt/keys.ts';
import {
  accountOf,
  activeDevices,
  actorOf,
  deviceOf,
  groupOf,
  isRecord,
  TABLES,
} from '../../lib/crdt/records.ts';
import { USER_PERMISSIONS } from '../../lib/crdt/permissions.ts';
import { State } from '../../lib/crdt/state.ts';
import { pairStream } from '../../lib/crdt/stream.ts';
import { Ledger } from '../support/community.ts';
import { madeBy, newLock, roomEntry } from '../support/rooms.ts';

describe('records', () => {
  it('of every table that the rules make fit their schemas', () => {
    const ledger = new Ledger();
    const alice = ledger.join('alice', new Uint8Array(64));
    const bob = ledger.join('bob');
    ledger.appoint(alice, 'admin');
    const reset = { account: bob.account, verifier: new Uint8Array(32) };
    ledger.accept(alice.write('space', 'reset', reset));
    const room = ledger.accept(alice.write('space', 'room', { name: 'den', private: true }));
    const den = `room/${room.id.slice(0, 32)}` as const;
    ledger.accept(alice.write(den, 'members', { add: [alice.account], remove: [] }));
    ledger.accept(alice.write(den, 'epoch', alice.epoch([alice], 1, new Uint8Array(32))));
    const block = { account: bob.account, blocked: true };
    ledger.accept(alice.write(`account/${alice.account}`, 'block', block));
    const pair = pairStream(alice.account, bob.account);
    ledger.accept(alice.write(pair, 'request', {}));
    const carol = ledger.join('carol');
    const friends = pairStream(carol.account, bob.account);
    ledger.accept(carol.write(friends, 'befriend', {}));
    const read = { stream: pair, until: 3, tell: true };
    ledger.accept(alice.write(`account/${alice.account}`, 'read', read));
    const lock = newLock(ledger.random, 1, new Uint8Array(32));
    const vault = madeBy(
      ledger.accept(roomEntry(alice, 'vault', { private: true, lock: lock.keys })),
    );
    ledger.accept(alice.write('space', 'owner', { room: vault.id, account: bob.account }));
    ledger.accept(roomEntry(alice, 'open'));
    ledger.accept(alice.write('space', 'ban', { account: bob.account, until: 0 }));
    ledger.accept(alice.write('space', 'suppress', { account: bob.account, on: true }));
    const verifier = codeKey('ABCDE-12345').public;
    const code = { purpose: 'signup', group: 'user', verifier, uses: 1, expires: ledger.now };
    ledger.accept(alice.write('space', 'code', code));
    const seen = new Set<string>();
    for (const stream of ['space', den, `account/${alice.account}`, pair, friends] as const)
      for (const { table, value } of ledger.at(stream).state.records()) {
        assert.ok(isRecord(table, value), table);
        seen.add(table);
      }
    assert.deepEqual([...seen].sort(), Object.keys(TABLES).sort());
  });

  it('that do not fit are none, whatever they are', () => {
    for (const table of ['', 'none', '__proto__', 'constructor', 'toString'])
      assert.equal(isRecord(table, {}), false);
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(TABLES)), fc.anything(), (table, value) => {
        const scalars = ['ban', 'block', 'clock', 'contact', 'epochs', 'member', 'owned'];
        scalars.push('read', 'request', 'roomlook', 'roomname', 'suppress');
        assert.ok(!isRecord(table, value) || scalars.includes(table));
      }),
    );
    assert.equal(isRecord('account', { name: 'x' }), false);
    assert.equal(isRecord('head', { seq: 1, id: 'ab'.repeat(32), more: 1 }), false);
  });

  it('say who may act: devices that are known and not revoked', () => {
    const ledger = new Ledger();
    const alice = ledger.join('alice');
    const phone = ledger.enrol(alice);
    const { space } = ledger;
    assert.equal(actorOf(space, phone.id), alice.account);
    assert.deepEqual(activeDevices(space, alice.account), [alice.id, phone.id].sort());
    const record = deviceOf(space, phone.id)!;
    space.apply([{ table: 'device', id: phone.id, value: { ...record, revoked: true } }]);
    assert.equal(actorOf(space, phone.id), undefined);
    assert.deepEqual(activeDevices(space, alice.account), [alice.id]);
    assert.equal(actorOf(space, '0'.repeat(64) as PublicKey), undefined);
  });

  it('give a group its rights, and none to a group that is not there', () => {
    const ledger = new Ledger();
    const alice = ledger.join('alice');
    assert.deepEqual(groupOf(ledger.space, alice.account)?.permissions, [...USER_PERMISSIONS]);
    const account = accountOf(ledger.space, alice.account)!;
    const value = { ...account, group: 'gone' };
    ledger.space.apply([{ table: 'account', id: alice.account, value }]);
    assert.equal(groupOf(ledger.space, alice.account), undefined);
    assert.equal(groupOf(new State(), 'x' as AccountId), undefined);
  });
});

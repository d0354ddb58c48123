/**
 * The rules, and a plain table of who may do what: random people in random groups do random things,
 * and both must say the same each time, of what is done and of what it makes so.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { membersOf } from '../../lib/crdt/membership.ts';
import { PERMISSIONS } from '../../lib/crdt/permissions.ts';
import { accountOf, presentAccount, type GroupRecord } from '../../lib/crdt/records.ts';
import { isBanned, isOpenMember, roomOf } from '../../lib/crdt/rooms.ts';
import { reduceItem } from '../../lib/crdt/rules.ts';
import { entryItem } from '../../lib/crdt/seal.ts';
import { LOBBY, roomStream } from '../../lib/crdt/stream.ts';
import { isSuppressed } from '../../lib/crdt/suppress.ts';
import { Ledger, type Member } from '../support/community.ts';
import { Dice } from '../support/plain-deeds.ts';
import { LOTS, TABLE } from '../support/plain-table.ts';
import { PlainWorld, type Person } from '../support/plain-world.ts';

const LEVELS = [0, 10, 50, 100] as const;
const NAMES = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank'];
const MADE_UP = ['g0', 'g1', 'g2', 'g3'];

interface Setting {
  /** Of each group that is made up: its level, and one number for its permissions. */
  readonly groups: readonly { level: number; permissions: readonly string[] }[];
  /** Of each person the group: of those above, or `admin`, `user`, or none that there is. */
  readonly in: readonly string[];
}

const setting: fc.Arbitrary<Setting> = fc.record({
  groups: fc.array(
    fc.record({
      level: fc.constantFrom(...LEVELS),
      // Few at times and most at others, so that much is allowed and much is not.
      permissions: fc.oneof(
        fc.subarray([...PERMISSIONS], { maxLength: 6 }),
        fc.subarray([...PERMISSIONS], { minLength: PERMISSIONS.length - 6 }),
      ),
    }),
    { minLength: MADE_UP.length, maxLength: MADE_UP.length },
  ),
  in: fc.array(fc.constantFrom('admin', 'user', 'ghost', ...MADE_UP, ...MADE_UP), {
    minLength: NAMES.length - 1,
    maxLength: NAMES.length - 1,
  }),
});

const step = fc.record({
  who: fc.nat(NAMES.length - 1),
  what: fc.constantFrom(...LOTS),
  dice: fc.array(fc.nat(10_000), { minLength: 14, maxLength: 14 }),
});

function begin({ groups, in: places }: Setting): { ledger: Ledger; world: PlainWorld } {
  const made: Record<string, { level: number; permissions: readonly string[] }> = {
    admin: { level: 100, permissions: PERMISSIONS },
    user: { level: 0, permissions: ['sendMessage', 'createRoom', 'createGroup'] },
  };
  MADE_UP.forEach((name, n) => (made[name] = groups[n]!));
  const ledger = new Ledger(1, made);
  const world = PlainWorld.found(made);
  const members = NAMES.map((name) => ledger.join(name));
  // The first is the administrator; it puts the others where they belong.
  ledger.appoint(members[0]!, 'admin');
  members.forEach((device, n) => {
    const group = n === 0 ? 'admin' : places[n - 1]!;
    const { account } = device;
    if (n > 0) ledger.accept(members[0]!.write('space', 'setgroup', { account, group }));
    world.arrive(account, NAMES[n]!, group, device);
  });
  return { ledger, world };
}

/** The state that the rules have made says the same as the plain world. */
function compare(ledger: Ledger, world: PlainWorld): void {
  const { space } = ledger;
  const groups = [...space.entries<GroupRecord>('group')].map(([name, { level, permissions }]) => [
    name,
    level,
    [...permissions].sort(),
  ]);
  const expected = [...world.groups].map(([name, { level, permissions }]) => [
    name,
    level,
    [...permissions].sort(),
  ]);
  assert.deepEqual(groups.sort(), expected.sort());
  for (const { account, name, group, isRemoved } of world.people.values()) {
    const record = accountOf(space, account);
    assert.deepEqual([record?.name, record?.group], [name, group]);
    assert.equal(presentAccount(space, account) === undefined, isRemoved);
    assert.equal(isBanned(space, account, undefined, 0), world.banned.has(account));
    assert.equal(isSuppressed(space, account, undefined), world.silenced.has(account));
  }
  assert.equal([...space.entries('room')].length, world.rooms.size);
  for (const room of world.rooms.values()) {
    const record = roomOf(space, room.id);
    assert.deepEqual(
      [record?.name, record?.parent, record?.owner, record?.lifetime, record?.private],
      [room.name, room.parent, room.owner, room.lifetime, room.isPrivate],
    );
    const lock = record?.lock && [record.lock.generation, record.lock.retired];
    assert.deepEqual(lock, room.lock && [room.lock.generation, room.lock.isRetired]);
    const stream = roomStream(room.id);
    const members = world.isEncrypted(room.id)
      ? membersOf(stream, ledger.at(stream).state, space)
      : [...world.people.keys()].filter(
          (one) => room.id !== LOBBY && isOpenMember(space, room.id, one),
        );
    assert.deepEqual(members.sort(), [...room.members].sort());
    for (const account of world.people.keys()) {
      assert.equal(isBanned(space, account, room.id, 0), room.banned.has(account));
      const isSilenced = room.silenced.has(account) || world.silenced.has(account);
      assert.equal(isSuppressed(space, account, room.id), isSilenced);
    }
  }
}

const RUNS = 300;

describe('the rules and a plain table', function () {
  this.timeout(600_000);
  const allowed = new Map<string, number>();
  const refused = new Map<string, Set<string>>();

  it('say the same of who may do what', () => {
    fc.assert(
      fc.property(
        setting,
        fc.array(step, { minLength: 1, maxLength: 200, size: 'max' }),
        (at, steps) => {
          const { ledger, world } = begin(at);
          const people = [...world.people.values()] as (Person & { device: Member })[];
          for (const { who, what, dice } of steps) {
            const by = people[who]!;
            const deed = TABLE[what]!(world, by, new Dice(dice));
            if (deed === undefined) continue;
            const { stream, kind, body } = deed;
            // Whoever is no more may nothing at all.
            const reasons = by.isRemoved ? ['REVOKED'] : deed.reasons.filter((one) => one);
            const entry = by.device.forge(stream, kind, body);
            const { state, length } = ledger.at(stream);
            const standing = {
              space: ledger.space,
              stream: state,
              position: length,
              hindsight: false,
              now: ledger.now,
            };
            const onReplica = reduceItem(entryItem(entry), standing);
            const verdict = ledger.submit(entry);
            const said = `${what} ${JSON.stringify(body)} by ${by.name}: ${reasons.join(' ')}`;
            if (verdict.type === 'accepted') {
              assert.deepEqual(reasons, [], said);
              assert.deepEqual(onReplica, { changes: verdict.changes, void: undefined });
              deed.after(entry.id);
              allowed.set(what, (allowed.get(what) ?? 0) + 1);
            } else {
              assert.ok(reasons.includes(verdict.code), `${verdict.code} in place of ${said}`);
              assert.equal(onReplica.void, verdict.code);
              const codes = refused.get(what) ?? new Set();
              refused.set(what, codes.add(verdict.code));
            }
            if (verdict.type !== 'rejected') by.device.rewind(stream, entry);
            world.now = ++ledger.now;
          }
          compare(ledger, world);
        },
      ),
      { numRuns: RUNS },
    );
    // Everything was allowed at times, and refused at others.
    for (const what of Object.keys(TABLE)) {
      assert.ok((allowed.get(what) ?? 0) > 0, `${what} was never allowed`);
      assert.ok((refused.get(what)?.size ?? 0) > 1, `${what} was never refused`);
    }
  });
});

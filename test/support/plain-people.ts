/** Who may do what to people and groups. */
import { codeKey, redeem } from '../../lib/crdt/codes.ts';
import type { AccountId } from '../../lib/crdt/keys.ts';
import { PERMISSIONS } from '../../lib/crdt/permissions.ts';
import {
  inSpace,
  nothing,
  PASSWORD,
  someExpiry,
  someGroup,
  someName,
  someone,
  type Row,
} from './plain-deeds.ts';

const LEVELS = [0, 10, 50, 100];

export const PEOPLE: Record<string, Row> = {
  setgroup(world, { account: by }, dice) {
    const [account, group] = [someone(world, dice), someGroup(world, dice)];
    return {
      ...inSpace,
      kind: 'setgroup',
      body: { account, group },
      reasons: [
        !world.has(by, 'setUserGroup') && 'DENIED',
        world.levelOf(group) > world.level(by) && 'DENIED',
        world.level(account) > world.level(by) && 'DENIED',
        world.present(account) === undefined && 'NO_SUCH_USER',
        world.isLastAdmin(account) && group !== 'admin' && 'LAST_ADMIN',
      ],
      after: () => (world.people.get(account)!.group = group),
    };
  },

  creategroup(world, { account: by }, dice) {
    const name = dice.pick(['new1', 'new2', 'new3', ...world.groups.keys()]);
    const level = dice.pick(LEVELS);
    return {
      ...inSpace,
      kind: 'creategroup',
      body: { name, level },
      reasons: [
        !world.has(by, 'setGroupPerm') && 'DENIED',
        level > world.level(by) && 'DENIED',
        world.groups.has(name) && 'NAME_TAKEN',
      ],
      after: () => void world.groups.set(name, { level, permissions: new Set() }),
    };
  },

  updategroup(world, { account: by }, dice) {
    const name = someGroup(world, dice);
    const own = PERMISSIONS.filter((permission) => world.has(by, permission));
    const add = dice.some(dice.rarely(3) ? PERMISSIONS : own);
    const remove = dice.some(PERMISSIONS);
    const level = dice.rarely(2) ? dice.pick(LEVELS) : undefined;
    return {
      ...inSpace,
      kind: 'updategroup',
      body: { name, add, remove, ...(level === undefined ? {} : { level }) },
      reasons: [
        !world.has(by, 'setGroupPerm') && 'DENIED',
        !world.groups.has(name) && 'NO_SUCH_GROUP',
        // The administrators always have everything.
        name === 'admin' && 'DENIED',
        world.levelOf(name) > world.level(by) && 'DENIED',
        (level ?? 0) > world.level(by) && 'DENIED',
        // Nobody gives what they do not have.
        add.some((permission) => !world.has(by, permission)) && 'DENIED',
      ],
      after: () => {
        const group = world.groups.get(name)!;
        for (const permission of add) group.permissions.add(permission);
        for (const permission of remove) group.permissions.delete(permission);
        if (level !== undefined) group.level = level;
      },
    };
  },

  removegroup(world, { account: by }, dice) {
    const name = someGroup(world, dice);
    return {
      ...inSpace,
      kind: 'removegroup',
      body: { name },
      reasons: [
        !world.has(by, 'setGroupPerm') && 'DENIED',
        !world.groups.has(name) && 'NO_SUCH_GROUP',
        ['admin', 'user'].includes(name) && 'DENIED',
        world.levelOf(name) > world.level(by) && 'DENIED',
      ],
      // Its members keep the name, and may nothing.
      after: () => void world.groups.delete(name),
    };
  },

  createuser(world, { account: by, device }, dice) {
    const [name, group] = [someName(dice), someGroup(world, dice)];
    return {
      ...inSpace,
      kind: 'createuser',
      body: {
        name,
        group,
        keyring: { ...device.keyring.public, generation: 1 },
        password: PASSWORD,
      },
      reasons: [
        !world.has(by, 'createUser') && 'DENIED',
        world.levelOf(group) > world.level(by) && 'DENIED',
        world.isNameTaken(name) && 'NAME_TAKEN',
      ],
      after: (id) => {
        world.arrive(id.slice(0, 32) as AccountId, name, group, undefined);
      },
    };
  },

  updateuser(world, { account: by }, dice) {
    const account = dice.rarely(2) ? by : someone(world, dice);
    const name = dice.rarely(4) ? undefined : someName(dice);
    const isOther = account !== by;
    return {
      ...inSpace,
      kind: 'updateuser',
      body: { account, display: 'x', ...(name === undefined ? {} : { name }) },
      reasons: [
        isOther && !world.has(by, 'renameUser') && 'DENIED',
        isOther && world.level(account) > world.level(by) && 'DENIED',
        world.present(account) === undefined && 'NO_SUCH_USER',
        name !== undefined && world.isNameTaken(name, account) && 'NAME_TAKEN',
      ],
      after: () => {
        const person = world.people.get(account)!;
        person.name = name ?? person.name;
      },
    };
  },

  removeuser(world, { account: by }, dice) {
    // Not so often that nobody is left.
    if (!dice.rarely(3)) return undefined;
    const account = someone(world, dice);
    return {
      ...inSpace,
      kind: 'removeuser',
      body: { account, vengeance: dice.rarely(2) },
      reasons: [
        !world.has(by, 'removeUser') && 'DENIED',
        world.level(account) > world.level(by) && 'DENIED',
        world.present(account) === undefined && 'NO_SUCH_USER',
        world.isLastAdmin(account) && 'LAST_ADMIN',
      ],
      after: () => {
        world.people.get(account)!.isRemoved = true;
        world.silenced.delete(account);
        for (const room of world.rooms.values()) {
          room.members.delete(account);
          room.silenced.delete(account);
          if (room.owner === account) room.owner = null;
        }
        for (const [code, { issuer }] of world.codes)
          if (issuer === account) world.codes.delete(code);
      },
    };
  },

  code(world, { account: by }, dice) {
    const purpose = dice.pick(['signup', 'elevate'] as const);
    const [group, uses] = [someGroup(world, dice), 1 + dice.below(2)];
    const code = `CODE${dice.below(8)}`;
    const expires = someExpiry(world, dice);
    return {
      ...inSpace,
      kind: 'code',
      body: { purpose, group, verifier: codeKey(code).public, uses, expires },
      reasons: [
        !world.mayIssue(by, purpose, group) && 'DENIED',
        !world.groups.has(group) && 'NO_SUCH_GROUP',
        world.codes.has(code) && 'ALREADY',
        world.isPast({ expires }) && 'BAD_CODE',
      ],
      after: () => world.issue(world.codes, code, { purpose, group, issuer: by, expires, uses }),
    };
  },

  elevate(world, { account: by, device }, dice) {
    const written = dice.pick([...world.codes.keys(), `CODE${dice.below(8)}`]);
    const thief = dice.rarely(6);
    const code = world.codes.get(written);
    const group = code?.purpose === 'elevate' ? code.group : undefined;
    // What its maker may not do now, it does no more.
    const isGood =
      group !== undefined &&
      !world.isPast(code!) &&
      world.groups.has(group) &&
      world.mayIssue(code!.issuer, 'elevate', group);
    const { server, id } = device;
    return {
      ...inSpace,
      kind: 'elevate',
      body: redeem(written, server, thief ? server : id, 'space'),
      reasons: [
        (!isGood || thief) && 'BAD_CODE',
        world.isLastAdmin(by) && group !== 'admin' && 'LAST_ADMIN',
      ],
      after: () => {
        world.people.get(by)!.group = group!;
        world.redeem(world.codes, written);
      },
    };
  },

  renameserver: (world, { account: by }) => ({
    ...inSpace,
    kind: 'renameserver',
    body: { name: 'other' },
    reasons: [!world.has(by, 'renameServer') && 'DENIED'],
    after: nothing,
  }),

  motd: (world, { account: by }) => ({
    ...inSpace,
    kind: 'motd',
    body: { text: 'hello' },
    reasons: [!world.has(by, 'renameServer') && 'DENIED'],
    after: nothing,
  }),

  reset(world, { account: by }, dice) {
    const account = someone(world, dice);
    return {
      ...inSpace,
      kind: 'reset',
      body: { account, verifier: new Uint8Array(32) },
      reasons: [
        world.present(by)?.group !== 'admin' && 'DENIED',
        world.level(account) > world.level(by) && 'DENIED',
        world.present(account) === undefined && 'NO_SUCH_USER',
      ],
      after: nothing,
    };
  },
};

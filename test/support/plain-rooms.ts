/** Who may do what to rooms. */
import { Keyring } from '../../lib/crdt/keyring.ts';
import type { RandomBytes, RoomId } from '../../lib/crdt/keys.ts';
import { proveChange } from '../../lib/crdt/membership.ts';
import { inSpace, PASSWORD, someName, someone, somewhere, type Row } from './plain-deeds.ts';
import type { PlainRoom } from './plain-world.ts';
import type { MadeLock } from './rooms.ts';

function newLock(random: RandomBytes, generation: number, hasPassword: boolean): MadeLock {
  const keyring = Keyring.create(generation, random);
  return { keyring, keys: { keyring: keyring.public, password: hasPassword ? PASSWORD : null } };
}

export const ROOMS: Record<string, Row> = {
  room(world, { account: by, device }, dice) {
    const lifetime = dice.pick(['permanent', 'permanent', 'temporary', 'conference'] as const);
    const isConference = lifetime === 'conference';
    const isPrivate = dice.rarely(2) || (isConference && !dice.rarely(5));
    const encrypted = [...world.rooms.keys()].filter((id) => world.isEncrypted(id));
    const parent = !dice.rarely(isConference ? 5 : 2)
      ? undefined
      : encrypted.length > 0 && dice.rarely(2)
        ? dice.pick(encrypted)
        : somewhere(world, by, dice);
    const name = someName(dice);
    const lock = dice.rarely(isPrivate ? 2 : 20) ? newLock(device.random, 1, true) : undefined;
    const above = parent === undefined ? undefined : world.rooms.get(parent);
    const needed = {
      permanent: 'createRoom',
      temporary: 'createGroup',
      conference: 'createConference',
    };
    return {
      ...inSpace,
      kind: 'room',
      body: {
        name,
        private: isPrivate,
        ...(lifetime === 'permanent' ? {} : { lifetime }),
        ...(parent === undefined ? {} : { parent }),
        ...(lock === undefined ? {} : { lock: lock.keys }),
      },
      reasons: [
        !world.has(by, needed[lifetime]) && 'DENIED',
        isConference && (!isPrivate || parent !== undefined) && 'BAD_ENTRY',
        lock !== undefined && !isPrivate && 'BAD_ENTRY',
        parent !== undefined && above === undefined && 'NO_SUCH_ROOM',
        above?.lifetime === 'conference' && 'DENIED',
        above?.lifetime === 'temporary' && lifetime !== 'temporary' && 'DENIED',
        !isConference && world.isRoomNameTaken(parent, name) && 'NAME_TAKEN',
      ],
      after: (entry) => {
        const id = entry.slice(0, 32) as RoomId;
        const room: PlainRoom = {
          ...{ id, name, parent, isPrivate, lifetime, media: 'both', owner: by },
          members: new Set(),
          banned: new Set(),
          silenced: new Set(),
          lock: lock && { generation: 1, isRetired: false, hasPassword: true },
          locks: lock === undefined ? [] : [lock],
          codes: new Map(),
        };
        world.rooms.set(id, room);
        if (!world.isEncrypted(id)) room.members.add(by);
      },
    };
  },

  updateroom(world, { account: by }, dice) {
    const id = somewhere(world, by, dice);
    const room = world.rooms.get(id);
    const name = dice.rarely(2) ? someName(dice) : undefined;
    const media = dice.pick([undefined, undefined, 'voice', 'text']);
    const parent = dice.pick([undefined, null, somewhere(world, by, dice)]);
    const lies = parent === undefined ? room?.parent : (parent ?? undefined);
    const above = lies === undefined ? undefined : world.rooms.get(lies);
    const isMoved = room !== undefined && lies !== room.parent;
    const isConference = room?.lifetime === 'conference';
    return {
      ...inSpace,
      kind: 'updateroom',
      body: {
        room: id,
        ...(name === undefined ? {} : { name }),
        ...(media === undefined ? {} : { media }),
        ...(parent === undefined ? {} : { parent }),
      },
      reasons:
        room === undefined
          ? ['NO_SUCH_ROOM']
          : [
              room.owner !== by && !world.has(by, 'renameRoom') && 'DENIED',
              isMoved && (room.lifetime === 'builtin' || isConference) && 'DENIED',
              isMoved && above?.lifetime === 'conference' && 'DENIED',
              isMoved &&
                above?.lifetime === 'temporary' &&
                room.lifetime !== 'temporary' &&
                'DENIED',
              isMoved && lies !== undefined && above === undefined && 'NO_SUCH_ROOM',
              isMoved && above !== undefined && world.within(id).includes(above) && 'NESTING',
              // What was said in the open cannot be sealed any more, nor the other way round, nor can
              // the lock that opens it be another.
              isMoved &&
                !room.isPrivate &&
                world.holder(id) !== (lies === undefined ? undefined : world.holder(lies)) &&
                'NOT_SUPPORTED',
              !isConference && world.isRoomNameTaken(lies, name ?? room.name, id) && 'NAME_TAKEN',
            ],
      after: () => {
        room!.name = name ?? room!.name;
        room!.media = media ?? room!.media;
        room!.parent = lies;
      },
    };
  },

  removeroom(world, { account: by }, dice) {
    if (!dice.rarely(3)) return undefined;
    const id = somewhere(world, by, dice);
    const gone = world.within(id);
    return {
      ...inSpace,
      kind: 'removeroom',
      body: { room: id },
      reasons: [
        gone.length === 0 && 'NO_SUCH_ROOM',
        id === 'lobby' && 'DENIED',
        !world.has(by, 'removeRoom') && gone.some(({ owner }) => owner !== by) && 'DENIED',
      ],
      after: () => gone.forEach((room) => world.rooms.delete(room.id)),
    };
  },

  lock(world, { account: by, device }, dice) {
    const id = somewhere(world, by, dice);
    const room = world.rooms.get(id);
    const next = (room?.locks.length ?? 0) + 1;
    const generation = dice.pick([next, next, next + 1, Math.max(1, next - 1)]);
    const lock = dice.rarely(4) ? null : newLock(device.random, generation, !dice.rarely(3));
    // The present one, or another that there was; none: nothing is proved.
    const known = dice.rarely(3) ? undefined : room?.locks.at(dice.rarely(3) ? 0 : -1);
    const proved = dice.rarely(6) ? someone(world, dice) : by;
    const isProved =
      proved === by &&
      known !== undefined &&
      room?.lock?.isRetired === false &&
      known.keyring.generation === room.lock.generation;
    return {
      ...inSpace,
      kind: 'lock',
      body: {
        room: id,
        lock: lock === null ? null : lock.keys,
        ...(known === undefined
          ? {}
          : { proof: proveChange(known.keyring, device.server, id, proved) }),
      },
      reasons:
        room === undefined
          ? ['NO_SUCH_ROOM']
          : [
              room.owner !== by && !world.has(by, 'renameRoom') && 'DENIED',
              room.owner !== by && !isProved && 'DENIED',
              !room.isPrivate && 'NOT_SUPPORTED',
              lock !== null && generation !== next && 'STALE_KEY',
            ],
      after: () => {
        const hasPassword = lock?.keys.password != null;
        room!.lock = lock === null ? undefined : { generation, isRetired: false, hasPassword };
        if (lock !== null) room!.locks.push(lock);
      },
    };
  },

  retire(world, { account: by }, dice) {
    const id = somewhere(world, by, dice);
    const room = world.rooms.get(id);
    return {
      ...inSpace,
      kind: 'retire',
      body: { room: id },
      reasons:
        room === undefined
          ? ['NO_SUCH_ROOM']
          : [
              room.owner !== by && !world.has(by, 'removeUser') && 'DENIED',
              world.holder(id)?.lock?.isRetired !== false && 'ALREADY',
            ],
      after: () => {
        // A lock above stays as it is, but opens this room no more.
        const { hasPassword } = world.holder(id)!.lock!;
        room!.isPrivate = true;
        room!.lock = { ...(room!.lock ?? { generation: 0, hasPassword }), isRetired: true };
      },
    };
  },

  owner(world, { account: by }, dice) {
    const [id, account] = [somewhere(world, by, dice), someone(world, dice)];
    const room = world.rooms.get(id);
    return {
      ...inSpace,
      kind: 'owner',
      body: { room: id, account },
      reasons:
        room === undefined
          ? ['NO_SUCH_ROOM']
          : [
              room.owner !== by && 'NOT_OWNER',
              world.present(account) === undefined && 'NO_SUCH_USER',
            ],
      after: () => (room!.owner = account),
    };
  },

  expel(world, { account: by }, dice) {
    const [id, account] = [somewhere(world, by, dice), someone(world, dice)];
    const room = world.rooms.get(id);
    return {
      ...inSpace,
      kind: 'expel',
      body: { room: id, account },
      reasons:
        room === undefined
          ? ['NO_SUCH_ROOM']
          : [
              !world.mayPutOut(by, account, room) && 'DENIED',
              (id === 'lobby' || world.isEncrypted(id) || !room.members.has(account)) &&
                'NOT_MEMBER',
            ],
      after: () => void room!.members.delete(account),
    };
  },

  ban(world, { account: by }, dice) {
    const id = dice.rarely(2) ? undefined : somewhere(world, by, dice);
    const room = id === undefined ? undefined : world.rooms.get(id);
    const banned = id === undefined ? world.banned : room?.banned;
    const isLifted = dice.rarely(2);
    const account =
      isLifted && banned !== undefined && banned.size > 0
        ? dice.pick([...banned])
        : someone(world, dice);
    return {
      ...inSpace,
      kind: isLifted ? 'unban' : 'ban',
      body: {
        account,
        ...(id === undefined ? {} : { room: id }),
        ...(isLifted ? {} : { until: 0 }),
      },
      reasons: [
        world.present(account) === undefined && 'NO_SUCH_USER',
        account === by && 'SELF',
        id !== undefined && room === undefined && 'NO_SUCH_ROOM',
        !world.mayPutOut(by, account, room) && 'DENIED',
        isLifted && banned?.has(account) !== true && 'NOT_BLOCKED',
        !isLifted && id === undefined && world.isLastAdmin(account) && 'LAST_ADMIN',
      ],
      after: () => {
        if (isLifted) return void banned!.delete(account);
        banned!.add(account);
        if (room !== undefined && !world.isEncrypted(room.id)) room.members.delete(account);
      },
    };
  },

  suppress(world, { account: by }, dice) {
    const id = dice.rarely(2) ? undefined : somewhere(world, by, dice);
    const room = id === undefined ? undefined : world.rooms.get(id);
    const silenced = id === undefined ? world.silenced : room?.silenced;
    const account = dice.rarely(8)
      ? by
      : silenced !== undefined && silenced.size > 0 && dice.rarely(2)
        ? dice.pick([...silenced])
        : someone(world, dice);
    const on = dice.rarely(2);
    const isOwn = account === by;
    return {
      ...inSpace,
      kind: 'suppress',
      body: { account, on, ...(id === undefined ? {} : { room: id }) },
      reasons: [
        world.present(account) === undefined && 'NO_SUCH_USER',
        id !== undefined && room === undefined && 'NO_SUCH_ROOM',
        isOwn && on && 'SELF',
        // Nobody lifts what was done to them, but for whom it is to silence anybody.
        (room?.owner !== by || isOwn) && !world.has(by, 'suppressUser') && 'DENIED',
        world.level(account) > world.level(by) && 'DENIED',
        silenced?.has(account) === on && 'ALREADY',
      ],
      after: () => void (on ? silenced!.add(account) : silenced!.delete(account)),
    };
  },

  come(world, { account: by }, dice) {
    const id = somewhere(world, by, dice);
    const room = world.rooms.get(id);
    return {
      ...inSpace,
      kind: 'join',
      body: { room: id },
      reasons:
        room === undefined
          ? ['NO_SUCH_ROOM']
          : [
              world.isEncrypted(id) && 'BAD_ENTRY',
              room.media === 'voice' && !world.has(by, 'joinVoiceRoom') && 'DENIED',
              world.isMember(room, by) && 'ALREADY',
            ],
      after: () => void room!.members.add(by),
    };
  },

  go(world, { account: by }, dice) {
    const id = somewhere(world, by, dice);
    const room = world.rooms.get(id);
    return {
      ...inSpace,
      kind: 'leave',
      body: { room: id },
      reasons:
        room === undefined
          ? ['NO_SUCH_ROOM']
          : [(id === 'lobby' || world.isEncrypted(id) || !room.members.has(by)) && 'NOT_MEMBER'],
      after: () => void room!.members.delete(by),
    };
  },
};

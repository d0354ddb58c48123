/** Who may do what within rooms. */
import { codeKey, redeem } from '../../lib/crdt/codes.ts';
import type { AccountId } from '../../lib/crdt/keys.ts';
import { proveLock } from '../../lib/crdt/membership.ts';
import { roomStream } from '../../lib/crdt/stream.ts';
import { nothing, someExpiry, someone, someRoom, type Row } from './plain-deeds.ts';
import type { PlainRoom, PlainWorld } from './plain-world.ts';

/** Whoever is neither in an encrypted room nor its owner may not write there. */
const isOutside = (world: PlainWorld, room: PlainRoom, by: AccountId): boolean =>
  world.isEncrypted(room.id) && !room.members.has(by) && room.owner !== by;

export const WITHIN: Record<string, Row> = {
  enter(world, { account: by, device }, dice) {
    const room = someRoom(world, by, dice);
    const { server, id: self } = device;
    const stream = roomStream(room.id);
    const holder = world.holder(room.id);
    const open = { stream, kind: 'join', after: () => void room.members.add(by) };
    const refused = [
      !world.isEncrypted(room.id) && 'BAD_ENTRY',
      world.isEncrypted(room.id) && room.members.has(by) && 'ALREADY',
      room.media === 'voice' && !world.has(by, 'joinVoiceRoom') && 'DENIED',
    ];
    switch (dice.below(4)) {
      case 0:
        return {
          ...open,
          body: { by: { type: 'owner' } },
          reasons: [...refused, room.owner !== by && 'DENIED'],
        };
      case 1: {
        // By any lock that there ever was: of the rooms above, as a rule, or elsewhere.
        const near = world.line(room.id).filter(({ locks }) => locks.length > 0);
        const far = [...world.rooms.values()].filter(({ locks }) => locks.length > 0);
        const rooms = near.length === 0 || dice.rarely(5) ? far : near;
        if (rooms.length === 0) return undefined;
        const other = dice.pick(rooms);
        const lock = dice.rarely(4) ? dice.pick(other.locks) : other.locks.at(-1)!;
        const present = holder?.lock;
        const isIt =
          present !== undefined &&
          !present.isRetired &&
          holder!.locks[present.generation - 1] === lock;
        // Without a password only those in the room know its secret, for the rooms within.
        const isOwnBare = holder === room && lock.keys.password === null;
        return {
          ...open,
          body: proveLock(lock.keyring, server, room.id, by),
          reasons: [...refused, (!isIt || isOwnBare) && 'BAD_PASSWORD'],
        };
      }
      case 2: {
        const written = dice.pick([...room.codes.keys(), `JOIN${dice.below(3)}`]);
        const code = room.codes.get(written);
        const isGood =
          code !== undefined && !world.isPast(code) && world.mayInviteInto(room, code.issuer);
        return {
          ...open,
          body: { by: { type: 'code', ...redeem(written, server, self, stream) } },
          reasons: [...refused, !isGood && 'BAD_CODE'],
          after: () => {
            room.members.add(by);
            world.redeem(room.codes, written);
          },
        };
      }
      default:
        return {
          ...open,
          body: { by: { type: 'word' } },
          reasons: [...refused, room.lifetime !== 'conference' && 'DENIED'],
        };
    }
  },

  exit(world, { account: by }, dice) {
    const room = someRoom(world, by, dice);
    return {
      stream: roomStream(room.id),
      kind: 'leave',
      body: {},
      reasons: [
        !world.isEncrypted(room.id) && 'BAD_ENTRY',
        isOutside(world, room, by) && 'DENIED',
        !room.members.has(by) && 'NOT_MEMBER',
      ],
      after: () => world.putOut(room, by),
    };
  },

  members(world, { account: by }, dice) {
    const room = someRoom(world, by, dice);
    const add = dice.rarely(2) ? [someone(world, dice)] : [];
    const remove = dice.rarely(2) ? [someone(world, dice)] : [];
    const lock = world.holder(room.id)?.lock;
    const isUpToMembers = room.owner === null || (lock?.hasPassword === true && lock.isRetired);
    const mayAdmit = room.owner === by || (isUpToMembers && room.members.has(by));
    return {
      stream: roomStream(room.id),
      kind: 'members',
      body: { add, remove },
      reasons: [
        !world.isEncrypted(room.id) && 'BAD_ENTRY',
        isOutside(world, room, by) && 'DENIED',
        add.length > 0 && !mayAdmit && 'DENIED',
        add.some((one) => world.present(one) === undefined) && 'NO_SUCH_USER',
        remove.some((one) => !world.mayPutOut(by, one, room)) && 'DENIED',
      ],
      after: () => {
        for (const one of remove) world.putOut(room, one);
        for (const one of add) room.members.add(one);
      },
    };
  },

  invitation(world, { account: by }, dice) {
    const room = someRoom(world, by, dice);
    const [written, uses] = [`JOIN${dice.below(3)}`, 1 + dice.below(2)];
    const expires = someExpiry(world, dice);
    return {
      stream: roomStream(room.id),
      kind: 'code',
      body: { verifier: codeKey(written).public, uses, expires },
      reasons: [
        !world.isEncrypted(room.id) && 'BAD_ENTRY',
        isOutside(world, room, by) && 'DENIED',
        !room.members.has(by) && 'NOT_MEMBER',
        !world.mayInviteInto(room, by) && 'DENIED',
        room.codes.has(written) && 'ALREADY',
        world.isPast({ expires }) && 'BAD_CODE',
      ],
      after: () => {
        const code = { purpose: 'join', group: undefined, issuer: by, expires, uses } as const;
        world.issue(room.codes, written, code);
      },
    };
  },

  say(world, { account: by }, dice) {
    const room = someRoom(world, by, dice);
    return {
      stream: roomStream(room.id),
      kind: 'say',
      body: { text: 'hello' },
      reasons: [
        isOutside(world, room, by) && 'DENIED',
        world.isEncrypted(room.id) && 'BAD_ENTRY',
        !world.has(by, 'sendMessage') && 'DENIED',
        room.media === 'voice' && 'NOT_SUPPORTED',
        !world.isMember(room, by) && 'NOT_MEMBER',
      ],
      after: nothing,
    };
  },

  change(world, { account: by }, dice) {
    const room = someRoom(world, by, dice);
    const kind = dice.pick(['edit', 'remove', 'react']);
    const isModerator = kind !== 'react' && dice.rarely(2);
    const said = { edit: { text: 'ho' }, remove: {}, react: { emoji: 'x', on: true } }[kind];
    const isRemoval = kind === 'remove';
    return {
      stream: roomStream(room.id),
      kind,
      body: { target: 'ab'.repeat(32), ...said, ...(isModerator ? { moderator: true } : {}) },
      reasons: [
        isOutside(world, room, by) && 'DENIED',
        isModerator && !world.has(by, 'changeMessage') && 'DENIED',
        kind === 'react' && !world.has(by, 'sendMessage') && 'DENIED',
        // What is said stands in the open or sealed, as the room is; a removal says nothing.
        !isRemoval && world.isEncrypted(room.id) && 'BAD_ENTRY',
        !isRemoval && room.media === 'voice' && 'NOT_SUPPORTED',
        !isRemoval && !world.isMember(room, by) && 'NOT_MEMBER',
      ],
      after: nothing,
    };
  },
};

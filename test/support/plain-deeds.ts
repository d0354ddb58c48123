/** What people may be seen to do in a plain world, and how it is chosen by chance. */
import type { AccountId, RoomId } from '../../lib/crdt/keys.ts';
import type { StreamName } from '../../lib/crdt/stream.ts';
import type { Member } from './community.ts';
import { LOOKALIKES, type Person, type PlainRoom, type PlainWorld } from './plain-world.ts';

export interface Deed {
  readonly stream: StreamName;
  readonly kind: string;
  readonly body: object;
  /** Why not. */
  readonly reasons: readonly (string | false | undefined)[];
  /** @param id of the entry by which it was done, as an account or a room is named after it */
  readonly after: (id: string) => void;
}

/** Picks from lists, each time by the next number. */
export class Dice {
  readonly #numbers: readonly number[];
  #next = 0;

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }

  below(limit: number): number {
    return this.#numbers[this.#next++ % this.#numbers.length]! % limit;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  /** One in so many times. */
  rarely(oneIn: number): boolean {
    return this.below(oneIn) === 0;
  }

  some<T>(list: readonly T[]): T[] {
    return list.filter(() => this.rarely(4));
  }
}

/** A row of the table: something that somebody does, chosen by dice; undefined where there is nothing. */
export type Row = (
  world: PlainWorld,
  by: Person & { device: Member },
  dice: Dice,
) => Deed | undefined;

/** The rules look at no password: it is for those who open it. */
export const PASSWORD = { key: new Uint8Array(32), wrap: new Uint8Array(80) };
const NOBODY = 'f'.repeat(32) as AccountId;
const NOWHERE = 'e'.repeat(32) as RoomId;

export const nothing = (): void => undefined;
export const inSpace = { stream: 'space' as const };

export function someone(world: PlainWorld, dice: Dice): AccountId {
  return dice.rarely(20) ? NOBODY : dice.pick([...world.people.keys()]);
}

/** One of those that somebody has to do with, as a rule. */
export function someRoom(world: PlainWorld, by: AccountId, dice: Dice): PlainRoom {
  const all = [...world.rooms.values()];
  const own = all.filter(({ owner, members }) => owner === by || members.has(by));
  return dice.pick(own.length === 0 || dice.rarely(3) ? all : own);
}

export function somewhere(world: PlainWorld, by: AccountId, dice: Dice): RoomId {
  return dice.rarely(20) ? NOWHERE : someRoom(world, by, dice).id;
}

export function someGroup(world: PlainWorld, dice: Dice): string {
  return dice.pick([...world.groups.keys(), 'ghost']);
}

/** Until when a code is good: at times it was already. */
export function someExpiry({ now }: PlainWorld, dice: Dice): number {
  return now + dice.pick([-1, 3, 20, 1_000, 1_000, 1_000]);
}

export function someName(dice: Dice): string {
  return dice.pick(LOOKALIKES.flat());
}

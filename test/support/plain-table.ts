/**
 * Who may do what, as a plain table: for each thing that can be done, why it would be refused, and
 * what is so once it is done. All reasons that hold are given; none: it is allowed.
 */
import type { Row } from './plain-deeds.ts';
import { WITHIN } from './plain-membership.ts';
import { PEOPLE } from './plain-people.ts';
import { ROOMS } from './plain-rooms.ts';

/** What is done by chance: rooms are made and entered more often than all else, as most is about them. */
const OFTEN =
  'room room room room enter enter enter enter come come members members members exit invitation invitation elevate code expel';

export const TABLE: Readonly<Record<string, Row>> = { ...PEOPLE, ...ROOMS, ...WITHIN };

export const LOTS: readonly string[] = [...Object.keys(TABLE), ...OFTEN.split(' ')];

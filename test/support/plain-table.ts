/**
 * Who may do what, as a plain table: for each thing that can be done, why it would be refused, and
 * what is so once it is done. All reasons that hold are given; none: it is allowed.
 */
import type { Row } from './plain-deeds.ts';
import { WITHIN } from './plain-membership.ts';
import { PEOPLE } from './plain-people.ts';
import { ROOMS } from './plain-rooms.ts';

export const TABLE: Readonly<Record<string, Row>> = { ...PEOPLE, ...ROOMS, ...WITHIN };

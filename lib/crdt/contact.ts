/** Rules of contacts: requests between two accounts, and what becomes of them, in their pair stream. */
import type { PairAction } from './bodies.ts';
import type { ErrorCode } from '../errors.ts';
import type { AccountId } from './keys.ts';
import type { Context } from './rules.ts';
import type { Change, Reader } from './state.ts';
import { otherOf, placeOfStream } from './stream.ts';

const KINDS = ['request', 'cancel', 'accept', 'reject', 'befriend', 'unfriend'] as const;
export type ContactKind = (typeof KINDS)[number];
export type ContactAction = Extract<PairAction, { readonly kind: ContactKind }>;

export function isContactAction(action: { readonly kind: string }): action is ContactAction {
  return (KINDS as readonly string[]).includes(action.kind);
}

/** What two accounts are to each other, as one of them sees it. */
export type Relation = 'none' | 'outgoing' | 'incoming' | 'contact';

export function relationOf(
  pair: Pick<Reader, 'get'>,
  account: AccountId,
  other: AccountId,
): Relation {
  if (pair.get('contact', 'contact') !== undefined) return 'contact';
  if (pair.get('request', account) !== undefined) return 'outgoing';
  return pair.get('request', other) === undefined ? 'none' : 'incoming';
}

function relationIn({ entry, stream, actor }: Context): Relation | undefined {
  const other = actor === undefined ? undefined : otherOf(placeOfStream(entry.stream), actor);
  return actor === undefined || other === undefined ? undefined : relationOf(stream, actor, other);
}

/** @returns why the action is refused, undefined when it is allowed */
export function checkContact(action: ContactAction, context: Context): ErrorCode | undefined {
  const relation = relationIn(context);
  switch (action.kind) {
    case 'request':
      return relation === 'contact' || relation === 'outgoing' ? 'ALREADY' : undefined;
    case 'cancel':
      return relation === 'outgoing' ? undefined : 'NO_REQUEST';
    case 'accept':
    case 'reject':
      return relation === 'incoming' ? undefined : 'NO_REQUEST';
    case 'befriend':
      return relation === 'contact' ? 'ALREADY' : undefined;
    case 'unfriend':
      return relation === 'contact' ? undefined : 'NOT_CONTACT';
    default:
      return action satisfies never;
  }
}

/** The changes of an allowed action. */
export function reduceContact(action: ContactAction, context: Context): Change[] {
  const { entry, stream, actor } = context;
  const without = (): Change[] =>
    [...stream.entries('request')].map(([id]) => ({ table: 'request', id, value: undefined }));
  const become = (): Change[] => [
    ...without(),
    { table: 'contact', id: 'contact', value: entry.time },
  ];
  switch (action.kind) {
    case 'request':
      if (relationIn(context) === 'incoming') return become();
      return actor === undefined ? [] : [{ table: 'request', id: actor, value: entry.time }];
    case 'accept':
    case 'befriend':
      return become();
    case 'cancel':
    case 'reject':
      return without();
    case 'unfriend':
      return [{ table: 'contact', id: 'contact', value: undefined }];
    default:
      return action satisfies never;
  }
}

/** What a person is told of private sessions. */
import type { AccountId } from '../../crdt/keys.ts';
import type { Path } from '../channel.ts';
import type { Reason } from './wire.ts';

export type PrivateNews =
  | {
      /** Somebody asks for a session; `mine`: whether one's own request may go through a relay. */
      readonly kind: 'request';
      readonly account: AccountId;
      readonly path: Path;
      readonly mine: boolean;
    }
  | { readonly kind: 'open'; readonly account: AccountId; readonly path: Path }
  /** The line of a session has broken, and another one is sought. */
  | { readonly kind: 'away'; readonly account: AccountId }
  /** It goes on over another one. */
  | { readonly kind: 'back'; readonly account: AccountId; readonly path: Path }
  | {
      readonly kind: 'message';
      readonly account: AccountId;
      readonly text: string;
      /** Milliseconds since 1970, by the clock over there. */
      readonly time: number;
    }
  | {
      /** A session, or a request that was told of or had reached the other side. */
      readonly kind: 'closed';
      readonly account: AccountId;
      /** `gone`: the other side was lost without a word. */
      readonly reason: Reason | 'gone';
      /** Messages of this side that waited for a line, and were not shown, as far as can be told. */
      readonly unshown?: number;
    };

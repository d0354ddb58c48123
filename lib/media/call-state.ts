/**
 * Where a call is, for whoever is in it: what the server says of it, and how the connections to the
 * others are, make one of a few states.
 */

export type CallPhase =
  /** Nobody calls, and nobody is called. */
  | 'idle'
  /** Somebody is called, and has not answered. */
  | 'ringing'
  /** There are others, and there is no way to any of them yet. */
  | 'connecting'
  | 'active'
  | 'ended';

export interface CallState<Reason extends string> {
  readonly phase: CallPhase;
  /** Of one that has ended. */
  readonly reason?: Reason;
}

export type CallInput<Reason extends string> =
  | { readonly type: 'rings' }
  /** With so many others, to so many of whom there is a connection. */
  | { readonly type: 'joined'; readonly others: number; readonly connected: number }
  | { readonly type: 'ended'; readonly reason: Reason };

export const IDLE = { phase: 'idle' } as const;

/** A call that has ended stays so; one that was active does not fall back while anybody is left. */
export function nextState<Reason extends string>(
  state: CallState<Reason>,
  input: CallInput<Reason>,
): CallState<Reason> {
  if (state.phase === 'ended') return state;
  switch (input.type) {
    case 'rings':
      return state.phase === 'idle' ? { phase: 'ringing' } : state;
    case 'joined': {
      const isThere = input.others === 0 || input.connected > 0 || state.phase === 'active';
      return isThere ? { phase: 'active' } : { phase: 'connecting' };
    }
    case 'ended':
      return { phase: 'ended', reason: input.reason };
    default:
      return input satisfies never;
  }
}

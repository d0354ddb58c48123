/** The call in which this device is, as it remembers it. */
import type { CallView, Equipment, Participant, Ways } from '../calls/wire.ts';
import type { CallTarget } from './calls.ts';

/** The call in which this device is. */
export interface OwnCall {
  view: CallView;
  readonly target: CallTarget;
  /** It is meant to be in it beside another device of the account. */
  readonly isSecond: boolean;
  equipment: Equipment;
  ways: Ways;
  /** The server knows what is switched on. */
  isTold: boolean;
  /** Those who were in it before the server was started again, and have not come back to it yet. */
  awaited: readonly Participant[];
}

/** Whoever has come back is not awaited any more. @returns the call with those who are */
export function withAwaited(own: OwnCall, call: CallView): CallView {
  if (own.awaited.length === 0 || call.state === 'ended') return call;
  const there = new Set(call.participants.map(({ device }) => device));
  own.awaited = own.awaited.filter(({ device }) => !there.has(device));
  return { ...call, participants: [...call.participants, ...own.awaited] };
}

/** What is undefined cannot be sent. */
export function present(equipment: Equipment): Equipment {
  const { live, recording, ...rest } = equipment;
  return {
    ...rest,
    ...(live === undefined ? {} : { live }),
    ...(recording === undefined ? {} : { recording }),
  };
}

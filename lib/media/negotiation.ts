/**
 * How two devices agree on a connection, as a pure machine: what happens goes in, what is to be done
 * comes out.
 *
 * One of the two always makes the offers, so that they never cross: the one with the greater key. The
 * other asks for one by `callme`. Each attempt at a connection has a number that only grows; what
 * belongs to an earlier one is void, so nothing that was under way when a line broke can do harm.
 */

/** What an offer is asked for: a new connection, the same one by other ways, or with other contents. */
export const WISHES = ['anew', 'restart', 'change'] as const;
export type Wish = (typeof WISHES)[number];

interface CandidateSignal {
  readonly type: 'candidate';
  readonly attempt: number;
  readonly candidate: string;
  readonly mid: string;
}

/** What the two say to one another. */
export type Signal =
  | { readonly type: 'offer'; readonly attempt: number; readonly sdp: string }
  | { readonly type: 'answer'; readonly attempt: number; readonly sdp: string }
  | CandidateSignal
  | { readonly type: 'callme'; readonly attempt: number; readonly how: Wish };

export type Input =
  /** There is a line to the other side again. */
  | { readonly type: 'begin' }
  /** The connection has lost its way, or the network is another. */
  | { readonly type: 'restart' }
  /** The connection is beyond repair. */
  | { readonly type: 'renew' }
  /** What goes over the connection has changed. */
  | { readonly type: 'change' }
  /** Nothing has come of an offer for too long. */
  | { readonly type: 'late' }
  /** The description that was to be made is there. */
  | { readonly type: 'described'; readonly attempt: number; readonly sdp: string }
  /** A way by which this side may be reached. */
  | {
      readonly type: 'found';
      readonly attempt: number;
      readonly candidate: string;
      readonly mid: string;
    }
  | { readonly type: 'signal'; readonly signal: Signal };

export type Output =
  /** A new connection takes the place of the one before. */
  | { readonly type: 'open'; readonly attempt: number }
  | { readonly type: 'makeOffer'; readonly restart: boolean }
  | { readonly type: 'makeAnswer'; readonly sdp: string }
  | { readonly type: 'takeAnswer'; readonly sdp: string }
  | { readonly type: 'addCandidate'; readonly candidate: string; readonly mid: string }
  | { readonly type: 'send'; readonly signal: Signal };

export interface Negotiation {
  readonly makesOffers: boolean;
  /** Of the present connection, or the last of those before it that there may have been. */
  readonly attempt: number;
  /** `open`: an offer is out, or being made or answered; `settled`: both sides agree. */
  readonly phase: 'idle' | 'open' | 'settled';
  /** Something has changed while an offer was out. */
  readonly isStale: boolean;
  /**
   * Ways that were found before the description that they belong to was made; undefined: it has been
   * told. The other side can do nothing with a way of a connection of which it has not heard.
   */
  readonly early: readonly CandidateSignal[] | undefined;
}

type Step = readonly [Negotiation, readonly Output[]];

/**
 * @param makesOffers this side has the greater key
 * @param earlier a number that no attempt had of which this side knows no more, since it has ended and
 * begun anew: the other side may still be at one of those
 */
export function newNegotiation(makesOffers: boolean, earlier = 0): Negotiation {
  const attempt = makesOffers ? earlier : 0;
  return { makesOffers, attempt, phase: 'idle', isStale: false, early: undefined };
}

export function negotiate(state: Negotiation, input: Input): Step {
  switch (input.type) {
    case 'begin':
      if (state.phase === 'settled') return [state, []];
      return state.makesOffers ? renewed(state, state.attempt) : [state, [callMe(state, 'anew')]];
    case 'restart':
      if (!state.makesOffers)
        return [state, [callMe(state, state.phase === 'settled' ? 'restart' : 'anew')]];
      if (state.phase === 'idle') return renewed(state, state.attempt);
      return state.phase === 'settled' ? offered(state, true) : [state, []];
    case 'renew':
      return state.makesOffers
        ? renewed(state, state.attempt)
        : [{ ...state, phase: 'idle', isStale: false }, [callMe(state, 'anew')]];
    case 'change':
      return changed(state);
    case 'late':
      if (state.phase !== 'open') return [state, []];
      return state.makesOffers ? renewed(state, state.attempt) : [state, [callMe(state, 'anew')]];
    case 'described':
      return described(state, input);
    case 'found': {
      const { attempt, candidate, mid } = input;
      if (attempt !== state.attempt) return [state, []];
      const signal = { type: 'candidate', attempt, candidate, mid } as const;
      if (state.early === undefined) return [state, [send(signal)]];
      return [{ ...state, early: [...state.early, signal] }, []];
    }
    case 'signal':
      return signalled(state, input.signal);
    default:
      return input satisfies never;
  }
}

function changed(state: Negotiation): Step {
  if (state.phase === 'idle') return [state, []];
  if (!state.makesOffers) return [state, [callMe(state, 'change')]];
  return state.phase === 'settled' ? offered(state, false) : [{ ...state, isStale: true }, []];
}

function described(state: Negotiation, { attempt, sdp }: { attempt: number; sdp: string }): Step {
  if (attempt !== state.attempt || state.phase !== 'open') return [state, []];
  const early = (state.early ?? []).map(send);
  const told: Negotiation = { ...state, early: undefined };
  if (state.makesOffers) return [told, [send({ type: 'offer', attempt, sdp }), ...early]];
  return [{ ...told, phase: 'settled' }, [send({ type: 'answer', attempt, sdp }), ...early]];
}

function signalled(state: Negotiation, signal: Signal): Step {
  switch (signal.type) {
    case 'offer':
      return takeOffer(state, signal.attempt, signal.sdp);
    case 'answer': {
      const isAwaited = state.makesOffers && state.phase === 'open';
      if (!isAwaited || signal.attempt !== state.attempt) return [state, []];
      const settled: Negotiation = { ...state, phase: 'settled', isStale: false };
      const taken: Output = { type: 'takeAnswer', sdp: signal.sdp };
      if (!state.isStale) return [settled, [taken]];
      const [next, outputs] = offered(settled, false);
      return [next, [taken, ...outputs]];
    }
    case 'candidate': {
      const { candidate, mid } = signal;
      if (signal.attempt !== state.attempt) return [state, []];
      return [state, [{ type: 'addCandidate', candidate, mid }]];
    }
    case 'callme':
      return calledFor(state, signal.attempt, signal.how);
    default:
      return signal satisfies never;
  }
}

function takeOffer(state: Negotiation, attempt: number, sdp: string): Step {
  if (state.makesOffers) return [state, []];
  // One that has begun anew learns by that how far the attempts are.
  if (attempt < state.attempt) return [state, [callMe(state, 'change')]];
  const answer: Output = { type: 'makeAnswer', sdp };
  const next: Negotiation = { ...state, attempt, phase: 'open', early: [] };
  // After a failure the connection of that attempt is no more.
  if (attempt === state.attempt) return state.phase === 'idle' ? [state, []] : [next, [answer]];
  return [next, [{ type: 'open', attempt }, answer]];
}

function calledFor(state: Negotiation, attempt: number, how: Wish): Step {
  if (!state.makesOffers) return [state, []];
  if (how !== 'anew' && attempt === state.attempt) {
    if (how === 'change') return changed(state);
    return state.phase === 'settled' ? offered(state, true) : [state, []];
  }
  // The other side has not seen the offer that is on its way to it.
  if (attempt < state.attempt && state.phase === 'open') return [state, []];
  return renewed(state, Math.max(state.attempt, attempt));
}

/** A new connection, by an offer. */
function renewed(state: Negotiation, after: number): Step {
  const attempt = after + 1;
  const [next, outputs] = offered({ ...state, attempt }, false);
  return [next, [{ type: 'open', attempt }, ...outputs]];
}

function offered(state: Negotiation, restart: boolean): Step {
  const next: Negotiation = { ...state, phase: 'open', isStale: false, early: [] };
  return [next, [{ type: 'makeOffer', restart }]];
}

function callMe({ attempt }: Negotiation, how: Wish): Output {
  return send({ type: 'callme', attempt, how });
}

function send(signal: Signal): Output {
  return { type: 'send', signal };
}

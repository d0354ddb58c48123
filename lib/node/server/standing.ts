/**
 * What a session lets through, by how far somebody has come in. It is the one place that decides:
 * whatever is not named here needs a person who is logged in and whose password nobody else made.
 */
import type { AccountId } from '../../crdt/keys.ts';
import { accountOf } from '../../crdt/records.ts';
import type { Reader } from '../../crdt/state.ts';
import { ClchatError } from '../../errors.ts';
import type { Handlers } from '../exchange.ts';
import type { SESSION } from '../wire.ts';

/** Nobody is logged in; somebody with a password to be changed first; anybody else. */
export type Standing = 'stranger' | 'unready' | 'ready';

type SessionHandlers = Pick<Handlers<typeof SESSION>, 'methods' | 'notices'>;
type MethodName = keyof typeof SESSION.methods;
type NoticeName = keyof typeof SESSION.notices;

interface Opening {
  readonly methods: readonly MethodName[];
  readonly notices: readonly NoticeName[];
}

const OPEN: Readonly<Record<Exclude<Standing, 'ready'>, Opening>> = {
  /** The ways in. */
  stranger: {
    methods: [
      'hello',
      'ping',
      'lookup',
      'login',
      'loginStart',
      'loginFinish',
      'loginFailed',
      'enrol',
      'registerStart',
      'signup',
      'recoverStart',
      'recover',
      'logout',
    ],
    notices: [],
  },
  /** Proving the first password, changing it or having it reset, and leaving. */
  unready: {
    methods: [
      'hello',
      'ping',
      'login',
      'loginStart',
      'loginFinish',
      'loginFailed',
      'passwordStart',
      'password',
      'recoverStart',
      'recover',
      'logout',
    ],
    // Where it may be reached is for when the password has been changed.
    notices: ['active', 'leaving', 'reachable'],
  },
};

export function standingOf(space: Pick<Reader, 'get'>, account: AccountId | undefined): Standing {
  if (account === undefined) return 'stranger';
  return accountOf(space, account)?.mustChange === true ? 'unready' : 'ready';
}

/**
 * Handlers that refuse what a standing does not let through, with NOT_LOGGED_IN or MUST_CHANGE;
 * notices are then passed over.
 */
export function guarded(standing: () => Standing, handlers: SessionHandlers): SessionHandlers {
  const isOpen = (kind: keyof Opening, name: string): boolean => {
    const now = standing();
    return now === 'ready' || (OPEN[now][kind] as readonly string[]).includes(name);
  };
  return {
    methods: wrapped(handlers.methods, (name) => {
      if (isOpen('methods', name)) return true;
      throw new ClchatError(standing() === 'stranger' ? 'NOT_LOGGED_IN' : 'MUST_CHANGE');
    }),
    notices: wrapped(handlers.notices, (name) => isOpen('notices', name)),
  };
}

/** Handlers that do nothing unless they may. */
function wrapped<T extends object>(handlers: T, may: (name: string) => boolean): T {
  const all = Object.entries(handlers) as [string, (payload: unknown) => unknown][];
  return Object.fromEntries(
    all.map(([name, handler]) => [
      name,
      (payload: unknown) => (may(name) ? handler(payload) : undefined),
    ]),
  ) as T;
}

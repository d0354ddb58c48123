/** Events of calls, as they are told to front ends. */
import { pathOf } from '../../crdt/rooms.ts';
import type { CallEnd, CallView, RoomCallView } from '../../node/calls/wire.ts';
import type { Home } from '../../node/client/home.ts';
import type { AppEvent } from '../types.ts';
import type { LiveCall } from './live-call.ts';

type CallEvent = Extract<AppEvent, { readonly event: 'call' }>;

export class CallTelling {
  readonly #tell: (event: AppEvent) => void;
  /** The last that was told of the call in which this device is. */
  #last = '';

  constructor(tell: (event: AppEvent) => void) {
    this.#tell = tell;
  }

  /** Somebody calls. */
  ring(home: Home, view: CallView): void {
    this.call(home, view, 'ringing', []);
    this.#tell({ event: 'ring', id: view.id, user: view.caller ?? '' });
  }

  /** How the call is in which this device is, where that is not what was told last. */
  live(home: Home, live: LiveCall): void {
    const { view, state, participants } = live;
    if (state.phase === 'idle') return;
    const now = JSON.stringify([view.id, state.phase, participants]);
    if (now === this.#last) return;
    this.#last = now;
    this.call(home, view, state.phase, participants);
  }

  call(
    home: Home,
    view: CallView,
    state: CallEvent['state'],
    participants: readonly string[],
    reason?: CallEnd,
  ): void {
    const { caller, callee, id, room } = view;
    const user = caller === home.name ? callee : caller;
    const path = room === undefined ? undefined : pathOf(home.space, room);
    this.#tell({
      event: 'call',
      id,
      state,
      participants,
      ...(path === undefined ? {} : { room: path }),
      ...(user === undefined ? {} : { user }),
      ...(reason === undefined ? {} : { reason }),
    });
  }

  /** Of a call in which this device is not. */
  room(home: Home, { id, state, users, room }: RoomCallView): void {
    const path = pathOf(home.space, room);
    if (path !== undefined)
      this.#tell({ event: 'call', id, state, room: path, participants: users, joined: false });
  }
}

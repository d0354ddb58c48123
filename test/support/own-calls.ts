/** Calls as one device knows them, with a server that says what a test wants. */
import { randomBytes } from 'node:crypto';
import type { AccountId, PublicKey, RoomId } from '../../lib/crdt/keys.ts';
import { ClchatError, type ErrorCode } from '../../lib/errors.ts';
import type {
  CallEnd,
  CallId,
  CallView,
  Participant,
  RoomCallView,
} from '../../lib/node/calls/wire.ts';
import { Calls, type CallNews } from '../../lib/node/client/calls.ts';
import type { Link } from '../../lib/node/client/link.ts';
import { callNamed, EQUIPMENT } from './call-stage.ts';
import { turns } from './channels.ts';

export const ALICE = 'alice/1' as PublicKey;
export const BOB = { account: 'bob' as AccountId };
export const KITCHEN = { room: 'kitchen' as RoomId };
export const NO_WAYS = { stun: [] };

/** What the server is asked, and how it answers. */
export class FakeServer {
  /** `method`, and what was sent. */
  readonly asked: { readonly method: string; readonly request: Record<string, unknown> }[] = [];
  readonly answers = new Map<string, (request: never) => unknown>();
  isAway = false;
  calls: CallView[] = [];
  rooms: RoomCallView[] = [];

  get link(): Link {
    if (this.isAway) throw new ClchatError('NETWORK');
    const call = async (method: string, request: Record<string, unknown>): Promise<unknown> => {
      this.asked.push({ method, request });
      await turns(1);
      const answer = this.answers.get(method);
      if (answer !== undefined) return answer(request as never);
      return method === 'calls' ? { calls: this.calls, rooms: this.rooms } : {};
    };
    return { session: { call } } as unknown as Link;
  }

  refuses(method: string, code: ErrorCode): void {
    this.answers.set(method, () => {
      throw new ClchatError(code);
    });
  }

  /** All that was asked, in short, since last looked at. */
  methods(): string[] {
    return this.asked.splice(0).map(({ method }) => method);
  }
}

export function seat(device: string, change: Partial<Participant> = {}): Participant {
  const user = device.split('/')[0]!;
  return { user, device: device as PublicKey, ...EQUIPMENT, ...change };
}

export function pair(
  state: CallView['state'],
  devices: readonly string[],
  change: Partial<CallView> & { id?: CallId } = {},
): CallView {
  const participants = devices.map((device) => seat(device));
  return { id: callNamed('c'), caller: 'bob', callee: 'alice', state, participants, ...change };
}

export const ended = (reason: CallEnd, change: Partial<CallView> = {}): CallView =>
  pair('ended', [], { reason, ...change });

/** The calls of alice's device, at a server made of paper. */
export class OwnCallsStage {
  readonly server = new FakeServer();
  readonly calls: Calls;
  readonly faults: unknown[] = [];
  /** Names that the log has, where a device is not called by that of its account. */
  readonly names = new Map<string, string | undefined>();
  /** Rooms in which alice is by the log. */
  readonly rooms = new Set<string>([KITCHEN.room]);
  #news: CallNews[] = [];

  constructor() {
    const { server } = this;
    this.calls = new Calls({
      link: () => server.link,
      name: () => 'alice',
      device: ALICE,
      nameOf: (device) => (this.names.has(device) ? this.names.get(device) : device.split('/')[0]!),
      isIn: (room) => this.rooms.has(room),
      accountNamed: (name) => name as AccountId,
      random: randomBytes,
      onNews: (one) => this.#news.push(one),
      onFault: (error) => this.faults.push(error),
    });
    const entered = ({ id, target }: { id: CallId; target: { room?: RoomId } }) => ({
      call:
        target.room === undefined
          ? pair('ringing', [ALICE], { id, caller: 'alice', callee: 'bob' })
          : { id, room: target.room, state: 'active' as const, participants: [seat(ALICE)] },
      ways: NO_WAYS,
    });
    server.answers.set('callStart', entered);
    server.answers.set('callAnswer', ({ id }: { id: CallId }) => ({
      call: pair('active', ['bob/1', ALICE], { id }),
      ways: NO_WAYS,
    }));
  }

  /** What was told since last asked, in short. */
  told(): string[] {
    return this.#news.splice(0).map((one) => {
      const { kind, call } = one;
      const reason = kind === 'over' || kind === 'rung' ? `: ${one.reason}` : '';
      const users = 'users' in call ? call.users : call.participants.map(({ user }) => user);
      return `${kind} ${call.state}${reason} (${users.join(' ')})`;
    });
  }
}

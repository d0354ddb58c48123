/** A call as the program of one device has it, with lines and a helper process made of paper. */
import type { AccountId, PublicKey, RoomId } from '../../lib/crdt/keys.ts';
import { ClchatError, type ErrorCode } from '../../lib/errors.ts';
import type { EngineStats, Order, SourceKind } from '../../lib/media/engine/messages.ts';
import type { PictureSize } from '../../lib/media/frames.ts';
import type { MediaProcessOptions } from '../../lib/media/media-process.ts';
import { USUAL, type Choices } from '../../lib/app/calls/choices.ts';
import type { Media } from '../../lib/app/calls/kept-media.ts';
import { LiveCall } from '../../lib/app/calls/live-call.ts';
import type { PictureKind } from '../../lib/app/types.ts';
import type { Companion } from '../../lib/node/calls/lines.ts';
import type { CallId, CallView, Participant } from '../../lib/node/calls/wire.ts';
import { callNamed, EQUIPMENT } from './call-stage.ts';

/** Remembers what it is told, and answers as a test says. */
export class FakeMedia implements Media {
  readonly orders: Order[] = [];
  readonly calls: { readonly name: string; readonly args: Record<string, unknown> }[] = [];
  /** `source camera` and the like: what these are refused with. */
  readonly refusals = new Map<string, ErrorCode>();
  /** Held until they are let go. */
  readonly held = new Map<string, Promise<void>>();
  stats: EngineStats = { peers: {} };
  isStopped = false;
  readonly options: MediaProcessOptions | undefined;

  constructor(options?: MediaProcessOptions) {
    this.options = options;
  }

  order(order: Order): void {
    this.orders.push(order);
  }

  readonly call = (async (name: string, args: Record<string, unknown>): Promise<unknown> => {
    this.calls.push({ name, args });
    const kind = name === 'source' ? `${name} ${String(args['kind'])}` : name;
    const isForNone = args['spec'] === 'none';
    if (!isForNone) await this.held.get(kind);
    const refusal = this.refusals.get(kind);
    if (refusal !== undefined && !isForNone) throw new ClchatError(refusal);
    if (name === 'stats') return this.stats;
    if (name === 'answer' || name === 'accept') this.#connect(args);
    return { sdp: `${name} ${String(args['attempt'])}`, label: kind };
  }) as Media['call'];

  async stop(): Promise<void> {
    this.isStopped = true;
  }

  /** What was agreed on comes about. */
  #connect({ peer, attempt }: Record<string, unknown>): void {
    const state = { event: 'state', state: 'connected' } as const;
    const whose = { peer: peer as string, attempt: attempt as number };
    setImmediate(() => this.options?.onEvent({ ...state, ...whose }));
  }

  /** It ends by itself. */
  die(): void {
    this.refusals.set('source camera', 'CLOSED').set('source microphone', 'CLOSED');
    this.options?.onGone();
  }

  /** The last order of a kind about a peer. */
  last<O extends Order['order']>(order: O, peer?: PublicKey): Extract<Order, { order: O }> {
    const found = this.orders.findLast(
      (one) => one.order === order && (peer === undefined || ('peer' in one && one.peer === peer)),
    );
    if (found === undefined) throw new Error(`there was no order "${order}"`);
    return found as Extract<Order, { order: O }>;
  }

  /** What devices it has been told to have: `camera test`. */
  get sources(): string[] {
    return this.calls
      .filter(({ name }) => name === 'source')
      .map(({ args }) => `${String(args['kind'])} ${String(args['spec'])}`);
  }
}

export class FakeLines {
  readonly up = new Set<PublicKey>();
  readonly said: { readonly to: PublicKey; readonly name: string; readonly notice: unknown }[] = [];
  kept: { readonly id: CallId | undefined; readonly devices: readonly PublicKey[] } | undefined;

  keep(id: CallId | undefined, companions: readonly Companion[]): void {
    this.kept = { id, devices: companions.map(({ device }) => device) };
  }

  isUp(device: PublicKey): boolean {
    return this.up.has(device);
  }

  send(to: PublicKey, name: string, notice: unknown): boolean {
    if (!this.up.has(to)) return false;
    this.said.push({ to, name, notice });
    return true;
  }

  /** How somebody was last told that their pictures are wanted. */
  wanted(of: PublicKey): { camera: PictureSize | null; screen: PictureSize | null } | undefined {
    return this.said.findLast(({ to, name }) => to === of && name === 'view')?.notice as never;
  }
}

/** Lets promises come about, whoever owns the time. */
async function soon(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

export const SMALL: PictureSize = { width: 160, height: 96, fps: 15 };
export const ME = 'm/1' as PublicKey;

export const accountOf = (device: PublicKey): AccountId => device.split('/')[0] as AccountId;

export function seat(device: string, change: Partial<Participant> = {}): Participant {
  const key = device as PublicKey;
  return { user: accountOf(key), device: key, ...EQUIPMENT, camera: true, ...change };
}

/** One call, as the device `m/1` of the account `m` has it. */
export class LiveStage {
  readonly media = new FakeMedia();
  readonly lines = new FakeLines();
  readonly on: Record<SourceKind, boolean> = { camera: true, microphone: true, screen: false };
  readonly contacts = new Set<AccountId>();
  readonly suppressed = new Set<AccountId>();
  readonly choices = new Map<AccountId, Choices>();
  /** `camera bob`: how large it is shown. */
  readonly sizes = new Map<string, PictureSize | null>();
  isShown = false;
  isMediaThere = true;
  desertions = 0;
  /** Those whose devices have gone. */
  readonly left: string[] = [];
  /** Those of whom it was told that they have not been reached. */
  readonly unreached: string[] = [];
  prepared = 0;
  /** Participants and phase after each change. */
  readonly changes: string[] = [];
  readonly faults: unknown[] = [];
  readonly live: LiveCall;
  #view: CallView;

  /** @param room null: between two */
  constructor(room: string | null = 'kitchen') {
    const place = room === null ? { caller: 'm', callee: 'b' } : { room: room as RoomId };
    this.#view = { id: callNamed('c'), ...place, state: 'active', participants: [seat(ME)] };
    const { lines, media, on, suppressed, contacts, sizes, choices } = this;
    const mediaThere = (): FakeMedia | undefined => (this.isMediaThere ? media : undefined);
    this.live = new LiveCall({
      view: this.#view,
      calling: { companions: async () => this.#companions(), lines: lines as never },
      devices: {
        get media() {
          return mediaThere();
        },
        isOn: (kind) => on[kind],
      },
      key: ME,
      account: accountOf(ME),
      ways: () => ({ servers: [], mapped: [] }),
      maySee: (account, { entered }, place_) =>
        place_ === undefined || entered || contacts.has(account),
      isSuppressed: (account) => suppressed.has(account),
      choicesOf: (account) => choices.get(account) ?? USUAL,
      sizeOf: (device: PublicKey, kind: PictureKind) =>
        this.isShown ? (sizes.get(`${kind} ${accountOf(device)}`) ?? null) : undefined,
      isShown: () => this.isShown,
      prepare: async () => void (this.prepared += 1),
      onChange: () => this.changes.push(this.state),
      onLeft: (user) => this.left.push(user),
      onUnreachable: (user) => this.unreached.push(user),
      onDeserted: () => (this.desertions += 1),
      onFault: (error) => this.faults.push(error),
    });
  }

  #companions(): Companion[] {
    return this.#view.participants
      .filter(({ device }) => device !== ME)
      .map(({ device }) => ({ device, account: accountOf(device) }));
  }

  get state(): string {
    return `${this.live.state.phase} ${this.live.participants.join(' ')}`;
  }

  /** The server tells who else is in it. */
  async tell(...others: readonly (string | Participant)[]): Promise<void> {
    const seats = others.map((one) => (typeof one === 'string' ? seat(one) : one));
    this.#view = { ...this.#view, participants: [...seats, seat(ME)] };
    await this.live.update(this.#view);
  }

  /** There is a line to somebody, who wants to see this side's pictures as large as that. */
  meet(
    device: string,
    view: { camera?: PictureSize | null; screen?: PictureSize | null } = {},
  ): void {
    const key = device as PublicKey;
    this.lines.up.add(key);
    this.live.lineUp(key, true);
    this.wants(device, view);
  }

  wants(device: string, view: { camera?: PictureSize | null; screen?: PictureSize | null }): void {
    const { camera = SMALL, screen = null } = view;
    this.live.take(device as PublicKey, { name: 'view', notice: { camera, screen } });
  }

  /** The connection to somebody comes to be in a state. */
  becomes(device: string, state: 'connected' | 'disconnected' | 'failed'): void {
    const peer = device as PublicKey;
    const { attempt } = this.media.last('open', peer);
    this.live.note({ event: 'state', peer, attempt, state });
  }

  /** Somebody is met and connected to. */
  async connect(device: string): Promise<void> {
    const key = device as PublicKey;
    this.meet(device);
    await this.agree(device);
    this.becomes(key, 'connected');
  }

  /** The other side makes an offer, or answers the one that was made. */
  async agree(device: string): Promise<void> {
    const key = device as PublicKey;
    await soon();
    if (key < ME) {
      const { attempt } = this.media.last('open', key);
      this.live.take(key, { name: 'answer', notice: { attempt, sdp: 'theirs' } });
    } else {
      const { attempt } = this.said(key, 'callme') as { attempt: number };
      this.live.take(key, { name: 'offer', notice: { attempt: attempt + 1, sdp: 'theirs' } });
    }
    await soon();
  }

  /** What somebody was told last of a kind. */
  said(device: string, name: string): unknown {
    return this.lines.said.findLast((one) => one.to === device && one.name === name)?.notice;
  }

  sent(device: string) {
    const { sound, camera, screen } = this.media.last('send', device as PublicKey);
    return { sound, camera, screen };
  }

  volume(device: string): number {
    return this.media.last('hear', device as PublicKey).volume;
  }

  wanted(device: string) {
    return this.lines.wanted(device as PublicKey);
  }
}

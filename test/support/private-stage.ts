/** People who talk in private over a network in one process; the test is the server they ask. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { AccountId, PublicKey } from '../../lib/crdt/keys.ts';
import { accountStream } from '../../lib/crdt/stream.ts';
import { ClchatError, type ErrorCode } from '../../lib/errors.ts';
import { systemClock } from '../../lib/lifecycle.ts';
import type { Channel, Path, Transport } from '../../lib/node/channel.ts';
import type { Home } from '../../lib/node/client/home.ts';
import { Exchange, type Handlers } from '../../lib/node/exchange.ts';
import { createLoopback } from '../../lib/node/loopback.ts';
import type { PrivateNews } from '../../lib/node/private/news.ts';
import type { Heard } from '../../lib/node/private/open-session.ts';
import { PrivateSessions, type PrivateOptions } from '../../lib/node/private/sessions.ts';
import type { Session } from '../../lib/node/private/whereabouts.ts';
import { PRIVATE } from '../../lib/node/private/wire.ts';
import { eventually } from './channels.ts';
import type { Member, SealedCommunity } from './community.ts';
import { homeStage } from './home-stage.ts';
import type { HomeBench } from './homes.ts';

export const refuses = (promise: Promise<unknown>, code: string): Promise<void> =>
  assert.rejects(promise, { code });

/** A device, and what its person is told. */
export class Talker {
  readonly bench: HomeBench;
  readonly transport: Transport;
  readonly sessions: PrivateSessions;
  readonly news: PrivateNews[] = [];
  readonly faults: unknown[] = [];
  isLoggedIn = true;

  constructor(
    bench: HomeBench,
    transport: Transport,
    session: () => Session | undefined,
    options: Partial<PrivateOptions>,
  ) {
    this.bench = bench;
    this.transport = transport;
    this.sessions = new PrivateSessions({
      transport,
      clock: systemClock,
      random: randomBytes,
      home: () => (this.isLoggedIn ? bench.home : undefined),
      session,
      onNews: (news) => this.news.push(news),
      onFault: (error) => this.faults.push(error),
      ...options,
    });
  }

  get home(): Home {
    return this.bench.home;
  }

  get account(): AccountId {
    return this.bench.member.account;
  }

  get device(): PublicKey {
    return this.transport.key;
  }

  /** All that was told, in short: `message bob: hello`. */
  get told(): string[] {
    return this.news.map((news) => {
      const what = `${news.kind} ${this.home.nameOf(news.account)}`;
      if (news.kind === 'message') return `${what}: ${news.text}`;
      if (news.kind !== 'closed') return what;
      return `${what}: ${news.reason}${news.unshown === undefined ? '' : `, ${news.unshown} unshown`}`;
    });
  }

  hears(what: string, count = 1): Promise<void> {
    return eventually(
      `hearing "${what}"`,
      () => this.told.filter((one) => one === what).length >= count,
    );
  }

  say(to: Talker, text: string): Promise<Heard> {
    return this.sessions.say(to.account, { text, time: 1 });
  }

  /** Asks somebody, who says yes. */
  async talksWith(other: Talker): Promise<void> {
    const { decided } = await this.sessions.start(other.account);
    await other.sessions.answer(this.account, true);
    await decided;
  }

  async block(other: Talker): Promise<void> {
    const body = { account: other.account, blocked: true };
    await this.home.conversations.act(accountStream(this.account), 'block', body);
  }
}

/** Somebody's device that speaks the protocol by hand. */
export class Stranger {
  readonly member: Member;
  readonly transport: Transport;
  /** What it was told about the end. */
  readonly reasons: string[] = [];

  constructor(member: Member, transport: Transport) {
    this.member = member;
    this.transport = transport;
  }

  /** A channel to somebody. */
  async channel(to: Talker) {
    const signal = AbortSignal.timeout(5_000);
    const target = { addresses: [to.device], key: to.device };
    const connection = await this.transport.connect(target, { signal });
    return connection.open(PRIVATE.name, { signal });
  }

  async reach(
    to: Talker,
    methods: Handlers<typeof PRIVATE>['methods'] = {},
  ): Promise<Exchange<typeof PRIVATE>> {
    const notices = { close: ({ reason }: { reason: string }) => void this.reasons.push(reason) };
    return new Exchange(await this.channel(to), PRIVATE, { methods, notices });
  }
}

export interface PrivateStage {
  readonly community: SealedCommunity;
  /** What the server refuses to tell with; none: it tells. */
  refusal: ErrorCode | undefined;
  /** The server is there. */
  isServed: boolean;
  /** How connections run. */
  path: Path;
  /** Breaks all lines, as silence does, and lets nobody connect. */
  readonly cut: () => void;
  /** Lets people connect again. */
  readonly restore: () => void;
  /** Devices that the server does not know a way to. */
  readonly hidden: Set<PublicKey>;
  readonly join: <const Names extends readonly string[]>(
    ...names: Names
  ) => Promise<{ [K in keyof Names]: Talker }>;
  /** A further device of somebody. */
  readonly device: (of: Talker, options?: Partial<PrivateOptions>) => Promise<Talker>;
  /** Somebody's first device, without a program; known to all. */
  readonly stranger: (name: string) => Promise<Stranger>;
  /** A device by its key alone. */
  readonly byHand: (member: Member) => Stranger;
  /** Whom `join` and `device` make from now on. */
  options: Partial<PrivateOptions>;
  readonly catchUp: () => Promise<void>;
}

/** To be called inside a `describe`: there are new people for each of its tests. */
export function privateStage(): PrivateStage {
  const homes = homeStage();
  let network = createLoopback();
  const talkers: Talker[] = [];
  const channels: Channel[] = [];
  let isCut = false;

  const withPath = <T extends object>(one: T): T => Object.assign(one, { path: stage.path });
  const noted = (channel: Channel): Channel => {
    channels.push(channel);
    return channel;
  };
  const join = (key: PublicKey): Transport => {
    const inner = network.join(key);
    return {
      key,
      addresses: () => inner.addresses(),
      connect: async (target, options) => {
        if (isCut) throw new ClchatError('NETWORK');
        const connection = await inner.connect(target, options);
        const open = connection.open.bind(connection);
        connection.open = async (protocol, how) => noted(await open(protocol, how));
        return withPath(connection);
      },
      handle: (protocol, handler) =>
        inner.handle(protocol, (channel) => handler(noted(withPath(channel)))),
      stop: () => inner.stop(),
    };
  };
  const whereIs = async (account: AccountId) => {
    if (stage.refusal !== undefined) throw new ClchatError(stage.refusal);
    const devices = talkers
      .filter((one) => one.account === account && !stage.hidden.has(one.device))
      .map(({ device }) => ({ device, addresses: [device] }));
    return { devices };
  };
  const session = (): Session | undefined => {
    const call = (_method: string, { account }: { account: AccountId }) => whereIs(account);
    return stage.isServed ? { call } : undefined;
  };
  const open = (bench: HomeBench, options: Partial<PrivateOptions>): Talker => {
    const { options: common } = stage;
    const talker = new Talker(bench, join(bench.member.id), session, { ...common, ...options });
    talkers.push(talker);
    return talker;
  };

  const stage: PrivateStage = {
    get community() {
      return homes.community;
    },
    refusal: undefined,
    isServed: true,
    path: 'direct',
    hidden: new Set(),
    options: {},
    async join<const Names extends readonly string[]>(...names: Names) {
      const benches = await homes.join(...names);
      await homes.catchUp();
      return benches.map((bench) => open(bench, {})) as { [K in keyof Names]: Talker };
    },
    async device(of, options = {}) {
      const bench = await homes.open(await homes.community.enrol(of.bench.member));
      await homes.catchUp();
      return open(bench, options);
    },
    async stranger(name) {
      const member = await homes.community.join(name);
      await homes.catchUp();
      return stage.byHand(member);
    },
    cut() {
      isCut = true;
      for (const channel of channels.splice(0)) channel.abort(new ClchatError('TIMEOUT'));
    },
    restore() {
      isCut = false;
    },
    byHand: (member) => new Stranger(member, join(member.id)),
    catchUp: homes.catchUp,
  };

  beforeEach(() => {
    network = createLoopback();
    Object.assign(stage, { refusal: undefined, isServed: true, path: 'direct', options: {} });
    stage.hidden.clear();
    stage.restore();
  });

  afterEach(async () => {
    for (const { sessions, transport } of talkers) {
      await sessions.stopAll();
      await transport.stop();
    }
    const faults = talkers.splice(0).flatMap((talker) => talker.faults);
    if (faults.length > 0) throw faults[0];
  });

  return stage;
}

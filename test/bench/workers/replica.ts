/** A new replica that catches up with a server over a real connection, in each of its ways. */
import { join } from 'node:path';
import { SigningKey } from '../../../lib/crdt/keys.ts';
import { LogStore } from '../../../lib/crdt/log-store.ts';
import { Replica } from '../../../lib/crdt/replica.ts';
import { openLevelStore } from '../../../lib/crdt/store-level.ts';
import { LOBBY_STREAM } from '../../../lib/crdt/stream.ts';
import { sleep } from '../../../lib/lifecycle.ts';
import { Link } from '../../../lib/node/client/link.ts';
import { Exchange } from '../../../lib/node/exchange.ts';
import { openKeystore } from '../../../lib/node/keystore.ts';
import { createTransport } from '../../../lib/node/libp2p.ts';
import { SYNC } from '../../../lib/node/wire.ts';
import { now, ownTime } from '../support/stats.ts';
import { serve } from '../support/worker.ts';
import { describeProfile, openClient, random } from './client.ts';

const quiet = (): void => undefined;
const onFault = (error: unknown): void => console.error(error);

/** How long all of it may take, in milliseconds. */
const RETURN_MS = 900_000;

/** How often is looked at what has come, in milliseconds. */
const LOOK_MS = 100;

let news = 0;
const onText = (): void => void (news += 1);

interface Where {
  readonly directory: string;
  readonly address: string;
  readonly user: string;
}

/** Times in milliseconds since the connection was begun. */
interface CaughtUp {
  /** Until the lobby could be read and written. */
  readonly usable: number;
  /** Until all of it was here. */
  readonly whole: number;
  /** Processor time of this process for it. */
  readonly used: number;
  readonly entries: number;
}

const methods = {
  /** A new account, so that it is a known device afterwards. */
  async register(where: Where): Promise<void> {
    const peer = await openClient({ ...where, onText, onFault });
    const { client } = peer;
    await client.connect();
    await client.register(where.user, undefined);
    await describeProfile(peer, where.user);
    await peer.stop();
  },

  /** A new account and all the history there is, newest first: what the program does when it is scrolled back. */
  async history(where: Where): Promise<CaughtUp> {
    const usedBefore = ownTime();
    const begun = now();
    const peer = await openClient({ ...where, onText, onFault });
    const { client } = peer;
    await client.connect();
    await client.register(where.user, undefined);
    const usable = now() - begun;
    await client.fetchOlder(LOBBY_STREAM, async () => false);
    const whole = now() - begun;
    const used = ownTime() - usedBefore;
    const [have] = client.home.replica.log.headOf(LOBBY_STREAM).have;
    await describeProfile(peer, where.user);
    await peer.stop();
    return { usable, whole, used, entries: (have?.[1] ?? 0) - (have?.[0] ?? 0) };
  },

  /** A known device that was away: everything is news to it. */
  async returned(where: Where & { entries: number }): Promise<CaughtUp> {
    news = 0;
    const usedBefore = ownTime();
    const begun = now();
    const peer = await openClient({ ...where, onText, onFault });
    const { client } = peer;
    await client.connect();
    await client.loginDevice();
    const usable = now() - begun;
    for (const end = begun + RETURN_MS; news < where.entries && now() < end;) await sleep(20);
    const whole = now() - begun;
    const used = ownTime() - usedBefore;
    await peer.stop();
    return { usable, whole, used, entries: news };
  },

  /** A known device that was away, until it holds so many entries in all. */
  async caughtUp(where: Where & { entries: number }): Promise<CaughtUp> {
    const usedBefore = ownTime();
    const begun = now();
    const peer = await openClient({ ...where, onText, onFault });
    const { client } = peer;
    await client.connect();
    await client.loginDevice();
    const usable = now() - begun;
    const { log } = client.home.replica;
    let names = await log.names();
    const held = (): number => names.reduce((sum, name) => sum + log.headOf(name).length, 0);
    let entries = held();
    for (const end = begun + RETURN_MS; entries < where.entries && now() < end;) {
      await sleep(LOOK_MS);
      const before = entries;
      entries = held();
      // To read the names costs more than to count: they are read again where nothing more has come.
      if (entries === before) names = await log.names();
    }
    if (entries < where.entries)
      throw new Error(`${entries} of ${where.entries} entries came back`);
    const whole = now() - begun;
    const used = ownTime() - usedBefore;
    await peer.stop();
    return { usable, whole, used, entries };
  },

  /**
   * The device of `register` with nothing but its keys: every stream from its first entry on, every
   * seal and signature verified and every entry judged by the rules.
   */
  async forward({ directory, address }: Where): Promise<CaughtUp> {
    const keystore = await openKeystore({ directory, passphrase: undefined, random });
    const { device, server } = keystore.read();
    const store = await openLevelStore(join(directory, 'forward'), { create: true });
    const usedBefore = ownTime();
    const begun = now();
    const transport = await createTransport({ seed: device.seed, listen: [] });
    const link = await Link.open(
      transport,
      { addresses: [address], key: server!.key },
      {
        onPresence: quiet,
        onBroadcast: quiet,
        onTyping: quiet,
        onConference: quiet,
        onConferences: quiet,
        onLogout: quiet,
        onFault,
      },
      new AbortController().signal,
    );
    await link.session.call('login', {});
    const exchange = new Exchange(await link.openSync(), SYNC, {
      methods: {},
      notices: {},
      onFault,
    });
    const replica = await Replica.open({
      log: new LogStore(store),
      server: server!.key,
      device: new SigningKey(device.seed),
      onBatch: quiet,
      onRefused: quiet,
    });
    const { heads } = await exchange.call('open', {});
    const lengths = new Map(heads.map(([stream, length]) => [stream, length]));
    let usable = NaN;
    for (const stream of ['space', LOBBY_STREAM] as const) {
      for (;;) {
        const from = replica.log.headOf(stream).length;
        if (from >= (lengths.get(stream) ?? 0)) break;
        const { batches } = await exchange.call('fetch', { stream, from });
        for (const { seal, items } of batches) {
          const { result } = await replica.ingest(seal, items);
          if (result !== 'added' && result !== 'duplicate') throw new Error(result);
        }
      }
      if (stream === 'space') usable = now() - begun;
    }
    const whole = now() - begun;
    const used = ownTime() - usedBefore;
    const entries = replica.log.headOf(LOBBY_STREAM).length;
    await link.close();
    await transport.stop();
    await store.close();
    return { usable, whole, used, entries };
  },
};

export type ReplicaMethods = typeof methods;

serve(methods);

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { parseCandidate } from '../../../lib/media/description.ts';
import type { MappedPort, Ways } from '../../../lib/media/engine/messages.ts';
import { comesAbout, LIMITS, Link, MediaSide, NO_WAYS } from '../../support/media-sides.ts';

const SMALL = { width: 160, height: 96, fps: 15 };
/** Connections that are opened twice and closed, after as many that do not count; how many at once. */
const OPENED = 20;
const AT_ONCE = 5;
/** Of each of the two processes, in bytes; one connection that is kept is a good part of it. */
const MOST_GROWTH = 12 * 1024 * 1024;

/** A UDP port that is free. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0);
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

/** How much memory a process takes, in bytes. */
async function memoryOf(pid: number | undefined): Promise<number> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', `${pid}`]);
  return Number(stdout) * 1024;
}

describe('a connection between two helper processes', function () {
  this.timeout(120_000);
  let alice: MediaSide;
  let bob: MediaSide;

  before(async () => {
    [alice, bob] = await Promise.all([MediaSide.start(), MediaSide.start()]);
    await alice.use('camera', 'test');
  });
  after(async () => Promise.all([alice?.stop(), bob?.stop()]));

  const linked = (ways: Ways = NO_WAYS, others: Ways = NO_WAYS): Link =>
    new Link({ side: alice, name: 'alice', ways }, { side: bob, name: 'bob', ways: others });

  /** Pictures come, and more than a few of them. */
  const shows = async (): Promise<void> => {
    alice.send('bob', { camera: SMALL });
    const decoded = (await bob.stats()).peers['alice']?.camera?.framesDecoded ?? 0;
    await bob.finds('alice', 'pictures', ({ camera }) => {
      return (camera?.framesDecoded ?? 0) > decoded + 5;
    });
  };

  /** Of which attempt the last offer is, counted from the first one. */
  const lastAttempt = ({ offers }: Link): number => offers.at(-1)!.attempt - offers[0]!.attempt;
  /** What the offers call the ways of this side: something else with each search for others. */
  const searches = ({ offers }: Link): number =>
    new Set(offers.map(({ sdp }) => /^a=ice-ufrag:(.*)$/m.exec(sdp)?.[1])).size;

  describe('goes on', () => {
    let link: Link;
    before(async () => {
      link = linked();
      await link.connected();
      await shows();
    });
    after(() => link.close());

    it('by the way that it has, which is told', async () => {
      await bob.finds('alice', 'its way', ({ path }) => path !== undefined);
      const { path, roundTripMs, receivedBits } = await bob.statsOf('alice');
      assert.equal(path, 'direct');
      assert(roundTripMs! >= 0 && receivedBits > 1_000, `${roundTripMs} ms, ${receivedBits} bits`);
    });

    for (const which of ['caller', 'called'] as const) {
      it(`as the same one by other ways, when the network of the ${which} is another`, async () => {
        const before = [lastAttempt(link), searches(link)] as const;
        link[which].networkChanged();
        await shows();
        await link.connected();
        assert.deepEqual([lastAttempt(link), searches(link)], [before[0], before[1] + 1]);
      });

      it(`as the same one, when its contents change by the ${which}`, async () => {
        const before = [link.offers.length, lastAttempt(link), searches(link)] as const;
        link[which].change();
        await shows();
        await link.connected();
        const [offers, ...others] = before;
        assert.deepEqual([lastAttempt(link), searches(link)], others);
        assert.equal(link.offers.length, offers + 1);
      });

      it(`as another one, when it is begun anew by the ${which}`, async () => {
        const before = lastAttempt(link);
        link[which].renew();
        await link.connected();
        await shows();
        assert.equal(lastAttempt(link), before + 1);
      });

      it(`as another one, when the ${which} has ended and begun anew`, async () => {
        link.begin(which);
        link.lineUp();
        await shows();
        await link.connected();
      });
    }
  });

  it('comes about where a server is told that makes no sense', async () => {
    const servers = ['turn:', 'http://x', 'stun:[::1', ''].map((urls) => ({ urls }));
    const link = linked({ servers, mapped: [] });
    await link.connected();
    await shows();
    link.close();
  });

  it('has a port of the gateway, unless that was in vain, and tells of it', async () => {
    const port = await freePort();
    const mapped: MappedPort[] = [{ port, external: { ip: '11.0.0.7', port: 50_001 } }];
    const link = linked({ servers: [], mapped });
    /** The ways that were told for the last attempt by this side, or by the other one. */
    const told = (): string[] =>
      link.signals
        .flatMap((one) => (one.type === 'candidate' ? [one] : []))
        .filter(({ attempt }) => attempt === link.offers.at(-1)!.attempt)
        .map(({ candidate }) => parseCandidate(candidate)!)
        .map(({ type, ip, port: at }) => (type === 'host' ? `${at}` : `${type} ${ip} ${at}`));
    await link.connected();
    assert(told().includes(`${port}`), told().join());
    assert(told().includes('srflx 11.0.0.7 50001'), told().join());
    // Before it can be connected.
    for (let attempts = 0; attempts < 3; attempts++) link.caller.renew();
    await link.connected();
    assert(!told().includes(`${port}`), told().join());
    link.caller.renew();
    await link.connected();
    assert(told().includes(`${port}`), told().join());
    link.close();
  });

  for (const which of ['caller', 'called'] as const)
    it(`is made anew for other ways, when the ${which} has a port of the gateway alone`, async () => {
      const port = await freePort();
      const mapped: MappedPort[] = [{ port, external: { ip: '11.0.0.7', port: 50_001 } }];
      const ways = { servers: [], mapped };
      const link = which === 'caller' ? linked(ways) : linked(NO_WAYS, ways);
      await link.connected();
      for (const other of ['caller', 'called'] as const) {
        const [before, told] = [lastAttempt(link), link.signals.length];
        const begun = performance.now();
        link[other].networkChanged();
        await comesAbout('another connection', () => lastAttempt(link) > before);
        await link.connected();
        assert(performance.now() - begun < 5_000);
        const ports = link.signals
          .slice(told)
          .flatMap((one) =>
            one.type === 'candidate' ? [parseCandidate(one.candidate)!.port] : [],
          );
        assert(ports.includes(port), ports.join());
      }
      await shows();
      link.close();
    });

  it('is with one other device, and not with another one that says it is the same', async () => {
    const [first, second] = await Promise.all(
      ['first', 'second'].map(async (peer) => {
        alice.media.order({ order: 'open', peer, attempt: 1, makesOffers: true, ways: NO_WAYS });
        const offer = await alice.media.call('offer', { peer, attempt: 1, restart: false });
        alice.media.order({ order: 'close', peer });
        return { peer: 'alice', attempt: 1, sdp: offer.sdp, limits: LIMITS };
      }),
    );
    const { media } = bob;
    media.order({ order: 'open', peer: 'alice', attempt: 1, makesOffers: false, ways: NO_WAYS });
    assert.match((await media.call('answer', first!)).sdp, /^v=0/);
    assert.match((await media.call('answer', first!)).sdp, /^v=0/);
    await assert.rejects(media.call('answer', second!), {
      code: 'BAD_MESSAGE',
      message: 'The offer is that of another connection.',
    });
    media.order({ order: 'close', peer: 'alice' });
  });

  it('leaves nothing behind', async () => {
    const round = async (): Promise<void> => {
      for (let opened = 0; opened < OPENED; opened += AT_ONCE) {
        const links = Array.from(
          { length: AT_ONCE },
          (_, at) => new Link({ side: alice, name: `alice${at}` }, { side: bob, name: `bob${at}` }),
        );
        for (const link of links) await link.connected();
        for (const { caller } of links) caller.renew();
        for (const link of links) await link.connected();
        for (const link of links) link.close();
      }
    };
    const memory = (): Promise<number[]> =>
      Promise.all([alice, bob].map(({ media }) => memoryOf(media.pid)));
    await round();
    const before = await memory();
    await round();
    const growth = (await memory()).map((bytes, at) => bytes - before[at]!);
    assert(Math.max(...growth) < MOST_GROWTH, `${growth.join(' and ')} bytes more`);
    for (const side of [alice, bob]) assert.deepEqual((await side.stats()).peers, {});
  });
});

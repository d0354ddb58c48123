import assert from 'node:assert/strict';
import { startRelay, WanPeer } from './peers.ts';
import { describeLong, stageFor, type Stage } from './stage.ts';

/** Peers, each on the first host of a home, all reached through one relay. */
async function gather(stage: Stage, hosts: readonly string[]): Promise<[WanPeer, WanPeer[]]> {
  const relay = await startRelay(stage, 'pub1');
  const peers: WanPeer[] = [];
  // Each takes the processor for a while.
  for (const host of hosts) {
    const peer = await WanPeer.start(stage, host, { limits: { directMs: 100 } });
    await peer.ask('reserve', { relay: relay.asRelay });
    peers.push(peer);
  }
  return [relay, peers];
}

const report = (pair: string, path: string, milliseconds: number): void =>
  console.log(`        ${pair.padEnd(28)} ${path.padEnd(8)} ${milliseconds.toFixed()} ms`);

describeLong('punching holes', function () {
  this.timeout(300_000);

  describe('in routers of each kind', () => {
    /** Whose tries do not end in silence: the host behind them refuses what it does not expect. */
    const lettingIn = { c1: 'full cone', d1: 'other full cone' } as const;
    const open = {
      a1: 'cone',
      b1: 'other cone',
      ...lettingIn,
      e1: 'carrier',
      f1: 'carrier that squats',
      g1: 'two routers',
    } as const;
    const closed = { h1: 'symmetric', i1: 'other symmetric' } as const;
    const kinds: Readonly<Record<string, string>> = { ...open, ...closed };
    const stage = stageFor({
      homes: [
        {},
        {},
        { nat: 'fullcone' },
        { nat: 'fullcone' },
        { carrier: 'private' },
        { carrier: 'squat' },
        { behind: {} },
        { nat: 'symmetric' },
        { nat: 'symmetric' },
      ],
    });
    let relay: WanPeer;
    let peers: WanPeer[];
    before(async () => {
      [relay, peers] = await gather(stage, Object.keys(kinds));
    });
    const nameOf = (one: WanPeer, other: WanPeer): string =>
      `${kinds[one.host]} - ${kinds[other.host]}`;
    const among = (hosts: object): WanPeer[] => peers.filter(({ host }) => host in hosts);

    it('works for every pair that keeps its ports', async () => {
      const still: string[] = [];
      for (const asker of among(open))
        for (const target of among(open)) {
          if (asker.host >= target.host) continue;
          const { path, milliseconds, echo } = await asker.reach(target, relay);
          report(nameOf(asker, target), path, milliseconds);
          if (path !== 'punched') still.push(nameOf(asker, target));
          const { paths } = await target.ask('served');
          assert.deepEqual(paths, [path]);
          assert.ok(echo < 5_000);
        }
      assert.deepEqual(still, []);
    });

    it('does not work with those that do not, which stay relayed', async () => {
      for (const asker of among(closed))
        for (const target of peers) {
          if (asker === target) continue;
          const { path, milliseconds } = await asker.reach(target, relay);
          report(nameOf(asker, target), path, milliseconds);
          // Each try that is refused is from another port, which may be the one that is expected.
          const mayBeLucky = target.host in lettingIn && path === 'punched';
          if (!mayBeLucky) assert.equal(path, 'relayed', nameOf(asker, target));
          assert.ok(milliseconds < 10_000, `${milliseconds} ms`);
        }
    });
  });

  describe('between routers that let everybody in', () => {
    const stage = stageFor({ homes: [{ nat: 'fullcone' }, { nat: 'fullcone' }] });

    it('works however often, though a host that does not try itself refuses at once', async () => {
      const [relay, [target]] = await gather(stage, ['b1']);
      for (let time = 1; time <= 6; time++) {
        const asker = await WanPeer.start(stage, 'a1', { limits: { directMs: 100 } });
        const { path, milliseconds } = await asker.reach(target!, relay);
        report('full cone - other full cone', path, milliseconds);
        assert.equal(path, 'punched');
        await asker.stop();
      }
    });
  });

  describe('over a long way', () => {
    const stage = stageFor({
      homes: [{ hosts: 2 }, { firewall: 'reject' }, { firewall: 'reject' }],
    });
    let relay: WanPeer;
    let peers: WanPeer[];
    before(async () => {
      for (const router of ['r1', 'r2', 'r3']) await stage.lab.router(router).shape({ delay: 20 });
      [relay, peers] = await gather(stage, ['a1', 'b1', 'c1']);
    });

    it('works for routers that refuse what comes too early', async () => {
      for (const [asker, target] of [
        [0, 1],
        [1, 0],
        [1, 2],
      ] as const) {
        const { path, milliseconds } = await peers[asker]!.reach(peers[target]!, relay);
        const pair = `${peers[asker]!.host} - ${peers[target]!.host}`;
        report(pair, path, milliseconds);
        assert.equal(path, 'punched', pair);
      }
    });

    it('works with 300 ms there and back', async () => {
      for (const router of ['r1', 'r2']) await stage.lab.router(router).shape({ delay: 75 });
      const { path, milliseconds } = await peers[0]!.reach(peers[1]!, relay);
      report('a1 - b1, 300 ms', path, milliseconds);
      assert.equal(path, 'punched');
    });

    it('leads there, this way or the other, with a tenth of all packets lost', async () => {
      for (const router of ['r1', 'r2']) await stage.lab.router(router).shape({ loss: 10 });
      const asker = await WanPeer.start(stage, 'a2', { limits: { directMs: 100 } });
      const { path, milliseconds, echo } = await asker.reach(peers[1]!, relay);
      report('a2 - b1, 10 % lost', path, milliseconds);
      assert.ok(['punched', 'relayed'].includes(path), path);
      assert.ok(milliseconds < 15_000 && echo < 15_000, `${milliseconds} ms, ${echo} ms`);
      await asker.stop();
      for (const router of ['r1', 'r2']) await stage.lab.router(router).shape({});
    });

    it('does not need the relay any more', async () => {
      await relay.stop();
      await peers[0]!.ask('pour', { bytes: 1_000_000 });
    });
  });

  describe('with IPv6', () => {
    const stage = stageFor({ homes: [{ nat: 'symmetric' }, { nat: 'symmetric' }], ipv6: true });

    it('works where IPv4 does not allow it', async () => {
      const [relay, [asker, target]] = await gather(stage, ['a1', 'b1']);
      const { path, milliseconds } = await asker!.reach(target!, relay);
      report('symmetric - symmetric', path, milliseconds);
      assert.equal(path, 'punched');
    });
  });
});

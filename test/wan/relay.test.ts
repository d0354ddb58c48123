import assert from 'node:assert/strict';
import { PORT_OF_PEERS, startRelay, WanPeer } from './peers.ts';
import { describeLong, stageFor } from './stage.ts';

/** With no holes tried for: that is another test's. */
const limits = { punchMs: 0, directMs: 500 };

describeLong('a relay on an internet', function () {
  this.timeout(120_000);

  const stage = stageFor({
    homes: [{ nat: 'symmetric' }, { nat: 'symmetric', firewall: 'reject' }],
    publicHosts: 2,
  });
  let relay: WanPeer;
  let asker: WanPeer;
  let target: WanPeer;
  before(async () => {
    [relay, asker, target] = await Promise.all([
      startRelay(stage, 'pub1'),
      WanPeer.start(stage, 'a1', { limits }),
      WanPeer.start(stage, 'b1', { listen: [`0.0.0.0:${PORT_OF_PEERS}`], limits }),
    ]);
    await target.ask('reserve', { relay: relay.asRelay });
  });

  it('leads from behind one router to behind another, which lets nobody in', async () => {
    const { path, milliseconds, echo } = await asker.reach(target, relay);
    assert.equal(path, 'relayed');
    const { paths } = await target.ask('served');
    assert.deepEqual(paths, ['relayed']);
    assert.ok(milliseconds < 5_000, `${milliseconds} ms`);
    assert.ok(echo < 2_000, `${echo} ms`);
    console.log(`        ${milliseconds.toFixed()} ms to connect, ${echo.toFixed(1)} ms an echo`);
  });

  it('is asked once the own addresses of the peer have had their time', async () => {
    const reached = await asker.reach(target, relay, target.addresses);
    assert.equal(reached.path, 'relayed');
    assert.ok(reached.milliseconds >= limits.directMs, `${reached.milliseconds} ms`);
    assert.ok(reached.milliseconds < limits.directMs + 5_000, `${reached.milliseconds} ms`);
  });

  it('is not asked where the peer can be reached', async () => {
    const open = await WanPeer.start(stage, 'pub2', { listen: [`0.0.0.0:${PORT_OF_PEERS}`] });
    await open.ask('reserve', { relay: relay.asRelay });
    assert.equal((await asker.reach(open, relay, open.addresses)).path, 'direct');
    await open.stop();
  });

  it('carries much more than a conversation', async () => {
    await asker.reach(target, relay);
    const bytes = 16 * 2 ** 20;
    const { milliseconds } = await asker.ask('pour', { bytes });
    const rate = (2 * bytes) / 1e6 / (Number(milliseconds) / 1_000);
    console.log(`        ${rate.toFixed()} MB/s there and back`);
  });

  it('tells both as whom they are seen', async () => {
    for (const [peer, router] of [
      [asker, 'r1'],
      [target, 'r2'],
    ] as const) {
      if (peer === asker) await asker.reach(target, relay);
      const { addresses } = await peer.ask('observed');
      const [seen] = addresses as string[];
      assert.equal(seen?.split(':')[0], stage.address(router));
    }
  });

  it('leads nowhere while it is cut off, and again when it is back', async () => {
    await asker.reach(target, relay);
    await stage.lab.host('pub1').cut('silent');
    const wanted = { addresses: [], key: target.key, via: [relay.asRelay] };
    const { code } = await asker.attempt('connect', { target: wanted });
    assert.ok(code === 'NETWORK' || code === 'TIMEOUT', String(code));
    // Until both ends know that the connection is dead.
    await new Promise((resolve) => setTimeout(resolve, 10_000));
    await stage.lab.host('pub1').restore();
    await target.ask('reserve', { relay: relay.asRelay });
    assert.equal((await asker.reach(target, relay)).path, 'relayed');
  });
});

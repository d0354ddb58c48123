import assert from 'node:assert/strict';
import { describeLong, natPmp, pcp, PORT, stageForEach } from './stage.ts';

describeLong('faults of the lab', function () {
  this.timeout(120_000);
  const stage = stageForEach({ homes: [{ igd: 'natpmp' }, { subnet: 1 }] }, 'pub1');
  const out = (host = 'a1', transport: 'tcp' | 'udp' = 'tcp'): Promise<string> =>
    stage.reaches(host, 'pub1', { transport });
  const pour = (bytes: number): Promise<number> =>
    stage.probes.pour('a1', stage.address('pub1'), PORT, bytes);

  it('cut hosts and routers off and join them again', async () => {
    for (const name of ['a1', 'r1'])
      for (const how of ['carrier', 'silent', 'route'] as const) {
        await out();
        await stage.lab.host(name).cut(how);
        await stage.isCutOff('a1', 'pub1');
        // Homes with the same addresses inside do not touch one another.
        await out('b1');
        await stage.lab.host(name).restore();
      }
    await stage.lab.host('a1').cut('carrier');
    await stage.lab.host('a1').setAddress('192.168.1.77');
    await stage.isCutOff('a1', 'pub1');
    await stage.lab.host('a1').restore();
    await out();
    assert.equal(await stage.map('a1', PORT), 0);
    const [mapping] = await stage.lab.router('r1').mappings();
    assert.equal(mapping?.internal.ip, '192.168.1.77');
  });

  it('lose all UDP and nothing else', async () => {
    await stage.lab.router('r1').dropUdp();
    await stage.isCutOff('a1', 'pub1', { transport: 'udp' });
    assert.equal(await stage.map('a1', PORT), undefined);
    await out('a1');
    await out('b1', 'udp');
    await stage.lab.router('r1').dropUdp(false);
    await out('a1', 'udp');
  });

  it('delay what goes through a cable, both ways', async () => {
    const within = async (least: number, most: number): Promise<void> => {
      const to = stage.address('pub1');
      const question = { transport: 'udp', from: 40_000 } as const;
      const trips: number[] = [];
      for (let count = 0; count < 5; count++)
        trips.push(await stage.probes.roundTrip('a1', to, PORT, question));
      const milliseconds = Math.min(...trips);
      assert.ok(milliseconds >= least && milliseconds <= most, `${milliseconds} ms`);
    };
    const shape = (a1: object, pub1: object): Promise<unknown> =>
      Promise.all([stage.lab.host('a1').shape(a1), stage.lab.host('pub1').shape(pub1)]);
    await within(0, 50);
    await stage.lab.host('a1').shape({ delay: 100 });
    await within(200, 260);
    await shape({ delay: 20, jitter: 10 }, { delay: 30 });
    await within(80, 150);
    // What the router changes has the right checksums, and long segments get through.
    assert.equal((await stage.exchange('a1', pcp(stage.address('a1'), PORT)))?.[3], 1);
    assert.equal((await stage.exchange('a1', natPmp(PORT)))?.[3], 0);
    await pour(2_000_000);
    await stage.lab.host('a1').cut('carrier');
    await stage.isCutOff('a1', 'pub1');
    await stage.lab.host('a1').restore();
    await out();
    await shape({}, {});
    await within(0, 50);
  });

  it('lose a part of the packets', async () => {
    const burst = (count: number): Promise<void> =>
      stage.probes.burst('a1', stage.address('pub1'), PORT, count, 2);
    // Whoever is to lose packets knows already to whom they go.
    await out();
    await stage.lab.host('a1').shape({ loss: 10 });
    await burst(3_000);
    const heard = await stage.probes.heard('pub1');
    // 300 are lost, by chance, with a standard deviation of 16.
    assert.ok(heard > 2_530 && heard < 2_870, `${heard} of 3000`);
    await stage.lab.host('a1').shape({ loss: 100 });
    await stage.isCutOff('a1', 'pub1');
    await stage.lab.host('a1').shape({});
    await out();
    await burst(300);
    assert.equal(await stage.probes.heard('pub1'), 300);
  });

  it('limit how much goes through', async () => {
    await stage.lab.host('a1').shape({ rate: 4_000_000 });
    const slow = await pour(1_000_000);
    assert.ok(slow > 1_800 && slow < 10_000, `${slow} ms`);
    await stage.lab.host('a1').shape({});
    const fast = await pour(1_000_000);
    assert.ok(fast < 1_500, `${fast} ms`);
  });
});

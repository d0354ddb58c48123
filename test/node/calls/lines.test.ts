import assert from 'node:assert/strict';
import { encode } from '../../../lib/crdt/codec.ts';
import type { AccountId } from '../../../lib/crdt/keys.ts';
import { ClchatError } from '../../../lib/errors.ts';
import { sleep } from '../../../lib/lifecycle.ts';
import { CallLines } from '../../../lib/node/calls/lines.ts';
import { CALL, MAX_DESCRIPTION } from '../../../lib/node/calls/wire.ts';
import { Exchange } from '../../../lib/node/exchange.ts';
import { callNamed } from '../../support/call-stage.ts';
import { CallNetwork, type LineEnd } from '../../support/call-network.ts';
import { ended, eventually, turns } from '../../support/channels.ts';

const ID = callNamed('call');
const OTHER_ID = callNamed('another');
const refuses = (promise: Promise<unknown>, code: string): Promise<void> =>
  assert.rejects(promise, { code });
const candidate = (text: string) => ({ attempt: 1, candidate: text, mid: '0' });

describe('lines between the devices in a call', function () {
  this.timeout(30_000);
  let network: CallNetwork;
  /** One has a lesser key than the other. */
  let lesser: LineEnd;
  let greater: LineEnd;

  beforeEach(() => {
    network = new CallNetwork();
    [lesser, greater] = network.join(2) as [LineEnd, LineEnd];
  });
  afterEach(async () => {
    assert.deepEqual(await network.stop(), { faults: [], left: 0 });
  });

  const meet = (...ends: readonly LineEnd[]): void => {
    for (const end of ends) end.meet(ID, ...ends.filter((one) => one !== end));
  };
  const areUp = (one: LineEnd, other: LineEnd): Promise<void> =>
    eventually('a line', () => one.isUp(other) && other.isUp(one));
  /** What either says is heard by the other. */
  const talk = async (one: LineEnd, other: LineEnd): Promise<void> => {
    const before = [one, other].map(({ heard }) => heard.length);
    assert.ok(one.lines.send(other.key, 'candidate', candidate('one')));
    assert.ok(other.lines.send(one.key, 'candidate', candidate('other')));
    await eventually(
      'what was said',
      () => one.heard.length > before[0]! && other.heard.length > before[1]!,
    );
    assert.deepEqual(
      [one.heard.at(-1), other.heard.at(-1)],
      [
        { from: other.key, said: { name: 'candidate', notice: candidate('other') } },
        { from: one.key, said: { name: 'candidate', notice: candidate('one') } },
      ],
    );
  };

  describe('come about', () => {
    it('by the one that is to dial first', async () => {
      [lesser, greater] = network.join(2, { patience: 60_000 }) as [LineEnd, LineEnd];
      meet(lesser, greater);
      await areUp(lesser, greater);
      assert.deepEqual([lesser.dials, greater.dials], [0, 1]);
      assert.deepEqual([lesser.ups, greater.ups], [[greater.key], [lesser.key]]);
      await talk(lesser, greater);
    });

    it('by the other one, where the first does not get through', async () => {
      network.hidden.add(lesser.key);
      meet(lesser, greater);
      await areUp(lesser, greater);
      assert.equal(greater.dials, 0);
      await talk(lesser, greater);
    });

    it('where both dial at once, and what either says is heard', async () => {
      const ends = network.join(2, { patience: 0 }) as [LineEnd, LineEnd];
      meet(...ends);
      await areUp(...ends);
      await talk(...ends);
      assert.ok(ends.every(({ dials }) => dials <= 2));
      // Nothing is agreed on anew because of a second one.
      assert.deepEqual(
        ends.map(({ onlyUps }) => onlyUps),
        [[ends[1].key], [ends[0].key]],
      );
    });

    it('between each of several', async () => {
      const ends = [lesser, greater, ...network.join(3)];
      meet(...ends);
      for (const one of ends)
        for (const other of ends) if (one.key < other.key) await areUp(one, other);
      await eventually('everybody', () => ends.every(({ ups }) => new Set(ups).size === 4));
      for (const one of ends.slice(1)) await talk(ends[0]!, one);
    });

    it('once the server has told of who has come, not before', async () => {
      const times = { told: 60_000, patience: 60_000 };
      [lesser, greater] = network.join(2, times) as [LineEnd, LineEnd];
      lesser.expected.add(greater.key);
      greater.meet(ID, lesser);
      await eventually('a try', () => lesser.lines.size === 1);
      await turns(20);
      assert.equal(greater.isUp(lesser), false);
      lesser.meet(ID, greater);
      await areUp(lesser, greater);
      assert.equal(greater.dials, 1);
      await talk(lesser, greater);
    });

    it('as soon as the other one can be found', async () => {
      for (const { key } of [lesser, greater]) network.hidden.add(key);
      meet(lesser, greater);
      await sleep(60);
      assert.deepEqual([lesser.dials, greater.dials], [0, 0]);
      network.hidden.clear();
      await areUp(lesser, greater);
    });
  });

  describe('are brought back', () => {
    it('whenever they break', async () => {
      meet(lesser, greater);
      for (let time = 1; time <= 4; time++) {
        await areUp(lesser, greater);
        await talk(lesser, greater);
        network.cut();
        await eventually('the end', () => !lesser.isUp(greater) && !greater.isUp(lesser));
        assert.equal(lesser.lines.send(greater.key, 'candidate', candidate('lost')), false);
        network.restore();
      }
      await areUp(lesser, greater);
      const lost = [lesser, greater].flatMap(({ heard }) =>
        heard.filter(({ said }) => JSON.stringify(said).includes('lost')),
      );
      assert.deepEqual(lost, []);
    });

    it('when the other program begins anew', async () => {
      meet(lesser, greater);
      await areUp(lesser, greater);
      greater.lines.keep(undefined, []);
      await eventually('the end', () => !lesser.isUp(greater));
      greater.meet(ID, lesser);
      await areUp(lesser, greater);
      await talk(lesser, greater);
    });

    it('not for who is in the call no more', async () => {
      meet(lesser, greater);
      await areUp(lesser, greater);
      lesser.meet(ID);
      await greater.hears('bye', lesser);
      await eventually('the end', () => !greater.isUp(lesser));
      const dialled = greater.dials;
      await eventually('further tries', () => greater.dials > dialled + 1);
      assert.deepEqual([lesser.isUp(greater), greater.isUp(lesser)], [false, false]);
      assert.deepEqual(lesser.heard, []);
    });
  });

  describe('are not had', () => {
    /** It is told that there is no such call, the channel ends, and nothing is heard. */
    const isShut = async (by: { reach: ReturnType<CallNetwork['byHand']>['reach'] }) => {
      const line = await by.reach(lesser);
      await refuses(line.call('begin', { id: ID }), 'NO_CALL');
      line.notify('candidate', candidate('nothing'));
      await ended(line.channel);
      assert.deepEqual([lesser.heard, lesser.ups], [[], []]);
    };

    it('by strangers, who are not even listened to', async () => {
      lesser.meet(ID);
      const line = await network.byHand().reach(lesser);
      const begun = line.call('begin', { id: ID });
      await refuses(begun, 'CLOSED');
      assert.ok(line.ended);
    });

    it('by devices that are in no call with this one', async () => {
      const eve = network.byHand();
      lesser.meet(ID, greater);
      lesser.expected.add(eve.key);
      setTimeout(() => lesser.expected.delete(eve.key), 50);
      await isShut(eve);
      assert.equal(lesser.isUp(eve), false);
    });

    it('by those of whom the server does not tell in time', async () => {
      const [patient] = network.join(1, { told: 30 }) as [LineEnd];
      const eve = network.byHand();
      patient.meet(ID);
      patient.expected.add(eve.key);
      const line = await eve.reach(patient);
      await refuses(line.call('begin', { id: ID }), 'NO_CALL');
      await ended(line.channel);
    });

    it('by companions who mean another call', async () => {
      const eve = network.byHand();
      network.hidden.add(eve.key);
      lesser.meet(OTHER_ID, eve);
      await isShut(eve);
    });

    it('while in no call', async () => {
      const eve = network.byHand();
      lesser.expected.add(eve.key);
      setTimeout(() => lesser.expected.delete(eve.key), 20);
      await isShut(eve);
    });
  });

  describe('of somebody who does not keep to the rules', () => {
    let eve: ReturnType<CallNetwork['byHand']>;

    beforeEach(() => {
      eve = network.byHand();
      // Nobody dials her.
      network.hidden.add(eve.key);
      lesser.meet(ID, eve);
    });

    it('end with a notice before the call is named', async () => {
      const line = await eve.reach(lesser);
      line.notify('offer', { attempt: 1, sdp: 'v=0' });
      await ended(line.channel);
      assert.deepEqual(lesser.heard, []);
    });

    it('end with what is no notice', async () => {
      for (const notice of [
        ['offer', { attempt: 1, sdp: 'x'.repeat(MAX_DESCRIPTION + 1) }],
        ['offer', { attempt: -1, sdp: 'v=0' }],
        ['candidate', { attempt: 1, candidate: 'x'.repeat(513), mid: '0' }],
        ['view', { camera: { width: 9_000, height: 1, fps: 1 }, screen: null }],
        ['view', { camera: null }],
        ['callme', { attempt: 1, how: 'now' }],
      ]) {
        const line = await eve.reach(lesser);
        await line.call('begin', { id: ID });
        line.channel.send(encode([3, ...notice]));
        await ended(line.channel);
      }
      assert.deepEqual(lesser.heard, []);
    });

    it('are named once', async () => {
      const line = await eve.reach(lesser);
      await line.call('begin', { id: ID });
      await refuses(line.call('begin', { id: ID }), 'NO_CALL');
      line.notify('candidate', candidate('still heard'));
      await lesser.hears('candidate', eve);
    });

    it('are named but once where nobody knows yet', async () => {
      const mallory = network.byHand();
      lesser.expected.add(mallory.key);
      const line = await mallory.reach(lesser);
      const first = line.call('begin', { id: ID });
      for (let time = 0; time < 5; time++) await refuses(line.call('begin', { id: ID }), 'NO_CALL');
      lesser.expected.delete(mallory.key);
      await refuses(first, 'NO_CALL');
    });

    it('are three at most, of which the newest stay', async () => {
      const lines = [];
      for (let time = 0; time < 5; time++) {
        const line = await eve.reach(lesser);
        await line.call('begin', { id: ID });
        lines.push(line);
      }
      await Promise.all(lines.slice(0, 2).map(({ channel }) => ended(channel)));
      assert.deepEqual(
        lines.map((line) => line.ended),
        [true, true, false, false, false],
      );
      for (const line of lines.slice(2)) line.notify('candidate', candidate('heard'));
      await lesser.hears('candidate', eve, 3);
    });

    it('are three at most, also where many begin at once', async () => {
      const lines: Awaited<ReturnType<typeof eve.reach>>[] = [];
      for (let wave = 0; wave < 4; wave++) {
        const those = await Promise.all([1, 2, 3].map(() => eve.reach(lesser)));
        await Promise.all(those.map((line) => line.call('begin', { id: ID })));
        lines.push(...those);
      }
      await Promise.all(lines.slice(0, -3).map(({ channel }) => ended(channel)));
      assert.deepEqual(
        lines.filter((line) => !line.ended),
        lines.slice(-3),
      );
      assert.equal(lesser.lines.size, 1, 'nothing is waited for');
    });

    it('are not dialled on and on where they end at once', async () => {
      let now = 0;
      /** How long each lasts, in milliseconds. */
      let lasts = 0;
      let dials = 0;
      eve.transport.handle(CALL.name, (channel) => {
        const line = new Exchange(channel, CALL, {
          methods: {
            begin: async () => {
              dials += 1;
              // Once the answer is out.
              setTimeout(() => {
                now += lasts;
                line.abort(new ClchatError('CLOSED'));
              }, 5);
              return {};
            },
          },
          notices: {},
        });
      });
      const ups: string[] = [];
      const lines = new CallLines({
        transport: network.byHand().transport,
        clock: { now: () => now, monotonic: () => now },
        targets: async () => [{ addresses: [eve.key], key: eve.key }],
        mayCome: () => false,
        onUp: (device) => ups.push(device),
        onNotice: () => undefined,
        onFault: (error) => lesser.faults.push(error),
        times: { waits: [1, 1, 60_000], patience: 0 },
      });
      const companion = { device: eve.key, account: 'eve' as AccountId };
      lines.keep(ID, [companion]);
      await eventually('three tries', () => dials === 3);
      await sleep(50);
      assert.deepEqual([dials, ups.length], [3, 3]);
      // Those that last are had again at once.
      lasts = 3_000;
      lines.keep(undefined, []);
      lines.keep(ID, [companion]);
      await eventually('many more', () => dials >= 10);
      await lines.stop();
    });

    it('end where they say nothing', async () => {
      const line = await eve.reach(lesser);
      assert.equal(line.ended, false);
      await ended(line.channel);
    });

    it('are opened without a name three times at most by one, and by all not for ever', async () => {
      const [careful] = network.join(1, { silent: 20_000 }) as [LineEnd];
      careful.meet(ID, eve);
      const silent = [];
      for (let time = 0; time < 3; time++) silent.push(await eve.reach(careful));
      await ended((await eve.reach(careful)).channel);
      // Once one is named there is room for another.
      await silent[0]!.call('begin', { id: ID });
      await (await eve.reach(careful)).call('begin', { id: ID });
      const others = Array.from({ length: 22 }, () => network.byHand());
      for (const { key } of others) careful.expected.add(key);
      const all = [];
      for (const other of others)
        for (let time = 0; time < 3; time++) all.push(await other.reach(careful));
      await turns();
      // Of the others there are 64, and hers besides.
      assert.equal(all.filter((line) => line.ended).length, 2);
      await silent[1]!.call('begin', { id: ID });
      await (await eve.reach(careful)).call('begin', { id: ID });
      for (const line of [...all, ...silent]) line.abort(new Error('over'));
      await eventually('none', () => careful.lines.size === 1);
    });

    it('end with a flood, and are had again afterwards', async () => {
      const line = await eve.reach(lesser);
      await line.call('begin', { id: ID });
      for (let time = 0; time < 2_000; time++) line.notify('candidate', candidate(`${time}`));
      await ended(line.channel);
      assert.ok(lesser.heard.length >= 300 && lesser.heard.length < 600, `${lesser.heard.length}`);
      await (await eve.reach(lesser)).call('begin', { id: ID });
    });

    it('end the sooner with what costs much', async () => {
      const line = await eve.reach(lesser);
      await line.call('begin', { id: ID });
      for (let time = 0; time < 100; time++) line.notify('offer', { attempt: time, sdp: 'v=0' });
      await ended(line.channel);
      assert.ok(lesser.heard.length >= 30 && lesser.heard.length < 60, `${lesser.heard.length}`);
    });
  });

  describe('end', () => {
    it('with the call, and the others are told', async () => {
      const [third] = network.join(1) as [LineEnd];
      meet(lesser, greater, third);
      await areUp(lesser, greater);
      await areUp(lesser, third);
      await areUp(greater, third);
      await lesser.lines.stop();
      assert.equal(lesser.lines.size, 0);
      for (const other of [greater, third]) {
        await other.hears('bye', lesser);
        await eventually('the end', () => !other.isUp(lesser));
      }
      await talk(greater, third);
    });

    it('where another call begins, without a word to who is in that, too', async () => {
      meet(lesser, greater);
      await areUp(lesser, greater);
      greater.meet(OTHER_ID, lesser);
      lesser.meet(OTHER_ID, greater);
      await areUp(lesser, greater);
      await talk(lesser, greater);
      assert.deepEqual(
        [...lesser.heard, ...greater.heard].map(({ said }) => said.name),
        ['candidate', 'candidate'],
      );
    });

    it('while they come about', async () => {
      const eve = network.byHand();
      let begun = 0;
      eve.transport.handle(CALL.name, (channel) => {
        channel.onFrame(() => void (begun += 1));
      });
      lesser.meet(ID, eve);
      await eventually('a beginning', () => begun === 1);
      lesser.lines.keep(undefined, []);
      const dialled = lesser.dials;
      await turns(20);
      await sleep(40);
      assert.deepEqual([lesser.dials, begun, lesser.ups], [dialled, 1, []]);
    });

    it('while nobody is found, and are not sought any more', async () => {
      network.hidden.add(greater.key);
      lesser.meet(ID, greater);
      await sleep(30);
      await lesser.lines.stop();
      network.hidden.clear();
      await sleep(60);
      assert.equal(lesser.dials, 0);
    });
  });
});

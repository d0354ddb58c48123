/** Calls between people at home: which way pictures and sound take, and what becomes of faults on it. */
import assert from 'node:assert/strict';
import { sleep } from '../../lib/lifecycle.ts';
import {
  allHaveAll,
  callOf,
  devicesWith,
  seenBy,
  toneOf,
  until,
  type Person,
} from '../support/call-people.ts';
import { does, event, PATIENCE_MS } from './program.ts';
import { Programs } from './programs.ts';
import { describeLong, stageFor } from './stage.ts';

const PICTURE = ['--video-size', '320x240@15'];

describeLong('calls across the internet', function () {
  this.timeout(240_000);
  const stage = stageFor({
    homes: [
      {},
      { igd: 'off' },
      { igd: 'off' },
      { igd: 'off', nat: 'symmetric' },
      { igd: 'off', nat: 'symmetric' },
    ],
    turn: true,
  });
  const programs = new Programs(() => stage.lab);
  let people: Person[] = [];
  let link: string;

  /** The person at the server, in the first home, whose router maps ports. */
  const serve = async (...args: string[]): Promise<Person> => {
    const tone = toneOf(1);
    const started = await programs.serve('a1', ...devicesWith(tone), ...PICTURE, ...args);
    link = String(started.ready['invite']);
    people = [{ user: 'root', tone, process: started.process }];
    return people[0]!;
  };
  const join = async (host: string): Promise<Person> => {
    const tone = toneOf(people.length + 1);
    const started = await programs.join(host, link, host, ...devicesWith(tone), ...PICTURE);
    const person = { user: host, tone, process: started.process };
    people.push(person);
    return person;
  };
  /** These have a call in a room, and pictures and sound of each other. */
  const meet = async (...those: Person[]): Promise<void> => {
    for (const { process } of those)
      for (const line of ['room den', 'enter den', 'call']) await does(process, line);
    await until(those, 'the call', 60, () => allHaveAll(those));
  };
  const pathOf = async (who: Person, other: Person): Promise<string | undefined> =>
    (await seenBy(who, other))?.path;

  it('are direct, also where the routers of both let nobody in', async () => {
    const root = await serve();
    const [ben, cat] = [await join('b1'), await join('c1')];
    const all = [root, ben, cat];
    await meet(...all);
    for (const who of all)
      for (const other of all)
        if (who !== other)
          assert.equal(await pathOf(who, other), 'direct', `${who.user} ${other.user}`);
  });

  it('reach a router that maps ports from one that gives each way a port of its own', async () => {
    const root = await serve();
    const dan = await join('d1');
    await meet(root, dan);
    assert.equal(await pathOf(dan, root), 'direct');
    assert.equal(await pathOf(root, dan), 'direct');
  });

  it('lead through the TURN server where there is no other way, and tell so', async () => {
    const { address, port, user, password } = stage.lab.turn;
    const file = await programs.write(
      'turn',
      `turn:${user}:${password}@${address}:${port}?transport=udp\n`,
    );
    await serve('--turn-url-file', file);
    const [dan, eva] = [await join('d1'), await join('e1')];
    await meet(dan, eva);
    assert.equal(await pathOf(dan, eva), 'relayed');
    assert.equal(await pathOf(eva, dan), 'relayed');
  });

  it('are said not to come about where no way is found', async () => {
    await serve();
    const [dan, eva] = [await join('d1'), await join('e1')];
    for (const { process } of [dan, eva])
      for (const line of ['room den', 'enter den', 'call']) await does(process, line);
    const notice = await dan.process.next(event('notice', { code: 'NETWORK' }), 60_000, 'a notice');
    assert.match(String(notice['text']), /e1/);
    assert.equal((await seenBy(dan, eva))?.video, undefined);
    // Who can be reached is still reached.
    const [root] = people;
    for (const line of ['room den', 'enter den', 'call']) await does(root!.process, line);
    await until([root!, dan], 'the call of those who can be reached', 60, async () => {
      const seen = await seenBy(dan, root!);
      return seen?.video?.frameNumber !== undefined;
    });
  });

  it('go on after the router of one has got another address', async () => {
    // The connection to the first one has a port of the gateway, and no other.
    const all = [await serve(), await join('b1'), await join('c1')] as const;
    const [root, ben, cat] = all;
    await meet(...all);
    const shown = async (other: Person): Promise<number> =>
      (await seenBy(ben, other))?.video?.frameNumber ?? 0;
    const [ofRoot, ofCat] = [await shown(root), await shown(cat)];
    const router = stage.lab.router('r2');
    const parts = router.address.split('.');
    const address = [...parts.slice(0, 3), Number(parts[3]) + 1].join('.');
    const begun = performance.now();
    await router.setAddress(address);
    await until(all, 'the call by the other address', 60, async () => {
      const isBack = (await shown(root)) > ofRoot + 15 && (await shown(cat)) > ofCat + 15;
      return isBack && (await allHaveAll(all));
    });
    console.log(`        ${((performance.now() - begun) / 1_000).toFixed(1)} s`);
    assert.equal((await callOf(ben)).state, 'active');
  });

  it('are carried by ways that lose packets, are slow, or narrow', async () => {
    await serve();
    const [ben, cat] = [await join('b1'), await join('c1')];
    await meet(ben, cat);
    const host = stage.lab.host('b1');
    for (const [name, shape, least, oldest] of [
      ['nothing', {}, 13, 150],
      ['loss of 5 %', { loss: 5 }, 10, 300],
      ['200 ms', { delay: 200 }, 10, 600],
      ['200 kbit/s', { rate: 200_000 }, 4, 800],
    ] as const) {
      await host.shape(shape);
      // Until what is sent has become as much as gets through, which takes a while on a long way.
      await sleep(20_000);
      const earlier = (await seenBy(cat, ben))!;
      await sleep(5_000);
      const seen = (await seenBy(cat, ben))!;
      const frames = (seen.video!.framesDecoded - earlier.video!.framesDecoded) / 5;
      console.log(
        `        ${name}: ${frames.toFixed(1)} pictures a second, ${seen.video!.latencyMs} ms, ` +
          `${seen.audio!.packetsLost - earlier.audio!.packetsLost} packets of sound lost`,
      );
      assert.ok(frames >= least, `${name}: ${frames} pictures a second`);
      assert.ok(seen.video!.latencyMs! <= oldest, `${name}: ${seen.video!.latencyMs} ms`);
      if ('delay' in shape) assert.ok(seen.video!.latencyMs! >= 200);
      if ('loss' in shape) assert.ok(seen.audio!.packetsLost > earlier.audio!.packetsLost);
      assert.ok(Math.abs((seen.audio!.toneHz ?? 0) - ben.tone) < ben.tone / 20, name);
      await host.shape({});
    }
  });

  it('are told of within ten seconds when somebody is cut off, who is back in them after that', async () => {
    await serve();
    const [ben, cat] = [await join('b1'), await join('c1')];
    await meet(ben, cat);
    await stage.lab.host('b1').cut('silent');
    const alone = await cat.process.next(
      (line) =>
        event('call', { state: 'active' })(line) &&
        !(line['participants'] as string[]).includes('b1'),
      PATIENCE_MS,
      'the call without who is cut off',
    );
    assert.deepEqual(alone['participants'], ['c1']);
    await stage.lab.host('b1').restore();
    await until([ben, cat], 'the call of both again', 60, () => allHaveAll([ben, cat]));
  });
});

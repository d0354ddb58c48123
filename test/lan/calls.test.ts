/** Calls of real programs on a LAN of network namespaces, with patterns and tones for cameras and microphones. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sleep } from '../../lib/lifecycle.ts';
import { program } from '../support/build.ts';
import {
  allHaveAll,
  callOf,
  devicesWith,
  hasAll,
  toneOf,
  until,
  type Person,
} from '../support/call-people.ts';
import { event, does, result, PATIENCE_MS } from '../wan/program.ts';
import { Lab } from './lab.ts';
import type { Line } from './process.ts';

describe('calls on a LAN', function () {
  this.timeout(300_000);
  let lab: Lab;
  let directory: string;
  let file: string;
  let people: Person[] = [];

  before(async () => {
    file = await program();
  });
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'clchat-calls-'));
  });
  afterEach(async () => {
    people = [];
    await lab.destroy();
    await rm(directory, { recursive: true, force: true });
  });

  const start = (number: number, ...args: string[]): Person => {
    const user = `user${number}`;
    const host = lab.host(`h${number}`);
    const data = ['--data', join(directory, user), '--headless'];
    const process_ = host.exec(
      process.execPath,
      [file, '--json', ...args, '--user', user, ...devicesWith(toneOf(number)), ...data],
      { HOME: directory, XDG_DATA_HOME: directory },
    );
    return { user, tone: toneOf(number), process: process_ };
  };
  const ready = (line: Line): boolean => line['type'] === 'ready';

  /** So many people, each on a host of their own, all in one room. */
  async function gather(count: number, ...args: string[]): Promise<Person[]> {
    lab = await Lab.create({ hosts: count });
    for (let number = 1; number <= count; number++) {
      const way = number === 1 ? ['-ls', '--name', 'acme'] : ['-lc'];
      const person = start(number, ...way, ...args);
      await person.process.next(ready, PATIENCE_MS, person.user);
      people.push(person);
      await does(person.process, 'room den');
      await does(person.process, 'enter den');
    }
    return people;
  }

  for (const count of [2, 3, 5, 8])
    it(`of ${count} bring pictures and sound of each to each`, async () => {
      const small = count > 5 ? ['--video-size', '160x96@10'] : [];
      await gather(count, ...small);
      // Who is silent sends nothing: of eight no more than three talk at once.
      if (count > 5) for (const { process: who } of people.slice(3)) await does(who, 'mic off');
      await Promise.all(people.map(({ process: who }) => does(who, 'call')));
      const talking = count > 5 ? people.slice(0, 3) : people;
      await until(people, 'the call of all', 90, async () => {
        const looks = people.map(async (who) => {
          const { participants } = await callOf(who);
          const seesAll =
            participants.length === count - 1 &&
            participants.every(({ video }) => video?.frameNumber !== undefined);
          const hearsAll = await hasAll(
            who,
            talking.filter((one) => one !== who),
          );
          return seesAll && hearsAll;
        });
        return (await Promise.all(looks)).every(Boolean);
      });
      for (const who of people) {
        const { state, participants } = await callOf(who);
        assert.equal(state, 'active');
        for (const { path, video } of participants) {
          assert.equal(path, 'direct');
          assert.ok(video !== undefined && video.latencyMs! > 0 && video.latencyMs! < 5_000);
          // As large as it was asked for, or made smaller for want of time, in the same proportions.
          assert.ok(video.width <= 640 && video.height <= 480, JSON.stringify(video));
        }
      }
    });

  it('bring as many pictures as are made, as large as they are wanted', async () => {
    const [first, second] = await gather(2, '--video-size', '320x240@15');
    await Promise.all(people.map(({ process: who }) => does(who, 'call')));
    await until(people, 'the call', 30, () => allHaveAll(people));
    const before = (await callOf(first!)).participants[0]!.video!;
    await sleep(5_000);
    const after = (await callOf(first!)).participants[0]!.video!;
    assert.deepEqual([after.width, after.height], [320, 240]);
    const numbers = after.frameNumber! - before.frameNumber!;
    const decoded = after.framesDecoded - before.framesDecoded;
    // Each that was made in that time, but for a few on their way.
    assert.ok(numbers >= 60 && decoded >= numbers * 0.9, `${decoded} of ${numbers}`);
    // Pictures that nobody wants to see are not sent.
    await does(first!.process, `hide ${second!.user}`);
    await until(people, 'an end of the pictures', 20, async () => {
      const { participants } = await callOf(first!);
      return participants[0]?.video === undefined;
    });
  });

  for (const seconds of [4, 20])
    it(`go on after ${seconds} seconds without a cable`, async () => {
      const [, second] = await gather(2);
      await Promise.all(people.map(({ process: who }) => does(who, 'call')));
      await until(people, 'the call', 30, () => allHaveAll(people));
      await lab.host('h2').cut('silent');
      await sleep(seconds * 1_000);
      await lab.host('h2').restore();
      const last = (await callOf(second!)).participants[0]?.video?.frameNumber ?? 0;
      await until(people, 'pictures after the cut', 40, async () => {
        const { participants } = await callOf(second!);
        return (participants[0]?.video?.frameNumber ?? 0) > last && (await allHaveAll(people));
      });
    });

  it('tell within ten seconds that somebody has crashed', async () => {
    const [first, second] = await gather(3);
    await Promise.all(people.map(({ process: who }) => does(who, 'call')));
    await until(people, 'the call', 40, () => allHaveAll(people));
    await people[2]!.process.kill('SIGKILL');
    const without = (line: Line): boolean =>
      event('call', { state: 'active' })(line) &&
      !(line['participants'] as string[]).includes(people[2]!.user);
    for (const { process: who } of [first!, second!])
      await who.next(without, 10_000, 'the call without who has crashed');
  });

  it('can be joined and left a hundred times without anything being left behind', async () => {
    const [first, second] = await gather(2, '--video-size', '160x96@15');
    await does(first!.process, 'call');
    const inside = (line: Line): boolean =>
      event('call', { state: 'active' })(line) && (line['participants'] as string[]).length === 2;
    const sizes: { memory: number; handles: number }[] = [];
    for (let round = 1; round <= 100; round++) {
      // The server takes one a second.
      const next = sleep(1_050);
      await does(second!.process, 'call');
      await first!.process.next(inside, PATIENCE_MS, `round ${round}`);
      await until(people, `pictures of round ${round}`, 30, async () => {
        const { participants } = await callOf(second!);
        return participants[0]?.video !== undefined;
      });
      // While both processes are there, and have all that a call needs.
      if (round === 5 || round === 100) sizes.push(await leastSizeOf(second!));
      await does(second!.process, 'hangup');
      await next;
    }
    const [early, late] = sizes;
    assert.ok(late!.memory < early!.memory * 1.1, JSON.stringify(sizes));
    assert.ok(late!.handles <= early!.handles + 8, JSON.stringify(sizes));
  });

  /** The least of some seconds: in between there is what has not been collected yet. */
  async function leastSizeOf(person: Person): Promise<{ memory: number; handles: number }> {
    const sizes: { memory: number; handles: number }[] = [];
    for (let second = 0; second < 10; second++) {
      await sleep(1_000);
      sizes.push(await sizeOf(person));
    }
    const least = (of: 'memory' | 'handles'): number => Math.min(...sizes.map((size) => size[of]));
    return { memory: least('memory'), handles: least('handles') };
  }

  /** Bytes and open files of a program and its helper process. */
  async function sizeOf({ process: who }: Person): Promise<{ memory: number; handles: number }> {
    const pids = [who.pid!, ...(await childrenOf(who.pid!))];
    let memory = 0;
    let handles = 0;
    for (const pid of pids) {
      const status = await readFile(`/proc/${pid}/status`, 'utf8');
      memory += Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1_024;
      handles += (await readdir(`/proc/${pid}/fd`)).length;
    }
    return { memory, handles };
  }

  async function childrenOf(pid: number): Promise<number[]> {
    const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return text.trim().split(/\s+/).filter(Boolean).map(Number);
  }

  it('are answered on one device only, whoever is first', async () => {
    lab = await Lab.create({ hosts: 3 });
    const alice = start(1, '-ls', '--name', 'acme');
    await alice.process.next(ready, PATIENCE_MS, 'alice');
    const bob = start(2, '-lc');
    await bob.process.next(ready, PATIENCE_MS, 'bob');
    await does(bob.process, 'passwd secret');
    const host = lab.host('h3');
    const other = host.exec(
      process.execPath,
      [file, '--json', '-lc', '--user', bob.user, '--data', join(directory, 'bob2'), '--headless'],
      { HOME: directory, XDG_DATA_HOME: directory, CLCHAT_PASSWORD: 'secret' },
    );
    await other.next(ready, PATIENCE_MS, 'another device of bob');
    await does(bob.process, `request ${alice.user}`);
    await alice.process.next(event('request', { user: bob.user }), PATIENCE_MS, 'the request');
    await does(alice.process, `accept ${bob.user}`);
    alice.process.send(`call ${bob.user}`);
    await Promise.all(
      [bob.process, other].map((one) => one.next(event('ring'), PATIENCE_MS, 'the ring')),
    );
    for (const one of [bob.process, other]) one.send('answer');
    const answers = await Promise.all(
      [bob.process, other].map((one) => one.next(result, PATIENCE_MS, 'the answer')),
    );
    assert.equal(answers.filter(({ ok }) => ok === true).length, 1, JSON.stringify(answers));
    const refused = answers.find(({ ok }) => ok !== true);
    assert.match(String(refused?.['code']), /^(?:ALREADY|NO_CALL)$/);
    await alice.process.next(event('call', { state: 'active' }), PATIENCE_MS, 'the call');
    people = [];
  });
});

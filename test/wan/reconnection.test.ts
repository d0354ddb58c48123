/** Connections that are lost on an internet, and come back by themselves with nothing lost. */
import assert from 'node:assert/strict';
import { sleep } from '../../lib/lifecycle.ts';
import type { LabProcess, Line } from '../lan/process.ts';
import type { Cut } from './cable.ts';
import { following } from './lab.ts';
import { does, event, PATIENCE_MS, result } from './program.ts';
import { Programs } from './programs.ts';
import { describeLong, stageForEach } from './stage.ts';
import { noteTime } from './times.ts';

/** From the return of the network until everything works again, in milliseconds. */
const RECOVERY_MS = 5_000;

describeLong('after the network was lost', function () {
  this.timeout(180_000);
  const stage = stageForEach({ homes: [{}, { igd: 'off', hosts: 2 }, { igd: 'off' }] });
  const programs = new Programs(() => stage.lab);
  let server: LabProcess;
  let ben: LabProcess;
  let cat: LabProcess;

  beforeEach(async () => {
    const started = await programs.serve('a1');
    server = started.process;
    const link = String(started.ready['invite']);
    ben = (await programs.join('b1', link, 'ben')).process;
    cat = (await programs.join('c1', link, 'cat')).process;
  });

  const hears = (who: LabProcess, text: string): Promise<Line> =>
    who.next(event('message', { text }), PATIENCE_MS, text);
  const count = (who: LabProcess, name: string, fields: Line = {}): number =>
    who.all.filter(event(name, fields)).length;

  /**
   * Ben's network is lost for a while, in which he and Cat say something each.
   * @param lose makes it so, and returns once it is there again
   */
  const isBackAfter = async (
    what: string,
    lose: () => Promise<void>,
    within = RECOVERY_MS,
  ): Promise<void> => {
    const lost = lose();
    await sleep(500);
    await does(cat, 'say while you were away');
    await lost;
    const begun = performance.now();
    // Where the connection was not found dead meanwhile it has gone on, and nothing is told.
    await does(ben, 'say I am back');
    await hears(cat, 'I am back');
    const took = performance.now() - begun;
    noteTime(what, took);
    await sleep(1_000);
    const texts = ben.all.map((line) => JSON.stringify(line)).join('\n');
    assert.equal(count(ben, 'message', { text: 'while you were away' }), 1, texts);
    assert.equal(count(cat, 'message', { text: 'I am back' }), 1, texts);
    const [gone, back] = [false, true].map((connected) => count(ben, 'server', { connected }));
    assert.ok(gone === back && gone! <= 1, texts);
    assert.ok(took < within, `${took} ms`);
  };
  const cutFor = (name: string, how: Cut, milliseconds: number) => async (): Promise<void> => {
    const host = stage.lab.host(name);
    await host.cut(how);
    await sleep(milliseconds);
    await host.restore();
  };

  for (const [how, what] of [
    ['silent', 'nothing comes through for ten seconds'],
    ['carrier', 'the cable of the router is pulled for ten seconds'],
  ] as const)
    it(`because ${what}`, () => isBackAfter(what, cutFor('r2', how, 10_000)));

  it('because the cable of the host is pulled for ten seconds', () =>
    isBackAfter(
      'the cable of the host is pulled for ten seconds',
      cutFor('b1', 'carrier', 10_000),
    ));

  it('for a moment, of which nobody learns', () =>
    isBackAfter('nothing comes through for two seconds', cutFor('r2', 'silent', 2_000)));

  it('because the host was asleep', () =>
    isBackAfter('the host was asleep for twenty seconds', async () => {
      ben.signal('SIGSTOP');
      await sleep(20_000);
      ben.signal('SIGCONT');
    }));

  it('because the host has another address', () =>
    isBackAfter('the host has another address', () =>
      stage.lab.host('b1').setAddress('192.168.2.77'),
    ));

  it('because the router has another address', () =>
    isBackAfter('the router has another address', async () => {
      const router = stage.lab.router('r2');
      await router.setAddress(following(stage.address('r2')));
      // What went by the old one is forgotten with it.
      await router.takeAway();
      await router.putBack();
    }));

  it('because the router has started anew', () =>
    isBackAfter('the router has started anew', () => stage.lab.router('r2').reboot(3_000), 15_000));

  it('because the router of the server has started anew, and forgotten what it had mapped', async () => {
    await stage.lab.router('r1').reboot(3_000);
    const begun = performance.now();
    await does(cat, 'say is anybody there?');
    await hears(server, 'is anybody there?');
    await hears(ben, 'is anybody there?');
    noteTime('the router of the server has started anew', performance.now() - begun);
    await does(ben, 'say yes');
    await hears(cat, 'yes');
  });

  it('because the server was asleep', async () => {
    server.signal('SIGSTOP');
    await sleep(15_000);
    server.signal('SIGCONT');
    const begun = performance.now();
    await does(ben, 'say good morning');
    await hears(cat, 'good morning');
    const took = performance.now() - begun;
    noteTime('the server was asleep for fifteen seconds', took);
    assert.ok(took < RECOVERY_MS, `${took} ms`);
  });

  it('private sessions go on, and show what was said meanwhile once', async () => {
    ben.send('startprivate cat');
    await cat.next(event('private-request', { user: 'ben' }), PATIENCE_MS, 'the request');
    await does(cat, 'yes ben');
    await ben.next(event('private-open', { user: 'cat' }), PATIENCE_MS, 'the session');
    await ben.next(result, PATIENCE_MS, 'the result');
    await stage.lab.router('r2').cut('silent');
    await sleep(500);
    ben.send('private cat are you there?');
    cat.send('private ben hello?');
    await ben.next(event('private-away', { user: 'cat' }), PATIENCE_MS, 'the loss of the line');
    await stage.lab.router('r2').restore();
    const begun = performance.now();
    await ben.next(event('path', { user: 'cat', kind: 'punched' }), PATIENCE_MS, 'the new line');
    await cat.next(event('path', { user: 'ben', kind: 'punched' }), PATIENCE_MS, 'the new line');
    noteTime('a private session, until it goes on', performance.now() - begun);
    await cat.next(event('private-message', { text: 'are you there?' }), PATIENCE_MS, 'the text');
    await ben.next(event('private-message', { text: 'hello?' }), PATIENCE_MS, 'the other text');
    await does(ben, 'private cat here we are');
    await cat.next(event('private-message', { text: 'here we are' }), PATIENCE_MS, 'the last text');
    assert.equal(count(cat, 'private-message'), 2);
    assert.equal(count(ben, 'private-message'), 1);
  });
});

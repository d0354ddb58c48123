/** Private sessions between people at home, each behind a router that lets nobody in. */
import assert from 'node:assert/strict';
import type { LabProcess, Line } from '../lan/process.ts';
import { does, event, PATIENCE_MS, result } from './program.ts';
import { Programs } from './programs.ts';
import { describeLong, stageFor } from './stage.ts';
import { noteTime } from './times.ts';

describeLong('private sessions across the internet', function () {
  this.timeout(180_000);
  const stage = stageFor({
    homes: [{}, { igd: 'off' }, { igd: 'off' }, { igd: 'off', nat: 'symmetric' }],
  });
  const programs = new Programs(() => stage.lab);
  let link: string;
  let server: LabProcess;

  const join = async (host: string, user: string): Promise<LabProcess> =>
    (await programs.join(host, link, user)).process;
  /** That each hears what the other says, and nobody else. */
  const talk = async (pairs: readonly (readonly [LabProcess, string, LabProcess])[]) => {
    for (const [from, to, hearer] of pairs) {
      const begun = performance.now();
      await does(from, `private ${to} hello ${to}`);
      noteTime('private message, there and acknowledged', performance.now() - begun);
      await hearer.next(event('private-message', { text: `hello ${to}` }), PATIENCE_MS, to);
    }
  };

  beforeEach(async () => {
    const started = await programs.serve('a1');
    link = String(started.ready['invite']);
    server = started.process;
  });

  it('are straight where the routers keep their ports, and outlive the server', async () => {
    const [ben, cat] = [await join('b1', 'ben'), await join('c1', 'cat')];
    const begun = performance.now();
    ben.send('startprivate cat');
    await cat.next(event('private-request', { user: 'ben', kind: 'punched' }), PATIENCE_MS, 'it');
    noteTime('startprivate, until the other is asked: punched', performance.now() - begun);
    await does(cat, 'yes ben');
    await ben.next(event('path', { user: 'cat', kind: 'punched' }), PATIENCE_MS, 'the path');
    const opened = await ben.next(result, PATIENCE_MS, 'the session');
    assert.deepEqual([opened['ok'], (opened['data'] as Line)['state']], [true, 'open']);
    await talk([
      [ben, 'cat', cat],
      [cat, 'ben', ben],
    ]);
    await server.kill();
    await ben.next(event('server', { connected: false }), PATIENCE_MS, 'the loss of the server');
    await talk([
      [ben, 'cat', cat],
      [cat, 'ben', ben],
    ]);
    await does(cat, 'stopprivate ben');
    await ben.next(event('private-closed', { user: 'cat' }), PATIENCE_MS, 'the end');
  });

  it('are had with the person at the server as well', async () => {
    const ben = await join('b1', 'ben');
    for (const [asker, asked, name, other] of [
      [ben, server, 'ben', 'root'],
      [server, ben, 'root', 'ben'],
    ] as const) {
      asker.send(`startprivate ${other}`);
      const question = event('private-request', { direction: 'outgoing', kind: 'relayed' });
      await asker.next(question, PATIENCE_MS, 'the question');
      asker.send(`yes ${other}`);
      await asked.next(event('private-request', { user: name }), PATIENCE_MS, 'the request');
      await does(asked, `yes ${name}`);
      await asker.next(event('private-open', { user: other }), PATIENCE_MS, 'the session');
      await asker.next(result, PATIENCE_MS, 'the answer to one of the two');
      await asker.next(result, PATIENCE_MS, 'the answer to the other one');
      await talk([
        [asker, other, asked],
        [asked, name, asker],
      ]);
      await does(asker, `stopprivate ${other}`);
      await asked.next(event('private-closed', { user: name }), PATIENCE_MS, 'the end');
    }
  });

  it('lead through the server where there is no other way, if that is wanted', async () => {
    const [ben, dan] = [await join('b1', 'ben'), await join('d1', 'dan')];
    ben.send('startprivate dan');
    const question = event('private-request', { direction: 'outgoing', kind: 'relayed' });
    await ben.next(question, PATIENCE_MS, 'the question');
    ben.send('yes dan');
    await dan.next(event('private-request', { user: 'ben', kind: 'relayed' }), PATIENCE_MS, 'it');
    await does(dan, 'yes ben');
    await ben.next(event('private-open', { user: 'dan' }), PATIENCE_MS, 'the session');
    await ben.next(result, PATIENCE_MS, 'the answer to one of the two');
    await ben.next(result, PATIENCE_MS, 'the answer to the other one');
    await talk([
      [ben, 'dan', dan],
      [dan, 'ben', ben],
    ]);
  });
});

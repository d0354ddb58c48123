/** A server behind a router, started with `-s`, and those who come to it with `-c`. */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { sleep } from '../../lib/lifecycle.ts';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LabProcess, Line } from '../lan/process.ts';
import { event, PATIENCE_MS, result, type Started } from './program.ts';
import { Programs } from './programs.ts';
import { describeLong, stageFor } from './stage.ts';
import { noteTime } from './times.ts';

const STUN = fileURLToPath(new URL('./fixtures/stun.ts', import.meta.url));
const PORT = 49_152;
/** Far more than a start takes on a machine with nothing else to do, and no more than one may take. */
const READY_MS = 10_000;

/** Of the port that leads to the server. */
const state = (name: string, fields: Line = {}) =>
  event('mapping', { state: name, transport: 'tcp', ...fields });

/** That two who are logged in hear one another. */
async function talk(one: LabProcess, other: LabProcess): Promise<void> {
  for (const [from, to, text] of [
    [one, other, 'is anybody there?'],
    [other, one, 'here I am'],
  ] as const) {
    from.send(`say ${text}`);
    assert.equal((await from.next(result, PATIENCE_MS, 'the answer'))['ok'], true);
    await to.next(event('message', { text }), PATIENCE_MS, text);
  }
}

describeLong('a server on the internet', function () {
  this.timeout(180_000);

  describe('behind a router that maps ports', () => {
    const stage = stageFor({ homes: [{ hosts: 2 }, { igd: 'off' }] });
    const programs = new Programs(() => stage.lab);
    const external = (port = PORT): string => `${stage.address('r1')}:${port}`;
    const serve = async (): Promise<Started> => {
      const started = await programs.serve('a1');
      // The mapping is told of with the rest of what happened before.
      assert.ok(started.milliseconds < READY_MS, `${started.milliseconds} ms`);
      return started;
    };
    const end = async ({ process }: Started): Promise<void> => {
      process.send('quit');
      assert.equal(await process.end(), 0);
    };
    const mapped = async (): Promise<string[]> =>
      (await stage.lab.router('r1').mappings())
        .map(({ transport, externalPort }) => `${transport} ${externalPort}`)
        .sort();
    const untilMapped = async (count: number): Promise<void> => {
      const end = performance.now() + PATIENCE_MS;
      while ((await mapped()).length < count && performance.now() < end) await sleep(100);
    };

    it('has a way in, for chat and for calls, and takes it back at the end', async () => {
      const server = await serve();
      noteTime('-s with a mapping: ready', server.milliseconds);
      const { ready, process } = server;
      assert.equal(ready['external'], external());
      assert.ok((ready['addresses'] as string[]).includes(`${stage.address('a1')}:${PORT}`));
      const { protocol } = await process.next(state('mapped'), PATIENCE_MS, 'the mapping');
      assert.equal(protocol, 'pcp');
      const ofCalls = state('mapped', { transport: 'udp', port: 50_003 });
      await process.next(ofCalls, PATIENCE_MS, 'the last port for calls');
      const all = [`tcp ${PORT}`, `udp ${PORT + 1}`];
      for (let port = 50_000; port <= 50_003; port++) all.push(`udp ${port}`);
      await untilMapped(all.length);
      assert.deepEqual(await mapped(), all.sort());
      const asker = stage.lab.host('pub1').runTypeScript(STUN);
      asker.send(JSON.stringify({ id: 1, do: 'ask', ip: stage.address('r1'), port: PORT + 1 }));
      const { seen } = await asker.next(({ id }) => id === 1, PATIENCE_MS, 'an answer by STUN');
      assert.ok(String(seen).startsWith(`${stage.address('pub1')}:`), String(seen));
      await end(server);
      assert.deepEqual(await mapped(), []);
    });

    it('is joined by its link, by its address and by its IP alone', async () => {
      const server = await serve();
      const link = await programs.join('b1', String(server.ready['invite']), 'ann');
      noteTime('-c LINK: ready', link.milliseconds);
      await talk(server.process, link.process);
      const address = await programs.join('pub1', external(), 'bob');
      noteTime('-c IP:PORT: ready', address.milliseconds);
      const host = await programs.join('b1', stage.address('r1'), 'cyd');
      noteTime('-c IP: ready', host.milliseconds);
      await talk(address.process, host.process);
      await end(server);
    });

    it('gets another port where its own is taken', async () => {
      assert.equal(await stage.map('a2', PORT), 0);
      const server = await serve();
      noteTime('-s where its port is taken: ready', server.milliseconds);
      assert.notEqual(server.ready['external'], external());
      const friend = await programs.join('b1', String(server.ready['invite']), 'ann');
      await talk(server.process, friend.process);
      await end(server);
      assert.deepEqual(await mapped(), [`tcp ${PORT}`]);
      await stage.lab.router('r1').reboot();
    });

    it('has it again when the router has started anew', async () => {
      const server = await serve();
      const friend = await programs.join('b1', String(server.ready['invite']), 'ann');
      await server.process.next(state('mapped'), PATIENCE_MS, 'the mapping');
      await stage.lab.router('r1').reboot(1_500);
      const begun = performance.now();
      // The router has lost them; where they are looked at by asking for them they are back without a word.
      const until = begun + 60_000;
      while (!(await mapped()).includes(`tcp ${PORT}`) && performance.now() < until)
        await sleep(100);
      assert.ok((await mapped()).includes(`tcp ${PORT}`), 'the mapping is there again');
      noteTime('router restarted: mapped again', performance.now() - begun);
      // Whether the connection has outlived it or is a new one, nothing is lost.
      await talk(server.process, friend.process);
      noteTime('router restarted: two talk again', performance.now() - begun);
      await end(server);
    });

    it('is taken up again after a crash', async () => {
      const { process } = await serve();
      await untilMapped(6);
      await process.kill();
      assert.equal((await mapped()).length, 6);
      const again = await serve();
      noteTime('-s after a crash: ready', again.milliseconds);
      assert.equal(again.ready['external'], external());
      await end(again);
      await stage.lab.router('r1').reboot();
    });

    for (const [what, shape] of [
      ['50 ms there and back', { delay: 25 }],
      ['300 ms there and back', { delay: 150 }],
      ['10 % of all packets lost', { loss: 10 }],
    ] as const)
      it(`is joined over a line with ${what}`, async () => {
        const server = await serve();
        await stage.lab.host('pub1').shape(shape);
        const link = String(server.ready['invite']);
        const friend = await programs.join('pub1', link, 'ann');
        noteTime(`-c LINK, ${what}: ready`, friend.milliseconds);
        await talk(server.process, friend.process);
        await end(server);
        await stage.lab.host('pub1').shape({});
      });

    it('says at once that nobody is there, and in time where nothing answers', async () => {
      const nobody = await programs.shutOut('b1', external());
      noteTime('-c IP:PORT of nobody: error', nobody.milliseconds);
      assert.match(String(nobody.error['code']), /NETWORK|TIMEOUT/);
      assert.equal(nobody.status, 4);
      assert.ok(nobody.milliseconds < READY_MS, `${nobody.milliseconds} ms`);
    });
  });

  describe('with IPv6', () => {
    const stage = stageFor({ homes: [{ igd: 'off' }, { igd: 'off' }], ipv6: true });
    const programs = new Programs(() => stage.lab);

    it('is reached by it as well, and by it alone', async () => {
      const server = await programs.serve('pub1');
      const { address6 } = stage.lab.host('pub1');
      const address = `[${address6}]:${PORT}`;
      assert.ok((server.ready['addresses'] as string[]).includes(address), address);
      const ann = await programs.join('a1', address, 'ann');
      const link = String(server.ready['invite']);
      const ben = await programs.join('b1', link, 'ben');
      await talk(ann.process, ben.process);
    });
  });

  describe('behind a router of another kind', () => {
    const kinds = [
      ['UPnP IGD 2', 'upnp', 'upnp'],
      ['UPnP IGD 1', 'igd1', 'upnp'],
      ['NAT-PMP', 'natpmp', 'nat-pmp'],
    ] as const;
    const stage = stageFor({ homes: kinds.map(([, igd]) => ({ igd })) });
    const programs = new Programs(() => stage.lab);

    for (const [index, [what, , protocol]] of kinds.entries())
      it(`is reached all the same: ${what}`, async () => {
        const host = `${'abc'[index]}1`;
        const { process, ready, milliseconds } = await programs.serve(host);
        noteTime(`-s with ${what}: ready`, milliseconds);
        assert.ok(milliseconds < READY_MS, `${milliseconds} ms`);
        const external = `${stage.address(`r${index + 1}`)}:${PORT}`;
        assert.equal(ready['external'], external);
        await process.next(state('mapped', { external, protocol }), PATIENCE_MS, 'the mapping');
        const friend = await programs.join('pub1', String(ready['invite']), 'ann');
        await talk(process, friend.process);
      });
  });

  describe('behind a router that maps nothing', () => {
    const stage = stageFor({
      turn: true,
      homes: [
        { igd: 'off' },
        { refuses: true },
        { carrier: 'private' },
        { behind: {} },
        {},
        {},
        { carrier: 'squat' },
        { carrier: 'claim' },
      ],
    });
    const programs = new Programs(() => stage.lab);

    const cases: readonly {
      readonly what: string;
      readonly host: string;
      readonly codes: readonly string[];
      readonly prepare?: () => Promise<unknown>;
    }[] = [
      { what: 'that has none of the protocols', host: 'a1', codes: ['NO_GATEWAY'] },
      { what: 'that refuses', host: 'b1', codes: ['MAPPING_REFUSED', 'TIMEOUT'] },
      { what: 'behind a carrier', host: 'c1', codes: ['CARRIER_NAT'] },
      { what: 'behind another router', host: 'd1', codes: ['CARRIER_NAT'] },
      {
        what: 'that drops all UDP',
        host: 'e1',
        codes: ['NO_GATEWAY'],
        prepare: () => stage.lab.router('r5').dropUdp(),
      },
      {
        what: 'to which there is no route',
        host: 'f1',
        codes: ['NO_GATEWAY'],
        prepare: () => stage.lab.host('f1').cut('route'),
      },
    ];
    for (const { what, host, codes, prepare } of cases)
      it(`is ready all the same, and says why: one ${what}`, async () => {
        await prepare?.();
        const begun = performance.now();
        const { process, ready, milliseconds } = await programs.serve(host);
        noteTime(`-s at a router ${what}: ready`, milliseconds);
        assert.equal(ready['external'], undefined);
        assert.ok(milliseconds < READY_MS, `${milliseconds} ms`);
        assert.ok(typeof ready['invite'] === 'string');
        const failed = await process.next(state('failed'), PATIENCE_MS, 'the reason');
        noteTime(`-s at a router ${what}: ${String(failed['code'])}`, performance.now() - begun);
        assert.ok(codes.includes(String(failed['code'])), String(failed['code']));
        const friend = await programs.join(host, String(ready['invite']), 'ann');
        await talk(process, friend.process);
      });

    for (const [what, host, router] of [
      ['gives it an address of others', 'g1', 'r7'],
      ['lets it claim the address of all', 'h1', 'isp8'],
    ] as const)
      it(`is not reached where a carrier ${what}, which only others can tell`, async () => {
        const { ready } = await programs.serve(host);
        assert.equal(ready['external'], `${stage.address(router)}:${PORT}`);
        const { error, milliseconds, status } = await programs.shutOut(
          'pub1',
          String(ready['invite']),
        );
        noteTime(`-c LINK, carrier ${what}: error`, milliseconds);
        assert.match(String(error['code']), /NETWORK|TIMEOUT/);
        assert.equal(status, 4);
        assert.ok(milliseconds < READY_MS, `${milliseconds} ms`);
      });

    it('knows that it is not reached where a TURN server sees it elsewhere', async () => {
      const { user, password, address, port } = stage.lab.turn;
      const file = join(tmpdir(), `clchat-turn-${process.pid}`);
      await writeFile(file, `turn:${user}:${password}@${address}:${port}\n`);
      const { process: server } = await programs.serve('g1', '--turn-url-file', file);
      await rm(file);
      const lost = state('lost', { code: 'CARRIER_NAT', transport: 'tcp' });
      const begun = performance.now();
      const { external } = await server.next(lost, PATIENCE_MS, 'the contradiction');
      noteTime('-s, contradicted by TURN: CARRIER_NAT, after ready', performance.now() - begun);
      assert.equal(external, `${stage.address('r7')}:${PORT}`);
    });
  });
});

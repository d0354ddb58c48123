import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { WanLab } from './lab.ts';
import { describeLong, PORT, stageFor } from './stage.ts';

const execute = promisify(execFile);

describeLong('the lab of an internet', function () {
  this.timeout(120_000);

  describe('with NAT of each kind', () => {
    const stage = stageFor(
      {
        homes: [{}, { nat: 'symmetric', firewall: 'reject' }, { nat: 'fullcone' }],
        publicHosts: 3,
        turn: true,
      },
      ...['pub1', 'pub2', 'pub3'],
    );

    for (const transport of ['udp', 'tcp'] as const)
      it(`rewrites addresses as each kind does, on ${transport}`, async () => {
        for (const [host, router, isSymmetric] of [
          ['a1', 'r1', false],
          ['b1', 'r2', true],
          ['c1', 'r3', false],
        ] as const) {
          const seen: string[] = [];
          for (const to of ['pub1', 'pub2'])
            seen.push(await stage.reaches(host, to, { transport, from: 40_000 }));
          const [ips, ports] = [0, 1].map((part) => seen.map((one) => one.split(':')[part]!));
          assert.deepEqual(ips, Array(2).fill(stage.address(router)), host);
          if (isSymmetric) assert.notEqual(ports![0], ports![1], host);
          else assert.deepEqual(ports, ['40000', '40000'], host);
        }
      });

    it('lets in those who were asked, or with a full cone anybody', async () => {
      for (const [host, router, isOpen] of [
        ['a1', 'r1', false],
        ['b1', 'r2', false],
        ['c1', 'r3', true],
      ] as const) {
        const seen = await stage.reaches(host, 'pub1', { transport: 'udp', from: 40_001 });
        const port = Number(seen.split(':')[1]);
        // Nobody serves there: what counts is whether it arrives.
        const greeting = Buffer.from('hello');
        const quick = { within: 200 };
        await stage.probes.exchange('pub3', stage.address(router), port, greeting, quick);
        assert.equal(await stage.probes.hears(host, 40_001), isOpen, host);
      }
    });

    it('drops or refuses what nobody has asked for', async () => {
      assert.equal(await stage.ask('pub1', 'r1'), 'TIMEOUT');
      assert.equal(await stage.ask('pub1', 'r2'), 'ECONNREFUSED');
    });

    it('leads nowhere but to hosts that are there', async () => {
      const ask = (host: string, to: string): Promise<string> =>
        stage.probes.ask(host, to, PORT, { within: 300 });
      for (const nowhere of ['192.168.2.11', '100.64.1.1', '8.8.8.8', '11.0.0.250'])
        assert.equal(await ask('pub1', nowhere), 'TIMEOUT', nowhere);
      assert.equal(await ask('a1', stage.address('b1')), 'TIMEOUT');
    });

    it('has a server for STUN and TURN', async () => {
      const { address, secondAddress, port } = stage.lab.turn;
      const transaction = Buffer.from('2112a442000102030405060708090a0b', 'hex');
      const request = (head: string, body = ''): Buffer =>
        Buffer.concat([Buffer.from(head, 'hex'), transaction, Buffer.from(body, 'hex')]);
      for (const to of [address, secondAddress]) {
        const answer = await stage.probes.exchange('a1', to, port, request('00010000'));
        assert.equal(answer?.readUInt16BE(0), 0x0101, to);
        // XOR-MAPPED-ADDRESS: the router's address, hidden by the constant above.
        const parts = stage.address('r1').split('.');
        const hidden = parts.map((part, index) => Number(part) ^ transaction[index]!);
        assert.ok(answer.includes(Buffer.from('00200008', 'hex')), to);
        assert.ok(answer.includes(Buffer.from(hidden)), to);
      }
      // An allocation is refused without a password.
      const allocate = request('00030008', '0019000411000000');
      const refused = await stage.probes.exchange('a1', address, port, allocate);
      assert.equal(refused?.readUInt16BE(0), 0x0113);
    });
  });

  describe('with IPv6', () => {
    const stage = stageFor(
      {
        homes: [{}, { carrier: 'private', behind: {}, firewall: 'reject' }, { ipv6: false }],
        ipv6: true,
      },
      ...['pub1', 'a1', 'b1'],
    );
    const address6 = (host: string): string => stage.lab.host(host).address6!;
    const ask6 = (host: string, to: string, transport: 'tcp' | 'udp' = 'tcp'): Promise<string> =>
      stage.probes.ask(host, address6(to), PORT, { transport, within: 3_000 });

    it('gives every host a public address, behind a firewall', async () => {
      for (const host of ['a1', 'b1'])
        for (const transport of ['tcp', 'udp'] as const) {
          const seen = await ask6(host, 'pub1', transport);
          assert.ok(seen.startsWith(`[${address6(host)}]`), `${host}: ${seen}`);
        }
      assert.equal(await ask6('pub1', 'a1'), 'TIMEOUT');
      assert.equal(await ask6('pub1', 'b1'), 'ECONNREFUSED');
    });

    it('leaves a home without it if it is to', async () => {
      assert.equal(stage.lab.host('c1').address6, undefined);
      assert.equal(await ask6('c1', 'pub1'), 'ENETUNREACH');
      await stage.reaches('c1', 'pub1');
    });

    it('has it again after a boot and a cut', async () => {
      await stage.lab.router('r1').reboot();
      await stage.lab.host('a1').cut('carrier');
      await stage.lab.host('a1').restore();
      const seen = await ask6('a1', 'pub1');
      assert.ok(seen.startsWith(`[${address6('a1')}]`), seen);
    });
  });

  it('leaves nothing behind, nor what a run that was killed has left', async () => {
    const left = async (pid: number | undefined): Promise<string[]> => {
      const names = [...(await readdir('/run/netns')), ...(await readdir(tmpdir()))];
      return names.filter((name) => name.startsWith(`clchat-lab-${pid}-`));
    };
    assert.deepEqual(await left(process.pid), []);
    const script = `import { WanLab } from ${JSON.stringify(new URL('lab.ts', import.meta.url).href)};
      const lab = await WanLab.create({ homes: [{}] });
      await lab.host('a1').shape({ delay: 1 });
      console.log('up');`;
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '-e', script],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'close');
    assert.notDeepEqual(await left(child.pid), []);
    const lab = await WanLab.create({ homes: [] });
    await lab.destroy();
    assert.deepEqual(await left(child.pid), []);
  });

  it('says what is missing on a machine', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'clchat-wan-'));
    const path = process.env['PATH'];
    try {
      const { stdout } = await execute('which', ['-a', 'ip', 'bridge', 'nft', 'tc', 'conntrack']);
      for (const program of stdout.split('\n').filter(Boolean)) {
        const link = join(directory, program.split('/').at(-1)!);
        if (!existsSync(link)) await symlink(program, link);
      }
      process.env['PATH'] = directory;
      await assert.rejects(WanLab.create({ homes: [] }), /need "miniupnpd" .*miniupnpd-nftables/);
    } finally {
      process.env['PATH'] = path;
      await rm(directory, { recursive: true });
    }
  });
});

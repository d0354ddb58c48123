import assert from 'node:assert/strict';
import { sleep } from '../../lib/lifecycle.ts';
import type { Carrier } from './lab.ts';
import { describeLong, NAT_PMP_ADDRESS, natPmp, pcp, PORT, stageFor } from './stage.ts';

const [SSDP, HTTP] = [1_900, 5_000];
const SEARCH = Buffer.from(
  'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: "ssdp:discover"\r\nMX: 1\r\n' +
    'ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n\r\n',
);

describeLong('a router of the lab', function () {
  this.timeout(120_000);

  describe('that maps ports', () => {
    const stage = stageFor({ homes: [{ hosts: 2 }] }, 'a1', 'pub1');
    const router = (): ReturnType<typeof stage.lab.router> => stage.lab.router('r1');
    const reach = (): Promise<string> => stage.reaches('pub1', 'r1');

    it('leads to a host inside by a mapping, and not without', async () => {
      await stage.isCutOff('pub1', 'r1');
      assert.deepEqual(await router().mappings(), []);
      assert.equal(await stage.map('a1', PORT), 0);
      assert.ok((await reach()).startsWith(`${stage.address('pub1')}:`));
      const [mapping, ...others] = await router().mappings();
      assert.deepEqual(others, []);
      const { expires, description, ...rest } = mapping!;
      assert.deepEqual(rest, {
        transport: 'tcp',
        externalPort: PORT,
        internal: { ip: stage.address('a1'), port: PORT },
      });
      assert.ok(Math.abs(expires - Date.now() - 3_600_000) < 60_000);
      assert.match(description, /NAT-PMP/);
    });

    it('gives another host another port', async () => {
      const answer = await stage.exchange('a2', natPmp(PORT));
      assert.equal(answer?.readUInt16BE(2), 0);
      assert.notEqual(answer.readUInt16BE(10), PORT);
    });

    it('keeps mappings when its daemon ends or crashes', async () => {
      const { daemon } = router();
      for (const end of ['stop', 'kill'] as const) {
        await daemon[end]();
        assert.equal(await stage.map('a1', PORT), undefined, end);
        await reach();
        await daemon.start();
        await reach();
        assert.equal(await stage.map('a1', PORT), 0, end);
      }
    });

    it('has a daemon that can be made to answer nothing', async () => {
      const { daemon } = router();
      daemon.freeze();
      assert.equal(await stage.map('a1', PORT), undefined);
      daemon.thaw();
      assert.equal(await stage.map('a1', PORT), 0);
    });

    it('keeps mappings and shows another address when its own is changed', async () => {
      const before = stage.address('r1');
      await router().setAddress('11.0.0.5');
      assert.equal(await stage.probes.ask('pub1', before, PORT), 'TIMEOUT');
      await reach();
      const shown = await stage.exchange('a1', NAT_PMP_ADDRESS);
      assert.equal(shown?.subarray(8).join('.'), '11.0.0.5');
      await router().setAddress(before);
    });

    it('loses mappings and connections when it boots', async () => {
      const booted = router().reboot(1_500);
      await sleep(500);
      await stage.isCutOff('a1', 'pub1', { within: 300 });
      await booted;
      assert.deepEqual(await router().mappings(), []);
      await stage.isCutOff('pub1', 'r1');
      assert.ok((await stage.reaches('a1', 'pub1')).startsWith(`${stage.address('r1')}:`));
      assert.equal(await stage.map('a1', PORT), 0);
      await reach();
    });
  });

  describe('with a daemon', () => {
    const KINDS = ['both', 'upnp', 'igd1', 'natpmp', 'pcp', 'natpmp+pcp', 'off'] as const;
    const stage = stageFor({
      homes: [
        ...KINDS.map((igd) => ({ igd })),
        { refuses: true },
        { ports: [20_000, 20_001], lifetimes: [1, 2] },
      ],
    });
    /** A daemon that looks for a port that it may map looks at all of them. */
    const PATIENT = { within: 20_000 };

    it('answers by the protocols that it speaks', async () => {
      const speaks = async (host: string): Promise<unknown> => {
        const { address, gateway } = stage.lab.host(host);
        const versionOf = async (request: Buffer): Promise<string> => {
          const answer = await stage.exchange(host, request);
          return answer === undefined ? 'none' : `${answer[0]}/${answer.readUInt16BE(2) & 0xff}`;
        };
        const versions = [await versionOf(natPmp(PORT)), await versionOf(pcp(address, PORT + 1))];
        const found = await stage.probes.exchange(host, gateway, SSDP, SEARCH);
        const get = Buffer.from('GET /rootDesc.xml HTTP/1.0\r\n\r\n');
        const tcp = { transport: 'tcp' } as const;
        const description = await stage.probes.exchange(host, gateway, HTTP, get, tcp);
        return [
          ...versions,
          String(found).includes('rootDesc.xml'),
          /InternetGatewayDevice:\d/.exec(String(description))?.[0].at(-1),
        ];
      };
      const spoken = await Promise.all(
        KINDS.map(async (kind, index) => [kind, await speaks(`${'abcdefg'[index]}1`)] as const),
      );
      assert.deepEqual(Object.fromEntries(spoken), {
        both: ['0/0', '2/0', true, '2'],
        upnp: ['none', 'none', true, '2'],
        igd1: ['none', 'none', true, '1'],
        natpmp: ['0/0', '0/1', false, undefined],
        pcp: ['none', '2/0', false, undefined],
        'natpmp+pcp': ['0/0', '2/0', false, undefined],
        off: ['none', 'none', false, undefined],
      });
    });

    it('refuses to map anything, if it is to', async () => {
      for (const request of [natPmp(PORT), pcp(stage.address('h1'), PORT)])
        assert.equal((await stage.exchange('h1', request, PATIENT))?.[3], 2);
      assert.deepEqual(await stage.lab.router('r8').mappings(), []);
    });

    it('maps no ports but those that it may, and not for longer', async () => {
      const mapped: number[] = [];
      for (const port of [20_000, 20_001, 20_002]) {
        const answer = await stage.exchange('i1', pcp(stage.address('i1'), port), PATIENT);
        if (answer?.[3] !== 0) continue;
        mapped.push(answer.readUInt16BE(42));
        assert.equal(answer.readUInt32BE(4), 2, 'seconds');
      }
      assert.deepEqual(mapped, [20_000, 20_001]);
      await sleep(4_000);
      assert.deepEqual(await stage.lab.router('r9').mappings(), []);
    });
  });

  describe('behind another one', () => {
    const carriers: Carrier[] = ['private', 'squat', 'claim'];
    const stage = stageFor(
      { homes: [...carriers.map((carrier) => ({ carrier })), { behind: {} }] },
      ...['pub1', 'a1', 'b1', 'c1', 'd1'],
    );

    it('leads to the internet', async () => {
      for (const [host, router] of [
        ['a1', 'isp1'],
        ['b1', 'isp2'],
        ['c1', 'isp3'],
        ['d1', 'm4'],
      ] as const) {
        const seen = await stage.reaches(host, 'pub1');
        assert.equal(seen.split(':')[0], stage.address(router), host);
      }
    });

    it('refuses, or maps in vain, behind a carrier', async () => {
      const shown: Record<string, unknown> = {};
      for (const [host, carrier, router] of [
        ['a1', 'isp1', 'r1'],
        ['b1', 'isp2', 'r2'],
        ['c1', 'isp3', 'r3'],
      ] as const) {
        const code = await stage.map(host, PORT);
        const external = (await stage.exchange(host, NAT_PMP_ADDRESS))!;
        const address = external.readUInt16BE(2) === 0 ? external.subarray(8).join('.') : undefined;
        shown[host] = [code, address];
        for (const one of [carrier, router]) await stage.isCutOff('pub1', one, { within: 300 });
      }
      assert.deepEqual(shown, {
        a1: [3, undefined],
        b1: [0, stage.address('r2')],
        c1: [0, stage.address('isp3')],
      });
      assert.match(stage.address('r1'), /^100\.64\./);
      assert.match(stage.address('r2'), /^21\./);
    });

    it('refuses, while the outer one of a household maps for it', async () => {
      assert.equal(await stage.map('d1', PORT), 3);
      assert.match(stage.address('r4'), /^10\./);
      const outer = stage.lab.host('r4').gateway;
      const answer = await stage.probes.exchange('d1', outer, 5_351, natPmp(PORT));
      assert.equal(answer?.readUInt16BE(2), 0);
      // For the inner router, which does not pass it on.
      const [mapping] = await stage.lab.router('m4').mappings();
      assert.equal(mapping?.internal.ip, stage.address('r4'));
      await stage.isCutOff('pub1', 'm4', { within: 300 });
    });
  });
});

import assert from 'node:assert/strict';
import { endianness } from 'node:os';
import fc from 'fast-check';
import type { Card } from '../../lib/interfaces.ts';
import {
  chooseRoute,
  createRouteReader,
  parseProcRoute,
  parseRouteGet,
  parseRoutePrint,
} from '../../lib/nat/route.ts';

const card = (name: string, address: string, prefix = 24): Card => ({
  name,
  address,
  family: address.includes(':') ? 6 : 4,
  prefix,
  internal: address.startsWith('127.'),
});

const HEAD =
  'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT                                                       \n';
const PROC = `${HEAD}eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0                                                                           \n\
wlan0\t00000000\t0102A8C0\t0003\t0\t0\t50\t00000000\t0\t0\t0  \n\
tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0  \n\
eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0  \n\
eth0\t00000000\t0901A8C0\t0002\t0\t0\t1\t00000000\t0\t0\t0  \n\
eth0\t00000000\t0101A8C0\t0003\t0\t0\t1\t00000080\t0\t0\t0  \n`;

const MACOS = `   route to: default
destination: default
       mask: default
    gateway: 192.168.1.254
  interface: en0
      flags: <UP,GATEWAY,DONE,STATIC,PRCLONING,GLOBAL>
 recvpipe  sendpipe  ssthresh  rtt,msec    rttvar  hopcount      mtu     expire
       0         0         0         0         0         0      1500         0
`;

const WINDOWS = `===========================================================================
Schnittstellenliste
 12...00 15 5d 01 02 03 ......Hyper-V Virtual Ethernet Adapter
===========================================================================

IPv4-Routentabelle
===========================================================================
Aktive Routen:
     Netzwerkziel    Netzwerkmaske          Gateway    Schnittstelle Metrik
          0.0.0.0          0.0.0.0      192.168.1.1    192.168.1.23     35
          0.0.0.0          0.0.0.0      192.168.2.1    192.168.2.23     25
          0.0.0.0          0.0.0.0   Auf Verbindung       10.8.0.2      5
===========================================================================
Ständige Routen:
  Netzwerkadresse          Netzmaske  Gatewayadresse  Metrik
          0.0.0.0          0.0.0.0      192.168.9.1  Standard
===========================================================================
`.replaceAll('\n', '\r\n');

describe('the default route', () => {
  it('is read from the table of Linux, in either order of bytes', () => {
    assert.deepEqual(parseProcRoute(PROC, 'LE'), [
      { card: 'eth0', gateway: '192.168.1.1', metric: 100 },
      { card: 'wlan0', gateway: '192.168.2.1', metric: 50 },
    ]);
    const big = PROC.replaceAll('0101A8C0', 'C0A80101');
    assert.equal(parseProcRoute(big, 'BE')[0]?.gateway, '192.168.1.1');
    for (const text of ['', HEAD, 'eth0', `${HEAD}eth0\t00000000\n`])
      assert.deepEqual(parseProcRoute(text, 'LE'), []);
  });

  it('is read from what macOS prints', () => {
    assert.deepEqual(parseRouteGet(MACOS), [{ gateway: '192.168.1.254', card: 'en0', metric: 0 }]);
    const point = MACOS.replace('192.168.1.254', 'link#14');
    for (const text of ['', 'route: not in table', point, MACOS.replace('interface', 'x')])
      assert.deepEqual(parseRouteGet(text), []);
  });

  it('is read from what Windows prints, in any language', () => {
    assert.deepEqual(parseRoutePrint(WINDOWS), [
      { gateway: '192.168.1.1', own: '192.168.1.23', metric: 35 },
      { gateway: '192.168.2.1', own: '192.168.2.23', metric: 25 },
    ]);
    assert.deepEqual(parseRoutePrint(''), []);
  });

  it('is not read from anything else, which does no harm', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        parseProcRoute(text, 'LE');
        parseRouteGet(text);
        parseRoutePrint(text);
      }),
    );
  });

  it('is the one of least metric whose card is up', () => {
    const entries = parseProcRoute(PROC, 'LE');
    const [eth0, wlan0] = [card('eth0', '192.168.1.7'), card('wlan0', '192.168.2.7')];
    const byWire = { gateway: '192.168.1.1', own: '192.168.1.7', card: 'eth0', family: 4 };
    const byAir = { gateway: '192.168.2.1', own: '192.168.2.7', card: 'wlan0', family: 4 };
    assert.deepEqual(chooseRoute(entries, [eth0, wlan0]), byAir);
    assert.deepEqual(chooseRoute(entries, [eth0]), byWire);
    assert.equal(chooseRoute(entries, [card('eth1', '192.168.1.7')]), undefined);
    assert.equal(chooseRoute([], [eth0]), undefined);
    const several = [card('eth0', 'fe80::1', 64), card('eth0', '10.0.0.7'), eth0];
    assert.deepEqual(chooseRoute(entries, several), byWire);
    // Which gateway may be spoken to is decided elsewhere, so that it can be said why not.
    assert.equal(chooseRoute(entries, [card('eth0', '10.0.0.7')])?.own, '10.0.0.7');
    const printed = parseRoutePrint(WINDOWS);
    const ethernet = card('Ethernet', '192.168.1.23');
    assert.equal(chooseRoute(printed, [ethernet])?.card, 'Ethernet');
  });

  it('is asked for in the way of each system', async () => {
    const asked: string[] = [];
    const reader = (platform: NodeJS.Platform, output: string, own: Card) =>
      createRouteReader({
        platform,
        cards: () => [own],
        readFile: async (path) => {
          asked.push(path);
          return output;
        },
        run: async (file, args) => {
          asked.push([file, ...args].join(' '));
          return output;
        },
      })();
    const order = endianness();
    const linux = order === 'LE' ? PROC : PROC.replaceAll('0101A8C0', 'C0A80101');
    const read = await reader('linux', linux, card('eth0', '192.168.1.7'));
    assert.equal(read?.gateway, '192.168.1.1');
    const mac = await reader('darwin', MACOS, card('en0', '192.168.1.7'));
    assert.equal(mac?.gateway, '192.168.1.254');
    const windows = await reader('win32', WINDOWS, card('Ethernet', '192.168.2.23'));
    assert.equal(windows?.gateway, '192.168.2.1');
    assert.deepEqual(asked.slice(0, 2), ['/proc/net/route', '/sbin/route -n get default']);
    assert.match(asked[2] ?? '', /System32.route\.exe print -4 0\.0\.0\.0$/);
  });

  it('is none where the system does not tell', async () => {
    const fail = () => Promise.reject(new Error('no'));
    for (const platform of ['linux', 'darwin', 'win32'] as const) {
      const read = createRouteReader({ platform, cards: () => [], readFile: fail, run: fail });
      assert.equal(await read(), undefined);
    }
  });

  it('costs a program only when the cards change, or from time to time', async () => {
    let runs = 0;
    let now = 0;
    let cards = [card('en0', '192.168.1.7')];
    const read = createRouteReader({
      platform: 'darwin',
      cards: () => cards,
      run: async () => {
        runs++;
        return MACOS;
      },
      clock: { now: () => now, monotonic: () => now },
    });
    for (now = 0; now < 60_000; now += 5_000) assert.equal((await read())?.card, 'en0');
    assert.equal(runs, 1);
    await read();
    assert.equal(runs, 2);
    cards = [];
    assert.equal(await read(), undefined);
    assert.equal(runs, 3);
  });

  it('of this host can be asked for', async () => {
    const route = await createRouteReader()();
    if (route !== undefined) assert.equal(route.family, 4);
  });
});

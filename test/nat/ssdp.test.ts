import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import fc from 'fast-check';
import { sleep, until } from '../../lib/lifecycle.ts';
import type { Route } from '../../lib/nat/route.ts';
import { decodeSearchAnswer, encodeSearch, searchGateway, TARGETS } from '../../lib/nat/ssdp.ts';
import { searchAnswer } from './fake-igd.ts';
import { FakeUdp } from './fake-pmp.ts';

const [TARGET] = TARGETS;

describe('the datagrams of SSDP', () => {
  it('ask as the UPnP Device Architecture has it', () => {
    const text = encodeSearch(TARGET, '239.255.255.250:1900');
    assert.deepEqual(text.split('\r\n'), [
      'M-SEARCH * HTTP/1.1',
      'HOST: 239.255.255.250:1900',
      'MAN: "ssdp:discover"',
      'MX: 1',
      'ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1',
      '',
      '',
    ]);
  });

  it('tell where a description lies', () => {
    const location = 'http://192.168.1.1:5000/root.xml';
    for (const target of TARGETS)
      assert.equal(decodeSearchAnswer(searchAnswer(target, location)), location);
    const loose = `http/1.0 200\nst:${TARGET}\nlocation:   ${location}  \nno colon\n: x\n`;
    assert.equal(decodeSearchAnswer(Buffer.from(loose)), location);
  });

  it('tell nothing where they are no answers to us', () => {
    const good = searchAnswer(TARGET, 'http://192.168.1.1/').toString();
    const wrong = [
      '',
      good.replace('200 OK', '404 Not Found'),
      good.replace('HTTP/1.1 200 OK', 'NOTIFY * HTTP/1.1'),
      good.replace(TARGET, 'urn:schemas-upnp-org:device:MediaServer:1'),
      good.replace('Location', 'Elsewhere'),
      good.replace('http://192.168.1.1/', ''),
      good.replace('\r\nST', '\r\n\r\nST'),
      good + 'x'.repeat(2_048),
    ];
    for (const text of wrong) assert.equal(decodeSearchAnswer(Buffer.from(text)), undefined, text);
  });

  it('can be anything and do no harm', () => {
    const changed = fc.tuple(fc.nat(200), fc.string()).map(([at, text]) => {
      const whole = searchAnswer(TARGET, 'http://192.168.1.1/').toString();
      return Buffer.from(whole.slice(0, at) + text + whole.slice(at));
    });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 3_000 }), changed), (bytes) => {
        const location = decodeSearchAnswer(bytes);
        assert.ok(location === undefined || location.length > 0);
      }),
    );
  });
});

describe('the search for a gateway', () => {
  const route: Route = { gateway: '127.0.0.1', own: '127.0.0.1', card: 'lo', family: 4 };
  const ending: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of ending.splice(0).reverse()) await end();
  });

  /** Searches at what answers so. */
  async function search(answer: FakeUdp, at = route): Promise<string[]> {
    const found: string[] = [];
    const controller = new AbortController();
    const done = searchGateway({
      route: at,
      port: answer.port,
      onLocation: (location) => found.push(location),
      signal: controller.signal,
    });
    ending.push(async () => {
      controller.abort();
      await done;
    });
    return found;
  }
  async function gateway(...[answer, address]: Parameters<typeof FakeUdp.open>): Promise<FakeUdp> {
    const server = await FakeUdp.open(answer, address);
    ending.push(() => server.close());
    return server;
  }

  it('finds each place that it tells of once, and asks for every kind', async () => {
    const server = await gateway((bytes) => {
      const target = /^ST: (.*)\r/m.exec(bytes.toString())?.[1] ?? '';
      return [searchAnswer(target, `http://127.0.0.1/${target.endsWith(':2') ? 'two' : 'one'}`)];
    });
    const found = await search(server);
    await until(3_000, () => found.length === 2);
    assert.deepEqual([...found].sort(), ['http://127.0.0.1/one', 'http://127.0.0.1/two']);
    const asked = new Set(
      server.received.map((bytes) => /^ST: (.*)\r/m.exec(bytes.toString())?.[1]),
    );
    assert.deepEqual([...asked].sort(), [...TARGETS].sort());
    assert.match(
      server.received[0]?.toString() ?? '',
      new RegExp(`HOST: 127.0.0.1:${server.port}`),
    );
  });

  it('is repeated', async () => {
    let times = 0;
    const server = await gateway(() => {
      times++;
      return times <= TARGETS.length ? [] : [searchAnswer(TARGET, 'http://127.0.0.1/')];
    });
    const found = await search(server);
    assert.ok(await until(3_000, () => found.length === 1));
  });

  it('asks by multicast as well', async () => {
    const member = createSocket({ type: 'udp4', reuseAddr: true });
    ending.push(() => new Promise<void>((resolve) => member.close(resolve)));
    const heard: string[] = [];
    member.on('message', (bytes) => heard.push(bytes.toString()));
    member.bind(0, '239.255.255.250');
    await once(member, 'listening');
    member.addMembership('239.255.255.250', '127.0.0.1');
    const { port } = member.address();
    const controller = new AbortController();
    const options = { route, port, onLocation: () => undefined, signal: controller.signal };
    const done = searchGateway(options);
    const isHeard = (): boolean => heard.length >= TARGETS.length;
    assert.ok(await until(3_000, isHeard));
    assert.match(heard[0] ?? '', new RegExp(`HOST: 239.255.255.250:${port}`));
    controller.abort();
    await done;
  });

  it('does not hear others, however much they send', async () => {
    let to = 0;
    const server = await gateway((_, from) => {
      to = from.port;
      return [];
    });
    const stranger = await gateway(() => [], '127.0.0.2');
    const found = await search(server);
    assert.ok(await until(3_000, () => to !== 0));
    for (let n = 0; n < 1_000; n++)
      stranger.send(searchAnswer(TARGET, `http://127.0.0.1/${n}`), to);
    await sleep(50);
    assert.deepEqual(found, []);
    server.send(searchAnswer(TARGET, 'http://127.0.0.1/real'), to);
    assert.ok(await until(3_000, () => found.length === 1));
  });

  it('is not kept busy by a gateway that floods', async () => {
    const server = await gateway((bytes) => {
      const many = Array.from({ length: 100 }, (_, n) =>
        searchAnswer(TARGET, `http://127.0.0.1/${bytes.length}/${n}`),
      );
      return [Buffer.alloc(4_000, 'x'), Buffer.alloc(0), ...many];
    });
    const found = await search(server);
    assert.ok(await until(3_000, () => found.length > 0));
    await sleep(50);
    assert.ok(found.length <= 4, `${found.length}`);
  });

  it('looks at no more than a few dozen answers', async () => {
    let to = 0;
    const server = await gateway((_, from) => {
      to = from.port;
      return [];
    });
    const found = await search(server);
    assert.ok(await until(3_000, () => to !== 0));
    for (let n = 0; n < 40; n++) server.send(Buffer.from('garbage'), to);
    server.send(searchAnswer(TARGET, 'http://127.0.0.1/'), to);
    await sleep(50);
    assert.deepEqual(found, []);
  });

  it('finds nothing from a card that is not there, and ends all the same', async () => {
    const server = await gateway(() => []);
    const found = await search(server, { ...route, own: '192.0.2.1' });
    await sleep(20);
    assert.deepEqual(found, []);
  });

  it('does not begin when it is over already', async () => {
    const server = await gateway(() => []);
    const over = { route, port: server.port, onLocation: () => undefined };
    await searchGateway({ ...over, signal: AbortSignal.abort() });
    assert.deepEqual(server.received, []);
  });
});

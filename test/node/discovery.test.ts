import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import packets, { type Packet } from 'dns-packet';
import fc from 'fast-check';
import type { PublicKey } from '../../lib/crdt/keys.ts';
import { hasCode } from '../../lib/errors.ts';
import { listCards, parseEndpoint, type Card } from '../../lib/interfaces.ts';
import { sleep } from '../../lib/lifecycle.ts';
import { advertise, browse, type FoundServer } from '../../lib/node/discovery.ts';
import {
  asks,
  concernsUs,
  MAX_ADDRESSES,
  QUESTION,
  SERVICE,
  sightingsIn,
  toPacket,
} from '../../lib/node/discovery-records.ts';
import { LOST_MS, Registry } from '../../lib/node/discovery-registry.ts';
import { peerIdOf } from '../../lib/node/peer-id.ts';

const newKey = (): PublicKey => randomBytes(32).toString('hex') as PublicKey;
const endpoints = (...addresses: string[]) => addresses.map((address) => parseEndpoint(address));
const overTheWire = (packet: Packet): Packet => packets.decode(packets.encode(packet));
const respond = (packet: Packet): Packet => ({ ...packet, type: 'response' });

describe('discovery records', () => {
  const key = newKey();
  const name = 'Zürich-日本';
  const host = `clchat-${peerIdOf(key).slice(-12)}.local`;
  const addresses = ['10.77.1.1:49152', '[2001:db8::1]:49152'];
  const announcement = { key, name, endpoints: endpoints(...addresses) };

  it('say what they are made of', () => {
    const packet = overTheWire(respond(toPacket(announcement)));
    assert.deepEqual(sightingsIn(packet), [{ key, name, addresses }]);
    assert(concernsUs(packets.encode(respond(toPacket(announcement)))));
  });

  it('are those of DNS-SD, so that other tools show them', () => {
    const { answers = [], additionals = [] } = overTheWire(respond(toPacket(announcement)));
    const instance = `${peerIdOf(key)}.${SERVICE}`;
    assert.deepEqual(
      [...answers, ...additionals].map(({ type, name: owner }) => [type, owner]),
      [
        ['PTR', SERVICE],
        ['SRV', instance],
        ['TXT', instance],
        ['A', host],
        ['AAAA', host],
      ],
    );
    const srv = additionals.find((record) => record.type === 'SRV');
    assert.deepEqual(srv?.data, {
      priority: 0,
      weight: 0,
      port: 49152,
      target: host,
    });
  });

  it('fit in one packet, whatever the name and however many the addresses', () => {
    const many = Array.from(
      { length: 30 },
      (_, i) => `[2001:db8:aaaa:bbbb:cccc:dddd:eeee:${i + 1}]:65535`,
    );
    const packet = respond(
      toPacket({ key, name: '\u{1f600}'.repeat(32), endpoints: endpoints(...many) }),
    );
    const bytes = packets.encode(packet);
    assert(bytes.length < 1_472, `${bytes.length} bytes`);
    assert(concernsUs(bytes));
    assert.equal(sightingsIn(packets.decode(bytes))[0]?.addresses.length, MAX_ADDRESSES);
  });

  it('say goodbye', () => {
    const packet = overTheWire(respond(toPacket(announcement, true)));
    assert.deepEqual(sightingsIn(packet), [{ key, name: '', addresses: [] }]);
  });

  it('are asked for by our question, and by questions about the one server', () => {
    assert(asks(overTheWire({ ...QUESTION, type: 'query' }), key));
    const about = (owner: string) => asks({ questions: [{ type: 'PTR', name: owner }] }, key);
    assert(about(`${peerIdOf(key)}.${SERVICE}`) && about(host));
    assert(about(SERVICE.toUpperCase()));
    assert(!about('_http._tcp.local') && !about('clchat-x.local') && !about(''));
  });

  it('are left out when something in them is wrong', () => {
    const id = peerIdOf(key);
    const good = ['name=acme', 'version=1', `dnsaddr=/ip4/10.0.0.1/tcp/1/p2p/${id}`];
    const seen = (text: string[], instance = `${id}.${SERVICE}`) =>
      sightingsIn({
        answers: [
          { type: 'PTR', name: SERVICE, ttl: 1, data: instance },
          { type: 'TXT', name: instance, ttl: 1, data: text },
        ],
      });
    assert.equal(seen(good).length, 1);
    const [goodName, version, address] = good as [string, string, string];
    for (const bad of [
      [],
      [goodName, version],
      [version, address],
      [goodName, address],
      ['name=', version, address],
      ['name=a b', version, address],
      ['name=\u001b[31mred', version, address],
      ['name=\u202eevil', version, address],
      [`name=${'x'.repeat(33)}`, version, address],
      [goodName, 'version=2', address],
      [goodName, version, address.replace('10.0.0.1', '224.0.0.1')],
      [goodName, version, address.replace('10.0.0.1', '0.0.0.0')],
      [goodName, version, address.replace('10.0.0.1', '999.0.0.1')],
      [goodName, version, address.replace('tcp/1', 'tcp/0')],
      [goodName, version, address.replace('tcp/1', 'tcp/65536')],
      [goodName, version, address.replace(id, peerIdOf(newKey()))],
      [goodName, version, address.replace('ip4/10.0.0.1', 'ip6/fe80::1')],
      [goodName, version, address.replace('ip4/10.0.0.1', 'dns4/example.org')],
    ])
      assert.deepEqual(seen(bad), [], JSON.stringify(bad));
    assert.deepEqual(seen(good, `nonsense.${SERVICE}`), []);
    assert.deepEqual(seen(good, `${id}._http._tcp.local`), []);
  });

  it('survive any packet', () => {
    const bytes = packets.encode(respond(toPacket(announcement)));
    const mutation = fc.array(
      fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 0, max: 255 })),
      { maxLength: 20 },
    );
    const look = (raw: Buffer): void => {
      if (!concernsUs(raw)) return;
      let packet: Packet;
      try {
        packet = packets.decode(raw);
      } catch {
        // As multicast-dns does, which drops what cannot be decoded.
        return;
      }
      asks(packet, key);
      for (const sighting of sightingsIn(packet))
        assert(sighting.addresses.length <= MAX_ADDRESSES);
    };
    fc.assert(
      fc.property(mutation, fc.nat(bytes.length), (changes, length) => {
        const mutated = Buffer.from(bytes);
        for (const [at, value] of changes) mutated[at] = value;
        look(mutated);
        look(mutated.subarray(0, length));
      }),
      { numRuns: 1000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (noise) => {
        look(Buffer.concat([noise.subarray(0, 12), Buffer.from('_clchat'), noise.subarray(12)]));
      }),
    );
  });

  it('are not looked for in what is too long, too many, or about something else', () => {
    const packet = (records: number, padding = 0): Buffer => {
      const header = Buffer.alloc(12);
      header.writeUInt16BE(records, 6);
      return Buffer.concat([header, Buffer.from('\x07_clchat'), Buffer.alloc(padding)]);
    };
    assert(concernsUs(packet(64)));
    assert(
      !concernsUs(packet(65)) && !concernsUs(packet(1, 2048)) && !concernsUs(Buffer.alloc(11)),
    );
    assert(
      !concernsUs(
        packets.encode({ type: 'query', questions: [{ type: 'PTR', name: '_ipp._tcp.local' }] }),
      ),
    );
  });
});

describe('discovery registry', () => {
  const eth0: Card = { name: 'eth0', address: '10.77.1.9', family: 4, prefix: 24, internal: false };
  let found: FoundServer[];
  let lost: PublicKey[];
  let registry: Registry;
  const host = '10.77.1.1';
  const at = (key: PublicKey, ...addresses: string[]) => ({ key, name: 'acme', addresses });

  beforeEach(() => {
    found = [];
    lost = [];
    registry = new Registry(
      { onFound: (server) => void found.push(server), onLost: ({ key }) => void lost.push(key) },
      () => [eth0],
    );
  });

  it('tells of a server once, and of its changes not too often', () => {
    const key = newKey();
    for (let i = 0; i < 5; i++) registry.sighted(at(key, '10.77.1.1:1'), host, i);
    assert.equal(found.length, 1);
    for (let i = 0; i < 100; i++)
      registry.sighted({ ...at(key, '10.77.1.1:1'), name: `name${i}` }, host, 10 + i);
    registry.tick(500);
    assert.equal(found.length, 1);
    registry.tick(1_000);
    assert.deepEqual(
      found.map(({ name }) => name),
      ['acme', 'name99'],
    );
    assert.deepEqual(registry.servers(), [found[1]]);
  });

  it('puts the addresses in our network first, whoever tells of them', () => {
    const key = newKey();
    registry.sighted(at(key, '172.16.0.1:1', '10.77.1.1:1'), host, 0);
    registry.sighted(at(key, '10.77.1.2:1'), '10.77.1.2', 1);
    registry.tick(2_000);
    assert.deepEqual(found.at(-1)?.addresses, ['10.77.1.1:1', '10.77.1.2:1', '172.16.0.1:1']);
  });

  it('believes addresses of the loopback only from this host', () => {
    const key = newKey();
    registry.sighted(at(key, '127.0.0.1:1'), host, 0);
    assert.equal(found.length, 0);
    registry.sighted(at(key, '127.0.0.1:1', '10.77.1.1:1'), host, 0);
    assert.deepEqual(found[0]?.addresses, ['10.77.1.1:1']);
    registry.sighted(at(newKey(), '127.0.0.1:1'), '127.0.0.1', 0);
    assert.deepEqual(found[1]?.addresses, ['127.0.0.1:1']);
  });

  it('loses a server that is not heard of, and finds it again', () => {
    const key = newKey();
    registry.sighted(at(key, '10.77.1.1:1'), host, 0);
    registry.tick(LOST_MS - 1);
    registry.sighted(at(key, '10.77.1.1:1'), host, LOST_MS - 1);
    registry.tick(LOST_MS + 1000);
    assert.deepEqual(lost, []);
    registry.tick(2 * LOST_MS);
    assert.deepEqual(lost, [key]);
    assert.deepEqual(registry.servers(), []);
    registry.sighted(at(key, '10.77.1.1:1'), host, 2 * LOST_MS);
    assert.equal(found.length, 2);
  });

  it('loses a server that says goodbye, unless it answers', () => {
    const [gone, forged] = [newKey(), newKey()];
    for (const key of [gone, forged]) {
      registry.sighted(at(key, '10.77.1.1:1'), host, 0);
      assert(registry.sighted(at(key), host, 10), 'worth asking after');
    }
    registry.sighted(at(forged, '10.77.1.1:1'), host, 20);
    registry.tick(1_500);
    assert.deepEqual(lost, [gone]);
    assert(!registry.sighted(at(newKey()), host, 10), 'nobody knows that one');
    assert(!registry.sighted(at(forged), '10.77.1.66', 2_000), 'not his to say');
  });

  it('keeps a bounded number of servers, also of one host, and of hosts that tell of one', () => {
    for (let i = 0; i < 100; i++) registry.sighted(at(newKey(), '10.77.1.1:1'), host, 0);
    assert.equal(registry.servers().length, 16);
    for (let i = 0; i < 1000; i++)
      registry.sighted(at(newKey(), '10.77.1.1:1'), `10.77.1.${i % 250}`, 0);
    assert.equal(registry.servers().length, 256);
    const key = registry.servers()[0]!.key;
    for (let i = 0; i < 200; i++) registry.sighted(at(key, `10.0.0.${i}:1`), `10.77.2.${i}`, 1);
    registry.tick(5_000);
    const { addresses } = registry.servers().find((server) => server.key === key)!;
    assert(addresses.length <= 8, `${addresses.length} addresses`);
  });
});

describe('discovery on this host', () => {
  // The loopback alone: nothing of these tests leaves the machine.
  const cards = () => listCards().filter(({ address }) => address === '127.0.0.1');

  it('finds, renames and loses a server', async () => {
    const key = newKey();
    const server = advertise({ key, name: 'acme', addresses: ['127.0.0.1:4000'], cards });
    const seen: string[] = [];
    let wake = (): void => undefined;
    const note = (what: string) => (one: FoundServer) => {
      if (one.key !== key) return;
      seen.push(`${what} ${one.name} ${one.addresses.join()}`);
      wake();
    };
    const next = () =>
      Promise.race([new Promise<void>((resolve) => (wake = resolve)), sleep(4_000)]);
    const browser = browse({ onFound: note('found'), onLost: note('lost'), cards });
    try {
      await next();
      server.update({ name: 'acme2', addresses: ['0.0.0.0:4001'] });
      await next();
      const left = next();
      await server.stop();
      await left;
      assert.deepEqual(seen, [
        'found acme 127.0.0.1:4000',
        'found acme2 127.0.0.1:4001',
        'lost acme2 127.0.0.1:4001',
      ]);
      assert.deepEqual(browser.state(), {
        interfaces: [{ name: 'lo', address: '127.0.0.1' }],
        heardOthers: false,
        errors: [],
      });
    } finally {
      await server.stop();
      await browser.stop();
    }
  });

  it('finds those who come later, and stops by signal', async () => {
    const abort = new AbortController();
    const found: PublicKey[] = [];
    const browser = browse({
      onFound: (one) => void found.push(one.key),
      onLost: () => undefined,
      cards,
      signal: abort.signal,
    });
    await sleep(50);
    const [first, second] = [newKey(), newKey()];
    const one = advertise({ key: first, name: 'one', addresses: ['127.0.0.1:1'], cards });
    await sleep(300);
    assert(found.includes(first));
    abort.abort();
    const two = advertise({ key: second, name: 'two', addresses: ['127.0.0.1:2'], cards });
    await sleep(300);
    assert(!found.includes(second));
    await Promise.all([one.stop(), two.stop(), browser.stop()]);
  });

  it('has nothing to say of a host without cards, or with other cards only', async () => {
    const none = browse({ onFound: () => undefined, onLost: () => undefined, cards: () => [] });
    assert.deepEqual(none.state(), { interfaces: [], heardOthers: false, errors: [] });
    await none.stop();
    const other = browse({
      onFound: () => undefined,
      onLost: () => undefined,
      cards,
      interfaces: ['eth77'],
    });
    assert.deepEqual(other.state().interfaces, []);
    await other.stop();
  });

  it('tells what is wrong with a card', async () => {
    const ghost: Card = {
      name: 'eth9',
      address: '192.0.2.9',
      family: 4,
      prefix: 24,
      internal: false,
    };
    const browser = browse({
      onFound: () => undefined,
      onLost: () => undefined,
      cards: () => [ghost],
    });
    await sleep(100);
    assert.match(browser.state().errors.join(), /eth9 \(192\.0\.2\.9\): /);
    await browser.stop();
  });

  it('refuses names and addresses that are none', () => {
    const make = (name: string, address: string) => () =>
      advertise({ key: newKey(), name, addresses: [address], cards: () => [] });
    assert.throws(make('a b', '127.0.0.1:1'), (error) => hasCode(error, 'BAD_NAME'));
    assert.throws(make('acme', '127.0.0.1'), (error) => hasCode(error, 'BAD_ADDRESS'));
  });
});

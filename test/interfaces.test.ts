import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import fc from 'fast-check';
import {
  expandEndpoint,
  formatEndpoint,
  isLoopback,
  isOnLink,
  isUnicast,
  isWildcard,
  listCards,
  nearestFirst,
  parseEndpoint,
  tryParseEndpoint,
  type Card,
} from '../lib/interfaces.ts';
import { hasCode } from '../lib/errors.ts';

const card = (address: string, prefix: number, name = 'eth0'): Card => ({
  name,
  address,
  family: address.includes(':') ? 6 : 4,
  prefix,
  internal: isLoopback(address),
});
const cards = [
  card('10.77.1.5', 24),
  card('192.168.0.7', 16, 'eth1'),
  card('2001:db8::5', 64),
  card('fe80::5', 64),
  card('127.0.0.1', 8, 'lo'),
  card('::1', 128, 'lo'),
];

describe('addresses', () => {
  it('are parsed with their port', () => {
    const parsed: [string, string, number][] = [
      ['127.0.0.1:49152', '127.0.0.1', 49152],
      ['0.0.0.0:1', '0.0.0.0', 1],
      ['localhost:65535', '127.0.0.1', 65535],
      ['[::1]:80', '::1', 80],
      ['[::]:80', '::', 80],
      ['[2001:DB8:0:0::5]:80', '2001:db8::5', 80],
    ];
    for (const [text, ip, port] of parsed)
      assert.deepEqual(parseEndpoint(text), { ip, port, family: ip.includes(':') ? 6 : 4 });
  });

  it('take a default port where they have none', () => {
    for (const text of ['10.0.0.1', 'localhost', '[::1]', '::1'])
      assert.equal(parseEndpoint(text, { port: 7 }).port, 7);
    assert.equal(parseEndpoint('10.0.0.1:8', { port: 7 }).port, 8);
    assert.throws(
      () => parseEndpoint('10.0.0.1'),
      (error) => hasCode(error, 'BAD_ADDRESS'),
    );
  });

  it('have port 0 for listening only', () => {
    assert.equal(parseEndpoint('10.0.0.1:0', { listen: true }).port, 0);
    assert.equal(tryParseEndpoint('10.0.0.1:0'), undefined);
  });

  it('are refused in any other form', () => {
    const wrong = ['', ':', ':1', '1.2.3:4', '1.2.3.4.5:6', '256.1.1.1:1', '01.2.3.4:5', 'host:1'];
    wrong.push('1.2.3.4:', '1.2.3.4:x', '1.2.3.4:-1', '1.2.3.4:65536', '1.2.3.4:1e3', '1.2.3.4: 5');
    wrong.push('[1.2.3.4]:5', '[::1:5', '::1]:5', '[::1]5', '[fe80::1%eth0]:5', '1.2.3.4:5:6');
    wrong.push('1.2.3.4:5\n', ' 1.2.3.4:5', '1.2.3.4:000080', 'LOCALHOST:1', '[::g]:1');
    for (const text of wrong) {
      assert.equal(tryParseEndpoint(text), undefined, JSON.stringify(text));
      assert.throws(
        () => parseEndpoint(text),
        (error) => hasCode(error, 'BAD_ADDRESS'),
      );
    }
  });

  it('are written as they are parsed, and nothing else is parsed', () => {
    const ip = fc.oneof(fc.ipV4(), fc.ipV6());
    fc.assert(
      fc.property(ip, fc.integer({ min: 1, max: 65535 }), (address, port) => {
        const text = formatEndpoint({ ip: address, port });
        const parsed = parseEndpoint(text);
        assert.equal(parsed.port, port);
        assert.notEqual(isIP(parsed.ip), 0);
        assert.deepEqual(parseEndpoint(formatEndpoint(parsed)), parsed);
      }),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        const parsed = tryParseEndpoint(text, { port: 1 });
        assert(parsed === undefined || isIP(parsed.ip) === parsed.family);
      }),
    );
  });

  it('are wildcards, loopback or unicast', () => {
    assert(isWildcard('0.0.0.0') && isWildcard('::') && !isWildcard('10.0.0.0'));
    assert(isLoopback('127.9.9.9') && isLoopback('::1') && !isLoopback('128.0.0.1'));
    for (const ip of ['10.0.0.1', '1.1.1.1', '223.255.255.255', '::1', 'fe80::1', '127.0.0.1'])
      assert(isUnicast(ip), ip);
    for (const ip of ['0.0.0.0', '0.1.2.3', '224.0.0.251', '255.255.255.255', '240.0.0.1', '::'])
      assert(!isUnicast(ip), ip);
    for (const ip of ['ff02::fb', 'nonsense', '']) assert(!isUnicast(ip), ip);
  });
});

describe('cards', () => {
  it('are listed, the loopback last', () => {
    const found = listCards();
    assert(found.some(({ address }) => address === '127.0.0.1'));
    const internal = found.map((each) => each.internal);
    assert.deepEqual(
      internal,
      [...internal].sort((a, b) => Number(a) - Number(b)),
    );
    for (const each of found) assert.equal(isIP(each.address), each.family);
  });

  it('stand in for a wildcard, without addresses that need a zone', () => {
    const expand = (text: string): string[] =>
      expandEndpoint(parseEndpoint(text), cards).map(formatEndpoint);
    assert.deepEqual(expand('0.0.0.0:5'), ['10.77.1.5:5', '192.168.0.7:5', '127.0.0.1:5']);
    assert.deepEqual(expand('[::]:5'), ['[2001:db8::5]:5', '[::1]:5']);
    assert.deepEqual(expand('8.8.8.8:5'), ['8.8.8.8:5']);
  });

  it('know who is in their network', () => {
    const on = (ip: string, prefix: number, other: string): boolean =>
      isOnLink(other, card(ip, prefix));
    assert(on('10.77.1.5', 24, '10.77.1.254') && !on('10.77.1.5', 24, '10.77.2.5'));
    assert(on('200.1.1.1', 8, '200.9.9.9') && !on('200.1.1.1', 8, '201.1.1.1'));
    assert(on('10.0.0.1', 32, '10.0.0.1') && !on('10.0.0.1', 32, '10.0.0.2'));
    assert(on('10.0.0.1', 0, '99.0.0.2'));
    assert(on('2001:db8::5', 64, '2001:db8::99') && !on('2001:db8::5', 64, '2001:db8:1::5'));
    assert(!on('10.0.0.1', 8, '::1') && !on('::1', 128, '10.0.0.1') && !on('10.0.0.1', 8, 'x'));
  });

  it('put the addresses of others in order', () => {
    const addresses = ['127.0.0.1:1', '8.8.8.8:1', '192.168.9.9:1', '[2001:db8::9]:1', 'x'];
    assert.deepEqual(nearestFirst(addresses, cards), [
      '192.168.9.9:1',
      '[2001:db8::9]:1',
      '8.8.8.8:1',
      'x',
      '127.0.0.1:1',
    ]);
  });
});

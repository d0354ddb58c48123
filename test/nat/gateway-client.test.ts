import assert from 'node:assert/strict';
import fc from 'fast-check';
import { hasCode } from '../../lib/errors.ts';
import type { Card } from '../../lib/interfaces.ts';
import { carrierNat, isPublicAddress, whyNotSpokenTo } from '../../lib/nat/gateway-client.ts';
import type { Route } from '../../lib/nat/route.ts';

const card = (address: string, prefix = 24, internal = false): Card => ({
  name: 'eth0',
  address,
  family: 4,
  prefix,
  internal,
});
const route = (gateway: string, own: string): Route => ({ gateway, own, card: 'eth0', family: 4 });

describe('addresses of gateways', () => {
  it('are public where the internet can send to them', () => {
    for (const ip of [
      '1.1.1.1',
      '11.0.0.2',
      '100.63.0.1',
      '100.128.0.1',
      '172.32.0.1',
      '198.20.0.1',
    ])
      assert(isPublicAddress(ip), ip);
    const reserved = ['0.0.0.0', '10.1.2.3', '100.64.0.1', '100.127.255.255', '127.0.0.1'];
    reserved.push('169.254.1.1', '172.16.0.1', '172.31.255.255', '192.0.0.1', '192.0.2.9');
    reserved.push('192.168.1.1', '198.18.0.1', '198.19.255.255', '198.51.100.1', '203.0.113.1');
    reserved.push('224.0.0.1', '240.0.0.1', '255.255.255.255', '', 'x', '::1', '1.1.1', '1.1.1.1 ');
    for (const ip of reserved) assert(!isPublicAddress(ip), ip);
    fc.assert(fc.property(fc.string(), (text) => typeof isPublicAddress(text) === 'boolean'));
  });

  it('are said of the carrier where they are not', () => {
    assert(hasCode(carrierNat(), 'CARRIER_NAT'));
    const error = carrierNat('100.64.1.2');
    assert(hasCode(error, 'CARRIER_NAT'));
    assert.deepEqual(error.data, { address: '100.64.1.2' });
    assert.match(error.message, /100\.64\.1\.2/);
  });
});

describe('a gateway', () => {
  it('is spoken to in a private range of the own link', () => {
    const good: [gateway: string, own: string, prefix?: number][] = [
      ['192.168.1.1', '192.168.1.7'],
      ['10.0.0.1', '10.9.9.9', 8],
      ['172.31.0.1', '172.31.200.1', 16],
      ['169.254.1.1', '169.254.3.3', 16],
      ['100.64.0.1', '100.100.1.1', 10],
    ];
    for (const [gateway, own, prefix] of good)
      assert.equal(whyNotSpokenTo(route(gateway, own), [card(own, prefix)]), undefined, gateway);
  });

  it('is not spoken to in a public range, on another link or without our card', () => {
    const bad: [gateway: string, own: string, cards: Card[], why: RegExp][] = [
      ['11.0.0.1', '11.0.0.2', [card('11.0.0.2')], /private range/],
      ['8.8.8.8', '192.168.1.7', [card('192.168.1.7', 0)], /private range/],
      ['127.0.0.1', '127.0.0.1', [card('127.0.0.1', 8, true)], /private range/],
      ['nonsense', '192.168.1.7', [card('192.168.1.7')], /private range/],
      ['192.168.2.1', '192.168.1.7', [card('192.168.1.7')], /network of this host/],
      ['192.168.1.1', '192.168.1.7', [], /network of this host/],
      ['192.168.1.1', '192.168.1.7', [card('192.168.1.8')], /network of this host/],
      ['192.168.1.1', '192.168.1.7', [card('192.168.1.7', 24, true)], /network of this host/],
    ];
    for (const [gateway, own, cards, why] of bad)
      assert.match(whyNotSpokenTo(route(gateway, own), cards) ?? '', why, gateway);
  });
});

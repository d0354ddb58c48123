import assert from 'node:assert/strict';
import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import fc from 'fast-check';
import { ipFromBytes, ipToBytes, networkOf } from '../lib/ip-bytes.ts';

const hex = (ip: string): string => Buffer.from(ipToBytes(ip)).toString('hex');

describe('the hosts that limits are for', () => {
  it('are addresses of IPv4 and networks of IPv6', () => {
    assert.equal(networkOf('192.168.1.20'), '192.168.1.20');
    assert.equal(networkOf('::ffff:192.168.1.20'), '192.168.1.20');
    assert.equal(networkOf('2a0e:c1a7:0:1::b'), networkOf('2a0e:c1a7:0:1:ffff::1'));
    assert.notEqual(networkOf('2a0e:c1a7:0:1::b'), networkOf('2a0e:c1a7:0:2::b'));
    assert.equal(networkOf('no address'), 'no address');
  });
});

describe('the bytes of an IP address', () => {
  it('are those of its parts', () => {
    assert.equal(hex('192.168.1.20'), 'c0a80114');
    assert.equal(hex('2a0e:c1a7:0:1::b'), '2a0ec1a700000001000000000000000b');
    assert.equal(hex('::'), '0'.repeat(32));
    assert.equal(hex('fe80::1%eth0'), `fe80${'0'.repeat(27)}1`);
    assert.equal(hex('::ffff:10.0.0.1'), `${'0'.repeat(20)}ffff0a000001`);
  });

  it('become it again', () => {
    fc.assert(
      fc.property(fc.ipV4(), (ip) => {
        assert.equal(ipFromBytes(ipToBytes(ip)), ip);
      }),
    );
    fc.assert(
      fc.property(fc.ipV6(), (ip) => {
        const usual = new SocketAddress({ address: ip, family: 'ipv6' }).address;
        assert.equal(ipFromBytes(ipToBytes(ip)), usual);
      }),
    );
  });

  it('are an address, whatever they are', () => {
    const bytes = (length: number): fc.Arbitrary<Uint8Array> =>
      fc.uint8Array({ minLength: length, maxLength: length });
    fc.assert(fc.property(bytes(4), (four) => assert.ok(isIPv4(ipFromBytes(four)))));
    fc.assert(
      fc.property(bytes(16), (sixteen) => {
        const ip = ipFromBytes(sixteen);
        assert.ok(isIPv6(ip), ip);
        assert.deepEqual(ipToBytes(ip), sixteen);
      }),
    );
  });
});

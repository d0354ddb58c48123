import assert from 'node:assert/strict';
import { formatEndpoint } from '../../../lib/interfaces.ts';
import { createLoopback } from '../../../lib/node/loopback.ts';
import {
  addressesToTry,
  askObserved,
  isObserved,
  scopeOf,
  tellObserved,
} from '../../../lib/node/relay/observed.ts';
import { OBSERVE, type Observation } from '../../../lib/node/relay/wire.ts';
import { encode } from '../../../lib/crdt/codec.ts';
import type { SigningKey } from '../../../lib/crdt/keys.ts';
import { anyKey, reach } from '../../support/channels.ts';
import { coded } from '../../support/peers.ts';
import { soon } from './stage.ts';

const [relay, here, there] = [anyKey(), anyKey(), anyKey()];
const observe = (address: string, of = there, by: SigningKey = relay): Observation => ({
  address,
  proof: by.sign('clchat observed address v1', encode([of.public, address])),
});

describe('as whom a peer is seen', () => {
  it('is told by who sees it, signed for that peer alone', async () => {
    const network = createLoopback();
    const observer = network.join(relay.public);
    observer.handle(OBSERVE, (channel) => tellObserved(channel, relay));
    const connection = await reach(network.join(here.public), observer);
    const seen = await askObserved(connection, soon());
    assert.equal(seen.address, here.public);
    assert(isObserved(relay.public, here.public, seen));
    assert(!isObserved(relay.public, there.public, seen));
    assert(!isObserved(there.public, here.public, seen));
    assert(!isObserved(relay.public, here.public, { ...seen, address: '1.2.3.4:5000' }));
  });

  it('is not believed of one who talks nonsense, nor waited for', async () => {
    const network = createLoopback();
    const observer = network.join(relay.public);
    const connection = await reach(network.join(here.public), observer);
    await assert.rejects(askObserved(connection, soon()), coded('VERSION'));
    observer.handle(OBSERVE, (channel) => {
      channel.onFrame(() => undefined);
      channel.send(Uint8Array.of(1, 2, 3));
    });
    await assert.rejects(askObserved(connection, soon()), coded('BAD_MESSAGE'));
    observer.handle(OBSERVE, (channel) => channel.onFrame(() => undefined));
    const late = { signal: AbortSignal.timeout(30) };
    await assert.rejects(askObserved(connection, late), coded('TIMEOUT'));
  });
});

describe('how far an address is good for', () => {
  it('is known of each kind', () => {
    for (const [scope, ...ips] of [
      ['loopback', '127.0.0.1', '127.9.9.9', '::1'],
      ['private', '10.1.2.3', '100.64.0.1', '172.31.0.1', '192.168.1.1', 'fd00::1'],
      ['global', '11.0.0.2', '8.8.8.8', '100.63.0.1', '172.32.0.1', '2a0e:c1a7::1'],
      [
        undefined,
        ...['0.0.0.0', '169.254.1.1', '198.51.100.1', '224.0.0.1', '255.255.255.255'],
        ...['::', 'fe80::1', 'ff02::1', '2001:db8::1', '::ffff:8.8.8.8', '::ffff:808:808'],
        ...['64:ff9b::1', 'nonsense', ''],
      ],
    ] as const)
      for (const ip of ips) assert.equal(scopeOf(ip), scope, ip);
  });
});

describe('what is tried of what the other side says', () => {
  const tried = (seen: readonly Observation[], ip = '11.0.0.10'): string[] =>
    addressesToTry(seen, there.public, { key: relay.public, ip }).map(formatEndpoint);

  it('is where the relay sees it', () => {
    const both = ['11.0.0.18:4000', '[2a0e:c1a7::5]:4000'];
    assert.deepEqual(tried(both.map((address) => observe(address))), both);
  });

  it('is nothing that the relay has not seen, or not of that peer', () => {
    const address = '11.0.0.18:4000';
    assert.deepEqual(tried([{ address, proof: new Uint8Array(64) }]), []);
    assert.deepEqual(tried([observe(address, here)]), []);
    assert.deepEqual(tried([observe(address, there, there)]), []);
    assert.deepEqual(tried([{ ...observe(address), address: '11.0.0.18:4001' }]), []);
  });

  it('is nothing that a lying relay points at inside of here, nor low ports', () => {
    for (const address of [
      ...['127.0.0.1:4000', '[::1]:4000', '192.168.1.1:4000', '10.0.0.1:4000', '0.0.0.0:4000'],
      ...['224.0.0.1:4000', '255.255.255.255:4000', '[ff02::1]:4000', '[fe80::1]:4000'],
      ...['11.0.0.18:22', '11.0.0.18:1023', '11.0.0.18:0', '[::ffff:127.0.0.1]:4000', 'x', ''],
    ])
      assert.deepEqual(tried([observe(address)]), [], address);
  });

  it('is on a private network or this host only where the relay is there, too', () => {
    const [local, inner] = [observe('127.0.0.1:4000'), observe('10.0.0.9:4000')];
    assert.deepEqual(tried([local], '127.0.0.1'), ['127.0.0.1:4000']);
    assert.deepEqual(tried([inner], '10.9.9.9'), ['10.0.0.9:4000']);
    assert.deepEqual(tried([inner], '127.0.0.1'), []);
  });

  it('is each address once', () => {
    const same = observe('11.0.0.2:6000');
    assert.deepEqual(tried([same, same]), ['11.0.0.2:6000']);
  });
});

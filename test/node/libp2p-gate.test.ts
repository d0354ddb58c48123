/** The gate by itself; strangers at a real port are in libp2p-attacks.test.ts. */
import assert from 'node:assert/strict';
import type { MultiaddrConnection } from '@libp2p/interface';
import { multiaddrConnectionPair } from '@libp2p/utils';
import { multiaddr } from '@multiformats/multiaddr';
import { hasCode } from '../../lib/errors.ts';
import { Gate } from '../../lib/node/libp2p-gate.ts';
import { eventually, turns } from '../support/channels.ts';

let ports = 1;

interface Visit {
  /** The end at the gate. */
  readonly near: MultiaddrConnection;
  readonly far: MultiaddrConnection;
  /** Whether the near end is closed, and with what it was dropped. */
  hasLeft: boolean;
  dropped: Error | undefined;
  /** Bytes that were handed on at the near end. */
  heard: number;
}

/** Somebody connects from an address. */
function visit(host = '10.0.0.1'): Visit {
  const remoteAddr = multiaddr(
    `/${host.includes(':') ? 'ip6' : 'ip4'}/${host}/tcp/${(ports += 1)}`,
  );
  const [far, near] = multiaddrConnectionPair({ inbound: { remoteAddr }, delay: 0 });
  const guest: Visit = { near, far, hasLeft: false, dropped: undefined, heard: 0 };
  near.addEventListener('close', ({ error }) => {
    guest.hasLeft = true;
    guest.dropped = error;
  });
  near.addEventListener('message', ({ data }) => (guest.heard += data.byteLength));
  return guest;
}

describe('a gate', () => {
  let gate: Gate;
  const limits = { pending: 4, inbound: 6, inboundPerHost: 3 };
  beforeEach(() => (gate = new Gate(limits)));

  /** Somebody comes in, without having finished the handshake. */
  function knock(host?: string): Visit | undefined {
    const guest = visit(host);
    return gate.denyInboundConnection(guest.near) ? undefined : guest;
  }
  /** Somebody finishes it. @returns whether that one is in */
  const enter = ({ near }: Visit): boolean => !gate.denyInboundUpgradedConnection({}, near);
  function come(host?: string): Visit | undefined {
    const guest = knock(host);
    return guest !== undefined && enter(guest) ? guest : undefined;
  }
  const leaves = (guest: Visit | undefined): Promise<void> =>
    eventually('leaving', () => guest?.hasLeft === true);
  const admit = (host?: string): Visit => come(host) ?? assert.fail('not let in');

  it('takes what was begun from here, where the other side is to speak first', () => {
    const { near, far } = visit();
    assert.equal(gate.denyInboundUpgradedConnection({}, far), false);
    assert.equal(gate.denyInboundUpgradedConnection({}, near), true);
  });

  it('lets in from one address only so many, and others beside them', () => {
    for (let i = 0; i < 3; i++) admit();
    assert.equal(come(), undefined);
    admit('10.0.0.2');
    admit('2001:db8::1');
  });

  it('takes a network of IPv6 for one host', () => {
    for (let i = 0; i < 3; i++) admit(`2001:db8:0:1::${i + 1}`);
    assert.equal(come('2001:db8:0:1:ffff::1'), undefined);
    admit('2001:db8:0:2::1');
  });

  it('lets in only so many in all', () => {
    for (let i = 0; i < 6; i++) admit(`10.0.0.${i}`);
    assert.equal(come('10.0.0.99'), undefined);
  });

  it('has room again for everyone who leaves', async () => {
    const guests = [1, 2, 3].map(() => admit());
    await guests[1]?.near.close();
    await leaves(guests[1]);
    admit();
    assert.equal(come(), undefined);
    guests[0]?.far.abort(new Error('cut'));
    await leaves(guests[0]);
    admit();
  });

  it('drops the oldest half-open one of the address that has most of them', async () => {
    const [first, busy, second, last] = [
      knock('10.0.0.1'),
      knock('10.0.0.2'),
      knock('10.0.0.2'),
      knock('10.0.0.3'),
    ];
    const newest = knock('10.0.0.9');
    await leaves(busy);
    assert.ok(hasCode(busy?.dropped, 'RATE_LIMITED'));
    for (const kept of [first, second, last, newest]) assert.equal(kept?.dropped, undefined);
    for (const kept of [first, second, last, newest]) assert.ok(enter(kept!));
  });

  it('keeps those who are in whoever knocks, and lets nobody in who was dropped', async () => {
    const inside = admit('10.0.0.1');
    const early = knock('10.0.0.1')!;
    for (let i = 0; i < 50; i++) assert.ok(knock('10.0.0.7'), 'the newest gets its chance');
    await turns();
    assert.equal(inside.dropped, undefined);
    assert.equal(early.dropped, undefined, 'others of a busy address go first');
    assert.ok(enter(early));
    const dropped = knock('10.0.0.7')!;
    for (let i = 0; i < 4; i++) knock('10.0.0.7');
    assert.equal(enter(dropped), false);
    assert.equal(enter(visit()), false, 'who never came in cannot be established');
  });

  it('counts nobody twice who is half-open and then in', () => {
    for (let i = 0; i < 6; i++) admit(`10.0.0.${i}`);
    gate = new Gate({ ...limits, pending: 1 });
    // The one place for half-open ones is free again each time.
    const guests = [1, 2, 3].map(() => admit());
    assert.ok(guests.every(({ dropped }) => dropped === undefined));
  });

  it('lets nobody in once it is shut, and keeps who is in', async () => {
    const inside = admit();
    gate.shut();
    assert.equal(knock('10.0.0.8'), undefined);
    await turns();
    assert.equal(inside.dropped, undefined);
  });

  it('takes peers with keys of the one kind only, in both directions', () => {
    assert.equal(gate.denyInboundEncryptedConnection({ type: 'Ed25519' }), false);
    assert.equal(gate.denyOutboundEncryptedConnection({ type: 'Ed25519' }), false);
    for (const type of ['RSA', 'secp256k1', 'ed25519', '']) {
      assert.equal(gate.denyInboundEncryptedConnection({ type }), true, type);
      assert.equal(gate.denyOutboundEncryptedConnection({ type }), true, type);
    }
  });

  describe('in the handshake', () => {
    const send = ({ far }: Visit, bytes: number, times = 1): void => {
      for (let i = 0; i < times; i++) far.send(new Uint8Array(bytes));
    };
    const hears = (guest: Visit, bytes: number): Promise<void> =>
      eventually(`${bytes} bytes`, () => guest.heard >= bytes || guest.hasLeft);

    it('hears out who says no more than an honest peer might', async () => {
      const guest = knock()!;
      send(guest, 1024, 16);
      await hears(guest, 16 * 1024);
      await turns();
      assert.equal(guest.dropped, undefined);
      assert.equal(guest.heard, 16 * 1024);
    });

    it('hangs up on who says more, in one piece or in many', async () => {
      const [one, many] = [knock()!, knock()!];
      send(one, 16 * 1024 + 1);
      send(many, 1024, 17);
      await Promise.all([leaves(one), leaves(many)]);
      for (const { dropped, heard } of [one, many]) {
        assert.ok(hasCode(dropped, 'BAD_MESSAGE'));
        assert.ok(heard <= 16 * 1024, `${heard} bytes`);
      }
    });

    it('counts no longer once it is over', async () => {
      const guest = knock()!;
      send(guest, 10_000);
      await hears(guest, 10_000);
      assert.ok(enter(guest));
      send(guest, 10_000, 20);
      await hears(guest, 210_000);
      assert.equal(guest.dropped, undefined);
      assert.equal(guest.heard, 210_000);
    });
  });
});

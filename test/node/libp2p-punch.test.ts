/** How both sides go about it; that routers let them through is shown on the internet of test/wan. */
import assert from 'node:assert/strict';
import type { Connection as LibConnection } from '@libp2p/interface';
import { encode } from '../../lib/crdt/codec.ts';
import type { SigningKey } from '../../lib/crdt/keys.ts';
import { ClchatError, hasCode } from '../../lib/errors.ts';
import { formatEndpoint, tryParseEndpoint } from '../../lib/interfaces.ts';
import { sleep } from '../../lib/lifecycle.ts';
import type { Channel } from '../../lib/node/channel.ts';
import type { Dialer, PeerConnection } from '../../lib/node/libp2p-connection.ts';
import { Puncher } from '../../lib/node/libp2p-punch.ts';
import type { Observation } from '../../lib/node/relay/wire.ts';
import { anyKey, ended, openChannel } from '../support/channels.ts';
import { cleanUpAll, coded, ECHO, soon, start } from '../support/peers.ts';

const relay = anyKey();
const RELAY_ADDRESS = '11.0.0.10:4000';

const observe = (address: string, of: SigningKey): Observation => ({
  address,
  proof: relay.sign('clchat observed address v1', encode([of.public, address])),
});

interface Dialled {
  readonly to: string;
  readonly from: number | undefined;
  readonly initiator: boolean | undefined;
}

/** One side, whose packets go nowhere: what would come of them is decided here. */
class Side {
  readonly key = anyKey();
  readonly ip: string;
  readonly dialled: Dialled[] = [];
  readonly aborted: unknown[] = [];
  readonly puncher: Puncher;
  /** Who answers, at the next try. */
  answers: () => Promise<SigningKey> = () => Promise.reject(new Error('ECONNREFUSED'));

  constructor(ip: string, tryMs = 1_000) {
    this.ip = ip;
    const dialer: Dialer = {
      answerMs: 1_000,
      handshakeMs: 1_000,
      dial: async (address, { localPort, initiator }) => {
        const [host, port] = address.getComponents();
        const to = formatEndpoint({ ip: host!.value!, port: Number(port!.value) });
        if (to === RELAY_ADDRESS) return this.#relay(localPort!);
        this.dialled.push({ to, from: localPort, initiator });
        return this.#peer((await this.answers()).public);
      },
      adopt: (connection) => connection as unknown as PeerConnection,
    };
    this.puncher = new Puncher({ dialer, tryMs });
  }

  /** The relayed connection, as this side sees it. @param open makes its end of a channel */
  relayed(remote: SigningKey, open?: () => Promise<Channel>): PeerConnection {
    const via = { addresses: [RELAY_ADDRESS], key: relay.public };
    return { remote: remote.public, relay: via, open } as unknown as PeerConnection;
  }

  /** Sees this side at its address, with the port that it has taken. */
  #relay(port: number): LibConnection {
    const open = async (): Promise<Channel> => {
      const { near, far } = await openChannel();
      far.onFrame(() => undefined);
      far.send(encode(observe(`${this.ip}:${port}`, this.key)));
      return near;
    };
    return this.#peer(relay.public, open);
  }

  #peer(remote: string, open?: () => Promise<Channel>): LibConnection {
    const abort = (error: unknown): unknown => this.aborted.push(error);
    return { remote, path: 'direct', open, abort } as unknown as LibConnection;
  }
}

/** Both ends of the channel that the two sides talk over, each with the key of the other. */
async function talk(
  asker: Side,
  served: Side,
): Promise<{ readonly open: () => Promise<Channel>; readonly far: Channel }> {
  const { near, far } = await openChannel();
  const as = (channel: Channel, key: SigningKey): Channel =>
    Object.defineProperty(channel, 'remote', { value: key.public });
  return { open: async () => as(near, served.key), far: as(far, asker.key) };
}

const portOf = (side: Side): number => side.dialled[0]!.from!;

describe('punching a hole', () => {
  afterEach(cleanUpAll);

  it('connects both sides from the port that the relay has seen, one to speak first', async () => {
    const [asker, served] = [new Side('11.0.0.2'), new Side('11.0.0.18')];
    asker.answers = () => Promise.resolve(served.key);
    served.answers = () => Promise.resolve(asker.key);
    const { open, far } = await talk(asker, served);
    served.puncher.serve(far, served.relayed(asker.key));
    const found = await asker.puncher.punch(asker.relayed(served.key, open), soon().signal);
    assert.equal(found.path, 'punched');
    assert.equal(found.remote, served.key.public);
    await ended(far);
    assert.deepEqual(asker.dialled, [
      { to: `11.0.0.18:${portOf(served)}`, from: portOf(asker), initiator: true },
    ]);
    assert.deepEqual(served.dialled, [
      { to: `11.0.0.2:${portOf(asker)}`, from: portOf(served), initiator: false },
    ]);
    // The connections to the relay are not kept.
    assert.equal(asker.aborted.length, 1);
  });

  it('goes on trying in rounds, and not for ever', async () => {
    const [asker, served] = [new Side('11.0.0.2', 450), new Side('11.0.0.18', 450)];
    const { open, far } = await talk(asker, served);
    served.puncher.serve(far, served.relayed(asker.key));
    const before = performance.now();
    await assert.rejects(
      asker.puncher.punch(asker.relayed(served.key, open), soon().signal),
      coded('NETWORK'),
    );
    assert(performance.now() - before < 3_000);
    const tries = asker.dialled.length;
    const rounds = tries / 25;
    assert(Number.isInteger(rounds) && rounds >= 2 && rounds <= 6, `${tries} tries`);
    await sleep(250);
    assert.equal(asker.dialled.length, tries);
  });

  it('takes nobody but the peer', async () => {
    const [asker, served] = [new Side('11.0.0.2'), new Side('11.0.0.18')];
    asker.answers = () => Promise.resolve(anyKey());
    const { open, far } = await talk(asker, served);
    served.puncher.serve(far, served.relayed(asker.key));
    const punched = asker.puncher.punch(asker.relayed(served.key, open), soon().signal);
    await assert.rejects(punched, coded('NETWORK'));
    assert.equal(asker.dialled.length, 1);
    assert(asker.aborted.length >= 2);
  });

  it('sends nothing to where the relay has not seen the other side', async () => {
    const lies: readonly ((side: Side) => Observation)[] = [
      () => ({ address: '11.0.0.99:8080', proof: new Uint8Array(64) }),
      (side) => ({ ...observe('11.0.0.2:5000', side.key), address: '11.0.0.99:8080' }),
      () => observe('11.0.0.99:8080', anyKey()),
      (side) => observe('127.0.0.1:8080', side.key),
      (side) => observe('192.168.1.1:8080', side.key),
      (side) => observe('224.0.0.1:8080', side.key),
      (side) => observe('11.0.0.99:25', side.key),
    ];
    for (const lie of lies) {
      const [liar, served] = [new Side('11.0.0.2'), new Side('11.0.0.18')];
      const { open, far } = await talk(liar, served);
      served.puncher.serve(far, served.relayed(liar.key));
      const channel = await open();
      channel.onFrame(() => undefined);
      const over = ended(channel);
      for (const message of [{ type: 'begin' }, { type: 'at', seen: [lie(liar)] }, { type: 'go' }])
        channel.send(encode(message));
      assert(hasCode(await over, 'CLOSED'));
      assert.deepEqual(served.dialled, []);
    }
  });

  it('does not wait for a side that is silent or talks nonsense', async () => {
    const asker = new Side('11.0.0.2');
    const { near, far } = await openChannel();
    far.onFrame(() => undefined);
    const late = AbortSignal.timeout(50);
    await assert.rejects(
      asker.puncher.punch(
        asker.relayed(anyKey(), async () => near),
        late,
      ),
      coded('TIMEOUT'),
    );
    await ended(far);
    for (const answer of [Uint8Array.of(1), encode({ type: 'go' }), encode({ type: 'begin' })]) {
      const other = await openChannel();
      other.far.onFrame(() => other.far.send(answer));
      const peer = asker.relayed(anyKey(), async () => other.near);
      await assert.rejects(asker.puncher.punch(peer, soon().signal), coded('BAD_MESSAGE'));
    }
    assert.deepEqual(asker.dialled, []);
  });

  it('is for relayed connections, once for each, and for few at the same time', async () => {
    const [served, asker] = [new Side('11.0.0.18'), new Side('11.0.0.2')];
    const end = async (peer: PeerConnection): Promise<[Channel, Promise<Error | undefined>]> => {
      const { near, far } = await openChannel();
      near.onFrame(() => undefined);
      const over = ended(far);
      served.puncher.serve(far, peer);
      return [near, over];
    };
    const straight = { remote: asker.key.public } as unknown as PeerConnection;
    assert(hasCode(await (await end(straight))[1], 'NOT_SUPPORTED'));
    const once = served.relayed(asker.key);
    const [first] = await end(once);
    assert(hasCode(await (await end(once))[1], 'RATE_LIMITED'));
    for (let i = 1; i < 8; i++) {
      const [near] = await end(served.relayed(asker.key));
      assert.equal(near.ended, false);
    }
    assert(hasCode(await (await end(served.relayed(asker.key)))[1], 'RATE_LIMITED'));
    first.abort(new ClchatError('CLOSED'));
    await sleep(10);
    const [, next] = await end(served.relayed(asker.key));
    assert.equal(await Promise.race([next.then(() => 'ended'), sleep(20)]), undefined);
  });

  it('leaves a connection relayed where it is not possible', async () => {
    // On one host nothing that is refused is ever on its way at the same moment.
    const limits = { punchMs: 300, directMs: 100 };
    const hub = await start({ listen: ['127.0.0.1:0'], limits });
    hub.serveRelay();
    const target = await start({ limits });
    target.handle(ECHO, (channel) => channel.onFrame((frame) => channel.send(frame)));
    const via = [{ addresses: hub.addresses(), key: hub.key }];
    await target.reserve(via[0]!, soon());
    const asker = await start({ limits });
    const connection = await asker.connect({ addresses: [], key: target.key, via }, soon());
    assert.equal(connection.remote, target.key);
    assert(connection.path === 'relayed' || connection.path === 'punched');
    // Nor is it tried again at once.
    const before = performance.now();
    await asker.connect({ addresses: [], key: target.key, via }, soon());
    if (connection.path === 'relayed') assert(performance.now() - before < limits.punchMs);
    const channel = await connection.open(ECHO, soon());
    const echoed = new Promise((resolve) => channel.onFrame(resolve));
    channel.send(Uint8Array.of(3));
    assert.deepEqual(await echoed, Uint8Array.of(3));
    assert.notEqual(tryParseEndpoint(connection.address), undefined);
  });
});

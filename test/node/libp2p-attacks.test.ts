import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import fc from 'fast-check';
import type { Connection as LibConnection, Stream } from '@libp2p/interface';
import { collect } from '../support/transport-contract.ts';
import { MAX_FRAME, type Transport } from '../../lib/node/channel.ts';
import { peerIdOf } from '../../lib/node/peer-id.ts';
import { ClchatError, hasCode } from '../../lib/errors.ts';
import { sleep, within } from '../../lib/lifecycle.ts';
import {
  attackingMuxer,
  dial,
  foreignPeer,
  whenStreamEnds,
  yamuxHeader,
  type ForeignPeer,
} from '../support/foreign-peer.ts';
import {
  assertServes,
  cleanUp,
  cleanUpAll,
  coded,
  ECHO,
  gone,
  portOf,
  serve,
  soon,
  start,
  startServer,
  stranger,
  UPGRADE,
} from '../support/peers.ts';

describe('libp2p under attack', () => {
  afterEach(cleanUpAll);

  describe('strangers on the port', () => {
    const openings: [string, string | Buffer][] = [
      ['HTTP', 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'],
      ['TLS', Buffer.from('16030100c8010000c40303', 'hex').toString('latin1') + 'x'.repeat(200)],
      ['random bytes', randomBytes(100_000)],
      ['a wrong protocol', '\x13/multistream/1.0.0\n\x09/plain/1\n'.repeat(50)],
      ['a length without end', Buffer.alloc(1000, 0xff)],
      [
        'a handshake of noise',
        Buffer.concat([
          Buffer.from('\x13/multistream/1.0.0\n\x07/noise\n'),
          Buffer.from([0xff, 0xff]),
          randomBytes(70_000),
        ]),
      ],
    ];
    for (const [what, opening] of openings)
      it(`hangs up on ${what}, and goes on serving`, async () => {
        const server = await startServer({ limits: { handshakeMs: 500 } });
        const socket = await stranger(portOf(server.addresses()[0]));
        socket.resume();
        socket.write(opening);
        await gone(socket);
        await assertServes(server);
      });

    it('hangs up at once on those who say much before they have said who they are', async () => {
      for (const suffix of ['', '/ws']) {
        const server = await startServer();
        const addresses = suffix === '' ? server.addresses() : server.webSocketAddresses();
        const socket = (await stranger(portOf(addresses[0]))).resume();
        if (suffix === '/ws') socket.write(UPGRADE);
        // An honest length that never comes to its end, so that it would all be kept.
        const endless = Buffer.alloc(20_000, 0xff);
        const header = Buffer.from([0x82, 0xfe, endless.length >> 8, endless.length & 0xff]);
        const mask = Buffer.alloc(4);
        socket.write(suffix === '' ? endless : Buffer.concat([header, mask, endless]));
        const before = performance.now();
        await gone(socket);
        assert(performance.now() - before < 2_000);
      }
    });

    it('hangs up on those who say nothing, or say it slowly', async () => {
      const server = await startServer({ limits: { handshakeMs: 300 } });
      const silent = await stranger(portOf(server.addresses()[0]));
      const slow = await stranger(portOf(server.addresses()[0]));
      const drip = setInterval(() => slow.write('\x01'), 50);
      cleanUp(() => clearInterval(drip));
      await Promise.all([silent, slow].map((socket) => gone(socket.resume())));
    });

    it('lets newcomers in beside a thousand half-open connections', async () => {
      const server = await startServer();
      const sockets = await Promise.all(
        Array.from({ length: 1000 }, async (_, i) => {
          const socket = await stranger(portOf(server.addresses()[0]));
          if (i % 2 === 0) socket.write('\x13/multistream/1.0.0\n');
          return socket;
        }),
      );
      assert.equal(sockets.length, 1000);
      const before = performance.now();
      await assertServes(server);
      assert(performance.now() - before < 3_000);
    });

    it('keeps the number of half-open connections bounded, dropping the oldest', async () => {
      const server = await startServer({ limits: { pending: 10 } });
      const sockets: Socket[] = [];
      for (let i = 0; i < 25; i++)
        sockets.push((await stranger(portOf(server.addresses()[0]))).resume());
      await Promise.all(sockets.slice(0, 15).map(gone));
      assert(sockets.slice(15).every((socket) => !socket.destroyed));
      await assertServes(server);
    });

    it('bounds the connections of one host', async () => {
      const server = await startServer({ limits: { inboundPerHost: 3 } });
      const client = await start();
      const target = { addresses: server.addresses() };
      const connections = [];
      for (let i = 0; i < 3; i++) connections.push(await client.connect(target, soon()));
      await assert.rejects(client.connect(target, soon()), coded('NETWORK'));
      await connections[0]!.close();
      await sleep(50);
      await client.connect(target, soon());
    });

    it('ends connections that never open a channel', async () => {
      const server = await startServer({ limits: { idleMs: 200 } });
      const client = await start();
      const target = { addresses: server.addresses() };
      const [idle, used] = [
        await client.connect(target, soon()),
        await client.connect(target, soon()),
      ];
      const channel = await used.open(ECHO, soon());
      await within(3_000, new Promise<void>((resolve) => idle.onEnd(resolve)), 'the end');
      channel.send(Uint8Array.of(1));
      await collect(channel, 1);
    });
  });

  describe('peers that misbehave', () => {
    let server: Transport;
    let peer: ForeignPeer;
    const ended: (Error | undefined)[] = [];

    beforeEach(async () => {
      ended.length = 0;
      server = await startServer({ limits: { heldBytes: 4 << 20 } });
      server.handle(ECHO, (channel) => {
        channel.onFrame((frame) => channel.send(frame));
        channel.onEnd((error) => void ended.push(error));
      });
      peer = await foreignPeer();
    });
    afterEach(() => peer.stop());

    const open = async (connection?: LibConnection): Promise<Stream> =>
      (connection ?? (await dial(peer, server.addresses()[0]!))).newStream(ECHO);

    it('may speak our framing', async () => {
      const stream = await open();
      const answer = once(stream as unknown as EventTarget, 'message');
      stream.send(Uint8Array.of(0, 0, 0, 2, 7, 8));
      const [{ data }] = (await answer) as [{ data: { slice(): Uint8Array } }];
      assert.deepEqual([...data.slice()], [0, 0, 0, 2, 7, 8]);
    });

    it('lose the channel, and no more, over a frame that is too long', async () => {
      const connection = await dial(peer, server.addresses()[0]!);
      const stream = await open(connection);
      const over = whenStreamEnds(stream);
      stream.send(Uint8Array.of(0x7f, 0xff, 0xff, 0xff, 1, 2, 3));
      assert.equal(await over, 'reset');
      assert(hasCode(ended[0], 'BAD_MESSAGE'));
      assert.equal((await open(connection)).status, 'open');
    });

    it('are told from those who end in order when they end within a frame', async () => {
      const stream = await open();
      stream.send(Uint8Array.of(0, 0, 0, 5, 1));
      await stream.close();
      await whenStreamEnds(stream);
      assert(hasCode(ended[0], 'BAD_MESSAGE'));
    });

    it('cannot fill the memory with unfinished frames', async () => {
      const connection = await dial(peer, server.addresses()[0]!);
      const unfinished = Buffer.alloc(1_000_000);
      unfinished.writeUInt32BE(MAX_FRAME);
      const streams = await Promise.all(Array.from({ length: 8 }, () => open(connection)));
      for (const stream of streams) stream.send(unfinished);
      await within(5_000, Promise.any(streams.map(whenStreamEnds)), 'an end');
      await sleep(100);
      const left = streams.filter((stream) => stream.status === 'open').length;
      assert(left <= 4, `${left} unfinished frames are kept`);
      await assertServes(server);
    });

    it('get a bounded number of channels', async () => {
      const connection = await dial(peer, server.addresses()[0]!);
      // One too many is reset, which may be before its opening is through.
      const opened = await Promise.allSettled(Array.from({ length: 12 }, () => open(connection)));
      const streams = opened.flatMap((result) =>
        result.status === 'fulfilled' ? [result.value] : [],
      );
      await sleep(100);
      assert.equal(streams.filter((stream) => stream.status === 'open').length, 8);
    });

    it('may ask who this is, and ping', async () => {
      const connection = await dial(peer, server.addresses()[0]!);
      const identity = await peer.services.identify.identify(connection);
      assert.equal(identity.peerId.toString(), peerIdOf(server.key));
      assert(identity.protocols.includes(ECHO));
      assert((await peer.services.ping.ping(connection.remotePeer)) < 5_000);
    });

    const attacks: [string, (send: (bytes: Uint8Array) => boolean) => void][] = [
      [
        'a frame longer than the window',
        (send) => send(Buffer.concat([yamuxHeader(0, 1, 1, 0xffff_fff0), Buffer.alloc(1000)])),
      ],
      [
        'pings without end',
        (send) => send(Buffer.concat(Array.from({ length: 2000 }, () => yamuxHeader(2, 1, 0, 7)))),
      ],
      [
        'streams without end',
        (send) =>
          send(
            Buffer.concat(
              Array.from({ length: 2000 }, (_, i) =>
                Buffer.concat([yamuxHeader(1, 1, 2 * i + 1, 0), yamuxHeader(1, 8, 2 * i + 1, 0)]),
              ),
            ),
          ),
      ],
      [
        'much before the protocol of a stream is agreed upon',
        (send) => {
          send(yamuxHeader(1, 1, 1, 0));
          for (let i = 0; i < 40; i++)
            send(Buffer.concat([yamuxHeader(0, 0, 1, 1000), Buffer.alloc(1000, 0xff)]));
        },
      ],
      ['what is no frame', (send) => send(Buffer.alloc(5000, 0xee))],
    ];
    for (const [what, attack] of attacks)
      it(`are cut off when they send ${what}`, async () => {
        const attacker = await foreignPeer(attackingMuxer(attack));
        try {
          const connection = await dial(attacker, server.addresses()[0]!);
          await within(
            5_000,
            new Promise<void>((resolve) => {
              if (connection.status !== 'open') resolve();
              connection.addEventListener('close', () => resolve());
            }),
            'being cut off',
          );
        } finally {
          await attacker.stop();
        }
        await assertServes(server);
      });
  });

  describe('chaos', () => {
    /** A wire that does to bytes what `spoil` does. */
    function spoiltWire(port: number, spoil: (bytes: Buffer, hangUp: () => void) => Buffer[]) {
      return serve(
        createServer((near) => {
          const far = connect(port, '127.0.0.1').on('error', () => undefined);
          const hangUp = (): void => {
            near.destroy();
            far.destroy();
          };
          cleanUp(hangUp);
          const carry = (from: Socket, to: Socket): void => {
            from.on('data', (bytes) => {
              for (const part of spoil(bytes, hangUp)) if (!to.destroyed) to.write(part);
            });
            from.on('close', () => to.destroy());
          };
          carry(near, far);
          carry(far, near);
        }),
      );
    }

    it('is survived when a wire corrupts, drops, repeats and cuts at any point', async function () {
      this.timeout(30_000);
      const server = await startServer({ limits: { handshakeMs: 300 } });
      const seed = randomBytes(4).readUInt32BE();
      let state = seed;
      const random = (below: number): number => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return Math.floor((state / 2 ** 32) * below);
      };
      const address = await spoiltWire(portOf(server.addresses()[0]), (bytes, hangUp) => {
        const at = random(bytes.length);
        switch (random(60)) {
          case 0:
            bytes[at] = random(256);
            return [bytes];
          case 1:
            return [bytes.subarray(0, at)];
          case 2:
            return [bytes, bytes];
          case 3:
            setImmediate(hangUp);
            return [bytes.subarray(0, at)];
          default:
            return [bytes.subarray(0, at), bytes.subarray(at)];
        }
      });
      const client = await start({ limits: { dialMs: 300, handshakeMs: 300 } });
      let carried = 0;
      await Promise.all(
        Array.from({ length: 8 }, async () => {
          for (let round = 0; round < 12; round++) {
            const signal = AbortSignal.timeout(1_000);
            try {
              const connection = await client.connect({ addresses: [address] }, { signal });
              const channel = await connection.open(ECHO, { signal });
              for (let i = 0; i < 30; i++) channel.send(randomBytes(random(3_000)));
              await Promise.race([collect(channel, 30).then(() => carried++), sleep(200)]).catch(
                () => undefined,
              );
              connection.abort(new ClchatError('CLOSED'));
            } catch (error) {
              assert(error instanceof ClchatError, `seed ${seed}: ${String(error)}`);
            }
          }
        }),
      );
      assert(carried > 0, `seed ${seed}: nothing came through`);
      await assertServes(server);
    });

    it('is survived when a peer sends any frames in any order', async function () {
      this.timeout(30_000);
      const server = await startServer();
      const frame = fc.record({
        type: fc.integer({ min: 0, max: 4 }),
        flags: fc.constantFrom(0, 1, 2, 4, 8, 3, 5, 12, 0xffff),
        stream: fc.constantFrom(0, 1, 2, 3, 5, 7, 0xffff_ffff),
        length: fc.constantFrom(0, 1, 20, 300, 262_144, 0xffff_ffff),
        payload: fc.oneof(
          fc.uint8Array({ maxLength: 50 }),
          fc.constant(Buffer.from(`\x13/multistream/1.0.0\n\x14${ECHO}\n`)),
          fc.constant(Buffer.from('\x13/multistream/1.0.0\n\x0f/ipfs/id/1.0.0\n')),
        ),
        honest: fc.boolean(),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(frame, { minLength: 1, maxLength: 80 }), async (frames) => {
          const attacker = await foreignPeer(
            attackingMuxer((send) => {
              for (const { type, flags, stream, length, payload, honest } of frames) {
                const size = honest && type === 0 ? payload.length : length;
                if (!send(Buffer.concat([yamuxHeader(type, flags, stream, size), payload]))) break;
              }
            }),
          );
          try {
            await dial(attacker, server.addresses()[0]!);
            await sleep(10);
          } finally {
            await attacker.stop();
          }
        }),
        { numRuns: 40 },
      );
      await assertServes(server);
    });
  });
});

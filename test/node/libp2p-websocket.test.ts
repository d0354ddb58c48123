import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { Libp2pTransport } from '../../lib/node/libp2p.ts';
import { peerIdOf } from '../../lib/node/peer-id.ts';
import { within } from '../../lib/lifecycle.ts';
import { dial, foreignPeer } from '../support/foreign-peer.ts';
import {
  assertServes,
  cleanUpAll,
  coded,
  ECHO,
  gone,
  portOf,
  start,
  startServer,
  stranger,
  UPGRADE,
} from '../support/peers.ts';

describe('libp2p: WebSockets', () => {
  afterEach(cleanUpAll);

  let server: Libp2pTransport;
  let port: number;

  beforeEach(async () => {
    server = await startServer({ limits: { handshakeMs: 500 } });
    port = portOf(server.webSocketAddresses()[0]);
  });

  it('are listened for on the next free port, or the given one', async () => {
    assert(port > portOf(server.addresses()[0]) && port <= portOf(server.addresses()[0]) + 16);
    const given = await startServer({ webSocket: ['127.0.0.1:0'] });
    assert.match(given.webSocketAddresses()[0]!, /^127\.0\.0\.1:[1-9]\d*$/);
    await assert.rejects(
      start({ webSocket: given.webSocketAddresses(), listen: ['127.0.0.1:0'] }),
      coded('PORT_IN_USE'),
    );
    assert.deepEqual((await startServer({ webSocket: [] })).webSocketAddresses(), []);
  });

  it('carry the same channels, small and large frames both ways', async () => {
    const peer = await foreignPeer();
    try {
      const connection = await dial(peer, `127.0.0.1:${port}`, '/ws');
      assert.equal(connection.remotePeer.toString(), peerIdOf(server.key));
      const stream = await connection.newStream(ECHO);
      const frame = randomBytes(500_000);
      const header = Buffer.alloc(4);
      header.writeUInt32BE(frame.length);
      const sent = Buffer.concat([header, frame, Buffer.of(0, 0, 0, 1, 9)]);
      const received: Uint8Array[] = [];
      let length = 0;
      const all = new Promise<void>((resolve) =>
        stream.addEventListener('message', ({ data }) => {
          received.push(data.slice());
          length += data.byteLength;
          if (length >= sent.length) resolve();
        }),
      );
      stream.send(sent);
      await within(5_000, all, 'the echo');
      assert(Buffer.concat(received).equals(sent));
    } finally {
      await peer.stop();
    }
  });

  const text = Buffer.from([0x81, 0x85, 0, 0, 0, 0, ...Buffer.from('hello')]);
  const huge = Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0x7f, 0, 0, 0, 0, 0, 0, 0]);
  describe('are bounded until it is known who it is', () => {
    /** A header of a WebSocket frame, masked by nothing. */
    const header = (bits: number, size: number): Buffer => {
      const bytes = Buffer.alloc(14);
      bytes.writeUInt8(bits);
      bytes.writeUInt8(0xff, 1);
      bytes.writeBigUInt64BE(BigInt(size), 2);
      return bytes;
    };
    const openings: [string, Buffer, Buffer][] = [
      ['a message that is never finished', header(0x82, 100_000), Buffer.alloc(1_000)],
      [
        'a message in a great many pieces',
        header(0x02, 0),
        Buffer.concat(Array<Buffer>(100).fill(header(0x00, 0))),
      ],
      ['a message larger than any', header(0x82, 200_000), Buffer.alloc(0)],
    ];
    for (const [what, first, rest] of openings)
      it(`and hung up on when they send ${what}`, async () => {
        // So long that it is not for want of an answer.
        const patient = await startServer({ limits: { handshakeMs: 60_000 } });
        const socket = (await stranger(portOf(patient.webSocketAddresses()[0]))).resume();
        socket.write(UPGRADE);
        socket.write(first);
        for (let n = 0; n < 40; n++) socket.write(rest);
        await gone(socket);
      });
  });

  for (const [what, opening] of [
    ['nothing', ''],
    ['half a request', 'GET / HTTP/1.1\r\nHost: '],
    ['an ordinary request', 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['random bytes', randomBytes(10_000)],
    ['nothing after the upgrade', UPGRADE],
    ['text', Buffer.concat([Buffer.from(UPGRADE), text])],
    ['a huge message', Buffer.concat([Buffer.from(UPGRADE), huge])],
    ['random bytes after the upgrade', Buffer.concat([Buffer.from(UPGRADE), randomBytes(9999)])],
  ] as const)
    it(`are hung up on when they say ${what}`, async () => {
      const socket = (await stranger(port)).resume();
      socket.write(opening);
      await gone(socket);
      await assertServes(server);
    });
});

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { DEFAULT_LIMITS } from '../../lib/node/libp2p.ts';
import type { Channel } from '../../lib/node/channel.ts';
import { keyOfPeerId, peerIdOf } from '../../lib/node/peer-id.ts';
import { hasCode, type ErrorCode } from '../../lib/errors.ts';
import { sleep } from '../../lib/lifecycle.ts';
import {
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
} from '../support/peers.ts';
import { collect, transportContract, whenEnded } from '../support/transport-contract.ts';

const warnings: string[] = [];
const onWarning = (warning: Error): void =>
  void warnings.push(`${warning.name} ${warning.message}`);

describe('libp2p', () => {
  before(() => process.on('warning', onWarning));
  after(() => {
    process.off('warning', onWarning);
  });
  afterEach(cleanUpAll);

  transportContract('libp2p', async () => ({
    join: () => start({ listen: ['127.0.0.1:0'] }),
    nowhere: '127.0.0.1:1',
    stop: async () => undefined,
  }));

  describe('listening', () => {
    it('says that a port is in use, and by which address', async () => {
      const [address] = (await startServer()).addresses();
      await assert.rejects(start({ listen: [address!] }), (error) => {
        assert(hasCode(error, 'PORT_IN_USE'));
        assert(error.message.includes(address!));
        return true;
      });
    });

    it('leaves nothing listening when it cannot listen everywhere', async () => {
      const [taken] = (await startServer()).addresses();
      const probe = createServer();
      const free = await serve(probe);
      await new Promise((resolve) => probe.close(resolve));
      await assert.rejects(start({ listen: [free, taken!] }), coded('PORT_IN_USE'));
      await start({ listen: [free] });
    });

    it('refuses addresses that are none, or not of this host', async () => {
      for (const listen of ['', '127.0.0.1', 'nonsense:1', '1.2.3:5', '127.0.0.1:70000'])
        await assert.rejects(start({ listen: [listen] }), coded('BAD_ADDRESS'), listen);
      await assert.rejects(start({ listen: ['192.0.2.1:4000'] }), coded('BAD_ADDRESS'));
    });

    it('refuses a seed that is none', async () => {
      await assert.rejects(start({ seed: new Uint8Array(31) }), coded('DATA_CORRUPT'));
    });

    it('listens at several addresses, by name and over IPv6', async () => {
      const server = await startServer({ listen: ['localhost:0', '127.0.0.2:0', '[::1]:0'] });
      const addresses = server.addresses();
      assert.deepEqual(
        addresses.map((address) => address.replace(/\d+$/, '')),
        ['127.0.0.1:', '127.0.0.2:', '[::1]:'],
      );
      const client = await start();
      for (const address of addresses) {
        const connection = await client.connect({ addresses: [address] }, soon());
        assert.equal(connection.remote, server.key);
        assert.equal(connection.address, address);
      }
    });

    it('has the same key again from the same seed, and a peer id for it', async () => {
      const seed = randomBytes(32);
      const first = await start({ seed });
      const second = await start({ seed });
      assert.equal(first.key, second.key);
      assert.equal(keyOfPeerId(peerIdOf(first.key)), first.key);
    });
  });

  describe('dialling', () => {
    const talks = (talk: (socket: Socket) => void): Server =>
      createServer((socket) => talk(socket.on('error', () => undefined)));
    const others: [string, () => Server, ErrorCode][] = [
      ['hangs up', () => talks((socket) => socket.end()), 'NETWORK'],
      ['resets', () => talks((socket) => socket.resetAndDestroy()), 'NETWORK'],
      ['speaks HTTP', () => createHttpServer((_, response) => response.end('hi')), 'BAD_MESSAGE'],
      ['sends noise', () => talks((socket) => socket.write(Buffer.alloc(9999, 1))), 'BAD_MESSAGE'],
      ['echoes', () => talks((socket) => socket.pipe(socket)), 'BAD_MESSAGE'],
      [
        'begins well',
        () =>
          talks((socket) => {
            socket.write('\x13/multistream/1.0.0\n\x07/noise\n');
            socket.write(Buffer.alloc(5000, 1));
          }),
        'BAD_MESSAGE',
      ],
    ];
    for (const [what, make, code] of others)
      it(`sees soon that something else answers: it ${what}`, async () => {
        const address = await serve(make());
        const client = await start();
        const before = performance.now();
        await assert.rejects(client.connect({ addresses: [address] }, soon()), coded(code));
        assert(performance.now() - before < 2_000);
      });

    it('gives up on what says nothing, by default within five seconds', async () => {
      assert(DEFAULT_LIMITS.dialMs < 5_000);
      const address = await serve(createServer());
      const client = await start({ limits: { dialMs: 200 } });
      const before = performance.now();
      await assert.rejects(client.connect({ addresses: [address] }, soon()), coded('TIMEOUT'));
      assert(performance.now() - before < 1_000);
    });

    it('stops dialling when told to, and hangs up', async () => {
      const silent = createServer();
      const address = await serve(silent);
      const accepted = once(silent, 'connection');
      const client = await start();
      const abort = new AbortController();
      const attempt = client.connect({ addresses: [address] }, { signal: abort.signal });
      const [socket] = (await accepted) as [Socket];
      abort.abort();
      await assert.rejects(attempt, (error: Error) => error.name === 'AbortError');
      socket.resume();
      await gone(socket);
    });

    it('tells most: a changed key before a foreign server before nobody', async () => {
      const server = await startServer();
      const foreign = await serve(talks((socket) => socket.write(Buffer.alloc(999, 1))));
      const client = await start();
      const nobody = ['127.0.0.1:1', '127.0.0.1:2'];
      const to = (addresses: string[]) => client.connect({ addresses, key: client.key }, soon());
      await assert.rejects(to(nobody), coded('NETWORK'));
      await assert.rejects(to([...nobody, foreign]), coded('BAD_MESSAGE'));
      await assert.rejects(
        to([foreign, ...server.addresses(), ...nobody]),
        coded('SERVER_KEY_CHANGED'),
      );
    });

    it('refuses a target without a usable address', async () => {
      const client = await start();
      for (const addresses of [[], ['nonsense'], ['127.0.0.1:0', '127.0.0.1']])
        await assert.rejects(client.connect({ addresses }, soon()), coded('BAD_ADDRESS'));
    });

    it('makes a new connection each time, also where an old one has not been given up', async () => {
      const server = await startServer();
      const client = await start();
      const target = { addresses: server.addresses() };
      const both = [await client.connect(target, soon()), await client.connect(target, soon())];
      const together = await Promise.all([
        client.connect(target, soon()),
        client.connect(target, soon()),
      ]);
      await both[0]!.close();
      for (const connection of [both[1]!, ...together]) {
        const channel = await connection.open(ECHO, soon());
        channel.send(Uint8Array.of(1));
        await collect(channel, 1);
      }
    });
  });

  describe('loss of the connection', () => {
    /** A wire that can go dead without either end being told. */
    async function wire(port: number) {
      let dead = false;
      const address = await serve(
        createServer((near) => {
          near.on('error', () => undefined);
          const far = connect(port, '127.0.0.1').on('error', () => undefined);
          cleanUp(() => far.destroy());
          near.on('data', (data) => dead || far.write(data));
          far.on('data', (data) => dead || near.write(data));
        }),
      );
      return { address, cut: () => (dead = true) };
    }

    it('is noticed at both ends when the wire goes dead', async () => {
      const limits = { pingAfterMs: 100, deadAfterMs: 400 };
      const server = await start({ listen: ['127.0.0.1:0'], limits });
      const served = new Promise<Channel>((resolve) => server.handle(ECHO, resolve));
      const { address, cut } = await wire(portOf(server.addresses()[0]));
      const client = await start({ limits });
      const connection = await client.connect({ addresses: [address] }, soon());
      const channel = await connection.open(ECHO, soon());
      const ends = [channel, await served].map(whenEnded);
      // Longer than it takes to be given up, but the pings are answered.
      await sleep(800);
      assert(!channel.ended);
      cut();
      const before = performance.now();
      const over = new Promise<void>((resolve) => connection.onEnd(resolve));
      assert((await Promise.all(ends)).every((error) => hasCode(error, 'TIMEOUT')));
      await over;
      assert(performance.now() - before < 1_500);
    });
  });

  describe('many at once', () => {
    it('takes 300 peers from one address that join at the same time', async function () {
      this.timeout(60_000);
      const server = await startServer();
      const clients = await Promise.all(
        Array.from({ length: 300 }, () => start({ limits: { dialMs: 20_000 } })),
      );
      const before = performance.now();
      const soon = { signal: AbortSignal.timeout(30_000) };
      await Promise.all(
        clients.map(async (client) => {
          const connection = await client.connect({ addresses: server.addresses() }, soon);
          const channel = await connection.open(ECHO, soon);
          channel.send(randomBytes(200));
          await collect(channel, 1);
        }),
      );
      assert(performance.now() - before < 30_000);
    });

    it('has caused no warning of the runtime, such as of leaking listeners', () => {
      assert.deepEqual(warnings, []);
    });
  });
});

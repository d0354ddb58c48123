/** Servers at an address. Those on the LAN are found in test/lan, where there is one to itself. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import fc from 'fast-check';
import { candidates, isBareHost, noneNamed, probe, remembered } from '../../lib/app/finding.ts';
import { startServerPeer } from '../../lib/app/server-peer.ts';
import type { PublicKey } from '../../lib/crdt/keys.ts';
import { ClchatError } from '../../lib/errors.ts';
import { systemClock } from '../../lib/lifecycle.ts';
import { parseEndpoint } from '../../lib/interfaces.ts';
import type { Log } from '../../lib/log.ts';
import { openProfile } from '../../lib/node/profile.ts';
import { cleanUp, cleanUpAll, portOf, serve, startServer } from '../support/peers.ts';
import { temporary } from '../support/temporary.ts';
import { freePort } from '../support/workshop.ts';

const random = (length: number): Uint8Array => Uint8Array.from(randomBytes(length));

describe('candidates', () => {
  it('are the address itself where it names a port', () => {
    assert.deepEqual(candidates('10.0.0.1:80'), ['10.0.0.1:80']);
    assert.deepEqual(candidates('localhost:80'), ['127.0.0.1:80']);
    assert.deepEqual(candidates('[2001:DB8::1]:80'), ['[2001:db8::1]:80']);
  });

  it('are every port that a server takes by itself where only the host is named', () => {
    const ports = Array.from({ length: 10 }, (_, i) => 49152 + i);
    for (const [written, host] of [
      ['10.0.0.1', '10.0.0.1'],
      ['localhost', '127.0.0.1'],
      ['2001:db8::1', '[2001:db8::1]'],
      ['::1', '[::1]'],
      ['[::1]', '[::1]'],
      // What looks like a port is the end of the address.
      ['2001:db8::80', '[2001:db8::80]'],
    ] as const)
      assert.deepEqual(
        candidates(written),
        ports.map((port) => `${host}:${port}`),
      );
  });

  it('are several just where the address leaves the port open', () => {
    for (const written of ['10.0.0.1', 'localhost', '2001:db8::1', '::1', '[::1]', '2001:db8::80'])
      assert.equal(isBareHost(written), true, written);
    for (const written of ['10.0.0.1:80', 'localhost:80', '[2001:db8::1]:80'])
      assert.equal(isBareHost(written), false, written);
    assert.throws(() => isBareHost('acme'), { code: 'BAD_ADDRESS' });
  });

  it('are refused for what is no address, and nothing else comes out', () => {
    for (const wrong of ['', ':', ':80', 'example.org', '10.0.0.1:', '10.0.0.1:0', '1.2.3:4', '['])
      assert.throws(() => candidates(wrong), { code: 'BAD_ADDRESS' }, wrong);
    const part = fc.constantFrom('1', '10.0.0.1', '::1', 'fe80', ':', '[', ']', '.', '%eth0', '49');
    const text = fc.oneof(
      fc.string(),
      fc.array(part).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, (written) => {
        try {
          for (const address of candidates(written)) parseEndpoint(address);
        } catch (error) {
          assert.ok(error instanceof ClchatError && error.code === 'BAD_ADDRESS', String(error));
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('a probe', () => {
  const { newDirectory } = temporary();
  const faults: unknown[] = [];
  const log: Log = {
    info: () => undefined,
    fault: (error) => void faults.push(error),
    close: async () => undefined,
  };
  afterEach(async () => {
    await cleanUpAll();
    assert.deepEqual(faults.splice(0), []);
  });
  const ask = async (connect: string) => probe(connect, random, log);

  it('tells who serves at an address', async () => {
    const server = await startServerPeer({
      profile: await openProfile(await newDirectory(), 'server'),
      name: 'acme',
      listen: '127.0.0.1:0',
      passphrase: undefined,
      blockDuration: 60,
      timeout: 0,
      inviteOnly: false,
      clock: systemClock,
      random,
      log,
    });
    cleanUp(() => server.stop());
    const [address = ''] = server.addresses();
    const found = await ask(address);
    assert.deepEqual([found.key, found.name], [server.key, 'acme']);
    assert.deepEqual(found.addresses(), [address]);
    assert.equal(found.join, undefined);
    assert.notEqual(found.isAway, true);
    found.stop();
    // Whoever asks is nobody in particular, each time another.
    assert.equal((await ask(`localhost:${portOf(address)}`)).key, server.key);
  });

  it('says that nobody is there', async () => {
    await assert.rejects(ask(`127.0.0.1:${await freePort()}`), { code: 'NETWORK' });
  });

  it('says that it is no server of ours, or no peer at all', async () => {
    const [echo = ''] = (await startServer()).addresses();
    await assert.rejects(ask(echo), { code: 'VERSION' });
    const web = await serve(
      createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
    );
    await assert.rejects(ask(web), { name: 'ClchatError' });
  });

  it('asks nobody where the address is none', async () => {
    await assert.rejects(ask('acme'), { code: 'BAD_ADDRESS' });
  });
});

describe('a name that no server has', () => {
  const servers = ['zoo', 'acme', 'acme', 'b\u001b[2Jad'].map((name) => ({ name }));

  it('is told with those that there are, each once, and with the one that may be meant', () => {
    const error = noneNamed('acne', servers);
    assert.equal(error.code, 'NO_SERVER');
    assert.equal(
      error.message,
      'No server here is named "acne". Found: acme, bad, zoo. Did you mean "acme"?',
    );
    assert.match(noneNamed('something else', servers).message, /Found: acme, bad, zoo\.$/);
  });
});

describe('a server known from before', () => {
  const known = {
    directory: '/nowhere',
    about: { server: 'ab'.repeat(32) as PublicKey, serverName: 'acme', user: 'alice' },
  };

  it('is away, and waited for where it was said to be', () => {
    const addresses = ['10.0.0.1:80', '10.0.0.1:81'];
    const found = remembered(known, addresses);
    assert.deepEqual([found.key, found.name, found.isAway], [known.about.server, 'acme', true]);
    assert.deepEqual(found.addresses(), addresses);
    found.stop();
  });
});

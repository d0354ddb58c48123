/** What a server peer has for calls. The ways through a gateway are tested in test/wan. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import {
  startServerPeer,
  type ServerPeer,
  type ServerPeerOptions,
} from '../../lib/app/server-peer.ts';
import { hasCode } from '../../lib/errors.ts';
import { parseEndpoint } from '../../lib/interfaces.ts';
import { deadline, systemClock } from '../../lib/lifecycle.ts';
import type { Log } from '../../lib/log.ts';
import { askStun } from '../../lib/nat/stun.ts';
import { openProfile } from '../../lib/node/profile.ts';
import { cleanUp, cleanUpAll } from '../support/peers.ts';
import { temporary } from '../support/temporary.ts';
import { freePort } from '../support/workshop.ts';

describe('a server peer, for calls,', () => {
  const { newDirectory } = temporary();
  const faults: unknown[] = [];
  const noted: string[] = [];
  const log: Log = {
    info: (text) => void noted.push(text),
    fault: (error) => void faults.push(error),
    close: async () => undefined,
  };
  afterEach(async () => {
    await cleanUpAll();
    noted.length = 0;
    assert.deepEqual(faults.splice(0), []);
  });

  const start = async (options: Partial<ServerPeerOptions> = {}): Promise<ServerPeer> => {
    const peer = await startServerPeer({
      profile: await openProfile(await newDirectory(), 'server'),
      name: 'acme',
      listen: '127.0.0.1:0',
      passphrase: undefined,
      blockDuration: 60,
      timeout: 0,
      inviteOnly: false,
      clock: systemClock,
      random: (length) => Uint8Array.from(randomBytes(length)),
      log,
      ...options,
    });
    cleanUp(() => peer.stop());
    return peer;
  };

  it('answers STUN beside its own port as long as it runs', async () => {
    const peer = await start();
    const own = parseEndpoint(peer.addresses()[0]!);
    const [address = ''] = peer.calls.stun;
    assert.deepEqual(peer.calls, { stun: [address], ports: [], turn: undefined });
    const { ip, port } = parseEndpoint(address);
    assert.deepEqual([ip, port !== own.port], [own.ip, true]);
    const seen = await askStun(parseEndpoint(address), { signal: deadline(5_000) });
    assert.equal(seen.ip, '127.0.0.1');
    await peer.stop();
    const late = askStun(parseEndpoint(address), { signal: deadline(100) });
    await assert.rejects(late, (error) => hasCode(error, 'TIMEOUT'));
  });

  it('answers STUN at another port where another program has that one', async () => {
    const port = (await freePort()) - 1;
    const socket = createSocket('udp4');
    socket.bind(port + 1, '127.0.0.1');
    await once(socket, 'listening');
    cleanUp(() => new Promise<void>((done) => socket.close(done)));
    const peer = await start({ listen: `127.0.0.1:${port}` });
    const [address = ''] = peer.calls.stun;
    assert(![port, port + 1].includes(parseEndpoint(address).port));
    const seen = await askStun(parseEndpoint(address), { signal: deadline(5_000) });
    assert.equal(seen.ip, '127.0.0.1');
  });

  it('names the TURN server that it was given', async () => {
    const peer = await start({ turnUrl: 'turn:lab:secret@11.0.0.10:3478?transport=udp' });
    const at = { url: 'turn:11.0.0.10:3478?transport=udp', host: '11.0.0.10', port: 3_478 };
    assert.deepEqual(peer.calls.turn, { ...at, username: 'lab', credential: 'secret' });
  });

  it('is not started with a TURN server that is none', async () => {
    await assert.rejects(start({ turnUrl: 'turn:topsecret@' }), (error) => {
      assert(hasCode(error, 'USAGE'));
      assert.match(error.message, /TURN server/);
      return !error.message.includes('topsecret');
    });
  });
});

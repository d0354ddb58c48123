import assert from 'node:assert/strict';
import { ClchatError, codeOf } from '../../../lib/errors.ts';
import type { Channel } from '../../../lib/node/channel.ts';
import { Link } from '../../../lib/node/client/link.ts';
import { Exchange, type Handlers } from '../../../lib/node/exchange.ts';
import { PROTOCOL_VERSION, SESSION, SYNC } from '../../../lib/node/wire.ts';
import { SimulatedNetwork, type SimulatedTransport } from '../../simulation/network.ts';
import { Random } from '../../simulation/random.ts';
import { SERVER_ADDRESS } from '../../simulation/world.ts';
import { anyKey, ended, eventually } from '../../support/channels.ts';
import { FakeTime } from '../../support/time.ts';

const HELLO = {
  version: PROTOCOL_VERSION,
  name: 'acme',
  term: 1,
  time: 1_700_000_000_000,
  account: null,
  revoked: false,
  inviteOnly: false,
};

describe('a link to the server', () => {
  let time: FakeTime;
  let network: SimulatedNetwork;
  let server: SimulatedTransport;
  let client: SimulatedTransport;
  /** The server's end of the session. */
  let far: Exchange<typeof SESSION>;
  let methods: Handlers<typeof SESSION>['methods'];
  /** What the server was asked, and what the client was told. */
  let asked: string[];
  let told: string[];
  const stop = new AbortController();

  beforeEach(() => {
    time = new FakeTime();
    network = new SimulatedNetwork(new Random(5));
    server = network.join(SERVER_ADDRESS, anyKey().public);
    client = network.join('10.0.2.1:1', anyKey().public);
    [asked, told] = [[], []];
    methods = {
      hello: ({ version }) => {
        asked.push(`hello ${version}`);
        return HELLO;
      },
      ping: () => {
        asked.push(`ping at ${Math.round(time.passed / 100) / 10}`);
        return {};
      },
    };
    server.handle(SESSION.name, (channel) => {
      far = new Exchange(channel, SESSION, { methods, notices: {} });
    });
  });
  afterEach(() => time.restore());

  const target = () => ({ addresses: [SERVER_ADDRESS], key: server.key });
  const open = (to: Parameters<typeof Link.open>[1] = target(), signal = stop.signal) =>
    time.until(
      Link.open(
        client,
        to,
        {
          onPresence: ({ user, online }) => told.push(`${user} ${online}`),
          onBroadcast: ({ from, text }) => told.push(`${from}: ${text}`),
          onTyping: ({ user, stream }) => told.push(`${user} types in ${stream}`),
          onConference: ({ name, state }) => told.push(`${name} is ${state}`),
          onConferences: () => told.push('conferences'),
          onLogout: (reason) => told.push(`logout ${reason}`),
          onFault: (error) => told.push(`fault ${codeOf(error)}`),
        },
        signal,
      ),
    );

  describe('comes about', () => {
    it('with a hello', async () => {
      const link = await open();
      assert.deepEqual(asked, [`hello ${PROTOCOL_VERSION}`]);
      assert.deepEqual(link.hello, HELLO);
      assert.deepEqual([link.server, link.address], [server.key, SERVER_ADDRESS]);
      assert.equal(link.ended, false);
    });

    it('with a server whose key is not known yet', async () => {
      const link = await open({ addresses: [SERVER_ADDRESS] });
      assert.equal(link.server, server.key);
    });

    it('not with a server of another key', async () => {
      const to = { addresses: [SERVER_ADDRESS], key: anyKey().public };
      await assert.rejects(open(to), { code: 'SERVER_KEY_CHANGED' });
      assert.deepEqual(asked, []);
    });

    it('not where nobody is', async () => {
      await assert.rejects(open({ addresses: ['10.9.9.9:9'] }), { code: 'NETWORK' });
      await assert.rejects(open({ addresses: [] }), { code: 'NETWORK' });
    });

    it('not with somebody who speaks something else', async () => {
      const other = network.join('10.0.0.7:1', anyKey().public);
      await assert.rejects(open({ addresses: ['10.0.0.7:1'] }), { code: 'VERSION' });
      assert.equal(client.connections.size, 0);
      assert.equal(other.handler(SESSION.name), undefined);
    });

    it('not in a version that the server does not speak, and leaves nothing behind', async () => {
      methods = {
        hello: () => {
          throw new ClchatError('VERSION');
        },
      };
      await assert.rejects(open(), { code: 'VERSION' });
      assert.equal(client.connections.size, 0);
      await time.pass(100);
      assert.equal(far.ended, true);
    });

    it('not with a hello that does not fit', async () => {
      methods = { hello: () => ({ ...HELLO, name: 'a name with spaces' }) };
      await assert.rejects(open(), { code: 'BAD_MESSAGE' });
      assert.equal(client.connections.size, 0);
    });

    it('within eight seconds or not at all', async () => {
      methods = { hello: () => new Promise<never>(() => undefined) };
      await assert.rejects(open(), { code: 'TIMEOUT' });
      assert.ok(time.passed >= 8_000 && time.passed < 8_100, `${time.passed} ms`);
      assert.equal(client.connections.size, 0);
    });

    it('no more once that is called off', async () => {
      network.weather.delay = [2_000, 2_000];
      const off = new AbortController();
      setTimeout(() => off.abort(), 500);
      await assert.rejects(open(target(), off.signal), { code: 'TIMEOUT' });
      assert.ok(time.passed < 600, `${time.passed} ms`);
      network.weather.delay = [1, 2];
    });
  });

  it('passes on what the server tells', async () => {
    await open();
    far.notify('presence', { user: 'bob', online: true });
    far.notify('broadcast', { from: 'bob', text: 'hear', time: 1 });
    far.notify('logout', { reason: 'timeout' });
    await time.pass(100);
    assert.deepEqual(told, ['bob true', 'bob: hear', 'logout timeout']);
  });

  it('says hello again when asked to', async () => {
    const link = await open();
    methods = { hello: () => HELLO };
    const before = link.hello;
    await time.until(link.refresh());
    assert.equal(asked.length, 2);
    assert.deepEqual(link.hello, before);
    assert.notEqual(link.hello, before);
  });

  it('has place for replication beside the session', async () => {
    let there: Channel | undefined;
    server.handle(SYNC.name, (channel) => {
      there = channel;
      channel.onFrame(() => undefined);
    });
    const link = await open();
    const here = await time.until(link.openSync());
    assert.equal(here.remote, server.key);
    assert.equal(there?.remote, client.key);
    // Both end with it.
    const end = ended(here);
    link.abort(new ClchatError('CLOSED'));
    await time.until(end);
    await time.until(eventually('it ends there too', () => there?.ended === true));
  });

  it('may have that place ready before it is asked for', async () => {
    const there: Channel[] = [];
    server.handle(SYNC.name, (channel) => {
      there.push(channel);
      channel.onFrame(() => undefined);
    });
    const link = await open();
    link.prepareSync();
    link.prepareSync();
    await time.until(eventually('it is there', () => there.length === 1));
    const first = await time.until(link.openSync());
    await time.pass(100);
    assert.equal(there.length, 1);
    // One that has ended meanwhile is of no use.
    link.prepareSync();
    await time.until(eventually('another one is there', () => there.length === 2));
    there[1]!.abort(new ClchatError('TIMEOUT'));
    await time.pass(100);
    const second = await time.until(link.openSync());
    assert.deepEqual([there.length, first.ended, second.ended], [3, false, false]);
  });

  describe('is kept alive', () => {
    it('by a ping every three seconds', async () => {
      const link = await open();
      await time.pass(10_000);
      assert.deepEqual(asked.slice(1), ['ping at 3', 'ping at 6', 'ping at 9']);
      assert.equal(link.ended, false);
    });

    it('and given up four seconds after one that has no answer', async () => {
      const link = await open();
      let endedAt: number | undefined;
      link.onEnd(() => (endedAt = time.passed));
      await time.pass(4_000);
      network.cut(SERVER_ADDRESS);
      await time.pass(20_000);
      assert.equal(link.ended, true);
      assert.ok(endedAt! >= 10_000 && endedAt! < 10_200, `${endedAt} ms`);
      assert.equal(client.connections.size, 0);
    });

    it('over a cut that is shorter than that', async () => {
      const link = await open();
      await time.pass(2_900);
      network.cut(SERVER_ADDRESS);
      await time.pass(3_500);
      network.restore(SERVER_ADDRESS);
      await time.pass(10_000);
      assert.equal(link.ended, false);
      assert.ok(asked.length > 3, asked.join());
    });

    it('no longer than it lasts', async () => {
      const link = await open();
      await time.until(link.close());
      const before = asked.length;
      await time.pass(10_000);
      assert.equal(asked.length, before);
    });
  });

  describe('ends', () => {
    it('when it is closed, for both', async () => {
      const link = await open();
      await time.until(link.close());
      assert.equal(link.ended, true);
      await time.until(eventually('it ends there too', () => far.ended));
      assert.equal(client.connections.size, 0);
      await time.until(link.close());
    });

    it('when the connection breaks, and says so once to each who asked', async () => {
      const link = await open();
      let ends = 0;
      link.onEnd(() => ends++);
      link.onEnd(() => ends++);
      const call = link.session.call('whoelse', {});
      const refused = assert.rejects(call, { code: 'CLOSED' });
      server.crash();
      await refused;
      assert.equal(link.ended, true);
      assert.equal(ends, 2);
      // Also to those who ask afterwards.
      link.onEnd(() => ends++);
      assert.equal(ends, 3);
      await time.pass(20_000);
      assert.equal(ends, 3);
    });

    it('when the server ends the session', async () => {
      const link = await open();
      await time.until(far.close());
      await time.until(eventually('it ends', () => link.ended));
      assert.equal(client.connections.size, 0);
    });

    it('when the server sends what is not understood', async () => {
      const link = await open();
      far.channel.send(Uint8Array.of(1, 2, 3));
      await time.until(eventually('it ends', () => link.ended));
      assert.equal(client.connections.size, 0);
    });
  });
});

import assert from 'node:assert/strict';
import { isAway } from '../../lib/app/entering.ts';
import type { Ask } from '../../lib/app/types.ts';
import { SigningKey } from '../../lib/crdt/keys.ts';
import { ADMIN_GROUP } from '../../lib/crdt/permissions.ts';
import { ClchatError, hasCode, type ErrorCode } from '../../lib/errors.ts';
import type { ClientOptions } from '../../lib/node/client/client.ts';
import type { ServerOptions } from '../../lib/node/server/server.ts';
import { eventually } from '../support/channels.ts';
import { contextOf } from '../support/commands.ts';
import { enterAs } from '../support/entering.ts';
import { HANDLERS } from '../support/handlers.ts';
import { World, type TestClient } from '../support/roles.ts';
import { SERVER_ADDRESS } from '../simulation/world.ts';

/** Somebody at a terminal, with answers to what is asked; more may not be asked. */
function person(...answers: (string | boolean)[]): { ask: Ask; asked: string[] } {
  const asked: string[] = [];
  const next = async <T>(question: string): Promise<T> => {
    asked.push(question);
    assert.ok(answers.length > 0, `"${question}" was asked`);
    return answers.shift() as T;
  };
  return { asked, ask: { line: next, secret: next, confirm: next, choose: next } };
}

describe('entering an account', () => {
  let world: World;
  const begin = async (options: Partial<ServerOptions> = {}): Promise<void> => {
    world = await World.start({ blockDuration: 60, ...options });
  };
  beforeEach(() => begin());
  afterEach(async () => {
    await world.stop();
    assert.deepEqual(world.faults, []);
  });

  const newDevice = (options: Partial<ClientOptions> = {}): Promise<TestClient> =>
    world.client(options);

  const refused = (
    entering: Promise<unknown>,
    code: ErrorCode,
    message: RegExp = /./,
  ): Promise<void> => assert.rejects(entering, { name: 'ClchatError', code, message });

  /** Alice has an account with a password, on another device than any that comes. */
  const alice = (password?: string): Promise<TestClient> => world.join('alice', password);
  /** The device is started anew, with what it has kept. */
  async function restart(device: TestClient): Promise<void> {
    await device.stop();
    await device.open();
  }

  describe('of an unknown name', () => {
    it('makes it, with or without a password', async () => {
      const device = await newDevice();
      assert.equal(await enterAs(device, 'alice', { password: 'secret' }), true);
      assert.equal(device.home.name, 'alice');
      assert.equal(device.home.record?.passwordVersion, 1);
      const other = await newDevice();
      assert.equal(await enterAs(other, 'bob'), true);
      assert.equal(other.home.record?.passwordVersion, 0);
    });

    it('asks a person first, and for a password twice until both are the same', async () => {
      const { ask, asked } = person(true, 'secret', 'sceret', 'secret', 'secret');
      assert.equal(await enterAs(await newDevice(), 'alice', { ask }), true);
      assert.equal(asked[0], 'There is no user "alice" yet. Make this account?');
      assert.equal(asked.length, 5);
      assert.equal(await enterAs(await newDevice(), 'alice', { password: 'secret' }), false);
    });

    it('takes an empty password for none, and one that was given without asking', async () => {
      const device = await newDevice();
      await enterAs(device, 'alice', { ask: person(true, '', '').ask });
      assert.equal(device.home.record?.passwordVersion, 0);
      const { ask, asked } = person(true);
      await enterAs(await newDevice(), 'bob', { ask, password: 'given' });
      assert.equal(asked.length, 1);
    });

    it('makes none where the person or the command does not want it', async () => {
      const device = await newDevice();
      const { ask } = person(false);
      await refused(enterAs(device, 'alice', { ask }), 'NO_SUCH_USER');
      await refused(enterAs(device, 'alice', { mayRegister: false }), 'NO_SUCH_USER');
      assert.deepEqual(await device.client.lookup('alice'), { exists: false, password: false });
      assert.equal(await enterAs(device, 'alice'), true);
    });

    it('makes none without an invitation where the server wants one, but the first at its console', async () => {
      await world.stop();
      await begin({ inviteOnly: true });
      const device = await newDevice();
      const who = /There is no user "alice", and this server takes new ones by invitation only/;
      await refused(enterAs(device, 'alice'), 'NO_SUCH_USER', who);
      await refused(enterAs(device, 'alice', { mayLogin: false }), 'CODE_REQUIRED', who);
      assert.equal(await enterAs(await newDevice(), 'root', { isHost: true }), true);
      // From then on the server itself refuses it, whatever this side takes itself for.
      await refused(enterAs(device, 'alice', { isHost: true }), 'CODE_REQUIRED');
    });
  });

  describe('by its password', () => {
    beforeEach(() => alice('secret'));

    it('adds the device', async () => {
      const device = await newDevice();
      assert.equal(await enterAs(device, 'ALICE', { password: 'secret' }), false);
      assert.equal(device.home.name, 'alice');
      assert.equal(device.home.devices().length, 2);
    });

    it('asks a person who has not given it', async () => {
      const { ask, asked } = person('secret');
      assert.equal(await enterAs(await newDevice(), 'alice', { ask }), false);
      assert.deepEqual(asked, ['Password']);
    });

    it('says how to give it where there is nobody to ask', async () => {
      await refused(
        enterAs(await newDevice(), 'alice'),
        'BAD_PASSWORD',
        /CLCHAT_PASSWORD or --password-file/,
      );
    });

    it('lets a person try again, as long as there are attempts', async () => {
      const wrong: string[] = [];
      const onWrongPassword = (text: string): number => wrong.push(text);
      const { ask, asked } = person('one', 'two', 'secret');
      assert.equal(await enterAs(await newDevice(), 'alice', { ask, onWrongPassword }), false);
      assert.deepEqual([wrong.length, asked.length], [2, 3]);
    });

    it('gives up with the third wrong one, which locks the account', async () => {
      const wrong: string[] = [];
      const onWrongPassword = (text: string): number => wrong.push(text);
      const device = await newDevice();
      await refused(
        enterAs(device, 'alice', { ask: person('one', 'two', 'three').ask, onWrongPassword }),
        'BAD_PASSWORD',
        /locked for 60 seconds/,
      );
      assert.equal(wrong.length, 2);
      assert.deepEqual(device.told, ['locked alice 60']);
      // Now the right one does not help, and the person is not asked again and again.
      await refused(enterAs(await newDevice(), 'alice', { ask: person('secret').ask }), 'LOCKED');
    });

    it('tries one that was given once, also where a person could be asked', async () => {
      for (const ask of [undefined, person().ask])
        await refused(enterAs(await newDevice(), 'alice', { ask, password: 'x' }), 'BAD_PASSWORD');
      assert.equal(await enterAs(await newDevice(), 'alice', { password: 'secret' }), false);
    });

    it('is no way in where a new account is wanted', async () => {
      const options = { mayLogin: false, password: 'secret' };
      await refused(enterAs(await newDevice(), 'alice', options), 'NAME_TAKEN');
    });

    it('is none where there is no password', async () => {
      await world.join('bob');
      await refused(
        enterAs(await newDevice(), 'Bob', { ask: person().ask }),
        'DENIED',
        /"bob" has no password and is used from its own devices only/,
      );
    });
  });

  describe('by its device', () => {
    it('needs no password, and takes the name in any case', async () => {
      const device = await alice('secret');
      await restart(device);
      assert.equal(await enterAs(device, 'ALICE', { ask: person().ask }), false);
      assert.equal(device.home.name, 'alice');
    });

    it('holds a given password against the account', async () => {
      const device = await alice('secret');
      await restart(device);
      await refused(enterAs(device, 'alice', { password: 'wrong' }), 'BAD_PASSWORD');
      assert.equal(await enterAs(device, 'alice', { password: 'secret' }), false);
    });

    it('asks for it where the command wants a proof, and there is one', async () => {
      const device = await alice('secret');
      await restart(device);
      const { ask, asked } = person('wrong', 'secret');
      assert.equal(await enterAs(device, 'alice', { ask, mustProve: true }), false);
      assert.deepEqual(asked, ['Password', 'Password']);
      const bob = await world.join('bob');
      await restart(bob);
      assert.equal(await enterAs(bob, 'bob', { ask: person().ask, mustProve: true }), false);
    });

    it('is no way into another account, nor to a new one', async () => {
      const device = await alice('secret');
      await restart(device);
      await refused(
        enterAs(device, 'bob', { password: 'secret' }),
        'DENIED',
        /This data directory belongs to "alice"/,
      );
      await refused(enterAs(device, 'alice', { mayLogin: false }), 'NAME_TAKEN');
    });

    it('is none any more once it is revoked', async () => {
      const [first, second] = [await alice('secret'), await newDevice()];
      await enterAs(second, 'alice', { password: 'secret' });
      await second.stop();
      const { home } = first;
      const device = new SigningKey(second.keystore.read().device.seed).public;
      await eventually('both devices', () => home.devices().length === 2);
      const entry = await home.conversations.act('space', 'revoke', home.revocation(device).body);
      assert.equal(await home.outbox.answer(entry.id), 'held');
      await second.open();
      await refused(enterAs(second, 'alice', { password: 'secret' }), 'REVOKED');
    });

    it('that the server does not know begins anew', async () => {
      const device = await newDevice();
      await device.keystore.update((record) => ({
        ...record,
        account: { id: 'a'.repeat(32) as never, name: 'alice' },
      }));
      await refused(enterAs(device, 'alice', { mayRegister: false }), 'NO_SUCH_USER');
      assert.equal(device.keystore.read().account, undefined);
      assert.equal(await enterAs(device, 'alice', { password: 'secret' }), true);
      assert.equal(device.keystore.read().account?.id, device.home.account);
      assert.notEqual(device.home.account, 'a'.repeat(32));
    });
  });

  describe('by a code', () => {
    /** The code that an admin makes for Alice. */
    async function reset(): Promise<string> {
      const { client, home } = await world.join('root');
      await world.server.crown('root');
      await eventually('the crown', () => home.record?.group === ADMIN_GROUP);
      const context = contextOf(client);
      const { code } = (await HANDLERS['resetpasswd']?.({ user: 'alice' }, context)) ?? {};
      return String(code);
    }

    it('takes a new password, given or asked for', async () => {
      await alice('forgotten');
      const code = await reset();
      const device = await newDevice();
      const wrong = code.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'));
      await refused(enterAs(device, 'alice', { code: wrong, password: 'new' }), 'BAD_CODE');
      await refused(enterAs(device, 'alice', { code }), 'USAGE', /comes a new password/);
      const { ask, asked } = person('new', 'new');
      assert.equal(await enterAs(device, 'alice', { code, ask }), false);
      assert.equal(asked.length, 2);
      await refused(enterAs(await newDevice(), 'alice', { password: 'forgotten' }), 'BAD_PASSWORD');
      assert.equal(await enterAs(await newDevice(), 'alice', { password: 'new' }), false);
    });
  });

  describe('at a server', () => {
    it('that is not the one that was looked for is refused', async () => {
      const server = new SigningKey(world.random.bytes(32)).public;
      const device = await newDevice();
      const found = { key: server };
      await refused(enterAs(device, 'alice', { found, password: 'x' }), 'SERVER_KEY_CHANGED');
      assert.deepEqual(await device.client.lookup('alice'), { exists: false, password: false });
    });

    it('is told where it was reached, or what it means that it was not', async () => {
      const reached: string[] = [];
      const found = {
        key: world.key.public,
        onReached: async (...what: string[]) => void reached.push(what.join(' ')),
        explain: () => new ClchatError('NETWORK', 'switched off'),
      };
      const device = await newDevice();
      await enterAs(device, 'alice', { found, password: 'x' });
      assert.deepEqual(reached, [`${SERVER_ADDRESS} ${world.server.name}`]);
      const away = await newDevice();
      away.addresses = ['10.0.9.9:1'];
      await assert.rejects(enterAs(away, 'alice', { found }), { message: 'switched off' });
      const key = new SigningKey(world.random.bytes(32)).public;
      const other = enterAs(await newDevice(), 'alice', { found: { ...found, key } });
      await assert.rejects(other, { message: 'switched off' });
    });

    it('that is away is not possible for who has never been there', async () => {
      const device = await newDevice();
      for (const addresses of [[], ['10.0.9.9:1']]) {
        device.addresses = addresses;
        await assert.rejects(
          enterAs(device, 'alice', { password: 'x' }),
          (error) => isAway(error) || hasCode(error, 'BAD_ADDRESS'),
        );
        assert.equal(device.client.loggedIn, false);
      }
    });

    it('that is away begins from what is here, with the right password or none', async () => {
      const device = await alice('secret');
      await restart(device);
      device.addresses = [];
      await refused(enterAs(device, 'alice', { password: 'wrong' }), 'BAD_PASSWORD');
      assert.equal(device.client.loggedIn, false);
      assert.equal(await enterAs(device, 'alice', { password: 'secret' }), false);
      assert.deepEqual([device.client.loggedIn, device.client.connected], [true, false]);
      assert.equal(await device.say('later'), 'queued');
      await restart(device);
      device.addresses = ['10.0.9.9:1'];
      assert.equal(await enterAs(device, 'alice'), false);
    });
  });
});

describe('an error that says that the server is away', () => {
  it('is told from one of the server', () => {
    for (const code of ['NETWORK', 'NO_SERVER', 'TIMEOUT', 'CLOSED', 'MULTICAST_BLOCKED'] as const)
      assert.equal(isAway(new ClchatError(code)), true, code);
    for (const code of ['BAD_PASSWORD', 'REVOKED', 'SERVER_KEY_CHANGED', 'BAD_ADDRESS'] as const)
      assert.equal(isAway(new ClchatError(code)), false, code);
    assert.equal(isAway(new Error('NETWORK')), false);
    assert.equal(isAway(undefined), false);
  });
});

/** What a device keeps of an account that it may have become, and what it must not take for it. */
import assert from 'node:assert/strict';
import { equal } from '../../../lib/crdt/bytes.ts';
import { encode } from '../../../lib/crdt/codec.ts';
import { Keyring } from '../../../lib/crdt/keyring.ts';
import { codeVerifier } from '../../../lib/crdt/space.ts';
import { pairStream } from '../../../lib/crdt/stream.ts';
import { ClchatError, type ErrorCode } from '../../../lib/errors.ts';
import { Exchange } from '../../../lib/node/exchange.ts';
import {
  become,
  encodeKeystore,
  leave,
  parseKeystore,
  setAside,
  type KeystoreRecord,
  type Membership,
} from '../../../lib/node/keystore.ts';
import { eventually } from '../../support/channels.ts';
import { enterAs } from '../../support/entering.ts';
import { World, type TestClient } from '../../support/roles.ts';

describe('becoming somebody', () => {
  let world: World;
  beforeEach(async () => (world = await World.start()));
  afterEach(async () => {
    restore();
    await world.stop();
  });

  const original = Object.getOwnPropertyDescriptor(Exchange.prototype, 'call')!;
  const restore = () => Object.defineProperty(Exchange.prototype, 'call', original);
  /** What becomes of one request, in place of its answer. */
  function instead(method: string, happens: (ask: () => Promise<unknown>) => Promise<unknown>) {
    const { value: call } = original as { value: (...args: unknown[]) => Promise<unknown> };
    const value = function (this: unknown, ...args: unknown[]): Promise<unknown> {
      const ask = (): Promise<unknown> => Reflect.apply(call, this, args);
      if (args[0] !== method) return ask();
      restore();
      return happens(ask);
    };
    Object.defineProperty(Exchange.prototype, 'call', { ...original, value });
  }
  const refusing = (method: string, code: ErrorCode): void =>
    instead(method, () => Promise.reject(new ClchatError(code)));
  const losingTheAnswer = (method: string): void =>
    instead(method, async (ask) => {
      await ask();
      throw new ClchatError('CLOSED');
    });

  async function restart(device: TestClient): Promise<void> {
    await device.stop();
    await device.open();
  }
  const secrets = ({ keystore }: TestClient, generation: number): Uint8Array | undefined =>
    keystore.read().keyring.find((one) => one.generation === generation)?.secret;
  /** Whether the device has the private half of what its account shows at present. */
  const hasItsKeyring = ({ home, keystore }: TestClient): boolean => {
    const { generation, box } = home.record!.keyring;
    const secret = keystore.read().keyring.find((one) => one.generation === generation)?.secret;
    return secret !== undefined && equal(new Keyring(generation, secret).box.public, box);
  };
  const membershipOf = ({ keystore }: TestClient): Partial<Membership> => {
    const { account, keyring, server } = keystore.read();
    return { account, keyring, server };
  };

  /** Bob, whose account is in its second generation, and has a message of the first. */
  async function bobOfTwoGenerations(): Promise<TestClient> {
    const alice = await world.join('alice');
    const bob = await world.join('bob', 'secret');
    await eventually('knowing bob', () => alice.home.names().includes('bob'));
    await alice.say('sealed under the first', 'bob');
    await bob.hears('sealed under the first');
    const lost = await world.client();
    await lost.client.connect();
    await lost.client.loginPassword('bob', 'secret');
    await eventually('both devices', () => bob.home.devices().length === 2);
    const { body } = bob.home.revocation(lost.home.replica.device);
    const entry = await bob.home.conversations.act('space', 'revoke', body);
    assert.equal(await bob.home.outbox.answer(entry.id), 'held');
    await eventually('the next generation', () => bob.home.record?.keyring.generation === 2);
    await eventually('its secret', () => secrets(bob, 2) !== undefined);
    return bob;
  }

  async function readsOfAlice({ client, home }: TestClient): Promise<string[]> {
    const stream = pairStream(home.account, home.named('alice'));
    await client.fetchOlder(stream, async () => false);
    return (await home.conversations.newest(stream, 9)).map(({ text }) => text);
  }

  describe('after a refusal', () => {
    for (const [what, code, refuse] of [
      ['of a name', 'NAME_TAKEN', () => undefined],
      ['by a full disk', 'DISK_FULL', () => refusing('signup', 'DISK_FULL')],
      ['that never came', 'CLOSED', () => refusing('signup', 'CLOSED')],
    ] as const)
      it(`${what}, another account's first generation can be read`, async () => {
        const bob = await bobOfTwoGenerations();
        const device = await world.client();
        await device.client.connect();
        refuse();
        const name = code === 'NAME_TAKEN' ? 'alice' : 'nobody';
        await assert.rejects(device.client.register(name, undefined), { code });
        assert.deepEqual(device.keystore.read().keyring, []);
        await restart(device);
        assert.equal(await enterAs(device, 'bob', { password: 'secret' }), false);
        await eventually('both generations', () => device.keystore.read().keyring.length === 2);
        for (const generation of [1, 2])
          assert.deepEqual(secrets(device, generation), secrets(bob, generation));
        assert.deepEqual(await readsOfAlice(device), ['sealed under the first']);
      });

    it('the keystore is as it was', async () => {
      await world.join('alice', 'secret');
      const device = await world.client();
      await device.client.connect();
      const before = encodeKeystore(device.keystore.read());
      const unchanged = (): void =>
        assert.deepEqual(encodeKeystore(device.keystore.read()), before);
      await assert.rejects(device.client.register('alice', undefined), { code: 'NAME_TAKEN' });
      unchanged();
      refusing('enrol', 'STALE_KEY');
      const login = device.client.loginPassword('alice', 'secret');
      await assert.rejects(login, { code: 'STALE_KEY' });
      unchanged();
    });

    it('of a code too, at either step', async () => {
      const bob = await bobOfTwoGenerations();
      const code = await resetCode();
      for (const device of [bob, await world.client()]) {
        await device.client.connect();
        const before = device.keystore.read();
        const recover = (given: string): Promise<void> =>
          device.client.recover('bob', given, 'fresh');
        await assert.rejects(recover('a-wrong-code'), { code: 'BAD_CODE' });
        for (const answer of ['BAD_CODE', 'STALE_KEY', 'DISK_FULL', 'CLOSED'] as const) {
          refusing('recover', answer);
          await assert.rejects(recover(code), { code: answer });
        }
        assert.deepEqual(device.keystore.read(), before);
      }
    });
  });

  describe('when the answer is lost', () => {
    it('a new account is there at the next start, with its keyring', async () => {
      const devices: TestClient[] = [];
      for (const [name, password] of [
        ['ann', undefined],
        ['ben', 'secret'],
      ] as const) {
        const device = await world.client();
        devices.push(device);
        losingTheAnswer('signup');
        await assert.rejects(enterAs(device, name, password === undefined ? {} : { password }), {
          code: 'CLOSED',
        });
        // The process may have been killed: nothing but the file is left.
        const file = encodeKeystore(device.keystore.read());
        await device.stop();
        await device.keystore.update(() => parseKeystore(file));
        await device.open();
        assert.equal(await enterAs(device, name), false);
        assert.equal(device.home.name, name);
        assert.equal(hasItsKeyring(device), true);
        const { account, aside, server } = device.keystore.read();
        assert.deepEqual([account?.id, aside], [device.home.account, undefined]);
        assert.deepEqual(server, { key: world.key.public, name: 'acme' });
        assert.equal(account?.passwordVersion, password === undefined ? undefined : 1);
      }
      const cleo = await world.join('cleo');
      for (const device of devices) {
        assert.equal(await cleo.say('can you read this?', device.home.name), 'held');
        await device.hears('can you read this?');
      }
    });

    it('an account entered by its password is, too', async () => {
      await world.join('alice', 'secret');
      const phone = await world.client();
      losingTheAnswer('enrol');
      await assert.rejects(enterAs(phone, 'alice', { password: 'secret' }), { code: 'CLOSED' });
      assert.equal(phone.keystore.read().account, undefined);
      await restart(phone);
      assert.equal(await enterAs(phone, 'alice'), false);
      assert.equal(hasItsKeyring(phone), true);
      assert.equal(await phone.say('here'), 'held');
    });

    it('a recovered one is, whose entry brings the keyring', async () => {
      const bob = await bobOfTwoGenerations();
      const code = await resetCode();
      const device = await world.client();
      losingTheAnswer('recover');
      await assert.rejects(enterAs(device, 'bob', { code, password: 'fresh' }), { code: 'CLOSED' });
      await restart(device);
      assert.equal(await enterAs(device, 'bob'), false);
      await eventually('the keyring', () => hasItsKeyring(device));
      assert.equal(device.keystore.read().account?.id, bob.home.account);
      await eventually('the keyring elsewhere', () => hasItsKeyring(bob));
    });

    it('but nothing was sealed, it may be tried again', async () => {
      const device = await world.client();
      refusing('signup', 'CLOSED');
      await assert.rejects(enterAs(device, 'alice'), { code: 'CLOSED' });
      await restart(device);
      // Of an account that may not exist there is nothing to begin from.
      device.addresses = [];
      await assert.rejects(enterAs(device, 'alice'), { name: 'ClchatError' });
      device.addresses = ['10.0.0.1:49152'];
      assert.equal(await enterAs(device, 'alice'), true);
      assert.equal(device.home.account, device.keystore.read().account?.id);
      assert.equal(device.home.name, 'alice');
      assert.equal(hasItsKeyring(device), true);
    });

    it('and the entry is sealed only later, another attempt does not stand in its way', async () => {
      const device = await world.client();
      let late: () => Promise<unknown> = () => Promise.resolve();
      instead('signup', (ask) => {
        late = ask;
        return Promise.reject(new ClchatError('TIMEOUT'));
      });
      await assert.rejects(enterAs(device, 'alice'), { code: 'TIMEOUT' });
      await late();
      await assert.rejects(device.client.register('alice', undefined), { code: 'OUT_OF_ORDER' });
      await restart(device);
      assert.equal(await enterAs(device, 'alice'), false);
      assert.equal(hasItsKeyring(device), true);
    });
  });

  it('forgotten by its server, is the same again when the server knows it again', async () => {
    const device = await world.join('alice', 'secret');
    const before = membershipOf(device);
    // As a server would be that was restored from a backup of before.
    await device.keystore.update(leave);
    assert.deepEqual(membershipOf(device), {
      account: undefined,
      keyring: [],
      server: before.server,
    });
    await restart(device);
    assert.equal(await enterAs(device, 'alice'), false);
    assert.deepEqual(membershipOf(device), before);
    assert.equal(device.keystore.read().aside, undefined);
  });

  /** A code for Bob, of an admin. */
  async function resetCode(): Promise<string> {
    const admin = await world.member('admin');
    await world.server.crown('admin');
    await admin.open();
    const state = (await world.log.open('space')).state;
    const body = { account: state.get('name', 'bob'), verifier: codeVerifier('a-code') };
    const entry = admin.member.write('space', 'reset', body, { time: Date.now() });
    assert.deepEqual(await admin.submit(entry), ['sealed']);
    return 'a-code';
  }
});

describe('the keystore of a device', () => {
  const bytes = (value: number): Uint8Array => new Uint8Array(32).fill(value);
  const device = { seed: bytes(1), sealing: bytes(2) };
  const empty: KeystoreRecord = { version: 1, device, keyring: [] };
  const membership = (id: string, ...generations: number[]): Membership => ({
    account: { id: id.repeat(32) as never, name: id },
    keyring: generations.map((generation) => ({ generation, secret: bytes(generation) })),
    server: { key: 'c'.repeat(64) as never, name: 'acme' },
  });
  const [a, b] = [membership('a', 1), membership('b', 2)];

  it('of an older version is read, and written as it was', () => {
    const old = encode({ version: 1, device, ...a });
    assert.deepEqual(parseKeystore(old), { ...empty, ...a });
    assert.deepEqual(encodeKeystore(parseKeystore(old)), Uint8Array.from(old));
  });

  it('keeps accounts aside, each once, and is of one when it is known', () => {
    const both = setAside(setAside(empty, a), b);
    assert.deepEqual(parseKeystore(encodeKeystore(both)), both);
    assert.deepEqual(both, { ...empty, aside: [a, b] });
    const more = setAside(both, membership('a', 2));
    assert.deepEqual(more.aside, [b, membership('a', 1, 2)]);
    assert.deepEqual(become(more, a), { ...empty, ...membership('a', 2, 1), aside: [b] });
    assert.deepEqual(leave(become(both, a)), { ...empty, server: a.server, aside: [b, a] });
    assert.deepEqual(become(become(empty, a), membership('a', 2)), {
      ...empty,
      ...membership('a', 1, 2),
    });
  });

  it('takes no secrets over that are of nobody', () => {
    const stray = { ...empty, keyring: [{ generation: 1, secret: bytes(9) }] };
    assert.deepEqual(become(stray, b), { ...empty, ...b });
  });

  it('forgets the oldest where there are too many', () => {
    let record = empty;
    for (let i = 0; i < 40; i++)
      record = setAside(record, {
        ...a,
        account: { id: i.toString(16).padStart(32, '0') as never, name: 'a' },
      });
    assert.deepEqual(parseKeystore(encodeKeystore(record)), record);
    assert.equal(record.aside?.length, 32);
    assert.equal(record.aside.at(-1)?.account.id, (39).toString(16).padStart(32, '0'));
  });
});

import assert from 'node:assert/strict';
import { toHex } from '../../../lib/crdt/bytes.ts';
import { Keyring } from '../../../lib/crdt/keyring.ts';
import { SigningKey } from '../../../lib/crdt/keys.ts';
import type { AccountRecord, DeviceRecord, HeadRecord } from '../../../lib/crdt/records.ts';
import { codeVerifier } from '../../../lib/crdt/space.ts';
import { ClchatError } from '../../../lib/errors.ts';
import { Auth, FIRST_PLACE, withKeyring, type SpacePlace } from '../../../lib/node/client/auth.ts';
import { Link } from '../../../lib/node/client/link.ts';
import { matchesPassword, type Keystore } from '../../../lib/node/keystore.ts';
import { fakeOpaqueClient } from '../../support/fake-opaque.ts';
import { ShiftedClock, World, type Peer } from '../../support/roles.ts';
import { memoryKeystore, SERVER_ADDRESS } from '../../simulation/world.ts';

/** A device with what it needs to become somebody, and its connection. */
interface Candidate {
  readonly auth: Auth;
  readonly keystore: Keystore;
  readonly link: Link;
}

const nothing = (): void => undefined;

describe('authentication', () => {
  let world: World;
  let clock: ShiftedClock;
  const links: Link[] = [];

  beforeEach(async () => {
    clock = new ShiftedClock();
    world = await World.start({ clock, blockDuration: 60 });
  });
  afterEach(async () => {
    for (const link of links.splice(0)) link.abort(new ClchatError('CLOSED'));
    await world.stop();
    assert.deepEqual(world.faults, []);
  });

  const connect = async (keystore: Keystore): Promise<Link> => {
    const link = await Link.open(
      world.host(new SigningKey(keystore.read().device.seed).public),
      { addresses: [SERVER_ADDRESS] },
      {
        onPresence: nothing,
        onBroadcast: nothing,
        onTyping: nothing,
        onConference: nothing,
        onConferences: nothing,
        onLogout: nothing,
        onFault: nothing,
      },
      new AbortController().signal,
    );
    links.push(link);
    return link;
  };
  const candidate = async (): Promise<Candidate> => {
    const keystore = memoryKeystore(world.random);
    const auth = new Auth({
      keystore,
      opaque: fakeOpaqueClient,
      clock,
      random: world.random.bytes,
      label: 'a laptop',
    });
    return { auth, keystore, link: await connect(keystore) };
  };
  const registered = async (name: string, password?: string): Promise<Candidate> => {
    const one = await candidate();
    await one.auth.register(one.link, name, password);
    return one;
  };
  const space = async () => (await world.log.open('space')).state;
  const accountOf = async ({ keystore }: Candidate) =>
    (await space()).get<AccountRecord>('account', keystore.read().account!.id);
  const generations = ({ keystore }: Candidate): number[] =>
    keystore.read().keyring.map(({ generation }) => generation);
  const placeOf = async ({ keystore }: Candidate): Promise<SpacePlace> => {
    const state = await space();
    const device = new SigningKey(keystore.read().device.seed).public;
    const head = state.get<HeadRecord>('head', device);
    return {
      seq: (head?.seq ?? 0) + 1,
      previous: head?.id ?? null,
      clock: state.get<number>('clock', 'clock')! + 1,
    };
  };
  /** Whether a password is the account's, as a stranger may find out. */
  const opens = async (name: string, password: string): Promise<boolean> => {
    const { auth, link } = await candidate();
    return auth.prove(link, name, password, nothing).then(
      () => true,
      () => false,
    );
  };
  /** The same link, of which answers to one method are lost on their way. */
  const losing = ({ link }: Candidate, lost: string): Link =>
    ({
      server: link.server,
      hello: link.hello,
      session: {
        call: async (method: 'ping', request: object) => {
          const answer = await link.session.call(method, request);
          if (method === lost) throw new ClchatError('CLOSED');
          return answer;
        },
      },
    }) as unknown as Link;

  describe('makes an account', () => {
    it('that lives by this device alone', async () => {
      const one = await candidate();
      const id = await one.auth.register(one.link, 'alice', undefined);
      const { account, keyring, server } = one.keystore.read();
      assert.deepEqual(account, { id, name: 'alice' });
      assert.deepEqual(server, { key: world.key.public, name: 'acme' });
      assert.equal((await accountOf(one))?.password, null);
      const known = await one.link.session.call('lookup', { name: 'alice' });
      assert.deepEqual(known, { exists: true, password: false });
      const { device } = one.keystore.read();
      const key = new SigningKey(device.seed).public;
      assert.equal((await space()).get<DeviceRecord>('device', key)?.label, 'a laptop');
      const { box } = new Keyring(1, keyring[0]!.secret);
      assert.equal(toHex((await accountOf(one))!.keyring.box), toHex(box.public));
    });

    it('with a password, of which the server and the log learn nothing', async () => {
      const one = await registered('alice', 'correct horse');
      const record = one.keystore.read();
      assert.equal(record.account?.passwordVersion, 1);
      assert.equal(await matchesPassword(record, 'correct horse'), true);
      assert.equal(await matchesPassword(record, 'battery staple'), false);
      assert.equal(await opens('alice', 'correct horse'), true);
      assert.equal(await opens('alice', 'battery staple'), false);
      for await (const [key, value] of world.store.entries({ from: '!', until: '\u007f' }))
        assert.ok(!Buffer.from(value).includes('correct horse'), key);
    });

    it('under a free name, and is nobody where it is not', async () => {
      await registered('alice', 'secret');
      for (const password of [undefined, 'other']) {
        const other = await candidate();
        const call = other.auth.register(other.link, 'Alice', password);
        await assert.rejects(call, { code: 'NAME_TAKEN' });
        assert.equal(other.keystore.read().account, undefined);
        await other.auth.register(other.link, `free ${password}`.replace(' ', '-'), password);
        assert.deepEqual(generations(other), [1]);
      }
    });

    it('by invitation only where the server is so', async () => {
      await world.close();
      await world.open({ inviteOnly: true });
      await registered('admin');
      const other = await candidate();
      const call = other.auth.register(other.link, 'alice', undefined);
      await assert.rejects(call, { code: 'CODE_REQUIRED' });
      assert.equal(other.keystore.read().account, undefined);
    });

    it('that is still this device’s where the answer was lost', async () => {
      const one = await candidate();
      const call = one.auth.register(losing(one, 'signup'), 'alice', undefined);
      await assert.rejects(call, { code: 'CLOSED' });
      const again = await connect(one.keystore);
      assert.equal(again.hello.account?.name, 'alice');
      // Kept apart until the server says so; see registration.test.ts.
      const { account, keyring, aside } = one.keystore.read();
      assert.deepEqual([account, keyring], [undefined, []]);
      assert.deepEqual(
        aside?.map((known) => [
          known.account.id,
          known.keyring.map(({ generation }) => generation),
        ]),
        [[again.hello.account.id, [1]]],
      );
    });
  });

  describe('proves a password', () => {
    it('that is right, and gets what opens the keyring', async () => {
      const alice = await registered('alice', 'secret');
      const { auth, link, keystore } = await candidate();
      const proof = await auth.prove(link, 'ALICE', 'secret', nothing);
      const { account } = alice.keystore.read();
      assert.deepEqual(
        [proof.account, proof.name, proof.generation, proof.passwordVersion],
        [account?.id, 'alice', 1, 1],
      );
      assert.equal(keystore.read().account, undefined, 'it is not logged in by that');
    });

    it('but no wrong one, and tells when that has locked the account', async () => {
      await registered('alice', 'secret');
      const { auth, link } = await candidate();
      const locked: number[] = [];
      const prove = (password: string) =>
        auth.prove(link, 'alice', password, (seconds) => locked.push(seconds));
      for (let attempt = 1; attempt <= 2; attempt++) {
        const wrong = { code: 'BAD_PASSWORD', data: { lockedSeconds: 0 } };
        await assert.rejects(prove('guess'), wrong);
        assert.deepEqual(locked, []);
      }
      await assert.rejects(prove('guess'), {
        code: 'BAD_PASSWORD',
        message: 'Wrong password. The account is locked for 60 seconds.',
        data: { lockedSeconds: 60 },
      });
      assert.deepEqual(locked, [60]);
      await assert.rejects(prove('secret'), { code: 'LOCKED' });
      clock.shift += 61_000;
      await prove('secret');
      assert.deepEqual(locked, [60]);
    });

    it('of nobody, nor of who has none', async () => {
      await registered('alice');
      const { auth, link } = await candidate();
      const prove = (name: string) => auth.prove(link, name, 'x', nothing);
      await assert.rejects(prove('nobody'), { code: 'NO_SUCH_USER' });
      await assert.rejects(prove('alice'), { code: 'DENIED' });
    });
  });

  describe('adds this device to an account', () => {
    it('by its password, and has its keyring', async () => {
      const alice = await registered('alice', 'secret');
      const phone = await candidate();
      const id = await phone.auth.enrol(phone.link, 'alice', 'secret', nothing);
      assert.equal(id, alice.keystore.read().account?.id);
      const [hers, its] = [alice.keystore.read(), phone.keystore.read()];
      assert.deepEqual(its.keyring, hers.keyring);
      assert.deepEqual(its.server, hers.server);
      assert.equal(await matchesPassword(its, 'secret'), true);
      const { devices } = await phone.link.session.call('online', {});
      assert.equal(devices.length, 2);
      const again = await connect(phone.keystore);
      assert.equal(again.hello.account?.id, id);
    });

    it('not by a wrong one', async () => {
      await registered('alice', 'secret');
      const phone = await candidate();
      const call = phone.auth.enrol(phone.link, 'alice', 'guess', nothing);
      await assert.rejects(call, { code: 'BAD_PASSWORD' });
      const { account, keyring } = phone.keystore.read();
      assert.deepEqual([account, keyring], [undefined, []]);
    });

    it('not where the password opens no keyring', async () => {
      await registered('alice', 'secret');
      const phone = await candidate();
      const prove = phone.auth.prove.bind(phone.auth);
      for (const wrap of [null, new Uint8Array(80)]) {
        phone.auth.prove = async (...args) => ({ ...(await prove(...args)), wrap });
        const call = phone.auth.enrol(phone.link, 'alice', 'secret', nothing);
        await assert.rejects(call, { code: 'DATA_CORRUPT' });
        assert.equal(phone.keystore.read().account, undefined);
      }
    });
  });

  describe('changes the password', () => {
    const change = async (
      one: Candidate,
      old: string | undefined,
      fresh: string,
      onLocked: (seconds: number) => void = nothing,
    ): Promise<void> => {
      const { account, keyring } = one.keystore.read();
      const { generation, secret } = keyring.at(-1)!;
      const about = {
        name: account!.name,
        old,
        fresh,
        keyring: new Keyring(generation, secret),
        version: account!.passwordVersion ?? 0,
      };
      await one.auth.changePassword(one.link, about, await placeOf(one), onLocked);
    };

    it('of an account that has one, by it', async () => {
      const alice = await registered('alice', 'old');
      await change(alice, 'old', 'new');
      assert.equal(await opens('alice', 'old'), false);
      assert.equal(await opens('alice', 'new'), true);
      const record = alice.keystore.read();
      assert.equal(record.account?.passwordVersion, 2);
      assert.equal(await matchesPassword(record, 'new'), true);
      assert.equal((await accountOf(alice))?.passwordVersion, 2);
      // The new one opens the keyring.
      const phone = await candidate();
      await phone.auth.enrol(phone.link, 'alice', 'new', nothing);
      assert.deepEqual(phone.keystore.read().keyring, record.keyring);
    });

    it('of an account that had none', async () => {
      const alice = await registered('alice');
      await change(alice, undefined, 'first');
      assert.equal(await opens('alice', 'first'), true);
      assert.equal(alice.keystore.read().account?.passwordVersion, 1);
    });

    it('not by a wrong one, and all is as before', async () => {
      const alice = await registered('alice', 'old');
      const locked: number[] = [];
      for (let attempt = 0; attempt < 3; attempt++)
        await assert.rejects(
          change(alice, 'guess', 'new', (seconds) => locked.push(seconds)),
          { code: 'BAD_PASSWORD' },
        );
      assert.deepEqual(locked, [60]);
      clock.shift += 61_000;
      assert.equal(await opens('alice', 'old'), true);
      assert.equal(await matchesPassword(alice.keystore.read(), 'old'), true);
    });

    it('and remembers one that the server has found right', async () => {
      const alice = await registered('alice', 'old');
      await alice.auth.remember('new', 7);
      const record = alice.keystore.read();
      assert.equal(record.account?.passwordVersion, 7);
      assert.equal(await matchesPassword(record, 'new'), true);
      const nobody = await candidate();
      await nobody.auth.remember('new', 7);
      assert.equal(nobody.keystore.read().account, undefined);
    });
  });

  describe('recovers an account', () => {
    const CODE = 'a-one-time-code';
    let admin: Peer;
    let bob: Candidate;

    beforeEach(async () => {
      admin = await world.member('admin');
      await world.server.crown('admin');
      await admin.open();
      bob = await registered('bob', 'forgotten');
      const { account } = bob.keystore.read();
      const body = { account: account!.id, verifier: codeVerifier(CODE) };
      const entry = admin.member.write('space', 'reset', body, { time: clock.now() });
      assert.deepEqual(await admin.submit(entry), ['sealed']);
    });

    it('by a code, with a new password and a new keyring', async () => {
      const fresh = await candidate();
      const id = await fresh.auth.recover(fresh.link, 'bob', CODE, 'new', FIRST_PLACE);
      assert.equal(id, bob.keystore.read().account?.id);
      assert.deepEqual(generations(fresh), [2]);
      assert.equal((await accountOf(fresh))?.keyring.generation, 2);
      assert.equal(await opens('bob', 'forgotten'), false);
      assert.equal(await opens('bob', 'new'), true);
      assert.equal((await connect(fresh.keystore)).hello.account?.name, 'bob');
    });

    it('on a device of the account too, whose chain goes on', async () => {
      const place = await placeOf(bob);
      assert.equal(place.seq, 2);
      await bob.auth.recover(bob.link, 'bob', CODE, 'new', place);
      assert.deepEqual(generations(bob), [1, 2]);
      assert.equal((await placeOf(bob)).seq, 3);
      assert.equal(bob.keystore.read().account?.verifier, undefined, 'the old one is forgotten');
    });

    it('not by a wrong code, nor twice by a right one', async () => {
      const fresh = await candidate();
      const recover = (code: string, name = 'bob') =>
        fresh.auth.recover(fresh.link, name, code, 'new', FIRST_PLACE);
      await assert.rejects(recover('a-wrong-code'), { code: 'BAD_CODE' });
      await assert.rejects(recover(CODE, 'admin'), { code: 'BAD_CODE' });
      await assert.rejects(recover(CODE, 'nobody'), { code: 'NO_SUCH_USER' });
      assert.equal(fresh.keystore.read().account, undefined);
      assert.equal(await opens('bob', 'forgotten'), true);
      await recover(CODE);
      await assert.rejects(recover(CODE), { code: 'BAD_CODE' });
    });
  });

  it('keeps one keyring of each generation', () => {
    const [one, two] = [1, 2].map((generation) => Keyring.create(generation, world.random.bytes));
    const other = Keyring.create(1, world.random.bytes);
    const kept = withKeyring(withKeyring(withKeyring([], one!), two!), other);
    assert.deepEqual(
      kept.map(({ generation, secret }) => [generation, toHex(secret)]),
      [
        [2, toHex(two!.secret)],
        [1, toHex(other.secret)],
      ],
    );
  });
});

import assert from 'node:assert/strict';
import { encodeEntry } from '../../../lib/crdt/entry.ts';
import type { AccountId } from '../../../lib/crdt/keys.ts';
import { codeVerifier } from '../../../lib/crdt/space.ts';
import { ClchatError, textOf } from '../../../lib/errors.ts';
import type { ServerOptions } from '../../../lib/node/server/server.ts';
import { Vault } from '../../../lib/node/vault.ts';
import { FakeMailer } from '../../support/admin-stage.ts';
import { eventually } from '../../support/channels.ts';
import { ShiftedClock, World, type Peer } from '../../support/roles.ts';
import { newUser, prove, register } from './passwords.ts';

const NOBODY = 'f'.repeat(32) as AccountId;
const ADDRESS = 'dora@example.org';

describe('administration at the server', () => {
  let world: World;
  let mailer: FakeMailer;
  let root: Peer;
  let bob: Peer;

  async function begin(options: Partial<ServerOptions> = {}): Promise<void> {
    world = await World.start({ mailer, ...options });
    root = await world.member('root');
    bob = await world.member('bob');
    await root.open();
    await world.server.crown('root');
  }
  beforeEach(() => {
    mailer = new FakeMailer();
    return begin();
  });
  afterEach(async () => {
    await world.stop();
    assert.deepEqual(world.faults, []);
  });

  /** The vault of the server, looked into from beside. */
  const vault = (): Vault => new Vault(world.store, new Uint8Array(32).fill(9), world.random.bytes);
  async function secretsOf(account: AccountId): Promise<string[]> {
    const names: string[] = [];
    for await (const name of vault().names('')) if (name.endsWith(account)) names.push(name);
    return names.sort();
  }

  describe('makes accounts', () => {
    it('whose password opens the keyring that came with them', async () => {
      const { keyring, request } = await newUser(world, root, 'dora');
      const { account, mailed } = await root.session.call('createUser', request);
      assert.equal(mailed, false);
      const proof = await prove(await world.peer(), 'dora', 'first');
      assert.deepEqual([proof?.account, proof?.generation], [account, keyring.generation]);
    });

    it('under a name that is free, by those who may', async () => {
      const start = (by: Peer, name: string): Promise<unknown> =>
        by.session.call('createUserStart', { name, request: new Uint8Array(32) });
      await assert.rejects(start(bob, 'dora'), { code: 'DENIED', message: /"createUser"/ });
      await assert.rejects(start(await world.peer(), 'dora'), { code: 'NOT_LOGGED_IN' });
      await assert.rejects(start(root, 'BOB'), {
        code: 'NAME_TAKEN',
        message: textOf('NAME_TAKEN'),
      });
      await assert.rejects(start(root, 'b\u043eb'), { code: 'NAME_TAKEN', message: /"bob"/ });
    });

    it('only with the password that was registered, and only as the rules allow', async () => {
      const { request } = await newUser(world, root, 'dora');
      root.member.rewind('space', undefined);
      const other = await newUser(world, root, 'eve');
      await assert.rejects(root.session.call('createUser', request), { code: 'BAD_ENTRY' });
      // By its own device alone.
      await assert.rejects(bob.session.call('createUser', other.request), { code: 'BAD_ENTRY' });
      // Nor past the session.
      assert.deepEqual(await root.submit(other.entry), ['DENIED']);
    });

    it('and has nothing of one that is refused', async () => {
      const { entry, request } = await newUser(world, root, 'you');
      await assert.rejects(root.session.call('createUser', { ...request, email: ADDRESS }), {
        code: 'BAD_NAME',
      });
      assert.deepEqual(await secretsOf(entry.id.slice(0, 32) as AccountId), []);
    });

    it('and mails the password where it is told one and an address', async () => {
      const start = await root.session.call('createUserStart', {
        name: 'x',
        request: new Uint8Array(32),
      });
      assert.equal(start.mails, true);
      const { request } = await newUser(world, root, 'dora');
      const asked = { ...request, email: ADDRESS, password: 'AAAA-BBBB' };
      const { account, ...mailing } = await root.session.call('createUser', asked);
      assert.deepEqual(mailing, { mailed: true });
      assert.deepEqual(
        mailer.mails.map(({ to }) => to),
        [ADDRESS],
      );
      assert.match(mailer.mails[0]?.text ?? '', /AAAA-BBBB/);
      assert.match(mailer.mails[0]?.subject ?? '', /acme/);
      assert.deepEqual(await secretsOf(account), [`email ${account}`, `password ${account}`]);
      mailer.failure = new ClchatError('MAIL', `Too bad. ${'x'.repeat(400)}`);
      const next = await newUser(world, root, 'eve');
      const failed = await root.session.call('createUser', {
        ...next.request,
        email: ADDRESS,
        password: 'AAAA-BBBB',
      });
      // The account is there all the same.
      assert.equal(failed.mailed, false);
      assert.match(failed.problem ?? '', /^Too bad\. x{100}/);
      assert.ok(await prove(await world.peer(), 'eve', 'first'));
    });

    it('and says that it sends no mails where it does not', async () => {
      await world.stop();
      await begin({ mailer: undefined });
      const { request } = await newUser(world, root, 'dora');
      const asked = { ...request, email: ADDRESS, password: 'AAAA-BBBB' };
      const { mailed, problem } = await root.session.call('createUser', asked);
      assert.deepEqual([mailed, problem], [false, undefined]);
      const { mails } = await root.session.call('createUserStart', {
        name: 'eve',
        request: new Uint8Array(32),
      });
      assert.equal(mails, false);
    });

    it('many at once, and then at a bounded rate', async () => {
      await world.stop();
      const clock = new ShiftedClock();
      await begin({ clock });
      const request = new Uint8Array(32);
      const start = () => root.session.call('createUserStart', { name: 'dora', request });
      for (let attempt = 0; attempt < 100; attempt++) await start();
      const more = async (): Promise<number> => {
        for (let attempt = 0; ; attempt++)
          if (!(await start().then(Boolean, (error: { code: string }) => refused(error))))
            return attempt;
      };
      const refused = ({ code }: { code: string }): boolean => {
        assert.equal(code, 'RATE_LIMITED');
        return false;
      };
      await more();
      clock.shift += 2_000;
      assert.ok((await more()) >= 20);
      // What one registers for oneself has a rate of its own.
      await register(await world.peer('eve'), 'secret');
    });
  });

  describe('keeps addresses', () => {
    const set = (by: Peer, account: AccountId, email: string | null): Promise<unknown> =>
      by.session.call('setEmail', { account, email });

    it('of oneself, and of others by permission', async () => {
      const { account } = bob.member;
      await set(bob, account, ADDRESS);
      assert.deepEqual(await secretsOf(account), [`email ${account}`]);
      await set(root, account, 'other@example.org');
      await set(bob, account, null);
      assert.deepEqual(await secretsOf(account), []);
      await assert.rejects(set(bob, root.member.account, ADDRESS), {
        code: 'DENIED',
        message: /"renameUser"/,
      });
      await assert.rejects(set(root, NOBODY, ADDRESS), { code: 'NO_SUCH_USER' });
      await assert.rejects(set(await world.peer(), account, ADDRESS), { code: 'NOT_LOGGED_IN' });
    });

    it('and nothing else', async () => {
      const peer = await world.member('cat');
      await assert.rejects(set(peer, peer.member.account, 'a@b\nBcc: c@d'), {
        code: 'BAD_MESSAGE',
      });
    });
  });

  describe('mails codes', () => {
    const mail = (by: Peer, account: AccountId, code: string) =>
      by.session.call('mailReset', { account, code });

    it('of the last reset, to its account', async () => {
      const { account } = bob.member;
      await bob.session.call('setEmail', { account, email: ADDRESS });
      await assert.rejects(mail(root, account, 'AAAA'), { code: 'BAD_CODE' });
      const reset = root.member.write('space', 'reset', {
        account,
        verifier: codeVerifier('AAAA'),
      });
      assert.deepEqual(await root.submit(reset), ['sealed']);
      await assert.rejects(mail(root, account, 'BBBB'), { code: 'BAD_CODE' });
      assert.deepEqual(await mail(root, account, 'AAAA'), { mailed: true });
      assert.match(mailer.mails[0]?.text ?? '', /AAAA/);
      // Nobody else sends mails to others.
      await assert.rejects(mail(bob, account, 'AAAA'), { code: 'DENIED' });
      await assert.rejects(mail(root, NOBODY, 'AAAA'), { code: 'NO_SUCH_USER' });
      mailer.failure = new Error('secret');
      assert.deepEqual(await mail(root, account, 'AAAA'), {
        mailed: false,
        problem: textOf('INTERNAL'),
      });
    });

    it('to no account that has no address', async () => {
      const { account } = bob.member;
      const reset = root.member.write('space', 'reset', {
        account,
        verifier: codeVerifier('AAAA'),
      });
      await root.submit(reset);
      assert.deepEqual(await mail(root, account, 'AAAA'), { mailed: false });
      assert.deepEqual(mailer.mails, []);
    });
  });

  describe('puts people out', () => {
    const kick = (by: Peer, account: AccountId): Promise<unknown> =>
      by.session.call('kick', { account });
    const heard = (peer: Peer, reason: string) =>
      eventually(`logout ${reason}`, () =>
        peer.heard.some((one) => (one as { reason?: string }).reason === reason),
      );

    it('by those who may, of their level or below, and not oneself', async () => {
      await assert.rejects(kick(bob, root.member.account), { code: 'DENIED' });
      await assert.rejects(kick(root, root.member.account), { code: 'SELF' });
      await assert.rejects(kick(root, NOBODY), { code: 'NO_SUCH_USER' });
      await kick(root, bob.member.account);
      await heard(bob, 'kicked');
      await assert.rejects(bob.session.call('whoelse', {}), { code: 'NOT_LOGGED_IN' });
      await bob.session.call('login', {});
      assert.deepEqual((await bob.session.call('whoelse', {})).users, ['root']);
    });

    it('with a ban or the end of the account, and lets no other device of it in', async () => {
      const cat = await world.peer('cat');
      const exportKey = await register(cat, 'secret');
      const second = await world.peer('cat', cat.member.device());
      const proof = await prove(second, 'cat', 'secret');
      assert.ok(proof !== undefined && exportKey.length > 0);
      // The password was proved before the ban, and counts no more after it.
      const { account } = cat.member;
      assert.deepEqual(
        await root.submit(root.member.write('space', 'ban', { account, until: 0 })),
        ['sealed'],
      );
      await heard(cat, 'banned');
      const entry = encodeEntry(second.member.enrolment());
      await assert.rejects(second.session.call('enrol', { entry }), { code: 'BANNED' });
      await assert.rejects(second.session.call('whoelse', {}), { code: 'NOT_LOGGED_IN' });
      for (const device of [cat, second])
        await assert.rejects(device.session.call('login', {}), { code: 'BANNED' });
      const unban = root.member.write('space', 'unban', { account });
      const remove = root.member.write('space', 'removeuser', { account, vengeance: false });
      assert.deepEqual(await root.submit(unban), ['sealed']);
      await cat.session.call('login', {});
      assert.deepEqual(await root.submit(remove), ['sealed']);
      await heard(cat, 'removed');
      await assert.rejects(cat.session.call('login', {}), { code: 'REVOKED' });
      await assert.rejects(prove(second, 'cat', 'secret'), { code: 'NO_SUCH_USER' });
    });
  });

  describe('forgets the secrets of an account that is removed', () => {
    const remove = (account: AccountId): Promise<string[]> =>
      root.submit(root.member.write('space', 'removeuser', { account, vengeance: false }));

    it('at once', async () => {
      const { request } = await newUser(world, root, 'dora');
      const { account } = await root.session.call('createUser', { ...request, email: ADDRESS });
      assert.equal((await secretsOf(account)).length, 2);
      assert.deepEqual(await remove(account), ['sealed']);
      await eventually('its secrets are gone', async () => (await secretsOf(account)).length === 0);
    });

    it('at the next start where a crash came in between', async () => {
      const { account } = bob.member;
      await remove(account);
      const kept = vault().put(`email ${account}`, ADDRESS);
      await world.close();
      const store = world.disk.open();
      await store.write([kept], { sync: true });
      await store.close();
      await world.open();
      assert.deepEqual(await secretsOf(account), []);
    });
  });

  it('has nothing done by whoever has to change the password first', async () => {
    const { request, keyring } = await newUser(world, root, 'dora', { group: 'admin' });
    const { account } = await root.session.call('createUser', { ...request, email: ADDRESS });
    const dora = await world.peer('dora');
    dora.member.account = account;
    dora.member.keyring = keyring;
    await prove(dora, 'dora', 'first');
    await dora.session.call('enrol', { entry: encodeEntry(dora.member.enrolment()) });
    const asked: (() => Promise<unknown>)[] = [
      () => dora.session.call('kick', { account: bob.member.account }),
      () => dora.session.call('setEmail', { account, email: null }),
      () => dora.session.call('mailReset', { account, code: 'AAAA' }),
      () => dora.session.call('createUserStart', { name: 'x', request: new Uint8Array(32) }),
    ];
    for (const ask of asked) await assert.rejects(ask(), { code: 'MUST_CHANGE' });
    assert.deepEqual(
      bob.heard.filter((one) => 'reason' in (one as object)),
      [],
    );
  });
});

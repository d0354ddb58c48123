import assert from 'node:assert/strict';
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Found } from '../../lib/app/finding.ts';
import { Places, runningDirectories } from '../../lib/app/places.ts';
import type { PublicKey } from '../../lib/crdt/keys.ts';
import type { Transport } from '../../lib/node/channel.ts';
import type { About, Profile } from '../../lib/node/profile.ts';
import { temporary } from '../support/temporary.ts';

const ACME = 'ab'.repeat(32) as PublicKey;
const OTHER = 'cd'.repeat(32) as PublicKey;
const about = (user: string, server = ACME, serverName = 'acme'): About & { user: string } => ({
  server,
  serverName,
  user,
});
const found = (key = ACME, join?: Found['join']): Found => ({
  key,
  name: 'acme',
  addresses: () => [],
  stop: () => undefined,
  ...(join === undefined ? {} : { join }),
});

describe('places', () => {
  const { newDirectory } = temporary();
  let home: string;
  /** Where profiles lie when no directory is given. */
  let root: string;
  let data: string;
  let before: string | undefined;

  beforeEach(async () => {
    home = await newDirectory();
    root = join(home, 'clchat');
    data = join(await newDirectory(), 'data');
    before = process.env['XDG_DATA_HOME'];
    process.env['XDG_DATA_HOME'] = home;
  });
  afterEach(() => {
    if (before === undefined) delete process.env['XDG_DATA_HOME'];
    else process.env['XDG_DATA_HOME'] = before;
  });

  /** Where the profile is; it is closed again. */
  async function at(opening: Promise<Profile>): Promise<string> {
    const profile = await opening;
    await profile.close();
    return profile.directory;
  }

  /** Makes the profile that a user gets, as a login does. */
  async function make(places: Places, facts: About & { user: string }): Promise<string> {
    const profile = await places.client(found(facts.server), facts.user);
    await profile.describe(facts);
    await profile.close();
    return profile.directory;
  }

  describe('without a given directory', () => {
    const places = (): Places => new Places(undefined);

    it('are one for each server and for each user of it', async () => {
      assert.equal(await at(places().server('acme')), join(root, 'servers', 'acme'));
      const alice = await make(places(), about('alice'));
      const bob = await make(places(), about('bob'));
      const elsewhere = await make(places(), about('alice', OTHER));
      assert.equal(new Set([alice, bob, elsewhere]).size, 3);
      for (const directory of [alice, bob, elsewhere])
        assert.ok(directory.startsWith(join(root, 'profiles')), directory);
      assert.equal(await at(places().client(found(), 'ALICE')), alice);
    });

    it('are known by their user', async () => {
      assert.deepEqual(await places().known(undefined), []);
      const alice = await make(places(), about('alice'));
      const bob = await make(places(), about('bob'));
      assert.deepEqual(await places().known('Alice'), [
        { directory: alice, about: about('alice') },
      ]);
      assert.deepEqual(
        (await places().known(undefined)).map(({ directory }) => directory).sort(),
        [alice, bob].sort(),
      );
      assert.deepEqual(await places().known('carol'), []);
    });

    it('have none where a backup could be unpacked', () => {
      assert.throws(() => places().restoreTarget(), { code: 'USAGE', message: /--data DIR/ });
    });
  });

  describe('with a given directory', () => {
    const places = (): Places => new Places(data);

    it('are the directory itself for a server', async () => {
      assert.equal(await at(places().server('acme')), data);
      assert.equal(places().restoreTarget(), data);
      await assert.rejects(places().client(found(), 'alice'), { code: 'DATA_KIND' });
    });

    it('are the directory itself for its first user, and below it for others', async () => {
      const alice = await make(places(), about('alice'));
      assert.equal(alice, data);
      assert.equal(await at(places().client(found(), 'ALICE')), data);
      const bob = await make(places(), about('bob'));
      assert.ok(bob.startsWith(join(data, 'profiles')), bob);
      assert.equal(await at(places().client(found(), 'bob')), bob);
      assert.equal(await at(places().client(found(), 'alice')), data);
    });

    it('are below it for who is at the console of the server', async () => {
      const inside = found(ACME, () => ({}) as Transport);
      assert.equal(await at(places().server('acme')), data);
      const root = await at(places().client(inside, 'root'));
      assert.ok(root.startsWith(join(data, 'profiles')), root);
    });

    it('are of one server only', async () => {
      await make(places(), about('alice'));
      for (const user of ['alice', 'bob'])
        await assert.rejects(places().client(found(OTHER), user), {
          code: 'SERVER_KEY_CHANGED',
          message: /belongs to the server "acme" with another key/,
        });
    });

    it('are known, those below it too', async () => {
      await make(places(), about('alice'));
      const bob = await make(places(), about('bob'));
      assert.deepEqual(await places().known(undefined), [
        { directory: data, about: about('alice') },
        { directory: bob, about: about('bob') },
      ]);
      assert.deepEqual(
        (await places().known('BOB')).map(({ directory }) => directory),
        [bob],
      );
      assert.deepEqual(
        (await places().known('alice')).map(({ directory }) => directory),
        [data],
      );
    });

    it('touch nothing outside of it', async () => {
      await make(places(), about('alice'));
      await places().trust('acme', found());
      await assert.rejects(readFile(join(root, 'known_servers')), { code: 'ENOENT' });
      assert.match(await readFile(join(data, 'known_servers'), 'utf8'), /^acme /m);
    });
  });

  describe('of servers that were met', () => {
    it('have the key that they had, or are refused with what to do', async () => {
      const places = new Places(undefined);
      await places.trust('10.0.0.1:49152', { key: ACME, name: 'acme' });
      await places.trust('10.0.0.1:49152', { key: ACME, name: 'another name' });
      await places.trust('10.0.0.2:49152', { key: OTHER, name: 'acme' });
      const file = join(root, 'known_servers');
      await assert.rejects(
        places.trust('10.0.0.1:49152', { key: OTHER, name: 'acme' }),
        (error: Error & { code?: string }) =>
          error.code === 'SERVER_KEY_CHANGED' &&
          error.message.startsWith('WARNING: the server at "10.0.0.1:49152" has another key') &&
          error.message.includes(file),
      );
      // It is refused again, and the key from before is still the right one.
      await assert.rejects(places.trust('10.0.0.1:49152', found(OTHER)));
      await places.trust('10.0.0.1:49152', found());
    });

    it('are found by the address where they were met, at any port where it names none', async () => {
      const places = new Places(undefined);
      const met = async (connect: string): Promise<string[]> =>
        (await new Places(undefined).metAt(connect)).map(({ key }) => key);
      assert.deepEqual(await met('10.0.0.1'), []);
      await places.trust('10.0.0.1:80', { key: ACME, name: 'acme' });
      await places.trust('10.0.0.1:81', { key: OTHER, name: 'zoo' });
      await places.trust('10.0.0.11:80', { key: OTHER, name: 'zoo' });
      assert.deepEqual(await met('10.0.0.1:80'), [ACME]);
      assert.deepEqual(await met('10.0.0.1:82'), []);
      assert.deepEqual(await met('10.0.0.1'), [ACME, OTHER]);
      await assert.rejects(met('acme'), { code: 'BAD_ADDRESS' });
    });

    it('may have lines in the file that nobody understands', async () => {
      const places = new Places(undefined);
      await places.trust('10.0.0.1:80', found());
      await appendFile(join(root, 'known_servers'), '10.0.0.2:80 not-a-key zoo\n\u0000\n');
      assert.deepEqual(await places.metAt('10.0.0.2:80'), []);
      await places.trust('10.0.0.2:80', found(OTHER));
      assert.equal((await places.metAt('10.0.0.2:80'))[0]?.key, OTHER);
      assert.equal((await places.metAt('10.0.0.1:80'))[0]?.key, ACME);
    });
  });

  describe('to begin from while the server is away', () => {
    it('are of the server that was last met there', async () => {
      const places = new Places(undefined);
      await make(places, about('alice', OTHER, 'zoo'));
      const acme = await make(places, about('alice'));
      await places.trust('10.0.0.1:49152', found());
      const known = await places.known('alice');
      const meant = async (where: { connect?: string; server?: string }) =>
        (await places.meant(known, where))?.directory;
      assert.equal(await meant({ connect: '10.0.0.1:49152' }), acme);
      assert.equal(await meant({ connect: '10.0.0.9:49152' }), undefined);
      assert.equal(await meant({ server: 'acme' }), acme);
      assert.equal(await meant({ server: 'nobody' }), undefined);
      assert.equal(await meant({}), known[0]?.directory);
      assert.equal(await places.meant([], {}), undefined);
    });

    it('are the given directory, whatever the address: servers move', async () => {
      const places = new Places(data);
      await make(places, about('alice'));
      const known = await places.known('alice');
      assert.equal((await places.meant(known, { connect: '10.9.9.9:1' }))?.directory, data);
      assert.equal(await places.meant(known, { server: 'zoo' }), undefined);
    });
  });

  describe('where a process may already run', () => {
    const running = (given: string | undefined, user?: string): Promise<string[]> =>
      runningDirectories({ data: given, user });

    it('are those of the user', async () => {
      assert.deepEqual(await running(undefined), []);
      const alice = await make(new Places(undefined), about('alice'));
      await make(new Places(undefined), about('bob'));
      assert.deepEqual(await running(undefined, 'alice'), [alice]);
      assert.equal((await running(undefined)).length, 2);
    });

    it('are the given directory first, though it does not say whose it is, and each once', async () => {
      assert.deepEqual(await running(data), [data]);
      await make(new Places(data), about('alice'));
      assert.deepEqual(await running(data), [data]);
      const bob = await make(new Places(data), about('bob'));
      assert.deepEqual(await running(data, 'bob'), [data, bob]);
    });
  });

  it('survive what else lies there', async () => {
    const places = new Places(data);
    await mkdir(join(data, 'profiles'), { recursive: true });
    for (const content of ['', '{', '[]', '{"user":"x"}', '{"server":1}']) {
      await writeFile(join(data, 'about.json'), content);
      await writeFile(join(data, 'profiles', 'a file'), content);
      assert.deepEqual(await places.known(undefined), []);
    }
    assert.equal(await at(places.client(found(), 'alice')), data);
  });
});

import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import fc from 'fast-check';
import type { PublicKey } from '../../lib/crdt/keys.ts';
import { fold, isName } from '../../lib/text.ts';
import {
  defaultDataDirectory,
  draftProfile,
  findProfiles,
  openClientProfile,
  openProfile,
  openServerProfile,
  readAbout,
  slug,
  type Profile,
} from '../../lib/node/profile.ts';
import { put, text } from '../support/store-contract.ts';
import { temporary } from '../support/temporary.ts';

const SERVER = 'ab'.repeat(32) as PublicKey;
const OTHER = 'cd'.repeat(32) as PublicKey;
const random = (length: number): Uint8Array => Uint8Array.from(randomBytes(length));
const about = (user: string, server = SERVER) => ({ server, serverName: 'acme', user });

describe('profile', () => {
  const { newDirectory } = temporary();
  let root: string;
  let opened: Profile[];
  const keep = <P extends Profile>(profile: P): P => {
    opened.push(profile);
    return profile;
  };
  beforeEach(async () => {
    root = await newDirectory();
    opened = [];
  });
  afterEach(() => Promise.all(opened.map((profile) => profile.close())));
  const alice = async (): Promise<Profile> =>
    keep(await openClientProfile(root, { server: SERVER, user: 'alice' }));

  it('lies where the system keeps such data', () => {
    const linux = (environment: NodeJS.ProcessEnv): string =>
      defaultDataDirectory(environment, 'linux', '/home/zoe');
    assert.equal(linux({}), '/home/zoe/.local/share/clchat');
    assert.equal(linux({ XDG_DATA_HOME: '/data' }), '/data/clchat');
    for (const ignored of ['', 'relative/path'])
      assert.equal(linux({ XDG_DATA_HOME: ignored }), '/home/zoe/.local/share/clchat');
    assert.equal(
      defaultDataDirectory({}, 'darwin', '/Users/zoe'),
      '/Users/zoe/Library/Application Support/clchat',
    );
    assert.equal(
      defaultDataDirectory({ LOCALAPPDATA: '/c/local' }, 'win32', '/c/zoe'),
      '/c/local/clchat',
    );
    assert.equal(defaultDataDirectory({}, 'win32', '/c/zoe'), '/c/zoe/AppData/Local/clchat');
  });

  describe('slug', () => {
    it('is the name itself where that is plain', () => {
      for (const name of ['alice', 'a', 'x_1', 'a-b-c', 'the-2nd', '4chan'])
        assert.equal(slug(name), name);
      assert.equal(slug('Alice'), 'alice');
    });

    it('is marked where the name is not plain, or could be taken for something else', () => {
      for (const name of [
        '..',
        '.',
        '.ssh',
        'a.b',
        'bob-2',
        'con',
        'LPT1',
        'zoë',
        '-x',
        '~',
        'x y',
        '',
      ])
        assert.match(slug(name), /^[a-z0-9_]{0,16}~[0-9a-f]{16}$/, name);
      assert.match(slug('Zoë'), /^zo_~/);
    });

    it('is one and the same for names that compare equal, and differs otherwise', () => {
      fc.assert(
        fc.property(
          fc.string({ unit: 'grapheme', maxLength: 40 }),
          fc.string({ unit: 'grapheme', maxLength: 40 }),
          (one, other) => {
            assert.equal(slug(one) === slug(other), fold(one) === fold(other));
            assert.equal(slug(one), slug(one.normalize('NFD')));
          },
        ),
      );
      assert.equal(slug('ZOË'), slug('zoe\u0308'));
    });

    it('never leaves its directory, whatever the name', () => {
      fc.assert(
        fc.property(
          fc.oneof(
            fc.string({ unit: 'binary' }),
            fc.stringMatching(/^[./\\~:a-z0-9 -]{0,40}$/),
            fc.string({ unit: 'grapheme' }).filter(isName),
          ),
          (name) => {
            assert.match(slug(name), /^[a-z0-9_~-]{1,40}$/);
            assert.equal(relative('/top', join('/top', slug(name))), slug(name));
          },
        ),
        { numRuns: 1_000 },
      );
    });
  });

  describe('of a client', () => {
    it('is used again', async () => {
      const first = await alice();
      assert.equal(relative(root, first.directory), join('profiles', SERVER.slice(0, 20), 'alice'));
      await first.store.write([put('a', 'kept')], { sync: true });
      await first.close();
      const again = await alice();
      assert.equal(again.directory, first.directory);
      assert.equal(text(again.store.get('a')), 'kept');
      assert.equal((await stat(again.directory)).mode & 0o777, 0o700);
    });

    it('is another for every process at a time, and for other users and servers', async () => {
      const [one, two, three] = [await alice(), await alice(), await alice()];
      assert.deepEqual(
        [one, two, three].map(({ directory }) => basename(directory)),
        ['alice', 'alice-2', 'alice-3'],
      );
      await two.close();
      assert.equal((await alice()).directory, two.directory);
      const bob = keep(await openClientProfile(root, { server: SERVER, user: 'bob' }));
      const there = keep(await openClientProfile(root, { server: OTHER, user: 'alice' }));
      assert.equal(new Set([one, two, three, bob, there].map((p) => p.directory)).size, 5);
    });

    it('prefers one that is there to a gap', async () => {
      const [one, two] = [await alice(), await alice()];
      await one.close();
      await two.close();
      await rm(one.directory, { recursive: true });
      assert.equal((await alice()).directory, two.directory);
      assert.equal((await alice()).directory, one.directory);
    });

    it('comes one each when many ask at once', async () => {
      const profiles = await Promise.all(Array.from({ length: 8 }, alice));
      assert.equal(new Set(profiles.map(({ directory }) => directory)).size, 8);
    });

    describe('in another process', () => {
      let child: ChildProcess | undefined;
      afterEach(() => child?.kill('SIGKILL'));

      it('is in use until that ends, by SIGKILL too', async () => {
        child = spawn(
          process.execPath,
          ['--import', 'tsx', 'test/support/profile-holder.ts', root, SERVER],
          { stdio: ['ignore', 'pipe', 'inherit'] },
        );
        assert.ok(child.stdout);
        const [output] = (await once(child.stdout, 'data')) as [Buffer];
        const held = output.toString().trim();
        assert.equal(basename(held), 'alice');
        await assert.rejects(openProfile(held, 'client'), { code: 'DATA_IN_USE' });
        assert.equal(basename((await alice()).directory), 'alice-2');
        const ended = once(child, 'exit');
        child.kill('SIGKILL');
        await ended;
        assert.equal((await alice()).directory, held);
      });
    });
  });

  describe('of a server', () => {
    it('is found by the name', async () => {
      const first = keep(await openServerProfile(root, 'Acme'));
      assert.equal(relative(root, first.directory), join('servers', 'acme'));
      await assert.rejects(openServerProfile(root, 'acme'), { code: 'DATA_IN_USE' });
      await first.close();
      assert.equal(keep(await openServerProfile(root, 'ACME')).directory, first.directory);
    });
  });

  describe('in a directory that was named', () => {
    it('is used as it is', async () => {
      const directory = join(root, 'some', 'where');
      const first = keep(await openProfile(directory, 'client'));
      assert.equal(first.directory, directory);
      await assert.rejects(openProfile(directory, 'client'), { code: 'DATA_IN_USE' });
      await assert.rejects(openProfile(join(directory, '..', 'where'), 'client'), {
        code: 'DATA_IN_USE',
      });
    });

    it('stays of its kind, in use or not', async () => {
      for (const [kind, other, advice] of [
        ['server', 'client', /holds a server.*-ls/],
        ['client', 'server', /not a server/],
      ] as const) {
        const directory = join(root, kind);
        const profile = await openProfile(directory, kind);
        const refused = { code: 'DATA_KIND', message: advice };
        await assert.rejects(openProfile(directory, other), refused);
        await profile.close();
        await assert.rejects(openProfile(directory, other), refused);
        await (await openProfile(directory, kind)).close();
        assert.equal(await readFile(join(directory, 'kind'), 'utf8'), `${kind}\n`);
      }
    });

    it('is refused when it is no directory, or its kind is damaged', async () => {
      const file = join(root, 'file');
      await writeFile(file, '');
      for (const path of [file, join(file, 'below')])
        await assert.rejects(openProfile(path, 'client'), { code: 'NO_SUCH_FILE' });
      await mkdir(join(root, 'odd'));
      await writeFile(join(root, 'odd', 'kind'), 'toaster\n');
      await assert.rejects(openProfile(join(root, 'odd'), 'client'), { code: 'DATA_CORRUPT' });
    });
  });

  describe('search', () => {
    it('finds described profiles by server and user', async () => {
      for (const [user, server] of [
        ['alice', SERVER],
        ['alice', SERVER],
        ['Zoë', SERVER],
        ['alice', OTHER],
      ] as const) {
        const profile = keep(await openClientProfile(root, { server, user }));
        await profile.describe(about(user, server));
      }
      keep(await openClientProfile(root, { server: SERVER, user: 'silent' }));
      const users = async (wanted: { server?: PublicKey; user?: string }): Promise<string[]> =>
        (await findProfiles(root, wanted)).map(({ directory }) => basename(directory));
      assert.equal((await users({})).length, 4);
      assert.deepEqual(await users({ server: SERVER, user: 'ALICE' }), ['alice', 'alice-2']);
      assert.deepEqual(await users({ server: OTHER }), ['alice']);
      assert.equal((await users({ user: 'zoe\u0308' })).length, 1);
      assert.deepEqual(await users({ user: 'nobody' }), []);
      assert.deepEqual(await findProfiles(join(root, 'nowhere')), []);
    });

    it('passes over what is damaged', async () => {
      const profile = await alice();
      await profile.describe(about('alice'));
      assert.deepEqual(await readAbout(profile.directory), about('alice'));
      const path = join(profile.directory, 'about.json');
      await writeFile(join(root, 'profiles', 'a file'), '');
      await fc.assert(
        fc.asyncProperty(
          fc.oneof(
            fc.json(),
            fc.string(),
            fc.constant('x'.repeat(5_000)),
            fc.constant(JSON.stringify({ ...about('alice'), user: '../../etc' })),
            fc.constant(JSON.stringify({ ...about('alice'), user: '\u001b[2J' })),
          ),
          async (content) => {
            await writeFile(path, content);
            assert.deepEqual(await findProfiles(root), []);
          },
        ),
        { numRuns: 50 },
      );
    });
  });

  describe('draft', () => {
    it('takes its place once the server is known, with all that is in it', async () => {
      const draft = keep(await draftProfile(root, random));
      await draft.store.write([put('a', 'kept')], { sync: true });
      await writeFile(join(draft.directory, 'keystore'), 'secrets');
      const profile = keep(await draft.adopt(about('alice')));
      assert.equal(
        relative(root, profile.directory),
        join('profiles', SERVER.slice(0, 20), 'alice'),
      );
      assert.equal(text(profile.store.get('a')), 'kept');
      assert.equal(await readFile(join(profile.directory, 'keystore'), 'utf8'), 'secrets');
      assert.deepEqual(await readdir(join(root, 'drafts')), []);
      assert.equal((await findProfiles(root, { server: SERVER, user: 'alice' })).length, 1);
      await profile.close();
      assert.equal((await alice()).directory, profile.directory);
    });

    it('goes beside a profile that is there', async () => {
      await (await alice()).close();
      const drafts = [await draftProfile(root, random), await draftProfile(root, random)];
      const adopted = await Promise.all(drafts.map((draft) => draft.adopt(about('alice'))));
      adopted.forEach(keep);
      assert.deepEqual(adopted.map(({ directory }) => basename(directory)).sort(), [
        'alice-2',
        'alice-3',
      ]);
    });

    it('is removed when it is given up', async () => {
      const draft = await draftProfile(root, random);
      await draft.discard();
      assert.deepEqual(await readdir(join(root, 'drafts')), []);
      assert.deepEqual(await findProfiles(root), []);
    });

    it('of a process that died is removed, one in use or just made is not', async () => {
      const [abandoned, young, used] = [
        await draftProfile(root, random),
        await draftProfile(root, random),
        keep(await draftProfile(root, random)),
      ];
      await abandoned.close();
      await young.close();
      const old = new Date(Date.now() - 2 * 3_600_000);
      for (const { directory } of [abandoned, used]) await utimes(directory, old, old);
      const fresh = keep(await draftProfile(root, random));
      assert.deepEqual(
        (await readdir(join(root, 'drafts'))).sort(),
        [young, used, fresh].map(({ directory }) => basename(directory)).sort(),
      );
      await used.store.write([put('a', '')], { sync: true });
    });
  });
});

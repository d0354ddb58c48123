import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import type { PublicKey } from '../../lib/crdt/keys.ts';
import { codeOf } from '../../lib/errors.ts';
import { KnownServers } from '../../lib/node/known-servers.ts';
import { temporary } from '../support/temporary.ts';

const A = 'aa'.repeat(32) as PublicKey;
const B = 'bb'.repeat(32) as PublicKey;
const DAY = Date.UTC(2026, 10, 30, 23, 59);
const at = (place: string, key = A, name = 'acme') => ({ place, key, name, firstSeen: DAY });

describe('known servers', () => {
  const { newDirectory, newDisk } = temporary();
  let path: string;
  let known: KnownServers;
  beforeEach(async () => {
    path = join(await newDirectory(), 'known_servers');
    known = new KnownServers(path);
  });
  const content = (): Promise<string> => readFile(path, 'utf8');

  it('tells a new server from the same and from another', async () => {
    assert.equal(await known.check('10.0.0.1:49152', A), 'new');
    await known.remember(at('10.0.0.1:49152'));
    assert.equal(await known.check('10.0.0.1:49152', A), 'same');
    assert.deepEqual(await known.check('10.0.0.1:49152', B), { changed: A });
    assert.equal(await known.check('10.0.0.1:49153', A), 'new');
    assert.equal(await new KnownServers(path).check('10.0.0.1:49152', A), 'same');
  });

  it('writes lines that people can read, for the owner alone', async () => {
    await known.remember(at('10.0.0.1:49152'));
    await known.remember(at('acme', A, 'acme'));
    const lines = (await content()).split('\n');
    assert.match(lines[0] ?? '', /^# /);
    assert.equal(lines[2], `10.0.0.1:49152 ${A} acme 2026-11-30`);
    assert.equal(lines[3], `acme ${A} acme 2026-11-30`);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
  });

  it('keeps the first meeting when the same server is met again', async () => {
    await known.remember(at('acme'));
    const before = await content();
    await known.remember({ ...at('acme'), name: 'renamed', firstSeen: 0 });
    assert.equal(await content(), before);
  });

  it('replaces a key, and forgets one', async () => {
    await known.remember(at('acme'));
    await known.remember(at('other'));
    await known.remember(at('acme', B));
    assert.equal(await known.check('acme', B), 'same');
    assert.equal(await known.forget('acme'), true);
    assert.equal(await known.check('acme', B), 'new');
    assert.equal(await known.check('other', A), 'same');
    assert.equal(await known.forget('acme'), false);
    assert.match(await content(), /^# Servers/);
  });

  it('keeps comments and lines that it does not understand, in their places', async () => {
    const odd = [
      '# mine',
      '',
      'nonsense',
      `place ${A} name`,
      `place ${A.toUpperCase()} name 2026-11-30`,
      `place ${A} name yesterday`,
      '  # indented',
      `x ${A} ${'n'.repeat(3_000)} 2026-11-30`,
    ];
    await writeFile(path, [...odd, `  acme   ${A}\tname 2026-11-30  `, '# end'].join('\n'));
    assert.deepEqual(await known.list(), [
      { place: 'acme', key: A, name: 'name', firstSeen: '2026-11-30' },
    ]);
    await known.remember(at('new'));
    await known.remember(at('acme', B));
    await known.forget('new');
    const text = await content();
    assert.equal(text, [...odd, '# end', `acme ${B} acme 2026-11-30`, ''].join('\n'));
  });

  it('takes the last of several lines, as somebody may have added it', async () => {
    await writeFile(path, `acme ${A} a 2026-01-01\r\nacme ${B} b 2026-01-02\r\n`);
    assert.equal(await known.check('acme', B), 'same');
    await known.forget('acme');
    assert.equal(await content(), '');
  });

  it('loses nothing when many are met at once, by several processes', async () => {
    await known.remember(at('first'));
    await Promise.all(
      Array.from({ length: 40 }, (_, i) => new KnownServers(path).remember(at(`place-${i}`))),
    );
    assert.equal((await known.list()).length, 41);
  });

  it('gives back any place and name, and lets none of them forge a line', async () => {
    const field = fc
      .string({ unit: 'binary', minLength: 1, maxLength: 40 })
      .map((text) => text.toWellFormed());
    await known.remember(at('acme'));
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          field,
          fc.constantFrom('# x', `x\nacme ${B} x 2026-11-30`, 'a b', '%41', '\u2028', '\u00a0'),
        ),
        field,
        async (place, name) => {
          fc.pre(place !== 'acme');
          await known.remember(at(place, B, name));
          assert.equal(await known.check('acme', A), 'same');
          assert.deepEqual(await known.find(place), {
            place,
            key: B,
            name,
            firstSeen: '2026-11-30',
          });
          assert.equal(await known.forget(place), true);
          assert.equal((await known.list()).length, 1);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('survives any file', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.uint8Array({ maxLength: 300 }),
          fc
            .array(fc.constantFrom('acme', A, '2026-11-30', ' ', '\n', '%', '%zz', '#', '\r', '\0'))
            .map((parts) => Buffer.from(parts.join(''))),
        ),
        async (bytes) => {
          await writeFile(path, bytes);
          for (const server of await known.list()) assert.match(server.key, /^[0-9a-f]{64}$/);
          await known.remember(at('mine', B));
          assert.equal(await known.check('mine', B), 'same');
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is bounded', async () => {
    const bad = { code: 'BAD_NAME' };
    await assert.rejects(known.remember(at('x'.repeat(257))), bad);
    await assert.rejects(known.remember(at('')), bad);
    await assert.rejects(known.remember(at('x', A, 'n'.repeat(257))), bad);
    const longest = at('ü'.repeat(128), A, '%'.repeat(256));
    await known.remember(longest);
    assert.equal((await known.find(longest.place))?.name, longest.name);
    await writeFile(path, `# ${'x'.repeat((1 << 20) - 40)}\n`);
    await assert.rejects(known.remember(at('acme')), { code: 'TOO_LARGE' });
    assert.equal(await known.check('acme', A), 'new');
    await writeFile(path, 'x'.repeat((1 << 20) + 1));
    await assert.rejects(known.check('acme', A), { code: 'TOO_LARGE' });
  });

  it('keeps the file when the disk is full', async function () {
    const disk = await newDisk(this, 64);
    const there = new KnownServers(join(disk.directory, 'known_servers'));
    await there.remember(at('acme'));
    await writeFile(join(disk.directory, 'filler'), new Uint8Array(1 << 20)).catch(() => undefined);
    try {
      await there.remember(at('acme', B));
      assert.fail('that fits on no full disk');
    } catch (error) {
      assert.equal(codeOf(error), 'DISK_FULL');
    }
    assert.equal(await there.check('acme', A), 'same');
  });
});

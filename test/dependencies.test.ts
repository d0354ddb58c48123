/** Who may know whom: the directions of docs/architecture.md, kept by a test. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

interface Import {
  /** A path from the root, or the name of a package. */
  readonly target: string;
  readonly specifier: string;
  /** Gone once the types are stripped. */
  readonly isType: boolean;
  readonly isLazy: boolean;
}

interface Source {
  readonly path: string;
  readonly lines: number;
  readonly imports: readonly Import[];
}

function read(directory: string): Source[] {
  const found: Source[] = [];
  for (const entry of readdirSync(join(ROOT, directory), {
    recursive: true,
    withFileTypes: true,
  })) {
    const path = relative(ROOT, join(entry.parentPath, entry.name));
    if (!entry.isFile() || !/\.[cm]?ts$/.test(path) || path.includes('node_modules')) continue;
    const text = readFileSync(join(ROOT, path), 'utf8');
    found.push({ path, lines: text.split('\n').length - 1, imports: importsOf(path, text) });
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function importsOf(path: string, text: string): Import[] {
  const imports: Import[] = [];
  const add = (specifier: string, isType: boolean, isLazy: boolean): void => {
    const target = specifier.startsWith('.')
      ? normalize(join(dirname(path), specifier))
      : specifier;
    imports.push({ target, specifier, isType, isLazy });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier))
      add(node.moduleSpecifier.text, isTypeOnly(node.importClause), false);
    else if (
      ts.isExportDeclaration(node) &&
      node.moduleSpecifier !== undefined &&
      ts.isStringLiteral(node.moduleSpecifier)
    )
      add(node.moduleSpecifier.text, node.isTypeOnly, false);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      if (ts.isStringLiteral(node.argument.literal)) add(node.argument.literal.text, true, false);
    } else if (
      ts.isCallExpression(node) &&
      node.expression.kind === ts.SyntaxKind.ImportKeyword &&
      node.arguments[0] !== undefined &&
      ts.isStringLiteral(node.arguments[0])
    )
      add(node.arguments[0].text, false, true);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true));
  return imports;
}

function isTypeOnly(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const { namedBindings } = clause;
  return (
    clause.name === undefined &&
    namedBindings !== undefined &&
    ts.isNamedImports(namedBindings) &&
    namedBindings.elements.every((element) => element.isTypeOnly)
  );
}

/** From top to bottom; who is on one level may not know one another. */
const LEVELS: readonly (readonly string[])[] = [
  ['bin'],
  ['lib/ui'],
  ['lib/app'],
  ['lib/node', 'lib/media', 'lib/nat'],
  ['lib/crdt'],
  [
    'lib/child-entry.ts',
    'lib/errors.ts',
    'lib/interfaces.ts',
    'lib/ip-bytes.ts',
    'lib/lifecycle.ts',
    'lib/log.ts',
    'lib/names.ts',
    'lib/names-data.ts',
    'lib/text.ts',
    'lib/token-bucket.ts',
  ],
];

function partOf(path: string): { level: number; part: string } {
  for (const [level, parts] of LEVELS.entries())
    for (const part of parts)
      if (path === part || path === `${part}.ts` || path.startsWith(`${part}/`))
        return { level, part: level === LEVELS.length - 1 ? 'base' : part };
  return assert.fail(`${path} belongs to no part of the program`);
}

/** Packages that one place alone may know: their replacement is then a matter of that place. */
const OWNERS: Readonly<Record<string, RegExp>> = {
  libp2p: /^lib\/node\/libp2p[a-z0-9-]*\.ts$/,
  'multicast-dns': /^lib\/node\/discovery-links\.ts$/,
  level: /^lib\/crdt\/level-database\.ts$/,
  '@serenity-kit/opaque': /^lib\/node\/opaque-child\.ts$/,
  yargs: /^lib\/ui\/command-line\.ts$/,
  tweetnacl: /^lib\/crdt\/keys\.ts$/,
  '@ipld/dag-cbor': /^lib\/crdt\/codec\.ts$/,
  nodemailer: /^lib\/node\/mailer\.ts$/,
  'image-size': /^lib\/node\/blobs\/[a-z-]+\.ts$/,
  '@roamhq/wrtc': /^lib\/media\/engine\/connection\.ts$/,
  blessed: /^lib\/ui\/[a-z-]+\.ts$/,
};

/** `@libp2p/tcp/x` and the like belong to libp2p. */
function packageOf(specifier: string): string {
  if (/^(?:@libp2p|@chainsafe\/libp2p-[a-z-]+|@multiformats)\//.test(specifier)) return 'libp2p';
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

const isOwn = ({ specifier }: Import): boolean => specifier.startsWith('.');
const isPackage = (one: Import): boolean => !isOwn(one) && !one.specifier.startsWith('node:');

/** Where that is tested which has no test of its own: by what it is a part of, or by the program. */
const TESTED_BY: Readonly<Record<string, string>> = {
  'lib/app.ts': 'test/cli/shell.test.ts',
  'lib/app/admin-events.ts': 'test/app/admin-handlers.test.ts',
  'lib/app/admin-handling.ts': 'test/app/admin-groups.test.ts',
  'lib/app/app-options.ts': 'test/cli/machine.test.ts',
  'lib/app/backups.ts': 'test/cli/restore.test.ts',
  'lib/app/calls/acquaintances.ts': 'test/app/calls/app-calls.test.ts',
  'lib/app/calls/call-stats.ts': 'test/lan/calls.test.ts',
  'lib/app/calls/call-telling.ts': 'test/app/calls/app-calls.test.ts',
  'lib/app/calls/kept-media.ts': 'test/app/calls/call-devices.test.ts',
  'lib/app/calls/other.ts': 'test/app/calls/live-call.test.ts',
  'lib/app/client-peer.ts': 'test/cli/profiles.test.ts',
  'lib/app/conference-handlers.ts': 'test/cli/conferences.test.ts',
  'lib/app/conference-names.ts': 'test/cli/conferences.test.ts',
  'lib/app/contact-handlers.ts': 'test/cli/contacts.test.ts',
  'lib/app/handling.ts': 'test/app/handlers.test.ts',
  'lib/app/logins.ts': 'test/cli/accounts.test.ts',
  'lib/app/moving-handlers.ts': 'test/cli/moving.test.ts',
  'lib/app/private-events.ts': 'test/app/private-handlers.test.ts',
  'lib/app/seeking.ts': 'test/ui/lan-names.test.ts',
  'lib/app/server-peer.ts': 'test/cli/restore.test.ts',
  'lib/app/short-device.ts': 'test/app/handlers.test.ts',
  'lib/app/types.ts': 'test/cli/machine.test.ts',
  'lib/child-entry.ts': 'test/node/opaque.test.ts',
  'lib/crdt/arrivals.ts': 'test/crdt/replica.test.ts',
  'lib/crdt/level-database.ts': 'test/crdt/store-level.test.ts',
  'lib/crdt/own-entries.ts': 'test/crdt/replica.test.ts',
  'lib/crdt/store-keys.ts': 'test/support/store-contract.ts',
  'lib/crdt/store.ts': 'test/support/store-contract.ts',
  'lib/media/engine/engine-child.ts': 'test/media/media-process.test.ts',
  'lib/media/engine/messages.ts': 'test/media/media-process.test.ts',
  'lib/media/engine/peer.ts': 'test/media/engine/engine.test.ts',
  'lib/media/frames.ts': 'test/media/video/picture.test.ts',
  'lib/media/streams.ts': 'test/media/sources/pattern.test.ts',
  'lib/names-data.ts': 'test/names.test.ts',
  'lib/node/abort.ts': 'test/node/libp2p.test.ts',
  'lib/node/base-channel.ts': 'test/support/transport-contract.ts',
  'lib/node/calls/line.ts': 'test/node/calls/lines.test.ts',
  'lib/node/calls/wire.ts': 'test/node/calls/lines.test.ts',
  'lib/node/channel.ts': 'test/support/transport-contract.ts',
  'lib/node/client/access.ts': 'test/node/client/registration.test.ts',
  'lib/node/client/contacts.ts': 'test/cli/contacts.test.ts',
  'lib/node/client/events.ts': 'test/node/client/client.test.ts',
  'lib/node/client/fork.ts': 'test/node/client/sync.test.ts',
  'lib/node/client/own-call.ts': 'test/node/client/calls.test.ts',
  'lib/node/client/proved-locks.ts': 'test/node/client/rooms.test.ts',
  'lib/node/client/room-locks.ts': 'test/node/client/rooms.test.ts',
  'lib/node/client/server-connection.ts': 'test/node/client/client-away.test.ts',
  'lib/node/client/snapshot.ts': 'test/node/client/sync.test.ts',
  'lib/node/discovery-links.ts': 'test/node/discovery.test.ts',
  'lib/node/discovery-records.ts': 'test/node/discovery.test.ts',
  'lib/node/discovery-registry.ts': 'test/node/discovery.test.ts',
  'lib/node/libp2p-channel.ts': 'test/node/libp2p-holding.test.ts',
  'lib/node/libp2p-connection.ts': 'test/node/libp2p-holding.test.ts',
  'lib/node/libp2p-noise.ts': 'test/node/libp2p-attacks.test.ts',
  'lib/node/libp2p-ping.ts': 'test/node/libp2p-attacks.test.ts',
  'lib/node/opaque-calls.ts': 'test/node/opaque.test.ts',
  'lib/node/opaque-child.ts': 'test/node/opaque.test.ts',
  'lib/node/polyfills.ts': 'test/node/libp2p.test.ts',
  'lib/node/private/news.ts': 'test/node/private/sessions.test.ts',
  'lib/node/private/wire.ts': 'test/node/private/line.test.ts',
  'lib/node/server/erased.ts': 'test/node/server/sync-restore.test.ts',
  'lib/node/server/listeners.ts': 'test/node/server/sessions.test.ts',
  'lib/node/server/options.ts': 'test/node/server/server.test.ts',
  'lib/node/server/readers.ts': 'test/node/server/receipts.test.ts',
  'lib/node/verifier-thread.ts': 'test/node/verifier.test.ts',
  'lib/ui/commands-admin.ts': 'test/ui/help.test.ts',
  'lib/ui/commands-call.ts': 'test/ui/help.test.ts',
  'lib/ui/commands-conference.ts': 'test/ui/help.test.ts',
  'lib/ui/commands-content.ts': 'test/ui/help.test.ts',
  'lib/ui/commands-file.ts': 'test/ui/help.test.ts',
  'lib/ui/commands-moving.ts': 'test/ui/help.test.ts',
  'lib/ui/commands-people.ts': 'test/ui/help.test.ts',
  'lib/ui/commands-private.ts': 'test/ui/help.test.ts',
  'lib/ui/commands-room.ts': 'test/ui/help.test.ts',
  'lib/ui/commands.ts': 'test/ui/help.test.ts',
  'lib/ui/create-prompt.ts': 'test/ui/prompt.test.ts',
  'lib/ui/options.ts': 'test/ui/command-line.test.ts',
  'lib/ui/prompt-contract.ts': 'test/ui/prompt.test.ts',
  'lib/ui/qr-code.ts': 'test/ui/format-network.test.ts',
  'lib/ui/run-once.ts': 'test/ui/control.test.ts',
  'lib/ui/speech.ts': 'test/ui/line-mode.test.ts',
};

describe('the parts of the program', () => {
  const sources = [...read('bin'), ...read('lib')];
  const tests = read('test');

  it('know only what is below them', () => {
    const wrong: string[] = [];
    for (const { path, imports } of sources)
      for (const one of imports.filter(isOwn)) {
        const [from, to] = [partOf(path), partOf(one.target)];
        if (from.part !== to.part && from.level >= to.level) wrong.push(`${path} -> ${one.target}`);
      }
    assert.deepEqual(wrong, []);
  });

  it('are found where their imports say, with the suffix that they have', () => {
    for (const { path, imports } of [...sources, ...tests])
      for (const { target, specifier } of imports.filter(isOwn)) {
        assert.match(specifier, /\.(?:[cm]?ts|json|m?js)$/, `${path}: ${specifier}`);
        assert.ok(existsSync(join(ROOT, target)), `${path}: ${specifier}`);
      }
  });

  it('do not know one another in circles when they run', () => {
    const known = new Map(sources.map((source) => [source.path, source]));
    const done = new Set<string>();
    const walk = (path: string, trail: readonly string[]): void => {
      assert.ok(!trail.includes(path), [...trail, path].join(' -> '));
      if (done.has(path)) return;
      for (const one of known.get(path)?.imports ?? [])
        if (isOwn(one) && !one.isType && !one.isLazy) walk(one.target, [...trail, path]);
      done.add(path);
    };
    for (const { path } of sources) walk(path, []);
    assert.equal(done.size >= sources.length, true);
  });

  for (const [name, owner] of Object.entries(OWNERS))
    it(`leave ${name} to one place`, () => {
      const users = sources.filter(({ imports }) =>
        imports.some((one) => isPackage(one) && packageOf(one.specifier) === name),
      );
      for (const { path } of users) assert.match(path, owner);
      if (name !== 'libp2p') assert.ok(users.length <= 1, users.map(({ path }) => path).join());
      // The screen is drawn without it so far.
      if (name !== 'blessed') assert.ok(users.length > 0, `nobody uses ${name}`);
    });

  it('use packages that the program depends on, and no others', () => {
    const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    for (const { path, imports } of sources)
      for (const { specifier, isType } of imports.filter(isPackage)) {
        // Types are not there any more when it runs.
        if (isType) continue;
        const name = specifier
          .split('/')
          .slice(0, specifier.startsWith('@') ? 2 : 1)
          .join('/');
        assert.ok(Object.hasOwn(dependencies, name), `${path}: ${specifier}`);
      }
  });

  it('have a test each, or one that is named here', () => {
    const tested = new Set(tests.map(({ path }) => path));
    const lacking = sources
      .map(({ path }) => path)
      .filter((path) => path.startsWith('lib/') && !path.endsWith('.d.ts'))
      .filter((path) => !tested.has(path.replace(/^lib/, 'test').replace(/\.ts$/, '.test.ts')));
    assert.deepEqual(lacking.sort(), Object.keys(TESTED_BY).sort());
    for (const by of Object.values(TESTED_BY)) assert.ok(existsSync(join(ROOT, by)), by);
  });

  it('do not know the tests', () => {
    for (const { path, imports } of sources)
      for (const { target } of imports) assert.ok(!target.startsWith('test/'), `${path} ${target}`);
  });

  it('have files that can be read in one go', () => {
    for (const { path, lines } of [...sources, ...tests])
      assert.ok(lines <= 600, `${path} has ${lines} lines`);
  });
});

/** Invite links, by the real program. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { parseInviteLink, formatInviteLink } from '../../lib/app/invite-link.ts';
import { SigningKey } from '../../lib/crdt/keys.ts';
import type { Line } from '../support/cli.ts';
import { freePort, workshop, type Community, type Finished } from '../support/workshop.ts';

describe('an invite link', function () {
  this.timeout(60_000);
  const shop = workshop();
  let server: Community;
  let link: string;

  before(async () => {
    server = await shop.server({ name: 'acme' });
    const ready = await server.cli.ready();
    link = ready.invite ?? '';
    assert.deepEqual(ready.addresses, [server.address]);
    assert.deepEqual(ready.server?.addresses, [server.address]);
  });

  let people = 0;
  const join = async (target: string, ...more: string[]) =>
    shop.run(
      [
        '-c',
        target,
        '--user',
        `bob${++people}`,
        '--data',
        await shop.newDirectory(),
        '--json',
        ...more,
      ],
      {
        input: 'whoelse\n',
      },
    );

  const outcomes = (lines: readonly Line[]): boolean[] =>
    lines.flatMap((line) => (line.type === 'result' ? [line.ok] : []));
  const codeOf = ({ lines }: Finished): unknown =>
    lines.flatMap((line) => (line.type === 'error' ? [line.code] : [])).at(-1);

  it('names the server and where it is', () => {
    assert.deepEqual(parseInviteLink(link).addresses, [server.address]);
  });

  it('leads to the server that made it, in every way in', async () => {
    const { lines } = await join(link);
    assert.deepEqual(outcomes(lines), [true]);
    assert.ok(lines.some((line) => line.type === 'ready' && line.mode === 'client'));
    const data = await shop.newDirectory();
    const input = `connect ${link}\nlogin carl\nwhoelse\n`;
    const shell = await shop.run(['--data', data, '--json'], { input });
    assert.deepEqual(outcomes(shell.lines), [true, true, true]);
  });

  it('is remembered by: without it the device comes back', async () => {
    const data = await shop.newDirectory();
    const args = ['--user', 'dora', '--data', data, '--json'];
    assert.equal((await shop.run(['-c', link, ...args], { input: '' })).status, 0);
    assert.equal((await shop.run(['-c', server.address, ...args], { input: '' })).status, 0);
  });

  it('is refused cut short, altered or of another server, and says so', async () => {
    for (const wrong of [
      link.slice(0, -3),
      `${link}A`,
      link.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')),
      'clchat:',
    ]) {
      const refused = await join(wrong);
      assert.equal(codeOf(refused), 'BAD_INVITE', wrong);
      assert.equal(refused.status, 2);
    }
    const key = new SigningKey(new Uint8Array(32).fill(7)).public;
    const other = formatInviteLink({ key, addresses: [server.address] });
    const posed = await join(other);
    assert.equal(codeOf(posed), 'SERVER_KEY_CHANGED');
    assert.equal(posed.status, 4);
    const nobody = formatInviteLink({ key, addresses: [`127.0.0.1:${await freePort()}`] });
    const gone = await join(nobody);
    assert.equal(codeOf(gone), 'NETWORK');
    assert.equal(gone.status, 4);
  });

  it('does not wait long for who accepts and goes silent, whatever leads there', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const key = new SigningKey(new Uint8Array(32).fill(7)).public;
    const address = `127.0.0.1:${port}`;
    try {
      for (const target of [address, formatInviteLink({ key, addresses: [address] })]) {
        const begun = performance.now();
        const refused = await join(target);
        assert.ok(['TIMEOUT', 'NETWORK'].includes(String(codeOf(refused))), target);
        assert.equal(refused.status, 4);
        const took = performance.now() - begun;
        assert.ok(took < 10_000, `${took} ms`);
      }
      // The server itself is found all the same, where the link leads to both.
      const both = formatInviteLink({
        key: parseInviteLink(link).key,
        addresses: [address, server.address],
      });
      assert.equal((await join(both)).status, 0);
    } finally {
      silent.close();
      silent.unref();
    }
  });

  it('is asked for where nothing is given, and an address does as well', async () => {
    const asked = await shop.run(['-c', '--user', 'bob', '--json'], { input: '' });
    assert.equal(codeOf(asked), 'USAGE');
    assert.equal(asked.status, 2);
    const byAddress = await join(server.address);
    assert.equal(byAddress.status, 0);
  });
});

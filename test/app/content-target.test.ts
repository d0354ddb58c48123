/** Which message is meant, over the product's own client and server. */
import assert from 'node:assert/strict';
import { messageNamed } from '../../lib/app/content-target.ts';
import { LOBBY_STREAM, pairStream } from '../../lib/crdt/stream.ts';
import { callInLobby } from '../support/call-lines.ts';
import { eventually } from '../support/channels.ts';
import { World, type TestClient } from '../support/roles.ts';

describe('the message meant', () => {
  let world: World;
  let alice: TestClient;
  let bob: TestClient;
  before(async () => {
    world = await World.start();
    alice = await world.join('alice');
    bob = await world.join('bob');
    await eventually('both accounts', () => alice.home.names().length === 2);
    for (const [who, text] of [
      [alice, 'a1'],
      [bob, 'b1'],
      [alice, 'a2'],
      [bob, 'b2'],
      [bob, 'b3'],
    ] as const) {
      await who.say(text);
      await (who === alice ? bob : alice).hears(text);
    }
    await bob.say('direct', 'alice');
    await alice.hears('direct');
  });
  after(() => world.stop());

  const named = async (written: string, stream = LOBBY_STREAM): Promise<string> =>
    (await messageNamed(alice.client, () => stream, written)).message.text;
  const idOf = (text: string): string =>
    alice.messages.find((message) => message.text === text)?.id ?? assert.fail(text);

  it('is one’s own by a number, the newest as 1', async () => {
    assert.deepEqual([await named('1'), await named('2'), await named('02')], ['a2', 'a1', 'a1']);
    await assert.rejects(named('3'), { code: 'NO_SUCH_MESSAGE' });
    await assert.rejects(named('999'), { code: 'NO_SUCH_MESSAGE' });
    await assert.rejects(named('0'), { code: 'USAGE' });
  });

  it('is anybody’s by a number after ^', async () => {
    const all = await Promise.all(['^', '^1', '^2', '^3', '^4', '^5'].map((one) => named(one)));
    assert.deepEqual(all, ['b3', 'b3', 'b2', 'a2', 'b1', 'a1']);
    await assert.rejects(named('^6'), { code: 'NO_SUCH_MESSAGE' });
    await assert.rejects(named('^0'), { code: 'USAGE' });
  });

  it('is one of the current conversation, where it is counted', async () => {
    const pair = pairStream(alice.home.account, bob.home.account);
    assert.equal(await named('^', pair), 'direct');
    await assert.rejects(named('1', pair), { code: 'NO_SUCH_MESSAGE' });
  });

  it('is any by its id or the beginning of that, in any case', async () => {
    for (const text of ['b1', 'direct']) {
      const id = idOf(text);
      assert.equal(await named(id), text);
      assert.equal(await named(id.slice(0, 12).toUpperCase()), text);
      assert.equal(await named(id.slice(0, 4)), text);
    }
    await assert.rejects(named('0'.repeat(64)), { code: 'NO_SUCH_MESSAGE' });
  });

  it('is none by anything else', async () => {
    for (const written of ['abc', 'hello', '^x', '-1', '1.5', '1 2', '^^', '0'.repeat(65)])
      await assert.rejects(named(written), { code: 'USAGE' }, written);
  });

  it('is none where there was a call', async () => {
    await callInLobby(await world.member('cat'), await world.member('dan'));
    const { reading } = alice.home.conversations;
    const newest = async () => (await reading.newest(LOBBY_STREAM, 1))[0];
    await eventually('the call', async () => (await newest())?.call !== undefined);
    assert.deepEqual([await named('^1'), await named('1')], ['b3', 'a2']);
    const id = (await newest())?.id ?? assert.fail();
    await assert.rejects(named(id), { code: 'NO_SUCH_MESSAGE' });
  });

  it('is not clear where a beginning fits several, of which it tells', async () => {
    // Of twenty thousand beginnings with four digits some are shared.
    const { log } = alice.home.replica;
    const id = idOf('b1');
    const other = `${id.slice(0, 8)}${'f'.repeat(56)}`;
    const value = Buffer.from(`2 ${LOBBY_STREAM}`);
    await log.store.write([{ type: 'put', key: `i!${other}`, value }], { sync: false });
    // What is not the entry that it claims to be is none.
    assert.equal(await named(id.slice(0, 8)), 'b1');
    const seen = new Map<string, string>();
    let shared: string | undefined;
    for (let n = 0; n < 1_000 && shared === undefined; n++) {
      const { id: next } = await alice.home.conversations.say(LOBBY_STREAM, `flood ${n}`);
      const beginning = next.slice(0, 4);
      if (seen.has(beginning)) shared = beginning;
      seen.set(beginning, next);
    }
    assert.ok(shared !== undefined, 'two that begin alike');
    await assert.rejects(named(shared), (error: Error & { code: string }) => {
      assert.equal(error.code, 'AMBIGUOUS');
      assert.ok(error.message.includes(seen.get(shared)!.slice(0, 12)), error.message);
      return true;
    });
  }).timeout(60_000);

  it('may be on its way still', async () => {
    alice.home.outbox.flush();
    await alice.client.settle();
    await world.close();
    await eventually('no server', () => !alice.client.connected);
    const { id } = await alice.home.conversations.say(LOBBY_STREAM, 'queued');
    assert.equal(await named('1'), 'queued');
    assert.equal(await named(id), 'queued');
    await world.open();
  });
});

import assert from 'node:assert/strict';
import { Keyring } from '../../../lib/crdt/keyring.ts';
import { LOBBY_STREAM, pairStream, type StreamName } from '../../../lib/crdt/stream.ts';
import { Directory } from '../../../lib/node/server/directory.ts';
import { SealedCommunity, type Member } from '../../support/community.ts';

const KEY = new Uint8Array(32);

describe('the directory', () => {
  let community: SealedCommunity;
  let directory: Directory;
  let alice: Member;
  let bob: Member;
  let carol: Member;
  let fed: number;

  beforeEach(async () => {
    community = await SealedCommunity.found();
    alice = await community.join('alice');
    bob = await community.join('bob');
    carol = await community.join('carol');
    directory = await Directory.open(community.log);
    fed = community.batches.length;
  });

  /** Brings it up to date; and one that is opened anew must say the same. */
  async function feed(): Promise<void> {
    for (const batch of community.batches.slice(fed)) directory.update(batch);
    fed = community.batches.length;
    const fresh = await Directory.open(community.log);
    for (const { account } of [alice, bob, carol]) {
      assert.deepEqual(
        [...fresh.devicesOf(account)].sort(),
        [...directory.devicesOf(account)].sort(),
      );
      assert.deepEqual(fresh.streamsOf(account).sort(), directory.streamsOf(account).sort());
      assert.deepEqual(
        [...fresh.contactsOf(account)].sort(),
        [...directory.contactsOf(account)].sort(),
      );
    }
    for (const stream of await community.log.names())
      assert.equal(fresh.audienceSize(stream), directory.audienceSize(stream), stream);
  }
  const privateRoom = async (): Promise<StreamName> => {
    const entry = await community.seal(
      alice.write('space', 'room', { name: 'den', private: true }),
    );
    const room = `room/${entry.id.slice(0, 32)}` as const;
    const add = [alice.account, bob.account];
    await community.seal(alice.write(room, 'members', { add, remove: [] }));
    return room;
  };

  it('knows the devices of everybody that are not revoked', async () => {
    const phone = await community.enrol(alice);
    await feed();
    assert.deepEqual([...directory.devicesOf(alice.account)].sort(), [alice.id, phone.id].sort());
    assert.equal(directory.audienceSize(LOBBY_STREAM), 3);
    const fresh = Keyring.create(2, community.random);
    await community.seal(
      alice.write('space', 'revoke', alice.revocation(phone.id, [alice], fresh)),
    );
    await feed();
    assert.deepEqual([...directory.devicesOf(alice.account)], [alice.id]);
    assert.equal(directory.audienceSize(LOBBY_STREAM), 2);
    assert.ok(!directory.isAudience(LOBBY_STREAM, phone.id));
    assert.ok(directory.isAudience(LOBBY_STREAM, alice.id));
  });

  it('knows the streams that somebody may read and that have something in them', async () => {
    const pair = pairStream(alice.account, bob.account);
    assert.deepEqual(directory.streamsOf(alice.account), ['space']);
    await community.say(carol, 'hi');
    await community.seal(alice.write(pair, 'epoch', alice.epoch([alice, bob], 1, KEY)));
    const block = { account: carol.account, blocked: true };
    await community.seal(alice.write(`account/${alice.account}`, 'block', block));
    const room = await privateRoom();
    await feed();
    assert.deepEqual(
      directory.streamsOf(alice.account).sort(),
      ['space', LOBBY_STREAM, pair, room, `account/${alice.account}`].sort(),
    );
    assert.deepEqual(
      directory.streamsOf(bob.account).sort(),
      ['space', LOBBY_STREAM, pair, room].sort(),
    );
    assert.deepEqual(directory.streamsOf(carol.account).sort(), ['space', LOBBY_STREAM].sort());
    assert.ok(!directory.mayRead(carol.account, pair));
    assert.ok(!directory.mayRead(carol.account, room));
    assert.ok(!directory.mayRead(bob.account, `account/${alice.account}`));
  });

  it('knows who is whose contact, as they come and go', async () => {
    const pair = pairStream(alice.account, bob.account);
    assert.deepEqual([...directory.contactsOf(alice.account)], []);
    await community.seal(alice.write(pair, 'request', {}));
    await feed();
    assert.deepEqual([...directory.contactsOf(bob.account)], []);
    await community.seal(bob.write(pair, 'accept', {}));
    await feed();
    assert.deepEqual([...directory.contactsOf(alice.account)], [bob.account]);
    assert.deepEqual([...directory.contactsOf(bob.account)], [alice.account]);
    assert.deepEqual([...directory.contactsOf(carol.account)], []);
    await community.seal(alice.write(pair, 'unfriend', {}));
    await feed();
    assert.deepEqual([...directory.contactsOf(bob.account)], []);
  });

  it("knows how many devices something is to reach, the author's own not counted", async () => {
    const pair = pairStream(alice.account, bob.account);
    await community.seal(alice.write(pair, 'epoch', alice.epoch([alice, bob], 1, KEY)));
    const room = await privateRoom();
    await community.enrol(bob);
    await feed();
    assert.equal(directory.audienceSize(LOBBY_STREAM), 3);
    assert.equal(directory.audienceSize(pair), 2);
    assert.equal(directory.audienceSize(room), 2);
    assert.equal(directory.audienceSize(`account/${bob.account}`), 1);
    assert.ok(!directory.isAudience(pair, carol.id));
    assert.ok(directory.isAudience(room, bob.id));
  });
});

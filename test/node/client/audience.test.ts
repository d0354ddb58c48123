import assert from 'node:assert/strict';
import { Keyring } from '../../../lib/crdt/keyring.ts';
import { LOBBY, LOBBY_STREAM, pairStream } from '../../../lib/crdt/stream.ts';
import { Audience } from '../../../lib/node/client/audience.ts';
import { SealedCommunity, type Member } from '../../support/community.ts';
import { ReplicaBench } from '../../support/replicas.ts';
import { joinEntry, madeBy, roomEntry, type MadeRoom } from '../../support/rooms.ts';

const KEY = new Uint8Array(32);

describe('the audience', () => {
  let community: SealedCommunity;
  let alice: Member;
  let bob: Member;
  let carol: Member;
  let hers: ReplicaBench;
  let audience: Audience;
  let taken: number;

  beforeEach(async () => {
    community = await SealedCommunity.found();
    [alice, bob, carol] = [
      await community.join('alice'),
      await community.join('bob'),
      await community.join('carol'),
    ];
    hers = await ReplicaBench.open(community, alice);
    audience = new Audience(hers.replica);
    taken = 0;
    await catchUp();
  });

  const catchUp = async (): Promise<void> => {
    const batches = community.batches.slice(taken);
    taken = community.batches.length;
    await hers.follow(batches);
  };
  const make = async (name: string, change: object = {}): Promise<MadeRoom> =>
    madeBy(await community.seal(roomEntry(alice, name, change)));
  const accounts = (...members: Member[]): string[] => members.map((one) => one.account).sort();
  const sorted = (room: MadeRoom): string[] => [...(audience.members(room.id) ?? [])].sort();

  it('of the lobby is everybody, each device of theirs, but this one', async () => {
    assert.equal(audience.sizeOf(LOBBY_STREAM), 2);
    assert.equal(audience.members(LOBBY), undefined);
    const phone = await community.enrol(bob);
    await community.enrol(alice);
    await catchUp();
    assert.equal(audience.sizeOf(LOBBY_STREAM), 4);
    const fresh = Keyring.create(2, community.random);
    await community.seal(bob.write('space', 'revoke', bob.revocation(phone.id, [bob], fresh)));
    await catchUp();
    assert.equal(audience.sizeOf(LOBBY_STREAM), 3);
  });

  it('of an open room is who has joined it', async () => {
    const room = await make('den');
    await catchUp();
    assert.deepEqual(sorted(room), accounts(alice));
    assert.equal(audience.sizeOf(room.stream), 0);
    await community.seal(bob.write('space', 'join', { room: room.id }));
    await community.enrol(bob);
    await catchUp();
    assert.deepEqual(sorted(room), accounts(alice, bob));
    assert.equal(audience.sizeOf(room.stream), 2);
    await community.seal(bob.write('space', 'leave', { room: room.id }));
    await catchUp();
    assert.equal(audience.sizeOf(room.stream), 0);
    const nowhere = madeBy(roomEntry(bob, 'nowhere'));
    assert.deepEqual(audience.members(nowhere.id), []);
    assert.equal(audience.sizeOf(nowhere.stream), 0);
  });

  it('of an encrypted room is who is in it, and there still', async () => {
    const room = await make('club', { private: true });
    await community.seal(joinEntry(alice, room, 'owner'));
    const add = accounts(bob, carol);
    await community.seal(alice.write(room.stream, 'members', { add, remove: [] }));
    await catchUp();
    assert.deepEqual(sorted(room), accounts(alice, bob, carol));
    assert.equal(audience.sizeOf(room.stream), 2);
    const admin = { account: alice.account, group: 'admin' };
    await community.seal(community.server.write('space', 'setgroup', admin));
    const gone = { account: bob.account, vengeance: false };
    await community.seal(alice.write('space', 'removeuser', gone));
    await catchUp();
    assert.deepEqual(sorted(room), accounts(alice, carol));
    assert.equal(audience.sizeOf(room.stream), 1);
    assert.equal(audience.sizeOf(LOBBY_STREAM), 1);
  });

  it('of two is the other, once there is anything', async () => {
    const pair = pairStream(alice.account, bob.account);
    assert.equal(audience.sizeOf(pair), 0);
    await community.seal(alice.write(pair, 'epoch', alice.epoch([alice, bob], 1, KEY)));
    await community.enrol(bob);
    await catchUp();
    assert.equal(audience.sizeOf(pair), 2);
  });
});

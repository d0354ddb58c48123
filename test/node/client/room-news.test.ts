import assert from 'node:assert/strict';
import type { RoomId } from '../../../lib/crdt/keys.ts';
import { LOBBY } from '../../../lib/crdt/stream.ts';
import { isOut, type RoomNews } from '../../../lib/node/client/room-news.ts';
import { eventually } from '../../support/channels.ts';
import { SealedCommunity } from '../../support/community.ts';
import { HomeBench } from '../../support/homes.ts';
import { World, type TestClient } from '../../support/roles.ts';

describe('news of rooms', function () {
  this.timeout(20_000);
  let world: World;
  let alice: TestClient;
  let bob: TestClient;
  let carol: TestClient;

  beforeEach(async () => {
    world = await World.start();
    alice = await world.join('alice');
    bob = await world.join('bob');
    carol = await world.join('carol');
  });
  afterEach(() => world.stop());

  const make = (
    by: TestClient,
    name: string,
    parent?: RoomId,
    password?: string,
  ): Promise<RoomId> =>
    by.client.rooms.create(
      { name, private: false, ...(parent === undefined ? {} : { parent }) },
      password,
    );

  const line = (to: TestClient, news: RoomNews): string => {
    const { home } = to;
    const by = news.by === undefined ? 'the server' : home.nameOf(news.by);
    if (news.kind === 'member')
      return `${news.path}: ${home.nameOf(news.account)} ${news.state} by ${by}`;
    return `${news.path}: ${news.kind} ${news.state} by ${by}`;
  };
  const told = (to: TestClient): string[] => to.rooms.map((news) => line(to, news));
  const hears = (to: TestClient, what: string): Promise<void> =>
    eventually(`${what}; heard: ${told(to).join('; ')}`, () => told(to).includes(what));

  it('tell everybody of rooms, by their paths; of one’s own doing nothing', async () => {
    const den = await make(alice, 'den');
    const nook = await make(alice, 'nook', den);
    await alice.client.rooms.update(den, { name: 'lair' });
    await alice.client.rooms.remove(den);
    await hears(carol, 'lair: room removed by alice');
    assert.deepEqual(told(carol), [
      'den: room created by alice',
      'den/nook: room created by alice',
      'lair: room updated by alice',
      // What lies in it goes with it.
      'lair/nook: room removed by alice',
      'lair: room removed by alice',
    ]);
    assert.deepEqual(told(alice), []);
    assert.ok(carol.rooms.at(-1)?.room === den && carol.rooms.at(-2)?.room === nook);
  });

  it('tell of people in an open room those who are in it', async () => {
    const den = await make(alice, 'den');
    await eventually('the room', () => told(bob).length === 1 && told(carol).length === 1);
    await bob.client.rooms.join(den, undefined);
    await hears(alice, 'den: bob joined by bob');
    await alice.client.rooms.putOut(den, bob.home.account);
    await hears(bob, 'den: bob removed by alice');
    await bob.client.rooms.join(den, undefined);
    await bob.client.rooms.leave(den);
    await hears(alice, 'den: bob left by bob');
    await alice.client.rooms.ban(den, bob.home.account, 0);
    await eventually(
      'the ban',
      () => told(bob).filter((one) => one.includes('removed')).length === 2,
    );
    assert.deepEqual(told(carol), ['den: room created by alice']);
  });

  it('say nothing of a ban of the lobby, where everybody stays', async () => {
    const community = await SealedCommunity.found();
    const [root, ben] = [await community.join('root'), await community.join('ben')];
    const admin = { account: root.account, group: 'admin' };
    await community.seal(community.server.write('space', 'setgroup', admin));
    const bench = await HomeBench.open(community, ben);
    const news: RoomNews[] = [];
    await bench.restart({ onRoom: (one) => news.push(one) });
    const ban = { account: ben.account, room: LOBBY, until: 0 };
    await community.seal(root.write('space', 'ban', ban));
    await bench.catchUp();
    assert.deepEqual([news, bench.home.audience.members(LOBBY)], [[], undefined]);
    await bench.stop();
  });

  it('tell of people in a closed room those who are in it', async () => {
    const den = await make(alice, 'den', undefined, 'open sesame');
    await eventually('the room', () => told(bob).length === 1);
    await bob.client.rooms.join(den, 'open sesame');
    await hears(alice, 'den: bob joined by bob');
    await alice.client.rooms.issueCode(den, 'ABCDE', 2, Date.now() + 60_000);
    await carol.client.rooms.joinByCode(den, 'ABCDE');
    await hears(alice, 'den: code redeemed by carol');
    await hears(bob, 'den: carol joined by carol');
    await alice.client.rooms.putOut(den, bob.home.account);
    await hears(bob, 'den: bob removed by alice');
    await hears(carol, 'den: bob removed by alice');
    await carol.client.rooms.leave(den);
    await hears(alice, 'den: carol left by carol');
    const heard = told(bob).length;
    await alice.client.rooms.admit(den, carol.home.account);
    await hears(carol, 'den: carol joined by alice');
    assert.equal(told(bob).length, heard, 'he is not in it any more');
  });

  it('tell the other devices of the account', async () => {
    const dave = await world.join('dave', 'a secret');
    const second = await world.client();
    await second.client.connect();
    await second.client.loginPassword('dave', 'a secret');
    const den = await make(dave, 'den');
    await hears(second, 'den: room created by dave');
    await dave.client.rooms.leave(den);
    await hears(second, 'den: dave left by dave');
    assert.deepEqual(told(dave), []);
  });

  it('say nothing of what was before, but that one was put out meanwhile', async () => {
    const den = await make(alice, 'den', undefined, 'open sesame');
    await eventually('the room', () => told(bob).length === 1);
    await bob.client.rooms.join(den, 'open sesame');
    const { account } = bob.home;
    await bob.stop();
    bob.rooms.length = 0;
    await make(alice, 'another');
    await alice.client.rooms.putOut(den, account);
    for (let start = 1; start <= 2; start++) {
      await bob.open();
      await bob.login();
      assert.deepEqual(told(bob), ['den: bob removed by the server'], `start ${start}`);
      await bob.stop();
    }
  });

  it('know by what somebody is out of a room', () => {
    const about = { room: 'r' as RoomId, path: 'r', by: undefined };
    const { account } = alice.home;
    const member = (state: 'joined' | 'left' | 'removed', who = account): RoomNews => ({
      ...about,
      kind: 'member',
      account: who,
      state,
    });
    assert.deepEqual(
      [
        member('joined'),
        member('left'),
        member('removed'),
        member('removed', bob.home.account),
        { ...about, kind: 'room', state: 'removed' } as const,
        { ...about, kind: 'room', state: 'updated' } as const,
      ].map((news) => isOut(news, account)),
      [false, true, true, false, true, false],
    );
  });

  it('tell of those who are silenced those who are in the room, and them', async () => {
    const den = await make(alice, 'den');
    const vault = await make(alice, 'vault', undefined, 'open sesame');
    await eventually('the rooms', () => told(bob).length === 2 && told(carol).length === 2);
    await bob.client.rooms.join(den, undefined);
    await bob.client.rooms.join(vault, 'open sesame');
    const silence = async (room: RoomId, who: TestClient, on = true): Promise<void> => {
      const body = { account: who.home.account, room, on };
      const entry = await alice.home.conversations.act('space', 'suppress', body);
      assert.equal(await alice.home.outbox.answer(entry.id), 'held');
    };
    for (const room of [den, vault]) await silence(room, carol);
    await silence(den, carol, false);
    await hears(bob, 'den: suppress suppressed by alice');
    await hears(bob, 'vault: suppress suppressed by alice');
    await hears(bob, 'den: suppress lifted by alice');
    // Carol is in neither, but it is about her.
    await hears(carol, 'vault: suppress suppressed by alice');
    const before = told(carol).length;
    await silence(den, bob);
    await hears(bob, 'den: suppress suppressed by alice');
    await carol.say('something else');
    assert.equal(told(carol).length, before);
    assert.ok(!isOut(bob.rooms.at(-1)!, bob.home.account));
  });
});

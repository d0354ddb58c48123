import assert from 'node:assert/strict';
import type { RoomId } from '../../../lib/crdt/keys.ts';
import { roomOf } from '../../../lib/crdt/rooms.ts';
import { LOBBY, pairStream } from '../../../lib/crdt/stream.ts';
import { codeOf } from '../../../lib/errors.ts';
import { CALL, type RoomCallView } from '../../../lib/node/calls/wire.ts';
import { Exchange } from '../../../lib/node/exchange.ts';
import { callNamed, EQUIPMENT } from '../../support/call-stage.ts';
import { ended, eventually } from '../../support/channels.ts';
import { World, type Peer, type TestClient } from '../../support/roles.ts';

describe('calls of a client', function () {
  this.timeout(60_000);
  let world: World;
  let alice: TestClient;
  let bob: TestClient;
  let all: TestClient[];
  /** A test takes the server away: whoever speaks to it just then fails, and is not at fault. */
  let isServerTaken: boolean;

  beforeEach(async () => {
    isServerTaken = false;
    world = await World.start();
    alice = await world.join('alice', 'secret');
    bob = await world.join('bob');
    all = [alice, bob];
    await befriend(alice, bob);
  });
  afterEach(async () => {
    const faults = all.flatMap((one) => one.faults);
    await world.stop();
    assert.deepEqual(
      faults.filter((fault) => !isServerTaken || codeOf(fault) !== 'NETWORK'),
      [],
    );
    assert.deepEqual(world.faults, []);
  });

  const befriend = async (one: TestClient, other: TestClient): Promise<void> => {
    for (const [by, kind] of [
      [one, 'request'],
      [other, 'accept'],
    ] as const) {
      const stream = pairStream(one.home.account, other.home.account);
      const entry = await by.home.conversations.act(stream, kind, {});
      assert.equal(await by.home.outbox.answer(entry.id), 'held');
    }
  };

  /** What was told since last asked, in short. */
  const told = ({ calls }: TestClient): string[] =>
    calls.splice(0).map((one) => {
      const reason = 'reason' in one ? `: ${one.reason}` : '';
      const users = 'users' in one.call ? one.call.users : one.call.participants.map((p) => p.user);
      return `${one.kind} ${one.call.state}${reason} (${users.join(' ')})`;
    });
  const last = ({ calls }: TestClient): string | undefined => {
    const one = calls.at(-1);
    return one && `${one.kind} ${one.call.state}`;
  };
  const hears = (who: TestClient, what: string): Promise<void> =>
    eventually(what, () => last(who) === what);
  /** Has the lines that the present call takes. */
  const line = async ({ client: { calling } }: TestClient): Promise<void> =>
    calling.lines.keep(calling.calls.current?.id, await calling.companions());
  const areUp = (one: TestClient, other: TestClient): Promise<void> =>
    eventually('a line', () =>
      [
        [one, other],
        [other, one],
      ].every(([a, b]) => a!.client.calling.lines.isUp(b!.home.replica.device)),
    );
  const callsOf = ({ client }: TestClient) => client.calling.calls;
  const talk = async (): Promise<void> => {
    await callsOf(alice).start({ account: bob.home.account }, EQUIPMENT);
    await hears(bob, 'ring ringing');
    await callsOf(bob).answer(undefined, EQUIPMENT);
    await hears(alice, 'call active');
    for (const one of [alice, bob]) await line(one);
    await areUp(alice, bob);
  };
  const says = async (from: TestClient, to: TestClient): Promise<void> => {
    const view = {
      camera: { width: 16, height: 16, fps: to.callNotices.length + 1 },
      screen: null,
    };
    assert.ok(from.client.calling.lines.send(to.home.replica.device, 'view', view));
    await eventually('what was said', () =>
      to.callNotices.some(({ said }) => JSON.stringify(said.notice) === JSON.stringify(view)),
    );
    assert.equal(to.callNotices.at(-1)?.from, from.home.replica.device);
  };

  it('ring, are answered, have a line, and end', async () => {
    await talk();
    assert.deepEqual(told(alice), ['call ringing (alice)', 'call active (alice bob)']);
    assert.deepEqual(told(bob), ['ring ringing (alice)', 'call active (alice bob)']);
    await says(alice, bob);
    await says(bob, alice);
    await callsOf(alice).leave();
    await line(alice);
    await hears(bob, 'over ended');
    assert.deepEqual(told(alice), ['over active: hung up (alice bob)']);
    assert.deepEqual(told(bob), ['over ended: hung up ()']);
    await line(bob);
    await eventually('no lines', () => alice.client.calling.lines.size === 0);
  });

  it('ring all devices, of which exactly one gets them', async () => {
    const phone = await world.client();
    all.push(phone);
    await phone.client.connect();
    await phone.client.loginPassword('alice', 'secret');
    await callsOf(bob).start({ account: alice.home.account }, EQUIPMENT);
    for (const one of [alice, phone]) await hears(one, 'ring ringing');
    const both = await Promise.allSettled(
      [alice, phone].map((one) => callsOf(one).answer(undefined, EQUIPMENT)),
    );
    const refused = both.flatMap((one) => (one.status === 'rejected' ? [codeOf(one.reason)] : []));
    assert.equal(refused.length, 1);
    assert.ok(['ALREADY', 'NO_CALL'].includes(refused[0]!), refused[0]);
    const loser = both[0]!.status === 'rejected' ? alice : phone;
    assert.deepEqual(told(loser).slice(1).length, 1);
    assert.deepEqual(callsOf(loser).ringing, []);
    await hears(bob, 'call active');
    assert.equal(callsOf(bob).current?.participants.length, 2);
  });

  describe('are between those alone', () => {
    it('whose devices they are, whatever the server says', async () => {
      await talk();
      const view = callsOf(alice).current!;
      const carol = await world.join('carol');
      all.push(carol);
      await eventually('knowing carol', () => alice.home.names().includes('carol'));
      const stranger = await world.peer();
      const [, bobs] = view.participants;
      const claimed = (user: string, device: string) => ({ ...bobs!, user, device });
      callsOf(alice).take({
        ...view,
        participants: [
          ...view.participants,
          // Nobody's device; another one's; and one once more, under a name that nobody has.
          claimed('bob', stranger.member.id),
          claimed('bob', carol.home.replica.device),
          claimed('nobody', bob.home.replica.device),
          // Somebody whom nobody has called.
          claimed('carol', carol.home.replica.device),
        ] as typeof view.participants,
      });
      const companions = await alice.client.calling.companions();
      assert.deepEqual(companions, [
        { device: bob.home.replica.device, account: bob.home.account },
      ]);
      const shown = callsOf(alice).current!.participants;
      assert.deepEqual(
        shown.flatMap(({ device, user }) => (device === stranger.member.id ? [] : [user])),
        ['alice', 'bob', 'carol', 'bob', 'carol'],
      );
    });

    it('who may be given another name meanwhile', async () => {
      await talk();
      const { id } = callsOf(alice).current!;
      const { account } = bob.home;
      const entry = await bob.home.conversations.act('space', 'updateuser', {
        account,
        name: 'rob',
      });
      assert.equal(await bob.home.outbox.answer(entry.id), 'held');
      for (const one of [alice, bob]) {
        await eventually('the name', () => {
          const { callee, participants } = callsOf(one).current!;
          return callee === 'rob' && participants.some(({ user }) => user === 'rob');
        });
        await line(one);
      }
      assert.deepEqual(await alice.client.calling.companions(), [
        { device: bob.home.replica.device, account },
      ]);
      await says(alice, bob);
      await says(bob, alice);
      for (const one of [alice, bob]) {
        assert.equal(callsOf(one).current?.id, id);
        assert.ok(one.callNotices.every(({ said }) => said.name !== 'bye'));
      }
    });

    it('who do not block one another', async () => {
      await callsOf(alice).start({ room: LOBBY }, EQUIPMENT);
      await callsOf(bob).start({ room: LOBBY }, EQUIPMENT);
      await eventually('both', () => callsOf(alice).current?.participants.length === 2);
      assert.equal((await alice.client.calling.companions()).length, 1);
      assert.equal(await alice.block('bob'), 'held');
      assert.deepEqual(await alice.client.calling.companions(), []);
    });
  });

  describe('have no lines', () => {
    const reach = async (peer: Peer): Promise<Exchange<typeof CALL>> => {
      const signal = AbortSignal.timeout(10_000);
      const target = { addresses: [alice.transport.address], key: alice.transport.key };
      const connection = await peer.transport.connect(target, { signal });
      const channel = await connection.open(CALL.name, { signal });
      return new Exchange(channel, CALL, { methods: {}, notices: {} });
    };
    const begins = async (peer: Peer): Promise<void> => {
      const exchange = await reach(peer);
      const { id } = callsOf(alice).current!;
      exchange.call('begin', { id }).catch(() => undefined);
      exchange.notify('view', { camera: null, screen: null });
      await ended(exchange.channel);
      assert.deepEqual(alice.callNotices, []);
    };

    it('to strangers', async () => {
      await talk();
      await begins(await world.peer());
    });

    it('to accounts that are not in the call', async () => {
      const eve = await world.member('eve');
      await eventually('knowing eve', () => alice.home.names().includes('eve'));
      await talk();
      await begins(eve);
    });

    it('while there is no call', async () => {
      const eve = await world.member('eve');
      await eventually('knowing eve', () => alice.home.names().includes('eve'));
      const exchange = await reach(eve);
      await assert.rejects(exchange.call('begin', { id: '0'.repeat(32) as never }), {
        code: 'NO_CALL',
      });
      await ended(exchange.channel);
    });
  });

  describe('go on', () => {
    it('while the server is away, and are known to it when it has been started again', async () => {
      await talk();
      for (const one of [alice, bob]) told(one);
      isServerTaken = true;
      await world.close();
      await eventually('its absence', () => !alice.client.connected && !bob.client.connected);
      await says(alice, bob);
      await says(bob, alice);
      await callsOf(bob).update({ camera: true });
      await world.open();
      const cameras = (one: TestClient): boolean[] | undefined =>
        callsOf(one).current?.participants.map(({ camera }) => camera);
      await eventually('both there', () => [alice, bob].every((one) => cameras(one)?.length === 2));
      await eventually('the camera', () => cameras(alice)?.filter(Boolean).length === 1);
      const { calls } = await alice.client.session.call('calls', {});
      assert.deepEqual(
        calls.map(({ state, participants }) => [state, participants.length]),
        [['active', 2]],
      );
      await says(bob, alice);
      for (const one of [alice, bob])
        assert.deepEqual(
          told(one).filter((what) => !what.startsWith('call active')),
          [],
        );
    });

    it('where they were left while the server was away', async () => {
      await callsOf(alice).start({ room: LOBBY }, EQUIPMENT);
      await callsOf(bob).start({ room: LOBBY }, EQUIPMENT);
      await eventually('both', () => callsOf(alice).current?.participants.length === 2);
      isServerTaken = true;
      for (const connection of alice.transport.connections) connection.break();
      await callsOf(alice).leave();
      await eventually('the leaving', () => callsOf(bob).current?.participants.length === 1);
      assert.equal(callsOf(alice).current, undefined);
      assert.deepEqual(
        told(alice).filter((what) => what.startsWith('over')),
        ['over active: hung up (alice bob)'],
      );
    });
  });

  it('end with the program, and are not taken for going on by the next one', async () => {
    await talk();
    await bob.crash();
    // The last that it did not come to writing is no matter here.
    bob.faults.length = 0;
    await bob.open();
    await bob.login();
    await hears(alice, 'over ended');
    assert.deepEqual([callsOf(bob).current, callsOf(alice).current], [undefined, undefined]);
  });

  it('of rooms are those of which the log says that one is in them', async () => {
    const list = (one: TestClient): readonly string[] => callsOf(one).rooms.map(({ room }) => room);
    const room = async (isPrivate: boolean): Promise<RoomId> =>
      alice.client.rooms.create(
        { name: isPrivate ? 'attic' : 'den', private: isPrivate },
        undefined,
      );
    const told = (id: RoomId): RoomCallView => ({
      ...{ id: callNamed(id.slice(0, 8)), room: id, state: 'active', users: ['alice'] },
    });
    const rooms = [await room(false), await room(true)];
    await eventually('the rooms', () => rooms.every((id) => roomOf(bob.home.space, id)));
    for (const one of [alice, bob])
      for (const id of [...rooms, 'f'.repeat(64) as RoomId, LOBBY]) callsOf(one).takeRoom(told(id));
    assert.deepEqual(list(alice), [...rooms, LOBBY]);
    assert.deepEqual(list(bob), [LOBBY]);
  });

  it('end with the login', async () => {
    await talk();
    await bob.client.logout();
    await hears(alice, 'over ended');
    assert.equal(told(bob).at(-1), 'over active: hung up (alice bob)');
    await eventually('a word', () => alice.callNotices.some(({ said }) => said.name === 'bye'));
    assert.equal(bob.client.calling.lines.size, 0);
  });

  it('do not ring a program that nobody listens to', async () => {
    await bob.stop();
    await bob.open({ isQuiet: true });
    await bob.login();
    bob.calls.length = 0;
    await callsOf(alice).start({ room: LOBBY }, EQUIPMENT);
    await callsOf(bob).known;
    await eventually('knowing of it', () => callsOf(bob).rooms.length === 1);
    assert.deepEqual(told(bob), []);
  });
});

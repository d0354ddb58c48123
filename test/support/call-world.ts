/** Calls at a server, by people who speak the protocol by hand, and what they leave in the log. */
import assert from 'node:assert/strict';
import type { CallBody } from '../../lib/crdt/bodies.ts';
import { callOf } from '../../lib/crdt/calls.ts';
import { encodeEntry } from '../../lib/crdt/entry.ts';
import type { RoomId } from '../../lib/crdt/keys.ts';
import { pairStream, type StreamName } from '../../lib/crdt/stream.ts';
import type { CallView, Ways } from '../../lib/node/calls/wire.ts';
import type { Request } from '../../lib/node/exchange.ts';
import type { SESSION } from '../../lib/node/wire.ts';
import { prove, register } from '../node/server/passwords.ts';
import { callNamed, EQUIPMENT, inShort } from './call-stage.ts';
import { eventually } from './channels.ts';
import type { Peer } from './roles.ts';
import { madeBy, roomEntry, type MadeRoom } from './rooms.ts';
import type { WorldStage } from './world-stage.ts';

/** How long everything takes there; less than a connection may be silent. */
const TIME_MS = 9_000;
export const TIMES = { ringMs: TIME_MS, resumeMs: TIME_MS, graceMs: TIME_MS };

/** What people do at the server of a stage. */
export function callers(stage: WorldStage) {
  /** Lets that time go by, in which these have been heard of. */
  const pass = async (...peers: Peer[]): Promise<void> => {
    stage.clock.shift += TIME_MS;
    await Promise.all(peers.map(({ session }) => session.call('ping', {})));
  };
  const sealed = async (
    by: Peer,
    stream: StreamName,
    kind: string,
    body: object,
  ): Promise<void> => {
    assert.deepEqual(await by.submit(by.member.write(stream, kind, body)), ['sealed']);
  };
  const befriend = async (one: Peer, other: Peer): Promise<void> => {
    const pair = pairStream(one.member.account, other.member.account);
    await sealed(one, pair, 'request', {});
    await sealed(other, pair, 'accept', {});
  };
  const pairOf = (one: Peer, other: Peer): StreamName =>
    pairStream(one.member.account, other.member.account);

  type Start = Request<typeof SESSION, 'callStart'>;
  const start = async (
    by: Peer,
    target: Peer | { id: RoomId } | Start['target'],
    id: string,
    change: Partial<Start> = {},
  ): Promise<CallView> => {
    const whom: Start['target'] =
      'member' in target
        ? { account: target.member.account }
        : 'id' in target
          ? { room: target.id }
          : target;
    const request = { id: callNamed(id), target: whom, equipment: EQUIPMENT, ...change };
    const { call } = await by.session.call('callStart', { secondDevice: false, ...request });
    return call;
  };
  const answer = (by: Peer, id: string): Promise<{ call: CallView; ways: Ways }> =>
    by.session.call('callAnswer', { id: callNamed(id), equipment: EQUIPMENT });
  const leave = (by: Peer, id: string): Promise<unknown> =>
    by.session.call('callLeave', { id: callNamed(id) });
  const last = ({ calls }: Peer): string => {
    const view = calls.at(-1);
    return view === undefined ? '' : view.state === 'ended' ? `ended: ${view.reason}` : view.state;
  };
  const hears = (peer: Peer, what: string): Promise<void> =>
    eventually(`${peer.member.name} hears ${what}`, () => last(peer) === what);
  const callsOf = async (peer: Peer): Promise<string[]> => {
    const { calls, rooms } = await peer.session.call('calls', {});
    return [...calls.map((view) => view.state), ...rooms.map(inShort)];
  };

  /** What the log says of calls, each as its body. */
  const marks = async (stream: StreamName): Promise<CallBody[]> => {
    const found: CallBody[] = [];
    const { log } = stage.world;
    for await (const { item } of log.items(stream, 0, log.headOf(stream).length)) {
      const body = item.type === 'entry' ? callOf(item.entry) : undefined;
      if (body !== undefined) found.push(body);
    }
    return found;
  };
  /** Waits until so many are there. */
  const marked = async (stream: StreamName, count = 1): Promise<CallBody[]> => {
    await eventually(`${count} in ${stream}`, async () => (await marks(stream)).length >= count);
    return marks(stream);
  };

  const open = async (by: Peer, name: string, ...others: Peer[]): Promise<MadeRoom> => {
    const entry = roomEntry(by.member, name);
    assert.deepEqual(await by.submit(entry), ['sealed']);
    const room = madeBy(entry);
    for (const other of others) await sealed(other, 'space', 'join', { room: room.id });
    return room;
  };
  const closed = async (by: Peer, name: string, ...others: Peer[]): Promise<MadeRoom> => {
    const entry = roomEntry(by.member, name, { private: true });
    assert.deepEqual(await by.submit(entry), ['sealed']);
    const room = madeBy(entry);
    await sealed(by, room.stream, 'join', { by: { type: 'owner' } });
    const add = others.map(({ member }) => member.account);
    if (add.length > 0) await sealed(by, room.stream, 'members', { add, remove: [] });
    return room;
  };
  const conference = async (by: Peer, name: string): Promise<MadeRoom> => {
    const entry = roomEntry(by.member, name, { private: true, lifetime: 'conference' });
    assert.deepEqual(await by.submit(entry), ['sealed']);
    return madeBy(entry);
  };
  /** All of these are in the call of a room, which is called `a`. */
  const meet = async (room: { id: RoomId }, ...peers: Peer[]): Promise<void> => {
    for (const peer of peers) await start(peer, room, 'a');
  };
  /** Somebody with two devices, and replication on the first. */
  const twoDevices = async (): Promise<[Peer, Peer]> => {
    const dora = await stage.world.peer('dora');
    await register(dora, 'secret');
    const phone = await stage.world.peer('dora', dora.member.device());
    await prove(phone, 'dora', 'secret');
    await phone.session.call('enrol', { entry: encodeEntry(phone.member.enrolment()) });
    await dora.open();
    return [dora, phone];
  };
  const back = async (peer: Peer): Promise<Peer> => {
    const again = await stage.world.peer(peer.member.name, peer.member);
    await again.session.call('login', {});
    await again.open();
    return again;
  };

  return {
    pass,
    sealed,
    befriend,
    pairOf,
    start,
    answer,
    leave,
    last,
    hears,
    callsOf,
    marks,
    marked,
    open,
    closed,
    conference,
    meet,
    twoDevices,
    back,
  };
}

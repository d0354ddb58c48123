import assert from 'node:assert/strict';
import type { RoomId } from '../../../lib/crdt/keys.ts';
import type { RoomCallView } from '../../../lib/node/calls/wire.ts';
import { RoomCalls } from '../../../lib/node/client/room-calls.ts';
import { callNamed } from '../../support/call-stage.ts';

describe('calls of rooms, as a device knows them', () => {
  let joined: Set<string>;
  let news: string[];
  let calls: RoomCalls;

  beforeEach(() => {
    joined = new Set();
    news = [];
    calls = new RoomCalls({
      isIn: (room) => joined.has(room),
      onNews: ({ room, state, users }) => news.push(`${room} ${state} [${users.join(' ')}]`),
    });
  });
  const call = (room: string, user = 'bob', id = room): RoomCallView => ({
    ...{ id: callNamed(id), room: room as RoomId, state: 'active', users: [user] },
  });
  const over = (room: string, id = room): RoomCallView => ({
    ...{ ...call(room, '', id), state: 'ended', users: [] },
  });
  const shown = (): string[] => calls.shown.map(({ room }) => room);

  it('are not shown of rooms in which one is not', () => {
    joined.add('x');
    calls.take(call('x'));
    calls.take(call('made up'));
    assert.deepEqual([shown(), news.splice(0)], [['x'], ['x active [bob]']]);
    calls.take(over('made up'));
    calls.takeAll([]);
    assert.deepEqual([calls.size, news], [0, ['x ended []']]);
  });

  it('are shown of those into which one comes, as they are then', () => {
    calls.take(call('x', 'bob'));
    calls.take(call('x', 'carol'));
    joined.add('x');
    assert.deepEqual(shown(), ['x']);
    calls.follow();
    calls.follow();
    assert.deepEqual(news, ['x active [carol]']);
  });

  it('are forgotten of those out of which one was put', () => {
    joined.add('x');
    calls.take(call('x'));
    joined.delete('x');
    assert.deepEqual(shown(), []);
    calls.take(over('y'));
    joined.add('x');
    assert.deepEqual([shown(), calls.size], [[], 0]);
    assert.deepEqual(news, ['x active [bob]', 'x ended []']);
  });

  it('are so many and no more, however many rooms are named', () => {
    joined.add('x').add('y');
    calls.take(call('x'));
    for (let n = 0; n < 1_000; n++) calls.take(call(`room ${n}`));
    assert.equal(calls.size, 256);
    // Those that there are make room for others.
    calls.take(call('y'));
    assert.deepEqual([shown(), calls.size], [['x', 'y'], 256]);
    for (let n = 0; n < 1_000; n++) joined.add(`room ${n}`);
    calls.follow();
    joined.add('z');
    calls.take(call('z'));
    assert.deepEqual([shown().includes('z'), calls.size], [false, 256]);
    calls.take(call('x', 'carol'));
    assert.equal(news.at(-1), 'x active [carol]');
  });

  it('are over by their own end only', () => {
    joined.add('x');
    calls.take(call('x', 'bob', 'a'));
    calls.take(call('x', 'carol', 'b'));
    calls.take(over('x', 'a'));
    assert.deepEqual(shown(), ['x']);
    calls.take(over('x', 'b'));
    assert.deepEqual([shown(), news.at(-1)], [[], 'x ended []']);
  });
});

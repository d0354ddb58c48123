import assert from 'node:assert/strict';
import type { RoomId } from '../../../lib/crdt/keys.ts';
import { ServerEntries } from '../../../lib/node/server/server-entries.ts';
import { SealedCommunity } from '../../support/community.ts';
import { madeBy, roomEntry } from '../../support/rooms.ts';

describe('entries of the server', () => {
  const open = async () => {
    const community = await SealedCommunity.found();
    const { log, sealer, server, clock, random } = community;
    return { community, own: new ServerEntries({ log, sealer, key: server.key, clock, random }) };
  };

  it('follow one another in a stream, however many are asked for at once', async () => {
    const { community, own } = await open();
    const alice = await community.join('alice');
    const rooms: RoomId[] = [];
    for (let i = 0; i < 5; i++) {
      const entry = roomEntry(alice, `room${i}`, { lifetime: 'temporary' });
      await community.seal(entry);
      rooms.push(madeBy(entry).id);
    }
    const outcomes = await Promise.all(
      rooms.map((room) => own.submit('space', 'removeroom', { room })),
    );
    assert.deepEqual(
      outcomes.map(({ type }) => type),
      rooms.map(() => 'sealed'),
    );
    const { state } = await community.log.open('space');
    assert.deepEqual(
      rooms.map((room) => state.get('room', room)),
      rooms.map(() => undefined),
    );
  });

  it('may be refused by who asked for them, and leave no trace then', async () => {
    const { community, own } = await open();
    const alice = await community.join('alice');
    const entry = roomEntry(alice, 'den', { lifetime: 'temporary' });
    await community.seal(entry);
    const { id: room } = madeBy(entry);
    const { length } = community.log.headOf('space');
    const refused = await own.submit('space', 'removeroom', { room }, () => 'ALREADY');
    assert.deepEqual(refused, { type: 'rejected', code: 'ALREADY' });
    assert.equal(community.log.headOf('space').length, length);
    assert.equal((await own.submit('space', 'removeroom', { room })).type, 'sealed');
  });
});

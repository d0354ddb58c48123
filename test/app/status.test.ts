import assert from 'node:assert/strict';
import type { Found } from '../../lib/app/finding.ts';
import { Situation } from '../../lib/app/situation.ts';
import { namesOf, serverView, standingOf } from '../../lib/app/status.ts';
import type { PublicKey } from '../../lib/crdt/keys.ts';
import { pairStream, roomStream } from '../../lib/crdt/stream.ts';
import { peerIdOf } from '../../lib/node/peer-id.ts';
import { RoomStage } from '../support/room-stage.ts';

describe('what the front ends see', function () {
  this.timeout(20_000);
  let stage: RoomStage;
  before(async () => {
    stage = await RoomStage.open();
    await stage.run(stage.alice, 'room', { room: 'garden' });
    await stage.run(stage.alice, 'room', { room: 'garden/shed' });
    await stage.run(stage.alice, 'conference', { name: 'tea' });
  });
  after(() => stage.close());

  it('is where somebody is, and with whom they talk', () => {
    const { home } = stage.alice;
    const situation = new Situation();
    assert.deepEqual(standingOf(home, situation), { conversation: '#lobby' });
    situation.enter(stage.at('garden/shed'));
    const shed = { conversation: '#garden/shed', room: 'garden/shed' };
    assert.deepEqual(standingOf(home, situation), shed);
    situation.talk(pairStream(home.account, stage.bob.home.account));
    assert.deepEqual(standingOf(home, situation), { ...shed, conversation: '@bob' });
    situation.talk(roomStream(stage.at('garden')));
    assert.deepEqual(standingOf(home, situation), { ...shed, conversation: '#garden' });
  });

  it('is what can be written: people, rooms, groups, devices, and conferences in sight', async () => {
    const { client } = stage.alice;
    assert.deepEqual([...namesOf(client, 'user')].sort(), ['bob', 'carol', 'root']);
    assert.deepEqual([...namesOf(client, 'room')].sort(), ['garden', 'garden/shed', 'lobby']);
    assert.deepEqual([...namesOf(client, 'group')].sort(), ['admin', 'user']);
    assert.deepEqual(namesOf(client, 'device').length, 1);
    assert.deepEqual(namesOf(client, 'conference'), ['tea', 'lobby']);
    const [id, lobby] = namesOf(client, 'conference-id');
    assert.match(id ?? '', /^[0-9a-f]{8}$/);
    assert.equal(lobby, 'lobby');
    // Whoever is no contact of anybody in it does not see it.
    assert.deepEqual(namesOf(stage.bob.client, 'conference'), ['lobby']);
  });

  it('is a server by the address at which it was reached, and by its own name', () => {
    const key = 'ab'.repeat(32) as PublicKey;
    const found: Found = {
      key,
      name: 'old',
      addresses: () => ['10.0.0.1:1'],
      stop: () => undefined,
    };
    const none = { own: undefined, client: undefined };
    const server = { id: peerIdOf(key), name: 'old', connected: true };
    assert.deepEqual(serverView({ found, ...none }), { ...server, addresses: ['10.0.0.1:1'] });
    const away = { ...found, reached: '10.0.0.2:2', isAway: true };
    assert.deepEqual(serverView({ found: away, ...none }), {
      ...server,
      addresses: ['10.0.0.2:2'],
      connected: false,
    });
    const { client } = stage.alice;
    const view = serverView({ found, own: undefined, client });
    assert.deepEqual([view.name, view.connected], ['acme', true]);
  });
});

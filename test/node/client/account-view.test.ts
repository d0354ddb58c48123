import assert from 'node:assert/strict';
import { LOBBY_STREAM } from '../../../lib/crdt/stream.ts';
import { homeStage } from '../../support/home-stage.ts';
import type { HomeBench } from '../../support/homes.ts';

describe('what an account knows of the space', () => {
  const stage = homeStage();
  let alice: HomeBench;
  let bob: HomeBench;

  beforeEach(async () => {
    [alice, bob] = await stage.join('alice', 'bob');
  });

  it('whose it is, and who else there is', async () => {
    const { home } = alice;
    assert.equal(home.name, 'alice');
    assert.equal(home.record?.name, 'alice');
    assert.equal(home.serverName, 'acme');
    assert.deepEqual(home.names().sort(), ['alice', 'bob']);
    assert.equal(home.named('BOB'), bob.home.account);
    assert.throws(() => home.named('nobody'), { code: 'NO_SUCH_USER' });
    assert.equal(home.nameOf(bob.home.account), 'bob');
    assert.equal(home.nameOf(undefined), '?');
    assert.equal(home.roomName(LOBBY_STREAM), 'lobby');
    assert.equal(home.roomName(alice.pair(bob)), undefined);
    assert.ok(home.isMention('@Alice, look'));
    assert.ok(!home.isMention('@bob, look'));
    assert.equal(home.roomName(`room/${'0'.repeat(32)}`), undefined);
  });

  it('its name before the log is here', async () => {
    const carol = await stage.open(await stage.community.join('carol'), { empty: true });
    assert.equal(carol.home.name, 'carol');
    assert.equal(carol.home.record, undefined);
    assert.equal(carol.home.serverName, '');
    assert.throws(() => carol.home.keyrings.present, { code: 'STALE_KEY' });
    assert.deepEqual(carol.home.spacePlace, { seq: 1, previous: null, clock: 1 });
  });

  it('the devices of its account that are not shut out', async () => {
    const phone = await stage.community.enrol(alice.member);
    const devices = (): string[] => alice.home.devices().map(({ key }) => key);
    await alice.catchUp();
    assert.deepEqual(devices().sort(), [alice.member.id, phone.id].sort());
    await alice.revoke(phone);
    assert.deepEqual(devices(), [alice.member.id]);
  });

  it('where its next entry in the space goes', async () => {
    const { clock, ...place } = alice.home.spacePlace;
    const [, signup] = stage.community.of('space').flatMap(({ items }) => items);
    assert.ok(signup?.type === 'entry');
    assert.deepEqual(place, { seq: 2, previous: signup.entry.id });
    assert.ok(clock > signup.entry.clock);
  });
});

import assert from 'node:assert/strict';
import { LOBBY_STREAM } from '../../../lib/crdt/stream.ts';
import { SealedCommunity, type Member } from '../../support/community.ts';
import { HomeBench } from '../../support/homes.ts';

describe('what an account knows of the space', () => {
  let community: SealedCommunity;
  let alice: HomeBench;
  let bob: HomeBench;
  const benches: HomeBench[] = [];

  const open = async (
    member: Member,
    options?: Parameters<typeof HomeBench.open>[2],
  ): Promise<HomeBench> => {
    const bench = await HomeBench.open(community, member, options);
    benches.push(bench);
    return bench;
  };
  beforeEach(async () => {
    community = await SealedCommunity.found();
    const members = [await community.join('alice'), await community.join('bob')] as const;
    alice = await open(members[0]);
    bob = await open(members[1]);
  });
  afterEach(async () => {
    const faults: unknown[] = [];
    for (const bench of benches.splice(0)) {
      await bench.stop();
      faults.push(...bench.faults);
    }
    assert.deepEqual(faults, []);
  });

  /** One device of an account shuts out another. */
  const revoke = async (by: HomeBench, device: Member): Promise<void> => {
    await by.catchUp();
    const { body, keyring } = by.home.revocation(device.id);
    await by.home.keyrings.keep([keyring]);
    await by.home.conversations.act('space', 'revoke', body);
    assert.deepEqual(await by.deliver(), ['sealed']);
  };
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
    const carol = await open(await community.join('carol'), { empty: true });
    assert.equal(carol.home.name, 'carol');
    assert.equal(carol.home.record, undefined);
    assert.equal(carol.home.serverName, '');
    assert.throws(() => carol.home.keyrings.present, { code: 'STALE_KEY' });
    assert.deepEqual(carol.home.spacePlace, { seq: 1, previous: null, clock: 1 });
  });

  it('the devices of its account that are not shut out', async () => {
    const phone = await community.enrol(alice.member);
    const devices = (): string[] => alice.home.devices().map(({ key }) => key);
    await alice.catchUp();
    assert.deepEqual(devices().sort(), [alice.member.id, phone.id].sort());
    await revoke(alice, phone);
    assert.deepEqual(devices(), [alice.member.id]);
  });

  it('where its next entry in the space goes', async () => {
    const { clock, ...place } = alice.home.spacePlace;
    const [, signup] = community.of('space').flatMap(({ items }) => items);
    assert.ok(signup?.type === 'entry');
    assert.deepEqual(place, { seq: 2, previous: signup.entry.id });
    assert.ok(clock > signup.entry.clock);
  });
});

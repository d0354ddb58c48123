import assert from 'node:assert/strict';
import { redeem } from '../../../lib/crdt/codes.ts';
import type { Entry } from '../../../lib/crdt/entry.ts';
import type { AdminNews } from '../../../lib/node/client/admin-news.ts';
import { Member, SealedCommunity } from '../../support/community.ts';
import { HomeBench } from '../../support/homes.ts';
import { codeFacts } from '../../support/rooms.ts';

const [SIGNUP, ELEVATE] = ['S'.repeat(28), 'E'.repeat(28)];
const LATE = Number.MAX_SAFE_INTEGER;

describe('news of administration', () => {
  let community: SealedCommunity;
  let root: Member;
  let bob: Member;
  let bench: HomeBench;
  let told: AdminNews[];

  /** The home of a device, that keeps what it is told. */
  async function listen(member: Member): Promise<void> {
    bench = await HomeBench.open(community, member);
    await bench.restart({ onAdmin: (news) => told.push(news) });
  }
  beforeEach(async () => {
    told = [];
    community = await SealedCommunity.found();
    root = await community.join('root');
    bob = await community.join('bob');
    const crown = { account: root.account, group: 'admin' };
    await community.seal(community.server.write('space', 'setgroup', crown));
  });
  afterEach(async () => {
    await bench.stop();
    assert.deepEqual(bench.faults, []);
  });

  const by = (member: Member, kind: string, body: unknown): Promise<Entry> =>
    community.seal(member.write('space', kind, body));
  const issue = (member: Member, purpose: 'signup' | 'elevate', uses = 1): Promise<Entry> =>
    by(member, 'code', {
      purpose,
      group: 'mute',
      ...codeFacts(purpose === 'signup' ? SIGNUP : ELEVATE, uses, LATE),
    });
  const redemption = (member: Member, code: string): object =>
    redeem(code, member.server, member.id, 'space');
  async function news(): Promise<AdminNews[]> {
    await bench.catchUp();
    return told.splice(0);
  }
  const code = (
    purpose: 'signup' | 'elevate',
    state: 'issued' | 'redeemed',
    who?: Member,
  ): AdminNews => ({ kind: 'code', purpose, state, group: 'mute', by: who?.account });
  const group = (
    name: string,
    state: 'created' | 'updated' | 'removed' | 'set',
    who?: Member,
  ): AdminNews => ({ kind: 'group', group: name, state, account: who?.account });

  it('tell of codes of this account, by whom they were used up', async () => {
    const phone = await community.enrol(root);
    await listen(phone);
    await issue(root, 'signup');
    assert.deepEqual(await news(), [code('signup', 'issued')]);
    const cat = new Member(community.server.id, community.random, 'cat');
    await community.seal(cat.signup(undefined, { code: redemption(cat, SIGNUP) }));
    assert.deepEqual(await news(), [code('signup', 'redeemed', cat)]);
    // Also where both came at once, and from before the program was started.
    await issue(root, 'elevate', 2);
    await by(bob, 'elevate', redemption(bob, ELEVATE));
    assert.deepEqual(await news(), [
      code('elevate', 'issued'),
      code('elevate', 'redeemed', bob),
      group('mute', 'set', bob),
    ]);
    await bench.restart({ onAdmin: (one) => told.push(one) });
    await by(cat, 'elevate', redemption(cat, ELEVATE));
    assert.deepEqual(await news(), [code('elevate', 'redeemed', cat), group('mute', 'set', cat)]);
  });

  it('tell nobody of the codes of others', async () => {
    await listen(bob);
    await issue(root, 'elevate');
    const cat = await community.join('cat');
    await by(cat, 'elevate', redemption(cat, ELEVATE));
    assert.deepEqual(await news(), []);
  });

  it('tell of groups whoever is in them, and whoever may view levels', async () => {
    const deeds = async (): Promise<void> => {
      await by(root, 'creategroup', { name: 'crew', level: 0 });
      await by(root, 'setgroup', { account: bob.account, group: 'crew' });
      await by(root, 'updategroup', { name: 'crew', add: ['sendMessage'], remove: [] });
      await by(root, 'updategroup', { name: 'mute', add: ['sendMessage'], remove: [] });
      await by(root, 'removegroup', { name: 'crew' });
    };
    await listen(bob);
    await deeds();
    assert.deepEqual(await news(), [
      group('crew', 'set', bob),
      group('crew', 'updated'),
      group('crew', 'removed'),
    ]);
    await bench.stop();
    const phone = await community.enrol(root);
    await listen(phone);
    await by(root, 'setgroup', { account: bob.account, group: 'user' });
    await deeds();
    assert.deepEqual(await news(), [
      group('user', 'set', bob),
      group('crew', 'created'),
      group('crew', 'set', bob),
      group('crew', 'updated'),
      group('mute', 'updated'),
      group('crew', 'removed'),
    ]);
  });

  it('tell of other names: one’s own, and that of the server', async () => {
    await listen(bob);
    await by(root, 'updateuser', { account: root.account, name: 'root2' });
    await by(root, 'updateuser', { account: bob.account, display: 'Bob' });
    assert.deepEqual(await news(), []);
    await by(root, 'updateuser', { account: bob.account, name: 'robert' });
    await by(root, 'renameserver', { name: 'acme2' });
    assert.deepEqual(await news(), [{ kind: 'name' }, { kind: 'server', name: 'acme2' }]);
  });

  it('tell nothing of what was refused, nor of what this device did itself', async () => {
    await listen(root);
    await by(root, 'creategroup', { name: 'crew', level: 0 });
    await issue(root, 'signup');
    await community.submit(bob.write('space', 'creategroup', { name: 'x', level: 0 }));
    assert.deepEqual(await news(), []);
  });

  it('tell everybody of those who are silenced everywhere, and by whom', async () => {
    await listen(bob);
    const silence = (on: boolean, change: object = {}): Promise<Entry> =>
      by(root, 'suppress', { account: bob.account, on, ...change });
    await silence(true);
    await silence(false);
    // Of one room it is told there.
    await silence(true, { room: 'lobby' });
    const said = { kind: 'suppress', account: bob.account, by: root.account } as const;
    assert.deepEqual(await news(), [
      { ...said, on: true },
      { ...said, on: false },
    ]);
  });
});

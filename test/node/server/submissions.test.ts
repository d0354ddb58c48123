import assert from 'node:assert/strict';
import { encodeEntry } from '../../../lib/crdt/entry.ts';
import { LOBBY_STREAM, pairStream } from '../../../lib/crdt/stream.ts';
import { Admission, MAX_ROOMS } from '../../../lib/node/server/admission.ts';
import { Directory } from '../../../lib/node/server/directory.ts';
import { Lanes } from '../../../lib/node/server/lanes.ts';
import { Submissions, type Submitter } from '../../../lib/node/server/submissions.ts';
import { turns } from '../../support/channels.ts';
import { SealedCommunity, type Member } from '../../support/community.ts';

describe('submissions', () => {
  let community: SealedCommunity;
  let directory: Directory;
  let alice: Member;
  let bob: Member;
  /** `device account`: whose password a device has proved. */
  const proofs = new Set<string>();
  let submissions: Submissions;
  const lanes = new Lanes();

  beforeEach(async () => {
    community = await SealedCommunity.found();
    alice = await community.join('alice');
    bob = await community.join('bob');
    directory = await Directory.open(community.log);
    proofs.clear();
    submissions = new Submissions({
      sealer: community.sealer,
      directory,
      clock: community.clock,
      accountOf: (device) => (device === alice.id ? alice.account : bob.account),
      onActive: () => undefined,
      admission: new Admission({
        log: community.log,
        directory,
        clock: community.clock,
        isBlocked: () => false,
        takeProof: (device, of) => proofs.delete(`${device} ${of}`),
        conference: () => undefined,
      }),
    });
  });

  const submitter = (member: Member, hasGone = (): boolean => false): Submitter => ({
    device: member.id,
    account: member.account,
    lane: lanes.enter(member.id),
    hasGone,
  });
  const says = (member: Member, number: number): Uint8Array[] =>
    Array.from({ length: number }, (_, n) =>
      encodeEntry(member.write(LOBBY_STREAM, 'say', { text: `${n}` })),
    );

  it('go no further once nobody waits for the answer', async () => {
    let checked = 0;
    const leaving = submitter(alice, () => ++checked > 2);
    await assert.rejects(submissions.submit(leaving, says(alice, 50)), { code: 'CLOSED' });
    await community.sealer.close();
    assert.equal(community.log.headOf(LOBBY_STREAM).length, 2);
  });

  it('of one device wait for each other, over whatever channel they come', async () => {
    const [first, second] = [submitter(alice), submitter(alice)];
    let release: () => void = () => undefined;
    const held = first.lane.submissions.run(
      () => new Promise<void>((resolve) => (release = resolve)),
    );
    const later = submissions.submit(second, says(alice, 1));
    await submissions.submit(submitter(bob), says(bob, 1));
    await turns();
    assert.equal(community.log.headOf(LOBBY_STREAM).length, 1);
    release();
    await held;
    assert.deepEqual(await later, [{ type: 'sealed', position: 1 }]);
  });

  it('make nobody a contact whose password has not been proved just before', async () => {
    const pair = pairStream(alice.account, bob.account);
    const befriend = (): Promise<unknown> =>
      submissions.submit(submitter(alice), [encodeEntry(alice.write(pair, 'befriend', {}))]);
    assert.deepEqual(await befriend(), [{ type: 'refused', code: 'BAD_PASSWORD' }]);
    proofs.add(`${bob.id} ${alice.account}`);
    assert.deepEqual(await befriend(), [{ type: 'refused', code: 'BAD_PASSWORD' }]);
    proofs.add(`${alice.id} ${bob.account}`);
    assert.deepEqual(await befriend(), [{ type: 'sealed', position: 2 }]);
    await submissions.submit(submitter(bob), [encodeEntry(bob.write(pair, 'unfriend', {}))]);
    // A proof is good once.
    assert.deepEqual(await befriend(), [{ type: 'refused', code: 'BAD_PASSWORD' }]);
  });

  it('make a bounded number of rooms for each account', async () => {
    const rooms = (member: Member, number: number): Uint8Array[] =>
      Array.from({ length: number }, (_, n) => {
        const body = { name: `${member.name}${n}`, private: false };
        return encodeEntry(member.write('space', 'room', body));
      });
    const outcomes = await submissions.submit(submitter(alice), rooms(alice, MAX_ROOMS + 2));
    assert.deepEqual(
      outcomes.map(({ type }) => type),
      [...Array<string>(MAX_ROOMS).fill('sealed'), 'refused', 'refused'],
    );
    assert.deepEqual(outcomes.at(-1), { type: 'refused', code: 'RATE_LIMITED' });
    for (const batch of community.of('space').slice(3)) directory.update(batch);
    assert.equal(directory.roomsOf(alice.account), MAX_ROOMS);
    // The same after a restart of the server.
    directory = await Directory.open(community.log);
    assert.equal(directory.roomsOf(alice.account), MAX_ROOMS);
    const [outcome] = await submissions.submit(submitter(bob), rooms(bob, 1));
    assert.equal(outcome?.type, 'sealed');
  });
});

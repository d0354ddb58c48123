import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Redemption } from '../../lib/crdt/bodies.ts';
import {
  checkNewCode,
  codeKey,
  codesOf,
  MAX_OPEN_CODES,
  newCodeChanges,
  normalCode,
  redeem,
  redeemed,
  usedChange,
} from '../../lib/crdt/codes.ts';
import { MAX_TIME } from '../../lib/crdt/entry.ts';
import type { AccountId, PublicKey } from '../../lib/crdt/keys.ts';
import { accountOf, type CodeRecord } from '../../lib/crdt/records.ts';
import { State } from '../../lib/crdt/state.ts';
import { Ledger, NOW, SealedCommunity, type Member } from '../support/community.ts';
import { flipped } from '../support/mutate.ts';
import { ReplicaBench } from '../support/replicas.ts';
import { codeFacts } from '../support/rooms.ts';

const CODE = 'ABCD-EFGH-2345-6789-JKLM-NPQR';
const SERVER = '1'.repeat(64) as PublicKey;
const DEVICE = '2'.repeat(64) as PublicKey;
const OTHER = '3'.repeat(64) as PublicKey;
const ALICE = 'a'.repeat(32) as AccountId;
const BOB = 'b'.repeat(32) as AccountId;

describe('codes', () => {
  const verifier = codeKey(CODE).public;
  let state: State;
  const put = (change: Partial<CodeRecord> = {}): void => {
    const value: CodeRecord = {
      purpose: 'elevate',
      group: 'helper',
      issuer: ALICE,
      uses: 2,
      expires: NOW,
      ...change,
    };
    state.apply([{ table: 'code', id: verifier, value }]);
  };
  const place = { server: SERVER, device: DEVICE, stream: 'space' };
  const check = (
    redemption: Redemption,
    at: typeof place = place,
    purpose: CodeRecord['purpose'] = 'elevate',
  ): boolean => redeemed(state, redemption, purpose, { entry: at, now: NOW }) !== undefined;

  beforeEach(() => {
    state = new State();
    put();
  });

  it('are the same however they are written', () => {
    for (const written of [
      'abcd efgh 2345 6789 jklm npqr',
      'ABCDEFGH23456789JKLMNPQR',
      ` ${CODE} `,
    ])
      assert.equal(codeKey(written).public, verifier, written);
    assert.notEqual(codeKey('ABCD-EFGH-2345-6789-JKLM-NPQS').public, verifier);
    fc.assert(
      fc.property(fc.string(), (text) => {
        assert.match(normalCode(text), /^[A-Z0-9]*$/);
        assert.equal(normalCode(normalCode(text)), normalCode(text));
      }),
    );
  });

  it('are redeemed by whoever knows them, in the place for which it was said', () => {
    const redemption = redeem(CODE, SERVER, DEVICE, 'space');
    assert.equal(redemption.verifier, verifier);
    assert.ok(check(redemption));
    assert.ok(!check(redemption, { ...place, device: OTHER }), 'copied by another device');
    assert.ok(!check(redemption, { ...place, server: OTHER }), 'at another server');
    assert.ok(!check(redemption, { ...place, stream: 'room/lobby' }), 'in another stream');
    assert.ok(!check(redemption, place, 'signup'), 'for another purpose');
    assert.ok(!check(redemption, place, 'join'));
  });

  it('are not redeemed by those who know only what the log says', () => {
    const { proof } = redeem(CODE, SERVER, DEVICE, 'space');
    for (const altered of flipped(proof, 7)) assert.ok(!check({ verifier, proof: altered }));
    assert.ok(!check({ verifier, proof: new Uint8Array(64) }));
    const other = redeem('another code', SERVER, DEVICE, 'space');
    assert.ok(!check({ verifier, proof: other.proof }));
    assert.ok(!check(other), 'of a code that is not there');
  });

  it('are used up', () => {
    const redemption = redeem(CODE, SERVER, DEVICE, 'space');
    state.apply(usedChange(state, verifier));
    assert.equal(state.get<CodeRecord>('code', verifier)?.uses, 1);
    assert.ok(check(redemption));
    state.apply(usedChange(state, verifier));
    assert.equal(state.get('code', verifier), undefined);
    assert.ok(!check(redemption));
    assert.deepEqual(usedChange(state, verifier), []);
    put({ uses: 0 });
    assert.ok(!check(redemption));
  });

  it('are good up to their time', () => {
    const redemption = redeem(CODE, SERVER, DEVICE, 'space');
    put({ expires: NOW - 1 });
    assert.ok(!check(redemption));
  });

  describe('are put in place', () => {
    const facts = (written: string, expires = NOW + 9) => ({
      verifier: codeKey(written).public,
      expires,
    });
    /** @returns why not */
    const issue = (written: string, issuer: AccountId, now: number, expires = now + 9) => {
      const code = facts(written, expires);
      const refused = checkNewCode(state, code, issuer, now);
      if (refused !== undefined) return refused;
      const value: CodeRecord = { purpose: 'join', issuer, uses: 1, expires };
      state.apply(newCodeChanges(state, code.verifier, value, now));
      return undefined;
    };

    it('once, before their time is over', () => {
      assert.equal(issue(CODE, BOB, NOW), 'ALREADY');
      assert.equal(issue('OTHER', BOB, NOW, NOW - 1), 'BAD_CODE');
      assert.equal(issue('OTHER', BOB, NOW, NOW), undefined);
    });

    it(`up to ${MAX_OPEN_CODES} of an account that are open at a time`, () => {
      for (let n = 1; n < MAX_OPEN_CODES; n++)
        assert.equal(issue(`CODE${n}`, ALICE, NOW, NOW + n), undefined);
      assert.equal(issue('MORE', ALICE, NOW), 'RATE_LIMITED');
      assert.equal(issue('HIS', BOB, NOW), undefined, 'of each its own');
      // The two whose time is over make room, and are forgotten.
      const size = [...state.entries('code')].length;
      assert.equal(issue('MORE', ALICE, NOW + 2), undefined);
      assert.equal([...state.entries('code')].length, size - 1);
      assert.equal(issue('MORE2', ALICE, NOW + 2), undefined);
      assert.equal(issue('MORE3', ALICE, NOW + 2), 'RATE_LIMITED');
      // So does one that is used up.
      state.apply(usedChange(state, codeKey('MORE').public));
      assert.equal(issue('MORE3', ALICE, NOW + 2), undefined);
    });

    it('and end with whoever made them', () => {
      assert.equal(issue('HIS', BOB, NOW), undefined);
      state.apply(codesOf(state, new Set([ALICE])));
      const left = [...state.entries<CodeRecord>('code')].map(([, { issuer }]) => issuer);
      assert.deepEqual(left, [BOB]);
    });
  });

  it('are never more than the bound, whatever a client sends', () => {
    const steps = fc.array(
      fc.record({
        device: fc.nat(1),
        expires: fc.oneof(
          { weight: 1, arbitrary: fc.constantFrom(-1, 0, 50) },
          { weight: 9, arbitrary: fc.constant(10_000) },
        ),
        redeem: fc.integer({ min: 0, max: 15 }),
        pass: fc.constantFrom(0, 0, 0, 1, 20),
        time: fc.constantFrom(0, NOW, MAX_TIME),
      }),
      { minLength: 1.5 * MAX_OPEN_CODES, maxLength: 2 * MAX_OPEN_CODES, size: 'max' },
    );
    let isFull = false;
    fc.assert(
      fc.property(steps, (all) => {
        const ledger = new Ledger();
        const root = ledger.join('root');
        ledger.appoint(root, 'admin');
        const devices: Member[] = [root, ledger.enrol(root)];
        /** Until when those are good that are not used. */
        const open = new Map<string, number>();
        all.forEach(({ device, redeem: use, pass, time, expires: after }, n) => {
          ledger.now += pass;
          for (const [written, until] of open) if (until < ledger.now) open.delete(written);
          const expires = ledger.now + after;
          const body = { purpose: 'elevate', group: 'admin', ...codeFacts(`C${n}`, 1, expires) };
          const verdict = ledger.submit(devices[device]!.write('space', 'code', body, { time }));
          const expected =
            after < 0 ? 'BAD_CODE' : open.size >= MAX_OPEN_CODES ? 'RATE_LIMITED' : undefined;
          assert.equal('code' in verdict ? verdict.code : undefined, expected);
          isFull ||= expected === 'RATE_LIMITED';
          if (expected === undefined) open.set(`C${n}`, expires);
          const [first] = open.keys();
          if (use === 0 && first !== undefined) {
            const { server, id } = devices[0]!;
            ledger.accept(root.write('space', 'elevate', redeem(first, server, id, 'space')));
            open.delete(first);
          }
          assert.ok([...ledger.space.entries('code')].length <= MAX_OPEN_CODES);
        });
      }),
      { numRuns: 8 },
    );
    assert.ok(isFull);
  });

  it('have one winner where many redeem one at once, the same on every replica', async () => {
    const community = await SealedCommunity.found();
    const root = await community.join('root');
    await community.seal(
      community.server.write('space', 'setgroup', { account: root.account, group: 'admin' }),
    );
    const people: Member[] = [];
    for (let n = 0; n < 12; n++) people.push(await community.join(`someone${n}`));
    const facts = codeFacts('ONE', 1, community.clock.now() + 1_000);
    const body = { purpose: 'elevate', group: 'helper', ...facts };
    await community.seal(root.write('space', 'code', body));
    const outcomes = await Promise.all(
      people.map((by) => {
        const redemption = redeem('ONE', by.server, by.id, 'space');
        return community.submit(by.write('space', 'elevate', redemption));
      }),
    );
    assert.equal(outcomes.filter(({ type }) => type === 'sealed').length, 1);
    for (const outcome of outcomes)
      if (outcome.type !== 'sealed')
        assert.deepEqual(outcome, { type: 'refused', code: 'BAD_CODE' });
    const bench = await ReplicaBench.open(community, root);
    await bench.follow(community.batches);
    assert.ok(await bench.replica.verifyState('space'));
    const lifted = people.filter(
      ({ account }) => accountOf(bench.replica.space, account)?.group === 'helper',
    );
    assert.equal(lifted.length, 1);
  });

  it('are judged on a replica by the time of the seal', async () => {
    const community = await SealedCommunity.found();
    const root = await community.join('root');
    await community.seal(
      community.server.write('space', 'setgroup', { account: root.account, group: 'admin' }),
    );
    const expires = community.clock.now() + 1_000;
    const body = { purpose: 'elevate', group: 'admin', ...codeFacts('UP', 9, expires) };
    await community.seal(root.write('space', 'code', body));
    const up = () => root.write('space', 'elevate', redeem('UP', root.server, root.id, 'space'));
    community.clock.pass(1_000);
    await community.seal(up());
    community.clock.pass(1);
    assert.deepEqual(await community.submit(up()), { type: 'refused', code: 'BAD_CODE' });
    // Long after.
    community.clock.pass(1e9);
    const bench = await ReplicaBench.open(community, root);
    await bench.follow(community.batches);
    assert.ok(await bench.replica.verifyState('space'));
    for (let at = 0; at < bench.replica.log.headOf('space').length; at++)
      assert.ok(!bench.replica.isVoid('space', at));
  });
});

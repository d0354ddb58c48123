import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Redemption } from '../../lib/crdt/bodies.ts';
import {
  checkNewCode,
  codeKey,
  normalCode,
  redeem,
  redeemed,
  usedChange,
} from '../../lib/crdt/codes.ts';
import type { PublicKey } from '../../lib/crdt/keys.ts';
import type { CodeRecord } from '../../lib/crdt/records.ts';
import { State } from '../../lib/crdt/state.ts';
import { flipped } from '../support/mutate.ts';

const CODE = 'ABCD-EFGH-2345-6789-JKLM-NPQR';
const SERVER = '1'.repeat(64) as PublicKey;
const DEVICE = '2'.repeat(64) as PublicKey;
const OTHER = '3'.repeat(64) as PublicKey;

describe('codes', () => {
  const verifier = codeKey(CODE).public;
  let state: State;
  const put = (change: Partial<CodeRecord> = {}): void => {
    const value: CodeRecord = {
      purpose: 'elevate',
      group: 'helper',
      issuer: 'a'.repeat(32) as CodeRecord['issuer'],
      uses: 2,
      expires: 0,
      ...change,
    };
    state.apply([{ table: 'code', id: verifier, value }]);
  };
  const place = { server: SERVER, device: DEVICE, stream: 'space' };
  const check = (
    redemption: Redemption,
    at: typeof place = place,
    purpose: CodeRecord['purpose'] = 'elevate',
  ): boolean => redeemed(state, redemption, purpose, at) !== undefined;

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

  it('are put in place once', () => {
    assert.equal(checkNewCode(state, verifier), 'ALREADY');
    assert.equal(checkNewCode(state, OTHER), undefined);
  });
});

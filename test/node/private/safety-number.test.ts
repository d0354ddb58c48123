import assert from 'node:assert/strict';
import {
  comparisonWith,
  rememberComparison,
  safetyNumber,
} from '../../../lib/node/private/safety-number.ts';
import { homeStage } from '../../support/home-stage.ts';
import type { HomeBench } from '../../support/homes.ts';

describe('a safety number', function () {
  this.timeout(30_000);
  const stage = homeStage();
  let alice: HomeBench;
  let bob: HomeBench;
  let carol: HomeBench;

  beforeEach(async () => {
    [alice, bob, carol] = await stage.join('alice', 'bob', 'carol');
    await stage.catchUp();
  });

  const numberOf = (one: HomeBench, other: HomeBench): string =>
    safetyNumber(one.home, other.member.account) ?? assert.fail('there is none');
  /** The key of an account changes. */
  const rotate = async (one: HomeBench): Promise<void> => {
    await stage.community.rotate(one.member);
    await stage.catchUp();
  };

  it('has twelve groups of five digits, the same for both and for nobody else', () => {
    const number = numberOf(alice, bob);
    assert.match(number, /^\d{5}(?: \d{5}){11}$/);
    assert.equal(numberOf(bob, alice), number);
    assert.equal(numberOf(alice, bob), number);
    assert.equal(new Set([number, numberOf(alice, carol), numberOf(bob, carol)]).size, 3);
  });

  it('changes with the key of either, and with that of nobody else', async () => {
    const first = numberOf(alice, bob);
    await rotate(carol);
    assert.equal(numberOf(alice, bob), first);
    await rotate(bob);
    const second = numberOf(alice, bob);
    await rotate(alice);
    const third = numberOf(alice, bob);
    assert.equal(new Set([first, second, third]).size, 3);
    assert.equal(numberOf(bob, alice), third);
  });

  it('is none with somebody who is not there', () => {
    assert.equal(
      safetyNumber(alice.home, stage.community.server.id.slice(0, 32) as never),
      undefined,
    );
  });

  it('is remembered once it was compared, on this device, until it changes', async () => {
    const { account } = bob.member;
    assert.equal(comparisonWith(alice.home, account), 'no');
    await rememberComparison(alice.home, account, true);
    assert.equal(comparisonWith(alice.home, account), 'yes');
    await alice.restart();
    assert.equal(comparisonWith(alice.home, account), 'yes');
    assert.equal(comparisonWith(bob.home, alice.member.account), 'no');
    assert.equal(comparisonWith(alice.home, carol.member.account), 'no');
    await rotate(bob);
    assert.equal(comparisonWith(alice.home, account), 'changed');
    await rememberComparison(alice.home, account, true);
    assert.equal(comparisonWith(alice.home, account), 'yes');
    await rememberComparison(alice.home, account, false);
    assert.equal(comparisonWith(alice.home, account), 'no');
  });
});

import assert from 'node:assert/strict';
import type { AccountId, PublicKey, RoomId } from '../../../lib/crdt/keys.ts';
import type { ErrorCode } from '../../../lib/errors.ts';
import { Call } from '../../../lib/node/server/call.ts';
import { CallIndex } from '../../../lib/node/server/call-index.ts';
import { CallRules } from '../../../lib/node/server/call-rules.ts';
import { callNamed, EQUIPMENT } from '../../support/call-stage.ts';
import { refused } from '../../support/conference-stage.ts';

const account = (name: string): AccountId => name as AccountId;
const [alice, bob] = [account('alice'), account('bob')];
const room = 'x' as RoomId;

describe('the rules of calls', () => {
  const rulesWith = (
    change: { code?: ErrorCode; denied?: string; isConference?: boolean } = {},
  ): { rules: CallRules; index: CallIndex } => {
    const index = new CallIndex();
    const rules = new CallRules(index, {
      isUser: (one) => one !== 'nobody',
      may: (_one, permission) => permission !== change.denied,
      isContact: () => false,
      isBlocked: (blocker) => blocker === 'bob',
      whyOut: () => change.code,
      isConference: () => change.isConference === true,
    });
    return { rules, index };
  };

  it('look at who somebody is before they look at rights, and at blocks before contacts', () => {
    const { rules } = rulesWith({ denied: 'callUser' });
    refused(() => rules.checkPair(alice, account('nobody'), room), 'NO_SUCH_USER');
    refused(() => rules.checkPair(alice, alice, room), 'SELF');
    refused(() => rules.checkPair(alice, bob, room), 'DENIED', /"callUser"/);
    refused(() => rulesWith().rules.checkPair(alice, bob, room), 'BLOCKED', /blocked you/);
    refused(() => rulesWith().rules.checkPair(bob, alice, room), 'BLOCKED', /You have/);
  });

  it('let members of one room call one another, but not those who are shut out of it', () => {
    const carol = account('carol');
    rulesWith().rules.checkPair(alice, carol, room);
    rulesWith({ code: 'NOT_SUPPORTED' }).rules.checkPair(alice, carol, room);
    refused(() => rulesWith().rules.checkPair(alice, carol, undefined), 'NOT_CONTACT');
    for (const code of ['NO_SUCH_ROOM', 'BANNED', 'NOT_MEMBER', 'NOT_PARTICIPANT'] as const)
      refused(() => rulesWith({ code }).rules.checkPair(alice, carol, room), 'NOT_CONTACT');
  });

  it('ask for rights in rooms, and for none in conferences', () => {
    const call = new Call(callNamed('a'), { type: 'room', room }, 'active');
    for (const [permission, check] of [
      ['callRoom', (rules: CallRules) => rules.checkBegin(alice, room)],
      ['joinVoiceRoom', (rules: CallRules) => rules.checkJoin(alice, call, 0)],
    ] as const) {
      refused(() => check(rulesWith({ denied: permission }).rules), 'DENIED');
      check(rulesWith({ denied: permission, isConference: true }).rules);
      check(rulesWith().rules);
    }
  });

  it('keep a device to one call, and an id to one', () => {
    const { rules, index } = rulesWith();
    const call = new Call(callNamed('a'), { type: 'room', room }, 'active');
    rules.checkFree('alice/1' as PublicKey);
    rules.checkNew(call.id);
    index.add(call);
    const seat = { account: alice, equipment: EQUIPMENT, lost: undefined };
    index.seat(call, { ...seat, device: 'alice/1' as PublicKey }, 0);
    refused(() => rules.checkFree('alice/1' as PublicKey), 'BUSY', /"hangup" first/);
    refused(() => rules.checkNew(call.id), 'ALREADY');
    rules.checkFree('alice/2' as PublicKey);
    rules.checkNew(callNamed('b'));
    assert.equal(index.all().length, 1);
  });
});

import assert from 'node:assert/strict';
import {
  MAX_INVITED,
  MAX_JOINED,
  MAX_OWNED,
  MAX_PARTICIPANTS,
} from '../../../lib/node/server/conference-rules.ts';
import { ConferenceStage, refused } from '../../support/conference-stage.ts';

describe('conferences are bounded', () => {
  let stage: ConferenceStage;

  beforeEach(() => {
    stage = new ConferenceStage();
    stage.connect('alice/1', 'bob/1', 'carol/1', 'dave/1');
    stage.relate('alice', 'bob', 'befriended');
    stage.relate('bob', 'carol', 'befriended');
  });
  afterEach(() => stage.conferences.stop());

  /** Changes that one account makes, at a pace that is let through. */
  const paced = <T>(run: () => T): T => {
    stage.clock.pass(1_000);
    return run();
  };

  it('in number, for each who owns or joins them', () => {
    for (let i = 0; i < MAX_OWNED; i++) paced(() => stage.create('alice/1', `x${i}`, `x${i}`));
    refused(() => stage.create('alice/1', 'y', 'y'), 'TOO_LARGE');
    stage.create('bob/1', 'y', 'y');
    stage.join('alice/1', { id: 'y' });
    refused(() => stage.transfer('bob', 'y', 'alice'), 'TOO_LARGE');
    stage.end('alice', 'x0');
    paced(() => stage.transfer('bob', 'y', 'alice'));
    for (let i = stage.list('alice/1').length; i < MAX_JOINED; i++) {
      stage.connect(`u${i}/1`);
      stage.create(`u${i}/1`, `z${i}`, `z${i}`);
      paced(() => stage.join('alice/1', { id: `z${i}` }, { isAdmitted: true }));
    }
    stage.create('carol/1', 'last', 'last');
    const join = (): unknown => stage.join('alice/1', { id: 'last' }, { isAdmitted: true });
    refused(join, 'TOO_LARGE');
    stage.leave('alice/1', { id: 'y' });
    paced(join);
  });

  it('in those who are in one, and those who are invited', () => {
    stage.begin();
    for (let i = 1; i < MAX_PARTICIPANTS; i++) {
      stage.connect(`u${i}/1`);
      stage.join(`u${i}/1`, { id: 'x' }, { isAdmitted: true });
    }
    refused(() => stage.join('bob/1', { id: 'x' }), 'TOO_LARGE', /full/);
    stage.leave('u1/1');
    stage.join('bob/1', { id: 'x' });
    for (let i = 0; i < MAX_INVITED; i++) paced(() => stage.invite('alice', 'x', `v${i}`));
    refused(() => stage.invite('alice', 'x', 'dave'), 'TOO_LARGE');
  });

  it('in the changes that one account makes', () => {
    stage.begin();
    const tries = (): number => {
      for (let i = 0; ; i++)
        try {
          stage.rename('alice', 'x', `n${stage.clock.monotonic()}-${i}`);
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'RATE_LIMITED');
          return i;
        }
    };
    assert.ok(tries() >= 10);
    stage.clock.pass(1_000);
    assert.ok(tries() <= 3);
    refused(() => stage.join('alice/1', { id: 'lobby' }), 'RATE_LIMITED');
    refused(() => stage.create('alice/1', 'y', 'y'), 'RATE_LIMITED');
    refused(() => stage.invite('alice', 'x', 'dave'), 'RATE_LIMITED');
    refused(() => stage.transfer('alice', 'x', 'dave'), 'RATE_LIMITED');
    // Others are not held back, and nobody is kept from leaving.
    stage.join('bob/1', { id: 'x' });
    stage.end('alice', 'x');
  });
});

import assert from 'node:assert/strict';
import { LOBBY_STREAM } from '../../../lib/crdt/stream.ts';
import {
  EARLY_BYTES,
  EarlyBatches,
  type WireBatch,
} from '../../../lib/node/client/early-batches.ts';
import { SealedCommunity, wireOf } from '../../support/community.ts';

describe('batches that came too early', () => {
  let early: EarlyBatches;
  /** Batches of the lobby, one entry each. */
  let batches: WireBatch[];

  before(async () => {
    const community = await SealedCommunity.found();
    const alice = await community.join('alice');
    for (let n = 0; n < 4; n++) await community.say(alice, `${n}`);
    batches = community.of(LOBBY_STREAM).map(wireOf);
  });
  beforeEach(() => (early = new EarlyBatches()));

  const keep = (...positions: number[]): void => {
    for (const position of positions) early.keep(LOBBY_STREAM, batches[position]!);
  };

  it('are taken out once, at the position at which they begin', () => {
    keep(1, 3);
    assert.equal(early.take(LOBBY_STREAM, 0), undefined);
    assert.equal(early.take('room/other', 1), undefined);
    assert.equal(early.take(LOBBY_STREAM, 1), batches[1]);
    assert.equal(early.take(LOBBY_STREAM, 1), undefined);
    assert.equal(early.take(LOBBY_STREAM, 3), batches[3]);
    assert.equal(early.bytes, 0);
  });

  it('are given up when something else has filled their place', () => {
    keep(1, 2, 3);
    early.dropBefore(LOBBY_STREAM, 3);
    assert.equal(early.take(LOBBY_STREAM, 2), undefined);
    assert.equal(early.take(LOBBY_STREAM, 3), batches[3]);
    early.dropBefore(LOBBY_STREAM, 9);
    assert.equal(early.bytes, 0);
  });

  it('count once however often they come', () => {
    keep(1);
    const { bytes } = early;
    keep(1, 1);
    assert.equal(early.bytes, bytes);
  });

  it('take up no more than their bound', () => {
    const { seal, items } = batches[1]!;
    const large = { seal, items: [...items, new Uint8Array(EARLY_BYTES / 2)] };
    const other = { seal: batches[2]!.seal, items: large.items };
    early.keep(LOBBY_STREAM, large);
    early.keep(LOBBY_STREAM, other);
    assert.equal(early.take(LOBBY_STREAM, 2), undefined);
    assert.ok(early.bytes <= EARLY_BYTES);
    early.take(LOBBY_STREAM, 1);
    early.keep(LOBBY_STREAM, other);
    assert.equal(early.take(LOBBY_STREAM, 2), other);
  });
});

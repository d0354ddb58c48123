import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { utf8 } from '../../lib/crdt/bytes.ts';
import { decode } from '../../lib/crdt/codec.ts';
import type { EntryId } from '../../lib/crdt/keys.ts';
import { openBody, sealBody, type Place } from '../../lib/crdt/sealed-body.ts';
import { LOBBY_STREAM } from '../../lib/crdt/stream.ts';
import { Ledger } from '../support/community.ts';
import { flipped, truncated } from '../support/mutate.ts';

describe('sealed bodies', () => {
  const KEY = randomBytes(32);
  const EPOCH = 'ab'.repeat(32) as EntryId;
  const SALT = randomBytes(16);
  const { server } = new Ledger();
  const place: Place = { server: server.id, stream: LOBBY_STREAM, device: server.id, seq: 3 };
  const boxOf = (body: Uint8Array): Uint8Array => (decode(body) as { box: Uint8Array }).box;
  const box = boxOf(sealBody(KEY, EPOCH, place, SALT, utf8('secret')));

  it('open at their own place only', () => {
    const opened = openBody(KEY, EPOCH, place, SALT, box);
    assert.equal(Buffer.from(opened ?? []).toString(), 'secret');
    const other = 'cd'.repeat(32);
    for (const wrong of [
      { ...place, seq: 4 },
      { ...place, stream: 'space' as const },
      { ...place, device: other as Place['device'] },
      { ...place, server: other as Place['server'] },
    ])
      assert.equal(openBody(KEY, EPOCH, wrong, SALT, box), undefined);
    assert.equal(openBody(KEY, other as EntryId, place, SALT, box), undefined);
    assert.equal(openBody(KEY, EPOCH, place, randomBytes(16), box), undefined);
    assert.equal(openBody(randomBytes(32), EPOCH, place, SALT, box), undefined);
  });

  it('open unaltered only', () => {
    for (const altered of flipped(box))
      assert.equal(openBody(KEY, EPOCH, place, SALT, altered), undefined);
    for (const cut of truncated(box))
      assert.equal(openBody(KEY, EPOCH, place, SALT, cut), undefined);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) =>
        assert.equal(openBody(KEY, EPOCH, place, SALT, bytes), undefined),
      ),
    );
  });

  it('of one text look different each time', () => {
    const again = boxOf(sealBody(KEY, EPOCH, place, randomBytes(16), utf8('secret')));
    assert.notDeepEqual(again, box);
    assert.equal(again.length, 'secret'.length + 16);
  });
});

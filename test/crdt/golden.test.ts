/**
 * The bytes of everything that is signed or stored, as they were when version 1 was made. Logs live
 * for years: whoever changes an encoding must add a version and a further set, never change this one.
 * A new kind is added by running this file once with CLCHAT_GOLDEN=write.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { actionOf, BODIES, type StreamBodies } from '../../lib/crdt/bodies.ts';
import { fromHex, toHex, utf8 } from '../../lib/crdt/bytes.ts';
import { decode, encode } from '../../lib/crdt/codec.ts';
import { redeem } from '../../lib/crdt/codes.ts';
import {
  decodeEntry,
  encodeEntry,
  eraseBody,
  signEntry,
  verifyEntry,
  type Entry,
} from '../../lib/crdt/entry.ts';
import { Keyring, passwordKey, wrapForPassword } from '../../lib/crdt/keyring.ts';
import {
  SealingKey,
  sealTo,
  sealWith,
  openWith,
  type AccountId,
  type EntryId,
  type RoomId,
} from '../../lib/crdt/keys.ts';
import { proveLock } from '../../lib/crdt/membership.ts';
import { lookKey } from '../../lib/crdt/naming.ts';
import { isRecord, TABLES } from '../../lib/crdt/records.ts';
import {
  decodeItem,
  entryItem,
  openBatch,
  openSeal,
  refusalItem,
  rootOf,
  signSeal,
} from '../../lib/crdt/seal.ts';
import { openBody, sealBody } from '../../lib/crdt/sealed-body.ts';
import { codeVerifier } from '../../lib/crdt/space.ts';
import { encodeRecord, State } from '../../lib/crdt/state.ts';
import type { StreamName } from '../../lib/crdt/stream.ts';
import {
  ALICE,
  BOB,
  DEVICE,
  fill,
  fixed,
  ID,
  OTHER,
  RECORDS,
  RECORD_VARIANTS,
  SALT,
  SAMPLES,
  SERVER,
  STREAMS,
  VARIANTS,
} from '../support/golden-samples.ts';

const FILE = new URL('golden.json', import.meta.url);
const WRITE = process.env['CLCHAT_GOLDEN'] === 'write';

const golden = (WRITE ? {} : (JSON.parse(readFileSync(FILE, 'utf8')) as unknown)) as Record<
  string,
  string
>;
const seen = new Set<string>();

/** Compares with the golden bytes. @returns the golden ones */
function check(name: string, bytes: Uint8Array): Uint8Array {
  assert.ok(!seen.has(name), name);
  seen.add(name);
  if (WRITE) golden[name] = toHex(bytes);
  const expected = golden[name];
  assert.ok(expected, `no golden bytes of "${name}"`);
  assert.equal(toHex(bytes), expected, name);
  return fromHex(expected);
}

/** Tables that there were when the first hash of a state was made. */
const FIRST_TABLES =
  'server group account name device keyring room roomname reset head clock epoch epochs member block request contact';

/** Those that there were when the next one was made. */
const NEXT_TABLES = `${FIRST_TABLES} look roomlook lock code ban owned read`;

function sampleEntry(stream: StreamName, kind: string, body: unknown, first = false): Entry {
  return signEntry(
    DEVICE,
    {
      server: SERVER.public,
      stream,
      seq: first ? 1 : 300,
      previous: first ? null : (toHex(ID) as EntryId),
      clock: 70_000,
      time: 1_700_000_000_123,
      kind,
    },
    encode(body),
    SALT,
  );
}

/** Every entry kind, by a name such as `space/account`. */
const ENTRIES = new Map<string, Entry>();
for (const [type, kinds] of Object.entries(SAMPLES))
  for (const [kind, body] of Object.entries(kinds))
    ENTRIES.set(`${type}/${kind}`, sampleEntry(STREAMS[type as keyof StreamBodies], kind, body));

/** A kind, whose type comes before a slash. */
function splitKind(name: string): [type: keyof StreamBodies, kind: string] {
  const [type, kind] = name.split(/[ /]/);
  return [type as keyof StreamBodies, kind!];
}

describe('golden bytes', () => {
  after(() => {
    if (WRITE) writeFileSync(FILE, `${JSON.stringify(golden, undefined, 1)}\n`);
  });

  for (const [type, kinds] of Object.entries(BODIES) as [keyof StreamBodies, object][])
    for (const kind of Object.keys(kinds))
      it(`of the entry kind ${type}/${kind}, version 1`, () => {
        const entry = ENTRIES.get(`${type}/${kind}`);
        assert.ok(entry, 'a kind without a sample');
        const bytes = check(`entry ${type}/${kind}`, encodeEntry(entry));
        const back = decodeEntry(bytes);
        assert.deepEqual({ ...back }, plainly(entry));
        assert.ok(verifyEntry(back));
        const { body } = actionOf(back, type) ?? assert.fail('not understood');
        const sample = (SAMPLES[type] as Readonly<Record<string, unknown>>)[kind];
        assert.deepEqual(body, sample);
        assert.equal(back.stream, STREAMS[type]);
        assert.equal(back.server, SERVER.public);
        assert.equal(back.device, DEVICE.public);
        assert.deepEqual(
          [back.seq, back.previous, back.clock, back.time, back.kind],
          [300, toHex(ID), 70_000, 1_700_000_000_123, kind],
        );
      });

  for (const [name, sample] of Object.entries(VARIANTS))
    it(`of the entry ${name}, version 1`, () => {
      const [type, kind] = splitKind(name);
      const entry = sampleEntry(STREAMS[type], kind, sample);
      const back = decodeEntry(check(`entry ${name}`, encodeEntry(entry)));
      assert.ok(verifyEntry(back));
      const { body } = actionOf(back, type) ?? assert.fail('not understood');
      assert.deepEqual(body, sample);
    });

  it('of the first entry of a device, and of one whose body is erased', () => {
    const first = sampleEntry('room/lobby', 'say', { text: 'x' }, true);
    const back = decodeEntry(check('entry first', encodeEntry(first)));
    assert.deepEqual([back.seq, back.previous], [1, null]);
    const erased = decodeEntry(check('entry erased', encodeEntry(eraseBody(first))));
    assert.ok(verifyEntry(erased));
    assert.deepEqual([erased.id, erased.body, erased.salt], [first.id, undefined, undefined]);
  });

  it('of ids and signatures', () => {
    const entry = ENTRIES.get('room/say')!;
    check('id', fromHex(entry.id));
    check('signature', entry.signature);
    check('commitment', entry.commitment);
  });

  it('of refusals', () => {
    const refusal = {
      id: toHex(ID) as EntryId,
      device: DEVICE.public,
      seq: 70_001,
      code: 'DENIED',
    } as const;
    const item = decodeItem(check('refusal', refusalItem(refusal).bytes));
    assert.ok(item.type === 'refusal');
    assert.deepEqual(item.refusal, refusal);
  });

  it('of seals, and of the batch they verify', () => {
    const items = [
      entryItem(ENTRIES.get('room/say')!),
      refusalItem({ id: toHex(ID) as EntryId, device: OTHER.public, seq: 2, code: 'BLOCKED' }),
      entryItem(eraseBody(sampleEntry('room/lobby', 'say', { text: 'x' }, true))),
    ];
    const fields = {
      stream: STREAMS.room,
      term: 2,
      seq: 40,
      previous: toHex(fixed('previous')(32)),
      first: 1_000,
      count: 3,
      root: rootOf(items),
      space: 66_000,
      time: 1_700_000_000_456,
      state: fixed('state')(32),
    };
    const later = check('seal', signSeal(SERVER, fields).bytes);
    const { bytes: _bytes, id, ...seal } = openSeal(later, SERVER.public);
    assert.deepEqual(plainly(seal), plainly({ ...fields, server: SERVER.public }));
    check('seal id', fromHex(id));
    check('root', seal.root);
    const batch = openBatch(
      later,
      items.map(({ bytes }) => bytes),
      SERVER.public,
    );
    assert.equal(batch.items.length, 3);
    const first = { ...fields, seq: 1, previous: null, first: 0 };
    const opened = openSeal(check('seal first', signSeal(SERVER, first).bytes), SERVER.public);
    assert.deepEqual([opened.seq, opened.previous, opened.first], [1, null, 0]);
  });

  for (const table of Object.keys(TABLES))
    it(`of the record of the table "${table}" in a snapshot`, () => {
      const [id, value] = RECORDS[table]!;
      const bytes = check(`record ${table}`, encodeRecord(table, id, value));
      const back = decode(bytes, { canonical: true });
      assert.deepEqual(back, [table, id, value]);
      assert.ok(isRecord(table, back[2]));
    });

  for (const [name, [id, value]] of Object.entries(RECORD_VARIANTS))
    it(`of the record "${name}" in a snapshot`, () => {
      const [table] = name.split(' ') as [string];
      const back = decode(check(`record ${name}`, encodeRecord(table, id, value)), {
        canonical: true,
      });
      assert.deepEqual(back, [table, id, value]);
      assert.ok(isRecord(table, value));
    });

  it('of the hash of a state', () => {
    const state = new State();
    check('state hash of nothing', state.hash());
    const all = Object.entries(RECORDS).map(([table, [id, value]]) => ({ table, id, value }));
    const first = new Set(FIRST_TABLES.split(' '));
    state.apply(all.filter(({ table }) => first.has(table)));
    check('state hash', state.hash());
    const next = new Set(NEXT_TABLES.split(' '));
    state.apply(all.filter(({ table }) => next.has(table)));
    check('state hash of all tables', state.hash());
    state.apply(all);
    check('state hash with those silenced', state.hash());
  });

  it('of names as they are told apart', () => {
    check('look', fromHex(lookKey('Zoë')));
  });

  it('of codes and of what proves that somebody knows one', () => {
    const { verifier, proof } = redeem('ABCD-EFGH', SERVER.public, DEVICE.public, STREAMS.room);
    check('code verifier', fromHex(verifier));
    check('code proof', proof);
  });

  it('of what proves that somebody has opened a lock', () => {
    const lock = new Keyring(4, fixed('lock')(32));
    const { by } = proveLock(lock, SERVER.public, ALICE as RoomId, BOB as AccountId);
    assert.ok(by.type === 'lock');
    check('lock proof', by.proof);
  });

  it('of wrapped secrets', () => {
    const key = new SealingKey(fixed('sealing')(32));
    const secret = fixed('secret')(32);
    const box = check('box', sealTo(key.public, secret, fixed('ephemeral')));
    assert.deepEqual(plainly(key.open(box)), secret);
    const sealed = check('secret box', sealWith(fill(32, 9), secret, fixed('nonce')));
    assert.deepEqual(plainly(openWith(fill(32, 9), sealed)), secret);
  });

  it('of keyrings', () => {
    const ring = new Keyring(2, fixed('keyring')(32));
    check('keyring box', ring.public.box);
    check('keyring sign', fromHex(ring.public.sign));
    check('keyring voucher', ring.vouch(SERVER.public, ALICE as never, DEVICE.public, fill(32, 2)));
    const before = new Keyring(1, fixed('older')(32));
    const previous = check('keyring previous', ring.sealPrevious(before, fixed('nonce')));
    assert.deepEqual(plainly(ring.openPrevious(previous)?.secret), before.secret);
    const { key, wrap } = wrapForPassword(ring, fixed('export')(64), fixed('ephemeral'));
    check('password key', key);
    const opened = passwordKey(fixed('export')(64)).open(check('password wrap', wrap));
    assert.deepEqual(plainly(opened), ring.secret);
    check('reset code', codeVerifier('one-time'));
  });

  it('of sealed bodies', () => {
    const place = { server: SERVER.public, stream: STREAMS.pair, device: DEVICE.public, seq: 300 };
    const key = fixed('epoch key')(32);
    const epoch = toHex(ID) as EntryId;
    const body = check('sealed body', sealBody(key, epoch, place, SALT, utf8('Grüße')));
    const { box } = decode(body) as { box: Uint8Array };
    assert.deepEqual(plainly(openBody(key, epoch, place, SALT, box)), utf8('Grüße'));
  });

  it('have nothing left that no test looks at', () => {
    assert.deepEqual(Object.keys(golden).sort(), [...seen].sort());
  });
});

/** Byte arrays are Buffers at times, which deepEqual tells from others. */
function plainly<T>(value: T): T {
  if (value instanceof Uint8Array) return Uint8Array.from(value) as T;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, plainly<unknown>(item)]),
  ) as T;
}

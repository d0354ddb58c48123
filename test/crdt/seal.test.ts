import assert from 'node:assert/strict';
import { fromHex, toHex } from '../../lib/crdt/bytes.ts';
import { decode, encode } from '../../lib/crdt/codec.ts';
import { encodeEntry, eraseBody, type Entry } from '../../lib/crdt/entry.ts';
import { SigningKey, verify, type EntryId, type Signed } from '../../lib/crdt/keys.ts';
import {
  decodeItem,
  entryItem,
  loadSeal,
  MAX_BATCH,
  openBatch,
  openBatchesApart,
  openSeal,
  refusalItem,
  rootOf,
  signSeal,
  type Item,
  type Seal,
  type SignedSeal,
} from '../../lib/crdt/seal.ts';
import { LOBBY_STREAM } from '../../lib/crdt/stream.ts';
import { Random } from '../simulation/random.ts';
import { Writer } from '../support/community.ts';
import { flipped, truncated } from '../support/mutate.ts';

const random = new Random(1).bytes;
const server = new SigningKey(random(32));
const impostor = new SigningKey(random(32));
const bad = { name: 'ClchatError', code: 'BAD_ENTRY' };
const ID = 'ab'.repeat(32) as EntryId;

const writer = (): Writer => new Writer(server.public, random);
const bytesOf = (items: readonly Item[]): Uint8Array[] => items.map(({ bytes }) => bytes);

function sealOf(
  items: readonly Item[],
  change: Partial<Omit<Seal, 'server'>> = {},
  key = server,
): SignedSeal {
  return signSeal(key, {
    stream: LOBBY_STREAM,
    term: 1,
    seq: 1,
    previous: null,
    first: 0,
    count: items.length,
    root: rootOf(items),
    space: 4,
    time: 1_700_000_000_000,
    state: new Uint8Array(32),
    ...change,
  });
}

const open = (seal: SignedSeal, items: readonly Item[]): void => {
  openBatch(seal.bytes, bytesOf(items), server.public);
};

describe('seals', () => {
  const refusal = { id: ID, device: writer().id, seq: 9, code: 'DENIED' } as const;
  const entries: Entry[] = [];
  let items: Item[] = [];

  before(() => {
    const alice = writer();
    for (const text of ['one', 'two', 'three'])
      entries.push(alice.write(LOBBY_STREAM, 'say', { text }));
    items = [
      entryItem(entries[0]!),
      entryItem(eraseBody(entries[1]!)),
      refusalItem(refusal),
      entryItem(entries[2]!),
    ];
  });

  it('come back as they were signed', () => {
    const seal = sealOf(items, { seq: 5, previous: ID, first: 77, term: 3 });
    const { bytes, ...back } = openSeal(seal.bytes, server.public);
    assert.deepEqual(
      { ...back, root: toHex(back.root), state: toHex(back.state) },
      {
        server: server.public,
        stream: LOBBY_STREAM,
        term: 3,
        seq: 5,
        previous: ID,
        first: 77,
        count: 4,
        root: toHex(rootOf(items)),
        space: 4,
        time: 1_700_000_000_000,
        state: '0'.repeat(64),
        id: seal.id,
      },
    );
    assert.equal(bytes, seal.bytes);
  });

  it('open a batch by themselves, in order, erased bodies and refusals included', () => {
    const seal = sealOf(items);
    const batch = openBatch(seal.bytes, bytesOf(items), server.public);
    assert.equal(batch.seal.id, seal.id);
    assert.deepEqual(
      batch.items.map((item) => (item.type === 'entry' ? item.entry.id : item.refusal.code)),
      [entries[0]!.id, entries[1]!.id, 'DENIED', entries[2]!.id],
    );
  });

  it('verify in every bit, or not at all', () => {
    const seal = sealOf(items);
    for (const altered of flipped(seal.bytes))
      assert.throws(() => openSeal(altered, server.public), bad);
    for (const cut of truncated(seal.bytes)) assert.throws(() => openSeal(cut, server.public), bad);
    assert.throws(() => openSeal(new Uint8Array(2_000), server.public), bad);
  });

  describe('in a row', () => {
    const forged = ({ bytes }: SignedSeal): SignedSeal['bytes'] =>
      bytes.with(-1, bytes.at(-1)! ^ 1);
    const wire = (seal: Uint8Array): { seal: Uint8Array; items: Uint8Array[] } => ({
      seal,
      items: bytesOf(items),
    });
    const verifyAll = async (signed: readonly Signed[]): Promise<boolean> =>
      signed.every((one) => verify(...one));
    let row: SignedSeal[];
    const opened = (bytes: readonly Uint8Array[], linked?: string): Promise<unknown> =>
      openBatchesApart(bytes.map(wire), server.public, verifyAll, linked);

    beforeEach(() => {
      const first = sealOf(items);
      const second = sealOf(items, { seq: 2, previous: first.id, first: 4 });
      row = [first, second, sealOf(items, { seq: 3, previous: second.id, first: 8 })];
    });

    it('open together, each vouched for by the next', async () => {
      const [first, second, third] = row.map(({ bytes }) => bytes);
      const batches = await openBatchesApart(
        [first!, second!, third!].map(wire),
        server.public,
        verifyAll,
      );
      assert.deepEqual(
        batches.map(({ seal }) => seal.id),
        row.map(({ id }) => id),
      );
      await opened([forged(row[0]!), forged(row[1]!), third!]);
      await opened(row.map(forged), row[2]!.id);
      assert.deepEqual(await opened([]), []);
    });

    it('open not at all where nothing vouches for one of them', async () => {
      const [first, second, third] = row.map(({ bytes }) => bytes) as [
        Uint8Array,
        Uint8Array,
        Uint8Array,
      ];
      const [bad1, bad2, bad3] = row.map(forged) as [Uint8Array, Uint8Array, Uint8Array];
      for (const wrong of [
        [first, second, bad3],
        [bad1, third],
        [third, bad2],
        [bad1],
        [first, first, bad2],
      ])
        await assert.rejects(opened(wrong), bad);
      await assert.rejects(opened([bad1, second, bad3], row[1]!.id), bad);
    });

    it('open not at all where an entry in them is not signed', async () => {
      const batches = row.map(({ bytes }) => wire(bytes));
      for (const batch of batches)
        for (const altered of flipped(batch.items[0]!, 50)) {
          const whole = batch.items;
          batch.items = whole.with(0, altered);
          await assert.rejects(
            openBatchesApart(batches, server.public, verifyAll, row[2]!.id),
            bad,
          );
          batch.items = whole;
        }
    });
  });

  it('open no batch of which one bit is another', () => {
    const seal = sealOf(items);
    const wire = bytesOf(items);
    for (const [index, bytes] of wire.entries())
      for (const altered of flipped(bytes, 5)) {
        const others = wire.with(index, altered);
        assert.throws(() => openBatch(seal.bytes, others, server.public), bad);
      }
  });

  it('open no batch that is cut short, reordered, doubled or has others put in', () => {
    const seal = sealOf(items);
    const [a, b, c, d] = items as [Item, Item, Item, Item];
    const another = entryItem(writer().write(LOBBY_STREAM, 'say', { text: 'x' }));
    for (const wrong of [
      [],
      [a, b, c],
      [b, c, d],
      [a, c, b, d],
      [d, b, c, a],
      [a, b, c, c],
      [a, b, c, d, d],
      [a, b, c, another],
    ])
      assert.throws(() => open(seal, wrong), bad);
    open(seal, [a, b, c, d]);
  });

  it('are of the server whose key is trusted and of no other', () => {
    assert.throws(() => open(sealOf(items, {}, impostor), items), bad);
    // Its own key put in the place of the other's does not help.
    const seal = sealOf(items, {}, impostor);
    const [body, signature] = decode(seal.bytes) as [Uint8Array, Uint8Array];
    const fields = decode(body) as unknown[];
    fields[1] = fromHex(server.public);
    assert.throws(() => openSeal(encode([encode(fields), signature]), server.public), bad);
    // Nor does a signature of the right key under another tag.
    const tagged = server.sign('clchat entry v1', body);
    assert.throws(() => openSeal(encode([body, tagged]), server.public), bad);
  });

  it('open no entry of another stream, of another server or not signed by its device', () => {
    const alice = writer();
    const elsewhere = alice.write(`room/${'0'.repeat(32)}`, 'say', { text: 'x' });
    const foreign = new Writer(impostor.public, random).write(LOBBY_STREAM, 'say', { text: 'x' });
    const forged = { ...entries[0]!, signature: new Uint8Array(64) };
    for (const entry of [elsewhere, foreign, forged]) {
      const batch = [entryItem(entry, encodeEntry(entry))];
      assert.throws(() => open(sealOf(batch), batch), bad);
    }
  });

  it('are bounded', () => {
    const many = Array.from({ length: MAX_BATCH + 1 }, (_, seq) =>
      refusalItem({ ...refusal, seq }),
    );
    assert.throws(() => open(sealOf(many), many), bad);
    open(sealOf(many.slice(1)), many.slice(1));
    assert.throws(() => openSeal(sealOf([]).bytes, server.public), bad);
  });

  it('refuse every field that is not as it must be', () => {
    const seal = sealOf(items);
    const [body] = decode(seal.bytes) as [Uint8Array];
    const fields = decode(body) as unknown[];
    const wrong: [index: number, values: unknown[]][] = [
      [0, [0, 2, '1']],
      [1, [new Uint8Array(31), 'x', null]],
      [2, ['nowhere', 7, null]],
      ...[3, 4, 6, 7, 9, 10].map((at): [number, unknown[]] => [at, [-1, 0.5, '1', null]]),
      [5, [0, 'x', new Uint8Array(31)]],
      [8, [new Uint8Array(33), null]],
      [11, [new Uint8Array(), null]],
    ];
    const resigned = (changed: unknown): Uint8Array => {
      const bytes = encode(changed);
      return encode([bytes, server.sign('clchat seal v1', bytes)]);
    };
    for (const [index, values] of wrong)
      for (const value of values)
        assert.throws(
          () => openSeal(resigned(fields.with(index, value)), server.public),
          bad,
          `${index}: ${String(value)}`,
        );
    for (const changed of [fields.slice(1), [...fields, 0], {}, 7])
      assert.throws(() => openSeal(resigned(changed), server.public), bad);
    for (const outer of [[], [body], [body, 'x'], ['x', body], [body, body, body], {}, 'x'])
      assert.throws(() => openSeal(encode(outer), server.public), bad);
    openSeal(resigned(fields), server.public);
  });

  it('are read from the own store without a check of the signature, but checked in form', () => {
    const seal = sealOf(items, {}, impostor);
    assert.equal(loadSeal(seal.bytes).id, seal.id);
    assert.throws(() => loadSeal(seal.bytes.subarray(1)), bad);
  });

  it('mark refusals with all that replicas need, and refuse malformed marks', () => {
    const item = decodeItem(refusalItem(refusal).bytes);
    assert.deepEqual(item.type === 'refusal' && item.refusal, refusal);
    const fields = decode(refusalItem(refusal).bytes) as unknown[];
    for (const [index, values] of [
      [0, [2, -1, '1', null]],
      [1, [new Uint8Array(31), ID]],
      [2, [new Uint8Array(33), null]],
      [3, [1.5, '1', null]],
      [4, ['NO_SUCH_CODE', '__proto__', 7, null]],
    ] as [number, unknown[]][])
      for (const value of values)
        assert.throws(() => decodeItem(encode(fields.with(index, value))), bad);
    for (const changed of [[], [1], fields.slice(0, 4), [...fields, 0], {}, 1, null])
      assert.throws(() => decodeItem(encode(changed)), bad);
  });

  it('differ wherever their content does', () => {
    const ids = new Set<string>();
    const changes: Partial<Omit<Seal, 'server'>>[] = [
      {},
      { term: 2 },
      { seq: 2 },
      { previous: ID },
      { first: 1 },
      { space: 5 },
      { time: 1 },
      { state: new Uint8Array(32).fill(1) },
      { stream: 'space' },
      { root: new Uint8Array(32) },
    ];
    for (const change of changes) ids.add(sealOf(items, change).id);
    assert.equal(ids.size, changes.length);
  });
});

/** Everything that reads bytes of others: arbitrary ones, and valid ones that were altered. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { actionOf, BODIES, type StreamBodies } from '../../lib/crdt/bodies.ts';
import { equal, fromHex } from '../../lib/crdt/bytes.ts';
import { decode } from '../../lib/crdt/codec.ts';
import { blobOperations, contentOperations, isErasing, targetOf } from '../../lib/crdt/content.ts';
import { decodeEntry, encodeEntry, verifyEntry, type Entry } from '../../lib/crdt/entry.ts';
import { isRecord } from '../../lib/crdt/records.ts';
import { decodeItem, loadSeal, openBatch, openSeal, type Item } from '../../lib/crdt/seal.ts';
import { checkKeys } from '../../lib/crdt/store-keys.ts';
import { LOBBY_STREAM } from '../../lib/crdt/stream.ts';
import { ClchatError } from '../../lib/errors.ts';
import { SealedCommunity, wireOf } from '../support/community.ts';
import { mutated } from '../support/mutate.ts';
import { ReplicaBench } from '../support/replicas.ts';

const golden = JSON.parse(readFileSync(new URL('golden.json', import.meta.url), 'utf8')) as Record<
  string,
  string
>;
const samples = (prefix: string): Uint8Array[] =>
  Object.entries(golden)
    .filter(([name]) => name.startsWith(prefix))
    .map(([, hex]) => fromHex(hex));

const entries = samples('entry ');
const seals = [fromHex(golden['seal']!), fromHex(golden['seal first']!)];
const items = [...entries, fromHex(golden['refusal']!)];
const signed = entries.map(decodeEntry);
const { server } = loadSeal(seals[0]!);

/** Arbitrary bytes, short ones that begin well, and altered samples. */
function hostile(valid: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  return fc.oneof(
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom(0x80, 0x83, 0x85, 0x98, 0x9b, 0x82, 0xa1), fc.uint8Array())
        .map(([head, rest]) => Uint8Array.from([head, ...rest])),
    },
    { weight: 6, arbitrary: mutated(valid) },
  );
}

/** What it gives, or undefined where it refused with the code that it promises. */
function refusing<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    assert.ok(error instanceof ClchatError, String(error));
    assert.equal(error.code, 'BAD_ENTRY');
    return undefined;
  }
}

const RUNS = { numRuns: 1_500 };

describe('whatever bytes come from outside', () => {
  it('an entry is the one that they encode, or refused', () => {
    let decoded = 0;
    fc.assert(
      fc.property(fc.oneof(hostile(entries), fc.constantFrom(...entries)), (bytes) => {
        const entry = refusing(() => decodeEntry(bytes));
        if (entry === undefined) return;
        decoded++;
        assert.ok(equal(encodeEntry(entry), bytes), 'a second encoding of the same entry');
        const known = signed.some(
          ({ id, signature }) => id === entry.id && equal(signature, entry.signature),
        );
        assert.equal(verifyEntry(entry), known);
      }),
      RUNS,
    );
    assert.ok(decoded > 0);
  });

  it('an item is an entry, a refusal or refused', () => {
    fc.assert(
      fc.property(hostile(items), (bytes) => {
        const item = refusing(() => decodeItem(bytes));
        if (item?.type === 'refusal') assert.ok(Number.isSafeInteger(item.refusal.seq));
        if (item?.type === 'entry') assert.equal(item.entry.id.length, 64);
      }),
      RUNS,
    );
  });

  it('a seal is the one that was signed, or refused', () => {
    fc.assert(
      fc.property(hostile(seals), (bytes) => {
        refusing(() => loadSeal(bytes));
        const seal = refusing(() => openSeal(bytes, server));
        if (seal !== undefined) assert.ok(seals.some((sample) => equal(sample, bytes)));
      }),
      RUNS,
    );
  });

  it('an action fits its kind, or is none', () => {
    const kinds = Object.entries(BODIES).flatMap(([type, schemas]) =>
      Object.keys(schemas).map((kind) => [type as keyof StreamBodies, kind] as const),
    );
    const bodies = entries
      .map((bytes) => decodeEntry(bytes).body)
      .filter((body) => body !== undefined);
    let understood = 0;
    fc.assert(
      fc.property(fc.constantFrom(...kinds), hostile(bodies), ([type, kind], body) => {
        const entry = { kind, body, salt: new Uint8Array(16) } as Entry;
        if (actionOf(entry, type) !== undefined) understood++;
      }),
      RUNS,
    );
    for (const [type, kind] of kinds) {
      const bytes = fromHex(golden[`entry ${type}/${kind}`]!);
      const { body } = decodeEntry(bytes);
      fc.assert(
        fc.property(mutated([body!]), (altered) => {
          const entry = { kind, body: altered, salt: new Uint8Array(16) } as Entry;
          if (actionOf(entry, type) !== undefined) understood++;
        }),
        { numRuns: 60 },
      );
    }
    assert.ok(understood > 0);
  });

  it('a record of a snapshot fits its table, or is none', () => {
    const records = samples('record ');
    const fits = (value: unknown): boolean => {
      const [table, , record] = Array.isArray(value) ? (value as unknown[]) : [];
      return typeof table === 'string' && isRecord(table, record);
    };
    // Few of the altered ones do, and none where chance has it.
    for (const bytes of records) assert.ok(fits(decode(bytes)));
    fc.assert(
      fc.property(hostile(records), (bytes) => {
        let value: unknown;
        try {
          value = decode(bytes);
        } catch (error) {
          assert.ok(error instanceof ClchatError && error.code === 'BAD_MESSAGE', String(error));
          return;
        }
        fits(value);
      }),
      RUNS,
    );
  });

  it('what is written with an entry is taken by the store', () => {
    const whole = signed.filter(({ body }) => body !== undefined);
    const altered = fc
      .constantFrom(...whole)
      .chain((entry) =>
        fc
          .oneof(fc.constant(entry.body!), mutated([entry.body!]))
          .map((body): Entry => ({ ...entry, body })),
      );
    let written = 0;
    fc.assert(
      fc.property(altered, (entry) => {
        const item: Item = { type: 'entry', entry, bytes: new Uint8Array() };
        for (const operations of [
          contentOperations(entry.stream, 7, item),
          blobOperations(entry, 7),
        ]) {
          checkKeys(operations);
          written += operations.length;
        }
        if (entry.kind === 'remove') assert.equal(isErasing(entry), targetOf(entry) !== undefined);
      }),
      RUNS,
    );
    assert.ok(written > 0);
  });

  describe('a batch', () => {
    let community: SealedCommunity;
    let bench: ReplicaBench;
    let wire: { seal: Uint8Array; items: Uint8Array[] };

    before(async () => {
      community = await SealedCommunity.found();
      const alice = await community.join('alice');
      bench = await ReplicaBench.open(community, alice);
      await bench.follow(community.batches);
      const block = { account: alice.account, blocked: true };
      await Promise.all([
        community.say(alice, 'one'),
        community.say(alice, 'two'),
        community.submit(alice.write(`account/${alice.account}`, 'block', block)),
      ]);
      wire = wireOf(community.of(LOBBY_STREAM)[0]!);
    });

    /** The batch with some of it altered, left out, doubled or put elsewhere. */
    const altered = (): fc.Arbitrary<{ seal: Uint8Array; items: Uint8Array[] }> => {
      const others = [
        ...wire.items,
        ...community.batches.flatMap((batch) => wireOf(batch).items),
        ...items,
      ];
      const item = fc.oneof(fc.constantFrom(...others), mutated(wire.items), fc.uint8Array());
      return fc.record({
        seal: fc.oneof(
          { weight: 3, arbitrary: fc.constant(wire.seal) },
          { weight: 1, arbitrary: fc.constantFrom(...community.batches.map((b) => b.seal.bytes)) },
          mutated([wire.seal]),
          fc.uint8Array(),
        ),
        items: fc.array(item, { maxLength: 4 }),
      });
    };
    const isWhole = (one: { seal: Uint8Array; items: Uint8Array[] }): boolean =>
      community.batches.some((batch) => {
        const whole = wireOf(batch);
        return (
          equal(whole.seal, one.seal) &&
          whole.items.length === one.items.length &&
          whole.items.every((bytes, at) => equal(bytes, one.items[at]!))
        );
      });

    it('opens as it was sealed, or not', () => {
      fc.assert(
        fc.property(altered(), (one) => {
          const batch = refusing(() => openBatch(one.seal, one.items, community.server.id));
          if (batch !== undefined) assert.ok(isWhole(one));
        }),
        { numRuns: 800 },
      );
    });

    it('leaves a replica as it was, unless it is the next one', async () => {
      const state = (): unknown => bench.replica.log.headOf(LOBBY_STREAM);
      const before = state();
      await fc.assert(
        fc.asyncProperty(altered(), async (one) => {
          if (isWhole(one)) return;
          try {
            const { result } = await bench.replica.ingest(one.seal, one.items);
            assert.ok(result === 'waiting' || result === 'duplicate', result);
          } catch (error) {
            assert.ok(error instanceof ClchatError && error.code === 'BAD_ENTRY', String(error));
          }
          assert.equal(state(), before);
        }),
        { numRuns: 400 },
      );
      const { result } = await bench.replica.ingest(wire.seal, wire.items);
      assert.equal(result, 'added');
    });
  });

  it('no more memory is taken than there are bytes', () => {
    // Heads that announce what does not come: arrays, maps and strings of many gigabytes.
    const heads = [0x9b, 0xbb, 0x5b, 0x7b, 0x9a, 0xba, 0x5a, 0x7a].map((head) =>
      Uint8Array.from([head, ...new Array<number>(head % 32 === 27 ? 8 : 4).fill(0x1f), 0, 0]),
    );
    const before = process.memoryUsage().heapUsed;
    for (let round = 0; round < 2_000; round++)
      for (const head of heads)
        for (const read of [decodeEntry, decodeItem, loadSeal])
          assert.equal(
            refusing(() => read(head)),
            undefined,
          );
    assert.ok(process.memoryUsage().heapUsed - before < 100 << 20);
  });
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  decodeStun,
  encodeRequest,
  encodeSuccess,
  encodeUnknown,
  MAX_STUN_BYTES,
  TRANSACTION_BYTES,
  type StunMessage,
} from '../../lib/nat/stun-message.ts';

/** The test vectors of RFC 5769: a request, and responses for IPv4 and IPv6. */
const VECTORS = {
  request:
    '000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74002400046e0001ff' +
    '80290008932ff9b151263b36000600096576746a3a68367659202020000800149aeaa70cbfd8cb56781ef2b5b2d3f249' +
    'c1b571a280280004e57a3bcf',
  success4:
    '0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112a643' +
    '000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96',
  success6:
    '010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000140002a1470113a9fa' +
    'a5d3f179bc25f4b5bed2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004c8fb0b4c',
};
const TRANSACTION = 'b7e7a701bc34d686fa87dfae';
const transaction = Uint8Array.from(Buffer.from(TRANSACTION, 'hex'));
const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));

/** A request as others make it. */
function request(...attributes: readonly (readonly [type: number, value: string])[]): Uint8Array {
  const body = Buffer.concat(
    attributes.map(([type, value]) => {
      const bytes = Buffer.from(value, 'hex');
      const head = Buffer.alloc(4);
      head.writeUInt16BE(type, 0);
      head.writeUInt16BE(bytes.length, 2);
      return Buffer.concat([head, bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
    }),
  );
  const head = Buffer.from(`000100002112a442${TRANSACTION}`, 'hex');
  head.writeUInt16BE(body.length, 2);
  return Uint8Array.from(Buffer.concat([head, body]));
}
const decoded = (bytes: Uint8Array): StunMessage =>
  decodeStun(bytes) ?? assert.fail('it is not understood');

describe('messages of STUN', () => {
  it('are read as RFC 5769 has them', () => {
    // PRIORITY has to be understood, by those who place calls.
    const common = { transaction, hasFingerprint: true };
    const asked = { kind: 'request', ...common, unknown: [0x0024] };
    assert.deepEqual(decodeStun(bytesOf(VECTORS.request)), asked);
    for (const [vector, ip] of [
      [VECTORS.success4, '192.0.2.1'],
      [VECTORS.success6, '2001:db8:1234:5678:11:2233:4455:6677'],
    ] as const) {
      const seen = { ip, port: 32_853 };
      const answered = { kind: 'success', ...common, unknown: [], seen };
      assert.deepEqual(decodeStun(bytesOf(vector)), answered);
    }
  });

  it('are read as they were written', () => {
    const asked = decoded(encodeRequest(transaction));
    assert.deepEqual(asked, { kind: 'request', transaction, hasFingerprint: true, unknown: [] });
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: TRANSACTION_BYTES, maxLength: TRANSACTION_BYTES }),
        fc.oneof(fc.ipV4(), fc.constantFrom('2a0e:c1a7::1', 'fe80::1', '::1')),
        fc.integer({ min: 1, max: 65_535 }),
        fc.boolean(),
        (id, ip, port, hasFingerprint) => {
          const to: StunMessage = { kind: 'request', transaction: id, hasFingerprint, unknown: [] };
          const { kind, ...rest } = decoded(encodeSuccess(to, { ip, port }));
          assert.equal(kind, 'success');
          const common = { transaction: id, hasFingerprint, unknown: [] };
          assert.deepEqual(rest, { seen: { ip, port }, ...common });
        },
      ),
    );
  });

  it('name what has to be understood and is not, once each', () => {
    const asked = decoded(request([3, '00000002'], [0x7777, ''], [3, ''], [0x8099, 'ff']));
    assert.deepEqual(asked.unknown, [3, 0x7777]);
    const refusal = encodeUnknown(asked);
    const answered = decoded(refusal);
    assert.ok(answered.kind === 'failure' && answered.code === 420);
    assert.ok(Buffer.from(refusal).includes(Buffer.from('000a000400037777', 'hex')));
  });

  it('pass over what belongs to passwords', () => {
    const asked = decoded(
      request([6, '6576746a'], [8, '00'.repeat(20)], [0x14, '61'], [0x15, '62']),
    );
    assert.deepEqual(asked.unknown, []);
  });

  it('are shorter in answer than three requests', () => {
    const types = fc.uniqueArray(fc.integer({ min: 0x0100, max: 0x7fff }), { maxLength: 100 });
    fc.assert(
      fc.property(
        types,
        fc.boolean(),
        fc.constantFrom('1.2.3.4', '2a0e:c1a7::1'),
        (all, has, ip) => {
          const asked = request(...all.map((type) => [type, ''] as const));
          const to = { ...decoded(asked), hasFingerprint: has };
          const answer = all.length === 0 ? encodeSuccess(to, { ip, port: 1 }) : encodeUnknown(to);
          assert.ok(answer.length <= 3 * (asked.length + (has ? 8 : 0)), `${answer.length}`);
        },
      ),
    );
  });

  it('are none where they are damaged, of another kind, or too long', () => {
    const good = Buffer.from(encodeRequest(transaction));
    const changed = (at: number, byte: number): Buffer => {
      const copy = Buffer.from(good);
      copy[at] = byte;
      return copy;
    };
    const wrong: Record<string, Uint8Array> = {
      nothing: Buffer.alloc(0),
      'half a head': good.subarray(0, 10),
      'cut short': good.subarray(0, 24),
      'with more behind': Buffer.concat([good, Buffer.alloc(4)]),
      'another length': changed(3, 12),
      'no cookie': changed(4, 0x22),
      'another checksum': changed(27, good[27]! ^ 1),
      'another transaction under its checksum': changed(9, good[9]! ^ 1),
      'an indication': Buffer.from(`001100002112a442${TRANSACTION}`, 'hex'),
      'an allocation': Buffer.from(`000300002112a442${TRANSACTION}`, 'hex'),
      'two bits at the top': Buffer.from(`c00100002112a442${TRANSACTION}`, 'hex'),
      'too long': request([0x8099, '00'.repeat(MAX_STUN_BYTES)]),
      'an attribute beyond the end': request([0x8099, '']).with(23, 8),
      'a checksum that is not the last': request([0x8028, '00000000'], [0x8099, '']),
      'a success without an address': Buffer.from(`010100002112a442${TRANSACTION}`, 'hex'),
      'a failure without a number': Buffer.from(`011100002112a442${TRANSACTION}`, 'hex'),
    };
    for (const [what, bytes] of Object.entries(wrong))
      assert.equal(decodeStun(bytes), undefined, what);
  });

  it('can be anything and do no harm', () => {
    const near = fc
      .tuple(
        fc.constantFrom(...Object.values(VECTORS).map(bytesOf), request([3, '00000002'])),
        fc.nat(200),
        fc.uint8Array({ maxLength: 4 }),
      )
      .map(([bytes, at, patch]) => {
        const copy = Uint8Array.from(bytes);
        copy.set(patch.slice(0, Math.max(0, copy.length - at)), Math.min(at, copy.length));
        return copy;
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 1_400 }), near), (bytes) => {
        const message = decodeStun(bytes);
        if (message !== undefined) assert.equal(message.transaction.length, TRANSACTION_BYTES);
      }),
      { numRuns: 2_000 },
    );
  });
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  formatInviteLink,
  isInviteLink,
  MAX_ADDRESSES,
  parseInviteLink,
} from '../../lib/app/invite-link.ts';
import type { PublicKey } from '../../lib/crdt/keys.ts';
import { ClchatError } from '../../lib/errors.ts';
import { formatEndpoint, parseEndpoint } from '../../lib/interfaces.ts';

const bad = { name: 'ClchatError', code: 'BAD_INVITE' };
const KEY = 'ab'.repeat(32) as PublicKey;

const port = fc.integer({ min: 1, max: 65_535 });
const address = fc
  .tuple(fc.oneof(fc.ipV4(), fc.ipV6()), port)
  .map(([ip, number]) =>
    formatEndpoint(parseEndpoint(ip.includes(':') ? `[${ip}]:${number}` : `${ip}:${number}`)),
  );
const key = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => Buffer.from(bytes).toString('hex') as PublicKey);
const link = fc.record({ key, addresses: fc.array(address, { maxLength: MAX_ADDRESSES }) });

describe('an invite link', () => {
  it('comes back as it was made, with spaces around it or not', () => {
    fc.assert(
      fc.property(link, (one) => {
        const text = formatInviteLink(one);
        assert.match(text, /^clchat:[\w-]+$/);
        assert.deepEqual(parseInviteLink(` ${text}\n`), { ...one });
      }),
    );
  });

  it('is what it always was', () => {
    const text = formatInviteLink({ key: KEY, addresses: ['11.0.0.2:49152', '[2a0e::1]:443'] });
    assert.equal(
      text,
      'clchat:Aaurq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urBAsAAALAAAYqDgAAAAAAAAAAAAAAAAABAbvOsOUj',
    );
  });

  it('has its first addresses only where there are many', () => {
    const addresses = Array.from({ length: 20 }, (_, n) => `10.0.0.${n}:1`);
    const { addresses: kept } = parseInviteLink(formatInviteLink({ key: KEY, addresses }));
    assert.deepEqual(kept, addresses.slice(0, MAX_ADDRESSES));
  });

  it('is refused cut short, lengthened, or with another letter anywhere', () => {
    const text = formatInviteLink({ key: KEY, addresses: ['192.168.1.20:49152', '[::1]:1'] });
    for (let at = 0; at < text.length; at++)
      assert.throws(() => parseInviteLink(text.slice(0, at)), bad);
    for (const more of ['A', 'AAAA', '=', ' x', '/'])
      assert.throws(() => parseInviteLink(text + more), bad);
    for (let at = 7; at < text.length; at++)
      for (const letter of ['A', 'z', '_', '%', '\u0000'])
        if (text[at] !== letter)
          assert.throws(
            () => parseInviteLink(text.slice(0, at) + letter + text.slice(at + 1)),
            bad,
          );
  });

  it('says nothing but that it is damaged, whatever it is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String()), (text) => {
        try {
          parseInviteLink(`clchat:${text}`);
          return false;
        } catch (error) {
          return error instanceof ClchatError && error.code === 'BAD_INVITE';
        }
      }),
    );
  });

  it('is told from an address', () => {
    for (const text of ['clchat:x', ' clchat:', 'CLCHAT:AAAA']) assert.ok(isInviteLink(text));
    for (const text of ['', '11.0.0.2', '11.0.0.2:49152', '[::1]:1', 'clchat'])
      assert.ok(!isInviteLink(text));
  });
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ClchatError } from '../../lib/errors.ts';
import { parseTurnUrl } from '../../lib/nat/turn-url.ts';

const [username, credential] = ['lab', 'lab-password'];

describe('the URL of a TURN server', () => {
  it('says where it is and who is let in', () => {
    for (const [written, url] of [
      ['turn:lab:lab-password@11.0.0.10', 'turn:11.0.0.10:3478?transport=udp'],
      ['turn://lab:lab-password@11.0.0.10:99', 'turn:11.0.0.10:99?transport=udp'],
      ['turn:lab:lab-password@a.example:99?transport=tcp', 'turn:a.example:99?transport=tcp'],
      ['turns:lab:lab-password@turn.example.org', 'turns:turn.example.org:5349?transport=tcp'],
      ['turn:lab:lab-password@[2a0e:c1a7::1]:3479', 'turn:[2a0e:c1a7::1]:3479?transport=udp'],
    ] as const) {
      const { host, port, ...rest } = parseTurnUrl(written);
      assert.deepEqual(rest, { url, username, credential }, written);
      const whole = host.includes(':') ? `[${host}]` : host;
      assert.ok(url.includes(`:${whole}:${port}?`), written);
    }
  });

  it('may hold any characters in user and credential', () => {
    const text = fc.string({ minLength: 1, maxLength: 8, unit: 'grapheme' }).filter((one) => {
      return !/[\u0000-\u001f\u007f]/.test(one) && one.isWellFormed();
    });
    fc.assert(
      fc.property(text, text, (user, secret) => {
        const written = [user, secret].map((one) => encodeURIComponent(one)).join(':');
        const server = parseTurnUrl(`turn:${written}@turn.example.org`);
        assert.deepEqual([server.username, server.credential], [user, secret]);
      }),
    );
  });

  it('is refused where it is none, and never quoted', () => {
    const wrong = [
      '',
      'turn:11.0.0.10:3478?transport=udp',
      'turn:secret@host',
      'turn::secret@host',
      'turn:user:@host',
      'stun:user:secret@host',
      'https://user:secret@host',
      'turn:user:secret@',
      'turn:user:secret@host:0',
      'turn:user:secret@host:65536',
      'turn:user:secret@host:99?transport=sctp',
      'turn:user:secret@host/path',
      'turn:user:secret@1.2.3.4.5',
      'turn:user:secret@1.2.3.400',
      'turn:user:secret@[::1',
      'turn:user:secret@[1.2.3.4]',
      'turn:user:secret@[fe80::1%eth0]',
      'turn:user:secret@-host',
      'turn:user:secret@ho st',
      'turn:user:%zz@host',
      'turn:user:a%0Asecret@host',
      `turn:user:secret@host${'.a'.repeat(2_000)}`,
    ];
    for (const written of wrong)
      assert.throws(
        () => parseTurnUrl(written),
        (error) => {
          assert.ok(error instanceof ClchatError && error.code === 'BAD_ADDRESS', written);
          assert.equal(error.cause, undefined);
          return !error.message.includes('secret');
        },
        written,
      );
  });

  it('can be anything and do no harm', () => {
    const part = fc.constantFrom(
      'turn:',
      'turns:',
      'a',
      ':',
      '@',
      '[',
      ']',
      '.',
      '%41',
      '%',
      '?',
      '9',
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(part, { maxLength: 20 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, (written) => {
        try {
          assert.match(parseTurnUrl(written).url, /^turns?:.+:\d+\?transport=(?:udp|tcp)$/);
        } catch (error) {
          assert.ok(error instanceof ClchatError && error.code === 'BAD_ADDRESS', String(error));
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

import assert from 'node:assert/strict';
import type { LookupFunction } from 'node:net';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { ClchatError } from '../../lib/errors.ts';
import {
  createMailer,
  firstPasswordMail,
  resetMail,
  type MailerOptions,
} from '../../lib/node/mailer.ts';
import { CERTIFICATE, MAIL_HOST, type MailStage } from '../support/mail.ts';
import { ACCOUNT, failed, MAIL, mailer, stage } from '../support/mailers.ts';
import { cleanUpAll, coded } from '../support/peers.ts';

/** All that a mail may have; the first four it always has. */
const HEADERS = new Set(
  'from to date message-id subject auto-submitted mime-version content-type content-transfer-encoding'.split(
    ' ',
  ),
);

/** Every name leads to the loopback, so that mail can go to a host that is none to the mailer. */
const lookup: LookupFunction = (_host, options, callback) =>
  options.all === true
    ? callback(null, [{ address: '127.0.0.1', family: 4 }])
    : callback(null, '127.0.0.1', 4);
const AWAY: MailerOptions = { lookup, authorities: CERTIFICATE };

/** The URL of the same mail server under the name in its certificate. */
const away = ({ url }: MailStage): string => url.replace('127.0.0.1', MAIL_HOST);

describe('the mailer', () => {
  afterEach(cleanUpAll);

  it('brings a mail to its recipient, and logs in', async () => {
    const server = await stage({ account: ACCOUNT });
    await mailer(server.url).send(MAIL);
    const mail = await server.arrived();
    assert.deepEqual(
      [mail.from, mail.to, mail.subject, mail.text, mail.user, mail.isEncrypted],
      ['clchat@example.org', ['bob@example.org'], 'Hello', 'One\nTwo\n', 'clchat', true],
    );
    assert.deepEqual(mail.headers.get('from'), ['clchat <clchat@example.org>']);
    assert.deepEqual(mail.headers.get('to'), ['bob@example.org']);
    assert.deepEqual(mail.headers.get('auto-submitted'), ['auto-generated']);
    assert.match(mail.headers.get('content-type')?.[0] ?? '', /^text\/plain; charset=utf-8/);
  });

  it('brings other alphabets, long lines and lines with a lone dot unharmed', async () => {
    const server = await stage();
    const text = `Grüße, 你好 👋\n.\n..\nFrom here\n${'long '.repeat(500)}\n`;
    await mailer(server.url).send({ to: 'jürgen@example.org', subject: 'Prüfung 你好', text });
    const mail = await server.arrived();
    assert.deepEqual([mail.subject, mail.text], ['Prüfung 你好', text]);
    assert.deepEqual(mail.to, ['jürgen@example.org']);
  });

  it('takes the user for the sender where that is an e-mail address', async () => {
    const server = await stage({ account: { user: 'chat@example.com', password: 'x' } });
    await mailer(server.url.replace(/\?.*/, '')).send(MAIL);
    assert.equal((await server.arrived()).from, 'chat@example.com');
  });

  it('sends one mail at a time, in order', async () => {
    const server = await stage();
    const one = mailer(server.url);
    await Promise.all(
      Array.from({ length: 5 }, (_, i) => one.send({ ...MAIL, subject: `Mail ${i}` })),
    );
    const subjects = server.mails.map(({ subject }) => subject);
    assert.deepEqual(subjects, ['Mail 0', 'Mail 1', 'Mail 2', 'Mail 3', 'Mail 4']);
    // The one before may still be hanging up.
    assert.ok(server.mostAtOnce() <= 2, `${server.mostAtOnce()}`);
  });

  it('lets no text of others into the headers or the envelope', async () => {
    const server = await stage();
    const one = mailer(server.url);
    let count = 0;
    const part = fc.constantFrom('\r', '\n', '\r\n', '\0', '\u2028', ' ', 'Bcc: eve@example.com', 'a', ':', '=?utf-8?q?=0A?=', '\r\n.\r\n', 'RCPT TO:<eve@example.com>', '\u001b[2J', 'ü'); // prettier-ignore
    const line = fc.array(part, { maxLength: 6 }).map((parts) => parts.join(''));
    await fc.assert(
      fc.asyncProperty(line, line, async (subject, text) => {
        await one.send({ to: MAIL.to, subject, text });
        const mail = await server.arrived(++count);
        assert.equal(server.mails.length, count);
        assert.deepEqual(mail.to, ['bob@example.org']);
        for (const [name, values] of mail.headers) {
          assert.ok(HEADERS.has(name), name);
          assert.equal(values.length, 1);
        }
        assert.ok([...HEADERS].slice(0, 4).every((name) => mail.headers.has(name)));
        assert.doesNotMatch(mail.subject + mail.text, /[\u0000-\u0009\u000b-\u001f\u2028]/);
      }),
      { numRuns: 25 },
    );
  });

  it('refuses what is no mail to one address', async () => {
    const server = await stage();
    const one = mailer(server.url);
    for (const to of ['bob', 'bob@example.org, eve@example.com', 'bob@example.org\r\nDATA', ''])
      await assert.rejects(one.send({ ...MAIL, to }), coded('BAD_ADDRESS'));
    await assert.rejects(one.send({ ...MAIL, subject: 's'.repeat(201) }), coded('TOO_LARGE'));
    await assert.rejects(one.send({ ...MAIL, text: 'ü'.repeat(8_193) }), coded('TOO_LARGE'));
    assert.equal(server.mostAtOnce(), 0);
  });

  describe('and encryption', () => {
    it('uses STARTTLS with a host whose certificate is good', async () => {
      const server = await stage({ account: ACCOUNT });
      await mailer(away(server), AWAY).send(MAIL);
      assert.equal((await server.arrived()).isEncrypted, true);
    });

    it('speaks TLS from the start where the URL says so', async () => {
      const server = await stage({ account: ACCOUNT, secure: true });
      await mailer(away(server), AWAY).send(MAIL);
      await mailer(server.url).send(MAIL);
      assert.equal((await server.arrived(2)).isEncrypted, true);
    });

    for (const [what, options] of Object.entries({
      'offers none': { hideSTARTTLS: true, disabledCommands: ['STARTTLS'] },
      'refuses it after all': { disabledCommands: ['STARTTLS'] },
    }))
      it(`says nothing to a host that ${what}, unless it may`, async () => {
        let logins = 0;
        const server = await stage({
          ...options,
          account: ACCOUNT,
          onAuth: (_auth, _session, done) => {
            logins += 1;
            done(null, { user: 'clchat' });
          },
        });
        await assert.rejects(mailer(away(server), AWAY).send(MAIL), failed(/no encryption/));
        assert.deepEqual([logins, server.mails.length], [0, 0]);
        if (options.hideSTARTTLS === undefined) return;
        await mailer(`${away(server)}&insecure=true`, AWAY).send(MAIL);
        await mailer(server.url).send(MAIL);
        assert.equal((await server.arrived(2)).isEncrypted, false);
        await assert.rejects(
          mailer(`${away(server)}&insecure=false`, AWAY).send(MAIL),
          failed(/no encryption/),
        );
      });

    for (const secure of [false, true])
      it(`says nothing to a host that nobody vouches for, or under another name (${secure ? 'smtps' : 'smtp'})`, async () => {
        const server = await stage({ account: ACCOUNT, secure });
        const untrusted = /no encryption that can be trusted/;
        await assert.rejects(mailer(away(server), { lookup }).send(MAIL), failed(untrusted));
        const other = server.url.replace('127.0.0.1', 'other.example.org');
        await assert.rejects(mailer(other, AWAY).send(MAIL), failed(untrusted));
        assert.equal(server.mails.length, 0);
        await mailer(`${other}&insecure=true`, { lookup }).send(MAIL);
        assert.equal((await server.arrived()).isEncrypted, true);
      });

    it('takes only what is at a loopback for its own host', async () => {
      const server = await stage({ hideSTARTTLS: true, disabledCommands: ['STARTTLS', 'AUTH'] });
      await mailer(server.url.replace('127.0.0.1', 'LocalHost'), { lookup }).send(MAIL);
      for (const host of ['127.example.org', 'localhost.example.org', '127.0.0.1.example.org'])
        await assert.rejects(
          mailer(server.url.replace('127.0.0.1', host), AWAY).send(MAIL),
          failed(/no encryption/),
        );
      assert.equal(server.mails.length, 1);
    });
  });

  describe('refuses a URL that', () => {
    const cases: Readonly<Record<string, [string, RegExp]>> = {
      'is none': ['hunter2', /has the form/],
      'is empty': ['', /has the form/],
      'has another scheme': ['https://u:hunter2@h?from=a@b.c', /begins with smtp/],
      'has no host': ['smtp:hunter2?from=a@b.c', /no host|has the form/],
      'has a host that cannot be': ['smtp://u:hunter2@a%20b?from=a@b.c', /no host/],
      'has a port that cannot be': ['smtp://u:hunter2@h:99999?from=a@b.c', /has the form/],
      'has port 0': ['smtp://u:hunter2@h:0?from=a@b.c', /port 0/],
      'has a path': ['smtp://u:12/hunter2@h?from=a@b.c', /has the form/],
      'has a fragment': ['smtp://u:12#hunter2@h?from=a@b.c', /has the form/],
      'has a half escape': ['smtp://u:hunter2%zz@h?from=a@b.c', /has the form/],
      'has a user alone': ['smtp://hunter2@h?from=a@b.c', /or neither/],
      'has a password alone': ['smtp://:hunter2@h?from=a@b.c', /or neither/],
      'has a NUL': ['smtp://u:hunter2%00@h?from=a@b.c', /control character/],
      'has no sender': ['smtp://u:hunter2@h', /needs the e-mail address of the sender/],
      'has a bad sender': ['smtp://u:hunter2@h?from=hunter2', /needs the e-mail address/],
      'has an unknown part': ['smtp://u:12?hunter2@h&from=a@b.c', /only from=ADDRESS/],
      'is unsure': ['smtp://u:hunter2@h?from=a@b.c&insecure=yes', /only from=ADDRESS/],
      'is too long': [`smtp://u:hunter2${'2'.repeat(3_000)}@h?from=a@b.c`, /has the form/],
    };
    for (const [what, [url, pattern]] of Object.entries(cases))
      it(what, () => {
        assert.throws(
          () => createMailer(url),
          (error) => {
            assert.ok(error instanceof ClchatError);
            assert.equal(error.code, 'BAD_ADDRESS');
            assert.match(error.message, pattern);
            assert.doesNotMatch(inspect(error, { depth: 20, showHidden: true }).replace(/\n    at .*/g, ''), /hunter2/); // prettier-ignore
            return true;
          },
        );
      });

    it('is anything else, with a code', () => {
      fc.assert(
        fc.property(
          fc.oneof(
            fc.string({ unit: 'binary' }),
            fc.webUrl({ withQueryParameters: true }).map((url) => url.replace(/^https?/, 'smtp')),
            fc.string().map((text) => `smtp://u:${text}@host?from=a@b.c`),
            fc.string().map((text) => `smtps://${text}?from=a@b.c`),
          ),
          (url) => {
            try {
              createMailer(url);
            } catch (error) {
              assert.ok(coded('BAD_ADDRESS')(error), inspect(error));
            }
          },
        ),
        { numRuns: 1_000 },
      );
    });
  });
});

describe('the mails', () => {
  it('say how the first password is used', () => {
    const about = { server: 'office', user: 'bob', password: 'w0rd-w0rd' };
    const { subject, text } = firstPasswordMail({ ...about, address: '192.168.1.20:49152' });
    assert.equal(subject, 'Your account on office');
    assert.match(text, /^ {4}clchat -lc --connect 192\.168\.1\.20:49152 --user bob$/m);
    assert.match(text, /^ {4}w0rd-w0rd$/m);
    assert.match(firstPasswordMail(about).text, /^ {4}clchat -lc --server office --user bob$/m);
    assert.match(firstPasswordMail({ ...about, address: '[::1]:49152' }).text, /'?\[::1\]:49152'?/);
  });

  it('say how a code is used, and for how long', () => {
    const about = { server: 'office', user: 'bob', code: '7K2M-93QD', seconds: 86_400 };
    const { subject, text } = resetMail(about);
    assert.equal(subject, 'A new password on office');
    assert.match(text, /^ {4}7K2M-93QD$/m);
    assert.match(text, /^ {4}clchat -lc --server office --user bob --code 7K2M-93QD$/m);
    assert.match(text, /^ {4}\/login bob --code 7K2M-93QD$/m);
    assert.match(text, /good once, for 24 hours\./);
    assert.match(resetMail({ ...about, seconds: 1_800 }).text, /for 30 minutes\./);
    assert.match(resetMail({ ...about, seconds: 60 }).text, /for 1 minute\./);
  });

  it('hold no name that adds a line or means something to a shell', () => {
    const user = "b'$(reboot);\n\nPassword: x\u001b[2J";
    const { subject, text } = resetMail({ server: 'a\r\nb', user, code: 'c', seconds: 60 });
    assert.equal(subject, 'A new password on a b');
    assert.doesNotMatch(text, /^Password|\u001b|\r/m);
    assert.match(text, /--server 'a b' --user 'b'\\''\$\(reboot\);  Password: x' --code c$/m);
  });
});

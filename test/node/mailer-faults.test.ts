import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type LookupFunction, type Socket } from 'node:net';
import { inspect } from 'node:util';
import type { MailStageOptions } from '../support/mail.ts';
import { ACCOUNT, failed, MAIL, mailer, stage } from '../support/mailers.ts';
import { cleanUp, cleanUpAll, coded } from '../support/peers.ts';

/** Something at a port that is a mail server or is not; says what it is told to. */
async function stranger(onConnection: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUp(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return `smtp://clchat:hunter2@127.0.0.1:${port}?from=clchat@example.org`;
}

/** Speaks just enough SMTP; `answers` by the first word of what is asked. */
function speaker(answers: Readonly<Record<string, string>>): (socket: Socket) => void {
  return (socket) => {
    socket.write('220 ready\r\n');
    let rest = '';
    socket.on('data', (bytes) => {
      rest += bytes.toString('latin1');
      for (let end = rest.indexOf('\r\n'); end >= 0; end = rest.indexOf('\r\n')) {
        const word = /^\w+/.exec(rest)?.[0] ?? '';
        rest = rest.slice(end + 2);
        socket.write(`${answers[word] ?? '250 fine'}\r\n`);
      }
    });
  };
}

describe('the mailer, in bad company', () => {
  afterEach(cleanUpAll);

  describe('says what to do where a mail server', () => {
    it('does not accept the password', async () => {
      const server = await stage({ account: ACCOUNT });
      const url = server.url.replace('clchat:', 'eve:');
      await assert.rejects(mailer(url).send(MAIL), failed(/the user and the password/));
      assert.equal(server.mails.length, 0);
    });

    it('wants no password but was to check one', async () => {
      const server = await stage();
      const url = server.url.replace('//', '//clchat:x@');
      await assert.rejects(mailer(url).send(MAIL), failed(/the user and the password/));
      assert.equal(server.mails.length, 0);
    });

    const refusal = (code: number): Error =>
      Object.assign(new Error('not today'), { responseCode: code });
    const refusals: readonly [string, MailStageOptions, RegExp][] = [
      ['refuses the sender', { onMailFrom: (_a, _s, done) => done(refusal(550)) }, /the sender/],
      ['refuses the recipient', { onRcptTo: (_a, _s, done) => done(refusal(550)) }, /recipient/],
      ['puts the recipient off', { onRcptTo: (_a, _s, done) => done(refusal(450)) }, /later/],
      ['refuses the mail', { onData: (stream, _s, done) => { stream.resume(); stream.on('end', () => done(refusal(552))); } }, /did not take it/], // prettier-ignore
      ['is full', { maxClients: 0, onConnect: (_s, done) => done(refusal(421)) }, /later/],
    ];
    for (const [what, options, pattern] of refusals)
      it(what, async () => {
        const server = await stage(options);
        await assert.rejects(mailer(server.url).send(MAIL), failed(pattern));
      });

    it('is not there', async () => {
      const server = await stage();
      await server.close();
      await assert.rejects(mailer(server.url).send(MAIL), failed(/cannot be reached/));
      const nowhere: LookupFunction = (host, _options, callback) =>
        callback(Object.assign(new Error(`ENOTFOUND ${host}`), { code: 'ENOTFOUND' }), '', 4);
      const url = 'smtp://mail.example.com?from=clchat@example.org';
      await assert.rejects(
        mailer(url, { lookup: nowhere }).send(MAIL),
        failed(/cannot be reached/),
      );
    });

    const strangers: readonly [string, (socket: Socket) => void][] = [
      ['hangs up at once', (socket) => socket.end()],
      ['breaks off', (socket) => socket.resetAndDestroy()],
      ['hangs up after its greeting', (socket) => socket.end('220 hello\r\n')],
      ['is none', (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
      ['speaks nonsense', (socket) => socket.write(Buffer.alloc(1_000, 0xff).fill('\r\n', 998))],
      ['never ends a line', (socket) => socket.write('220-'.repeat(100_000))],
      ['never ends its greeting', (socket) => socket.write('220-hello\r\n'.repeat(100_000))],
      [
        'begins TLS with nonsense',
        (socket) => {
          socket.write('220 hello\r\n');
          const answers = ['250-hello\r\n250 STARTTLS\r\n', '220 go\r\n', '!'.repeat(1_000)];
          socket.on('data', () => socket.write(answers.shift() ?? ''));
        },
      ],
      [
        'answers a login with nonsense',
        speaker({ EHLO: '250-hello\r\n250 AUTH PLAIN', AUTH: 'yes' }),
      ],
    ];
    for (const [what, onConnection] of strangers)
      it(what, async () => {
        const url = await stranger(onConnection);
        await assert.rejects(mailer(url, { timeoutMs: 5_000 }).send(MAIL), failed(/Check|Correct|Give|later/)); // prettier-ignore
      });

    const silent: readonly [string, (socket: Socket) => void][] = [
      ['never says anything', () => undefined],
      ['does not answer a login', speaker({ EHLO: '250-hello\r\n250 AUTH PLAIN', AUTH: '' })],
      ['does not shake hands', speaker({ EHLO: '250-hello\r\n250 STARTTLS', STARTTLS: '220 go' })],
      [
        'says little, again and again',
        (socket) => {
          const timer = setInterval(() => socket.write('220-wait\r\n'), 20);
          socket.on('close', () => clearInterval(timer));
        },
      ],
    ];
    for (const [what, onConnection] of silent)
      it(`${what}: all who wait hear in time`, async () => {
        const url = await stranger(onConnection);
        const one = mailer(url, { timeoutMs: 300 });
        const began = performance.now();
        await Promise.all(
          [1, 2, 3].map(() => assert.rejects(one.send(MAIL), failed(/did not answer in time/))),
        );
        assert.ok(performance.now() - began < 3_000);
      });
  });

  it('has no more than so many wait, and serves again after', async () => {
    const one = mailer(await stranger(() => undefined), { timeoutMs: 300 });
    const waiting = Array.from({ length: 16 }, () => one.send(MAIL));
    await assert.rejects(one.send(MAIL), coded('RATE_LIMITED'));
    for (const { status } of await Promise.allSettled(waiting)) assert.equal(status, 'rejected');
    await assert.rejects(one.send(MAIL), failed(/in time/));
  });

  it('gives up when it is closed', async () => {
    let connected: () => void = () => undefined;
    const isConnected = new Promise<void>((resolve) => (connected = resolve));
    const one = mailer(await stranger(() => connected()));
    const waiting = [one.send(MAIL), one.send(MAIL)].map((sent) =>
      assert.rejects(sent, coded('CLOSED')),
    );
    await isConnected;
    await one.close();
    await Promise.all(waiting);
    await assert.rejects(one.send(MAIL), coded('CLOSED'));
  });

  it('keeps the password to itself', async () => {
    const secret = 'hunter2';
    const hidden = new RegExp(`${secret}|${Buffer.from(`\0clchat\0${secret}`).toString('base64')}`);
    for (const onConnection of [
      speaker({ EHLO: '250-hello\r\n250 AUTH PLAIN', AUTH: '535 no' }),
      speaker({ EHLO: '250-hello\r\n250 AUTH LOGIN', AUTH: '334 VXNlcm5hbWU6' }),
      (socket: Socket) => socket.end(),
      () => undefined,
    ]) {
      const one = mailer(await stranger(onConnection), { timeoutMs: 300 });
      await assert.rejects(one.send(MAIL), (error) => {
        assert.doesNotMatch(inspect(error, { depth: 20, showHidden: true }), hidden);
        return true;
      });
      assert.doesNotMatch(inspect(one, { depth: 20 }), hidden);
    }
  });
});

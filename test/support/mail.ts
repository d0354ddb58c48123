/** A mail server on the loopback that keeps what it is given, for those who send mail. */
import { EventEmitter, once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text as readAll } from 'node:stream/consumers';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

/** The only host that the certificate of these mail servers is good for. */
export const MAIL_HOST = 'mail.example.org';

export interface ReceivedMail {
  /** The sender and the recipients of the envelope. */
  readonly from: string;
  readonly to: readonly string[];
  /** By name in lower case; unfolded, and as they came. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly subject: string;
  readonly text: string;
  /** Who was logged in. */
  readonly user: string | undefined;
  readonly isEncrypted: boolean;
}

export interface MailStage {
  readonly port: number;
  /** What has arrived, in order. */
  readonly mails: readonly ReceivedMail[];
  /** `smtp://USER:PASSWORD@127.0.0.1:PORT?from=clchat@example.org`, with user and password where it wants them. */
  readonly url: string;
  /** Connections that were open at once, at most. */
  readonly mostAtOnce: () => number;
  /** Waits until so many mails have arrived, and gives the last of them. */
  arrived(count?: number): Promise<ReceivedMail>;
  close(): Promise<void>;
}

export interface MailStageOptions extends SMTPServerOptions {
  /** Has to log in, where there is one. */
  readonly account?: { readonly user: string; readonly password: string };
}

/** Starts a mail server that offers STARTTLS; further options are those of the library. */
export async function startMailServer({
  account,
  ...options
}: MailStageOptions = {}): Promise<MailStage> {
  const mails: ReceivedMail[] = [];
  const arrivals = new EventEmitter();
  let most = 0;
  const server = new SMTPServer({
    key: KEY,
    cert: CERTIFICATE,
    authOptional: account === undefined,
    disabledCommands: account === undefined ? ['AUTH'] : [],
    allowInsecureAuth: true,
    disableReverseLookup: true,
    closeTimeout: 100,
    onConnect: (_session, done) => {
      most = Math.max(most, server.connections.size);
      done();
    },
    onAuth: ({ username, password }, _session, done) =>
      username === account?.user && password === account?.password
        ? done(null, { user: username })
        : done(new Error('no such user, or another password')),
    onData: (stream, { envelope, secure, user }, done) => {
      void readAll(stream).then((raw) => {
        mails.push({
          from: envelope.mailFrom === false ? '' : envelope.mailFrom.address,
          to: envelope.rcptTo.map(({ address }) => address),
          ...parse(raw),
          user: user as string | undefined,
          isEncrypted: secure,
        });
        done();
        arrivals.emit('mail');
      }, done);
    },
    ...options,
  });
  // A client that hangs up is part of the game.
  server.on('error', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const { port } = server.server.address() as AddressInfo;
  const login =
    account === undefined
      ? ''
      : `${encodeURIComponent(account.user)}:${encodeURIComponent(account.password)}@`;
  return {
    port,
    mails,
    url: `smtp${options.secure === true ? 's' : ''}://${login}127.0.0.1:${port}?from=clchat%40example.org`,
    mostAtOnce: () => most,
    arrived: async (count = 1) => {
      while (mails.length < count) await once(arrivals, 'mail');
      return mails[count - 1]!;
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function parse(raw: string): Pick<ReceivedMail, 'headers' | 'subject' | 'text'> {
  const end = raw.indexOf('\r\n\r\n');
  const headers = new Map<string, string[]>();
  for (const line of raw
    .slice(0, end)
    .replaceAll(/\r\n(?=[ \t])/g, '')
    .split('\r\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    headers.set(name, [...(headers.get(name) ?? []), line.slice(colon + 1).trim()]);
  }
  const encoding = headers.get('content-transfer-encoding')?.[0] ?? '7bit';
  return {
    headers,
    subject: decodeWords(headers.get('subject')?.[0] ?? ''),
    text: decodeBody(raw.slice(end + 4), encoding).replaceAll('\r\n', '\n'),
  };
}

function decodeBody(body: string, encoding: string): string {
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString('utf8');
  return encoding === 'quoted-printable' ? unquoted(body.replaceAll('=\r\n', '')) : body;
}

/** Encoded words of a header (RFC 2047); the space between two of them means nothing. */
function decodeWords(text: string): string {
  return text
    .replaceAll(/(?<=\?=)\s+(?==\?)/g, '')
    .replaceAll(/=\?utf-8\?([bq])\?([^?]*)\?=/gi, (_word, kind: string, encoded: string) =>
      kind.toLowerCase() === 'b'
        ? Buffer.from(encoded, 'base64').toString('utf8')
        : unquoted(encoded.replaceAll('_', ' ')),
    );
}

function unquoted(text: string): string {
  const bytes = text.replaceAll(/=([0-9a-f]{2})/gi, (_all, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** Signed by itself, and used nowhere else; good until 2120. */
export const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBdzCCARygAwIBAgIBATAKBggqhkjOPQQDAjAbMRkwFwYDVQQDDBBtYWlsLmV4
YW1wbGUub3JnMCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjAbMRkw
FwYDVQQDDBBtYWlsLmV4YW1wbGUub3JnMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcD
QgAEvLkMXlnAQaNNWfn2jUDgk/EX7sbibTHmyHhkJuWOlSZ3zOwC1owfy784+D53
TGWzdyxCHXG+OEYUsaqlZp8WtaNPME0wGwYDVR0RBBQwEoIQbWFpbC5leGFtcGxl
Lm9yZzAPBgNVHRMBAf8EBTADAQH/MB0GA1UdDgQWBBQMFlI9xn4ylSuhNMxmHX1V
2tR4GjAKBggqhkjOPQQDAgNJADBGAiEA+Bi/8W6kknh1zuko4frJ26WCrbTLUPjC
qPJP7z/PiVQCIQDsHNWbEYm6QomGHwwXRGUI31NwwYHrP1DNpdC41eHI7A==
-----END CERTIFICATE-----
`;
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgzO+qbzWb79uo6kYh
iZef5mfOCP96wrxvEQPFQrUnu+2hRANCAAS8uQxeWcBBo01Z+faNQOCT8RfuxuJt
MebIeGQm5Y6VJnfM7ALWjB/Lvzj4PndMZbN3LEIdcb44RhSxqqVmnxa1
-----END PRIVATE KEY-----
`;

/**
 * Mail by a mail server that the administrator has named: first passwords and codes for those who
 * forgot theirs. Plain text, one mail at a time, and an answer within a set time, whatever the mail
 * server does.
 */
import { once } from 'node:events';
import { connect, isIP, type LookupFunction, type Socket } from 'node:net';
import { domainToASCII } from 'node:url';
import type { SMTPTransportOptions } from 'nodemailer';
import * as v from 'valibot';
import { isEmail } from './addresses.ts';
import { ClchatError, hasCode } from '../errors.ts';
import { isLoopback } from '../interfaces.ts';
import { deadline } from '../lifecycle.ts';
import { byteLength, clean, MAX_TEXT_BYTES } from '../text.ts';

export interface Mail {
  /** One e-mail address. */
  readonly to: string;
  readonly subject: string;
  /** Plain text, its lines ended by line feeds. */
  readonly text: string;
}

export interface Mailer {
  /**
   * Resolves once the mail server has taken the mail. It is tried once.
   * @throws BAD_ADDRESS (the recipient's), TOO_LARGE, RATE_LIMITED (too many are waiting), CLOSED,
   *   MAIL with a text that says what to do
   */
  send(mail: Mail): Promise<void>;
  /** Gives up what has not been sent. */
  close(): Promise<void>;
}

export interface MailerOptions {
  /** Milliseconds that a mail may take in all, its waiting for others included. */
  readonly timeoutMs?: number;
  /** PEM certificates that vouch for the mail server, in place of those that node trusts. */
  readonly authorities?: string;
  /** Where hosts are looked up; in the system by default. */
  readonly lookup?: LookupFunction;
}

const TIMEOUT_MS = 10_000;
/** Mails that may wait, the one that is being sent included. */
const MAX_WAITING = 16;
const MAX_SUBJECT = 200;
const MAX_URL = 2_048;
/** How long a mail server may take to hang up once we have, in milliseconds. */
const FAREWELL_MS = 1_000;
/** Longest answer of a mail server, in bytes. */
const MAX_ANSWER = 64 * 1024;

const mailSchema = v.object({
  to: v.string(),
  subject: v.pipe(v.string(), v.maxLength(MAX_SUBJECT)),
  text: v.pipe(
    v.string(),
    v.check((text) => byteLength(text) <= MAX_TEXT_BYTES),
  ),
});

interface MailServer {
  readonly host: string;
  readonly port: number;
  /** Encrypted from the first byte. */
  readonly isSecure: boolean;
  /** Whether an encrypted connection to the right server is insisted on. */
  readonly isChecked: boolean;
  readonly auth: { readonly user: string; readonly pass: string } | undefined;
  /** The sender's e-mail address. */
  readonly from: string;
}

/**
 * A mailer for the mail server at `smtp://USER:PASSWORD@HOST:PORT?from=ADDRESS`, which has to offer
 * STARTTLS, or at `smtps://…`, which speaks TLS from the start. The ports are 587 and 465 where none
 * is given. User and password may be left out together, and `from` where the user is an e-mail
 * address. Special characters are written as `%` and two hexadecimal digits.
 *
 * The certificate has to be valid, and nothing goes out in the clear, but for two cases: the mail
 * server is at a loopback address, or the URL says `insecure=true`. Then TLS is used where it is
 * offered, and no certificate is checked.
 * @throws BAD_ADDRESS with a text that says what is wrong, and never quotes the URL
 */
export function createMailer(url: string, options: MailerOptions = {}): Mailer {
  return new SmtpMailer(parse(url), options);
}

class SmtpMailer implements Mailer {
  readonly #server: MailServer;
  readonly #options: MailerOptions;
  readonly #closing = new AbortController();
  /** Settles when the last mail of those that wait has been sent or given up; never rejects. */
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(server: MailServer, options: MailerOptions) {
    this.#server = server;
    this.#options = options;
  }

  async send(mail: Mail): Promise<void> {
    const parsed = v.safeParse(mailSchema, mail);
    if (!parsed.success) throw new ClchatError('TOO_LARGE');
    if (!isEmail(mail.to)) throw new ClchatError('BAD_ADDRESS', 'That is no e-mail address.');
    if (this.#closing.signal.aborted) throw new ClchatError('CLOSED');
    if (this.#waiting >= MAX_WAITING) throw new ClchatError('RATE_LIMITED');
    this.#waiting += 1;
    // It runs from now: whoever waits in line has at least as much time left as the one before.
    const signal = deadline(this.#options.timeoutMs ?? TIMEOUT_MS, this.#closing.signal);
    const sent = this.#last
      .then(() => this.#deliver(parsed.output, signal))
      .finally(() => (this.#waiting -= 1));
    this.#last = sent.catch(() => undefined);
    return sent;
  }

  async close(): Promise<void> {
    this.#closing.abort(new ClchatError('CLOSED'));
    await this.#last;
  }

  async #deliver({ to, subject, text }: Mail, signal: AbortSignal): Promise<void> {
    try {
      signal.throwIfAborted();
      // Loaded when it is needed: most servers never send a mail.
      const { createTransport } = await import('nodemailer');
      const transport = createTransport(this.#settings(signal));
      await transport.sendMail({
        from: { name: 'clchat', address: this.#server.from },
        to: { name: '', address: to },
        subject: clean(subject),
        text: clean(text, { multiline: true }),
        // No program shall answer it: RFC 3834.
        headers: { 'Auto-Submitted': 'auto-generated' },
        signal,
      });
    } catch (error) {
      if (hasCode(signal.reason, 'CLOSED')) throw signal.reason;
      const advice = signal.aborted ? LATE : adviceOn(error);
      throw new ClchatError('MAIL', `The mail could not be sent: ${advice}`, { cause: error });
    }
  }

  #settings(signal: AbortSignal): SMTPTransportOptions {
    const { host, port, isSecure, isChecked, auth } = this.#server;
    const { authorities, lookup } = this.#options;
    return {
      host,
      port,
      secure: isSecure,
      requireTLS: isChecked,
      tls: {
        rejectUnauthorized: isChecked,
        ...(authorities === undefined ? {} : { ca: authorities }),
      },
      // Else the mail would go out without, where a server does not offer to check a password.
      ...(auth === undefined ? {} : { auth, forceAuth: true }),
      // The library would ask a name server first: a network without one may still know the host.
      getSocket: (_options, done) =>
        void open({ host, port, ...(lookup === undefined ? {} : { lookup }) }, signal).then(
          (connection) => done(null, { connection }),
          (error: Error) => done(error),
        ),
      socketCloseTimeout: FAREWELL_MS,
      maxResponseSize: MAX_ANSWER,
    };
  }
}

async function open(
  where: { host: string; port: number; lookup?: LookupFunction },
  signal: AbortSignal,
): Promise<Socket> {
  const socket = connect(where);
  try {
    await once(socket, 'connect', { signal });
    return socket;
  } catch (error) {
    socket.on('error', () => undefined).destroy();
    throw error;
  }
}

function wrong(text: string): ClchatError {
  return new ClchatError('BAD_ADDRESS', text);
}

const FORM =
  'The URL of the mail server has the form smtp://USER:PASSWORD@HOST:PORT?from=ADDRESS or smtps://…, with special characters as % and two hexadecimal digits.';

/** No error here has a cause: those of the parser hold the URL, and it the password. */
function parse(text: string): MailServer {
  if (text.length > MAX_URL || !URL.canParse(text)) throw wrong(FORM);
  const url = new URL(text);
  const isSecure = url.protocol === 'smtps:';
  if (!isSecure && url.protocol !== 'smtp:')
    throw wrong('The URL of the mail server begins with smtp:// or smtps://.');
  // As when a password has a slash or a number sign that was not written as an escape.
  if (!['', '/'].includes(url.pathname) || url.hash !== '') throw wrong(FORM);
  const host = domainToASCII(url.hostname).replace(/^\[(.*)\]$/, '$1');
  if (host === '') throw wrong('The URL of the mail server names no host, or one that cannot be.');
  if (url.port === '0') throw wrong('The URL of the mail server names port 0.');
  const auth = credentials(url);
  const { from, insecure } = parameters(url);
  const sender = from ?? auth?.user ?? '';
  if (!isEmail(sender))
    throw wrong(
      'The URL of the mail server needs the e-mail address of the sender: ?from=ADDRESS, with %2B for a plus sign.',
    );
  const isHere = host === 'localhost' || (isIP(host) > 0 && isLoopback(host));
  return {
    host,
    port: url.port === '' ? (isSecure ? 465 : 587) : Number(url.port),
    isSecure,
    isChecked: !isHere && insecure !== 'true',
    auth,
    from: sender,
  };
}

function credentials(url: URL): MailServer['auth'] {
  if (url.username === '' && url.password === '') return undefined;
  let auth: { user: string; pass: string };
  try {
    auth = { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) };
  } catch {
    throw wrong(FORM);
  }
  if (auth.user === '' || auth.pass === '')
    throw wrong('The URL of the mail server needs a user and a password, or neither.');
  if (/\p{Cc}/u.test(auth.user + auth.pass))
    throw wrong(
      'The user or the password in the URL of the mail server contains a control character.',
    );
  return auth;
}

const parametersSchema = v.strictObject({
  from: v.optional(v.string()),
  insecure: v.optional(v.picklist(['true', 'false'])),
});

function parameters({ searchParams }: URL): v.InferOutput<typeof parametersSchema> {
  const given = v.safeParse(parametersSchema, Object.fromEntries(searchParams));
  if (given.success) return given.output;
  throw wrong(
    'After the "?" in the URL of the mail server only from=ADDRESS and insecure=true are understood, joined by "&".',
  );
}

const LATE =
  'the mail server did not answer in time. Check its host and port, and whether it wants smtp:// or smtps://, or try again later.';

/** What can be done about a failure, as the library tells of it. */
function adviceOn(error: unknown): string {
  const { code, command, responseCode } = error as {
    code?: string;
    command?: string;
    responseCode?: number;
  };
  const isPassing = responseCode !== undefined && responseCode < 500;
  if (code === 'ETLS' || command === 'STARTTLS' || isUntrusted(error))
    return 'the mail server offers no encryption that can be trusted. Give it a certificate that this host trusts (NODE_EXTRA_CA_CERTS names further authorities), or write insecure=true in its URL where nobody can listen in.';
  if (code === 'EAUTH' && !isPassing)
    return 'the mail server does not accept the user and the password in its URL. Correct them.';
  if (command === 'MAIL FROM' && !isPassing)
    return 'the mail server refuses the sender. Correct the user or "from" in its URL.';
  if (command === 'RCPT TO' && !isPassing)
    return 'the mail server refuses that recipient. Check the e-mail address.';
  if (responseCode === undefined)
    return 'the mail server cannot be reached, or what is there hangs up or is none. Check its host and port, and whether it wants smtp:// or smtps://.';
  return 'the mail server did not take it. Try again later, or ask whoever runs it.';
}

/** Whether TLS failed, or the certificate was not accepted. */
function isUntrusted(error: unknown): boolean {
  const { originalCode } = error as { originalCode?: unknown };
  return typeof originalCode === 'string' && /CERT|TLS|SSL|SIGNATURE/.test(originalCode);
}

/**
 * The mail that brings a new user their first password.
 * @param about.server name of the server
 * @param about.user name of the account
 * @param about.address where the server is reached, `IP:PORT`; left out, it is looked for by name
 */
export function firstPasswordMail(about: {
  server: string;
  user: string;
  password: string;
  address?: string;
}): Pick<Mail, 'subject' | 'text'> {
  const [server, user] = [clean(about.server), clean(about.user)];
  const where =
    about.address === undefined
      ? `--server ${shellWord(server)}`
      : `--connect ${shellWord(clean(about.address))}`;
  return {
    subject: `Your account on ${server}`,
    text: [
      `The account ${user} has been made for you on the clchat server ${server}.`,
      '',
      'Start with:',
      '',
      `    clchat -lc ${where} --user ${shellWord(user)}`,
      '',
      'and enter this password when you are asked for it:',
      '',
      `    ${clean(about.password)}`,
      '',
      'It is good for the first time only: you are then asked for a password of',
      'your own.',
      '',
      UNEXPECTED,
    ].join('\n'),
  };
}

/**
 * The mail that brings somebody the code that takes the place of a forgotten password.
 * @param about.server name of the server
 * @param about.user name of the account
 * @param about.seconds how long the code is good
 */
export function resetMail(about: {
  server: string;
  user: string;
  code: string;
  seconds: number;
}): Pick<Mail, 'subject' | 'text'> {
  const [server, user, code] = [clean(about.server), clean(about.user), clean(about.code)];
  return {
    subject: `A new password on ${server}`,
    text: [
      `This code takes the place of the forgotten password of ${user} on the`,
      `clchat server ${server}:`,
      '',
      `    ${code}`,
      '',
      `It is good once, for ${inHours(about.seconds)}. Start with:`,
      '',
      `    clchat -lc --server ${shellWord(server)} --user ${shellWord(user)} --code ${shellWord(code)}`,
      '',
      'or, in a program that runs:',
      '',
      `    /login ${user} --code ${code}`,
      '',
      'You are then asked for a new password.',
      '',
      UNEXPECTED,
    ].join('\n'),
  };
}

const UNEXPECTED =
  'If you did not expect this mail, you need not do anything: delete it, and\ntell whoever runs the server.\n';

/** A word as a shell reads it: a name may hold characters that mean something to one. */
function shellWord(text: string): string {
  return /^[\w.:[\]-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** Hours, or minutes where there are few. */
function inHours(seconds: number): string {
  const [unit, length] =
    seconds < 2 * 3_600 ? (['minute', 60] as const) : (['hour', 3_600] as const);
  return new Intl.NumberFormat('en', {
    style: 'unit',
    unit,
    unitDisplay: 'long',
    maximumFractionDigits: 0,
  }).format(Math.floor(seconds / length));
}

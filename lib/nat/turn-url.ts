/** The TURN server that an administrator has named: a relay for calls that find no other way (RFC 8656). */
import { isIPv4, isIPv6 } from 'node:net';
import { ClchatError } from '../errors.ts';

/** As those who place calls want it. */
export interface TurnServer {
  /** `turn:HOST:PORT?transport=udp` and the like (RFC 7065). */
  readonly url: string;
  /** An IP address or a name. */
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly credential: string;
}

const MAX_URL = 2_048;
const PORTS = { turn: 3_478, turns: 5_349 } as const;
const TRANSPORTS = { turn: 'udp', turns: 'tcp' } as const;
const LAST_PORT = 65_535;

const FORM =
  /^(?<scheme>turns?):(?:\/\/)?(?<user>[^:@/?#]+):(?<credential>[^:@/?#]+)@(?<host>\[[^\]]*\]|[^:@/?#[\]]+)(?::(?<port>\d{1,5}))?(?:\?transport=(?<transport>udp|tcp))?$/;
const HOST_NAME = /^(?=.{1,253}$)(?:[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?\.)*[a-z][a-z\d-]{0,62}\.?$/i;
const CONTROL = /[\u0000-\u001f\u007f]/;

const WANTED =
  'The URL of the TURN server has the form turn:USER:CREDENTIAL@HOST:PORT?transport=udp, or turns:… for TLS, with special characters as % and two hexadecimal digits.';

/**
 * Reads `turn:USER:CREDENTIAL@HOST:PORT?transport=udp`, or `turns:…` for TLS. The ports are 3478 and 5349
 * where none is given, the transports UDP and TCP.
 * @throws BAD_ADDRESS with a text that says what is wrong, and never quotes the URL
 */
export function parseTurnUrl(text: string): TurnServer {
  const parts = text.length > MAX_URL ? undefined : FORM.exec(text)?.groups;
  if (parts === undefined) throw wrong(WANTED);
  const scheme = parts['scheme'] as keyof typeof PORTS;
  const { host = '', transport = TRANSPORTS[scheme] } = parts;
  const port = parts['port'] === undefined ? PORTS[scheme] : Number(parts['port']);
  if (port === 0 || port > LAST_PORT) throw wrong('The port of the TURN server is none.');
  const isName = isIPv4(host) || HOST_NAME.test(host);
  if (!(host.startsWith('[') ? isIPv6(host.slice(1, -1)) && !host.includes('%') : isName))
    throw wrong('The host of the TURN server is neither an IP address nor a name.');
  return {
    url: `${scheme}:${host}:${port}?transport=${transport}`,
    host: host.replace(/^\[|\]$/g, ''),
    port,
    username: unescape(parts['user']),
    credential: unescape(parts['credential']),
  };
}

function unescape(text = ''): string {
  let plain: string;
  try {
    plain = decodeURIComponent(text);
  } catch {
    throw wrong(WANTED);
  }
  if (CONTROL.test(plain)) throw wrong(WANTED);
  return plain;
}

/** It has no cause: that would hold the URL, and it the credential. */
function wrong(text: string): ClchatError {
  return new ClchatError('BAD_ADDRESS', text);
}

/**
 * Session descriptions (RFC 8866) and candidates (RFC 8839) that come from outside: what of them is
 * let through to the WebRTC library, and what is written into them for it.
 */
import { isIP } from 'node:net';
import { ClchatError } from '../errors.ts';
import { isLinkLocal6, isUnicast, tryParseEndpoint } from '../interfaces.ts';

/** Most bits a second that this side may send. */
export interface Limits {
  readonly sound: number;
  /** Of all together: the library has but one such limit for a connection, whatever line names it. */
  readonly all: number;
}

/** What is sent over one connection, in this order in each description. */
export const MEDIA = ['audio', 'video', 'video'] as const;
/** The part of a description by which candidates are told: all media go over one transport. */
export const FIRST_MID = '0';

const MAX_DESCRIPTION = 32_768;
const MAX_LINES = 400;
const MAX_LINE = 1_024;
const MAX_CANDIDATE = 512;
/** Lower ones belong to services that have nothing to do with calls. */
const LOWEST_PORT = 1_024;

/** Below so many bits a second sound goes in fewer packets, as the head of each weighs more than it. */
const USUAL_PACKETS = 24_000;
const LONG_PACKET_MS = 60;

/** Printable ASCII only: nothing that we or the library would have to decode. */
const LINE = /^[a-z]=[\x20-\x7e]*$/;
const MEDIUM = /^m=(audio|video) \d{1,5} UDP\/TLS\/RTP\/SAVPF(?: \d{1,3}){1,16}$/;

/**
 * Checks a description of another peer and writes limits into it. Its candidates are left out: they
 * come one by one.
 * @throws BAD_MESSAGE for anything that our own library would not have made
 */
export function admit(description: string, limits: Limits): string {
  if (description.length > MAX_DESCRIPTION) throw bad('it is too long');
  const lines = description.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  if (lines.length > MAX_LINES) throw bad('it has too many lines');
  if (!lines.every((line) => line.length <= MAX_LINE && LINE.test(line))) throw bad('of a line');
  const starts = lines.flatMap((line, at) => (line.startsWith('m=') ? [at] : []));
  const head = lines.slice(0, starts[0]);
  const media = starts.map((start, at) => lines.slice(start, starts[at + 1]));
  if (media.length !== MEDIA.length) throw bad('of the number of media');
  for (const [at, medium] of media.entries()) {
    if (MEDIUM.exec(medium[0]!)?.[1] !== MEDIA[at]) throw bad('of a medium');
    if (!medium.includes(`a=mid:${at}`)) throw bad('of the name of a medium');
    const has = (what: string): boolean => [...head, ...medium].some((one) => one.startsWith(what));
    if (!['a=fingerprint:sha-256 ', 'a=ice-ufrag:', 'a=ice-pwd:'].every(has))
      throw bad('something is missing');
  }
  const [sound, camera, screen] = media.map(withoutCandidates);
  return [
    ...withoutCandidates(head),
    ...withSound(sound!, limits.sound),
    ...withLimit(camera!, limits.all),
    ...withLimit(screen!, limits.all),
    '',
  ].join('\r\n');
}

/** Without the limits that the other side would have, either. */
function withoutCandidates(lines: readonly string[]): string[] {
  return lines.filter(
    (line) => !/^(?:a=(?:candidate|end-of-candidates|remote-candidates)|b=)/.test(line),
  );
}

/** After the line of the connection comes that of the bandwidth. */
function withLimit([medium = '', ...lines]: readonly string[], bits: number): string[] {
  const at = lines.findIndex((line) => line.startsWith('c=')) + 1;
  return [medium, ...lines.slice(0, at), `b=TIAS:${Math.round(bits)}`, ...lines.slice(at)];
}

/**
 * Opus takes its rate from the parameters of its format (RFC 7587), of which one may be named by several
 * numbers. Without parameters it takes a usual one, which is no more than is good.
 */
function withSound(lines: readonly string[], bits: number): string[] {
  const medium = lines.filter((line) => !/^a=(?:max)?ptime:/.test(line));
  if (bits < USUAL_PACKETS) medium.push(`a=ptime:${LONG_PACKET_MS}`);
  const formats = new Set(medium.map((line) => /^a=rtpmap:(\d+) opus\//i.exec(line)?.[1]));
  const rate = `maxaveragebitrate=${Math.round(bits)}`;
  return medium.map((line) => {
    const [, format, written = ''] = /^a=fmtp:(\d+) (.*)$/.exec(line) ?? [];
    if (format === undefined || !formats.has(format)) return line;
    const others = written.split(';').filter((one) => !/^ *maxaveragebitrate *=/i.test(one));
    return `a=fmtp:${format} ${[...others, rate].join(';')}`;
  });
}

/** `::ffff:192.0.2.1` and `::192.0.2.1` */
const IPV4_AS_IPV6 = /^::(?:ffff:)?\d+\.\d+\.\d+\.\d+$/;

export interface Candidate {
  /** In canonical form. */
  readonly ip: string;
  readonly port: number;
  readonly type: 'host' | 'srflx' | 'prflx' | 'relay';
}

/**
 * Reads a candidate.
 * @returns undefined for what is of no use or not to be tried: names instead of addresses, TCP, ports
 *   of other services, addresses that are nobody's, or good on one link only
 */
export function parseCandidate(line: string): Candidate | undefined {
  if (line.length > MAX_CANDIDATE || !/^[\x20-\x7e]+$/.test(line)) return undefined;
  const [head = '', component, transport = '', priority = '', ip = '', port = '', typ, type] =
    line.split(' ');
  const isWhole =
    /^candidate:[\w+/]{1,32}$/.test(head) &&
    component === '1' &&
    transport.toLowerCase() === 'udp' &&
    /^\d{1,10}$/.test(priority) &&
    /^\d{1,5}$/.test(port) &&
    typ === 'typ';
  const number = Number(port);
  if (!isWhole || number < LOWEST_PORT || number > 65_535) return undefined;
  if (type !== 'host' && type !== 'srflx' && type !== 'prflx' && type !== 'relay') return undefined;
  const known = toAddress(ip);
  return known === undefined ? undefined : { ip: known, port: number, type };
}

/** One form for each address, and none for what hosts cannot reach one another by. */
function toAddress(written: string): string | undefined {
  const ip = isIP(written) === 0 ? undefined : tryParseEndpoint(written, { port: 1 })?.ip;
  const isUsable = ip !== undefined && isUnicast(ip) && !isLinkLocal6(ip) && !IPV4_AS_IPV6.test(ip);
  return isUsable ? ip : undefined;
}

/**
 * Writes a candidate of a port that the gateway of this host leads to it (RFC 8839, server reflexive).
 * @param own the candidate of this host whose port it is
 */
export function mappedCandidate(own: string, external: { ip: string; port: number }): string {
  const [head = '', component, transport, priority = '', ip, port] = own.split(' ');
  // After those of the host itself, as RFC 8445 ranks them.
  const lower = Math.max(1, Number(priority) - 0x1a00_0000);
  return `${head}9 ${component} ${transport} ${lower} ${external.ip} ${external.port} typ srflx raddr ${ip} rport ${port}`;
}

function bad(what: string): ClchatError {
  return new ClchatError('BAD_MESSAGE', `That session description cannot be used: ${what}.`);
}

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
const USUAL_PACKETS = 30_000;
const LONG_PACKET_MS = 60;
const USUAL_PACKET_MS = 20;

/** How much of sound goes into a packet, in milliseconds. @param bits a second */
export function soundPacketMs(bits: number): number {
  return bits < USUAL_PACKETS ? LONG_PACKET_MS : USUAL_PACKET_MS;
}

/** What the library takes care of that the network carries: of so little sound it would cost too much. */
export function controlled({ sound, all }: Limits): number {
  return soundPacketMs(sound) === USUAL_PACKET_MS ? all : all - sound;
}

/** When each packet has come, as it is told to the sender. */
const ARRIVALS = /^a=(?:rtcp-fb:\d+ transport-cc$|extmap:.*-transport-wide-cc-)/;

/** Printable ASCII only: nothing that we or the library would have to decode. */
const LINE = /^[a-z]=[\x20-\x7e]*$/;
const MEDIUM = /^m=(audio|video) \d{1,5} UDP\/TLS\/RTP\/SAVPF(?: \d{1,3}){1,16}$/;

// What our own library writes for a call, line by line. It would read far more than that: other codecs,
// several pictures in place of one. Nothing of it is of use here, and all of it is open to attack.
const ADDRESS = 'IN IP[46] [\\da-fA-F.:]{2,45}';
const FORMAT = '\\d{1,3}';
const SOURCE = '\\d{1,10}';
const NAME = '[\\x21-\\x7e]{1,64}';
const PARAMETER = '(?:minptime|useinbandfec|maxaveragebitrate)=\\d{1,7}';
const EXTENSIONS = [
  'urn:ietf:params:rtp-hdrext:(?:ssrc-audio-level|toffset)',
  'urn:ietf:params:rtp-hdrext:sdes:(?:mid|rtp-stream-id|repaired-rtp-stream-id)',
  'urn:3gpp:video-orientation',
  'http://www\\.webrtc\\.org/experiments/rtp-hdrext/(?:abs-send-time|playout-delay|color-space)',
  'http://www\\.webrtc\\.org/experiments/rtp-hdrext/video-(?:content-type|timing)',
  'http://www\\.ietf\\.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
];
const KEYS = [
  'a=ice-ufrag:[\\w+/]{4,256}',
  'a=ice-pwd:[\\w+/]{22,256}',
  'a=ice-options:trickle',
  'a=fingerprint:sha-256 (?:[\\dA-F]{2}:){31}[\\dA-F]{2}',
];
const OF_EACH = [
  ...KEYS,
  `c=${ADDRESS}`,
  `a=rtcp:\\d{1,5} ${ADDRESS}`,
  'a=setup:(?:actpass|active|passive)',
  'a=mid:[012]',
  `a=extmap:${FORMAT} (?:${EXTENSIONS.join('|')})`,
  'a=sendrecv',
  'a=rtcp-mux',
  `a=msid:${NAME} ${NAME}`,
  `a=ssrc:${SOURCE} cname:${NAME}`,
  `a=ssrc:${SOURCE} msid:${NAME} ${NAME}`,
];
const oneOf = (...forms: readonly string[]): RegExp => new RegExp(`^(?:${forms.join('|')})$`);
const HEAD = oneOf(
  ...KEYS,
  'v=0',
  `o=- \\d{1,20} \\d{1,10} ${ADDRESS}`,
  's=-',
  't=0 0',
  'a=group:BUNDLE 0 1 2',
  'a=extmap-allow-mixed',
  'a=msid-semantic: WMS',
);
const FORMS: Readonly<Record<(typeof MEDIA)[number], RegExp>> = {
  audio: oneOf(
    ...OF_EACH,
    `a=rtpmap:${FORMAT} opus/48000/2`,
    `a=rtcp-fb:${FORMAT} transport-cc`,
    `a=fmtp:${FORMAT} ${PARAMETER}(?:;${PARAMETER}){0,7}`,
    'a=(?:max)?ptime:\\d{1,3}',
  ),
  video: oneOf(
    ...OF_EACH,
    'a=rtcp-rsize',
    `a=rtpmap:${FORMAT} (?:VP8|rtx)/90000`,
    `a=rtcp-fb:${FORMAT} (?:goog-remb|transport-cc|ccm fir|nack|nack pli)`,
    `a=fmtp:${FORMAT} apt=${FORMAT}`,
    `a=ssrc-group:FID ${SOURCE} ${SOURCE}`,
  ),
};
/** What a medium may have several of. */
const SEVERAL = /^a=(?:extmap|rtpmap|rtcp-fb|fmtp|ssrc):/;
/** What is sent, and what of it is sent again. */
const MOST_SOURCES = 2;

/**
 * Checks a description of another peer and writes limits into it. Its candidates and its own limits
 * are left out: candidates come one by one.
 * @throws BAD_MESSAGE for anything that our own library would not have made
 */
export function admit(description: string, limits: Limits): string {
  if (description.length > MAX_DESCRIPTION) throw bad('it is too long');
  const lines = description.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  if (lines.length > MAX_LINES) throw bad('it has too many lines');
  if (!lines.every((line) => line.length <= MAX_LINE && LINE.test(line))) throw bad('of a line');
  const known = withoutCandidates(lines);
  const starts = known.flatMap((line, at) => (line.startsWith('m=') ? [at] : []));
  const head = known.slice(0, starts[0]);
  const media = starts.map((start, at) => known.slice(start, starts[at + 1]));
  if (media.length !== MEDIA.length) throw bad('of the number of media');
  for (const [at, medium] of media.entries()) {
    if (MEDIUM.exec(medium[0]!)?.[1] !== MEDIA[at]) throw bad('of a medium');
    const names = medium.filter((line) => line.startsWith('a=mid:'));
    if (names.length !== 1 || names[0] !== `a=mid:${at}`) throw bad('of the name of a medium');
    const has = (what: string): boolean => [...head, ...medium].some((one) => one.startsWith(what));
    if (!['a=fingerprint:sha-256 ', 'a=ice-ufrag:', 'a=ice-pwd:'].every(has))
      throw bad('something is missing');
    checkMedium(MEDIA[at]!, medium);
  }
  if (!head.every((line) => HEAD.test(line))) throw bad('of a line that no call needs');
  const [sound, camera, screen] = media;
  return [
    ...head,
    ...withSound(sound!, limits.sound),
    ...withLimit(camera!, limits.all),
    ...withLimit(screen!, limits.all),
    '',
  ].join('\r\n');
}

/** @throws BAD_MESSAGE for what our own library would not have written there */
function checkMedium(kind: (typeof MEDIA)[number], [head = '', ...lines]: readonly string[]): void {
  if (!lines.every((line) => FORMS[kind].test(line))) throw bad('of a line that no call needs');
  const single = lines.filter((line) => !SEVERAL.test(line));
  const names = new Set(single.map((line) => /^(?:a=[a-z-]+|.)/.exec(line)?.[0]));
  if (names.size < single.length) throw bad('something is there twice');
  const [, , , ...formats] = head.split(' ');
  const codecs = numbersOf('a=rtpmap:', lines);
  // A number alone may stand for a codec that everybody knows.
  if (!formats.every((format) => codecs.has(format))) throw bad('of a format');
  if (numbersOf('a=ssrc:', lines).size > MOST_SOURCES) throw bad('it has too many sources');
}

/** The numbers that stand behind that, in some line. */
function numbersOf(what: string, lines: readonly string[]): Set<string> {
  const behind = lines.flatMap((line) => (line.startsWith(what) ? [line.slice(what.length)] : []));
  return new Set(behind.map((text) => /^\d*/.exec(text)![0]));
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
  const packet = soundPacketMs(bits);
  const isLong = packet !== USUAL_PACKET_MS;
  const medium = lines.filter(
    (line) => !/^a=(?:max)?ptime:/.test(line) && !(isLong && ARRIVALS.test(line)),
  );
  if (isLong) medium.push(`a=ptime:${packet}`);
  const rate = `maxaveragebitrate=${Math.round(bits)}`;
  return medium.map((line) => {
    const [, format, written = ''] = /^(a=fmtp:\d+) (.*)$/.exec(line) ?? [];
    if (format === undefined) return line;
    const others = written.split(';').filter((one) => !one.startsWith('maxaveragebitrate='));
    return `${format} ${[...others, rate].join(';')}`;
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

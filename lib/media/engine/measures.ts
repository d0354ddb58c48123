/** How a connection goes, out of the statistics of the WebRTC library (W3C webrtc-stats). */

/** Of pictures or sound that go out, counted since the connection began. */
export interface Outgoing {
  readonly bytes: number;
  readonly packets: number;
  /** Pictures only. */
  readonly frames: number;
}

/** Of pictures or sound that come in, counted since the connection began. */
export interface Incoming {
  readonly bytes: number;
  readonly packets: number;
  readonly lost: number;
  /** In seconds. */
  readonly jitter: number;
  /** Pictures only. */
  readonly framesDecoded: number;
}

export interface Measures {
  /** How it runs; undefined until it does. */
  readonly path: 'direct' | 'relayed' | undefined;
  /** In seconds; undefined until it was measured. */
  readonly roundTrip: number | undefined;
  /** Bits a second that the network is thought to carry; undefined until it was measured. */
  readonly available: number | undefined;
  /** Packets of all that was sent, as far as the other side has told of them. */
  readonly lost: number;
  /** Bytes on the network, headers included. */
  readonly sent: number;
  readonly received: number;
  readonly out: Readonly<Record<'sound' | 'camera' | 'screen', Outgoing>>;
  readonly in: Readonly<Record<'sound' | 'camera' | 'screen', Incoming>>;
}

/** Over how many measures it is told what part is lost. */
const MEASURES = 6;

/**
 * What part of all that is sent is lost lately. Of one in twenty, chance has two in fifteen of one
 * second, which would be taken for a network that is full.
 */
export class Loss {
  readonly #counts: { readonly packets: number; readonly lost: number }[] = [];

  /** @returns from 0 to 1. @param measures the next ones of the same connection */
  note({ out, lost }: Pick<Measures, 'out' | 'lost'>): number {
    const packets = out.sound.packets + out.camera.packets + out.screen.packets;
    this.#counts.push({ packets, lost });
    if (this.#counts.length > MEASURES + 1) this.#counts.shift();
    const first = this.#counts[0]!;
    // What is told of may have been sent before the first of them.
    const sent = Math.max(1, packets - first.packets);
    return Math.min(1, Math.max(0, lost - first.lost) / sent);
  }
}

type Report = Readonly<Record<string, unknown>>;

const BY_MID = { '0': 'sound', '1': 'camera', '2': 'screen' } as const;
type Mid = keyof typeof BY_MID;

const NOTHING_OUT: Outgoing = { bytes: 0, packets: 0, frames: 0 };
const NOTHING_IN: Incoming = { bytes: 0, packets: 0, lost: 0, jitter: 0, framesDecoded: 0 };

const isMid = (mid: unknown): mid is Mid => typeof mid === 'string' && Object.hasOwn(BY_MID, mid);
const number = (value: unknown): number => (typeof value === 'number' ? value : 0);
const maybe = (value: unknown): number | undefined =>
  typeof value === 'number' ? value : undefined;

export function measure(reports: ReadonlyMap<string, Report>): Measures {
  const out = { sound: NOTHING_OUT, camera: NOTHING_OUT, screen: NOTHING_OUT };
  const into = { sound: NOTHING_IN, camera: NOTHING_IN, screen: NOTHING_IN };
  let transport: Report | undefined;
  let lost = 0;
  for (const report of reports.values()) {
    const { mid } = report;
    if (report['type'] === 'transport') transport = report;
    if (report['type'] === 'remote-inbound-rtp') lost += Math.max(0, number(report['packetsLost']));
    if (!isMid(mid)) continue;
    if (report['type'] === 'outbound-rtp') out[BY_MID[mid]] = outgoing(report);
    if (report['type'] === 'inbound-rtp') into[BY_MID[mid]] = incoming(report);
  }
  const pair = reports.get(String(transport?.['selectedCandidatePairId']));
  const ends = ['localCandidateId', 'remoteCandidateId'].map(
    (end) => reports.get(String(pair?.[end]))?.['candidateType'],
  );
  return {
    path: pair === undefined ? undefined : ends.includes('relay') ? 'relayed' : 'direct',
    roundTrip: maybe(pair?.['currentRoundTripTime']),
    available: maybe(pair?.['availableOutgoingBitrate']),
    lost,
    sent: number(transport?.['bytesSent']),
    received: number(transport?.['bytesReceived']),
    out,
    in: into,
  };
}

function outgoing(report: Report): Outgoing {
  return {
    bytes: number(report['bytesSent']) + number(report['headerBytesSent']),
    packets: number(report['packetsSent']),
    frames: number(report['framesEncoded']),
  };
}

function incoming(report: Report): Incoming {
  return {
    bytes: number(report['bytesReceived']) + number(report['headerBytesReceived']),
    packets: number(report['packetsReceived']),
    lost: Math.max(0, number(report['packetsLost'])),
    jitter: number(report['jitter']),
    framesDecoded: number(report['framesDecoded']),
  };
}

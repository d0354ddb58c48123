/**
 * Pictures and sound as they are handed to ffmpeg: Matroska (RFC 9559), with nothing compressed. Unlike
 * bare pictures and samples it says when each is, so that some may be missing.
 */
import { SAMPLE_RATE, type PictureSize } from '../frames.ts';

export const PICTURE_TRACK = 1;
export const SOUND_TRACK = 2;

const ID = {
  ebml: 0x1a45dfa3,
  documentType: 0x4282,
  documentTypeVersion: 0x4287,
  documentTypeReadVersion: 0x4285,
  segment: 0x18538067,
  information: 0x1549a966,
  timestampScale: 0x2ad7b1,
  muxingApplication: 0x4d80,
  writingApplication: 0x5741,
  tracks: 0x1654ae6b,
  track: 0xae,
  trackNumber: 0xd7,
  trackIdentifier: 0x73c5,
  trackType: 0x83,
  codec: 0x86,
  video: 0xe0,
  pixelWidth: 0xb0,
  pixelHeight: 0xba,
  colourSpace: 0x2eb524,
  audio: 0xe1,
  samplingFrequency: 0xb5,
  channels: 0x9f,
  bitDepth: 0x6264,
  cluster: 0x1f43b675,
  timestamp: 0xe7,
  simpleBlock: 0xa3,
} as const;

const NANOSECONDS_PER_MILLISECOND = 1_000_000;
const NAME = 'clchat';
/** A length that says it is not known, so that what follows has no end. */
const ENDLESS = Buffer.from('01ffffffffffffff', 'hex');

/** The bytes of a number, as few as there can be. */
function unsigned(value: number): Buffer {
  const digits = value.toString(16);
  return Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex');
}

/** A length, always in eight bytes. */
function lengthOf(bytes: number): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64BE(BigInt(bytes));
  length[0] = 0x01;
  return length;
}

type Content = number | string | readonly Uint8Array[];

function bytesOf(content: Content): Buffer {
  if (typeof content === 'number') return unsigned(content);
  return typeof content === 'string' ? Buffer.from(content, 'latin1') : Buffer.concat(content);
}

function element(id: number, content: Content): Buffer {
  const bytes = bytesOf(content);
  return Buffer.concat([unsigned(id), lengthOf(bytes.length), bytes]);
}

/** All that comes before the first picture. */
export function matroskaHead({ width, height }: Pick<PictureSize, 'width' | 'height'>): Uint8Array {
  const rate = Buffer.alloc(8);
  rate.writeDoubleBE(SAMPLE_RATE);
  const track = (number: number, type: number, codec: string, more: Buffer): Buffer =>
    element(ID.track, [
      element(ID.trackNumber, number),
      element(ID.trackIdentifier, number),
      element(ID.trackType, type),
      element(ID.codec, codec),
      more,
    ]);
  const video = element(ID.video, [
    element(ID.pixelWidth, width),
    element(ID.pixelHeight, height),
    element(ID.colourSpace, 'I420'),
  ]);
  const audio = element(ID.audio, [
    element(ID.samplingFrequency, [rate]),
    element(ID.channels, 1),
    element(ID.bitDepth, 16),
  ]);
  return Buffer.concat([
    element(ID.ebml, [
      element(ID.documentType, 'matroska'),
      element(ID.documentTypeVersion, 4),
      element(ID.documentTypeReadVersion, 2),
    ]),
    unsigned(ID.segment),
    ENDLESS,
    element(ID.information, [
      element(ID.timestampScale, NANOSECONDS_PER_MILLISECOND),
      element(ID.muxingApplication, NAME),
      element(ID.writingApplication, NAME),
    ]),
    element(ID.tracks, [
      track(PICTURE_TRACK, 1, 'V_UNCOMPRESSED', video),
      track(SOUND_TRACK, 2, 'A_PCM/INT/LIT', audio),
    ]),
  ]);
}

/**
 * What comes before the bytes of one picture or sound.
 * @param time since the beginning, in milliseconds
 * @param length of those bytes
 */
export function matroskaBlockHead(track: number, time: number, length: number): Uint8Array {
  const timestamp = element(ID.timestamp, Math.max(0, Math.round(time)));
  // The track as a length is written, its time from that of the cluster on, and that it is a key frame.
  const inBlock = Buffer.from([0x80 | track, 0, 0, 0x80]);
  const block = [unsigned(ID.simpleBlock), lengthOf(inBlock.length + length), inBlock];
  const blockHead = Buffer.concat(block);
  const cluster = lengthOf(timestamp.length + blockHead.length + length);
  return Buffer.concat([unsigned(ID.cluster), cluster, timestamp, blockHead]);
}

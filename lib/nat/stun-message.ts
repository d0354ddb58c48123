/**
 * Messages of STUN (RFC 8489), as far as learning as whom one is seen needs them: Binding requests and
 * what is answered to them.
 */
import { isIPv4 } from 'node:net';
import { crc32 } from 'node:zlib';
import { ipFromBytes, ipToBytes } from '../ip-bytes.ts';

export interface StunAddress {
  readonly ip: string;
  readonly port: number;
}

export type StunMessage = {
  /** `TRANSACTION_BYTES`, the same in a request and its answer. */
  readonly transaction: Uint8Array;
  /** It ends with a checksum. */
  readonly hasFingerprint: boolean;
  /** The types of those of its attributes that would have to be understood and are not. */
  readonly unknown: readonly number[];
} & (
  | { readonly kind: 'request' }
  /** As whom the sender of the request was seen. */
  | { readonly kind: 'success'; readonly seen: StunAddress }
  /** With a number as of HTTP. */
  | { readonly kind: 'failure'; readonly code: number }
);

export const TRANSACTION_BYTES = 12;
/** Longer ones are not looked at: no request needs to be cut into several packets. */
export const MAX_STUN_BYTES = 1_280;

const TYPES = { request: 0x0001, success: 0x0101, failure: 0x0111 } as const;
const COOKIE = Buffer.from('2112a442', 'hex');
const HEADER = 20;
const [COOKIE_AT, TRANSACTION_AT] = [4, 8];

const ATTRIBUTE = {
  errorCode: 0x0009,
  unknownAttributes: 0x000a,
  xorMappedAddress: 0x0020,
  software: 0x8022,
  fingerprint: 0x8028,
} as const;
/** Types from here on may be passed over. */
const FIRST_OPTIONAL = 0x8000;
/**
 * Those below that RFC 8489 itself has. What they say of a sender's password is passed over, as no
 * server that answers everybody looks at it.
 */
const UNDERSTOOD: readonly number[] = [
  0x0001, 0x0006, 0x0008, 0x0009, 0x000a, 0x0014, 0x0015, 0x001c, 0x001d, 0x001e, 0x0020,
];
const FINGERPRINT_MASK = 0x5354554e;
const FINGERPRINT_BYTES = 8;
const FAMILIES = { 4: 1, 6: 2 } as const;
/** What stands beside every answer. It says nothing of the version. */
const SOFTWARE = Buffer.from('clchat');
const UNKNOWN_ATTRIBUTE = 420;

export function encodeRequest(transaction: Uint8Array): Uint8Array {
  return encode('request', transaction, [], true);
}

/** @param answered the request that it is the answer to */
export function encodeSuccess(answered: StunMessage, seen: StunAddress): Uint8Array {
  return answer('success', answered, [
    [ATTRIBUTE.xorMappedAddress, addressBytes(seen, answered.transaction)],
  ]);
}

/** The answer to a request with attributes that are not understood. */
export function encodeUnknown(answered: StunMessage): Uint8Array {
  const types = Buffer.alloc(2 * answered.unknown.length);
  for (const [index, type] of answered.unknown.entries()) types.writeUInt16BE(type, 2 * index);
  const code = Buffer.from([0, 0, Math.floor(UNKNOWN_ATTRIBUTE / 100), UNKNOWN_ATTRIBUTE % 100]);
  return answer('failure', answered, [
    [ATTRIBUTE.errorCode, Buffer.concat([code, Buffer.from('Unknown Attribute')])],
    [ATTRIBUTE.unknownAttributes, types],
  ]);
}

type Written = readonly [type: number, value: Uint8Array];

function answer(
  kind: 'success' | 'failure',
  { transaction, hasFingerprint }: StunMessage,
  attributes: readonly Written[],
): Uint8Array {
  const all = [...attributes, [ATTRIBUTE.software, SOFTWARE] as const];
  return encode(kind, transaction, all, hasFingerprint);
}

function encode(
  kind: StunMessage['kind'],
  transaction: Uint8Array,
  attributes: readonly Written[],
  hasFingerprint: boolean,
): Uint8Array {
  const body = Buffer.concat(attributes.map(([type, value]) => attributeBytes(type, value)));
  const head = Buffer.alloc(HEADER);
  head.writeUInt16BE(TYPES[kind], 0);
  head.writeUInt16BE(body.length + (hasFingerprint ? FINGERPRINT_BYTES : 0), 2);
  head.set(COOKIE, COOKIE_AT);
  head.set(transaction, TRANSACTION_AT);
  const message = Buffer.concat([head, body]);
  if (!hasFingerprint) return message;
  const checksum = attributeBytes(ATTRIBUTE.fingerprint, fingerprintOf(message));
  return Buffer.concat([message, checksum]);
}

function attributeBytes(type: number, value: Uint8Array): Buffer {
  const bytes = Buffer.alloc(4 + padded(value.length));
  bytes.writeUInt16BE(type, 0);
  bytes.writeUInt16BE(value.length, 2);
  bytes.set(value, 4);
  return bytes;
}

const padded = (length: number): number => Math.ceil(length / 4) * 4;

/** @param message all that comes before the checksum */
function fingerprintOf(message: Uint8Array): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE((crc32(message) ^ FINGERPRINT_MASK) >>> 0);
  return bytes;
}

/** The mask keeps careless routers from rewriting the address. */
function addressBytes({ ip, port }: StunAddress, transaction: Uint8Array): Uint8Array {
  const head = Buffer.alloc(4);
  head.writeUInt8(FAMILIES[isIPv4(ip) ? 4 : 6], 1);
  head.writeUInt16BE(port ^ COOKIE.readUInt16BE(0), 2);
  return Buffer.concat([head, masked(ipToBytes(ip), transaction)]);
}

function masked(ip: Uint8Array, transaction: Uint8Array): Uint8Array {
  const mask = Buffer.concat([COOKIE, transaction]);
  return ip.map((byte, index) => byte ^ mask[index]!);
}

interface Attribute {
  readonly type: number;
  readonly value: Buffer;
  /** Where it begins. */
  readonly at: number;
}

/** @returns undefined for what is no Binding request nor an answer to one, or is damaged */
export function decodeStun(message: Uint8Array): StunMessage | undefined {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.length);
  if (bytes.length < HEADER || bytes.length > MAX_STUN_BYTES) return undefined;
  const type = bytes.readUInt16BE(0);
  const kind = (['request', 'success', 'failure'] as const).find((one) => TYPES[one] === type);
  const isWhole = bytes.length % 4 === 0 && bytes.readUInt16BE(2) === bytes.length - HEADER;
  if (kind === undefined || !isWhole) return undefined;
  if (!bytes.subarray(COOKIE_AT, TRANSACTION_AT).equals(COOKIE)) return undefined;
  const attributes = attributesIn(bytes);
  if (attributes === undefined || !isSound(bytes, attributes)) return undefined;

  const valueOf = (wanted: number): Buffer | undefined =>
    attributes.find((one) => one.type === wanted)?.value;
  const transaction = Uint8Array.from(bytes.subarray(TRANSACTION_AT, HEADER));
  const common = {
    transaction,
    hasFingerprint: valueOf(ATTRIBUTE.fingerprint) !== undefined,
    unknown: [...new Set(attributes.map((one) => one.type))].filter(
      (one) => one < FIRST_OPTIONAL && !UNDERSTOOD.includes(one),
    ),
  };
  if (kind === 'request') return { kind, ...common };
  if (kind === 'success') {
    const seen = addressIn(valueOf(ATTRIBUTE.xorMappedAddress), transaction);
    return seen && { kind, seen, ...common };
  }
  const code = codeIn(valueOf(ATTRIBUTE.errorCode));
  return code === undefined ? undefined : { kind, code, ...common };
}

/** @returns undefined where they do not fill the message exactly */
function attributesIn(bytes: Buffer): Attribute[] | undefined {
  const attributes: Attribute[] = [];
  for (let at = HEADER; at < bytes.length;) {
    const start = at + 4;
    const end = start + bytes.readUInt16BE(at + 2);
    if (end > bytes.length) return undefined;
    attributes.push({ type: bytes.readUInt16BE(at), value: bytes.subarray(start, end), at });
    at = start + padded(end - start);
  }
  return attributes;
}

/** Whether the checksum, where there is one, is at the end and right. */
function isSound(bytes: Buffer, attributes: readonly Attribute[]): boolean {
  const index = attributes.findIndex(({ type }) => type === ATTRIBUTE.fingerprint);
  const checksum = attributes[index];
  if (checksum === undefined) return true;
  const isLast = index === attributes.length - 1;
  return isLast && fingerprintOf(bytes.subarray(0, checksum.at)).equals(checksum.value);
}

function addressIn(value: Buffer | undefined, transaction: Uint8Array): StunAddress | undefined {
  const length = value?.[1] === FAMILIES[4] ? 8 : value?.[1] === FAMILIES[6] ? 20 : undefined;
  if (value === undefined || value.length !== length) return undefined;
  return {
    ip: ipFromBytes(masked(Uint8Array.from(value.subarray(4)), transaction)),
    port: value.readUInt16BE(2) ^ COOKIE.readUInt16BE(0),
  };
}

function codeIn(value: Buffer | undefined): number | undefined {
  if (value === undefined || value.length < 4) return undefined;
  const [hundreds, rest] = [value.readUInt8(2) & 7, value.readUInt8(3)];
  return hundreds < 3 || hundreds > 6 || rest > 99 ? undefined : 100 * hundreds + rest;
}

/**
 * Invite links: the identity of a server and where it may be reached, in one word that can be sent,
 * read out as a QR code, and given to `clchat -c`.
 *
 *   clchat:<base64url of [version, key, [type, IP, port]…, checksum]>
 *
 * The checksum is against accidents (a link cut short); against fraud the key stands by itself.
 */
import { concat, equal, fromHex, sha256, toHex, utf8 } from '../crdt/bytes.ts';
import type { PublicKey } from '../crdt/keys.ts';
import { ClchatError } from '../errors.ts';
import { formatEndpoint, parseEndpoint, type Endpoint } from '../interfaces.ts';
import { ipFromBytes, ipToBytes } from '../ip-bytes.ts';

export interface InviteLink {
  /** The server's. */
  readonly key: PublicKey;
  /** `IP:PORT` each, the likeliest first; at most `MAX_ADDRESSES`. */
  readonly addresses: readonly string[];
}

const SCHEME = 'clchat:';
const VERSION = 1;
const KEY_BYTES = 32;
const CHECKSUM_BYTES = 4;
/** Most addresses in a link: more would make its QR code larger than a terminal. */
export const MAX_ADDRESSES = 8;
/** Bytes of an address by its family: type, IP and port. */
const ADDRESS_BYTES = { 4: 1 + 4 + 2, 6: 1 + 16 + 2 } as const;
const MAX_LINK_BYTES = 1 + KEY_BYTES + MAX_ADDRESSES * ADDRESS_BYTES[6] + CHECKSUM_BYTES;

/** Whether a text is meant to be a link, sound or not. */
export function isInviteLink(text: string): boolean {
  return text.trim().toLowerCase().startsWith(SCHEME);
}

export function formatInviteLink({ key, addresses }: InviteLink): string {
  const endpoints = addresses.slice(0, MAX_ADDRESSES).map((address) => parseEndpoint(address));
  const body = concat(Uint8Array.of(VERSION), fromHex(key), ...endpoints.map(addressBytes));
  return SCHEME + Buffer.from(concat(body, checksum(body))).toString('base64url');
}

/** @throws BAD_INVITE when it is cut short, altered, or of another version */
export function parseInviteLink(text: string): InviteLink {
  const written = text.trim();
  const encoded = written.slice(SCHEME.length);
  if (!isInviteLink(written) || !/^[\w-]+$/.test(encoded)) throw damaged();
  const bytes = Uint8Array.from(Buffer.from(encoded, 'base64url'));
  // One text for each link: what the last character says beyond the last byte is nothing.
  if (Buffer.from(bytes).toString('base64url') !== encoded) throw damaged();
  if (bytes.length < 1 + KEY_BYTES + CHECKSUM_BYTES || bytes.length > MAX_LINK_BYTES)
    throw damaged();
  const body = bytes.subarray(0, -CHECKSUM_BYTES);
  if (!equal(checksum(body), bytes.subarray(-CHECKSUM_BYTES))) throw damaged();
  if (body[0] !== VERSION)
    throw new ClchatError('BAD_INVITE', 'That invite link is of another version of clchat.');
  const key = toHex(body.subarray(1, 1 + KEY_BYTES)) as PublicKey;
  const addresses: string[] = [];
  for (let at = 1 + KEY_BYTES; at < body.length;) {
    const family = body[at];
    if (family !== 4 && family !== 6) throw damaged();
    const end = at + ADDRESS_BYTES[family];
    if (end > body.length || addresses.length === MAX_ADDRESSES) throw damaged();
    const port = (body[end - 2]! << 8) | body[end - 1]!;
    if (port === 0) throw damaged();
    addresses.push(formatEndpoint({ ip: ipFromBytes(body.subarray(at + 1, end - 2)), port }));
    at = end;
  }
  return { key, addresses };
}

function damaged(): ClchatError {
  return new ClchatError('BAD_INVITE');
}

function checksum(body: Uint8Array): Uint8Array {
  return sha256(utf8('clchat invite v1\0'), body).subarray(0, CHECKSUM_BYTES);
}

function addressBytes({ ip, family, port }: Endpoint): Uint8Array {
  return Uint8Array.of(family, ...ipToBytes(ip), port >> 8, port & 255);
}

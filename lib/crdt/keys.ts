/**
 * Keys of devices, accounts and servers. Signing is node's native Ed25519; boxing of keys and small
 * secrets is tweetnacl's X25519.
 */
import {
  createPrivateKey,
  createPublicKey,
  sign as nodeSign,
  verify as nodeVerify,
  type KeyObject,
} from 'node:crypto';
import nacl from 'tweetnacl';
import { concat, fromHex, joined, sha256, toHex, utf8 } from './bytes.ts';
import { ClchatError } from '../errors.ts';

declare const brand: unique symbol;
type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** A raw Ed25519 public key (32 bytes) as 64 hexadecimal digits: the id of a device or a server. */
export type PublicKey = Brand<string, 'PublicKey'>;
/** Id of an entry: SHA-256 of its header as 64 hexadecimal digits. */
export type EntryId = Brand<string, 'EntryId'>;
/** Id of an account: the first 32 hexadecimal digits of the id of the entry that made it. */
export type AccountId = Brand<string, 'AccountId'>;
/** Id of a room: as that of an account, or `lobby`. */
export type RoomId = Brand<string, 'RoomId'>;

/** Handed in, so that tests own it. `crypto.randomBytes` in the product. */
export type RandomBytes = (length: number) => Uint8Array;

const PKCS8_ED25519 = fromHex('302e020100300506032b657004220420');

const HEX_KEY = /^[0-9a-f]{64}$/;

export function isPublicKey(value: unknown): value is PublicKey {
  return typeof value === 'string' && HEX_KEY.test(value);
}

/**
 * Parsed keys cost 8 µs each to make; a server sees the same few thousand again and again. As a JWK:
 * from DER it is ten times as much, for OpenSSL looks for a decoder anew each time.
 */
const parsed = new Map<PublicKey, KeyObject>();
const PARSED_LIMIT = 8192;

/**
 * Points of small order, to which a signature may fit that nobody has made. What is accepted of them
 * and of other ways to write a point differs between implementations, and none of it is needed.
 */
const SMALL_ORDER: readonly string[] = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
].flatMap((y) => [y, y.slice(0, -2) + (parseInt(y.slice(-2), 16) | 0x80).toString(16)]);
const SMALL_ORDER_FIRST = new Set(SMALL_ORDER.map((point) => parseInt(point.slice(0, 2), 16)));
/** 2²⁵⁵ − 19 and above are written in another way, too. */
const NOT_CANONICAL = /^(?:e[def]|f.)(?:ff){30}[7f]f$/;

/** Whether the first half of a signature is a point of small order. */
function isSmallOrder(signature: Uint8Array): boolean {
  return (
    SMALL_ORDER_FIRST.has(signature[0]!) && SMALL_ORDER.includes(toHex(signature.subarray(0, 32)))
  );
}

/** @throws where a key is no point on the curve, or one that is not accepted */
function parseKey(key: PublicKey): KeyObject {
  let object = parsed.get(key);
  if (object === undefined) {
    if (SMALL_ORDER.includes(key) || NOT_CANONICAL.test(key)) throw new ClchatError('BAD_ENTRY');
    const x = Buffer.from(key, 'hex').toString('base64url');
    object = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    if (parsed.size >= PARSED_LIMIT) parsed.clear();
    parsed.set(key, object);
  }
  return object;
}

/** Tags with the zero that ends them; there are few. */
const tags = new Map<string, Uint8Array>();

function tagBytes(tag: string): Uint8Array {
  let bytes = tags.get(tag);
  if (bytes === undefined) tags.set(tag, (bytes = utf8(`${tag}\0`)));
  return bytes;
}

/** Bytes are always signed under a tag that says what they are, so that none passes for another. */
export function tagged(tag: string, bytes: Uint8Array): Uint8Array {
  return joined(tagBytes(tag), bytes);
}

/** An Ed25519 key pair: a device's, a server's or an account's. */
export class SigningKey {
  readonly public: PublicKey;
  /** 32 bytes, secret. */
  readonly seed: Uint8Array;
  readonly #key: KeyObject;

  constructor(seed: Uint8Array) {
    if (seed.length !== 32) throw new ClchatError('DATA_CORRUPT', 'a signing key has 32 bytes');
    this.seed = seed;
    this.#key = createPrivateKey({
      key: Buffer.from(concat(PKCS8_ED25519, seed)),
      format: 'der',
      type: 'pkcs8',
    });
    const { x = '' } = createPublicKey(this.#key).export({ format: 'jwk' });
    this.public = Buffer.from(x, 'base64url').toString('hex') as PublicKey;
  }

  /** @returns 64 bytes */
  sign(tag: string, bytes: Uint8Array): Uint8Array {
    return nodeSign(null, tagged(tag, bytes), this.#key);
  }
}

/** What `verify` is asked. */
export type Signed = [key: PublicKey, tag: string, bytes: Uint8Array, signature: Uint8Array];

/** Whether all signatures are valid, found out on another thread where they are many. Never rejects. */
export type VerifyAll = (signed: readonly Signed[]) => Promise<boolean>;

/**
 * Whether a signature is valid. Stricter than RFC 8032 in what points it accepts, so that whatever
 * passes here is valid to every implementation. Never throws: a malformed key is just not valid.
 */
export function verify(
  key: PublicKey,
  tag: string,
  bytes: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (signature.length !== 64 || isSmallOrder(signature)) return false;
  try {
    return nodeVerify(null, tagged(tag, bytes), parseKey(key), signature);
  } catch {
    // A key that is no point on the curve: from outside, so a verdict and not a fault.
    return false;
  }
}

/** An X25519 key pair that receives wrapped secrets. */
export class SealingKey {
  readonly public: Uint8Array;
  readonly secret: Uint8Array;

  constructor(secret: Uint8Array) {
    const pair = nacl.box.keyPair.fromSecretKey(secret);
    this.public = pair.publicKey;
    this.secret = pair.secretKey;
  }

  /** Opens what `sealTo` made for this key; undefined when it was not, or was altered. */
  open(box: Uint8Array): Uint8Array | undefined {
    if (box.length < 48) return undefined;
    const sender = box.subarray(0, 32);
    const nonce = boxNonce(sender, this.public);
    return nacl.box.open(box.subarray(32), nonce, sender, this.secret) ?? undefined;
  }
}

function boxNonce(sender: Uint8Array, recipient: Uint8Array): Uint8Array {
  return sha256(concat(utf8('clchat box nonce v1\0'), sender, recipient)).subarray(0, 24);
}

/**
 * Seals a small secret to a public X25519 key under a fresh key of its own (so the nonce, made of
 * both public keys, never repeats).
 * @returns 32 bytes of ephemeral key, then the box: 48 bytes more than the secret
 */
export function sealTo(recipient: Uint8Array, secret: Uint8Array, random: RandomBytes): Uint8Array {
  const ephemeral = nacl.box.keyPair.fromSecretKey(Uint8Array.from(random(32)));
  const nonce = boxNonce(ephemeral.publicKey, recipient);
  return concat(ephemeral.publicKey, nacl.box(secret, nonce, recipient, ephemeral.secretKey));
}

/** Seals a secret under a 32-byte symmetric key (XSalsa20-Poly1305): 40 bytes more than the secret. */
export function sealWith(key: Uint8Array, secret: Uint8Array, random: RandomBytes): Uint8Array {
  const nonce = Uint8Array.from(random(24));
  return concat(nonce, nacl.secretbox(secret, nonce, key));
}

/** Opens what `sealWith` made; undefined under another key or when altered. */
export function openWith(key: Uint8Array, box: Uint8Array): Uint8Array | undefined {
  if (box.length < 40) return undefined;
  return nacl.secretbox.open(box.subarray(24), box.subarray(0, 24), key) ?? undefined;
}

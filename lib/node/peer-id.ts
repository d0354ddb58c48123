/** The readable form of a key: libp2p's peer id (`12D3Koo…`), the base58 of an identity multihash. */
import { concat, fromHex, toHex } from '../crdt/bytes.ts';
import type { PublicKey } from '../crdt/keys.ts';

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
/** Identity multihash of 36 bytes: a protobuf with key type 1 (Ed25519) and 32 bytes of key. */
const PREFIX = fromHex('002408011220');
const PEER_ID = new RegExp(`^12D3KooW[${ALPHABET}]{44}$`);

export function peerIdOf(key: PublicKey): string {
  let value = BigInt(`0x${toHex(concat(PREFIX, fromHex(key)))}`);
  let text = '';
  for (; value > 0n; value /= 58n) text = ALPHABET.charAt(Number(value % 58n)) + text;
  // Leading zero bytes, of which the prefix has exactly one, are ones.
  return `1${text}`;
}

/** The key of a peer id; undefined for what is not the id of an Ed25519 key. */
export function keyOfPeerId(text: string): PublicKey | undefined {
  if (!PEER_ID.test(text)) return undefined;
  let value = 0n;
  for (const digit of text) value = value * 58n + BigInt(ALPHABET.indexOf(digit));
  const hex = value.toString(16).padStart(2 * (PREFIX.length + 32), '0');
  const key = hex.slice(2 * PREFIX.length) as PublicKey;
  return hex.startsWith(toHex(PREFIX)) && peerIdOf(key) === text ? key : undefined;
}

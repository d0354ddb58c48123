/** IP addresses as the bytes that go over a wire. */
import { isIPv4, isIPv6, SocketAddress } from 'node:net';

/**
 * @param ip one that `net.isIP` takes; the zone of one of IPv6 is left out
 * @returns 4 or 16 bytes
 */
export function ipToBytes(ip: string): Uint8Array {
  if (isIPv4(ip)) return Uint8Array.from(ip.split('.').map(Number));
  const [address = ''] = ip.split('%');
  const [head = '', tail = ''] = address.split('::');
  const [before, after] = [groupBytes(head), groupBytes(tail)];
  const bytes = new Uint8Array(16);
  bytes.set(before);
  bytes.set(after, bytes.length - after.length);
  return bytes;
}

function groupBytes(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    // The last 32 bits may be written as an address of IPv4.
    if (group.includes('.')) return group.split('.').map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 255];
  });
}

/**
 * @param bytes 4 or 16
 * @returns the address in its usual form
 */
export function ipFromBytes(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, n) =>
    ((bytes[2 * n]! << 8) | bytes[2 * n + 1]!).toString(16),
  );
  return new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address;
}

/** A host of IPv6 has all addresses that begin so, in bytes. */
const NETWORK6_BYTES = 8;
/** How an address of IPv4 begins that is written as one of IPv6, in bytes. */
const MAPPED = Buffer.from('00000000000000000000ffff', 'hex');

/** What tells the hosts apart that limits are for: an address of IPv4, a network of IPv6. */
export function networkOf(ip: string): string {
  if (!isIPv6(ip)) return ip;
  const bytes = Buffer.from(ipToBytes(ip));
  if (bytes.subarray(0, MAPPED.length).equals(MAPPED))
    return ipFromBytes(bytes.subarray(MAPPED.length));
  return bytes.subarray(0, NETWORK6_BYTES).toString('hex');
}

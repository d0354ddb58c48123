/** E-mail addresses: the one place that says which of them are taken. */
import { byteLength } from '../text.ts';

/** Longest address and longest part before the `@`, in bytes of UTF-8 (RFC 5321). */
const MAX_BYTES = 254;
const MAX_LOCAL_BYTES = 64;

/** Words of letters, digits and the signs that mean nothing in a header, joined by single dots. */
const LOCAL =
  /^[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+(?:\.[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+)*$/u;
/** Two labels at least; none begins or ends with a hyphen. */
const DOMAIN =
  /^[\p{L}\p{M}\p{N}](?:[\p{L}\p{M}\p{N}-]{0,61}[\p{L}\p{M}\p{N}])?(?:\.[\p{L}\p{M}\p{N}](?:[\p{L}\p{M}\p{N}-]{0,61}[\p{L}\p{M}\p{N}])?)+$/u;

/**
 * Whether a text is one e-mail address that mail can be sent to: `name@host.domain`, at most 254
 * bytes of UTF-8 in normal form. Quoted names, comments, lists and addresses of hosts by IP are not
 * taken, so that nothing that passes can mean more than one address in a header or an envelope.
 */
export function isEmail(text: string): boolean {
  if (text.length > MAX_BYTES || byteLength(text) > MAX_BYTES || text !== text.normalize('NFC'))
    return false;
  const at = text.indexOf('@');
  const local = text.slice(0, Math.max(at, 0));
  return (
    byteLength(local) <= MAX_LOCAL_BYTES && LOCAL.test(local) && DOMAIN.test(text.slice(at + 1))
  );
}

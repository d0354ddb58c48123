/**
 * The one place where text from others is made harmless for a terminal, and where names are
 * compared. Nothing a peer wrote is printed without having passed through here.
 */

/** Longest text of a message, in bytes of UTF-8. */
export const MAX_TEXT_BYTES = 16 * 1024;

/** C0 and C1 controls and DEL; the escape sequences they begin are removed whole first. */
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
/** CSI, OSC, DCS, SOS, PM, APC sequences and two-character escapes, in 7 and 8 bit forms. */
const SEQUENCES =
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]?|(?:\u001b[\]PX^_]|[\u009d\u0090\u0098\u009e\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?|\u001b[ -/]*[0-~]?/g;
/** Direction overrides, embeddings, isolates and marks, line and paragraph separators, the BOM. */
const DIRECTION = /[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;
/** Tags and other characters that draw nothing but may hide text. */
const INVISIBLE = /[\u{e0000}-\u{e007f}\ufff9-\ufffb]/gu;

/**
 * Text safe to print: no control or escape sequences, no direction overrides, well-formed. Tabs
 * become spaces; line feeds stay only with `multiline`, else become spaces.
 */
export function clean(text: string, options: { multiline?: boolean } = {}): string {
  const plain = text
    .toWellFormed()
    .replace(/\r\n?/g, '\n')
    .replace(SEQUENCES, '')
    .replace(CONTROLS, '')
    .replace(DIRECTION, '')
    .replace(INVISIBLE, '')
    .replaceAll('\t', ' ');
  return options.multiline === true ? plain : plain.replaceAll('\n', ' ');
}

/** Cleans every string inside plain data, keys included. */
export function cleanAll<T>(value: T): T {
  if (typeof value === 'string') return clean(value, { multiline: true }) as T;
  if (Array.isArray(value)) return value.map((item) => cleanAll<unknown>(item)) as T;
  if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array))
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [clean(key), cleanAll<unknown>(item)]),
    ) as T;
  return value;
}

const NAME = /^[^\s@#/:\p{C}\p{Zl}\p{Zp}]+$/u;

/** Whether a name of a user, room or server has the allowed form (SPEC: 1–32 printable characters). */
export function isName(name: string): boolean {
  const length = [...name].length;
  return (
    length >= 1 &&
    length <= 32 &&
    NAME.test(name) &&
    clean(name) === name &&
    name === name.normalize('NFC')
  );
}

/** What a name is compared by: NFC and full case folding, as far as JavaScript has it. */
export function fold(name: string): string {
  return name.normalize('NFC').toUpperCase().toLowerCase().normalize('NFC');
}

export function byteLength(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

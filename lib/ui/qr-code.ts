/** QR codes for a terminal. */
import { renderUnicodeCompact } from 'uqr';
import { paint, type Style } from './style.ts';

/** White on black whatever the colours of the terminal are: what is drawn is the light modules. */
const WHITE_ON_BLACK = '97;40';
/** Light modules around it: cameras do with half of what the standard asks for. */
const BORDER = 2;

/**
 * A text as a QR code of half blocks; undefined where it cannot be shown: without colours, or in
 * fewer columns than it needs.
 */
export function qrCode(
  text: string,
  style: Pick<Style, 'colours' | 'plain'>,
  columns: number,
): string | undefined {
  if (style.plain || !style.colours) return undefined;
  const lines = renderUnicodeCompact(text, { ecc: 'L', border: BORDER }).split('\n');
  if ((lines[0]?.length ?? 0) > columns) return undefined;
  return lines.map((line) => paint(line, WHITE_ON_BLACK, style)).join('\n');
}

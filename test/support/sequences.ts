/** What a terminal is sent, taken apart. */

export type Sequence =
  | { readonly kind: 'text'; readonly text: string }
  /** ESC [ … final */
  | { readonly kind: 'control'; readonly parameters: string; readonly final: string }
  /** ESC P … ESC \ and ESC _ … ESC \ */
  | { readonly kind: 'device' | 'application'; readonly text: string }
  /** ESC and a character */
  | { readonly kind: 'escape'; readonly final: string };

const PATTERN =
  /\u001b\[([0-?]*[ -/]*)([@-~])|\u001bP([^\u001b]*)\u001b\\|\u001b_([^\u001b]*)\u001b\\|\u001b([0-9A-OQ-WYZ=>])|([^\u001b]+)/gy;

/** @throws for what is no whole sequence */
export function sequencesOf(bytes: Uint8Array): Sequence[] {
  const text = Buffer.from(bytes).toString('utf8');
  const found: Sequence[] = [];
  PATTERN.lastIndex = 0;
  let end = 0;
  for (let match = PATTERN.exec(text); match !== null; match = PATTERN.exec(text)) {
    end = PATTERN.lastIndex;
    const [, parameters, final, device, application, escape, plain] = match;
    if (final !== undefined) found.push({ kind: 'control', parameters: parameters ?? '', final });
    else if (device !== undefined) found.push({ kind: 'device', text: device });
    else if (application !== undefined) found.push({ kind: 'application', text: application });
    else if (escape !== undefined) found.push({ kind: 'escape', final: escape });
    else if (plain !== undefined) found.push({ kind: 'text', text: plain });
  }
  if (end !== text.length)
    throw new Error(`no sequence: ${JSON.stringify(text.slice(end, end + 40))}`);
  return found;
}

/** The characters that are printed, without what moves and colours them. */
export function printed(bytes: Uint8Array): string {
  return sequencesOf(bytes)
    .map((sequence) => (sequence.kind === 'text' ? sequence.text : ''))
    .join('');
}

/** The parameters of each control sequence with that final character. */
export function controls(bytes: Uint8Array, final: string): string[] {
  return sequencesOf(bytes).flatMap((sequence) =>
    sequence.kind === 'control' && sequence.final === final ? [sequence.parameters] : [],
  );
}

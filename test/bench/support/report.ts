/** The results: rows of a table, printed and written between two marks of a document. */
import { readFile, writeFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';
import { cpus, release, totalmem } from 'node:os';
import { bytes } from './stats.ts';

/** One measurement beside its floor or peer. */
export interface Row {
  readonly what: string;
  readonly clchat: string;
  /** The same of a floor or a peer, in the same run. */
  readonly beside: string;
  /** The figure it has to reach, if it has one, and whether it does. */
  readonly figure?: { readonly text: string; readonly reached: boolean };
}

export interface Section {
  readonly name: string;
  readonly rows: readonly Row[];
}

const BEGIN = '<!-- bench: what follows is written by "npm run bench" -->';
const END = '<!-- bench: end -->';

/**
 * The machine and the day, a line each.
 * @param options.others processors that other programs used meanwhile; NaN where unknown
 */
export function describeMachine(options: { quick: boolean; others: number }): string[] {
  const processors = cpus();
  return [
    `Measured on ${new Date().toISOString().slice(0, 10)}${options.quick ? ' with --quick: smaller sizes, rougher numbers' : ''}.`,
    `${processors.length} × ${processors[0]?.model.trim() ?? 'unknown processor'}, ${bytes(totalmem())} of memory.`,
    `${process.platform} ${release()}, node ${process.version.slice(1)}.`,
    ...(Number.isNaN(options.others)
      ? []
      : [`Other programs kept ${options.others.toFixed(2)} processors busy meanwhile.`]),
  ];
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

/** A heading and a table for each section. */
export function tablesOf(sections: readonly Section[]): string {
  return sections
    .map(({ name, rows }) => {
      const lines = rows.map(({ what, clchat, beside, figure }) => {
        const reached = figure === undefined ? '' : figure.reached ? 'yes' : '**no**';
        const cells = [what, clchat, beside, figure?.text ?? '', reached];
        return `| ${cells.map(cell).join(' | ')} |`;
      });
      return [
        `### ${name}`,
        '',
        '| what | clchat | beside it | figure to reach | reached |',
        '| --- | --- | --- | --- | --- |',
        ...lines,
      ].join('\n');
    })
    .join('\n\n');
}

/**
 * Replaces what is between the marks, in the house's format; a document without marks gets them at
 * its end.
 */
export async function writeInto(
  file: string,
  machine: readonly string[],
  tables: string,
): Promise<void> {
  const text = await readFile(file, 'utf8').catch(() => '# Performance\n');
  const generated = `${BEGIN}\n\n${machine.join('\n')}\n\n${tables}\n\n${END}`;
  const from = text.indexOf(BEGIN);
  const until = text.indexOf(END);
  const next =
    from >= 0 && until > from
      ? text.slice(0, from) + generated + text.slice(until + END.length)
      : `${text.trimEnd()}\n\n${generated}\n`;
  const style = await resolveConfig(file);
  await writeFile(file, await format(next, { ...style, parser: 'markdown' }));
}

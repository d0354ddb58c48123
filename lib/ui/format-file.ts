/** Texts of files with messages: results of commands, and how far they have got. */
import type { AppEvent, ResultData } from '../app/types.ts';
import { clean, sizeText } from '../text.ts';
import type { Style } from './style.ts';

/** Width of the bar that shows how far a file has got, in columns. */
const BAR = 20;

function bar(progress: number, plain: boolean): string {
  const share = Math.min(1, Math.max(0, progress));
  const percent = `${Math.round(share * 100)} %`;
  if (plain) return percent;
  const full = Math.round(share * BAR);
  return `${'█'.repeat(full)}${'░'.repeat(BAR - full)} ${percent}`;
}

/** The text of a result; undefined for a command of another part. */
export function fileResultText(name: string, data: ResultData, _style: Style): string | undefined {
  if (name === 'attach') {
    const { name: file, size } = (data['file'] ?? {}) as Record<string, unknown>;
    const what = `${clean(String(file))} (${sizeText(Number(size))})`;
    if (data['state'] === 'queued')
      return `The server is away: ${what} is kept here and sent when the server is back.`;
    return data['sent'] === true ? `${what} is sent.` : `${what} is said, and goes on being sent.`;
  }
  if (name !== 'save') return undefined;
  return `Saved as ${clean(String(data['file']))} (${sizeText(Number(data['bytes']))}).`;
}

/** The line of an event; undefined for one of another part, or that is not shown. */
export function fileEventText(event: AppEvent, style: Style): string | undefined {
  if (event.event !== 'attachment') return undefined;
  const name = clean(event.name);
  switch (event.state) {
    case 'sending':
      return event.progress < 1 ? `${name} → ${bar(event.progress, style.plain)}` : undefined;
    case 'fetching':
      return event.progress < 1 ? `${name} ← ${bar(event.progress, style.plain)}` : undefined;
    case 'done':
      return undefined;
    case 'failed':
      return `${name} could not be fetched. ${event.code ?? ''}`.trimEnd();
    default:
      return event satisfies never;
  }
}

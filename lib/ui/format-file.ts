/** Texts of files with messages: results of commands, and how far they have got. */
import type { AppEvent, ResultData } from '../app/types.ts';
import { clean, sizeText } from '../text.ts';
import { figure, record, word } from './style.ts';
import { fit } from './width.ts';

/** Columns of the name in a line about a file. */
const NAME_COLUMNS = 40;
/** Columns of the bar that shows how far a file has got: with the share as wide as a mark may be. */
const BAR = 4;

export type Transfer = Extract<AppEvent, { event: 'attachment' }>;

/** Where a file goes, as a line that a mark follows. */
export function transferText({ name, state }: Pick<Transfer, 'name' | 'state'>): string {
  return `${state === 'fetching' ? 'Fetching' : 'Sending'} ${fit(clean(name), NAME_COLUMNS)}`;
}

/** How far a file has got: a bar with the share, or the share alone with `plain`. */
export function shareText(progress: number, plain: boolean): string {
  // All of it is there only when that is certain.
  const percent = Math.min(99, Math.max(0, Math.floor(progress * 100)));
  if (plain) return `${percent} %`;
  const full = Math.floor((percent / 100) * BAR);
  return `${'█'.repeat(full)}${'░'.repeat(BAR - full)} ${percent}%`;
}

/** What is said of a file that is not in the same place any more where it was shown on its way. */
export function sentText({ name, state, code }: Transfer): string {
  const file = fit(clean(name), NAME_COLUMNS);
  return state === 'done' ? `${file} is sent.` : `${file} was not sent. ${code ?? ''}`.trimEnd();
}

/** The text of a result; undefined for a command of another part. */
export function fileResultText(name: string, data: ResultData): string | undefined {
  if (name === 'attach') {
    const { name: file, size } = record(data['file']);
    const what = `${word(file)} (${sizeText(figure(size))})`;
    if (data['state'] === 'queued')
      return `The server is away: ${what} is kept here and sent when the server is back.`;
    return data['sent'] === true ? `${what} is sent.` : `${what} is said, and goes on being sent.`;
  }
  if (name !== 'save') return undefined;
  return `Saved as ${word(data['file'])} (${sizeText(figure(data['bytes']))}).`;
}

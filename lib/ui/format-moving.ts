/** Texts of what is moved in and out, and of figures. */
import type { ResultData } from '../app/types.ts';
import { sizeText } from '../text.ts';
import { callStatsLines } from './format-call-stats.ts';
import { clock, figure, record, records, word, words, type Style } from './style.ts';

/** Lines that were skipped which are shown; the rest is counted. */
const MAX_SHOWN = 20;

function number(value: unknown): string {
  return figure(value).toLocaleString('en');
}

function counted(value: unknown, one: string, many = `${one}s`): string {
  return `${number(value)} ${figure(value) === 1 ? one : many}`;
}

function exportText(data: ResultData): string {
  const lines = [
    `${counted(data['messages'], 'message')} of ${word(data['conversation'])} written to ${word(data['file'])} (${sizeText(figure(data['bytes']))}).`,
  ];
  if (data['complete'] === false)
    lines.push('Older ones are missing: they are not on this device, and could not be fetched.');
  return lines.join('\n');
}

function importText(data: ResultData): string {
  if (data['declined'] === true) return 'Nothing was made.';
  const made = words(data['made']).length;
  const skipped = records(data['skipped']);
  const lines = [`${counted(made, 'account')} made.`];
  if (skipped.length > 0) lines.push(`${counted(skipped.length, 'line')} skipped:`);
  for (const { line, name, code, text } of skipped.slice(0, MAX_SHOWN)) {
    const who = name === undefined ? '' : ` (${word(name)})`;
    lines.push(`  line ${word(line)}${who}: ${word(code)}. ${word(text)}`);
  }
  if (skipped.length > MAX_SHOWN) lines.push(`  and ${number(skipped.length - MAX_SHOWN)} more`);
  if (made > 0)
    lines.push(
      'At the first login each is asked for a new password, which may be the same again.',
      `${word(data['file'])} still holds the passwords: delete it when nobody needs it.`,
    );
  return lines.join('\n');
}

/** A span of time in its two largest units. */
function spanText(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  if (days > 0) return `${days} d ${hours % 24} h`;
  if (hours > 0) return `${hours} h ${minutes % 60} min`;
  return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}

function statsText(data: ResultData, style: Style): string {
  const server = record(data['server']);
  const replica = record(data['replica']);
  const outbox = record(data['outbox']);
  const own = record(data['process']);
  const { online } = server;
  const messages = figure(replica['messages']);
  const indexed = messages === 0 ? 100 : Math.floor((100 * figure(replica['indexed'])) / messages);
  const { address, rttMs, since } = record(data['connection']);
  const { bytesOnDisk } = replica;
  const lines = [
    `Server: ${word(server['name'])}${server['connected'] === true ? '' : ', away'}`,
    `There: ${counted(server['accounts'], 'account')}${online === undefined ? '' : ` (${number(online)} online)`}, ${counted(server['rooms'], 'room')}, ${counted(server['conferences'], 'conference')}, ${counted(server['groups'], 'group')}`,
  ];
  if (rttMs !== undefined)
    lines.push(
      `Connection: ${address === undefined ? 'in this process' : word(address)}, answers in ${word(rttMs)} ms, since ${clock(figure(since), style)}`,
    );
  lines.push(
    `Here: ${counted(replica['entries'], 'entry', 'entries')} in ${counted(replica['streams'], 'stream')}${bytesOnDisk === undefined ? '' : `, ${sizeText(figure(bytesOnDisk))}`}`,
    `Conversations: ${counted(messages, 'entry', 'entries')}, ${indexed} % ready for "search"`,
    `Outbox: ${number(outbox['pending'])} waiting, ${number(outbox['refused'])} refused`,
    `Program: ${sizeText(figure(own['memory']))} of memory, running for ${spanText(figure(own['uptime']))}`,
    ...callStatsLines(data['call'], style),
  );
  return lines.join('\n');
}

/** The text of a result; undefined for a command of another part. */
export function movingResultText(name: string, data: ResultData, style: Style): string | undefined {
  switch (name) {
    case 'export':
      return exportText(data);
    case 'import':
      return importText(data);
    case 'stats':
      return statsText(data, style);
    default:
      return undefined;
  }
}

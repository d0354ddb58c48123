/** The text of how a call goes: what `stats` tells of it, for each of those in it. */
import { figure, plural, record, records, word, type Style } from './style.ts';

/** Columns of the bar that shows how loud somebody is. */
const METER = 5;

/** How loud somebody is, from 0 to 1, as a bar: whatever is worth hearing fills a part of it. */
function meter(level: number, { plain }: Style): string {
  const [full, empty] = plain ? ['#', '-'] : ['▮', '▯'];
  const filled = Math.ceil(Math.min(1, Math.max(0, level || 0)) * METER);
  return full.repeat(filled) + empty.repeat(METER - filled);
}

/** Bits a second as people read them. */
function rate(bits: number): string {
  return bits < 1_000_000
    ? `${Math.round(bits / 1_000)} kbit/s`
    : `${(bits / 1_000_000).toFixed(1)} Mbit/s`;
}

/** Such as `160x96, 15 fps`. */
function sizeOf({ width, height, fps }: Record<string, unknown>): string {
  return `${figure(width)}x${figure(height)}, ${figure(fps)} fps`;
}

/** One line about what is there; none about what is not. */
function line(
  name: string,
  value: unknown,
  text: (of: Record<string, unknown>) => string,
): string[] {
  return value === undefined ? [] : [`${name} ${text(record(value))}`];
}

function picture(stats: Record<string, unknown>): string {
  const { latencyMs } = stats;
  return sizeOf(stats) + (latencyMs === undefined ? '' : `, latency ${figure(latencyMs)} ms`);
}

function level({ level, toneHz }: Record<string, unknown>, style: Style): string {
  const tone = toneHz === undefined ? '' : `, a tone of ${figure(toneHz)} Hz`;
  return meter(figure(level), style) + tone;
}

function sound(stats: Record<string, unknown>, style: Style): string {
  const lost = figure(stats['packetsLost']);
  const sent = lost + figure(stats['packets']);
  const share = sent === 0 ? '' : ` (${((100 * lost) / sent).toFixed(1)} %)`;
  const jitter = `jitter ${figure(stats['jitterMs'])} ms`;
  return `${level(stats, style)}, ${jitter}, ${lost} of ${plural(sent, 'packet')} lost${share}`;
}

/** What is otherwise than usual about somebody. */
function marks(other: Record<string, unknown>): string[] {
  const volume = figure(other['volume']);
  const all: readonly (readonly [string, boolean])[] = [
    ['talks', other['talking'] === true],
    ['muted by you', other['muted'] === true],
    ['hidden by you', other['hidden'] === true],
    ['silenced for everyone', other['suppressed'] === true],
    ['shares a screen', other['live'] === true],
    [`volume ${volume} %`, !Number.isNaN(volume) && volume !== 100],
  ];
  return all.flatMap(([text, isSo]) => (isSo ? [text] : []));
}

function participant(other: Record<string, unknown>, name: string, style: Style): string[] {
  const { rttMs, video, screen, audio, sending } = other;
  const facts = [
    word(other['path']),
    ...(rttMs === undefined ? [] : [`answers in ${figure(rttMs)} ms`]),
    `gets ${rate(figure(other['sentBits']))}`,
    `sends ${rate(figure(other['receivedBits']))}`,
    ...marks(other),
  ];
  return [
    `  ${name}: ${facts.join(', ')}`,
    ...[
      ...line('camera', video, picture),
      ...line('screen', screen, picture),
      ...line('sound', audio, (stats) => sound(stats, style)),
      ...line('gets your camera at', sending, sizeOf),
    ].map((text) => `    ${text}`),
  ];
}

/**
 * @param value `call` in the result of `stats`, whatever it is
 * @returns nothing where this device is in no call
 */
export function callStatsLines(value: unknown, style: Style): string[] {
  if (value === undefined) return [];
  const { room, state, participants, microphone } = record(value);
  const others = records(participants);
  const where = room === undefined ? [] : [`#${word(room)}`];
  const alone = others.length === 0 ? ['nobody else is there'] : [];
  const nameOf = ({ user, device }: Record<string, unknown>): string => {
    // Somebody may be there with several devices.
    const isOne = others.filter((other) => other['user'] === user).length === 1;
    return isOne ? word(user) : `${word(user)} (${word(device)})`;
  };
  return [
    `Call: ${[...where, word(state), ...alone].join(', ')}`,
    ...others.flatMap((other) => participant(other, nameOf(other), style)),
    ...line('  You: sound', microphone, (stats) => level(stats, style)),
  ];
}

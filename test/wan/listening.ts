/** When a program of a lab can be spoken to. */
import { readFile } from 'node:fs/promises';
import { sleep } from '../../lib/lifecycle.ts';
import type { LabProcess } from '../lan/process.ts';

const POLL_MS = 10;
const START_MS = 10_000;
/** A socket of TCP that listens has this state. */
const LISTEN = '0A';

/**
 * Waits until there is a socket in the program's namespace that listens on a port.
 * @throws an error with what the program has written, when it ends or takes too long
 */
export async function untilListening(
  process: LabProcess,
  transport: 'tcp' | 'udp',
  port: number,
): Promise<void> {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const end = performance.now() + START_MS;
  while (!process.hasExited && performance.now() < end) {
    const table = await readFile(`/proc/${process.pid}/net/${transport}`, 'utf8').catch(() => '');
    const isThere = table.split('\n').some((line) => {
      const [, address, , state] = line.trim().split(/\s+/);
      return address?.endsWith(local) === true && (transport === 'udp' || state === LISTEN);
    });
    if (isThere) return;
    await sleep(POLL_MS);
  }
  const state = process.hasExited ? 'has ended' : 'does not listen';
  throw new Error(`what should listen on ${transport} port ${port} ${state}:\n${process.errors}`);
}

/** The UDP ports that calls have on the host of a server, so that its gateway can lead others to them. */
import { ClchatError } from '../errors.ts';

/** The first and the last. */
export type PortRange = readonly [first: number, last: number];

/** Where none are named: as many as a few calls at once need. */
export const DEFAULT_CALL_PORTS: PortRange = [50_000, 50_003];

/** Lower ones belong to the system. */
const LOWEST = 1_024;
const HIGHEST = 65_535;
/** Most ports of a gateway that one host takes for calls. */
const MOST = 16;

/** Reads `FIRST-LAST`, or a single port. @throws USAGE */
export function parsePortRange(text: string): PortRange {
  const [, low = '', high = low] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  const [first, last] = [Number(low), Number(high)];
  if (low === '' || first < LOWEST || last > HIGHEST || last < first || last - first >= MOST)
    throw new ClchatError(
      'USAGE',
      `Ports for calls are written FIRST-LAST, from ${LOWEST} to ${HIGHEST} and at most ${MOST} of them.`,
    );
  return [first, last];
}

/** All of them. */
export function portsIn([first, last]: PortRange): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

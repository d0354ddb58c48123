/** Numbers: their time, their order and how they are written. */

/** Milliseconds of a clock that all processes of this machine share. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Processor time that this process has used so far, in milliseconds. */
export function ownTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** @param share 0.5 for the median; NaN of no samples */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

export function median(samples: readonly number[]): number {
  return percentile(samples, 0.5);
}

export function sum(samples: readonly number[]): number {
  return samples.reduce((total, sample) => total + sample, 0);
}

/** Milliseconds, or seconds from ten of them on. */
export function time(milliseconds: number): string {
  if (milliseconds >= 10_000) return `${(milliseconds / 1_000).toFixed(1)} s`;
  if (milliseconds >= 100) return `${milliseconds.toFixed(0)} ms`;
  return milliseconds >= 1
    ? `${milliseconds.toFixed(1)} ms`
    : `${(milliseconds * 1_000).toFixed(0)} µs`;
}

export function count(number: number): string {
  return Math.round(number).toLocaleString('en');
}

export function bytes(number: number): string {
  return number >= 10e6 ? `${(number / 1e6).toFixed(0)} MB` : `${(number / 1e3).toFixed(0)} kB`;
}

/** A share as percent. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

/** `p50 1.2 ms, p99 3.4 ms` */
export function spread(samples: readonly number[]): string {
  return `p50 ${time(median(samples))}, p99 ${time(percentile(samples, 0.99))}`;
}

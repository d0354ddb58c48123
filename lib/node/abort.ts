/** Waiting under a signal, and the error that its waiter gets. */
import { setMaxListeners } from 'node:events';
import { ClchatError, isAbort } from '../errors.ts';

/** TIMEOUT where a deadline passed, our own error where one was given as the reason, else an AbortError. */
export function abortReason(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  if (reason instanceof ClchatError || isAbort(reason)) return reason as Error;
  if (reason instanceof Error && reason.name === 'TimeoutError') return new ClchatError('TIMEOUT');
  return new DOMException('The operation was aborted', 'AbortError');
}

/**
 * A controller that aborts with `signal` until `release` is called. Any number of operations may
 * share one signal without a warning of the runtime.
 */
export function follow(signal: AbortSignal): { own: AbortController; release: () => void } {
  const own = new AbortController();
  const abort = (): void => own.abort(signal.reason);
  if (signal.aborted) abort();
  setMaxListeners(0, signal, own.signal);
  signal.addEventListener('abort', abort, { once: true });
  return { own, release: () => signal.removeEventListener('abort', abort) };
}

const SLICES = 8;
/** How much longer than told a busy process may wait in all. */
const PATIENCE = 4;

/**
 * Calls back after so many milliseconds in which this process was awake: what it is too busy to
 * notice is not held against others. @returns what cancels it
 */
export function afterAwake(milliseconds: number, callback: () => void): () => void {
  const slice = milliseconds / SLICES;
  let due = performance.now() + slice;
  let awake = 0;
  let all = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    if (now - due < slice / 2) awake++;
    due = now + slice;
    if (++all < SLICES * PATIENCE && awake < SLICES) return;
    clearInterval(timer);
    callback();
  }, slice);
  return () => clearInterval(timer);
}

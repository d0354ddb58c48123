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

/** What becomes of calls that ring, for whoever waits for it. */
import { ClchatError, type ErrorCode } from '../../errors.ts';
import type { CallEnd, CallId } from '../../node/calls/wire.ts';

/** What a command fails with whose call has come to nothing. */
const FAILURES: Readonly<Record<CallEnd, { code: ErrorCode; text?: string }>> = {
  declined: { code: 'DECLINED' },
  'no answer': { code: 'NO_ANSWER' },
  withdrawn: { code: 'CLOSED', text: 'The call was given up.' },
  'hung up': { code: 'CLOSED', text: 'The call was given up.' },
  elsewhere: { code: 'ALREADY', text: 'It was answered on another device.' },
  lost: { code: 'OFFLINE', text: 'The connection to that user was lost.' },
  'put out': { code: 'DENIED', text: 'You may not be in that call any more.' },
};

type Settle = (error: ClchatError | undefined) => void;

export class Outcomes {
  #waiting: { readonly id: CallId; readonly settle: Settle }[] = [];
  /** The one that has ended last: it may have done so before anybody waited. */
  #last: { readonly id: CallId; readonly error: ClchatError } | undefined;

  /** Resolves when it is answered. @throws as it has come to nothing */
  async of(id: CallId): Promise<void> {
    if (this.#last?.id === id) throw this.#last.error;
    const error = await new Promise<ClchatError | undefined>((settle) =>
      this.#waiting.push({ id, settle }),
    );
    if (error !== undefined) throw error;
  }

  answered(id: CallId): void {
    this.#settle(id, undefined);
  }

  /** @param error where there is more to be said than the reason */
  ended(id: CallId, reason: CallEnd, error?: ClchatError): void {
    const { code, text } = FAILURES[reason];
    const why = error ?? new ClchatError(code, text);
    this.#last = { id, error: why };
    this.#settle(id, why);
  }

  #settle(id: CallId, error: ClchatError | undefined): void {
    const settled = this.#waiting.filter((one) => one.id === id);
    this.#waiting = this.#waiting.filter((one) => one.id !== id);
    for (const { settle } of settled) settle(error);
  }
}

/** Entries that the server's own key signs: in each stream one after the other, so that none loses its place. */
import { encode } from '../../crdt/codec.ts';
import { encodeEntry, newSalt, signEntry } from '../../crdt/entry.ts';
import type { RandomBytes, SigningKey } from '../../crdt/keys.ts';
import type { LogStore } from '../../crdt/log-store.ts';
import type { HeadRecord } from '../../crdt/records.ts';
import type { Admit, Outcome, Sealer } from '../../crdt/sealer.ts';
import type { StreamName } from '../../crdt/stream.ts';
import type { Clock } from '../../lifecycle.ts';
import { KeyedTurns } from '../turns.ts';

export interface ServerEntriesOptions {
  readonly log: LogStore;
  readonly sealer: Sealer;
  readonly key: SigningKey;
  readonly clock: Clock;
  readonly random: RandomBytes;
}

export class ServerEntries {
  readonly #options: ServerEntriesOptions;
  readonly #turns = new KeyedTurns<StreamName>();

  constructor(options: ServerEntriesOptions) {
    this.#options = options;
  }

  /**
   * Has an entry judged and sealed.
   * @param admit asked when it is judged; a code refuses, and leaves no trace
   * @throws RATE_LIMITED, CLOSED and store errors
   */
  submit(stream: StreamName, kind: string, body: unknown, admit?: Admit): Promise<Outcome> {
    return this.#turns.run(stream, () => this.#submit(stream, kind, body, admit));
  }

  async #submit(
    stream: StreamName,
    kind: string,
    body: unknown,
    admit: Admit | undefined,
  ): Promise<Outcome> {
    const { log, sealer, key, clock, random } = this.#options;
    const { state } = await log.open(stream);
    const head = state.get<HeadRecord>('head', key.public);
    const place = {
      server: key.public,
      stream,
      seq: (head?.seq ?? 0) + 1,
      previous: head?.id ?? null,
      clock: (state.get<number>('clock', 'clock') ?? 0) + 1,
    };
    const entry = signEntry(
      key,
      { ...place, kind, time: clock.now() },
      encode(body),
      newSalt(random),
    );
    return sealer.submit({ entry, bytes: encodeEntry(entry), admit });
  }
}

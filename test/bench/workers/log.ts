/** The server's log by itself: the sealer on LevelDB, without a network. */
import { randomBytes } from 'node:crypto';
import { LOBBY_STREAM } from '../../../lib/crdt/stream.ts';
import { textOfSize } from '../support/messages.ts';
import { now, ownTime } from '../support/stats.ts';
import { serve } from '../support/worker.ts';
import { submit, withSealer, Writer } from '../support/writer.ts';

const methods = {
  /**
   * Appends entries of the lobby to the log in a server's directory, by `writers` that each wait for
   * one before the next.
   * @returns how long it took, and its processor time, their signing apart, in milliseconds
   */
  append(options: {
    directory: string;
    writers: number;
    entries: number;
    size: number;
  }): Promise<{ took: number; used: number }> {
    const { directory, writers: number, entries, size } = options;
    return withSealer(directory, async (sealer) => {
      const writers = Array.from({ length: number }, () => new Writer(sealer.server));
      const name = randomBytes(4).toString('hex');
      await Promise.all(
        writers.map((writer, index) => submit(sealer, writer.account(`${name}${index}`))),
      );
      // Signed beforehand: that is the clients' work.
      const ahead = writers.map((writer, index) => {
        const share = Math.floor(entries / number) + (index < entries % number ? 1 : 0);
        return Array.from({ length: share }, () =>
          writer.sign(LOBBY_STREAM, 'say', { text: textOfSize(now(), size) }),
        );
      });
      const usedBefore = ownTime();
      const begun = now();
      await Promise.all(
        ahead.map(async (own) => {
          for (const bytes of own) await submit(sealer, bytes);
        }),
      );
      return { took: now() - begun, used: ownTime() - usedBefore };
    });
  },
};

export type LogMethods = typeof methods;

serve(methods);

/** The server's log by itself: the sealer on LevelDB, without a network. */
import { randomBytes } from 'node:crypto';
import { encode } from '../../../lib/crdt/codec.ts';
import {
  decodeEntry,
  encodeEntry,
  newSalt,
  signEntry,
  verifyEntry,
} from '../../../lib/crdt/entry.ts';
import { Keyring } from '../../../lib/crdt/keyring.ts';
import { SealingKey, SigningKey, type EntryId, type PublicKey } from '../../../lib/crdt/keys.ts';
import { LogStore } from '../../../lib/crdt/log-store.ts';
import { Sealer } from '../../../lib/crdt/sealer.ts';
import { LOBBY_STREAM, type StreamName } from '../../../lib/crdt/stream.ts';
import { systemClock } from '../../../lib/lifecycle.ts';
import { openIdentity } from '../../../lib/node/keystore.ts';
import { openProfile } from '../../../lib/node/profile.ts';
import { textOfSize } from '../support/messages.ts';
import { now, ownTime } from '../support/stats.ts';
import { serve } from '../support/worker.ts';
import { random } from './client.ts';

/** A device that writes: it signs its entries one after the other, as a client would. */
class Writer {
  readonly #server: PublicKey;
  readonly #key = new SigningKey(randomBytes(32));
  readonly #last = new Map<StreamName, { seq: number; id: EntryId }>();

  constructor(server: PublicKey) {
    this.#server = server;
  }

  #sign(stream: StreamName, kind: string, body: unknown): Uint8Array {
    const last = this.#last.get(stream);
    const place = { seq: (last?.seq ?? 0) + 1, previous: last?.id ?? null };
    const header = { server: this.#server, stream, time: Date.now(), kind, clock: 1, ...place };
    const entry = signEntry(this.#key, header, encode(body), newSalt(random));
    this.#last.set(stream, entry);
    return encodeEntry(entry);
  }

  account(name: string): Uint8Array {
    const device = { sealing: new SealingKey(randomBytes(32)).public, label: name };
    const keyring = Keyring.create(1, random).public;
    return this.#sign('space', 'account', { name, device, keyring, password: null });
  }

  say(size: number): Uint8Array {
    return this.#sign(LOBBY_STREAM, 'say', { text: textOfSize(now(), size) });
  }
}

/** Takes an entry as the server takes it from the network: decodes it, verifies it, seals it. */
async function submit(sealer: Sealer, bytes: Uint8Array): Promise<void> {
  const entry = decodeEntry(bytes);
  if (!verifyEntry(entry)) throw new Error('not signed');
  const outcome = await sealer.submit({ entry, bytes });
  if (outcome.type !== 'sealed') throw new Error(outcome.code);
}

const methods = {
  /**
   * Appends entries of the lobby to the log in a server's directory, by `writers` that each wait for
   * one before the next.
   * @returns how long it took, and its processor time, their signing apart, in milliseconds
   */
  async append(options: {
    directory: string;
    writers: number;
    entries: number;
    size: number;
  }): Promise<{ took: number; used: number }> {
    const { directory, writers: number, entries, size } = options;
    const profile = await openProfile(directory, 'server');
    try {
      const key = await openIdentity({ directory, passphrase: undefined, random });
      const sealer = new Sealer({
        log: new LogStore(profile.store),
        key,
        clock: systemClock,
        term: 1,
        onCommit: () => undefined,
      });
      const writers = Array.from({ length: number }, () => new Writer(key.public));
      const name = randomBytes(4).toString('hex');
      await Promise.all(
        writers.map((writer, index) => submit(sealer, writer.account(`${name}${index}`))),
      );
      // Signed beforehand: that is the clients' work.
      const ahead = writers.map((writer, index) => {
        const share = Math.floor(entries / number) + (index < entries % number ? 1 : 0);
        return Array.from({ length: share }, () => writer.say(size));
      });
      const usedBefore = ownTime();
      const begun = now();
      await Promise.all(
        ahead.map(async (own) => {
          for (const bytes of own) await submit(sealer, bytes);
        }),
      );
      const report = { took: now() - begun, used: ownTime() - usedBefore };
      await sealer.close();
      return report;
    } finally {
      await profile.close();
    }
  },
};

export type LogMethods = typeof methods;

serve(methods);

/** Devices that write into a server's log without a network. */
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
import type { StreamName } from '../../../lib/crdt/stream.ts';
import { systemClock } from '../../../lib/lifecycle.ts';
import { openIdentity } from '../../../lib/node/keystore.ts';
import { openProfile } from '../../../lib/node/profile.ts';

const random = (length: number): Uint8Array => randomBytes(length);

/** A device that writes: it signs its entries one after the other, as a client would. */
export class Writer {
  readonly #server: PublicKey;
  readonly #key = new SigningKey(randomBytes(32));
  readonly #last = new Map<StreamName, { seq: number; id: EntryId }>();

  constructor(server: PublicKey) {
    this.#server = server;
  }

  sign(stream: StreamName, kind: string, body: unknown): Uint8Array {
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
    return this.sign('space', 'account', { name, device, keyring, password: null });
  }
}

/** Takes an entry as the server takes it from the network: decodes it, verifies it, seals it. */
export async function submit(sealer: Sealer, bytes: Uint8Array): Promise<void> {
  const entry = decodeEntry(bytes);
  if (!verifyEntry(entry)) throw new Error('not signed');
  const outcome = await sealer.submit({ entry, bytes });
  if (outcome.type !== 'sealed') throw new Error(outcome.code);
}

/** Runs on the log in a server's directory, while no server does. */
export async function withSealer<T>(
  directory: string,
  run: (sealer: Sealer) => Promise<T>,
): Promise<T> {
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
    const result = await run(sealer);
    await sealer.close();
    return result;
  } finally {
    await profile.close();
  }
}

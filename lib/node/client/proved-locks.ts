/** Locks of rooms whose password has been proved here, kept for as long as the program runs. */
import type { RoomId } from '../../crdt/keys.ts';
import type { ProvedLock } from '../../crdt/secrets.ts';

export class ProvedLocks {
  /** By room and generation. */
  readonly #locks = new Map<string, ProvedLock>();

  get(holder: RoomId, generation: number): ProvedLock | undefined {
    return this.#locks.get(`${holder}:${generation}`);
  }

  /** Of what is known already nothing is forgotten. */
  note(holder: RoomId, { keyring, password }: ProvedLock): void {
    const known = this.get(holder, keyring.generation)?.password;
    this.#locks.set(`${holder}:${keyring.generation}`, { keyring, password: password ?? known });
  }
}

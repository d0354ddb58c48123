/** What a server peer is made of. */
import type { RandomBytes, SigningKey } from '../../crdt/keys.ts';
import type { Store } from '../../crdt/store.ts';
import type { Clock } from '../../lifecycle.ts';
import type { BlobStore } from '../blobs/store.ts';
import type { Ways } from '../calls/wire.ts';
import type { Transport } from '../channel.ts';
import type { Mailer } from '../mailer.ts';
import type { OpaqueServer } from '../opaque.ts';
import type { Vault } from '../vault.ts';
import type { CallServiceOptions } from './call-service.ts';

export interface ServerOptions {
  readonly store: Store;
  /** The server's identity. */
  readonly key: SigningKey;
  /** Its name when it is new; a name it has stays. */
  readonly name: string;
  readonly transports: readonly Transport[];
  readonly vault: Vault;
  readonly opaque: OpaqueServer;
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** Seconds for which three wrong passwords lock an account. */
  readonly blockDuration: number;
  /** Seconds of inactivity after which a person is logged out; 0: never. */
  readonly timeout: number;
  readonly inviteOnly: boolean;
  /** Clients are to be reached through it by others. */
  readonly isRelay?: boolean;
  /** An administrator has given the server another name. */
  readonly onRename?: (name: string) => void;
  /** Where files of messages are kept; undefined: nowhere. */
  readonly blobs?: BlobStore | undefined;
  /** Sends first passwords and reset codes, where an SMTP server is configured. */
  readonly mailer?: Mailer | undefined;
  /** Rises when the server continues from a backup. */
  readonly term: number;
  /** Milliseconds in which clients may hand back what a restored server lacks; 0 for others. */
  readonly recoverMs: number;
  /** See `HubOptions.patienceMs`; for tests. */
  readonly syncPatienceMs?: number;
  /** See `LifeOptions.graceMs`; for tests. */
  readonly conferenceGraceMs?: number;
  /** What finds a way through routers for calls; undefined: nothing does. */
  readonly callWays?: (() => Ways) | undefined;
  /** See `CallServiceOptions`; for tests. */
  readonly calls?: Pick<CallServiceOptions, 'ringMs' | 'resumeMs' | 'graceMs'>;
  /** Faults of ours, for the log. */
  readonly onFault: (error: unknown) => void;
}

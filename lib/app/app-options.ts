/** What a run of the program is to be. */
import type { Log } from '../log.ts';
import type { PortRange } from './call-ports.ts';

export interface AppOptions {
  /** Everything in this directory; undefined: the user's data directory. */
  readonly data: string | undefined;
  /** Seals keys at rest in place of a key file. */
  readonly passphrase: string | undefined;
  readonly blockDuration: number;
  readonly timeout: number;
  readonly inviteOnly: boolean;
  /** Mail server of a server that is started here; see `createMailer`. */
  readonly smtpUrl?: string | undefined;
  /** TURN server for calls, and UDP ports for them, of a server that is started here. */
  readonly turnUrl?: string | undefined;
  readonly callPorts?: PortRange | undefined;
  /** Nobody listens to events: messages that come in stay news for the next run. */
  readonly isQuiet: boolean;
  readonly log: Log;
}

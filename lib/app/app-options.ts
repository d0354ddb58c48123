/** What a run of the program is to be. */
import type { Log } from '../log.ts';
import type { PictureSize } from '../media/frames.ts';
import type { DeviceNames } from './calls/call-devices.ts';
import type { PortRange } from './call-ports.ts';

export interface AppOptions {
  /** Everything in this directory; undefined: the user's data directory. */
  readonly data: string | undefined;
  /** Seals keys at rest in place of a key file. */
  readonly passphrase: string | undefined;
  readonly blockDuration: number;
  readonly timeout: number;
  readonly inviteOnly: boolean;
  /** Mail server of a server that is started here, as `createMailer` takes it; undefined: no mails are sent. */
  readonly smtpUrl?: string | undefined;
  /** TURN server for calls of a server that is started here, as `parseTurnUrl` takes it. */
  readonly turnUrl?: string | undefined;
  /** UDP ports for calls of such a server; `DEFAULT_CALL_PORTS` by default. */
  readonly callPorts?: PortRange | undefined;
  /** Nobody listens to events: messages that come in stay news for the next run. */
  readonly isQuiet: boolean;
  /** What calls capture and play by, as people write it; none where left out. */
  readonly devices?: DeviceNames | undefined;
  /** How large the pictures of others are wanted where no screen says so. */
  readonly pictureSize?: PictureSize | undefined;
  readonly log: Log;
}

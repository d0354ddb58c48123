/**
 * The one table of error codes: what each means here, what a remote may be told, and with what
 * status the program ends because of it.
 */

/** Exit statuses of the program; see "Exit codes" in the user guide. */
export const EXIT = {
  fine: 0,
  failed: 1,
  usage: 2,
  authentication: 3,
  network: 4,
  interrupted: 130,
} as const;

interface CodeEntry {
  /** Default text shown to the person here. */
  readonly text: string;
  /** Exit status when the code ends the program; `failed` where absent. */
  readonly exit?: number;
}

const CODES = {
  // Input
  USAGE: { text: 'That command is not understood. Try "help".', exit: EXIT.usage },
  BAD_ADDRESS: {
    text: 'That is not an address of the form IP:PORT that can be used here.',
    exit: EXIT.usage,
  },
  BAD_NAME: {
    text: 'A name has 1 to 32 printable characters, without spaces and without any of @ # / and :.',
  },
  TOO_LARGE: { text: 'That is too large. A text may have up to 16 KiB.' },
  NOT_SUPPORTED: { text: 'That is not possible here.' },

  // Authentication
  NOT_LOGGED_IN: { text: 'You are not logged in. Use "login NAME".', exit: EXIT.authentication },
  NO_SUCH_USER: { text: 'There is no user of that name.' },
  BAD_PASSWORD: { text: 'Wrong password.', exit: EXIT.authentication },
  LOCKED: {
    text: 'The account is locked after three wrong passwords. Try again later.',
    exit: EXIT.authentication,
  },
  NAME_TAKEN: { text: 'That name is taken, or looks like one that is.' },
  CODE_REQUIRED: {
    text: 'This server takes new users by invitation only.',
    exit: EXIT.authentication,
  },
  BAD_CODE: { text: 'That code is wrong, expired or used up.', exit: EXIT.authentication },
  REVOKED: {
    text: 'This device has been revoked by its account. To log in again, use a new data directory (--data DIR).',
    exit: EXIT.authentication,
  },

  // Rights
  DENIED: { text: 'You are not allowed to do that.' },
  SELF: { text: 'That is you.' },
  BLOCKED: { text: 'That user has blocked you.' },
  NOT_BLOCKED: { text: 'That user is not blocked.' },
  ALREADY: { text: 'That is so already.' },
  NO_REQUEST: { text: 'There is no such request.' },
  NOT_CONTACT: { text: 'That user is not a contact of yours.' },
  OFFLINE: { text: 'That user is not online.' },
  DECLINED: { text: 'That user has declined.' },
  BUSY: { text: 'That user is in a call already.' },
  NO_ANSWER: { text: 'That user did not answer.' },
  NO_CALL: { text: 'There is no call.' },
  NOT_LIVE: { text: 'That user shares no screen.' },
  NO_DEVICE: {
    text: 'There is no such device. "settings camera" lists the cameras, microphones and speakers.',
  },
  NO_MEDIA: {
    text: 'Calls are not possible on this system: its part for WebRTC is missing or does not start.',
  },
  NO_SESSION: { text: 'There is no private session with that user.' },
  PEER_GONE: { text: 'That user is gone, and the private session with them is over.' },
  NO_SUCH_ROOM: { text: 'There is no such room.' },
  NOT_IN_ROOM: { text: 'You are not in a room.' },
  NOT_MEMBER: { text: 'You are not a member of that room.' },
  NOT_OWNER: { text: 'Only its owner can do that.' },
  NOT_PARTICIPANT: { text: 'That user does not take part in it.' },
  NAME_CLASH: { text: 'You are in a conference of that name already.' },
  LAST_ADMIN: { text: 'The last administrator cannot be lost.' },
  NO_SUCH_GROUP: { text: 'There is no such group.' },
  NESTING: { text: 'A room cannot lie within itself, and rooms lie at most 16 deep.' },
  BANNED: { text: 'You are banned there.' },
  MUST_CHANGE: {
    text: 'Your first password has to be changed before anything else: "passwd".',
    exit: EXIT.authentication,
  },
  NO_SUCH_MESSAGE: { text: 'There is no such message.' },
  NO_SUCH_DEVICE: { text: 'There is no such device.' },
  AMBIGUOUS: { text: 'That fits more than one; write it out in full.' },
  STALE_KEY: { text: 'The conversation key has changed.' },

  // Network
  NETWORK: {
    text: 'The server cannot be reached.',
    exit: EXIT.network,
  },
  NO_SERVER: {
    text: 'No server was found on this network. Start one with "clchat -ls", or give its address with --connect IP:PORT.',
    exit: EXIT.network,
  },
  AMBIGUOUS_SERVER: {
    text: 'Several servers were found. Choose one with --server NAME.',
    exit: EXIT.network,
  },
  MULTICAST_BLOCKED: {
    text: 'This network does not pass multicast, so servers cannot be found by themselves. Give the address with --connect IP:PORT.',
    exit: EXIT.network,
  },
  SERVER_KEY_CHANGED: {
    text: 'The key of this server is not the one it had before. Somebody may be posing as it.',
    exit: EXIT.network,
  },
  BAD_INVITE: {
    text: 'That invite link is damaged: a part of it is missing or has been altered. Copy all of it, from "clchat:" on.',
    exit: EXIT.usage,
  },
  NO_GATEWAY: {
    text: 'This network has no gateway that maps ports (UPnP, NAT-PMP or PCP), or it is switched off there. Switch it on in the settings of the router, or forward the port by hand.',
    exit: EXIT.network,
  },
  MAPPING_REFUSED: {
    text: 'The gateway refuses to map a port. Allow it in the settings of the router, or forward the port by hand.',
    exit: EXIT.network,
  },
  CARRIER_NAT: {
    text: 'The gateway has no public address itself: the provider shares one among its customers. Nobody outside can connect to a port here.',
    exit: EXIT.network,
  },
  PORT_EXHAUSTED: {
    text: 'The gateway has no port left that can be mapped.',
    exit: EXIT.network,
  },
  PORT_TAKEN: { text: 'That port of the gateway is mapped to another host.', exit: EXIT.network },
  PORT_IN_USE: {
    text: 'That port is in use by another program, perhaps by another clchat server.',
    exit: EXIT.network,
  },
  TIMEOUT: { text: 'The other side did not answer in time.', exit: EXIT.network },
  CLOSED: { text: 'The connection was closed.', exit: EXIT.network },
  BAD_MESSAGE: {
    text: 'The other side sent something that is not understood.',
    exit: EXIT.network,
  },
  MAIL: { text: 'The mail could not be sent.' },
  RATE_LIMITED: { text: 'Too much at once. Wait a moment.' },
  VERSION: { text: 'The other side speaks another version of the protocol.', exit: EXIT.network },

  // Log
  BAD_ENTRY: { text: 'The entry is malformed or its signature is wrong.' },
  OUT_OF_ORDER: { text: 'The entry does not follow the last one of its device.' },
  WAITING: { text: 'Something that comes before it is still missing.' },
  STALE: { text: 'The position asked for is no longer available; start again.' },

  // Storage
  DATA_IN_USE: { text: 'Another running process uses this data directory.' },
  DATA_READ_ONLY: { text: 'The data directory cannot be written.' },
  DISK_FULL: { text: 'The disk is full; nothing more can be stored.' },
  DATA_CORRUPT: { text: 'The stored data is damaged.' },
  BAD_PASSPHRASE: {
    text: 'The passphrase or key file does not open this.',
    exit: EXIT.authentication,
  },
  KEY_EXPOSED: {
    text: 'A key file may be read by others than its owner.',
    exit: EXIT.authentication,
  },
  DATA_KIND: {
    text: 'That data directory belongs to the other kind of peer.',
    exit: EXIT.usage,
  },
  NO_SUCH_FILE: { text: 'There is no such file, or it cannot be read.' },

  INTERRUPTED: { text: 'Interrupted.', exit: EXIT.interrupted },
  INTERNAL: { text: 'Something went wrong inside the program.' },
} as const satisfies Record<string, CodeEntry>;

/** A stable error code, the same on the screen, in JSON and on the wire. */
export type ErrorCode = keyof typeof CODES;

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(CODES, value);
}

/** The table's own text for a code. */
export function textOf(code: ErrorCode): string {
  return CODES[code].text;
}

/** The exit status of the program when `error` ends it. */
export function exitStatusOf(error: unknown): number {
  if (!(error instanceof ClchatError)) return EXIT.failed;
  return (CODES[error.code] as CodeEntry).exit ?? EXIT.failed;
}

/** The one error class. Everything that crosses a module boundary as a failure is one of these. */
export class ClchatError extends Error {
  override readonly name = 'ClchatError';
  readonly code: ErrorCode;
  /** Further facts for machines, such as `{permission: 'sendMessage'}`. Plain data. */
  readonly data: Record<string, unknown> | undefined;

  constructor(
    code: ErrorCode,
    text?: string,
    options: { cause?: unknown; data?: Record<string, unknown> } = {},
  ) {
    super(text ?? textOf(code), options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.data = options.data;
  }
}

export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

/** The code of an error, `INTERNAL` where it has none of ours. */
export function codeOf(error: unknown): ErrorCode {
  return error instanceof ClchatError ? error.code : 'INTERNAL';
}

export function hasCode(error: unknown, code: ErrorCode): error is ClchatError {
  return error instanceof ClchatError && error.code === code;
}

const SYSTEM: Record<string, ErrorCode> = {
  ENOSPC: 'DISK_FULL',
  EDQUOT: 'DISK_FULL',
  EROFS: 'DATA_READ_ONLY',
  EACCES: 'DATA_READ_ONLY',
  EPERM: 'DATA_READ_ONLY',
  EADDRINUSE: 'PORT_IN_USE',
  EADDRNOTAVAIL: 'BAD_ADDRESS',
  ECONNREFUSED: 'NETWORK',
  ECONNRESET: 'CLOSED',
  EPIPE: 'CLOSED',
  ETIMEDOUT: 'TIMEOUT',
  EHOSTUNREACH: 'NETWORK',
  ENETUNREACH: 'NETWORK',
  ENOENT: 'NO_SUCH_FILE',
};

/**
 * Translates an error of another library or of the system into ours. Aborts and our own errors
 * pass untouched.
 * @param fallback the code where the error says nothing that we know
 */
export function translate(error: unknown, fallback: ErrorCode = 'INTERNAL', text?: string): Error {
  if (error instanceof ClchatError || isAbort(error)) return error as Error;
  const system = (error as { code?: unknown } | undefined)?.code;
  const known = typeof system === 'string' ? SYSTEM[system] : undefined;
  return new ClchatError(known ?? fallback, known === undefined ? text : undefined, {
    cause: error,
  });
}

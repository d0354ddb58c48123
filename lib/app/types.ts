/**
 * The face of the program towards its front ends: commands in, results and events out, as plain
 * data. Names of people and rooms are the readable ones; nothing here is stripped of control
 * sequences yet (`lib/text.ts` does that where the front ends print).
 */
import type { ErrorCode } from '../errors.ts';
import type { CallEnd } from '../node/calls/wire.ts';
import type { Path } from '../node/channel.ts';
import type { Comparison } from '../node/private/safety-number.ts';
import type { PrivateNews } from '../node/private/news.ts';

/** A parsed command: its name in the table and its arguments by name; absent ones are left out. */
export interface CommandCall {
  readonly name: string;
  readonly args: Readonly<Record<string, string>>;
}

/** What a command gives back, JSON-able. Its text is made by `lib/ui/format.ts`. */
export type ResultData = Record<string, unknown>;

/** How far a message has got. */
export interface Progress {
  /** `sending`: here only; `held`: the server has it durably; `refused`: the server said no. */
  readonly state: 'sending' | 'held' | 'refused';
  /** Devices that have it, of those that are to get it. Present from `held` on. */
  readonly on?: number;
  readonly of?: number;
  /** People who have read it, as far as they let it be known; absent where nobody has. */
  readonly read?: number;
  /** Why it was refused. */
  readonly code?: ErrorCode;
}

/** A file that belongs to a message. */
export interface FileView {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly type?: string;
  /** Of an image, in pixels. */
  readonly width?: number;
  readonly height?: number;
  /** All of it is on this device. */
  readonly here: boolean;
}

export interface ReactionView {
  readonly emoji: string;
  readonly users: readonly string[];
}

/** A message in short: its author and the beginning of its text, as far as they are known here. */
export interface QuoteView {
  readonly from?: string;
  readonly text?: string;
}

/** A message as `history`, `search` and events give it. Exactly one of `to` and `room` is there. */
export interface MessageView {
  readonly id: string;
  /** Empty where the message was removed. */
  readonly from: string;
  readonly to?: string;
  readonly room?: string;
  /** Of one that was removed, what stands in its place. */
  readonly text: string;
  /** Milliseconds since 1970 as the author's clock said: for display only. */
  readonly time: number;
  /** Written by this account. */
  readonly mine: boolean;
  readonly progress?: Progress;
  /** The message that it answers. */
  readonly reply?: { readonly id: string } & QuoteView;
  readonly file?: FileView;
  readonly edited?: true;
  readonly removed?: true;
  /** It is no message, but tells of a call; `from` called, and is empty for one of a room. */
  readonly call?: {
    readonly outcome: 'ended' | 'missed';
    /** For how long people were together in it. */
    readonly seconds: number;
    /** The most who were in it at once. */
    readonly people: number;
  };
  readonly reactions?: readonly ReactionView[];
  /** It names this account, and is not its own. */
  readonly mention?: true;
}

/** Where something happens: exactly one of the two. `to` is the other side of a direct talk. */
export interface PlaceView {
  readonly to?: string;
  /** Path of a room. */
  readonly room?: string;
}

/** A conversation of which something is unread. */
export interface UnreadView extends PlaceView {
  /** Messages of others, and calls that were missed. */
  readonly count: number;
  /** Calls among them; absent where there is none. */
  readonly missed?: number;
  /** There are more of them than were counted. */
  readonly more?: true;
  /** Those of them that name this account. */
  readonly mentions: number;
}

/** A conference as events and lists give it. */
export interface ConferenceView {
  readonly id: string;
  readonly name: string;
  /** Absent: the lobby's, which is nobody's. */
  readonly owner?: string;
  readonly state: 'active' | 'waiting' | 'ended';
  /**
   * Who is in it; for who is neither in it nor invited the contacts alone: where none is left, it is
   * out of sight.
   */
  readonly participants: readonly string[];
  /** Those of them whose connection is lost. */
  readonly away?: readonly string[];
  /** Why it ended. */
  readonly reason?: string;
  /** What has changed. */
  readonly change?: { readonly user: string; readonly kind: string };
}

export type AppEvent =
  | ({ readonly event: 'message' } & MessageView)
  | {
      readonly event: 'broadcast';
      readonly from: string;
      readonly text: string;
      readonly time: number;
    }
  | {
      /** Somebody asks to be a contact, or has been asked; or what became of that. */
      readonly event: 'request';
      readonly user: string;
      readonly direction: 'incoming' | 'outgoing';
      readonly state: 'pending' | 'rejected' | 'cancelled';
    }
  | { readonly event: 'contact'; readonly user: string }
  | { readonly event: 'unfriend'; readonly user: string }
  | ({
      readonly event: 'edited';
      readonly id: string;
      readonly by: string;
      readonly text: string;
    } & PlaceView)
  | ({ readonly event: 'removed'; readonly id: string; readonly by: string } & PlaceView)
  | ({
      readonly event: 'reacted';
      readonly id: string;
      readonly by: string;
      /** What was said, or (`on` false) taken back; absent where it cannot be read here. */
      readonly emoji?: string;
      readonly on?: boolean;
      /** All that there are now. */
      readonly reactions: readonly ReactionView[];
      /** The message. */
      readonly about: QuoteView;
    } & PlaceView)
  | ({ readonly event: 'typing'; readonly user: string } & PlaceView)
  | {
      /** What there is to be read or answered, after a login; told only where there is something. */
      readonly event: 'unread';
      readonly conversations: readonly UnreadView[];
      /** Requests to be a contact that wait for an answer. */
      readonly requests: number;
    }
  | {
      /** A room that this person may see. */
      readonly event: 'room';
      readonly room: string;
      readonly state: 'created' | 'updated' | 'removed';
      /** By whom; absent where the server did it. */
      readonly by?: string;
    }
  | {
      readonly event: 'member';
      readonly room: string;
      readonly user: string;
      readonly state: 'joined' | 'left' | 'removed';
    }
  | ({ readonly event: 'conference' } & ConferenceView)
  | {
      /** A code of one's own was issued or redeemed. */
      readonly event: 'code';
      readonly purpose: 'signup' | 'elevate' | 'join';
      readonly state: 'issued' | 'redeemed';
      readonly group?: string;
      readonly room?: string;
      /** Who redeemed it. */
      readonly user?: string;
    }
  | {
      /** A group has changed, or somebody (`user`) is in another. */
      readonly event: 'group';
      readonly group: string;
      readonly state: 'created' | 'updated' | 'removed' | 'set';
      readonly user?: string;
    }
  | {
      readonly event: 'attachment';
      readonly id: string;
      readonly name: string;
      /** From 0 to 1. */
      readonly progress: number;
      readonly state: 'sending' | 'fetching' | 'done' | 'failed';
      readonly code?: ErrorCode;
    }
  | {
      /**
       * Somebody asks for a private session; `outgoing`: one's own request is to go through a relay.
       * Answered with `yes` or `no`.
       */
      readonly event: 'private-request';
      readonly user: string;
      readonly direction: 'incoming' | 'outgoing';
      readonly kind: Path;
      /** Whether the safety number was compared. */
      readonly verified: Comparison;
    }
  | { readonly event: 'private-open'; readonly user: string; readonly verified: Comparison }
  /** Its line has broken, and another one is sought: `path` tells of that. */
  | { readonly event: 'private-away'; readonly user: string }
  | {
      readonly event: 'private-message';
      readonly from: string;
      readonly text: string;
      /** Milliseconds since 1970 as the author's clock said: for display only. */
      readonly time: number;
    }
  | {
      /** A session is over, or nothing comes of a request. */
      readonly event: 'private-closed';
      readonly user: string;
      readonly reason: Extract<PrivateNews, { readonly kind: 'closed' }>['reason'];
      /** Messages of this side that waited for a line, and were not shown. */
      readonly unshown?: number;
    }
  | {
      /** How somebody is connected to this device. */
      readonly event: 'path';
      readonly user: string;
      readonly kind: Path;
    }
  | {
      /** Somebody calls: answered with `answer` or `decline`. */
      readonly event: 'ring';
      readonly id: string;
      readonly user: string;
    }
  | {
      /** A call, after a change. Of one in which this device is not, `joined` is false. */
      readonly event: 'call';
      readonly id: string;
      readonly state: 'ringing' | 'connecting' | 'active' | 'ended';
      /** Those in it who are there, this person too. */
      readonly participants: readonly string[];
      readonly room?: string;
      /** Of a call between two, the other one. */
      readonly user?: string;
      /** Why it has ended, for this device. */
      readonly reason?: CallEnd;
      readonly joined?: false;
    }
  | { readonly event: 'talking'; readonly user: string; readonly talking: boolean }
  | {
      /** What somebody in the call has switched on. */
      readonly event: 'chatdev';
      readonly user: string;
      readonly video: boolean;
      readonly audio: boolean;
    }
  | {
      /** Somebody in the call shares a screen, or does not any more. */
      readonly event: 'golive';
      readonly user: string;
      readonly live: boolean;
      readonly label?: string;
    }
  | { readonly event: 'recording'; readonly user: string; readonly recording: boolean }
  | {
      /** Somebody has called in vain, now or while nobody was here. */
      readonly event: 'missed-call';
      readonly user: string;
      /** Milliseconds since 1970, by the server's clock. */
      readonly time: number;
    }
  | {
      /** Somebody is silenced for everyone in calls of a room, or (without one) in all; or is not any more. */
      readonly event: 'servermute';
      readonly user: string;
      readonly room?: string;
      readonly suppressed: boolean;
      readonly by?: string;
    }
  | { readonly event: 'presence'; readonly user: string; readonly online: boolean }
  | {
      readonly event: 'receipt';
      readonly id: string;
      readonly held: boolean;
      readonly on: number;
      readonly of: number;
      /** People who have read it, as far as they let it be known; absent where nobody has. */
      readonly read?: number;
    }
  | {
      readonly event: 'refused';
      readonly id: string;
      readonly code: ErrorCode;
      readonly text: string;
    }
  | { readonly event: 'server'; readonly connected: boolean; readonly name: string }
  | {
      /** What has become of a port of the gateway: of the one that leads to the server, over TCP, or for calls. */
      readonly event: 'mapping';
      readonly state: 'mapped' | 'renewed' | 'lost' | 'failed';
      readonly transport: 'tcp' | 'udp';
      /** The one of this host. */
      readonly port: number;
      /** `IP:PORT`; of one that is lost, what it was. */
      readonly external?: string;
      readonly protocol?: 'pcp' | 'nat-pmp' | 'upnp';
      readonly code?: ErrorCode;
    }
  | { readonly event: 'locked'; readonly user: string; readonly seconds: number }
  | { readonly event: 'login'; readonly user: string }
  | { readonly event: 'logout'; readonly reason: string }
  | { readonly event: 'notice'; readonly code?: ErrorCode; readonly text: string };

export interface ServerView {
  /** Peer id (base58) of the server: its identity. */
  readonly id: string;
  readonly name: string;
  /** `IP:PORT` each. */
  readonly addresses: readonly string[];
  /** Where the gateway lets others in from the internet, of a server of this process. */
  readonly external?: string;
  /** It is meant to be joined from the internet too, a server of this process. */
  readonly internet?: true;
  /** By which others join, of a server of this process. */
  readonly invite?: string;
  readonly connected: boolean;
}

export interface AppStatus {
  readonly mode: 'server' | 'client' | 'shell';
  readonly server?: ServerView;
  /** Who is logged in. */
  readonly user?: string;
  /** The current conversation: `#lobby` or `@user`; absent after somebody was put out of it. */
  readonly conversation?: string;
  /** The entered room, for the prompt. */
  readonly room?: string;
  /** How many others are online at the server of this process; absent where none runs here. */
  readonly served?: number;
}

/** Questions that a command may have to put to the person; absent when unattended. */
export interface Ask {
  /** A visible line; the default is taken for an empty one. */
  line(question: string, fallback?: string): Promise<string>;
  /** A hidden line. */
  secret(question: string): Promise<string>;
  confirm(question: string, fallback: boolean): Promise<boolean>;
  /** @returns index of the chosen option */
  choose(question: string, options: readonly string[]): Promise<number>;
}

export type PictureKind = 'camera' | 'screen';

/** In pixels, and pictures a second. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
}

/** A picture in I420; see `lib/media/frames.ts`. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
  readonly time: number;
}

/** Something that may be seen of somebody in the call. */
export interface CallTile {
  /** One of its own for each: somebody may be in the call with several devices. */
  readonly id: string;
  readonly user: string;
  readonly kind: PictureKind;
  /** This person's own. */
  readonly isOwn: boolean;
  /** There are pictures, or will be at once. */
  readonly hasPicture: boolean;
  readonly isConnected: boolean;
  readonly isTalking: boolean;
  /** The microphone is off, or they are muted here. */
  readonly isMuted: boolean;
  readonly isSuppressed: boolean;
  readonly isLive: boolean;
}

/** A front end that shows the call. */
export interface CallScreen {
  /** Those in the call, this person last; nobody where there is none. */
  show(tiles: readonly CallTile[]): void;
  /** A picture for the tile of that id; there may be none by now. */
  picture(id: string, picture: Picture): void;
  /** How large pictures of a tile are wanted; null: not at all. */
  size(id: string): PictureSize | null | undefined;
}

export interface App {
  /** Has the call shown by a front end, or by none. */
  watchCall(screen: CallScreen | undefined): void;
  /** That front end wants pictures in other sizes. */
  sizesChanged(): void;
  /**
   * Runs one command. Local display commands (`help`, `mode`, `quit`, `clear`) are the front
   * end's own and do not come here.
   * @throws ClchatError with the code of the refusal
   */
  execute(call: CommandCall, ask?: Ask): Promise<ResultData>;
  /** @returns what ends the subscription */
  subscribe(listener: (event: AppEvent) => void): () => void;
  status(): AppStatus;
  /** Names for completion, without prefix, best first. */
  names(
    kind: 'user' | 'room' | 'conference' | 'conference-id' | 'device' | 'group',
  ): readonly string[];
  /** Tells the program that a person is active, so that it is not logged out for inactivity. */
  touch(): void;
  /** Tells the program that what it has told of the current conversation until now has been seen. */
  seen(): void;
  /** Whether authors may know that their messages are read here; they may unless told otherwise. */
  tellReading(tell: boolean): void;
  /** Tells the program that a text is being typed: to `user`, or in the current conversation. */
  typing(user?: string): void;
  /** Resolves when everything under way (submissions, acknowledgements) has been finished or given up. */
  settle(): Promise<void>;
  stop(reason: string): Promise<void>;
}

/**
 * The face of the program towards its front ends: commands in, results and events out, as plain
 * data. Names of people and rooms are the readable ones; nothing here is stripped of control
 * sequences yet (`lib/text.ts` does that where the front ends print).
 */
import type { ErrorCode } from '../errors.ts';

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
  /** Why it was refused. */
  readonly code?: ErrorCode;
}

/** A message as `history`, `search` and events give it. Exactly one of `to` and `room` is there. */
export interface MessageView {
  readonly id: string;
  readonly from: string;
  readonly to?: string;
  readonly room?: string;
  readonly text: string;
  /** Milliseconds since 1970 as the author's clock said: for display only. */
  readonly time: number;
  /** Written by this account. */
  readonly mine: boolean;
  readonly progress?: Progress;
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
  | { readonly event: 'presence'; readonly user: string; readonly online: boolean }
  | {
      readonly event: 'receipt';
      readonly id: string;
      readonly held: boolean;
      readonly on: number;
      readonly of: number;
    }
  | {
      readonly event: 'refused';
      readonly id: string;
      readonly code: ErrorCode;
      readonly text: string;
    }
  | { readonly event: 'server'; readonly connected: boolean; readonly name: string }
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
  readonly connected: boolean;
}

export interface AppStatus {
  readonly mode: 'server' | 'client' | 'shell';
  readonly server?: ServerView;
  /** Who is logged in. */
  readonly user?: string;
  /** The current conversation: `#lobby` or `@user`. */
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

export interface App {
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
  names(kind: 'user' | 'room' | 'device'): readonly string[];
  /** Tells the program that a person is active, so that it is not logged out for inactivity. */
  touch(): void;
  /** Resolves when everything under way (submissions, acknowledgements) has been finished or given up. */
  settle(): Promise<void>;
  stop(reason: string): Promise<void>;
}

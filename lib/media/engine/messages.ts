/**
 * What the program and its helper process for calls say to one another. Both are ours and of one
 * version: nothing here comes from outside, but for pictures, which are numbers.
 */
import type { ErrorCode } from '../../errors.ts';
import type { GateMode } from '../audio/gate.ts';
import type { Limits } from '../description.ts';
import type { PictureSize } from '../frames.ts';
import type { ConnectionState, PictureKind } from './connection.ts';

/** What is captured here. */
export type SourceKind = 'camera' | 'microphone' | 'screen';

/** Names a device at the other end; whoever opens a connection chooses it. */
export type PeerName = string;

/** STUN and TURN servers (RFC 8489, RFC 8656), as W3C webrtc has them. */
export interface IceServer {
  readonly urls: string;
  readonly username?: string;
  readonly credential?: string;
}

/** A UDP port of this host that the gateway leads others to. */
export interface MappedPort {
  readonly port: number;
  readonly external: { readonly ip: string; readonly port: number };
}

export interface Ways {
  readonly servers: readonly IceServer[];
  /** Where there are any, no other port is used. */
  readonly mapped: readonly MappedPort[];
}

/** One medium that comes in, as `stats` tells it. */
export interface PictureStats {
  readonly width: number;
  readonly height: number;
  /** Over the last two seconds. */
  readonly fps: number;
  readonly framesDecoded: number;
  /** Of a test pattern: the last number and how old it was when it was decoded, by this host's clock. */
  readonly frameNumber?: number;
  readonly latencyMs?: number;
}

export interface SoundStats {
  /** From 0 to 1, as heard at the moment. */
  readonly level: number;
  /** Of a clear tone, in hertz. */
  readonly toneHz?: number;
  readonly packets: number;
  readonly packetsLost: number;
  readonly jitterMs: number;
}

export interface PeerStats {
  readonly state: ConnectionState;
  readonly path?: 'direct' | 'relayed';
  readonly roundTripMs?: number;
  readonly camera?: PictureStats;
  readonly screen?: PictureStats;
  readonly sound?: SoundStats;
  /** Bits a second over the last two seconds, headers included. */
  readonly sentBits: number;
  readonly receivedBits: number;
  /** All that has come over the present connection, as it was last measured. */
  readonly receivedBytes: number;
  /** How the camera goes out now; absent while it does not. */
  readonly sending?: PictureSize;
}

export interface EngineStats {
  readonly peers: Readonly<Record<PeerName, PeerStats>>;
  /** Of one's own microphone. */
  readonly microphone?: { readonly level: number; readonly toneHz?: number };
}

/** What of the microphone is sent. */
export interface GateSettings {
  readonly mode: GateMode;
  /** In dBFS; the one before, or the default, where it is left out. */
  readonly threshold?: number;
}

/** Asked for, and answered. */
export interface EngineCalls {
  /**
   * Takes another device; `none` gives the present one back. Throws NO_DEVICE; the one before then
   * stays.
   */
  source: { args: { kind: SourceKind; spec: string }; result: { label: string | undefined } };
  /** Throws NO_DEVICE, and what writing a file may throw. */
  speaker: { args: { spec: string }; result: { label: string | undefined } };
  /** Records all that is heard and seen into a file; undefined ends that. */
  record: { args: { file: string | undefined }; result: { label: string | undefined } };
  /** Throws NO_MEDIA. */
  offer: { args: { peer: PeerName; attempt: number; restart: boolean }; result: { sdp: string } };
  /** Throws BAD_MESSAGE. */
  answer: {
    args: { peer: PeerName; attempt: number; sdp: string; limits: Limits };
    result: { sdp: string };
  };
  /** Throws BAD_MESSAGE. */
  accept: {
    args: { peer: PeerName; attempt: number; sdp: string; limits: Limits };
    result: Record<string, never>;
  };
  stats: { args: Record<string, never>; result: EngineStats };
}
export type CallName = keyof EngineCalls;

/** Done without an answer. */
export type Order =
  | {
      readonly order: 'open';
      readonly peer: PeerName;
      readonly attempt: number;
      readonly makesOffers: boolean;
      readonly ways: Ways;
    }
  | { readonly order: 'close'; readonly peer: PeerName }
  | {
      readonly order: 'candidate';
      readonly peer: PeerName;
      readonly attempt: number;
      readonly candidate: string;
      readonly mid: string;
    }
  /** What goes to a peer; null: nothing. */
  | {
      readonly order: 'send';
      readonly peer: PeerName;
      readonly sound: boolean;
      readonly camera: PictureSize | null;
      readonly screen: PictureSize | null;
    }
  /**
   * How loud a peer is here, in percent, at most 200; 0: not at all, but for a recording. What somebody
   * sends who is silenced for everyone counts as nothing: it is not recorded and not measured, either.
   * Of whom the microphone is off, as it is told, nothing is expected; what comes all the same is heard
   * a moment later.
   */
  | {
      readonly order: 'hear';
      readonly peer: PeerName;
      readonly volume: number;
      readonly suppressed?: boolean;
      readonly silent?: boolean;
    }
  /** Whether pictures of a peer are to be handed to the program. */
  | {
      readonly order: 'show';
      readonly peer: PeerName;
      readonly kind: PictureKind;
      readonly shown: boolean;
    }
  /** Whether one's own camera is. */
  | { readonly order: 'mirror'; readonly size: PictureSize | null }
  /** A picture was taken: the next one may come. */
  | { readonly order: 'taken'; readonly peer: PeerName | null; readonly kind: PictureKind }
  | { readonly order: 'gate'; readonly settings: GateSettings }
  /** The key to talk is held. */
  | { readonly order: 'push'; readonly held: boolean };

export type EngineEvent =
  | {
      readonly event: 'candidate';
      readonly peer: PeerName;
      readonly attempt: number;
      readonly candidate: string;
      readonly mid: string;
    }
  | {
      readonly event: 'state';
      readonly peer: PeerName;
      readonly attempt: number;
      readonly state: ConnectionState;
    }
  /** `peer` null: one's own camera. */
  | {
      readonly event: 'picture';
      readonly peer: PeerName | null;
      readonly kind: PictureKind;
      readonly width: number;
      readonly height: number;
      readonly data: Uint8Array;
      readonly time: number;
    }
  /** `peer` null: oneself. */
  | { readonly event: 'talking'; readonly peer: PeerName | null; readonly talking: boolean }
  /** A device is gone, or a file could not be written any further. */
  | {
      readonly event: 'ended';
      readonly kind: SourceKind | 'speaker' | 'record';
      readonly code: ErrorCode;
      readonly text: string;
    };

export type ToEngine =
  { readonly call: CallName; readonly id: number; readonly args: unknown } | Order;
export type FromEngine =
  | { readonly ready: true }
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly code: ErrorCode; readonly text: string }
  | EngineEvent;

/** What programs tell of their calls in machine mode. */

/** What `stats` tells of one of the others in a call. */
export interface Seen {
  readonly user: string;
  readonly device: string;
  readonly path: string;
  readonly video?: {
    readonly width: number;
    readonly height: number;
    readonly fps: number;
    readonly framesDecoded: number;
    readonly frameNumber?: number;
    readonly latencyMs?: number;
  };
  readonly screen?: { readonly width: number; readonly framesDecoded: number };
  readonly audio?: {
    readonly level: number;
    readonly toneHz?: number;
    readonly packetsLost: number;
  };
  readonly talking: boolean;
  readonly muted: boolean;
  readonly hidden: boolean;
  readonly volume: number;
  readonly suppressed: boolean;
  readonly live: boolean;
  readonly sentBits: number;
  /** Of this side's camera. */
  readonly sending?: { readonly width: number; readonly fps: number };
}

export interface SeenCall {
  readonly id: string;
  readonly room?: string;
  readonly state: string;
  readonly participants: readonly Seen[];
}

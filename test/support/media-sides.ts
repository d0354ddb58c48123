/** Helper processes for calls, real ones, connected to one another by way of the test. */
import assert from 'node:assert/strict';
import { until } from '../../lib/lifecycle.ts';
import type { Limits } from '../../lib/media/description.ts';
import type { PictureKind } from '../../lib/media/engine/connection.ts';
import type {
  EngineEvent,
  EngineStats,
  PeerName,
  PeerStats,
  SourceKind,
  Ways,
} from '../../lib/media/engine/messages.ts';
import type { PictureSize } from '../../lib/media/frames.ts';
import { MediaProcess } from '../../lib/media/media-process.ts';
import type { Signal } from '../../lib/media/negotiation.ts';
import { Remote } from '../../lib/media/remote.ts';
import { readPattern } from '../../lib/media/video/pattern.ts';

/** How long anything may take on a busy machine, in milliseconds. */
const PATIENCE_MS = 60_000;

export const LIMITS: Limits = { sound: 40_000, all: 1_000_000 };
export const NO_WAYS: Ways = { servers: [], mapped: [] };

type Picture = Extract<EngineEvent, { readonly event: 'picture' }>;
type Other = Exclude<EngineEvent, { readonly event: 'picture' | 'candidate' | 'state' }>;

/** What goes to a peer; nothing where it is left out. */
export interface Sent {
  readonly sound?: boolean;
  readonly camera?: PictureSize;
  readonly screen?: PictureSize;
}

/** Waits for something that takes a while. */
export async function comesAbout(
  what: string,
  isSo: () => boolean | Promise<boolean>,
): Promise<void> {
  assert.ok(await until(PATIENCE_MS, isSo), `comes about: ${what}`);
}

/** One device with its helper process. */
export class MediaSide {
  readonly media: MediaProcess;
  readonly remotes = new Map<PeerName, Remote>();
  /** What it was told, but for pictures and what connections need. */
  readonly events: Other[];
  /** The numbers of the test patterns that it was shown; undefined for other pictures. */
  readonly pictures: (readonly [peer: PeerName | null, kind: PictureKind, number?: number])[] = [];
  /** Says of each picture that it was taken. */
  takes = true;

  private constructor(media: MediaProcess, events: Other[]) {
    this.media = media;
    this.events = events;
  }

  static async start(): Promise<MediaSide> {
    const early: Other[] = [];
    let side: MediaSide | undefined;
    const media = await MediaProcess.start({
      onEvent: (event) => side?.take(event),
      onGone: () => undefined,
      onNote: (line) => console.error(line),
    });
    side = new MediaSide(media, early);
    return side;
  }

  private take(event: EngineEvent): void {
    switch (event.event) {
      case 'picture':
        return this.#see(event);
      case 'candidate':
      case 'state':
        return this.remotes.get(event.peer)?.note(event);
      default:
        this.events.push(event);
    }
  }

  #see({ peer, kind, ...frame }: Picture): void {
    const number = readPattern(frame)?.number;
    this.pictures.push(number === undefined ? [peer, kind] : [peer, kind, number]);
    if (this.takes) this.media.order({ order: 'taken', peer, kind });
  }

  async use(kind: SourceKind, spec: string): Promise<string | undefined> {
    return (await this.media.call('source', { kind, spec })).label;
  }

  send(peer: PeerName, { sound = false, camera, screen }: Sent): void {
    const sizes = { camera: camera ?? null, screen: screen ?? null };
    this.media.order({ order: 'send', peer, sound, ...sizes });
  }

  stats(): Promise<EngineStats> {
    return this.media.call('stats', {});
  }

  async statsOf(peer: PeerName): Promise<PeerStats> {
    const stats = (await this.stats()).peers[peer];
    assert.ok(stats, `there is something to tell of ${peer}`);
    return stats;
  }

  /** Waits until what it can tell of a peer is as it should be. */
  async finds(peer: PeerName, what: string, isSo: (stats: PeerStats) => boolean): Promise<void> {
    await comesAbout(what, async () => isSo(await this.statsOf(peer)));
  }

  async stop(): Promise<void> {
    for (const remote of this.remotes.values()) remote.close();
    await this.media.stop();
  }
}

/** What the test may do with a connection between two sides. */
export interface Link {
  readonly caller: Remote;
  readonly called: Remote;
  /** All that was said, by either. */
  readonly signals: Signal[];
}

/** One who has a connection: a side, and what the other one calls it. */
interface End {
  readonly side: MediaSide;
  readonly name: PeerName;
}

/** Connects two sides; the first one makes the offers. */
export function link(caller: End, called: End, ways: Ways = NO_WAYS): Link {
  const signals: Signal[] = [];
  const make = (own: End, other: End): Remote => {
    own.side.remotes.get(other.name)?.close();
    const remote = new Remote({
      peer: other.name,
      makesOffers: own === caller,
      media: () => own.side.media,
      ways: () => ways,
      limits: () => LIMITS,
      send: (signal) => {
        signals.push(signal);
        setImmediate(() => other.side.remotes.get(own.name)?.take(signal));
      },
      onState: () => undefined,
      onFault: (error) => {
        throw error;
      },
    });
    own.side.remotes.set(other.name, remote);
    return remote;
  };
  const made = { caller: make(caller, called), called: make(called, caller), signals };
  made.caller.lineUp();
  made.called.lineUp();
  return made;
}

export async function connected({ caller, called }: Link): Promise<void> {
  await comesAbout('a connection', () =>
    [caller, called].every(({ state }) => state === 'connected'),
  );
}

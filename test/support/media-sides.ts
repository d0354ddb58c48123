/** Helper processes for calls, real ones, connected to one another by way of the test. */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { childEntry, type ChildEntry } from '../../lib/child-entry.ts';
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

/** A program of this directory that begins as the helper process does. */
function entryHere(name: string): ChildEntry {
  const path = fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
  return { ...childEntry('media/engine/engine-child'), path };
}

/** One device with its helper process. */
export class MediaSide {
  readonly remotes = new Map<PeerName, Remote>();
  /** What it was told, but for pictures and what connections need. */
  readonly events: Other[] = [];
  /** The numbers of the test patterns that it was shown; undefined for other pictures. */
  readonly pictures: (readonly [peer: PeerName | null, kind: PictureKind, number?: number])[] = [];
  /** `<width>x<height>` of those. */
  readonly sizes = new Set<string>();
  /** Says of each picture that it was taken. */
  takes = true;

  #media: MediaProcess | undefined;

  /** @param entry another program in place of the helper process, of this directory */
  static async start(entry?: string): Promise<MediaSide> {
    const side = new MediaSide();
    side.#media = await MediaProcess.start({
      ...(entry === undefined ? {} : { entry: entryHere(entry) }),
      onEvent: (event) => side.#take(event),
      onGone: () => undefined,
      // What it says goes wrong is for whoever looks why a test has failed.
      onNote: (line) => console.error(line),
    });
    return side;
  }

  get media(): MediaProcess {
    assert.ok(this.#media, 'it has begun');
    return this.#media;
  }

  #take(event: EngineEvent): void {
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
    this.sizes.add(`${frame.width}x${frame.height}`);
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
    await comesAbout(what, async () => {
      const stats = (await this.stats()).peers[peer];
      return stats !== undefined && isSo(stats);
    });
  }

  async stop(): Promise<void> {
    for (const remote of this.remotes.values()) remote.close();
    await this.media.stop();
  }
}

/** One who has a connection: a side, and what the other one calls it. */
export interface End {
  readonly side: MediaSide;
  readonly name: PeerName;
  readonly ways?: Ways;
}

/** What the test may do with a connection between two ends, of which the first makes the offers. */
export class Link {
  readonly #caller: End;
  readonly #called: End;
  /** All that was said, by either. */
  readonly signals: Signal[] = [];

  constructor(caller: End, called: End) {
    this.#caller = caller;
    this.#called = called;
    this.begin('caller');
    this.begin('called');
    this.lineUp();
  }

  /** One end knows of nothing yet, or no more; there is no line. */
  begin(which: 'caller' | 'called'): void {
    const ends = [this.#caller, this.#called] as const;
    const [own, other] = which === 'caller' ? ends : ([ends[1], ends[0]] as const);
    own.side.remotes.get(other.name)?.close();
    const remote = new Remote({
      peer: other.name,
      makesOffers: which === 'caller',
      media: () => own.side.media,
      ways: () => own.ways ?? NO_WAYS,
      limits: () => LIMITS,
      send: (signal) => {
        this.signals.push(signal);
        setImmediate(() => other.side.remotes.get(own.name)?.take(signal));
      },
      isUp: () => true,
      onState: () => undefined,
      onFault: (error) => {
        throw error;
      },
    });
    own.side.remotes.set(other.name, remote);
  }

  lineUp(): void {
    for (const remote of this.ends) remote.lineUp();
  }

  get caller(): Remote {
    return this.#caller.side.remotes.get(this.#called.name)!;
  }

  get called(): Remote {
    return this.#called.side.remotes.get(this.#caller.name)!;
  }

  get ends(): readonly Remote[] {
    return [this.caller, this.called];
  }

  get offers(): readonly Extract<Signal, { readonly type: 'offer' }>[] {
    return this.signals.flatMap((signal) => (signal.type === 'offer' ? [signal] : []));
  }

  /** Waits until the ends are connected, and the last offer was answered. */
  async connected(): Promise<void> {
    await comesAbout('a connection', () => {
      const last = this.signals.filter(({ type }) => type === 'offer' || type === 'answer').at(-1);
      return last?.type === 'answer' && this.ends.every(({ state }) => state === 'connected');
    });
  }

  close(): void {
    for (const remote of this.ends) remote.close();
    this.#caller.side.remotes.delete(this.#called.name);
    this.#called.side.remotes.delete(this.#caller.name);
  }
}

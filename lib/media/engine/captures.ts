/** The devices that are captured here: one of each kind at most. */
import { ClchatError, hasCode } from '../../errors.ts';
import type { PictureSize, Sound, VideoFrame } from '../frames.ts';
import { openCamera, openMicrophone, openScreen } from '../sources/open.ts';
import type { Source, VideoSource } from '../streams.ts';
import type { PictureKind } from './connection.ts';
import type { SourceKind } from './messages.ts';
import { Turn } from './turn.ts';

export interface CaptureEvents {
  readonly onPicture: (kind: PictureKind, frame: VideoFrame) => void;
  readonly onSound: (sound: Sound) => void;
  /** One has ended by itself. */
  readonly onEnded: (kind: SourceKind, error: unknown) => void;
}

/** How pictures are asked for until it is known how they are wanted. */
const FIRST: Readonly<Record<PictureKind, PictureSize>> = {
  camera: { width: 640, height: 480, fps: 30 },
  screen: { width: 1_920, height: 1_080, fps: 15 },
};

interface Taken {
  readonly source: Source<unknown>;
  readonly spec: string;
}

export class Captures {
  readonly #events: CaptureEvents;
  readonly #taken = new Map<SourceKind, Taken>();
  readonly #wanted = new Map<PictureKind, PictureSize>();
  /** Devices of a kind are taken one after the other: two would be in each other's way. */
  readonly #turns: Readonly<Record<SourceKind, Turn>> = {
    camera: new Turn(),
    microphone: new Turn(),
    screen: new Turn(),
  };
  #isStopped = false;

  constructor(events: CaptureEvents) {
    this.#events = events;
  }

  /**
   * Takes another device in place of the one before, which is given back first: the two may be one.
   * Where the other cannot be had, the one before is taken again.
   * @param spec as a person writes it; `none`: no other
   * @returns what it is called; undefined for none
   * @throws NO_DEVICE
   */
  take(kind: SourceKind, spec: string): Promise<string | undefined> {
    return this.#turns[kind].run(() => this.#take(kind, spec));
  }

  async #take(kind: SourceKind, spec: string): Promise<string | undefined> {
    if (this.#isStopped) throw new ClchatError('CLOSED');
    const before = this.#taken.get(kind);
    this.#taken.delete(kind);
    await before?.source.close();
    try {
      return await this.#open(kind, spec);
    } catch (error) {
      if (before !== undefined && !this.#isStopped) await this.#again(kind, before.spec);
      throw error;
    }
  }

  async #again(kind: SourceKind, spec: string): Promise<void> {
    try {
      await this.#open(kind, spec);
    } catch (error) {
      if (!hasCode(error, 'CLOSED')) this.#events.onEnded(kind, error);
    }
  }

  async #open(kind: SourceKind, spec: string): Promise<string | undefined> {
    if (kind === 'microphone')
      return this.#begin(kind, spec, await openMicrophone(spec), this.#events.onSound);
    const open = kind === 'camera' ? openCamera : openScreen;
    const source = await open(spec, this.#wanted.get(kind) ?? FIRST[kind]);
    return this.#begin(kind, spec, source, (frame) => this.#events.onPicture(kind, frame));
  }

  async #begin<Frame>(
    kind: SourceKind,
    spec: string,
    source: Source<Frame> | undefined,
    take: (frame: Frame) => void,
  ): Promise<string | undefined> {
    if (source === undefined) return undefined;
    if (this.#isStopped) {
      await source.close();
      throw new ClchatError('CLOSED');
    }
    this.#taken.set(kind, { source, spec });
    void this.#run(kind, source, take);
    return source.label;
  }

  async #run<Frame>(
    kind: SourceKind,
    source: Source<Frame>,
    take: (frame: Frame) => void,
  ): Promise<void> {
    let error: unknown = new ClchatError('NO_DEVICE', `${source.label} gives nothing any more.`);
    try {
      for await (const frame of source.frames()) take(frame);
    } catch (thrown) {
      error = thrown;
    }
    // One that another has taken the place of ends too.
    if (this.#taken.get(kind)?.source !== source) return;
    this.#taken.delete(kind);
    await source.close();
    if (!this.#taken.has(kind)) this.#events.onEnded(kind, error);
  }

  /** Whether there is a device of that kind. */
  has(kind: SourceKind): boolean {
    return this.#taken.has(kind);
  }

  /** The largest size and rate that anybody wants; see `VideoSource.want`. */
  want(kind: PictureKind, size: PictureSize): void {
    this.#wanted.set(kind, size);
    (this.#taken.get(kind)?.source as VideoSource | undefined)?.want?.(size);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(Object.values(this.#turns).map(({ over }) => over));
    const taken = [...this.#taken.values()];
    this.#taken.clear();
    await Promise.all(taken.map(({ source }) => source.close()));
  }
}

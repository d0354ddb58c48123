/** The devices that are captured here: one of each kind at most. */
import { ClchatError, hasCode } from '../../errors.ts';
import { LARGEST, type PictureSize, type Sound, type VideoFrame } from '../frames.ts';
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

/**
 * The sizes for which devices are opened, from the smallest on. A tile may soon be larger than it is
 * now, and to open a device anew takes a second in which nothing is seen: so it is done for no less than
 * the first of these, and for the next one where that does not do any more.
 */
const OPENED: Readonly<Record<PictureKind, readonly PictureSize[]>> = {
  camera: [{ width: 640, height: 480, fps: 30 }, { width: 1_280, height: 720, fps: 30 }, LARGEST],
  screen: [{ ...LARGEST, fps: 15 }, LARGEST],
};

/** Whether pictures of one size do where those of another are wanted. */
const isEnough = (size: PictureSize, wanted: PictureSize): boolean =>
  size.width >= wanted.width && size.height >= wanted.height && size.fps >= wanted.fps;

/** For what size a device is opened. */
function openedSize(kind: PictureKind, wanted: PictureSize | undefined): PictureSize {
  const [first] = OPENED[kind];
  if (wanted === undefined) return first!;
  return OPENED[kind].find((size) => isEnough(size, wanted)) ?? LARGEST;
}

interface Taken {
  readonly source: Source<unknown>;
  readonly spec: string;
  /** Pictures are no larger than that, unless it is opened anew; undefined: of any size, or sound. */
  readonly size?: PictureSize | undefined;
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
    if (kind === 'microphone') {
      const source = await openMicrophone(spec);
      return source && this.#begin(kind, { source, spec }, source, this.#events.onSound);
    }
    const open = kind === 'camera' ? openCamera : openScreen;
    const size = openedSize(kind, this.#wanted.get(kind));
    const source = await open(spec, size);
    if (source === undefined) return undefined;
    const taken = { source, spec, size: source.isScalable === true ? undefined : size };
    const label = await this.#begin(kind, taken, source, (frame) =>
      this.#events.onPicture(kind, frame),
    );
    const wanted = this.#wanted.get(kind);
    if (wanted !== undefined) this.want(kind, wanted);
    return label;
  }

  /** @returns what it is called */
  async #begin<Frame>(
    kind: SourceKind,
    taken: Taken,
    source: Source<Frame>,
    take: (frame: Frame) => void,
  ): Promise<string> {
    if (this.#isStopped) {
      await source.close();
      throw new ClchatError('CLOSED');
    }
    this.#taken.set(kind, taken);
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
    const taken = this.#taken.get(kind);
    if (taken === undefined) return;
    (taken.source as VideoSource).want?.(size);
    const isTooSmall = taken.size !== undefined && !isEnough(taken.size, openedSize(kind, size));
    if (isTooSmall) this.#openAnew(kind, taken);
  }

  /** For larger pictures. */
  #openAnew(kind: PictureKind, taken: Taken): void {
    const again = async (): Promise<void> => {
      if (this.#taken.get(kind) === taken) await this.#take(kind, taken.spec);
    };
    // Where that cannot be done it was opened as before, or its end has been told.
    this.#turns[kind].run(again).catch(() => undefined);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(Object.values(this.#turns).map(({ over }) => over));
    const taken = [...this.#taken.values()];
    this.#taken.clear();
    await Promise.all(taken.map(({ source }) => source.close()));
  }
}

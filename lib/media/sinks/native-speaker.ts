/** Speakers by the native part of this program. */
import { within } from '../../lifecycle.ts';
import { firstToOpen } from '../devices/attempts.ts';
import type { Host } from '../devices/host.ts';
import { noDevice, shown } from '../devices/refusals.ts';
import { cannotOpen, nativeName, openInTime, type NativeSound } from '../devices/native-sound.ts';
import { SAMPLE_RATE, SOUND_SAMPLES, type Sound } from '../frames.ts';
import type { AudioSink } from '../streams.ts';
import { Ending } from './ending.ts';

/**
 * It keeps 32 pieces, however long they are, and waits with the next: at 2 ms a piece these are 64 ms,
 * which are full only where sound comes faster than it is played.
 */
const PIECE_SAMPLES = SAMPLE_RATE / 500;
/** Sounds that wait before that. */
const MOST_WAITING = 4;
/** How often it is looked whether a device that takes nothing still plays, in milliseconds. */
const LOOK_MS = 1_000;
/** How long it may take nothing, in milliseconds. */
const STALL_MS = 5_000;
/**
 * One that has not taken what it was given so long ago hangs, in milliseconds. ALSA's way to a sound
 * server fills up first, and then takes nothing for two seconds.
 */
const HANGS_MS = 3_000;

type Speaker = InstanceType<NativeSound['Speaker']>;

/** What it takes of a sound: for devices that cannot do with one channel, the same on each. */
function* piecesOf(sound: Sound, channels: number): Generator<Buffer> {
  for (let at = 0; at < sound.length; at += PIECE_SAMPLES) {
    const piece = new Int16Array(PIECE_SAMPLES * channels);
    for (let sample = 0; sample < piece.length; sample++)
      piece[sample] = sound[at + Math.floor(sample / channels)] ?? 0;
    yield Buffer.from(piece.buffer);
  }
}

/** A device, which may hang. */
class Output {
  readonly #speaker: Speaker;
  /** When it was given what it has not taken yet. */
  #givenAt: number | undefined;
  #isStopped = false;

  constructor(speaker: Speaker) {
    this.#speaker = speaker;
  }

  /** As it says itself; one that hangs does. */
  get isPlaying(): boolean {
    return this.#speaker.isPlaying;
  }

  onError(listener: (error: Error) => void): void {
    this.#speaker.on('error', listener);
  }

  async write(piece: Buffer): Promise<void> {
    this.#givenAt = performance.now();
    try {
      await this.#speaker.writeAsync(piece);
    } finally {
      this.#givenAt = undefined;
    }
  }

  get #hangs(): boolean {
    const isLate = this.#givenAt !== undefined && performance.now() - this.#givenAt > HANGS_MS;
    return isLate && this.#speaker.isPlaying;
  }

  /**
   * To stop it waits for the device, and the whole process with it. So one that hangs is left until it
   * takes something again, or says that it does not play any more.
   */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    if (!this.#hangs) return this.#speaker.stop();
    const looking = setInterval(() => {
      if (this.#hangs) return;
      clearInterval(looking);
      this.#speaker.stop();
    }, LOOK_MS);
    looking.unref();
  }
}

class NativeSpeaker implements AudioSink {
  readonly label: string;
  readonly #output: Output;
  readonly #channels: number;
  readonly #ending = new Ending();
  readonly #waiting: Sound[] = [];
  #isPlaying = false;
  #looking: NodeJS.Timeout | undefined;
  /** Times that it was looked in vain whether it has taken what it was given last. */
  #looks = 0;

  constructor(label: string, output: Output, channels: number) {
    this.label = label;
    this.#output = output;
    this.#channels = channels;
    output.onError((error) => this.#failed(error));
  }

  write(sound: Sound): void {
    if (this.#ending.isOver) return;
    if (this.#waiting.length === MOST_WAITING) this.#waiting.shift();
    // The samples are the writer's to use again.
    this.#waiting.push(Int16Array.from(sound));
    if (!this.#isPlaying) void this.#play();
  }

  async #play(): Promise<void> {
    this.#isPlaying = true;
    const looking = setInterval(() => this.#look(), LOOK_MS);
    this.#looking = looking;
    try {
      for (let sound = this.#waiting.shift(); sound !== undefined; sound = this.#waiting.shift())
        for (const piece of piecesOf(sound, this.#channels)) {
          if (this.#ending.isOver) return;
          this.#looks = 0;
          looking.refresh();
          await this.#output.write(piece);
        }
    } catch (error) {
      this.#failed(error as Error);
    } finally {
      clearInterval(looking);
      this.#isPlaying = false;
    }
  }

  /** Counted and not measured: while the machine sleeps no device takes anything. */
  #look(): void {
    this.#looks += 1;
    if (!this.#output.isPlaying) this.#end(noDevice(`${this.label} is gone.`));
    else if (this.#looks * LOOK_MS >= STALL_MS)
      this.#end(
        noDevice(
          `${this.label} takes nothing any more. "settings speaker" lists those that there are, and chooses another.`,
        ),
      );
  }

  #failed(error: Error): void {
    this.#end(noDevice(`${this.label} is gone: ${shown(error.message)}`, error));
  }

  #end(error: Error): void {
    clearInterval(this.#looking);
    this.#ending.fail(error);
    this.#output.stop();
  }

  onEnd(listener: (error: Error) => void): void {
    this.#ending.listen(listener);
  }

  async close(): Promise<void> {
    clearInterval(this.#looking);
    this.#ending.close();
    this.#output.stop();
  }
}

/**
 * @param spec `default`, or a part of its name
 * @throws NO_DEVICE, also where that part is missing, or the device does not answer in time
 */
export async function openNativeSpeaker(
  host: Host,
  label: string,
  spec: string,
  openMs: number,
): Promise<AudioSink> {
  const { Speaker } = host.native();
  const way =
    (channels: number) =>
    async (milliseconds: number): Promise<AudioSink> => {
      const begun = performance.now();
      let output: Output | undefined;
      try {
        const format = { sampleRate: SAMPLE_RATE, channels, dtype: 'int16' } as const;
        const opening = Speaker.open({ ...format, ...nativeName(spec) });
        output = new Output(await openInTime(milliseconds, opening, label));
        // Whether the device takes that format shows only now.
        const silence = output.write(Buffer.alloc(2 * channels * SOUND_SAMPLES));
        await within(milliseconds - (performance.now() - begun), silence, label);
      } catch (error) {
        output?.stop();
        throw cannotOpen(label, error);
      }
      return new NativeSpeaker(label, output, channels);
    };
  return firstToOpen([way(1), way(2)], openMs);
}

/** Speakers by the native part of this program. */
import { within } from '../../lifecycle.ts';
import { firstToOpen } from '../devices/attempts.ts';
import type { Host } from '../devices/host.ts';
import { noDevice, shown } from '../devices/refusals.ts';
import { nativeName, type NativeSound } from '../devices/native-sound.ts';
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

class NativeSpeaker implements AudioSink {
  readonly label: string;
  readonly #speaker: Speaker;
  readonly #channels: number;
  readonly #ending = new Ending();
  readonly #waiting: Sound[] = [];
  #isPlaying = false;

  constructor(label: string, speaker: Speaker, channels: number) {
    this.label = label;
    this.#speaker = speaker;
    this.#channels = channels;
    speaker.on('error', (error: Error) => this.#fail(error));
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
    try {
      for (let sound = this.#waiting.shift(); sound !== undefined; sound = this.#waiting.shift())
        for (const piece of piecesOf(sound, this.#channels)) {
          if (this.#ending.isOver) return;
          await this.#speaker.writeAsync(piece);
        }
    } catch (error) {
      this.#fail(error as Error);
    } finally {
      this.#isPlaying = false;
    }
  }

  #fail(error: Error): void {
    this.#ending.fail(noDevice(`${this.label} is gone: ${shown(error.message)}`, error));
    this.#speaker.stop();
  }

  onEnd(listener: (error: Error) => void): void {
    this.#ending.listen(listener);
  }

  async close(): Promise<void> {
    if (this.#ending.close()) this.#speaker.stop();
  }
}

/**
 * @param spec `default`, or a part of its name
 * @throws NO_DEVICE, also where that part is missing
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
      let speaker: Speaker | undefined;
      try {
        const format = { sampleRate: SAMPLE_RATE, channels, dtype: 'int16' } as const;
        speaker = await Speaker.open({ ...format, ...nativeName(spec) });
        // Whether the device takes that format shows only now.
        const silence = speaker.writeAsync(Buffer.alloc(2 * channels * SOUND_SAMPLES));
        await within(milliseconds, silence, label);
      } catch (error) {
        speaker?.stop();
        const why = shown(error instanceof Error ? error.message : '');
        throw noDevice(`${label} cannot be opened: ${why}`, error);
      }
      return new NativeSpeaker(label, speaker, channels);
    };
  return firstToOpen([way(1), way(2)], openMs);
}

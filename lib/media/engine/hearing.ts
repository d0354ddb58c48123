/** What is heard of the others: mixed, and given to the speaker and to whatever records the call. */
import type { Clock } from '../../lifecycle.ts';
import { Mixer } from '../audio/mixer.ts';
import type { Heard } from '../audio/resampler.ts';
import { SAMPLE_RATE, SOUND_MS, SOUND_SAMPLES, type Sound, type VideoFrame } from '../frames.ts';
import { openRecorder, openSpeaker, type Recorder } from '../sinks/open.ts';
import type { AudioSink } from '../streams.ts';
import { compose } from '../video/compose.ts';
import type { PeerName } from './messages.ts';
import { Turn } from './turn.ts';

export interface HearingOptions {
  readonly clock: Clock;
  readonly onEnded: (kind: 'speaker' | 'record', error: unknown) => void;
  /** What is seen at the moment, for a recording. */
  readonly pictures: () => readonly (VideoFrame | undefined)[];
}

/** Sounds that are made up for at once where this process was late; what is older is left out. */
const MOST_LATE = 6;
/** Of the picture that is recorded. */
const RECORDED = { width: 640, height: 360, fps: 15 } as const;
/** One's own voice among those that are recorded. */
const OWN = '';

export class Hearing {
  readonly #options: HearingOptions;
  readonly #heard = new Mixer();
  /** Everybody, oneself too, as loud as they are: whatever was turned down is turned down here only. */
  readonly #recorded = new Mixer();
  /** What was opened while another is would never be closed. */
  readonly #turn = new Turn();
  #speaker: AudioSink | undefined;
  #spec = 'none';
  #recorder: Recorder | undefined;
  #ticking: NodeJS.Timeout | undefined;
  #due = 0;
  #pictureDue = 0;

  constructor(options: HearingOptions) {
    this.#options = options;
  }

  /**
   * Takes another speaker in place of the one before; where it cannot be had, that one again.
   * @throws NO_DEVICE, and what writing a file may throw
   */
  speak(spec: string): Promise<string | undefined> {
    return this.#turn.run(async () => {
      const before = this.#speaker === undefined ? 'none' : this.#spec;
      try {
        return await this.#speak(spec);
      } catch (error) {
        await this.#speak(before).catch((again: unknown) =>
          this.#options.onEnded('speaker', again),
        );
        throw error;
      }
    });
  }

  async #speak(spec: string): Promise<string | undefined> {
    const before = this.#speaker;
    this.#speaker = undefined;
    await before?.close();
    const speaker = await openSpeaker(spec);
    this.#speaker = speaker;
    this.#spec = spec;
    speaker?.onEnd((error) => {
      if (this.#speaker !== speaker) return;
      this.#speaker = undefined;
      this.#options.onEnded('speaker', error);
    });
    this.#tick();
    return speaker?.label;
  }

  /**
   * Records into a file, in place of the one before; undefined: into none.
   * @throws ALREADY, NO_DEVICE (no program that could), and what writing a file may throw; what is
   * recorded goes on then
   */
  record(file: string | undefined): Promise<string | undefined> {
    return this.#turn.run(() => this.#record(file));
  }

  async #record(file: string | undefined): Promise<string | undefined> {
    // What is recorded goes on where the next file cannot be had.
    const recorder = file === undefined ? undefined : await openRecorder(file, RECORDED);
    const before = this.#recorder;
    this.#recorder = recorder;
    recorder?.onEnd((error) => {
      if (this.#recorder !== recorder) return;
      this.#recorder = undefined;
      this.#options.onEnded('record', error);
    });
    if (recorder !== undefined) this.#tick();
    await before?.close();
    return recorder?.label;
  }

  /** @param volume in percent, at most 200 */
  setVolume(peer: PeerName, volume: number): void {
    this.#heard.setVolume(peer, volume);
  }

  forget(peer: PeerName): void {
    this.#heard.remove(peer);
    this.#recorded.remove(peer);
  }

  /** @returns what can be measured, which is all but the first few of a connection */
  hear(peer: PeerName, heard: Heard): Sound | undefined {
    if (this.#speaker !== undefined) this.#heard.put(peer, heard);
    if (this.#recorder !== undefined) this.#recorded.put(peer, heard);
    const { samples, sampleRate, channelCount } = heard;
    const isWhole = samples.length === SOUND_SAMPLES && channelCount === 1;
    return isWhole && sampleRate === SAMPLE_RATE ? samples : undefined;
  }

  /** One's own voice. */
  say(sound: Sound): void {
    if (this.#recorder !== undefined)
      this.#recorded.put(OWN, { samples: sound, sampleRate: SAMPLE_RATE, channelCount: 1 });
  }

  #tick(): void {
    clearInterval(this.#ticking);
    this.#ticking = undefined;
    if (this.#speaker === undefined && this.#recorder === undefined) return;
    this.#due = this.#options.clock.monotonic();
    this.#pictureDue = this.#due;
    this.#ticking = setInterval(() => this.#play(), SOUND_MS);
  }

  #play(): void {
    const now = this.#options.clock.monotonic();
    if (now - this.#due > MOST_LATE * SOUND_MS) this.#due = now - MOST_LATE * SOUND_MS;
    for (; this.#due <= now; this.#due += SOUND_MS) {
      this.#speaker?.write(this.#heard.take());
      this.#recorder?.writeSound(this.#recorded.take());
    }
    if (this.#recorder === undefined || now < this.#pictureDue) return;
    this.#pictureDue = Math.max(this.#pictureDue + 1_000 / RECORDED.fps, now - 1_000);
    this.#recorder.writePicture(compose(this.#options.pictures(), RECORDED.width, RECORDED.height));
  }

  async stop(): Promise<void> {
    await this.#turn.over;
    clearInterval(this.#ticking);
    await Promise.all([this.#speaker?.close(), this.#recorder?.close()]);
  }
}

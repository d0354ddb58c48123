/** Speakers by ffmpeg, which hands sound to the sound server or driver as fast as that takes it. */
import { hasCode, type ClchatError } from '../../errors.ts';
import { within } from '../../lifecycle.ts';
import { isAlsaName } from '../devices/alsa.ts';
import type { Host } from '../devices/host.ts';
import { noDevice, shown } from '../devices/refusals.ts';
import { AT_ONCE, Ffmpeg } from '../ffmpeg.ts';
import { SAMPLE_RATE, SOUND_MS, SOUND_SAMPLES, type Sound } from '../frames.ts';
import type { AudioSink } from '../streams.ts';
import { Ending } from './ending.ts';

/** What the sound server keeps, in milliseconds. */
const SERVER_MS = 40;
/** What may wait before that, in milliseconds: ffmpeg takes 21 at a time. */
const MOST_BEHIND_MS = 60;
/** How often it says how far it is, in seconds. */
const REPORT_SECONDS = 0.1;
/** What it has played since is reckoned so far, in milliseconds. */
const MOST_RECKONED_MS = 200;
/** How long it may take nothing, in milliseconds. */
const STALL_MS = 5_000;
/**
 * How often it gets a sound, which is silence, until it says that it plays; in milliseconds. It says
 * nothing while it gets nothing, and what it gets before it plays waits for good.
 */
const FIRST_MS = 5 * SOUND_MS;

/**
 * Arguments of ffmpeg that play, best first.
 * @param name as the system knows it, or `default`
 */
export function speakerOutputs(platform: NodeJS.Platform, name: string): string[][] {
  if (platform === 'win32') return [];
  if (platform === 'darwin') {
    const which = /^\d+$/.test(name) ? ['-audio_device_index', name] : [];
    return name === 'default' || which.length > 0 ? [['-f', 'audiotoolbox', ...which, '-']] : [];
  }
  const device = name === 'default' ? [] : ['-device', name];
  const pulse = ['-f', 'pulse', '-name', 'clchat', ...device];
  const withBuffer = [...pulse, '-buffer_duration', `${SERVER_MS}`, 'call'];
  const alsa = ['-f', 'alsa', name];
  if (isAlsaName(name)) return [alsa];
  return name === 'default' ? [withBuffer, alsa] : [withBuffer];
}

class ProgramSpeaker implements AudioSink {
  readonly label: string;
  readonly #program: Ffmpeg;
  readonly #ending = new Ending();
  /** In milliseconds of sound. */
  #written = 0;
  #played = 0;
  #reportedAt = performance.now();
  /** Since when nothing is taken any more. */
  #stuckSince: number | undefined;
  #begin: (() => void) | undefined;

  constructor(label: string, program: Ffmpeg) {
    this.label = label;
    this.#program = program;
    program.output.setEncoding('utf8').on('data', (text: string) => this.#report(text));
    void program.ended.then(() => this.#ending.fail(this.#failure()));
  }

  #failure(): ClchatError {
    return this.#program.failure(`${this.label} cannot be used`);
  }

  #report(text: string): void {
    const microseconds = Number([...text.matchAll(/^out_time_us=(\d{1,18})$/gm)].at(-1)?.[1]);
    if (!(microseconds / 1_000 > this.#played)) return;
    this.#played = microseconds / 1_000;
    this.#reportedAt = performance.now();
    this.#stuckSince = undefined;
    this.#begin?.();
  }

  /** Waits until it plays. @throws NO_DEVICE */
  async begun(milliseconds: number): Promise<this> {
    const silence = new Int16Array(SOUND_SAMPLES);
    const feeding = setInterval(() => this.#give(silence), FIRST_MS);
    const begun = new Promise<void>((resolve, reject) => {
      this.#begin = resolve;
      void this.#program.ended.then(() => reject(this.#failure()));
    });
    try {
      await within(milliseconds, begun, this.label);
      return this;
    } catch (error) {
      await this.close();
      throw hasCode(error, 'TIMEOUT') ? noDevice(`${this.label} takes no sound.`) : error;
    } finally {
      clearInterval(feeding);
    }
  }

  /** How much waits before the sound server, in milliseconds. */
  #behind(): number {
    const since = Math.min(MOST_RECKONED_MS, performance.now() - this.#reportedAt);
    return this.#written - Math.min(this.#written, this.#played + since);
  }

  #give(sound: Sound): void {
    // The samples are the writer's to use again.
    this.#program.input.write(new Uint8Array(Int16Array.from(sound).buffer));
    this.#written += SOUND_MS;
  }

  write(sound: Sound): void {
    if (this.#ending.isOver) return;
    if (this.#behind() <= MOST_BEHIND_MS) {
      this.#give(sound);
      return;
    }
    this.#stuckSince ??= performance.now();
    if (performance.now() - this.#stuckSince < STALL_MS) return;
    this.#ending.fail(noDevice(`${this.label} takes nothing any more.`));
    void this.#program.close();
  }

  onEnd(listener: (error: Error) => void): void {
    this.#ending.listen(listener);
  }

  close(): Promise<void> {
    this.#ending.close();
    return this.#program.close();
  }
}

/** @throws NO_DEVICE, also where there is no ffmpeg */
export function openProgramSpeaker(
  host: Host,
  label: string,
  output: readonly string[],
  openMs: number,
): Promise<AudioSink> {
  const format = ['-f', 's16le', '-ar', `${SAMPLE_RATE}`, '-ac', '1'];
  const report = ['-nostats', '-progress', 'pipe:1', '-stats_period', `${REPORT_SECONDS}`];
  const program = new Ffmpeg(host, [...report, ...AT_ONCE, ...format, '-i', 'pipe:0', ...output]);
  return new ProgramSpeaker(shown(label), program).begun(openMs);
}

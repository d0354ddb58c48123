/** Sound that comes as bytes, cut into pieces of 10 ms. */
import { SOUND_SAMPLES, type Sound } from '../frames.ts';

/** Sounds that wait for whoever takes them: 100 ms. */
export const SOUNDS_WAITING = 10;

const BYTES = 2 * SOUND_SAMPLES;

export class SoundCutter {
  #bytes = new Uint8Array(BYTES);
  #filled = 0;

  /** @param chunk of samples of signed 16 bit, the lower byte first, cut anywhere */
  take(chunk: Uint8Array, give: (sound: Sound) => void): void {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + BYTES - this.#filled);
      this.#bytes.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled < BYTES) return;
      give(new Int16Array(this.#bytes.buffer));
      this.#bytes = new Uint8Array(BYTES);
      this.#filled = 0;
    }
  }
}

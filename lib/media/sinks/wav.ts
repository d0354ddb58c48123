/** Sound written into a WAV file, which can be played whenever the writing stops. */
import { open, type FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { ClchatError, translate } from '../../errors.ts';
import { shown } from '../devices/refusals.ts';
import { SAMPLE_RATE, type Sound } from '../frames.ts';
import type { AudioSink } from '../streams.ts';
import { Ending } from './ending.ts';

const HEAD_BYTES = 44;
const SAMPLE_BYTES = 2;
/** Its lengths are numbers of 32 bits: twelve hours of sound. */
const MOST_BYTES = 0xffff_ffff - HEAD_BYTES - 1;
/** What waits for a disk that is slow, in bytes: ten seconds. */
const MOST_WAITING = 10 * SAMPLE_RATE * SAMPLE_BYTES;
/** How often what has come is written, in milliseconds. */
const WRITE_MS = 200;

/** @param length of the sound in bytes */
export function wavHead(length: number): Uint8Array {
  const head = Buffer.alloc(HEAD_BYTES);
  head.write('RIFF', 0, 'latin1');
  head.writeUInt32LE(HEAD_BYTES - 8 + length, 4);
  head.write('WAVEfmt ', 8, 'latin1');
  head.writeUInt32LE(16, 16);
  // Plain samples, of one channel.
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(SAMPLE_RATE, 24);
  head.writeUInt32LE(SAMPLE_RATE * SAMPLE_BYTES, 28);
  head.writeUInt16LE(SAMPLE_BYTES, 32);
  head.writeUInt16LE(8 * SAMPLE_BYTES, 34);
  head.write('data', 36, 'latin1');
  head.writeUInt32LE(length, 40);
  return head;
}

class WavFile implements AudioSink {
  readonly label: string;
  readonly #file: FileHandle;
  readonly #ending = new Ending();
  readonly #timer: NodeJS.Timeout;
  readonly #mostBytes: number;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #writing: Promise<void> = Promise.resolve();
  #isWriting = false;
  #length = 0;
  #closing: Promise<void> | undefined;

  constructor(label: string, file: FileHandle, mostBytes: number) {
    this.label = label;
    this.#file = file;
    this.#mostBytes = mostBytes;
    this.#timer = setInterval(() => this.#flush(), WRITE_MS);
  }

  write(sound: Sound): void {
    if (this.#ending.isOver || this.#waitingBytes + sound.byteLength > MOST_WAITING) return;
    // The samples are the writer's to use again.
    this.#waiting.push(new Uint8Array(Int16Array.from(sound).buffer));
    this.#waitingBytes += sound.byteLength;
  }

  onEnd(listener: (error: Error) => void): void {
    this.#ending.listen(listener);
  }

  #flush(): void {
    if (this.#isWriting || this.#waiting.length === 0) return;
    const bytes = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#isWriting = true;
    this.#writing = this.#append(bytes)
      .catch(async (error: unknown) => {
        this.#ending.fail(translate(error));
        clearInterval(this.#timer);
        // Whoever hears that it has ended need not close it. Why it has is known already.
        await this.#file.close().catch(() => undefined);
      })
      .finally(() => (this.#isWriting = false));
  }

  /** First the sound, then the head that speaks of it: the file is whole at any moment. */
  async #append(bytes: Uint8Array): Promise<void> {
    if (this.#length + bytes.length > this.#mostBytes)
      throw new ClchatError('TOO_LARGE', `${this.label} is as long as a WAV file can be.`);
    await writeAll(this.#file, bytes, HEAD_BYTES + this.#length);
    this.#length += bytes.length;
    await writeAll(this.#file, wavHead(this.#length), 0);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#writing;
    if (!this.#ending.isOver) {
      this.#flush();
      await this.#writing;
    }
    this.#ending.close();
    await this.#file.close();
  }
}

/** A disk that gets full may take a part. */
async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length;)
    at += (await file.write(bytes, at, bytes.length - at, position + at)).bytesWritten;
}

/**
 * Makes a new file; one that exists is not touched.
 * @param mostBytes of sound
 * @throws ALREADY where there is such a file, NO_SUCH_FILE where there is no such directory,
 * DATA_READ_ONLY, DISK_FULL
 */
export async function openWav(path: string, mostBytes = MOST_BYTES): Promise<AudioSink> {
  const file = await createFile(path);
  try {
    await writeAll(file, wavHead(0), 0);
  } catch (error) {
    await file.close();
    throw translate(error);
  }
  return new WavFile(shown(basename(path)), file, mostBytes);
}

/** Makes a file that was not there, for its owner alone. @throws as `openWav` */
export async function createFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx', 0o600);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const name = shown(basename(path));
    if (code === 'EEXIST')
      throw new ClchatError('ALREADY', `There is a file "${name}" already.`, { cause: error });
    if (code === 'ENOENT' || code === 'ENOTDIR')
      throw new ClchatError('NO_SUCH_FILE', `There is no directory to write "${name}" into.`, {
        cause: error,
      });
    throw translate(error);
  }
}

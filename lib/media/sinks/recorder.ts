/** Picture and sound of a call, written into one file. */
import { extname, basename, resolve } from 'node:path';
import { ClchatError } from '../../errors.ts';
import { ask, type Host } from '../devices/host.ts';
import { ffmpegIsMissing, shown } from '../devices/refusals.ts';
import { Ffmpeg } from '../ffmpeg.ts';
import {
  pictureBytes,
  SOUND_MS,
  SOUND_SAMPLES,
  type PictureSize,
  type Sound,
  type VideoFrame,
} from '../frames.ts';
import { scale } from '../video/scale.ts';
import { Ending } from './ending.ts';
import { matroskaBlockHead, matroskaHead, PICTURE_TRACK, SOUND_TRACK } from './matroska.ts';
import { createFile, openWav } from './wav.ts';

export interface Recorder {
  readonly label: string;
  /** Never waits: what cannot be taken at once is left out. */
  writePicture(frame: VideoFrame): void;
  writeSound(sound: Sound): void;
  /** Called once if it ends by itself, with a coded error: DISK_FULL, NO_DEVICE… */
  onEnd(listener: (error: Error) => void): void;
  /** Finishes the file. May be called any number of times. */
  close(): Promise<void>;
}

interface Encoder {
  readonly name: string;
  readonly options: readonly string[];
}

const encoder = (name: string, ...options: string[]): Encoder => ({ name, options });

const MEGABIT = ['-b:v', '1M'];
const VP8 = encoder('libvpx', ...MEGABIT, '-deadline', 'realtime', '-cpu-used', '8');
/** For players that know little; what ffmpeg is built with differs. */
const FOR_MP4 = [
  encoder('libx264', '-preset', 'ultrafast', '-tune', 'zerolatency'),
  encoder('h264_videotoolbox', ...MEGABIT),
  encoder('libopenh264', ...MEGABIT),
  encoder('mpeg4', '-q:v', '5'),
];
const OPUS = encoder('libopus', '-b:a', '32k');
const AAC = encoder('aac', '-b:a', '64k');

interface Container {
  readonly video: readonly Encoder[];
  readonly audio: readonly Encoder[];
  readonly options: readonly string[];
}

/** By the end of a file's name. All can be played when the writing stops at any moment. */
const CONTAINERS: Readonly<Record<string, Container>> = {
  '.mkv': { video: [VP8, ...FOR_MP4], audio: [OPUS, AAC], options: ['-f', 'matroska'] },
  '.webm': { video: [VP8], audio: [OPUS], options: ['-f', 'webm'] },
  '.mp4': {
    video: FOR_MP4,
    audio: [AAC],
    options: ['-f', 'mp4', '-movflags', 'frag_keyframe+empty_moov+default_base_moof'],
  },
};

/** Seconds of a recording that may be lost with the program. */
const KEY_FRAME_SECONDS = 2;
/** How far the time of sounds may go from the clock's before it is set right, in milliseconds. */
const MOST_OFF_MS = 100;
/** How long the program has to finish the file, in milliseconds. */
const FINISH_MS = 2_500;
/** Bytes of sound that wait, besides two pictures: ten seconds. */
const MOST_SOUND_WAITING = 1_000_000;

/** @throws NO_DEVICE where there is no ffmpeg, NOT_SUPPORTED where it cannot write that */
async function outputFor(host: Host, path: string, fps: number): Promise<string[]> {
  const end = extname(path).toLowerCase();
  const container = CONTAINERS[end];
  if (container === undefined)
    throw new ClchatError(
      'USAGE',
      'A recording goes into a file whose name ends in .mkv, .webm, .mp4, or .wav (sound alone).',
    );
  const { output, isMissing } = await ask(host, host.ffmpeg, ['-hide_banner', '-encoders']);
  if (isMissing) throw ffmpegIsMissing(host.platform);
  const known = new Set(output.split('\n').map((line) => line.trim().split(/\s+/)[1]));
  const [video, audio] = [container.video, container.audio].map((those) =>
    those.find(({ name }) => known.has(name)),
  );
  if (video === undefined || audio === undefined)
    throw new ClchatError('NOT_SUPPORTED', `The ffmpeg that is installed cannot write ${end}.`);
  return [
    ...['-c:v', video.name, ...video.options, '-pix_fmt', 'yuv420p'],
    ...['-g', `${Math.ceil(KEY_FRAME_SECONDS * fps)}`],
    // Sounds that are missing become silence.
    ...['-c:a', audio.name, ...audio.options, '-af', 'aresample=async=1:first_pts=0'],
    ...container.options,
    // The file is there, made for its owner alone.
    ...['-flush_packets', '1', '-y', `file:${resolve(path)}`],
  ];
}

class FileRecorder implements Recorder {
  readonly label: string;
  readonly #program: Ffmpeg;
  readonly #size: PictureSize;
  readonly #ending = new Ending();
  readonly #start = performance.now();
  readonly #mostWaiting: number;
  #soundTime = 0;
  #closing: Promise<void> | undefined;

  constructor(label: string, program: Ffmpeg, size: PictureSize) {
    this.label = label;
    this.#program = program;
    this.#size = size;
    this.#mostWaiting = 2 * pictureBytes(size.width, size.height);
    void program.ended.then(() => this.#ending.fail(this.#failure()));
    program.output.resume();
    program.input.write(matroskaHead(size));
    // Nothing is written before there is something of both.
    this.writePicture(black(size));
    this.writeSound(new Int16Array(SOUND_SAMPLES));
  }

  #failure(): ClchatError {
    if (this.#program.complainsOf(/No space left on device|Disk quota exceeded/))
      return new ClchatError('DISK_FULL');
    return this.#program.failure(`${this.label} cannot be written any further`);
  }

  #now(): number {
    return performance.now() - this.#start;
  }

  writePicture(frame: VideoFrame): void {
    if (this.#ending.isOver || this.#program.input.writableLength > this.#mostWaiting) return;
    const { width, height } = this.#size;
    this.#write(PICTURE_TRACK, this.#now(), scale(frame, width, height).data);
  }

  writeSound(sound: Sound): void {
    const most = this.#mostWaiting + MOST_SOUND_WAITING;
    if (this.#ending.isOver || this.#program.input.writableLength > most) return;
    const now = this.#now();
    // Sounds come when this process gets round to it; what they hold is even.
    if (Math.abs(now - this.#soundTime) > MOST_OFF_MS) this.#soundTime = now;
    // The samples are the writer's to use again.
    this.#write(SOUND_TRACK, this.#soundTime, new Uint8Array(Int16Array.from(sound).buffer));
    this.#soundTime += SOUND_MS;
  }

  #write(track: number, time: number, bytes: Uint8Array): void {
    const { input } = this.#program;
    input.write(matroskaBlockHead(track, time, bytes.length));
    input.write(bytes);
  }

  onEnd(listener: (error: Error) => void): void {
    this.#ending.listen(listener);
  }

  close(): Promise<void> {
    this.#ending.close();
    this.#closing ??= this.#program.finish(FINISH_MS);
    return this.#closing;
  }
}

function black({ width, height }: PictureSize): VideoFrame {
  const data = new Uint8Array(pictureBytes(width, height));
  data.fill(16, 0, width * height);
  data.fill(128, width * height);
  return { width, height, data, time: 0 };
}

/** Sound alone, without any program. */
async function openSoundRecorder(path: string): Promise<Recorder> {
  const file = await openWav(path);
  return {
    label: file.label,
    writePicture: () => undefined,
    writeSound: (sound) => file.write(sound),
    onEnd: (listener) => file.onEnd(listener),
    close: () => file.close(),
  };
}

/**
 * @param path ends in .mkv, .webm, .mp4, or .wav; a file that exists is not touched
 * @param size of the pictures; others are stretched to it
 * @throws ALREADY, USAGE for another end, NO_SUCH_FILE where there is no such directory, NO_DEVICE
 * where there is no ffmpeg, NOT_SUPPORTED where it cannot write that, DATA_READ_ONLY, DISK_FULL
 */
export async function openRecorderFile(
  host: Host,
  path: string,
  size: PictureSize,
): Promise<Recorder> {
  if (extname(path).toLowerCase() === '.wav') return openSoundRecorder(path);
  const output = await outputFor(host, path, size.fps);
  await (await createFile(path)).close();
  const program = new Ffmpeg(host, ['-f', 'matroska', '-i', 'pipe:0', ...output]);
  return new FileRecorder(shown(basename(path)), program, size);
}

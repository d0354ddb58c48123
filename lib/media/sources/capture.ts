/** Pictures and sound that ffmpeg reads: from devices, screens and files. */
import { translate } from '../../errors.ts';
import { firstToOpen } from '../devices/attempts.ts';
import type { Host } from '../devices/host.ts';
import { Pacer } from '../engine/pace.ts';
import { Ffmpeg } from '../ffmpeg.ts';
import { SAMPLE_RATE, type PictureSize, type Sound, type VideoFrame } from '../frames.ts';
import type { AudioSource, VideoSource } from '../streams.ts';
import { FedSource } from './fed-source.ts';
import { PictureCutter, PICTURES_WAITING } from './picture-cutter.ts';
import { SoundCutter, SOUNDS_WAITING } from './sound-cutter.ts';

export interface CaptureOptions {
  readonly host: Host;
  /** What it is, for people. */
  readonly label: string;
  /**
   * Arguments of ffmpeg that name the input, `-i` and the options before it. Where there are
   * several, those that come later are tried when the ones before do not open.
   */
  readonly inputs: readonly (readonly string[])[];
  /** What people can do where nothing comes, and no error either. */
  readonly hint?: string | undefined;
  readonly openMs?: number | undefined;
  readonly stallMs?: number | undefined;
}

/** Pictures of square pixels within a size, of the same proportions, in I420 by BT.601. */
function pictureOutput({ width, height, fps }: PictureSize): string[] {
  const filters = [
    'scale=w=iw*sar:h=ih',
    `scale=w='min(${width},iw)':h='min(${height},ih)':force_original_aspect_ratio=decrease` +
      ':force_divisible_by=2:flags=bilinear:out_color_matrix=bt601:out_range=tv',
    'setsar=1',
    'format=yuv420p',
  ].join(',');
  const what = ['-map', '0:v:0', '-vf', filters, '-fpsmax', `${fps}`];
  return [...what, '-f', 'yuv4mpegpipe', 'pipe:1'];
}

function soundOutput(): string[] {
  const what = ['-map', '0:a:0', '-ac', '1', '-ar', `${SAMPLE_RATE}`, '-flush_packets', '1'];
  return [...what, '-f', 's16le', 'pipe:1'];
}

class CapturedPictures extends FedSource<VideoFrame> implements VideoSource {
  readonly #pacer = new Pacer();
  #fps = Infinity;

  want({ fps }: PictureSize): void {
    this.#fps = fps;
  }

  protected override isWanted(): boolean {
    return this.#fps === Infinity || this.#pacer.isDue(performance.now(), this.#fps);
  }
}

/** Feeds a source with what a program writes. */
function feed<Frame>(
  program: Ffmpeg,
  source: FedSource<Frame>,
  what: string,
  take: (chunk: Uint8Array, give: (frame: Frame) => void) => void,
): void {
  const give = (frame: Frame): void => source.give(frame);
  program.output.on('data', (chunk: Buffer) => {
    try {
      take(chunk, give);
    } catch (error) {
      source.fail(translate(error));
      void program.close();
    }
  });
  void program.ended.then(() => source.fail(program.failure(what)));
}

/** How it is said that nothing came. */
const late = ({ label, hint = '' }: CaptureOptions): string =>
  `${label} gives nothing. ${hint}`.trim();

/**
 * @param size at most
 * @throws NO_DEVICE, also where there is no ffmpeg
 */
export async function openPictures(
  options: CaptureOptions,
  size: PictureSize,
): Promise<VideoSource> {
  const { host, label, inputs, openMs, stallMs } = options;
  const ways = inputs.map((input) => (milliseconds: number) => {
    const program = new Ffmpeg(host, [...input, ...pictureOutput(size)]);
    const release = (): Promise<void> => program.close();
    const source = new CapturedPictures({ label, most: PICTURES_WAITING, release, stallMs });
    const cutter = new PictureCutter();
    feed(program, source, `${label} gives no pictures`, (chunk, give) => cutter.take(chunk, give));
    return source.begun(milliseconds, late(options));
  });
  return firstToOpen(ways, openMs);
}

/** @throws NO_DEVICE, also where there is no ffmpeg */
export async function openSound(options: CaptureOptions): Promise<AudioSource> {
  const { host, label, inputs, openMs, stallMs } = options;
  const ways = inputs.map((input) => async (milliseconds: number): Promise<AudioSource> => {
    const program = new Ffmpeg(host, [...input, ...soundOutput()]);
    const release = (): Promise<void> => program.close();
    const source = new FedSource<Sound>({ label, most: SOUNDS_WAITING, release, stallMs });
    const cutter = new SoundCutter();
    feed(program, source, `${label} gives no sound`, (chunk, give) => cutter.take(chunk, give));
    return source.begun(milliseconds, late(options));
  });
  return firstToOpen(ways, openMs);
}

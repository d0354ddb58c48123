/**
 * Whether the beginning of a file is an image, and how large. What a header says is only told, and
 * nothing is made as large as it says.
 */
import { createContext, Script } from 'node:vm';
import type { imageSize } from 'image-size';

/** Bytes of a file's beginning that are looked at: a photograph's own preview comes first. */
export const IMAGE_HEADER = 512 * 1024;
/** Widest and highest that is believed, in pixels. */
const MAX_PIXELS = 65_535;
/** How long a header may be looked at, in milliseconds; a good one takes less than one. */
const PATIENCE_MS = 250;
/** Orientations of a photograph by which it lies on its side. */
const FIRST_SIDEWAYS = 5;

export interface ImageFacts {
  /** Media type. */
  readonly type: string;
  /** In pixels, as it is shown. */
  readonly width: number;
  readonly height: number;
}

/** By what the library calls it. Formats that begin like anything else are not guessed. */
const TYPES: Readonly<Record<string, string>> = {
  avif: 'image/avif',
  bmp: 'image/bmp',
  gif: 'image/gif',
  heic: 'image/heic',
  heif: 'image/heif',
  ico: 'image/x-icon',
  jpg: 'image/jpeg',
  jxl: 'image/jxl',
  'jxl-stream': 'image/jxl',
  png: 'image/png',
  psd: 'image/vnd.adobe.photoshop',
  svg: 'image/svg+xml',
  tiff: 'image/tiff',
  webp: 'image/webp',
};

/**
 * @param header the first `IMAGE_HEADER` bytes of a file, or all of a shorter one
 * @returns undefined where it is no image, or says nothing sensible. Never rejects, and takes at most
 *   a quarter of a second whatever the bytes are.
 */
export async function imageFacts(header: Uint8Array): Promise<ImageFacts | undefined> {
  const { imageSize: measure } = await import('image-size');
  // In a buffer of its own: the library looks beyond the end of a part of one.
  const found = bounded(measure, Uint8Array.from(header.subarray(0, IMAGE_HEADER)));
  if (found === undefined) return undefined;
  const type = Object.hasOwn(TYPES, found.type ?? '') ? TYPES[found.type ?? ''] : undefined;
  const sides = [found.width, found.height];
  if (type === undefined || !sides.every(isSensible)) return undefined;
  const isSideways = (found.orientation ?? 0) >= FIRST_SIDEWAYS;
  const [width, height] = (isSideways ? sides.reverse() : sides) as [number, number];
  return { type, width, height };
}

const isSensible = (side: unknown): boolean =>
  Number.isInteger(side) && (side as number) > 0 && (side as number) <= MAX_PIXELS;

type Measure = typeof imageSize;

/** Code that runs here is ended after a time; what it calls is everybody's. */
let sandbox: { measure?: () => ReturnType<Measure> } | undefined;
const CALL = new Script('measure()');

/** Ends the library where it takes too long: there are headers over which it would sit for seconds. */
function bounded(measure: Measure, header: Uint8Array): ReturnType<Measure> | undefined {
  sandbox ??= createContext({});
  sandbox.measure = () => measure(header);
  try {
    return CALL.runInContext(sandbox, { timeout: PATIENCE_MS }) as ReturnType<Measure>;
  } catch {
    // No image, one cut short, or one made to be hard to read: all the same to whoever sends it.
    return undefined;
  } finally {
    delete sandbox.measure;
  }
}

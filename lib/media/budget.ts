/** How many bits a second go to each of the others, by what they want to see of this side. */
import { soundPacketMs, type Limits } from './description.ts';
import type { PictureSize } from './frames.ts';

/** Bits for each pixel of a moving picture: what VP8 needs for one that is good to look at. */
const BITS_PER_PIXEL = 0.11;
/** The library makes no fewer, whatever it is told: what is allowed has to be more than it sends. */
const LEAST_PICTURE = 30_000;
const MOST_PICTURE = 2_500_000;
/** Room for the first one is there before any is wanted. */
const NO_PICTURE: PictureSize = { width: 0, height: 0, fps: 15 };
/** Between a rate and the next, so that small changes of a size change nothing. */
const STEP = 1.5;

/**
 * Opus: clear speech with so many others, and beyond that many, as each gets a copy of its own. Below
 * 24,000 bits a second it takes another way of coding, at twice the time.
 */
const FEW = 4;
const SOUND_OF_FEW = 40_000;
const SOUND_OF_MANY = 24_000;

/**
 * What a packet has besides its content, in bits: IP, UDP, RTP, its extensions and its seal. The library
 * counts them against the limit, and where it is too low packets wait for seconds.
 */
const HEADERS = 8 * 64;
/** Content of a packet that is full, in bits. */
const FULL_PACKET = 8 * 1_000;
/** For what is sent again, and for pictures that are larger than others. */
const RESERVE = 1.15;

/** @returns bits a second with all headers */
const packed = (bits: number, packets: number): number => RESERVE * (bits + packets * HEADERS);

function pictureBits({ width, height, fps }: PictureSize): number {
  const wanted = width * height * fps * BITS_PER_PIXEL;
  const steps = Math.ceil(Math.log(wanted / LEAST_PICTURE) / Math.log(STEP));
  const bits = LEAST_PICTURE * STEP ** Math.max(0, steps);
  const content = Math.min(bits, MOST_PICTURE);
  return packed(content, Math.max(fps, content / FULL_PACKET));
}

/** How one side wants to see the other; null: not at all. */
export interface Wanted {
  readonly camera: PictureSize | null;
  readonly screen: PictureSize | null;
}

/**
 * @param wanted by the other side
 * @param others in the call
 */
export function budgetFor({ camera, screen }: Wanted, others: number): Limits {
  const sound = others <= FEW ? SOUND_OF_FEW : SOUND_OF_MANY;
  const sizes = [camera, screen].filter((size) => size !== null);
  const pictures = (sizes.length > 0 ? sizes : [NO_PICTURE]).map(pictureBits);
  const all = pictures.reduce(
    (sum, bits) => sum + bits,
    packed(sound, 1_000 / soundPacketMs(sound)),
  );
  return { sound, all: Math.round(all) };
}

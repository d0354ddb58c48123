/** Pictures for tests of what is drawn in a terminal. */
import { pictureBytes, type VideoFrame } from '../../lib/media/frames.ts';

/** Red, green and blue, of 0 to 255. */
export type Colour = readonly [red: number, green: number, blue: number];

export const BLACK: Colour = [0, 0, 0];
export const WHITE: Colour = [255, 255, 255];

/** BT.601, limited range. */
function lumaOf([red, green, blue]: Colour): number {
  return 16 + (65.481 * red + 128.553 * green + 24.966 * blue) / 255;
}

function chromaOf([red, green, blue]: Colour): [blue: number, red: number] {
  return [
    128 + (-37.797 * red - 74.203 * green + 112 * blue) / 255,
    128 + (112 * red - 93.786 * green - 18.214 * blue) / 255,
  ];
}

/** A picture whose pixels have the colours that a function says. */
export function pictureOf(
  width: number,
  height: number,
  colourAt: (x: number, y: number) => Colour,
): VideoFrame {
  const data = new Uint8Array(pictureBytes(width, height));
  const half = Math.ceil(width / 2);
  const [blue, red] = [width * height, width * height + half * Math.ceil(height / 2)];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const colour = colourAt(x, y);
      data[y * width + x] = Math.round(lumaOf(colour));
      if (x % 2 !== 0 || y % 2 !== 0) continue;
      // Of four pixels with the same chroma, the first one speaks for all.
      const at = (y / 2) * half + x / 2;
      const chroma = chromaOf(colour);
      data[blue + at] = Math.round(chroma[0]);
      data[red + at] = Math.round(chroma[1]);
    }
  return { width, height, data, time: 0 };
}

/** A picture of a single colour. */
export function plain(width: number, height: number, colour: Colour): VideoFrame {
  const data = new Uint8Array(pictureBytes(width, height));
  const [blue, red] = chromaOf(colour);
  const pixels = width * height;
  const half = pixels + (data.length - pixels) / 2;
  data.fill(Math.round(lumaOf(colour)), 0, pixels);
  data.fill(Math.round(blue), pixels, half).fill(Math.round(red), half);
  return { width, height, data, time: 0 };
}

/** A picture of which the left upper, right upper, left lower and right lower quarters are such. */
export function quarters(width: number, height: number, colours: readonly Colour[]): VideoFrame {
  return pictureOf(
    width,
    height,
    (x, y) => colours[2 * Number(y >= height / 2) + Number(x >= width / 2)] ?? BLACK,
  );
}

/** Waves of colour that move with the number of the picture; with some noise, as cameras have. */
export function waves(width: number, height: number, number: number): VideoFrame {
  let noise = number + 1;
  return pictureOf(width, height, (x, y) => {
    noise = (noise * 1_103_515_245 + 12_345) & 0x7fffffff;
    const rough = (noise >> 16) % 7;
    return [
      110 + rough + 90 * Math.sin((x + 7 * number) / (width / 9)),
      110 + rough + 90 * Math.cos((y + 3 * number) / (height / 7)),
      110 + rough + 90 * Math.sin((x + y - 5 * number) / (width / 5)),
    ];
  });
}

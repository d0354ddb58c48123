/** The 240 of 256 colours that mean the same in every terminal, and which is nearest to a given one. */

/** Red, green and blue of the cube: 6 × 6 × 6 colours from 16 on. */
const CUBE = [0, 95, 135, 175, 215, 255] as const;
const FIRST_OF_CUBE = 16;
/** 24 greys, from 232 on: 8, 18, 28… */
const FIRST_GREY = 232;
const GREYS = 24;

/** How much red, green and blue weigh in what looks alike. */
const WEIGHTS = [2 / 9, 4 / 9, 3 / 9] as const;

/** Bits of each of red, green and blue by which the table is asked. */
const BITS = 5;
const STEPS = 1 << BITS;

/**
 * Red, green and blue of a colour of the palette.
 * @param colour from 16 to 255
 */
export function paletteColour(colour: number): [red: number, green: number, blue: number] {
  if (colour >= FIRST_GREY) {
    const grey = 8 + 10 * (colour - FIRST_GREY);
    return [grey, grey, grey];
  }
  const index = colour - FIRST_OF_CUBE;
  const level = (step: number): number => CUBE[Math.floor(index / step) % CUBE.length] ?? 0;
  return [level(36), level(6), level(1)];
}

type Colour = readonly [red: number, green: number, blue: number];

/** How unlike two colours are. */
export function unlikeness(one: Colour, other: Colour): number {
  return (
    WEIGHTS[0] * (one[0] - other[0]) ** 2 +
    WEIGHTS[1] * (one[1] - other[1]) ** 2 +
    WEIGHTS[2] * (one[2] - other[2]) ** 2
  );
}

/** The step of the cube that is nearest to a value. */
function nearestLevel(value: number): number {
  const above = CUBE.findIndex((level) => level >= value);
  return above > 0 && value - CUBE[above - 1]! < CUBE[above]! - value ? above - 1 : above;
}

/**
 * The nearest colour of the palette. Of the cube it is the one that is nearest in each of red, green
 * and blue; of the greys it is the one that is nearest to their weighted mean.
 */
function nearest(colour: Colour): number {
  const [red, green, blue] = colour;
  const ofCube =
    FIRST_OF_CUBE + 36 * nearestLevel(red) + 6 * nearestLevel(green) + nearestLevel(blue);
  const mean = WEIGHTS[0] * red + WEIGHTS[1] * green + WEIGHTS[2] * blue;
  const grey = FIRST_GREY + Math.min(GREYS - 1, Math.max(0, Math.round((mean - 8) / 10)));
  const isGrey =
    unlikeness(colour, paletteColour(grey)) < unlikeness(colour, paletteColour(ofCube));
  return isGrey ? grey : ofCube;
}

let table: Uint8Array | undefined;

/** The nearest colours of the palette, by `paletteIndex`. */
export function nearestColours(): Uint8Array {
  if (table !== undefined) return table;
  table = new Uint8Array(STEPS ** 3);
  // Spread over the whole range, so that black and white are met exactly.
  const value = (step: number): number => (step * 255) / (STEPS - 1);
  for (let red = 0; red < STEPS; red++)
    for (let green = 0; green < STEPS; green++)
      for (let blue = 0; blue < STEPS; blue++)
        table[(red << (2 * BITS)) | (green << BITS) | blue] = nearest([
          value(red),
          value(green),
          value(blue),
        ]);
  return table;
}

/** Where the table has the colour that is nearest to one of 0 to 255 each. */
export function paletteIndex(red: number, green: number, blue: number): number {
  const shift = 8 - BITS;
  return ((red >> shift) << (2 * BITS)) | ((green >> shift) << BITS) | (blue >> shift);
}

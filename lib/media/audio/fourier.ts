/** Which frequencies there are in samples. */

/**
 * The power of each frequency.
 * @param samples as many as a power of two
 * @returns one for each multiple of the rate divided by their number, up to half the rate
 */
export function powerSpectrum(samples: Float64Array): Float64Array {
  const size = samples.length;
  const real = samples.slice();
  const imaginary = new Float64Array(size);
  reorder(real);
  for (let half = 1; half < size; half *= 2) {
    const [turnReal, turnImaginary] = [Math.cos(Math.PI / half), -Math.sin(Math.PI / half)];
    let [cosine, sine] = [1, 0];
    for (let offset = 0; offset < half; offset++) {
      for (let even = offset; even < size; even += 2 * half) {
        const odd = even + half;
        const turnedReal = real[odd]! * cosine - imaginary[odd]! * sine;
        const turnedImaginary = real[odd]! * sine + imaginary[odd]! * cosine;
        real[odd] = real[even]! - turnedReal;
        imaginary[odd] = imaginary[even]! - turnedImaginary;
        real[even]! += turnedReal;
        imaginary[even]! += turnedImaginary;
      }
      [cosine, sine] = [
        cosine * turnReal - sine * turnImaginary,
        cosine * turnImaginary + sine * turnReal,
      ];
    }
  }
  const power = new Float64Array(size / 2 + 1);
  for (let n = 0; n < power.length; n++) power[n] = real[n]! ** 2 + imaginary[n]! ** 2;
  return power;
}

/** Puts each to where the bits of its index, read backwards, say. */
function reorder(values: Float64Array): void {
  for (let index = 0, reversed = 0; index < values.length; index++) {
    if (index < reversed) {
      const value = values[index]!;
      values[index] = values[reversed]!;
      values[reversed] = value;
    }
    let bit = values.length >> 1;
    for (; (reversed & bit) !== 0; bit >>= 1) reversed ^= bit;
    reversed ^= bit;
  }
}

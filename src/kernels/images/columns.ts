import { inside, type Windows } from './windows.ts';

export type Floats = Float64Array | Float32Array;

/** Some rows of the places of a window. */
export interface Band {
  readonly from: number;
  readonly to: number;
}

/**
 * What is under the window, place after place in the columns of a matrix: a row for each element of the window, of each channel. With it a
 * convolution is a product of matrices. What lies beyond the image is 0.
 */
export function toColumns(image: Floats, at: number, channels: number, w: Windows, band: Band, into: Floats): void {
  const { height, width, along } = w;
  const [down, right] = w.stride;
  let to = 0;
  eachOffset(channels, w, (plane, above, before) => {
    const [first, last] = inside(before, right, width, along);
    for (let p = band.from; p < band.to; p++, to += along) {
      const row = p * down + above;
      if (row < 0 || row >= height || first === last) {
        into.fill(0, to, to + along);
        continue;
      }
      const from = at + (plane * height + row) * width + before;
      for (let q = 0; q < first; q++) into[to + q] = 0;
      if (right === 1) for (let q = first; q < last; q++) into[to + q] = image[from + q] as number;
      else for (let q = first; q < last; q++) into[to + q] = image[from + q * right] as number;
      for (let q = last; q < along; q++) into[to + q] = 0;
    }
  });
}

/** The other way: each element of the columns is added where it came from. */
export function addColumns(from: Floats, channels: number, w: Windows, band: Band, image: Floats, at: number): void {
  const { height, width, along } = w;
  const [down, right] = w.stride;
  let next = 0;
  eachOffset(channels, w, (plane, above, before) => {
    const [first, last] = inside(before, right, width, along);
    for (let p = band.from; p < band.to; p++, next += along) {
      const row = p * down + above;
      if (row < 0 || row >= height) continue;
      const to = at + (plane * height + row) * width + before;
      for (let q = first; q < last; q++) image[to + q * right]! += from[next + q] as number;
    }
  });
}

/** Each element of the window, of each channel, by how far it is from the upper left corner of the image at the first place. */
function eachOffset(channels: number, w: Windows, work: (plane: number, above: number, before: number) => void): void {
  const [rows, columns] = w.size;
  for (let plane = 0; plane < channels; plane++) {
    for (let r = 0; r < rows; r++) {
      for (let s = 0; s < columns; s++) work(plane, r - w.padding[0], s - w.padding[1]);
    }
  }
}

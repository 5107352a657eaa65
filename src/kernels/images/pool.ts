import type { Floats } from './columns.ts';
import type { Windows } from './windows.ts';

/** Where a window is, the part of it that lies within the image: from, to of rows, from, to of columns. */
type Part = (from: number, to: number, first: number, last: number, place: number) => void;

/** Every place of the window, in the order of rows. */
function eachPlace({ height, width, size, stride, padding, down, along }: Windows, work: Part): void {
  for (let p = 0, place = 0; p < down; p++) {
    const top = p * stride[0] - padding[0];
    const [from, to] = [Math.max(0, top), Math.min(height, top + size[0])];
    for (let q = 0; q < along; q++) {
      const left = q * stride[1] - padding[1];
      work(from, to, Math.max(0, left), Math.min(width, left + size[1]), place++);
    }
  }
}

/** Plane after plane, with where each begins in the images, and among the results. */
function eachPlane(planes: number, w: Windows, work: (from: number, to: number) => void): void {
  for (let i = 0; i < planes; i++) work(i * w.height * w.width, i * w.down * w.along);
}

/** The greatest element under the window; NaN wins. What lies beyond the image does not count. */
export function maxPool(planes: number, w: Windows, x: Floats, into: Floats): void {
  eachPlane(planes, w, (at, result) =>
    eachPlace(w, (from, to, first, last, place) => {
      let best = Number.NEGATIVE_INFINITY;
      for (let i = from; i < to; i++) {
        for (let j = at + i * w.width + first, end = at + i * w.width + last; j < end; j++) {
          const own = x[j] as number;
          if (!(own <= best) && !Number.isNaN(best)) best = own;
        }
      }
      into[result + place] = best;
    }),
  );
}

/** The gradient by the images: all of it goes to the greatest element under the window, the first one of equal ones. */
export function maxPoolBackward(planes: number, w: Windows, dy: Floats, x: Floats, into: Floats): void {
  into.fill(0);
  eachPlane(planes, w, (at, result) =>
    eachPlace(w, (from, to, first, last, place) => {
      let chosen = at + from * w.width + first;
      let best = x[chosen] as number;
      for (let i = from; i < to; i++) {
        for (let j = at + i * w.width + first, end = at + i * w.width + last; j < end; j++) {
          const own = x[j] as number;
          if (own <= best || Number.isNaN(best)) continue;
          best = own;
          chosen = j;
        }
      }
      into[chosen]! += dy[result + place] as number;
    }),
  );
}

/** By how many the sum under the window is divided. `counted`: what lies beyond the image counts as zeros. */
const shareOf = ({ size }: Windows, counted: boolean, elements: number): number =>
  counted ? size[0] * size[1] : elements;

/** The mean of what is under the window. */
export function averagePool(planes: number, w: Windows, counted: boolean, x: Floats, into: Floats): void {
  eachPlane(planes, w, (at, result) =>
    eachPlace(w, (from, to, first, last, place) => {
      let sum = 0;
      for (let i = from; i < to; i++) {
        for (let j = at + i * w.width + first, end = at + i * w.width + last; j < end; j++) sum += x[j] as number;
      }
      into[result + place] = sum / shareOf(w, counted, (to - from) * (last - first));
    }),
  );
}

/** The gradient by the images: each element under the window gets its share. */
export function averagePoolBackward(planes: number, w: Windows, counted: boolean, dy: Floats, into: Floats): void {
  into.fill(0);
  eachPlane(planes, w, (at, result) =>
    eachPlace(w, (from, to, first, last, place) => {
      const own = (dy[result + place] as number) / shareOf(w, counted, (to - from) * (last - first));
      for (let i = from; i < to; i++) {
        for (let j = at + i * w.width + first, end = at + i * w.width + last; j < end; j++) into[j]! += own;
      }
    }),
  );
}

import { Matmul } from '../matmul/index.ts';
import { addColumns, type Band, type Floats, toColumns } from './columns.ts';
import type { Windows } from './windows.ts';

/** Images as they lie: one after the other, each channel by channel, those row by row. */
export interface Stack {
  readonly images: number;
  readonly channels: number;
  readonly filters: number;
  readonly windows: Windows;
}

/** So many elements of columns are made at once: they stay in the cache until they are multiplied. */
const BLOCK = 1 << 18;

let matmul: Matmul | undefined;
const product = (): Matmul => {
  matmul ??= new Matmul();
  return matmul;
};

const like = (x: Floats, length: number): Floats =>
  x instanceof Float64Array ? new Float64Array(length) : new Float32Array(length);

/** Rows of the matrix that a filter is. */
const depthOf = ({ channels, windows: { size } }: Stack): number => channels * size[0] * size[1];

/** Image by image, and large ones band by band, with room for the columns of one. */
function eachBand(s: Stack, x: Floats, work: (image: number, band: Band, columns: Floats) => void): void {
  const { down, along } = s.windows;
  if (down === 0 || along === 0) return;
  const rows = Math.max(1, Math.min(down, Math.floor(BLOCK / Math.max(1, depthOf(s) * along))));
  const columns = like(x, depthOf(s) * rows * along);
  for (let image = 0; image < s.images; image++) {
    for (let from = 0; from < down; from += rows) work(image, { from, to: Math.min(down, from + rows) }, columns);
  }
}

/** What the convolution of an image gives at a band: a row for each filter. */
function bandOf(s: Stack, elements: Floats, image: number, { from }: Band) {
  const { down, along } = s.windows;
  return { elements, offset: image * s.filters * down * along + from * along, strides: [down * along, 1] };
}

const placesOf = ({ windows: { along } }: Stack, { from, to }: Band): number => (to - from) * along;
const startOf = ({ channels, windows: { height, width } }: Stack, image: number): number =>
  image * channels * height * width;

/** Each filter at each place of the window: the sum of the products with what is under it, and a bias for each filter. */
export function convolve(s: Stack, x: Floats, filters: Floats, bias: Floats | undefined, into: Floats): void {
  const depth = depthOf(s);
  const size = s.windows.down * s.windows.along;
  if (bias !== undefined) {
    for (let i = 0; i < s.images * s.filters; i++) into.fill(bias[i % s.filters] as number, i * size, (i + 1) * size);
  }
  const left = { elements: filters, offset: 0, strides: [depth, 1] };
  eachBand(s, x, (image, band, columns) => {
    toColumns(x, startOf(s, image), s.channels, s.windows, band, columns);
    const places = placesOf(s, band);
    const right = { elements: columns, offset: 0, strides: [places, 1] };
    product().run(left, right, bandOf(s, into, image, band), s.filters, depth, places, {
      accumulate: bias !== undefined,
    });
  });
}

/** The gradient by the images, from that by the result. */
export function convolveBackwardData(s: Stack, dy: Floats, filters: Floats, into: Floats): void {
  const depth = depthOf(s);
  into.fill(0);
  const left = { elements: filters, offset: 0, strides: [1, depth] };
  eachBand(s, dy, (image, band, columns) => {
    const places = placesOf(s, band);
    const to = { elements: columns, offset: 0, strides: [places, 1] };
    product().run(left, bandOf(s, dy, image, band), to, depth, s.filters, places);
    addColumns(columns, s.channels, s.windows, band, into, startOf(s, image));
  });
}

/** The gradient by the filters, from that by the result. */
export function convolveBackwardFilter(s: Stack, dy: Floats, x: Floats, into: Floats): void {
  const depth = depthOf(s);
  into.fill(0);
  const to = { elements: into, offset: 0, strides: [depth, 1] };
  eachBand(s, x, (image, band, columns) => {
    toColumns(x, startOf(s, image), s.channels, s.windows, band, columns);
    const places = placesOf(s, band);
    const right = { elements: columns, offset: 0, strides: [1, places] };
    product().run(bandOf(s, dy, image, band), right, to, s.filters, places, depth, { accumulate: true });
  });
}

/** A window that moves over images: how large both are, how far it moves each time, and how many zeros are thought around each image. */
export interface Windows {
  /** Rows and columns of an image. */
  readonly height: number;
  readonly width: number;
  /** Of the window. */
  readonly size: readonly [number, number];
  readonly stride: readonly [number, number];
  /** At either side. */
  readonly padding: readonly [number, number];
  /** How many places there are, one below the other and beside each other. */
  readonly down: number;
  readonly along: number;
}

/** How many places a window has along an axis; none, where it does not fit. */
export const placesOf = (length: number, size: number, stride: number, padding: number): number =>
  length + 2 * padding < size ? 0 : Math.floor((length + 2 * padding - size) / stride) + 1;

export function windowsOf(
  [height, width]: readonly [number, number],
  size: readonly [number, number],
  stride: readonly [number, number],
  padding: readonly [number, number],
): Windows {
  const down = placesOf(height, size[0], stride[0], padding[0]);
  const along = placesOf(width, size[1], stride[1], padding[1]);
  return { height, width, size, stride, padding, down, along };
}

/** The places, of `count`, at which what is `ahead` of the first one by so much lies within the axis: from the first up to the second. */
export function inside(ahead: number, stride: number, length: number, count: number): readonly [number, number] {
  const from = Math.max(0, Math.ceil(-ahead / stride));
  const to = Math.min(count, Math.ceil((length - ahead) / stride));
  return from < to ? [from, to] : [0, 0];
}

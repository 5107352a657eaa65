import { placesOf } from '../kernels/index.ts';
import { type Shape, shapeText } from '../nd/index.ts';
import type { Node, Params } from '../pipelines/index.ts';
import type { Arr } from './arr.ts';
import { badShapes, checkInteger, checkOptions } from './checks.ts';
import { nodeOf, wrap } from './lazy.ts';
import type { AvgPool2dOptions, Conv2dOptions, Extent, WindowOptions } from './network-types.ts';
import { checkKind, together } from './operations.ts';
import { call } from './routines.ts';
import type { Float } from './types.ts';

type Pair = readonly [number, number];

/** Rows and columns. */
function pairOf(operation: string, what: string, value: unknown, least: number): Pair {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value, value];
  if (list.length !== 2)
    throw badShapes(operation, `the ${what} are ${list.length} numbers; give rows and columns, or one number for both`);
  return [
    checkInteger(operation, `the ${what}`, list[0], least),
    checkInteger(operation, `the ${what}`, list[1], least),
  ];
}

/** @internal Images: four axes of floats. */
export function imagesOf(operation: string, node: Node, what = 'images'): Node {
  checkKind(operation, node.dtype, ['float']);
  if (node.shape.length === 4) return node;
  const axes = what === 'filters' ? 'filters, channels, rows and columns' : 'images, channels, rows and columns';
  throw badShapes(
    operation,
    `the ${what} have the shape ${shapeText(node.shape)}, and not four axes: ${axes}`,
    node.shape,
  );
}

/** How a window of a size moves over images of a shape, as the routines are told it, and the shape of what comes out. */
function moving(operation: string, o: WindowOptions, images: Shape, size: Pair, stride: Extent) {
  const steps = pairOf(operation, 'stride', o.stride ?? stride, 1);
  const padding = pairOf(operation, 'padding', o.padding ?? 0, 0);
  const [height, width] = images.slice(2) as unknown as Pair;
  const places: Pair = [
    placesOf(height, size[0], steps[0], padding[0]),
    placesOf(width, size[1], steps[1], padding[1]),
  ];
  if (places.includes(0)) {
    const around = padding[0] + padding[1] === 0 ? '' : `, with ${shapeText(padding)} around them`;
    throw badShapes(
      operation,
      `a window of ${shapeText(size)} does not fit into images of ${shapeText([height, width])}${around}`,
      images,
      size,
    );
  }
  return { params: { stride: steps, padding }, places };
}

const WINDOW = ['stride', 'padding'];

function checkGradient(operation: string, dy: Node, made: Shape): void {
  if (made.every((length, axis) => length === dy.shape[axis])) return;
  throw badShapes(
    operation,
    `the gradient has the shape ${shapeText(dy.shape)}, and the result it belongs to ${shapeText(made)}`,
    dy.shape,
    made,
  );
}

function checkChannels(operation: string, x: Shape, filters: Shape): void {
  if (x[1] === filters[1]) return;
  throw badShapes(
    operation,
    `the shapes ${shapeText(x)} and ${shapeText(filters)} don't fit together: images have ${x[1]} channels, and filters ${filters[1]}`,
    x,
    filters,
  );
}

const one = (routine: string, args: readonly Node[], params: Params, shape: Shape): Node =>
  call(routine, args, params, [{ shape, dtype: (args[0] as Node).dtype }])[0] as Node;

/**
 * The correlation of images with filters, which is called convolution: for each filter and each place of it, the sum of its products with
 * the image below it, over all channels.
 *
 * @param x images: which one, channels, rows, columns.
 * @param filters which one, channels, rows, columns.
 * @returns images with a channel for each filter.
 */
export function conv2d<T extends Float>(x: Arr<T>, filters: Arr<T>, o: Conv2dOptions<T> = {}): Arr<T> {
  const operation = 'conv2d';
  checkOptions(operation, o, ['bias', ...WINDOW]);
  const nodes = together(operation, o.bias === undefined ? [x, filters] : [x, filters, o.bias]) as [Node, Node, Node?];
  const [images, own, bias] = nodes;
  imagesOf(operation, images);
  const [count = 0, , ...size] = imagesOf(operation, own, 'filters').shape;
  checkChannels(operation, images.shape, own.shape);
  if (bias !== undefined && (bias.shape.length !== 1 || bias.shape[0] !== count)) {
    throw badShapes(
      operation,
      `the bias has the shape ${shapeText(bias.shape)}, and not one axis of ${count}, a number for each filter`,
      bias.shape,
    );
  }
  const { params, places } = moving(operation, o, images.shape, size as unknown as Pair, 1);
  const args = bias === undefined ? [images, own] : [images, own, bias];
  return wrap(one(operation, args, params, [images.shape[0] as number, count, ...places]));
}

/**
 * Of the gradient by the result of `conv2d`, that by its images.
 *
 * @param dy the gradient, of the shape of the result.
 * @param image how many rows and columns the images have.
 * @param o as `conv2d` had them.
 */
export function conv2dBackwardData<T extends Float>(
  dy: Arr<T>,
  filters: Arr<T>,
  image: Extent,
  o: WindowOptions = {},
): Arr<T> {
  const operation = 'conv2dBackwardData';
  checkOptions(operation, o, WINDOW);
  const [gradient, own] = together(operation, [dy, filters]) as [Node, Node];
  imagesOf(operation, gradient, 'gradients');
  const [count = 0, channels = 0, ...size] = imagesOf(operation, own, 'filters').shape;
  const extent = pairOf(operation, 'rows and columns of the images', image, 0);
  const shape = [gradient.shape[0] as number, channels, ...extent];
  const { params, places } = moving(operation, o, shape, size as unknown as Pair, 1);
  checkGradient(operation, gradient, [gradient.shape[0] as number, count, ...places]);
  return wrap(one(operation, [gradient, own], { ...params, image: extent }, shape));
}

/**
 * Of the gradient by the result of `conv2d`, that by its filters.
 *
 * @param dy the gradient, of the shape of the result.
 * @param x the images.
 * @param size how many rows and columns the filters have.
 * @param o as `conv2d` had them.
 */
export function conv2dBackwardFilter<T extends Float>(
  dy: Arr<T>,
  x: Arr<T>,
  size: Extent,
  o: WindowOptions = {},
): Arr<T> {
  const operation = 'conv2dBackwardFilter';
  checkOptions(operation, o, WINDOW);
  const [gradient, images] = together(operation, [dy, x]) as [Node, Node];
  const count = imagesOf(operation, gradient, 'gradients').shape[1] as number;
  imagesOf(operation, images);
  const extent = pairOf(operation, 'rows and columns of the filters', size, 1);
  const { params, places } = moving(operation, o, images.shape, extent, 1);
  checkGradient(operation, gradient, [images.shape[0] as number, count, ...places]);
  const shape = [count, images.shape[1] as number, ...extent];
  return wrap(one(operation, [gradient, images], { ...params, size: extent }, shape));
}

/** The window of a pool: it moves by its own size, if nothing else is said, and lies on some of each image everywhere. */
function pooling(operation: string, o: WindowOptions, images: Shape, size: Extent) {
  const extent = pairOf(operation, 'rows and columns of the window', size, 1);
  const { params, places } = moving(operation, o, images, extent, extent);
  if (params.padding.some((each, axis) => each >= (extent[axis] as number))) {
    throw badShapes(
      operation,
      `there are ${shapeText(params.padding)} around the images, and the window of ${shapeText(extent)} would lie beyond them; pad by less than its size`,
      params.padding,
      extent,
    );
  }
  return { params: { ...params, size: extent }, shape: [...images.slice(0, 2), ...places] };
}

/** The greatest element under a window, at each place of it. NaN wins; what lies beyond the image does not count. */
export function maxPool2d<T extends Float>(x: Arr<T>, size: Extent, o: WindowOptions = {}): Arr<T> {
  const operation = 'maxPool2d';
  checkOptions(operation, o, WINDOW);
  const images = imagesOf(operation, nodeOf(operation, x));
  const { params, shape } = pooling(operation, o, images.shape, size);
  return wrap(one(operation, [images], params, shape));
}

/** Of the gradient by the result of `maxPool2d`, that by its images `x`: it goes to the greatest element, the first of equal ones. */
export function maxPool2dBackward<T extends Float>(dy: Arr<T>, x: Arr<T>, size: Extent, o: WindowOptions = {}): Arr<T> {
  const operation = 'maxPool2dBackward';
  checkOptions(operation, o, WINDOW);
  const [gradient, images] = together(operation, [dy, x]) as [Node, Node];
  imagesOf(operation, images);
  const { params, shape } = pooling(operation, o, images.shape, size);
  checkGradient(operation, imagesOf(operation, gradient, 'gradients'), shape);
  return wrap(one(operation, [gradient, images], params, images.shape));
}

/** The mean of what is under a window, at each place of it. */
export function avgPool2d<T extends Float>(x: Arr<T>, size: Extent, o: AvgPool2dOptions = {}): Arr<T> {
  const operation = 'avgPool2d';
  checkOptions(operation, o, [...WINDOW, 'countPadding']);
  const images = imagesOf(operation, nodeOf(operation, x));
  const { params, shape } = pooling(operation, o, images.shape, size);
  return wrap(one(operation, [images], { ...params, countPadding: o.countPadding ?? true }, shape));
}

/** Of the gradient by the result of `avgPool2d`, that by its images `x`, of which the shape counts. */
export function avgPool2dBackward<T extends Float>(
  dy: Arr<T>,
  x: Arr<T>,
  size: Extent,
  o: AvgPool2dOptions = {},
): Arr<T> {
  const operation = 'avgPool2dBackward';
  checkOptions(operation, o, [...WINDOW, 'countPadding']);
  const [gradient, images] = together(operation, [dy, x]) as [Node, Node];
  imagesOf(operation, images);
  const { params, shape } = pooling(operation, o, images.shape, size);
  checkGradient(operation, imagesOf(operation, gradient, 'gradients'), shape);
  const image = images.shape.slice(2);
  return wrap(one(operation, [gradient], { ...params, image, countPadding: o.countPadding ?? true }, images.shape));
}

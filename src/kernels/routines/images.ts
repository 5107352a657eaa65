import type { Shape } from '../../nd/index.ts';
import {
  averagePool,
  averagePoolBackward,
  convolve,
  convolveBackwardData,
  convolveBackwardFilter,
  type Floats,
  maxPool,
  maxPoolBackward,
  type Stack,
  type Windows,
  windowsOf,
} from '../images/index.ts';
import { type ArrayType, type Dense, ofKind, type Params, type Routine, sameType, shapeError } from './routine.ts';

/**
 * Windows over images of floats, of the shape (images, channels, rows, columns). Params: `size` of the window, `stride` and `padding`, each of rows
 * and columns.
 */

type Pair = readonly [number, number];
const pair = (params: Params, name: string): Pair => params[name] as unknown as Pair;
const floats = ({ elements }: Dense): Floats => elements as Floats;

function fourAxes(operation: string, x: ArrayType): Shape {
  ofKind(operation, x, ['float']);
  if (x.shape.length !== 4) throw shapeError(operation, 'images, channels, rows and columns are needed', x.shape);
  return x.shape;
}

const windows = (shape: Shape, size: Pair, params: Params): Windows =>
  windowsOf(shape.slice(-2) as unknown as Pair, size, pair(params, 'stride'), pair(params, 'padding'));

/** Images and filters that fit, and the gradient of the result, if it is there. */
function stackOf(operation: string, images: Shape, filters: Shape, params: Params, result?: Shape): Stack {
  if (images[1] !== filters[1])
    throw shapeError(operation, 'images and filters need equally many channels', images, filters);
  const own = windows(images, filters.slice(-2) as unknown as Pair, params);
  const made = [images[0], filters[0], own.down, own.along];
  if (result?.some((length, axis) => length !== made[axis]))
    throw shapeError(operation, 'the gradient is not that of the result', result, made as number[]);
  return {
    images: images[0] as number,
    channels: images[1] as number,
    filters: filters[0] as number,
    windows: own,
  };
}

/** The convolution (in fact the correlation, as it is called so) of images with filters of the shape (filters, channels, rows, columns), and a bias for each, if it is given. */
const conv2d: Routine = {
  outputs([x, filters, bias], params) {
    const [images, own] = [fourAxes('conv2d', x!), fourAxes('conv2d', filters!)];
    sameType('conv2d', x!, filters!);
    if (bias !== undefined) {
      sameType('conv2d', x!, bias);
      if (bias.shape.length !== 1 || bias.shape[0] !== own[0])
        throw shapeError('conv2d', 'there is one bias for each filter', own, bias.shape);
    }
    const { windows } = stackOf('conv2d', images, own, params);
    return [{ shape: [images[0]!, own[0]!, windows.down, windows.along], dtype: x!.dtype }];
  },
  run([x, filters, bias], params, [into]) {
    const stack = stackOf('conv2d', x!.shape, filters!.shape, params);
    convolve(stack, floats(x!), floats(filters!), bias === undefined ? undefined : floats(bias), floats(into!));
  },
};

/** The gradient by the images: of the result's, and the filters. `image`: rows and columns of one. */
const conv2dBackwardData: Routine = {
  outputs([dy, filters], params) {
    const [result, own] = [fourAxes('conv2dBackwardData', dy!), fourAxes('conv2dBackwardData', filters!)];
    sameType('conv2dBackwardData', dy!, filters!);
    const shape = [result[0]!, own[1]!, ...pair(params, 'image')];
    stackOf('conv2dBackwardData', shape, own, params, result);
    return [{ shape, dtype: dy!.dtype }];
  },
  run([dy, filters], params, [into]) {
    const stack = stackOf('conv2dBackwardData', into!.shape, filters!.shape, params);
    convolveBackwardData(stack, floats(dy!), floats(filters!), floats(into!));
  },
};

/** The gradient by the filters: of the result's, and the images. */
const conv2dBackwardFilter: Routine = {
  outputs([dy, x], params) {
    const [result, images] = [fourAxes('conv2dBackwardFilter', dy!), fourAxes('conv2dBackwardFilter', x!)];
    sameType('conv2dBackwardFilter', dy!, x!);
    const shape = [result[1]!, images[1]!, ...pair(params, 'size')];
    stackOf('conv2dBackwardFilter', images, shape, params, result);
    return [{ shape, dtype: dy!.dtype }];
  },
  run([dy, x], params, [into]) {
    const stack = stackOf('conv2dBackwardFilter', x!.shape, into!.shape, params);
    convolveBackwardFilter(stack, floats(dy!), floats(x!), floats(into!));
  },
};

/** What is pooled: of every window one element. */
const pooling = (
  operation: string,
  run: (planes: number, w: Windows, params: Params, x: Floats, into: Floats) => void,
): Routine => {
  const windowsFor = (shape: Shape, params: Params): Windows => windows(shape, pair(params, 'size'), params);
  return {
    outputs([x], params) {
      const shape = fourAxes(operation, x!);
      const { down, along } = windowsFor(shape, params);
      return [{ shape: [shape[0]!, shape[1]!, down, along], dtype: x!.dtype }];
    },
    run([x], params, [into]) {
      const [images, channels] = x!.shape as readonly number[];
      run(images! * channels!, windowsFor(x!.shape, params), params, floats(x!), floats(into!));
    },
  };
};

const maxPool2d = pooling('maxPool2d', (planes, w, _, x, into) => maxPool(planes, w, x, into));
/** `countPadding`: what lies beyond the image counts as zeros. */
const avgPool2d = pooling('avgPool2d', (planes, w, params, x, into) =>
  averagePool(planes, w, params.countPadding === true, x, into),
);

function checkPooled(operation: string, dy: ArrayType, shape: Shape, params: Params): void {
  const result = fourAxes(operation, dy);
  const { down, along } = windows(shape, pair(params, 'size'), params);
  const made = [shape[0]!, shape[1]!, down, along];
  if (result.some((length, axis) => length !== made[axis]))
    throw shapeError(operation, 'the gradient is not that of the result', result, made);
}

/** The gradient by the images: of the result's, and the images. */
const maxPool2dBackward: Routine = {
  outputs([dy, x], params) {
    sameType('maxPool2dBackward', dy!, x!);
    checkPooled('maxPool2dBackward', dy!, fourAxes('maxPool2dBackward', x!), params);
    return [{ shape: x!.shape, dtype: x!.dtype }];
  },
  run([dy, x], params, [into]) {
    const { shape } = into!;
    const own = windows(shape, pair(params, 'size'), params);
    maxPoolBackward(shape[0]! * shape[1]!, own, floats(dy!), floats(x!), floats(into!));
  },
};

/** The gradient by the images: of the result's alone. `image`: rows and columns of one. */
const avgPool2dBackward: Routine = {
  outputs([dy], params) {
    const shape = [...fourAxes('avgPool2dBackward', dy!).slice(0, 2), ...pair(params, 'image')];
    checkPooled('avgPool2dBackward', dy!, shape, params);
    return [{ shape, dtype: dy!.dtype }];
  },
  run([dy], params, [into]) {
    const { shape } = into!;
    const own = windows(shape, pair(params, 'size'), params);
    averagePoolBackward(shape[0]! * shape[1]!, own, params.countPadding === true, floats(dy!), floats(into!));
  },
};

export const IMAGES = {
  conv2d,
  conv2dBackwardData,
  conv2dBackwardFilter,
  maxPool2d,
  maxPool2dBackward,
  avgPool2d,
  avgPool2dBackward,
} as const;

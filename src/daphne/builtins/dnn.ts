import {
  type Arr,
  avgPool2d,
  avgPool2dBackward,
  batchNorm2d,
  batchNorm2dBackward,
  conv2d,
  conv2dBackwardData,
  conv2dBackwardFilter,
  maximum,
  maxPool2d,
  maxPool2dBackward,
  softmax,
} from '../../arrays/index.ts';
import { all, then } from '../runtime/later.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { ELEMENT_TYPES, type MatrixType, matrix, mostGeneral, scalar, type ValueType } from '../types.ts';
import type { DenseMatrix, MaybeLater, Value } from '../values/values.ts';
import { type Builtin, type CallToInfer, type RunArgument, RunError } from './builtin.ts';
import { floating } from './linear.ts';
import { common, denseOf } from './products.ts';
import { checkSame, matrixOf, scalarOf, sizeOf, wantNumber, wantNumbers, wantSize } from './wanted.ts';

type Floats = Arr<'f64'>;
type Pair = [number, number];

const IMAGES = ['numImages', 'numChannels', 'imgHeight', 'imgWidth'];
const STEPS = ['strideHeight', 'strideWidth', 'paddingHeight', 'paddingWidth'];

/** Runs what arrays do; what they say of shapes is an error of the script. */
function computed<T>(name: string, compute: () => T): T {
  try {
    return compute();
  } catch (error) {
    if (error instanceof RunError) throw error;
    throw new RunError(`${name}: ${(error as Error).message.replace(/^\w+: /, '')}`);
  }
}

const times = (...lengths: readonly (number | undefined)[]): number | undefined =>
  lengths.includes(undefined) ? undefined : (lengths as number[]).reduce((a, b) => a * b, 1);

/** How many places a window has; undefined: that is not known, or there are none, which the run says. */
function placesOf(
  extent: number | undefined,
  size: number | undefined,
  step: number | undefined,
  padding: number | undefined,
): number | undefined {
  if (extent === undefined || size === undefined || step === undefined || padding === undefined) return undefined;
  const left = extent + 2 * padding - size;
  return left < 0 || step === 0 ? undefined : Math.floor(left / step) + 1;
}

const floatType = (...types: readonly MatrixType[]): ValueType | undefined => {
  const value = types.map((each) => each.value).reduce(common);
  return value === undefined ? undefined : floating(value as Exclude<ValueType, 'str'>);
};

/** Matrices in the type that all of them are computed in. */
function floats(
  runtime: Runtime,
  name: string,
  args: readonly RunArgument[],
  next: (value: 'f32' | 'f64', own: readonly Floats[]) => MaybeLater<Value | readonly Value[]>,
): MaybeLater<Value | readonly Value[]> {
  return all(
    args.map((each) => denseOf(runtime, matrixOf(each), name)),
    (own) => {
      const value = floating(own.map((each) => each.value).reduce<ValueType>(mostGeneral, 'bool') as 'f64');
      return next(
        value,
        own.map(({ array }) => (array.dtype === value ? array : array.astype(value)) as Floats),
      );
    },
  );
}

/** Rows of images as images. */
function imagesOf(name: string, own: Floats, shape: readonly number[], what = 'images'): Floats {
  const [rows, columns] = own.shape as Pair;
  const [count, ...image] = shape as [number, ...number[]];
  checkSame(rows, count, (a, b) => `${name}: there are ${a} rows of ${what}, and the arguments say ${b}`);
  checkSame(
    columns,
    image.reduce((a, b) => a * b, 1),
    (a, b) => `${name}: a row of ${what} has ${a} elements, and the arguments say ${b}`,
  );
  return own.reshape(shape) as Floats;
}

/** Images as rows again. */
function rowsOf(own: Floats): Floats {
  const [count = 0, ...image] = own.shape;
  return own.reshape([count, image.reduce((a, b) => a * b, 1)]) as Floats;
}

/** A row or a column of numbers as one axis. */
function lineOf(name: string, what: string, own: Floats): Floats {
  const [rows, columns] = own.shape as Pair;
  if (rows !== 1 && columns !== 1)
    throw new RunError(`${name}: ${what} is a matrix of ${rows}x${columns}, and has to be a row or a column`);
  return own.reshape([rows * columns]) as Floats;
}

const pairOf = (args: readonly RunArgument[], at: number, names: readonly string[]): Pair => [
  sizeOf(args[at], names[0]!),
  sizeOf(args[at + 1], names[1]!),
];

const stepsOf = (args: readonly RunArgument[], at: number): { stride: Pair; padding: Pair } => ({
  stride: pairOf(args, at, STEPS),
  padding: pairOf(args, at + 2, STEPS.slice(2)),
});

const shapeOf = (args: readonly RunArgument[], at: number): number[] =>
  IMAGES.map((name, i) => sizeOf(args[at + i], name));

const sizesFrom = (call: CallToInfer, at: number, count: number): (number | undefined)[] =>
  Array.from({ length: count }, (_, i) => wantSize(call, at + i));

/** Out, and how many rows and columns its images have. */
const withExtent = (runtime: Runtime, value: 'f32' | 'f64', own: Floats): MaybeLater<readonly Value[]> => {
  const [, , height, width] = own.shape as [number, number, number, number];
  return then(runtime.matrix(rowsOf(own), value), (made) => [made, height, width]);
};

function pool(name: string, apply: (x: Floats, size: Pair, o: { stride: Pair; padding: Pair }) => Floats): Builtin {
  return {
    name,
    parameters: ['inputData', ...IMAGES, 'poolHeight', 'poolWidth', ...STEPS],
    least: 11,
    most: 11,
    infer(call) {
      const type = wantNumbers(call, 0);
      const [count, channels, height, width, ph, pw, sh, sw, dh, dw] = sizesFrom(call, 1, 10);
      const columns = times(channels, placesOf(height, ph, sh, dh), placesOf(width, pw, sw, dw));
      return [matrix(floatType(type), count ?? type.rows, columns), scalar('size'), scalar('size')];
    },
    run: (runtime, _, args) =>
      floats(runtime, name, [args[0]], (value, [own]) =>
        withExtent(
          runtime,
          value,
          computed(name, () =>
            apply(
              imagesOf(name, own!, shapeOf(args, 1)),
              pairOf(args, 5, ['poolHeight', 'poolWidth']),
              stepsOf(args, 7),
            ),
          ),
        ),
      ),
  };
}

function poolBackward(
  name: string,
  apply: (dy: Floats, x: Floats, size: Pair, o: { stride: Pair; padding: Pair }) => Floats,
): Builtin {
  return {
    name,
    parameters: ['input', 'dOut', ...IMAGES, 'poolHeight', 'poolWidth', ...STEPS],
    least: 12,
    most: 12,
    infer(call) {
      const [type, gradient] = [wantNumbers(call, 0), wantNumbers(call, 1)];
      sizesFrom(call, 2, 10);
      return [matrix(floatType(type, gradient), type.rows, type.columns)];
    },
    run: (runtime, _, args) =>
      floats(runtime, name, args.slice(0, 2), (value, [own, gradient]) => {
        const made = computed(name, () => {
          const images = imagesOf(name, own!, shapeOf(args, 2));
          const [size, steps] = [pairOf(args, 6, ['poolHeight', 'poolWidth']), stepsOf(args, 8)];
          return apply(gradientOf(name, gradient!, images.shape, images.shape[1]!, size, steps), images, size, steps);
        });
        return runtime.matrix(rowsOf(made), value);
      }),
  };
}

/** Rows of gradients as images of what a window gives. */
function gradientOf(
  name: string,
  own: Floats,
  images: readonly number[],
  channels: number,
  size: Pair,
  { stride, padding }: { stride: Pair; padding: Pair },
): Floats {
  const places = [0, 1].map((i) => placesOf(images[2 + i], size[i], stride[i], padding[i]));
  if (places.includes(undefined))
    throw new RunError(`${name}: the window of ${size.join('x')} does not fit into the images`);
  return imagesOf(name, own, [images[0]!, channels, ...(places as Pair)], 'gradients');
}

const CONV2D: Builtin = {
  name: 'conv2d',
  parameters: ['input', 'filter', ...IMAGES, 'filterHeight', 'filterWidth', ...STEPS, 'bias'],
  least: 12,
  most: 13,
  infer(call) {
    const [type, filters] = [wantNumbers(call, 0), wantNumbers(call, 1)];
    const [count, , height, width, fh, fw, sh, sw, dh, dw] = sizesFrom(call, 2, 10);
    if (call.args.length > 12) wantNumbers(call, 12);
    const columns = times(filters.rows, placesOf(height, fh, sh, dh), placesOf(width, fw, sw, dw));
    return [matrix(floatType(type, filters), count ?? type.rows, columns), scalar('size'), scalar('size')];
  },
  run(runtime, _, args) {
    const given = args[12] === undefined ? args.slice(0, 2) : [args[0], args[1], args[12]];
    return floats(runtime, 'conv2d', given, (value, [own, filters, bias]) => {
      const shape = shapeOf(args, 2);
      const size = pairOf(args, 6, ['filterHeight', 'filterWidth']);
      const made = computed('conv2d', () =>
        conv2d(
          imagesOf('conv2d', own!, shape),
          imagesOf('conv2d', filters!, [filters!.shape[0]!, shape[1]!, ...size], 'filters'),
          { ...stepsOf(args, 8), ...(bias === undefined ? {} : { bias: lineOf('conv2d', 'bias', bias) }) },
        ),
      );
      return withExtent(runtime, value, made);
    });
  },
};

/** Of both: strides and padding, the shape of the images, the shape of the filters. */
const BACKWARD = [...STEPS, ...IMAGES, 'numFilters', 'filterNumChannels', 'filterHeight', 'filterWidth'];

interface BackwardShapes {
  readonly steps: { stride: Pair; padding: Pair };
  readonly images: readonly number[];
  readonly filters: readonly number[];
  readonly size: Pair;
}

const backwardShapes = (args: readonly RunArgument[]): BackwardShapes => {
  const filters = [10, 11, 12, 13].map((at) => sizeOf(args[at], BACKWARD[at - 2]!));
  return { steps: stepsOf(args, 2), images: shapeOf(args, 6), filters, size: [filters[2]!, filters[3]!] };
};

const CONV2D_BACKWARD_FILTER: Builtin = {
  name: 'conv2d_backward_filter',
  parameters: ['input', 'output', ...BACKWARD],
  least: 14,
  most: 14,
  infer(call) {
    const [type, gradient] = [wantNumbers(call, 0), wantNumbers(call, 1)];
    const sizes = sizesFrom(call, 2, 12);
    return [matrix(floatType(type, gradient), sizes[8], times(...sizes.slice(9)))];
  },
  run: (runtime, _, args) =>
    floats(runtime, 'conv2d_backward_filter', args.slice(0, 2), (value, [own, gradient]) => {
      const name = 'conv2d_backward_filter';
      const { steps, images, filters, size } = backwardShapes(args);
      const made = computed(name, () =>
        conv2dBackwardFilter(
          gradientOf(name, gradient!, images, filters[0]!, size, steps),
          imagesOf(name, own!, images),
          size,
          steps,
        ),
      );
      return runtime.matrix(rowsOf(made), value);
    }),
};

const CONV2D_BACKWARD_DATA: Builtin = {
  name: 'conv2d_backward_data',
  parameters: ['filter', 'output', ...BACKWARD],
  least: 14,
  most: 14,
  infer(call) {
    const [filters, gradient] = [wantNumbers(call, 0), wantNumbers(call, 1)];
    const sizes = sizesFrom(call, 2, 12);
    return [matrix(floatType(filters, gradient), sizes[4], times(...sizes.slice(5, 8)))];
  },
  run: (runtime, _, args) =>
    floats(runtime, 'conv2d_backward_data', args.slice(0, 2), (value, [own, gradient]) => {
      const name = 'conv2d_backward_data';
      const { steps, images, filters, size } = backwardShapes(args);
      const made = computed(name, () =>
        conv2dBackwardData(
          gradientOf(name, gradient!, images, filters[0]!, size, steps),
          imagesOf(name, own!, filters, 'filters'),
          [images[2]!, images[3]!],
          steps,
        ),
      );
      return runtime.matrix(rowsOf(made), value);
    }),
};

/** With a channel for each number of a line; what a channel has lies side by side. */
function channelled(name: string, own: Floats, channels: number): Floats {
  const [rows, columns] = own.shape as Pair;
  if (channels === 0 || columns % channels !== 0)
    throw new RunError(`${name}: rows of ${columns} elements are not made of ${channels} channels`);
  return own.reshape([rows, channels, columns / channels, 1]) as Floats;
}

const BATCH_NORM2D: Builtin = {
  name: 'batch_norm2d',
  parameters: ['inputData', 'gamma', 'beta', 'emaMean', 'emaVar', 'eps'],
  least: 6,
  most: 6,
  infer(call) {
    const types = [0, 1, 2, 3, 4].map((at) => wantNumbers(call, at));
    wantNumber(call, 5);
    return [matrix(floatType(...types), types[0]!.rows, types[0]!.columns)];
  },
  run: (runtime, _, args) =>
    floats(runtime, 'batch_norm2d', args.slice(0, 5), (value, [own, ...lines]) => {
      const made = computed('batch_norm2d', () => {
        const [gamma, beta, mean, variance] = ['gamma', 'beta', 'emaMean', 'emaVar'].map((what, i) =>
          lineOf('batch_norm2d', what, lines[i]!),
        ) as [Floats, Floats, Floats, Floats];
        const images = channelled('batch_norm2d', own!, gamma.size);
        return batchNorm2d(images, gamma, beta, { mean, variance, epsilon: Number(scalarOf(args[5])) });
      });
      return runtime.matrix(rowsOf(made), value);
    }),
};

const BATCH_NORM2D_BACKWARD: Builtin = {
  name: 'batch_norm2d_backward',
  parameters: ['mean', 'invVar', 'in', 'dout', 'gamma', 'eps'],
  least: 6,
  most: 6,
  infer(call) {
    const types = [0, 1, 2, 3, 4].map((at) => wantNumbers(call, at));
    wantNumber(call, 5);
    const value = floatType(...types);
    const channels = times(types[4]!.rows, types[4]!.columns);
    return [matrix(value, types[2]!.rows, types[2]!.columns), matrix(value, channels, 1), matrix(value, channels, 1)];
  },
  run: (runtime, _, args) =>
    floats(runtime, 'batch_norm2d_backward', args.slice(0, 5), (value, [mean, scale, own, gradient, factor]) => {
      const name = 'batch_norm2d_backward';
      const { dx, dgamma, dbeta } = computed(name, () => {
        const gamma = lineOf(name, 'gamma', factor!);
        return batchNorm2dBackward(channelled(name, gradient!, gamma.size), channelled(name, own!, gamma.size), gamma, {
          batchMean: lineOf(name, 'mean', mean!),
          batchScale: lineOf(name, 'invVar', scale!),
        });
      });
      const column = (line: Arr): Arr => line.reshape([line.size, 1]);
      return all(
        [rowsOf(dx), column(dgamma), column(dbeta)].map((each) => runtime.matrix(each, value)),
        (made) => made,
      );
    }),
};

/** A number for each channel: of a matrix of numbers, whatever their type. */
const BIAS_ADD: Builtin = {
  name: 'biasAdd',
  parameters: ['input', 'bias'],
  least: 2,
  most: 2,
  infer(call) {
    const [type, bias] = [wantNumbers(call, 0), wantNumbers(call, 1)];
    return [matrix(common(type.value, bias.value), type.rows, type.columns)];
  },
  run: (runtime, _, [input, bias]) =>
    all([denseOf(runtime, matrixOf(input), 'biasAdd'), denseOf(runtime, matrixOf(bias), 'biasAdd')], (both) => {
      const [own, line] = both as readonly [DenseMatrix, DenseMatrix];
      const value = mostGeneral(own.value, line.value) as DenseMatrix['value'];
      const [x, summands] = [own, line].map(({ array }) => array.astype(ELEMENT_TYPES[value]) as Floats) as [
        Floats,
        Floats,
      ];
      const channels = lineOf('biasAdd', 'bias', summands);
      const images = channelled('biasAdd', x, channels.size);
      return runtime.matrix(rowsOf(images.add(channels.reshape([1, channels.size, 1, 1])) as Floats), value);
    }),
};

const AFFINE: Builtin = {
  name: 'affine',
  parameters: ['inputData', 'weightData', 'biasData'],
  least: 3,
  most: 3,
  infer(call) {
    const [x, weights, bias] = [wantNumbers(call, 0), wantNumbers(call, 1), wantNumbers(call, 2)];
    return [matrix(floatType(x, weights, bias), x.rows, weights.columns)];
  },
  run: (runtime, _, args) =>
    floats(runtime, 'affine', args, (value, [x, weights, bias]) => {
      const made = computed('affine', () => x!.matmul(weights!).add(lineOf('affine', 'the bias', bias!)));
      return runtime.matrix(made, value);
    }),
};

const RELU: Builtin = {
  name: 'relu',
  parameters: ['inputData'],
  least: 1,
  most: 1,
  infer(call) {
    const type = wantNumbers(call, 0);
    return [matrix(type.value, type.rows, type.columns)];
  },
  run: (runtime, _, [input]) =>
    then(denseOf(runtime, matrixOf(input), 'relu'), ({ array, value, ...rest }) =>
      value === 'bool' ? { ...rest, array, value } : runtime.matrix(maximum(array, 0), value),
    ),
};

const SOFTMAX: Builtin = {
  name: 'softmax',
  parameters: ['inputData'],
  least: 1,
  most: 1,
  infer(call) {
    const type = wantNumbers(call, 0);
    return [matrix(floatType(type), type.rows, type.columns)];
  },
  run: (runtime, _, args) => floats(runtime, 'softmax', args, (value, [own]) => runtime.matrix(softmax(own!), value)),
};

export const DNN: readonly Builtin[] = [
  AFFINE,
  BIAS_ADD,
  RELU,
  SOFTMAX,
  CONV2D,
  CONV2D_BACKWARD_FILTER,
  CONV2D_BACKWARD_DATA,
  pool('avg_pool2d', avgPool2d),
  pool('max_pool2d', maxPool2d),
  poolBackward('avg_pool2d_backward', avgPool2dBackward),
  poolBackward('max_pool2d_backward', maxPool2dBackward),
  BATCH_NORM2D,
  BATCH_NORM2D_BACKWARD,
];

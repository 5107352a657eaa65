import { axisOf, shapeText, sizeOf } from '../nd/index.ts';
import type { Node } from '../pipelines/index.ts';
import type { Arr } from './arr.ts';
import { badShapes, checkNumber, checkOptions } from './checks.ts';
import { imagesOf } from './images.ts';
import { nodeOf, wrap } from './lazy.ts';
import type { OneAxisOptions } from './manipulation-types.ts';
import type {
  BatchNorm2d,
  BatchNorm2dBackwardOptions,
  BatchNorm2dGradients,
  BatchNorm2dOptions,
  BatchNorm2dTrainingOptions,
} from './network-types.ts';
import { apply, checkKind, constantOf, together } from './operations.ts';
import { reduced } from './reductions.ts';
import type { Float } from './types.ts';
import { reshaped } from './views.ts';

function floatsOf(operation: string, args: readonly unknown[]): Node[] {
  const nodes = together(operation, args);
  for (const { dtype } of nodes) checkKind(operation, dtype, ['float']);
  return nodes;
}

/** A number for each channel, beside an array whose second axis those are. */
function channelsOf(operation: string, what: string, node: Node, beside: Node): Node {
  const [, channels] = beside.shape;
  if (node.shape.length !== 1 || node.shape[0] !== channels) {
    throw badShapes(
      operation,
      `the shape of ${what} is ${shapeText(node.shape)}, and not one axis of ${channels}, a number for each channel`,
      node.shape,
      beside.shape,
    );
  }
  return reshaped(
    node,
    beside.shape.map((length, axis) => (axis === 1 ? length : 1)),
  );
}

/** Plus a number for each channel, which is the second axis. */
export function biasAdd<T extends Float>(x: Arr<T>, bias: Arr<T>): Arr<T> {
  const [node, own] = floatsOf('biasAdd', [x, bias]) as [Node, Node];
  if (node.shape.length < 2)
    throw badShapes('biasAdd', `the shape is ${shapeText(node.shape)}, and channels are the second axis`, node.shape);
  return wrap(apply('add', [node, channelsOf('biasAdd', 'the bias', own, node)]));
}

const zeroOf = ({ dtype }: Node): Node => constantOf(0, [], dtype);

/** Its elements that are greater than 0, and 0 for the others; NaN stays. */
export function relu<T extends Float>(x: Arr<T>): Arr<T> {
  const node = nodeOf('relu', x);
  checkKind('relu', node.dtype, ['float']);
  return wrap(apply('maximum', [node, zeroOf(node)]));
}

/** Of the gradient by the result of `relu`, that by its array `x`: where that is greater than 0. */
export function reluBackward<T extends Float>(dy: Arr<T>, x: Arr<T>): Arr<T> {
  const [gradient, node] = floatsOf('reluBackward', [dy, x]) as [Node, Node];
  checkSame('reluBackward', gradient, node);
  return wrap(apply('where', [apply('greater', [node, zeroOf(node)]), gradient, zeroOf(node)]));
}

function checkSame(operation: string, x: Node, y: Node): void {
  if (x.shape.length === y.shape.length && x.shape.every((length, axis) => length === y.shape[axis])) return;
  throw badShapes(
    operation,
    `the gradient has the shape ${shapeText(x.shape)}, and the array it belongs to ${shapeText(y.shape)}`,
    x.shape,
    y.shape,
  );
}

/** Powers of e, divided by their sum along an axis, the last one if nothing is said: they are positive, and their sum is 1. */
export function softmax<T extends Float>(x: Arr<T>, o: OneAxisOptions = {}): Arr<T> {
  checkOptions('softmax', o, ['axis']);
  const node = nodeOf('softmax', x);
  checkKind('softmax', node.dtype, ['float']);
  const axes = [axisOf('softmax', o.axis ?? -1, node.shape)];
  // Of nothing there is no greatest element.
  if (sizeOf(node.shape) === 0) return x;
  const powers = apply('exp', [apply('subtract', [node, reduced(node, 'max', axes, true)])]);
  return wrap(apply('divide', [powers, reduced(powers, 'sum', axes, true)]));
}

/** Of the gradient by the result `y` of `softmax`, that by its array. */
export function softmaxBackward<T extends Float>(dy: Arr<T>, y: Arr<T>, o: OneAxisOptions = {}): Arr<T> {
  const operation = 'softmaxBackward';
  checkOptions(operation, o, ['axis']);
  const [gradient, node] = floatsOf(operation, [dy, y]) as [Node, Node];
  checkSame(operation, gradient, node);
  const axes = [axisOf(operation, o.axis ?? -1, node.shape)];
  const along = reduced(apply('multiply', [gradient, node]), 'sum', axes, true);
  return wrap(apply('multiply', [node, apply('subtract', [gradient, along])]));
}

/** All but channels. */
const OTHERS = [0, 2, 3];

/** A constant beside an array. */
const number = (value: number, { dtype }: Node): Node => constantOf(value, [], dtype);

/** 1 through the deviation. */
const scaleOf = (variance: Node, epsilon: number): Node =>
  apply('reciprocal', [apply('sqrt', [apply('add', [variance, number(epsilon, variance)])])]);

/** Moved, by a share, from one number to another. */
const mixed = (from: Node, to: Node, share: number): Node =>
  apply('add', [apply('multiply', [from, number(1 - share, from)]), apply('multiply', [to, number(share, to)])]);

/**
 * Each channel of images with mean 0 and variance 1, times gamma, plus beta. With `training`, by the mean and the variance of these images, which are
 * results as well, as is what is known then of all images so far; else by what was known.
 *
 * @param x images: which one, channels, rows, columns.
 * @param gamma a number for each channel.
 * @param beta a number for each channel.
 */
export function batchNorm2d<T extends Float>(
  x: Arr<T>,
  gamma: Arr<T>,
  beta: Arr<T>,
  o: BatchNorm2dTrainingOptions<T>,
): BatchNorm2d<T>;
export function batchNorm2d<T extends Float>(
  x: Arr<T>,
  gamma: Arr<T>,
  beta: Arr<T>,
  o?: BatchNorm2dOptions<T> & { training?: false },
): Arr<T>;
export function batchNorm2d(
  x: Arr<Float>,
  gamma: Arr<Float>,
  beta: Arr<Float>,
  o: BatchNorm2dOptions & { training?: boolean; momentum?: number } = {},
): Arr | BatchNorm2d {
  const operation = 'batchNorm2d';
  checkOptions(operation, o, ['mean', 'variance', 'epsilon', 'training', 'momentum']);
  const epsilon = checkNumber(operation, 'epsilon', o.epsilon ?? 1e-5);
  const momentum = checkNumber(operation, 'momentum', o.momentum ?? 0.1);
  const nodes = floatsOf(operation, [x, gamma, beta, o.mean ?? 0, o.variance ?? 1]);
  const images = imagesOf(operation, nodes[0] as Node);
  const [factor, summand, mean, variance] = ['gamma', 'beta', 'the mean', 'the variance'].map((what, i) => {
    const own = nodes[i + 1] as Node;
    const isLeftOut = i >= 2 && (i === 2 ? o.mean : o.variance) === undefined;
    return isLeftOut
      ? constantOf(i - 2, [1, images.shape[1] as number, 1, 1], own.dtype)
      : channelsOf(operation, what, own, images);
  }) as [Node, Node, Node, Node];
  const normalized = (center: Node, scale: Node): Node => {
    const standard = apply('multiply', [apply('subtract', [images, center]), scale]);
    return apply('add', [apply('multiply', [standard, factor]), summand]);
  };
  if (o.training !== true) return wrap(normalized(mean, scaleOf(variance, epsilon)));
  const count = number(sizeOf(OTHERS.map((axis) => images.shape[axis] as number)), images);
  const averaged = (node: Node): Node => apply('divide', [reduced(node, 'sum', OTHERS, true), count]);
  const center = averaged(images);
  const spread = averaged(apply('square', [apply('subtract', [images, center])]));
  const scale = scaleOf(spread, epsilon);
  const perChannel = (node: Node): Arr<Float> => wrap(reshaped(node, [images.shape[1] as number]));
  return {
    y: wrap(normalized(center, scale)),
    mean: perChannel(mixed(mean, center, momentum)),
    variance: perChannel(mixed(variance, spread, momentum)),
    batchMean: perChannel(center),
    batchScale: perChannel(scale),
  };
}

/**
 * Of the gradient by the result of `batchNorm2d` in training, those by what it is given.
 *
 * @param dy the gradient, of the shape of the images.
 * @param x the images.
 * @param gamma a number for each channel.
 * @param o what `batchNorm2d` gave beside its result.
 */
export function batchNorm2dBackward<T extends Float>(
  dy: Arr<T>,
  x: Arr<T>,
  gamma: Arr<T>,
  o: BatchNorm2dBackwardOptions<T>,
): BatchNorm2dGradients<T> {
  const operation = 'batchNorm2dBackward';
  checkOptions(operation, o, ['batchMean', 'batchScale']);
  const nodes = floatsOf(operation, [dy, x, gamma, o?.batchMean, o?.batchScale]) as [Node, Node, Node, Node, Node];
  const [gradient, given] = nodes;
  const images = imagesOf(operation, given);
  checkSame(operation, gradient, images);
  const [factor, center, scale] = ['gamma', 'batchMean', 'batchScale'].map((what, i) =>
    channelsOf(operation, what, nodes[i + 2] as Node, images),
  ) as [Node, Node, Node];
  const standard = apply('multiply', [apply('subtract', [images, center]), scale]);
  const count = number(sizeOf(OTHERS.map((axis) => images.shape[axis] as number)), images);
  const ofBeta = reduced(gradient, 'sum', OTHERS, true);
  const ofGamma = reduced(apply('multiply', [gradient, standard]), 'sum', OTHERS, true);
  const meant = apply('divide', [apply('add', [ofBeta, apply('multiply', [standard, ofGamma])]), count]);
  const dx = apply('multiply', [apply('subtract', [gradient, meant]), apply('multiply', [factor, scale])]);
  const perChannel = (node: Node): Arr<T> => wrap(reshaped(node, [images.shape[1] as number]));
  return { dx: wrap(dx), dgamma: perChannel(ofGamma), dbeta: perChannel(ofBeta) };
}

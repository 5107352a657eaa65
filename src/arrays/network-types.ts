import type { Arr } from './arr.ts';
import type { OneAxisOptions } from './manipulation-types.ts';
import type { Float } from './types.ts';

/** Rows and columns; a number: so many of both. */
export type Extent = number | readonly [number, number];

/** How a window moves over images. */
export interface WindowOptions {
  /** How far it moves each time. 1, if nothing is said; of pools the size of the window. */
  stride?: Extent;
  /** So many rows and columns are thought at either side of each image, of zeros; 0, if nothing is said. */
  padding?: Extent;
}

/** What `conv2d` takes. */
export interface Conv2dOptions<T extends Float = Float> extends WindowOptions {
  /** What is added to the result of each filter. */
  bias?: Arr<T>;
}

/** What `avgPool2d` takes. */
export interface AvgPool2dOptions extends WindowOptions {
  /** What lies beyond the image counts as zeros; true, if nothing is said. False: the mean of what is there. */
  countPadding?: boolean;
}

/** What `batchNorm2d` takes. */
export interface BatchNorm2dOptions<T extends Float = Float> {
  /** The mean of each channel so far; 0, if nothing is said. */
  mean?: Arr<T>;
  /** Its variance; 1, if nothing is said. */
  variance?: Arr<T>;
  /** Added to variances, so that none is 0; 1e-5, if nothing is said. */
  epsilon?: number;
}

/** What `batchNorm2d` takes in training. */
export interface BatchNorm2dTrainingOptions<T extends Float = Float> extends BatchNorm2dOptions<T> {
  /** By the mean and the variance of these images. */
  training: true;
  /** What these count for in the mean and the variance from now on; 0.1, if nothing is said. */
  momentum?: number;
}

/** What `batchNorm2d` gives in training. */
export interface BatchNorm2d<T extends Float = Float> {
  /** The images, normalized. */
  readonly y: Arr<T>;
  /** The mean of each channel so far, with these images. */
  readonly mean: Arr<T>;
  /** Its variance. */
  readonly variance: Arr<T>;
  /** The mean of each channel of these images, for the gradient. */
  readonly batchMean: Arr<T>;
  /** 1 through their deviations: of variance and epsilon, for the gradient. */
  readonly batchScale: Arr<T>;
}

/** What `batchNorm2dBackward` takes. */
export interface BatchNorm2dBackwardOptions<T extends Float = Float> {
  /** That `batchNorm2d` gave. */
  batchMean: Arr<T>;
  /** That `batchNorm2d` gave. */
  batchScale: Arr<T>;
}

/** What `batchNorm2dBackward` gives. */
export interface BatchNorm2dGradients<T extends Float = Float> {
  /** By the images. */
  readonly dx: Arr<T>;
  /** By gamma. */
  readonly dgamma: Arr<T>;
  /** By beta. */
  readonly dbeta: Arr<T>;
}

/** Layers of neural networks, as methods. Images have four axes: which one, channels, rows, columns. */
export interface NetworkMethods {
  /** The mean of what is under a window. */
  avgPool2d<T extends Float>(this: Arr<T>, size: Extent, o?: AvgPool2dOptions): Arr<T>;
  /** Of the gradient by the result of `avgPool2d`, that by its images `x`. */
  avgPool2dBackward<T extends Float>(this: Arr<T>, x: Arr<T>, size: Extent, o?: AvgPool2dOptions): Arr<T>;
  /** Each channel with mean 0 and variance 1, times gamma, plus beta; and in training what that depends on. */
  batchNorm2d<T extends Float>(
    this: Arr<T>,
    gamma: Arr<T>,
    beta: Arr<T>,
    o: BatchNorm2dTrainingOptions<T>,
  ): BatchNorm2d<T>;
  /** The same by what is known of images so far. */
  batchNorm2d<T extends Float>(
    this: Arr<T>,
    gamma: Arr<T>,
    beta: Arr<T>,
    o?: BatchNorm2dOptions<T> & { training?: false },
  ): Arr<T>;
  /** Of the gradient by the result of `batchNorm2d` in training, those by what it is given. */
  batchNorm2dBackward<T extends Float>(
    this: Arr<T>,
    x: Arr<T>,
    gamma: Arr<T>,
    o: BatchNorm2dBackwardOptions<T>,
  ): BatchNorm2dGradients<T>;
  /** Plus a number for each channel, which is the second axis. */
  biasAdd<T extends Float>(this: Arr<T>, bias: Arr<T>): Arr<T>;
  /** The correlation of images with filters, which is called convolution. */
  conv2d<T extends Float>(this: Arr<T>, filters: Arr<T>, o?: Conv2dOptions<T>): Arr<T>;
  /** Of the gradient by the result of `conv2d`, that by its images, which have so many rows and columns. */
  conv2dBackwardData<T extends Float>(this: Arr<T>, filters: Arr<T>, image: Extent, o?: WindowOptions): Arr<T>;
  /** Of the gradient by the result of `conv2d`, that by its filters, which have so many rows and columns. */
  conv2dBackwardFilter<T extends Float>(this: Arr<T>, x: Arr<T>, size: Extent, o?: WindowOptions): Arr<T>;
  /** The greatest element under a window. */
  maxPool2d<T extends Float>(this: Arr<T>, size: Extent, o?: WindowOptions): Arr<T>;
  /** Of the gradient by the result of `maxPool2d`, that by its images `x`. */
  maxPool2dBackward<T extends Float>(this: Arr<T>, x: Arr<T>, size: Extent, o?: WindowOptions): Arr<T>;
  /** Its elements that are greater than 0, and 0 for the others. */
  relu<T extends Float>(this: Arr<T>): Arr<T>;
  /** Of the gradient by the result of `relu`, that by its array `x`. */
  reluBackward<T extends Float>(this: Arr<T>, x: Arr<T>): Arr<T>;
  /** Powers of e, divided by their sum along an axis, the last one if nothing is said. */
  softmax<T extends Float>(this: Arr<T>, o?: OneAxisOptions): Arr<T>;
  /** Of the gradient by the result `y` of `softmax`, that by its array. */
  softmaxBackward<T extends Float>(this: Arr<T>, y: Arr<T>, o?: OneAxisOptions): Arr<T>;
}

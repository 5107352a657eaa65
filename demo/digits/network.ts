/**
 * A network of two layers: 784 pixels, 128 rectified units, 10 digits. All its weights are in one array, so that they travel, and
 * are shared, as one value: of the first layer, the weights of each pixel side by side, then the biases; the second layer the same.
 */
import { PIXELS } from './mnist.ts';

const HIDDEN = 64;
export const DIGITS = 10;
const BIAS_1 = PIXELS * HIDDEN;
const LAYER_2 = BIAS_1 + HIDDEN;
const BIAS_2 = LAYER_2 + HIDDEN * DIGITS;
export const WEIGHTS = BIAS_2 + DIGITS;

/** Random weights, spread so that signals neither grow nor fade from layer to layer (He et al., 2015). */
export function initialWeights(random: () => number): Float32Array {
  const weights = new Float32Array(WEIGHTS);
  const uniform = (inputs: number): number => (2 * random() - 1) * Math.sqrt(6 / inputs);
  for (let i = 0; i < BIAS_1; i++) weights[i] = uniform(PIXELS);
  for (let i = LAYER_2; i < BIAS_2; i++) weights[i] = uniform(HIDDEN);
  return weights;
}

/** What a pass leaves behind for the way back. */
export interface Pass {
  readonly hidden: Float32Array;
  readonly probabilities: Float32Array;
}

export const newPass = (): Pass => ({
  hidden: new Float32Array(HIDDEN),
  probabilities: new Float32Array(DIGITS),
});

/** The probability of each digit, for the image that starts at `at`. */
export function forward(weights: Float32Array, images: Uint8Array, at: number, pass: Pass): void {
  const { hidden, probabilities } = pass;
  for (let j = 0; j < HIDDEN; j++) hidden[j] = weights[BIAS_1 + j]!;
  for (let pixel = 0; pixel < PIXELS; pixel++) {
    const grey = images[at + pixel]! / 255;
    // Four of five pixels are white.
    if (grey === 0) continue;
    const row = pixel * HIDDEN;
    for (let j = 0; j < HIDDEN; j++) hidden[j]! += grey * weights[row + j]!;
  }
  for (let k = 0; k < DIGITS; k++) probabilities[k] = weights[BIAS_2 + k]!;
  for (let j = 0; j < HIDDEN; j++) {
    const signal = Math.max(0, hidden[j]!);
    hidden[j] = signal;
    if (signal === 0) continue;
    for (let k = 0; k < DIGITS; k++) probabilities[k]! += signal * weights[LAYER_2 + j * DIGITS + k]!;
  }
  let most = Number.NEGATIVE_INFINITY;
  for (const score of probabilities) most = Math.max(most, score);
  let sum = 0;
  for (let k = 0; k < DIGITS; k++) sum += probabilities[k] = Math.exp(probabilities[k]! - most);
  for (let k = 0; k < DIGITS; k++) probabilities[k]! /= sum;
}

/** Adds the gradient of the cross-entropy for one image to `into`. */
export function backward(
  weights: Float32Array,
  images: Uint8Array,
  at: number,
  label: number,
  { hidden, probabilities }: Pass,
  into: Float32Array,
): void {
  const error = probabilities.slice();
  error[label]! -= 1;
  for (let k = 0; k < DIGITS; k++) into[BIAS_2 + k]! += error[k]!;
  const errorBelow = new Float32Array(HIDDEN);
  for (let j = 0; j < HIDDEN; j++) {
    const signal = hidden[j]!;
    if (signal === 0) continue;
    const row = LAYER_2 + j * DIGITS;
    let sum = 0;
    for (let k = 0; k < DIGITS; k++) {
      sum += error[k]! * weights[row + k]!;
      into[row + k]! += signal * error[k]!;
    }
    errorBelow[j] = sum;
    into[BIAS_1 + j]! += sum;
  }
  for (let pixel = 0; pixel < PIXELS; pixel++) {
    const grey = images[at + pixel]! / 255;
    if (grey === 0) continue;
    const row = pixel * HIDDEN;
    for (let j = 0; j < HIDDEN; j++) into[row + j]! += grey * errorBelow[j]!;
  }
}

/** The most likely digit. */
export function best(probabilities: Float32Array): number {
  let digit = 0;
  for (let k = 1; k < DIGITS; k++) if (probabilities[k]! > probabilities[digit]!) digit = k;
  return digit;
}

import type { Strided } from '../reference.ts';

/** The product in a plain loop. */
export function multiplySimply(
  a: Strided,
  b: Strided,
  into: Strided,
  m: number,
  k: number,
  n: number,
  accumulate: boolean,
): void {
  const inner =
    into.elements instanceof BigInt64Array || into.elements instanceof BigUint64Array
      ? bigints
      : into.elements instanceof Float64Array || into.elements instanceof Float32Array
        ? floats
        : integers;
  const [aRow, aStep] = a.strides as [number, number];
  const [bStep, bColumn] = b.strides as [number, number];
  const [row, column] = into.strides as [number, number];
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      const at = into.offset + i * row + j * column;
      const sum = inner(a, a.offset + i * aRow, aStep, b, b.offset + j * bColumn, bStep, k);
      // Integers wrap when they are stored.
      into.elements[at] = (accumulate ? (into.elements[at] as number) + (sum as number) : sum) as never;
    }
  }
}

type Inner = (
  a: Strided,
  aAt: number,
  aStep: number,
  b: Strided,
  bAt: number,
  bStep: number,
  k: number,
) => number | bigint;

const floats: Inner = ({ elements: a }, aAt, aStep, { elements: b }, bAt, bStep, k) => {
  let sum = 0;
  for (let p = 0; p < k; p++) sum += (a[aAt + p * aStep] as number) * (b[bAt + p * bStep] as number);
  return sum;
};

const integers: Inner = ({ elements: a }, aAt, aStep, { elements: b }, bAt, bStep, k) => {
  let sum = 0;
  for (let p = 0; p < k; p++) sum = (sum + Math.imul(a[aAt + p * aStep] as number, b[bAt + p * bStep] as number)) | 0;
  return sum;
};

const bigints: Inner = ({ elements: a }, aAt, aStep, { elements: b }, bAt, bStep, k) => {
  let sum = 0n;
  for (let p = 0; p < k; p++) sum += (a[aAt + p * aStep] as bigint) * (b[bAt + p * bStep] as bigint);
  return sum;
};

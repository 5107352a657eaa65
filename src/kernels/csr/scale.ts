import { type DType, type Elements, isBig, kindOf } from '../../nd/index.ts';
import type { Strided } from '../reference.ts';
import { type Csr, wordsOf } from './format.ts';

/**
 * The elements that are there, each multiplied with, or divided by, the one of a dense matrix at its place; a stride of 0 is a row, or a column,
 * for all. What is not there stays 0, whatever stands in the other matrix.
 */
export function scale(a: Csr, op: 'multiply' | 'divide', by: Strided, into: Elements): void {
  const { rows, values } = a;
  const [starts, places] = [wordsOf(a.indptr), wordsOf(a.indices)];
  const [down, along] = by.strides as [number, number];
  const both = operator(op, a.dtype);
  for (let row = 0, at = 0; row < rows; row++) {
    const first = by.offset + row * down;
    const end = starts.words[(row + 1) * starts.step] as number;
    for (; at < end; at++) {
      const factor = by.elements[first + (places.words[at * places.step] as number) * along];
      into[at] = both(values[at] as never, factor as never) as never;
    }
  }
}

function operator(op: 'multiply' | 'divide', dtype: DType): (x: never, y: never) => number | bigint {
  if (op === 'divide') return (x: number, y: number) => x / y;
  return kindOf(dtype) === 'float' || isBig(dtype) ? (x: number, y: number) => x * y : Math.imul;
}

/** The product of a row of numbers and the matrix: each row is added, so many times, to `into`, of as many elements as there are columns. */
export function multiplyFromLeft(a: Csr, x: Strided, into: Strided): void {
  const { rows, columns, values, dtype } = a;
  const [starts, places] = [wordsOf(a.indptr), wordsOf(a.indices)];
  const [step, to] = [x.strides[0] as number, into.strides[0] as number];
  const own = into.elements;
  const multiplied = operator('multiply', dtype) as (x: unknown, y: unknown) => number;
  // Sums of floats of 32 bits are rounded once, at the end, as they are by rows.
  const sums = dtype === 'f32' ? new Float64Array(columns) : undefined;
  for (let j = 0; j < columns; j++) own[into.offset + j * to] = (isBig(dtype) ? 0n : 0) as never;
  for (let row = 0, at = 0; row < rows; row++) {
    const factor = x.elements[x.offset + row * step];
    const end = starts.words[(row + 1) * starts.step] as number;
    for (; at < end; at++) {
      const column = places.words[at * places.step] as number;
      if (sums !== undefined) sums[column]! += (values[at] as number) * (factor as number);
      else {
        const place = into.offset + column * to;
        own[place] = ((own[place] as number) + multiplied(values[at], factor)) as never;
      }
    }
  }
  for (const [j, sum] of sums?.entries() ?? []) own[into.offset + j * to] = sum as never;
}

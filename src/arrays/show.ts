import { type DType, type Elements, rowMajor, type Shape, sizeOf } from '../nd/index.ts';
import type { Arr } from './arr.ts';
import { formatterOf } from './numbers.ts';
import { computed } from './values.ts';

/** As NumPy has them. */
const MOST_ELEMENTS = 1000;
const EDGE = 3;
const LINE = 75;

/** `show`: a text for people, laid out as NumPy does it. */
export async function show(x: Arr): Promise<string> {
  const { node, elements } = await computed('show', x);
  return textOf(elements, node.shape, node.dtype);
}

/** Which places of an axis are shown: all of them, or those at its ends, with a gap between them. */
function placesOf(length: number, shortened: boolean): (number | undefined)[] {
  if (!shortened || length <= 2 * EDGE) return Array.from({ length }, (_, i) => i);
  const ends = Array.from({ length: EDGE }, (_, i) => i);
  return [...ends, undefined, ...ends.map((i) => length - EDGE + i)];
}

/** Elements that lie row by row, as a text. */
export function textOf(elements: Elements, shape: Shape, dtype: DType): string {
  if (sizeOf(shape) === 0) return '[]';
  const shortened = sizeOf(shape) > MOST_ELEMENTS;
  const strides = rowMajor(shape);
  const places = shape.map((length) => placesOf(length, shortened));
  const shown: (number | bigint)[] = [];
  const gather = (axis: number, at: number): void => {
    if (axis === shape.length) shown.push(elements[at] as number | bigint);
    else for (const i of places[axis] ?? []) if (i !== undefined) gather(axis + 1, at + i * (strides[axis] as number));
  };
  gather(0, 0);
  const format = formatterOf(shown, dtype, shape.length === 0);
  const last = shape.length - 1;
  const level = (axis: number, at: number): string => {
    if (axis > last) return format(elements[at] as number | bigint);
    const parts = (places[axis] ?? []).map((i) =>
      i === undefined ? '...' : level(axis + 1, at + i * (strides[axis] as number)),
    );
    const indent = ' '.repeat(axis + 1);
    if (axis === last) return `[${lines(parts, indent, LINE - axis - 1)}]`;
    // One empty line more for each further axis.
    return `[${parts.join(`${'\n'.repeat(last - axis)}${indent}`)}]`;
  };
  return level(0, 0);
}

/** Words in lines that are not too long, those after the first one indented. */
function lines(words: readonly string[], indent: string, width: number): string {
  const full: string[] = [];
  let current = indent;
  for (const word of words) {
    if (current.length + word.length > width && current.length > indent.length) {
      full.push(current.trimEnd());
      current = indent;
    }
    current += `${word} `;
  }
  return [...full, current.slice(0, -1)].join('\n').slice(indent.length);
}

import { type DType, type Elements, rowMajor, type Shape, sizeOf } from '../nd/index.ts';
import { isStored, type Node } from '../pipelines/index.ts';
import type { Arr } from './arr.ts';
import { formatterOf } from './numbers.ts';
import { pipelinesFor } from './place.ts';
import { settled } from './values.ts';
import { joined, part } from './views.ts';

/** As NumPy has them. */
const MOST_ELEMENTS = 1000;
const EDGE = 3;
const LINE = 75;

/** `show`: a text for people, laid out as NumPy does it. */
export async function show(x: Arr): Promise<string> {
  const node = await settled('show', x);
  const pipelines = pipelinesFor('show');
  if (!isStored(node)) return textOf(pipelines.read(node), node.shape, node.dtype);
  // Of one in many blocks no more is looked at than is shown.
  const ends = node.shape.reduce(endsOf, node);
  await pipelines.compute([ends]);
  return textOf(pipelines.read(ends), node.shape, node.dtype, ends.shape);
}

/** Of a long axis the ends alone. */
function endsOf(node: Node, length: number, axis: number): Node {
  if (length <= 2 * EDGE) return node;
  return joined([part(node, axis, 0, EDGE), part(node, axis, length - EDGE, EDGE)], axis);
}

/** Which places of an axis are shown: all of them, or those at its ends, with a gap between them. `there`: how many there are elements of. */
function placesOf(length: number, shortened: boolean, there: number): (number | undefined)[] {
  if (!shortened || length <= 2 * EDGE) return Array.from({ length }, (_, i) => i);
  const ends = Array.from({ length: EDGE }, (_, i) => i);
  return [...ends, undefined, ...ends.map((i) => there - EDGE + i)];
}

/** Elements that lie row by row, as a text. `there`: the shape of those that there are, where that is less than all. */
export function textOf(elements: Elements, shape: Shape, dtype: DType, there: Shape = shape): string {
  if (sizeOf(shape) === 0) return '[]';
  const shortened = sizeOf(shape) > MOST_ELEMENTS;
  const strides = rowMajor(there);
  const places = shape.map((length, axis) => placesOf(length, shortened, there[axis] as number));
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

/**
 * Groups with few keys in one pass over the rows: no list of the rows that are chosen, no columns of what is left of them, and no values of
 * expressions are made, since touching memory for these takes longer than all else.
 */

import type { Elements } from '../../nd/index.ts';
import { isWide, type ValueType } from '../types.ts';
import { gather, roomFor, withCells } from '../values/frames.ts';
import { isWideCells, wideCells } from '../values/integers.ts';
import { Texts } from '../values/texts.ts';
import type { Column } from '../values/values.ts';
import type { Bound } from './bind.ts';
import { type Writer, withNumbers } from './code.ts';
import type { Typed } from './expressions.ts';
import { type Cells, integerRange, isRanked, type Range, ranksOf } from './keys.ts';
import type { Table } from './steps.ts';

type Aggregated = NonNullable<Bound['groups']>['aggregates'][number];

/** Where to write what has been found, and how that becomes cells. */
interface Accumulator {
  /** What is done with a row `i` of group `g`, which had `c` rows before it. */
  readonly code: string;
  readonly cells: (groups: Int32Array, counts: Int32Array) => Cells;
}

/** All that is known of groups has room for so many of them, with respect to the rows. */
const mostGroups = (rows: number): number => rows / 4 + 65_536;

/** Keys, and then aggregates, of the rows that `where` lets through; undefined: another way has to be found. */
export function groupedInOnePass({ where, groups }: Bound, table: Table): Table | undefined {
  if (groups === undefined) return undefined;
  const { keys, aggregates } = groups;
  return withNumbers(table.columns, (writer) => onePass(where, keys, aggregates, table, writer));
}

function onePass(
  where: Typed | undefined,
  keys: readonly number[],
  aggregates: readonly Aggregated[],
  { rows, columns }: Table,
  writer: Writer,
): Table | undefined {
  const ranges = keysOf(keys, columns, mostGroups(rows), where !== undefined);
  if (ranges === undefined) return undefined;
  const room = ranges.reduce((product, { count }) => product * count, 1);
  const [counts, first] = [new Int32Array(room), new Int32Array(room)];
  if (where !== undefined) writer.filter(where);
  const group = ranges.reduce(
    (code, { own, count }) => (code === '' ? own(writer) : `(${code}) * ${count} + ${own(writer)}`),
    '',
  );
  const made = aggregates.map((each) => accumulator(each, columns, writer, room));
  if (made.some((each) => each === undefined)) return undefined;
  const accumulators = made as Accumulator[];
  const [n, f] = [writer.array(counts), writer.array(first)];
  const body = [
    `${writer.loads()}const g = ${group || 0};`,
    `const c = ${n}[g];`,
    `if (c === 0) ${f}[g] = i;`,
    `${n}[g] = c + 1;`,
    ...accumulators.map(({ code }) => code),
  ];
  writer.run(body.join('\n'), rows);
  const found = keys.length === 0 ? new Int32Array(1) : occurring(counts);
  // What aggregates of nothing are is not known here.
  if (keys.length === 0 && counts[0] === 0) return undefined;
  const rowOf = gather(first, found);
  return {
    rows: found.length,
    columns: [
      ...keys.map((index) => withCells(columns[index]!, gather<Cells>(columns[index]!.cells, rowOf))),
      ...aggregates.map(
        ({ value }, i) => ({ label: '', value, cells: accumulators[i]!.cells(found, counts) }) as Column,
      ),
    ],
  };
}

function occurring(counts: Int32Array): Int32Array {
  const found = new Int32Array(counts.length);
  let count = 0;
  for (let g = 0; g < counts.length; g++) if (counts[g] !== 0) found[count++] = g;
  return found.slice(0, count);
}

/** A key as a number below `count`, in the order of keys. */
interface Key {
  readonly count: number;
  readonly own: (writer: Writer) => string;
}

function keysOf(
  keys: readonly number[],
  columns: readonly Column[],
  most: number,
  isFiltered: boolean,
): Key[] | undefined {
  const found: Key[] = [];
  let room = 1;
  for (const index of keys) {
    const key = keyOf(index, columns[index]!.cells, most, isFiltered);
    if (key === undefined) return undefined;
    room *= key.count;
    if (room > most) return undefined;
    found.push(key);
  }
  return found;
}

function keyOf(index: number, cells: Cells, most: number, isFiltered: boolean): Key | undefined {
  if (isRanked(cells) || (!ArrayBuffer.isView(cells) && !isFiltered)) {
    const { ranks, count } = ranksOf(cells);
    return { count, own: (writer) => `${writer.array(ranks)}[i]` };
  }
  // Which of them are left where few rows are chosen may be a few.
  if (!ArrayBuffer.isView(cells)) return undefined;
  const range = rangeOf(cells as Elements, most);
  return range && { count: range.count, own: (writer) => `((${writer.element(index)} - ${range.least}) | 0)` };
}

/** Columns of frames, by which queries group again. */
const known = new WeakMap<object, Range | false>();

/** Undefined: they are no integers that lie close together. */
function rangeOf(cells: Elements, most: number): Range | undefined {
  let range = known.get(cells);
  if (range === undefined) {
    range = (isWideCells(cells) ? wideRange(cells) : integerRange(cells as Float64Array, 2 ** 32)) ?? false;
    known.set(cells, range);
  }
  return range !== false && range.count <= most && Math.abs(range.least) < 2 ** 31 ? range : undefined;
}

/** Of those that have 32 bits. */
function wideRange(cells: BigInt64Array | BigUint64Array): Range | undefined {
  if (cells.length === 0) return { least: 0, count: 0 };
  const words = new Int32Array(cells.buffer, cells.byteOffset, cells.length * 2);
  // Of an unsigned integer a high word of ones is no sign.
  const mask = cells instanceof BigInt64Array ? -1 : 0;
  let [least, greatest] = [2 ** 31 - 1, -(2 ** 31)];
  for (let at = 0; at < words.length; at += 2) {
    const low = words[at]!;
    if (words[at + 1] !== ((low >> 31) & mask) || (low & ~mask) < 0) return undefined;
    if (low < least) least = low;
    if (low > greatest) greatest = low;
  }
  return { least, count: greatest - least + 1 };
}

function accumulator(
  { aggregate, of, value }: Aggregated,
  columns: readonly Column[],
  writer: Writer,
  room: number,
): Accumulator | undefined {
  if (of.value === 'str') return textAccumulator(aggregate, of, columns, writer, room);
  // Differences of unsigned integers that wrap around are not known as numbers.
  if (of.kind === 'binary' && isWide(of.value) && of.value !== 'si64') return undefined;
  const own = writer.value(of, of.value);
  switch (aggregate) {
    case 'count':
      return { code: of.kind === 'binary' ? `${own};` : '', cells: countCells };
    case 'sum':
      return summed(value as NumberType, own, writer, room);
    case 'avg': {
      const sums = new Float64Array(room);
      const cells = (groups: Int32Array, counts: Int32Array): Float64Array => {
        const means = gather(sums, groups);
        for (let i = 0; i < means.length; i++) means[i] = means[i]! / counts[groups[i]!]!;
        return means;
      };
      return { code: `${writer.array(sums)}[g] += ${own};`, cells };
    }
    default:
      return best(aggregate, value as NumberType, own, writer, room);
  }
}

type NumberType = Exclude<ValueType, 'str'>;

const countCells = (groups: Int32Array, counts: Int32Array): BigInt64Array =>
  wideCells(gather(counts, groups), new BigInt64Array(groups.length));

/** What is found of groups: integers of 64 bits as numbers, all others as they are stored. */
const roomOf = (value: NumberType, room: number): Float64Array =>
  isWide(value) ? new Float64Array(room) : (roomFor(value, room) as Float64Array);

const cellsOf = (value: NumberType, found: Float64Array, groups: Int32Array): Cells => {
  const own = gather(found, groups);
  return isWide(value) ? wideCells(own, roomFor(value, own.length) as BigInt64Array) : own;
};

function summed(value: NumberType, own: string, writer: Writer, room: number): Accumulator {
  const sums = roomOf(value, room);
  const name = writer.array(sums);
  const plus = `${name}[g] + ${own}`;
  const code =
    value === 'bool' ? `if (${own}) ${name}[g] = 1;` : `${name}[g] = ${isWide(value) ? `t.exact(${plus})` : plus};`;
  return { code, cells: (groups) => cellsOf(value, sums, groups) };
}

function best(aggregate: 'min' | 'max', value: NumberType, own: string, writer: Writer, room: number): Accumulator {
  const found = roomOf(value, room);
  return {
    code: better(aggregate, writer.array(found), own),
    cells: (groups) => cellsOf(value, found, groups),
  };
}

/** The first one stays where others are as good, or can't be compared. */
const better = (aggregate: 'min' | 'max', found: string, own: string): string =>
  `{ const v = ${own}; if (c === 0 || v ${aggregate === 'min' ? '<' : '>'} ${found}[g]) ${found}[g] = v; }`;

function textAccumulator(
  aggregate: Aggregated['aggregate'],
  of: Typed,
  columns: readonly Column[],
  writer: Writer,
  room: number,
): Accumulator | undefined {
  if (of.kind === 'binary') return undefined;
  if (aggregate === 'count') return { code: '', cells: countCells };
  const texts = of.kind === 'column' ? columns[of.index]!.cells : undefined;
  if (!(texts instanceof Texts) || of.kind !== 'column') return undefined;
  const found = new Int32Array(room);
  return {
    code: better(aggregate as 'min' | 'max', writer.array(found), writer.element(of.index)),
    cells: (groups) => new Texts(gather(found, groups), texts.words),
  };
}

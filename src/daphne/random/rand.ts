import { wideCells } from '../values/integers.ts';
import { uniformBelow, uniformDouble, uniformFloat, uniformNumber, uniformSmall } from './distributions.ts';
import { type Engine, MersenneTwister, MinimalStandard } from './engines.ts';

/** What `rand` fills: elements of one of its value types. */
export type RandElements =
  | Float64Array
  | Float32Array
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Uint32Array
  | Int8Array
  | Uint8Array;

/** Half away from zero, as C rounds; there are no negative ones here. */
const rounded = (value: number): number => Math.floor(value) + (value - Math.floor(value) >= 0.5 ? 1 : 0);

/** One number from `min` to `max`, as the type of the elements has it. */
function drawer(into: RandElements, engine: Engine, min: number | bigint, max: number | bigint): () => number | bigint {
  if (into instanceof Float64Array) return () => uniformDouble(engine, Number(min), Number(max));
  if (into instanceof Float32Array) return () => uniformFloat(engine, Number(min), Number(max));
  if (areExact(min, max)) {
    const draw = integerDrawer(engine, Number(min), Number(max));
    return isBig(into) ? () => BigInt(draw()) : draw;
  }
  const least = BigInt(min);
  const range = BigInt(max) - least;
  if (isBig(into)) return () => least + uniformBelow(engine, range);
  return () => Number(least + uniformBelow(engine, range));
}

const integerDrawer =
  (engine: Engine, min: number, max: number): (() => number) =>
  () =>
    min + uniformNumber(engine, max - min);

/** Whether numbers have all integers between them, and how many these are. */
const areExact = (min: number | bigint, max: number | bigint): boolean =>
  [min, max, Number(max) - Number(min)].every((each) => Number.isSafeInteger(Number(each)));

const isBig = (elements: RandElements): elements is BigInt64Array | BigUint64Array =>
  elements instanceof BigInt64Array || elements instanceof BigUint64Array;

/**
 * The elements of a dense `rand`, row by row. Values come from one engine and are never 0; which cells are 0 comes from another one, whose
 * seed is three times as large.
 */
export function fillDense(
  into: RandElements,
  rows: number,
  columns: number,
  min: number | bigint,
  max: number | bigint,
  sparsity: number,
  seed: bigint,
): void {
  const engine = new MersenneTwister(seed);
  if (!isBig(into) || !areExact(min, max)) {
    fillCells(into, drawer(into, engine, min, max), rows, columns, sparsity, seed);
    return;
  }
  const numbers = new Float64Array(into.length);
  fillCells(numbers, integerDrawer(engine, Number(min), Number(max)), rows, columns, sparsity, seed);
  wideCells(numbers, into);
}

function fillCells(
  into: RandElements,
  draw: () => number | bigint,
  rows: number,
  columns: number,
  sparsity: number,
  seed: bigint,
): void {
  const cells = rows * columns;
  const places = new MersenneTwister(3n * seed);
  const put = (i: number): void => {
    do into[i] = draw();
    while (Number(into[i]) === 0);
  };
  const zero = isBig(into) ? 0n : 0;
  const full = sparsity >= 0.5;
  for (let i = 0; i < cells; i++) {
    if (full) put(i);
    else into[i] = zero;
  }
  const share = full ? 1 - sparsity : sparsity;
  let left = rounded(share * columns * rows);
  for (let i = 0; i < cells && left > 0; i++) {
    if (uniformSmall(places, cells - 1) % (cells - i) >= left) continue;
    if (full) into[i] = zero;
    else put(i);
    left--;
  }
}

/** How many values a sparse `rand` has. */
export const sparseCount = (rows: number, columns: number, sparsity: number): number =>
  rounded(rows * columns * sparsity);

/**
 * The parts of a sparse `rand` (CSR): first all values, into `values`, which has `sparseCount` of them; then how many each row has; then in
 * which columns, in order.
 */
export function fillSparse(
  values: RandElements,
  rows: number,
  columns: number,
  min: number | bigint,
  max: number | bigint,
  sparsity: number,
  seed: bigint,
): { readonly rowOffsets: Float64Array; readonly columnIndices: Float64Array } {
  const engine = new MinimalStandard(seed);
  const draw = drawer(values, engine, min, max);
  for (let i = 0; i < values.length; i++) values[i] = draw();
  // Few are added to empty rows, many are left by what is taken from full ones.
  const few = sparsity <= 0.5;
  const counts = new Float64Array(rows).fill(few ? 0 : columns);
  for (let left = few ? values.length : rows * columns - values.length; left > 0; ) {
    const row = uniformSmall(engine, rows - 1);
    if (counts[row] === (few ? columns : 0)) continue;
    counts[row]! += few ? 1 : -1;
    left--;
  }
  const rowOffsets = new Float64Array(rows + 1);
  const columnIndices = new Float64Array(values.length);
  for (let row = 0, at = 0; row < rows; row++) {
    const count = counts[row]!;
    const chosen = new Set<number>();
    while (chosen.size < (few ? count : columns - count)) chosen.add(uniformSmall(engine, columns - 1));
    if (few) for (const column of [...chosen].sort((a, b) => a - b)) columnIndices[at++] = column;
    else for (let column = 0; column < columns; column++) if (!chosen.has(column)) columnIndices[at++] = column;
    rowOffsets[row + 1] = at;
  }
  return { rowOffsets, columnIndices };
}

import { type Elements, elements } from '../../nd/index.ts';
import { all, then } from '../runtime/later.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { compareKeys, keysOf, numbersInOrder } from '../sql/keys.ts';
import { ELEMENT_TYPES, isFloat, isInteger, matrix, scalar, type Type, typeName, type ValueType } from '../types.ts';
import { isWideCells, wideCells } from '../values/integers.ts';
import { NumberCodes } from '../values/number-codes.ts';
import type { DenseMatrix, Matrix, MaybeLater, Scalar, StringMatrix, Value } from '../values/values.ts';
import { type Builtin, type CallToInfer, RunError, type ScriptFunction } from './builtin.ts';
import { checkCells } from './generation.ts';
import {
  checkSame,
  elementOf,
  elementsOf,
  flagOf,
  functionOf,
  integerOf,
  matrixOf,
  scalarReader,
  told,
  wantFlag,
  wantMatrix,
  wantNumber,
  wantNumbers,
} from './wanted.ts';

type NumberType = Exclude<ValueType, 'str'>;

const notRow = (rows: number): string => `oneHot: info has ${rows} rows, and has to have one`;
const notEach = (own: number, columns: number): string =>
  `oneHot: info tells of ${own} columns, and there are ${columns}`;

const ONE_HOT: Builtin = {
  name: 'oneHot',
  parameters: ['arg', 'info'],
  least: 2,
  most: 2,
  infer(call) {
    const [arg, info] = [wantMatrix(call, 0), wantNumbers(call, 1)];
    if (info.value !== undefined && !isInteger(info.value))
      call.fail('parser', `oneHot: info is ${typeName(info)}, and has to be a matrix of integers`, 1);
    // Strings become numbers of columns, zeros and ones.
    return [matrix(arg.value === 'str' ? 'si64' : arg.value, arg.rows, undefined)];
  },
  run(runtime, _, [arg, info]) {
    const [own, widths] = [matrixOf(arg), matrixOf(info)];
    checkSame(widths.rows, 1, notRow);
    checkSame(widths.columns, own.columns, notEach);
    return then(elementsOf(runtime, widths), (line) => {
      const layout = Array.from(line as Float64Array, Number);
      for (const width of layout)
        if (width < -1) throw new RunError(`oneHot: info has ${width}; give -1, 0, or a number of columns`);
      const codes = own.kind === 'strings' ? codesByColumn(own, layout) : elementsOf(runtime, own);
      const value = own.kind === 'strings' ? 'si64' : own.value;
      return then(codes, (cells) => encoded(runtime, cells, own.rows, layout, value));
    });
  },
};

/** Of each column by itself, in the order in which strings come. */
function codesByColumn({ cells, rows, columns }: StringMatrix, layout: readonly number[]): Elements {
  const codes = new Float64Array(rows * columns);
  for (let j = 0; j < columns; j++) {
    if (layout[j] === -1)
      throw new RunError(`oneHot: column ${j} has strings, which can't stay as they are beside numbers`);
    const seen = new Map<string, number>();
    for (let at = j; at < cells.length; at += columns) {
      const cell = cells[at]!;
      const code = seen.get(cell) ?? seen.size;
      seen.set(cell, code);
      codes[at] = code;
    }
  }
  return codes;
}

function encoded(
  runtime: Runtime,
  cells: Elements,
  rows: number,
  layout: readonly number[],
  value: NumberType,
): DenseMatrix {
  const width = layout.reduce((sum, each) => sum + Math.abs(each), 0);
  checkCells('oneHot', rows, width);
  const into = elements(ELEMENT_TYPES[value], rows * width);
  const [one, columns] = [elementOf(value, 1), layout.length];
  for (let i = 0; i < rows; i++) {
    let to = i * width;
    for (let j = 0; j < columns; j++) {
      const own = layout[j]!;
      const cell = cells[i * columns + j]!;
      if (own === -1) into[to++] = cell;
      else if (own > 0) {
        const code = Math.trunc(Number(cell));
        if (!(code >= 0 && code < own))
          throw new RunError(
            `oneHot: there is ${told(cell)} at [${i}, ${j}], and ${own} columns are for 0 to ${own - 1}`,
          );
        into[to + code] = one;
        to += own;
      }
    }
  }
  return runtime.matrixOf(into, value, rows, width);
}

const notOneColumn = (columns: number): string => `recode takes a matrix of one column, and this one has ${columns}`;

const RECODE: Builtin = {
  name: 'recode',
  parameters: ['arg', 'orderPreserving'],
  least: 2,
  most: 2,
  infer(call) {
    const { value, rows } = wantMatrix(call, 0);
    wantFlag(call, 1);
    return [matrix('si64', rows, 1), matrix(value, undefined, 1)];
  },
  run(runtime, _, [arg, orderPreserving]) {
    const own = matrixOf(arg);
    checkSame(own.columns, 1, notOneColumn);
    return then(flagOf(runtime, orderPreserving), (inOrder): MaybeLater<Matrix[]> => {
      if (own.kind === 'strings') {
        const { codes, found } = recoded(own.cells, inOrder, (texts) => [...texts].sort(compareKeys));
        const dictionary: StringMatrix = {
          kind: 'strings',
          value: 'str',
          rows: found.length,
          columns: 1,
          cells: found,
        };
        return [runtime.matrixOf(codes, 'si64', own.rows, 1), dictionary];
      }
      return then(elementsOf(runtime, own), (cells) => {
        const { codes, dictionary } = recodedCells(cells, own.value, inOrder);
        return [
          runtime.matrixOf(codes, 'si64', own.rows, 1),
          runtime.matrixOf(dictionary, own.value, dictionary.length, 1),
        ];
      });
    });
  },
};

function recodedCells(cells: Elements, value: ValueType, inOrder: boolean) {
  const type = ELEMENT_TYPES[value as Exclude<ValueType, 'str'>];
  const keys = keysOf(cells);
  if (!ArrayBuffer.isView(keys)) {
    // Integers, not all of which a number has.
    const { codes, found } = recoded(cells as BigInt64Array, inOrder, (numbers) => [...numbers].sort(compareKeys));
    const dictionary = elements(type, found.length) as BigInt64Array;
    dictionary.set(found);
    return { codes, dictionary };
  }
  const numbers = keys as Float64Array;
  const known = new NumberCodes();
  const own = new Int32Array(numbers.length);
  for (let i = 0; i < own.length; i++) own[i] = known.add(numbers[i]!);
  let found = known.keys();
  if (inOrder) {
    const { sorted, rankOf } = numbersInOrder(known);
    found = sorted;
    for (let i = 0; i < own.length; i++) own[i] = rankOf[own[i]!]!;
  }
  const dictionary = elements(type, found.length);
  if (isWideCells(dictionary)) wideCells(found, dictionary);
  else (dictionary as Float64Array).set(found);
  return { codes: wideCells(own, new BigInt64Array(own.length)), dictionary };
}

function recoded<T>(
  cells: ArrayLike<T>,
  inOrder: boolean,
  sorted: (found: readonly T[]) => ArrayLike<T>,
): { codes: BigInt64Array; found: T[] } {
  const codeOf = new Map<T, number>();
  const own = new Uint32Array(cells.length);
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i]!;
    let code = codeOf.get(cell);
    if (code === undefined) {
      code = codeOf.size;
      codeOf.set(cell, code);
    }
    own[i] = code;
  }
  const found = [...codeOf.keys()];
  const order = inOrder ? Array.from(sorted(found), (each) => codeOf.get(each)!) : found.map((_, code) => code);
  const renamed = new BigInt64Array(found.length);
  for (const [place, code] of order.entries()) renamed[code] = BigInt(place);
  const codes = new BigInt64Array(cells.length);
  for (let i = 0; i < codes.length; i++) codes[i] = renamed[own[i]!]!;
  return { codes, found: order.map((code) => found[code]!) };
}

const BIN: Builtin = {
  name: 'bin',
  parameters: ['arg', 'numBins', 'min', 'max'],
  least: 2,
  most: 4,
  infer(call) {
    const { value, rows, columns } = wantNumbers(call, 0);
    wantNumber(call, 1);
    if (call.args.length === 3) call.fail('parser', 'bin takes 2 or 4 arguments, and got 3: min comes with max');
    for (let at = 2; at < call.args.length; at++) wantNumber(call, at);
    return [matrix(value, rows, columns)];
  },
  run(runtime, _, [arg, numBins, least, most]) {
    const own = matrixOf(arg);
    const bins = integerOf(numBins, 'numBins');
    if (own.kind === 'strings') throw new RunError('bin takes numbers, and no strings');
    return then(elementsOf(runtime, own), (cells) => {
      const [min, max] =
        least === undefined
          ? rangeOf(cells)
          : [own, own].map((_, i) => elementOf(own.value, (i === 0 ? least : most) as Scalar));
      checkBins(bins, min!, max!);
      return runtime.matrixOf(binned(cells, bins, min!, max!, own.value), own.value, own.rows, own.columns);
    });
  },
};

/** NaN does not count. */
function rangeOf(cells: Elements): [number | bigint, number | bigint] {
  let [min, max]: [number | bigint, number | bigint] = [Number.NaN, Number.NaN];
  for (const each of cells) {
    if (!(min <= each) && !Number.isNaN(each)) min = each;
    if (!(max >= each) && !Number.isNaN(each)) max = each;
  }
  return [min, max];
}

function checkBins(bins: number, min: number | bigint, max: number | bigint): void {
  if (bins <= 0) throw new RunError(`bin: numBins is ${bins}, and has to be greater than 0`);
  for (const [name, limit] of [
    ['min', min],
    ['max', max],
  ] as const)
    if (!Number.isFinite(Number(limit)))
      throw new RunError(`bin: ${name} is ${told(limit)}, and has to be a finite number`);
  if (min > max) throw new RunError(`bin: min is ${min}, which is greater than max, ${max}`);
  if (min === max && bins > 1)
    throw new RunError(`bin: min and max are both ${min}, so that there is room for one bin, and not for ${bins}`);
}

function binned(
  cells: Elements,
  bins: number,
  min: number | bigint,
  max: number | bigint,
  value: NumberType,
): Elements {
  const into = elements(ELEMENT_TYPES[value], cells.length);
  if (min === max) return into;
  // Differences of integers are exact.
  const apart = (x: number | bigint): number => Number((x as number) - (min as number));
  const width = apart(max) / bins;
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i]!;
    if (cell <= min) continue;
    const bin = Math.ceil(apart(cell) / width) - 1;
    into[i] = Number.isNaN(bin) ? bin : elementOf(value, Math.max(0, Math.min(bin, bins - 1)));
  }
  return into;
}

const QUANTIZE: Builtin = {
  name: 'quantize',
  parameters: ['arg', 'min', 'max'],
  least: 3,
  most: 3,
  infer(call) {
    const own = wantNumbers(call, 0);
    if (own.value !== undefined && own.value !== 'f32')
      call.fail('parser', `quantize takes a matrix of f32, and not ${typeName(own)}; as.f32(...) makes one`, 0);
    for (const at of [1, 2]) {
      const value = wantNumber(call, at);
      if (value !== 'f32')
        call.fail(
          'parser',
          `quantize takes f32 as ${at === 1 ? 'min' : 'max'}, and not ${value}; write 1.5f, or as.f32(...)`,
          at,
        );
    }
    return [matrix('ui8', own.rows, own.columns)];
  },
  run(runtime, _, [arg, min, max]) {
    const own = matrixOf(arg);
    return then(elementsOf(runtime, own), (cells) => {
      const { scale, zero } = quantization(Number(min), Number(max));
      const into = new Uint8Array(cells.length);
      for (let i = 0; i < into.length; i++) {
        const step = Math.fround(zero + Math.fround(Number(cells[i]) / scale));
        into[i] = Math.floor(Math.max(0, Math.min(step, 255)) + 0.5);
      }
      return runtime.matrixOf(into, 'ui8', own.rows, own.columns);
    });
  },
};

/** Steps of 256 from min to max, 0 among them. All of it in floats of 32 bits. */
function quantization(min: number, max: number): { scale: number; zero: number } {
  const [low, high] = [Math.min(min, 0), Math.max(max, 0)];
  const scale = Math.fround(Math.fround(high - low) / 256);
  const mapped = Math.fround(255 - Math.fround(high / scale));
  return { scale, zero: Math.floor(Math.max(0, Math.min(mapped, 255)) + 0.5) };
}

const MAP: Builtin = {
  name: 'map',
  parameters: ['arg', 'udf'],
  least: 2,
  most: 2,
  functions: [1],
  infer(call) {
    const own = wantMatrix(call, 0);
    const { value } = own;
    if (value === undefined)
      return call.fail('compiler', 'map: the value type of the matrix is not known here; a cast says it', 0);
    const result = resultOf(call, scalar(value));
    if (result.data !== 'scalar' || result.value !== value)
      call.fail('compiler', `map: the function gives ${typeName(result)} for ${value}, and has to give ${value}`, 1);
    return [matrix(value, own.rows, own.columns)];
  },
  run(runtime, _, [arg, udf]) {
    const own = matrixOf(arg);
    const apply = functionOf(udf);
    if (own.kind === 'strings')
      return then(
        each(own.cells.length, (i) => own.cells[i]!, apply),
        (cells) => ({ ...own, cells: cells as string[] }),
      );
    return then(elementsOf(runtime, own), (given) => {
      const into = elements(ELEMENT_TYPES[own.value], given.length);
      const read = scalarReader(own.value, given);
      return then(mapped(into, read, own.value, apply), () => runtime.matrixOf(into, own.value, own.rows, own.columns));
    });
  },
};

function resultOf(call: CallToInfer, type: Type): Type {
  const own = call.args[1]!.function;
  return own === undefined ? call.fail('parser', 'map takes the name of a function', 1) : own.resultOf([type]);
}

/** Cell by cell, without a promise as long as the function gives none. */
function mapped(
  into: Elements,
  read: (at: number) => Scalar,
  value: NumberType,
  apply: ScriptFunction,
  from = 0,
): MaybeLater<void> {
  const plain = isFloat(value);
  for (let i = from; i < into.length; i++) {
    const made = apply(read(i));
    if (made instanceof Promise) {
      return made.then((results) => {
        into[i] = elementOf(value, results[0] as Scalar);
        return mapped(into, read, value, apply, i + 1);
      });
    }
    into[i] = plain ? (made[0] as number) : elementOf(value, made[0] as Scalar);
  }
}

function each(count: number, read: (at: number) => Scalar, apply: ScriptFunction): MaybeLater<readonly Value[]> {
  const results: MaybeLater<readonly Value[]>[] = [];
  for (let i = 0; i < count; i++) results.push(apply(read(i)));
  return all(results, (values) => values.map((value) => value[0]!));
}

export const PREPROCESSING: readonly Builtin[] = [ONE_HOT, RECODE, BIN, QUANTIZE, MAP];

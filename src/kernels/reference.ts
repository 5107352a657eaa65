import { DTYPES, type DType, type Elements, isBig, kindOf, type Shape, sizeOf } from '../nd/index.ts';
import { type ElementOp, elementOp } from './elementwise.ts';
import { nearest32, saturated, wrapped } from './integers.ts';
import type { Kernel, Step } from './kernel.ts';
import { type Accumulator, reducer } from './reducers.ts';

type Value = number | bigint;

/** Elements as an array of some shape sees them: from `offset` on, so many elements apart along each axis. */
export interface Strided {
  readonly elements: Elements;
  readonly offset: number;
  readonly strides: readonly number[];
}

/** What a kernel is run on. `operands`, `scalars` and `results` are in the kernel's order, their strides those in its space. */
export interface Run {
  readonly space: Shape;
  readonly operands: readonly Strided[];
  readonly scalars: readonly Value[];
  readonly results: readonly Strided[];
}

const bitsOf = (dtype: DType): number => (dtype === 'bool' ? 1 : 8 * DTYPES[dtype].bytes);

/** One element through one operator, by the definition of that operator. `dtype`: of its operands. */
export function applied(op: ElementOp, dtype: DType, args: readonly Value[]): Value {
  if (kindOf(dtype) === 'float') {
    const f = (dtype === 'f32' ? op.float32 : undefined) ?? (op.float as NonNullable<ElementOp['float']>);
    const result = f(args[0] as number, args[1] as number, args[2] as number);
    return dtype === 'f32' && op.gives === 'same' ? Math.fround(result) : result;
  }
  const exact = args.map((arg) => BigInt(arg));
  if (op.needsBits) exact.push(BigInt(bitsOf(dtype)));
  const [x, y, z] = exact as [bigint, bigint, bigint];
  const result = (op.exact as NonNullable<ElementOp['exact']>)(x, y, z);
  if (op.gives === 'bool') return Number(result);
  const own = wrapped(result, dtype);
  return isBig(dtype) ? own : Number(own);
}

/** A value in another type. */
export function cast(x: Value, from: DType, to: DType): Value {
  if (to === 'bool') return Number(x !== 0 && x !== 0n);
  if (kindOf(to) === 'float') {
    if (to === 'f64') return Number(x);
    return typeof x === 'bigint' ? nearest32(x) : Math.fround(x);
  }
  if (kindOf(from) === 'float') return saturated(x as number, to);
  const own = wrapped(BigInt(x), to);
  return isBig(to) ? own : Number(own);
}

/**
 * Runs a kernel slowly, one point after the other in the order of rows. What it gives is what every backend has to give; sums
 * and products of floats up to rounding. A reduced result is combined with what its place holds, so that a space can be run in parts: the
 * place holds the reducer's identity before the first. `apply`: what each operator does, unless it is what its definition says.
 */
export function interpret(kernel: Kernel, { space, operands, scalars, results }: Run, apply = applied): void {
  const gathered = kernel.results.map(() => new Map<number, Accumulator>());
  const values = new Array<Value>(kernel.steps.length);
  const point = space.map(() => 0);
  for (let left = sizeOf(space); left > 0; left--) {
    for (const [number, step] of kernel.steps.entries()) values[number] = atPoint(step);
    for (const [number, { value, reduce }] of kernel.results.entries()) {
      const { elements, offset, strides } = results[number] as Strided;
      const at = offset + dot(point, strides);
      if (reduce === null) {
        elements[at] = values[value] as never;
        continue;
      }
      const all = gathered[number] as Map<number, Accumulator>;
      let accumulator = all.get(at);
      if (accumulator === undefined) {
        accumulator = reducer(reduce).accumulator((kernel.steps[value] as Step).dtype);
        accumulator.take(elements[at] as Value);
        all.set(at, accumulator);
      }
      accumulator.take(values[value] as Value);
    }
    for (let axis = space.length - 1; axis >= 0; axis--) {
      point[axis] = (point[axis] as number) + 1;
      if ((point[axis] as number) < (space[axis] as number)) break;
      point[axis] = 0;
    }
  }
  for (const [number, all] of gathered.entries()) {
    const { elements } = results[number] as Strided;
    for (const [at, accumulator] of all) elements[at] = accumulator.result() as never;
  }

  function atPoint(step: Step): Value {
    switch (step.op) {
      case 'load': {
        const { elements, offset, strides } = operands[step.operand] as Strided;
        return elements[offset + dot(point, strides)] as Value;
      }
      case 'scalar':
        return scalars[step.scalar] as Value;
      case 'constant':
        return step.value;
      case 'position':
        return BigInt(point[step.axis] as number);
      case 'cast':
        return cast(values[step.args[0]] as Value, (kernel.steps[step.args[0]] as Step).dtype, step.dtype);
      default: {
        const own = (kernel.steps[step.args.at(-1) as number] as Step).dtype;
        return apply(
          elementOp(step.op),
          own,
          step.args.map((arg) => values[arg] as Value),
        );
      }
    }
  }
}

function dot(point: readonly number[], strides: readonly number[]): number {
  let at = 0;
  for (const [axis, step] of strides.entries()) at += (point[axis] as number) * step;
  return at;
}

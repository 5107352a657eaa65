import { InternalError } from '../../base/index.ts';
import type { DType } from '../../nd/index.ts';
import type { ElementOpName } from '../elementwise.ts';
import type { Kernel, Step } from '../kernel.ts';
import { COMBINES } from '../reducers.ts';
import { Calls } from './calls.ts';
import { Code, I32 } from './code.ts';
import type { Along, Cursor } from './cursors.ts';
import * as scalars from './scalars.ts';
import * as vectors from './vectors.ts';

/** f64.promote_f32. */
const PROMOTE = 0xbb;

export interface Variant {
  readonly operands: readonly Along[];
  readonly results: readonly Along[];
  /** The memory is shared. */
  readonly shared: boolean;
  /** The last axis is short, so that lanes are better used for several rows at once where the axis is reduced. */
  readonly short?: boolean;
}

/** The code of a kernel: its parameters, and what is done at one point after the other. */
export class Points {
  protected readonly kernel: Kernel;
  readonly code = new Code();
  readonly calls = new Calls(this.code);
  protected readonly lengths: number[] = [];
  protected readonly operands: Cursor[];
  protected readonly results: Cursor[];
  protected readonly given: number[];
  protected readonly counters: number[] = [];
  /** Bytes of an element, where it can be done in lanes. */
  protected readonly width: number;
  protected readonly lanes: number;
  /** What is known of second operands that are the same for all points, by step. */
  protected readonly places = new Map<Step, number>();

  constructor(kernel: Kernel, variant: Variant) {
    this.kernel = kernel;
    const { rank } = kernel;
    const c = this.code;
    for (let axis = 0; axis < rank; axis++) this.lengths.push(c.param(I32));
    const cursor = (dtype: DType, along: Along) => ({
      dtype,
      along,
      first: c.param(I32),
      by: Array.from({ length: rank }, () => c.param(I32)),
    });
    const made = [
      ...kernel.operands.map((dtype, i) => cursor(dtype, variant.operands[i] as Along)),
      ...kernel.results.map(({ value }, i) => cursor(this.typeOf(value), variant.results[i] as Along)),
    ];
    this.given = kernel.scalars.map((dtype) => c.param(scalars.typeOf(dtype)));
    const placed = made.map(({ first, ...rest }): Cursor => {
      const inner = Array.from({ length: Math.max(0, rank - 1) }, () => c.local(I32));
      return { ...rest, at: [first, ...inner] };
    });
    this.operands = placed.slice(0, kernel.operands.length);
    this.results = placed.slice(kernel.operands.length);
    for (let axis = 0; axis < rank; axis++) this.counters.push(c.local(I32));
    const width = vectors.widthOf(kernel.steps.map(({ dtype }) => dtype));
    const onlyBooleans = kernel.steps.every(({ dtype }) => dtype === 'bool');
    this.width = onlyBooleans ? 1 : (width ?? 0);
    this.lanes = this.width === 0 ? 1 : 16 / this.width;
  }

  protected typeOf(value: number): DType {
    return (this.kernel.steps[value] as Step).dtype;
  }

  /** Of kernels without an axis there is one point only, for which nothing is worth finding out. */
  protected findPlaces(): void {
    const { rank, steps } = this.kernel;
    if (rank === 0) return;
    for (const step of steps) {
      if (!this.isCall(step)) continue;
      const second = steps[step.args[1] ?? -1];
      if (second?.op !== 'constant' && second?.op !== 'scalar') continue;
      const place = this.calls.place(step.op, () => {
        if (second.op === 'constant') scalars.constant(this.code, second.value, second.dtype);
        else this.code.get(this.given[second.scalar] as number);
        if (second.dtype === 'f32') this.code.op(PROMOTE);
      });
      if (place !== undefined) this.places.set(step, place);
    }
  }

  protected get arrays(): Cursor[] {
    return [...this.operands, ...this.results];
  }

  protected advance(at: number, by: number): void {
    this.code.get(at, by).op(0x6a).set(at);
  }

  protected oneByOne(axis: number, left: number, one: () => void): void {
    const c = this.code;
    c.while(
      () => c.get(left),
      () => {
        one();
        for (const { at, by, along } of this.arrays) {
          if (along !== 'same') this.advance(at[axis] as number, by[axis] as number);
        }
        c.get(left).i32(1).op(0x6b).set(left);
      },
    );
  }

  /** Writes what comes before all points; what it returns writes one of them. */
  protected body(axis: number, totals: readonly number[]): () => void {
    const { steps, results } = this.kernel;
    const c = this.code;
    const locals = steps.map((step) =>
      step.op === 'scalar' ? (this.given[step.scalar] as number) : c.local(scalars.typeOf(step.dtype)),
    );
    for (const [i, step] of steps.entries()) {
      const local = locals[i] as number;
      if (step.op === 'constant') scalars.constant(c, step.value, step.dtype).set(local);
      else if (this.isSame(step)) scalars.load(c.get(this.addressOf(step, axis)), step.dtype, 0).set(local);
    }
    return () => {
      for (const [i, step] of steps.entries()) {
        const local = locals[i] as number;
        if (step.op === 'load') {
          if (!this.isSame(step)) scalars.load(c.get(this.addressOf(step, axis)), step.dtype, 0).set(local);
        } else if (step.op === 'position') {
          // Counters go down.
          c.get(this.lengths[step.axis] as number, this.counters[step.axis] as number)
            .op(0x6b, 0xad)
            .set(local);
        } else if (this.isComputed(step)) {
          const args = step.args.map((arg) => locals[arg] as number);
          const dtype = this.typeOf(step.args.at(-1) as number);
          if (step.op === 'cast') scalars.cast(c, args[0] as number, dtype, step.dtype);
          else if (Calls.serve(step.op, dtype)) this.calls.scalar(step.op, dtype, args, this.places.get(step));
          else this.apply(step.op, dtype, args);
          c.set(local);
        }
      }
      for (const [i, { value, reduce }] of results.entries()) {
        const dtype = this.typeOf(value);
        const local = locals[value] as number;
        const total = totals[i] as number;
        const at = this.results[i]?.at[axis] as number;
        if (reduce === null) scalars.store(c.get(at, local), dtype, 0);
        else if (total >= 0) {
          scalars.apply(c, COMBINES[reduce], dtype, [total, local]);
          c.set(total);
        } else {
          const before = c.local(scalars.typeOf(dtype));
          scalars.load(c.get(at), dtype, 0).set(before);
          c.get(at);
          scalars.apply(c, COMBINES[reduce], dtype, [before, local]);
          scalars.store(c, dtype, 0);
        }
      }
    };
  }

  protected apply(op: ElementOpName, dtype: DType, args: readonly number[]): void {
    if (scalars.apply(this.code, op, dtype, args)) return;
    throw new InternalError(`there are no instructions for ${op} of ${dtype}`);
  }

  protected isSame(step: Step): boolean {
    return step.op === 'load' && this.operands[step.operand]?.along === 'same';
  }

  /** Whether it is written for each point, and not before all of them. */
  protected varies(step: Step): boolean {
    if (step.op === 'position') return step.axis === this.kernel.rank - 1;
    return this.isComputed(step) || (step.op === 'load' && !this.isSame(step));
  }

  protected isCall(step: Step): step is Extract<Step, { op: ElementOpName }> {
    return this.isComputed(step) && step.op !== 'cast' && Calls.serve(step.op, this.typeOf(step.args.at(-1) as number));
  }

  protected isComputed(step: Step): step is Extract<Step, { args: readonly number[] }> {
    return 'args' in step;
  }

  protected addressOf(step: Step, axis: number): number {
    return this.operands[(step as { operand: number }).operand]?.at[axis] as number;
  }
}

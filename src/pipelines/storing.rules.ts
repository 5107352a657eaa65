import type { ElementOpName } from '../kernels/elementwise.ts';
import { sizeOf } from '../nd/index.ts';
import { splits } from './simplify.rules.ts';
import type { Value, ValueOp, Values } from './values.rules.ts';

/** A kernel has at most so many steps: a longer one takes long to compile, and finds no registers. */
export const LONGEST = 64;

/** What takes longer to compute than to read again. */
const EXPENSIVE: ReadonlySet<ElementOpName> = new Set<ElementOpName>([
  'acos',
  'acosh',
  'asin',
  'asinh',
  'atan',
  'atanh',
  'atan2',
  'cos',
  'cosh',
  'divide',
  'exp',
  'expm1',
  'floorDivide',
  'hypot',
  'log',
  'log10',
  'log1p',
  'log2',
  'logaddexp',
  'pow',
  'remainder',
  'sin',
  'sinh',
  'sqrt',
  'tan',
  'tanh',
]);

/** Of so many operations computing again is no more than reading again. */
const CHEAP = 2;

const NEW_KERNELS = 1 << 28;
/** Nothing is counted any further. */
const MANY = 1 << 20;

/**
 * Which values get elements of their own, and which are steps of the kernels that need them. Reductions and what is computed whole have
 * elements, and so has what is asked for; the rest only where a kernel would become too long, or (`divided`) where several kernels need it.
 */
export class Storing {
  readonly #values: Values;
  readonly #needed: readonly number[];
  readonly #stored: Uint8Array;

  constructor(values: Values, needed: readonly number[], roots: readonly number[]) {
    this.#values = values;
    this.#needed = needed;
    this.#stored = new Uint8Array(values.list.length);
    for (const id of needed) {
      const { op, args, shape } = values.at(id);
      if (isWhole(op.kind) || op.kind === 'reduce') this.#stored[id] = 1;
      if (op.kind === 'reshape' && splits(values.at(args[0] as number).shape, shape) === undefined)
        this.#store(args[0] as number);
    }
    for (const root of roots) this.#materialize(root);
    for (const id of needed) {
      const { op, args } = values.at(id);
      // What is put together is written to its place at once.
      if (isWhole(op.kind) && op.kind !== 'assemble') for (const arg of args) this.#materialize(arg);
    }
    this.#storeSmall();
    this.#shorten();
  }

  has(id: number): boolean {
    return this.#stored[id] === 1;
  }

  #store(id: number): void {
    if (this.#values.at(id).op.kind !== 'source') this.#stored[id] = 1;
  }

  /** Elements in some layout, in an array that is there. Of a small part of something that nobody else needs, the part alone. */
  #materialize(id: number): void {
    let base = id;
    for (; !this.has(base); base = this.#values.at(base).args[0] as number) {
      const { kind } = this.#values.at(base).op;
      if (kind !== 'view' && kind !== 'reshape') break;
    }
    const isPart = sizeOf(this.#values.at(id).shape) < sizeOf(this.#values.at(base).shape);
    if (this.has(base) || this.#values.at(base).op.kind === 'source') return;
    this.#store(isPart ? id : base);
  }

  /** Stores what is seen by many points each, instead of computing it at every one of them. */
  #storeSmall(): void {
    const counts = new Uint32Array(this.#values.list.length);
    for (const id of this.#needed) {
      const { op, args, shape } = this.#values.at(id);
      const size = sizeOf(shape);
      let count = operationsOf(op);
      for (const arg of args) {
        if (this.has(arg)) continue;
        const own = counts[arg] as number;
        if (own > 1 && sizeOf(this.#values.at(arg).shape) < size && op.kind !== 'assemble') {
          const base = this.#storable(arg);
          const { kind } = this.#values.at(base).op;
          if (kind === 'element' || kind === 'cast') {
            this.#store(base);
            continue;
          }
        }
        count += own;
      }
      counts[id] = Math.min(count, MANY);
    }
  }

  /** Stores arguments wherever the steps of a value would be too many. */
  #shorten(): void {
    const uses = new Uint32Array(this.#values.list.length);
    for (const id of this.#needed) for (const arg of this.#values.at(id).args) (uses[arg] as number)++;
    /** The steps of each value that is not stored. */
    const steps: (Set<number> | undefined)[] = [];
    for (const id of this.#needed) {
      const { args, op } = this.#values.at(id);
      // Each of its arguments is, or has, a kernel of its own.
      if (isWhole(op.kind)) continue;
      let own = this.#union(args, steps, uses);
      while (own.size >= LONGEST) {
        const longest = args.reduce((a, b) => ((steps[b]?.size ?? 0) > (steps[a]?.size ?? 0) ? b : a));
        if ((steps[longest]?.size ?? 0) < 2) break;
        this.#store(this.#storable(longest));
        steps[longest] = undefined;
        own = this.#union(args, steps, uses);
      }
      own.add(id);
      steps[id] = this.has(id) ? undefined : own;
    }
  }

  /** Behind views: they cost nothing, and what they show is smaller or larger. */
  #storable(id: number): number {
    let at = id;
    while (this.#values.at(at).op.kind === 'view' || this.#values.at(at).op.kind === 'reshape') {
      const arg = this.#values.at(at).args[0] as number;
      if (this.has(arg) || sizeOf(this.#values.at(arg).shape) > sizeOf(this.#values.at(at).shape)) break;
      at = arg;
    }
    return at;
  }

  #union(args: readonly number[], steps: (Set<number> | undefined)[], uses: Uint32Array): Set<number> {
    let inner = 0;
    let only = -1;
    for (const arg of args) {
      if (steps[arg] === undefined) continue;
      inner++;
      only = arg;
    }
    // A chain hands its steps on: nobody else asks for them.
    const own = inner === 1 && uses[only] === 1 ? (steps[only] as Set<number>) : new Set<number>();
    for (const arg of args) {
      const theirs = steps[arg];
      if (theirs === undefined) own.add(arg);
      else if (theirs !== own) for (const each of theirs) own.add(each);
    }
    return own;
  }

  /**
   * Stores what several kernels need, if that is cheaper than computing it in each. `kernelOf`: the kernel that computes a stored value;
   * `pieceOf`: the one that writes an argument of what is put together. Whether there was anything.
   */
  divided(kernelOf: (id: number) => number, pieceOf: (id: number, arg: number) => number): boolean {
    const NONE = -1;
    const SEVERAL = -2;
    /** The one kernel in which a value is a step. */
    const within = new Int32Array(this.#values.list.length).fill(NONE);
    let operations: Uint32Array | undefined;
    /** Those that are stored from now on have kernels that nobody else has. */
    const found = new Map<number, number>();
    for (let i = this.#needed.length - 1; i >= 0; i--) {
      const id = this.#needed[i] as number;
      const { op, args } = this.#values.at(id);
      const isStep = op.kind === 'element' || op.kind === 'cast';
      if (isStep && !this.has(id) && within[id] === SEVERAL) {
        operations ??= this.#operations();
        if ((operations[id] as number) > CHEAP) {
          this.#stored[id] = 1;
          found.set(id, NEW_KERNELS + id);
        }
      }
      for (const [at, arg] of args.entries()) {
        if (this.has(arg)) continue;
        const own =
          op.kind === 'assemble'
            ? pieceOf(id, at)
            : (found.get(id) ?? (this.has(id) ? kernelOf(id) : (within[id] as number)));
        if (within[arg] === NONE) within[arg] = own;
        else if (within[arg] !== own) within[arg] = SEVERAL;
      }
    }
    return found.size > 0;
  }

  /** How many operations it takes to compute each value out of what is stored, the expensive ones counted as many. */
  #operations(): Uint32Array {
    const counts = new Uint32Array(this.#values.list.length);
    for (const id of this.#needed) {
      const { op, args } = this.#values.at(id);
      let count = operationsOf(op);
      for (const arg of args) if (!this.has(arg)) count += counts[arg] as number;
      counts[id] = Math.min(count, MANY);
    }
    return counts;
  }
}

/** How many operations one is worth. */
function operationsOf(op: ValueOp): number {
  if (op.kind === 'element') return EXPENSIVE.has(op.op) ? CHEAP + 1 : 1;
  return op.kind === 'cast' ? 1 : 0;
}

/**
 * Whether elements are taken along the first axis that is longer than 1: that can be done row by row, whatever is computed of them before and
 * after.
 */
export function isGather(values: Values, id: number): boolean {
  const { op, args, shape } = values.at(id);
  if (op.kind !== 'take' || sizeOf(shape) === 0) return false;
  if (values.at(args[0] as number).shape[op.axis] === 0) return false;
  return (shape[op.axis] as number) > 1 && shape.findIndex((length) => length !== 1) === op.axis;
}

/** What is computed by itself, and not at the points of a space. */
export const isWhole = (kind: Value['op']['kind']): boolean =>
  kind === 'matmul' || kind === 'take' || kind === 'assemble' || kind === 'call' || kind === 'output';

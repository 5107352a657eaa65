import { sizeOf } from '../../nd/index.ts';
import { type Kernel, keyOf } from '../kernel.ts';
import type { Run, Strided } from '../reference.ts';
import { type KernelModule, moduleOf } from './compile.ts';
import type { Along } from './cursors.ts';
import { functionOf } from './math/library.ts';
import { ShortRows } from './short-rows.ts';

/**
 * A compiled kernel. It takes, all in bytes but for the lengths and the scalars: the length of each axis; of each operand, then of each
 * result, its address and its strides; the scalars. Numbers of 32 bits are signed ones.
 */
export type WasmFunction = (...args: (number | bigint)[]) => void;

/** So many functions are kept: a program that makes ever new ones must not grow with them. */
const MOST_KEPT = 4096;

/** Kernels as WebAssembly with SIMD, over one memory; each compiled once. */
export class WasmKernels {
  readonly #memory: WebAssembly.Memory;
  readonly #shared: boolean;
  readonly #compiled = new Map<string, WasmFunction>();

  /** `memory`: where all operands and results lie. */
  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory;
    this.#shared = memory.buffer instanceof SharedArrayBuffer;
  }

  /** How many there are. */
  get size(): number {
    return this.#compiled.size;
  }

  /** Runs it, as `interpret` does. False, and nothing done, when not all lies in the memory. */
  run(kernel: Kernel, run: Run): boolean {
    const arrays = [...run.operands, ...run.results];
    if (arrays.some(({ elements }) => elements.buffer !== this.#memory.buffer)) return false;
    const compiled = this.compiled(kernel, run.operands.map(alongOf), run.results.map(alongOf), run.space.at(-1));
    if (sizeOf(run.space) === 0) return true;
    const args: (number | bigint)[] = [...run.space];
    for (const { elements, offset, strides } of arrays) {
      const bytes = elements.BYTES_PER_ELEMENT;
      // As signed numbers of 32 bits, which is how addresses above 2 GiB are given.
      args.push((elements.byteOffset + offset * bytes) | 0);
      for (const step of strides) args.push((step * bytes) | 0);
    }
    args.push(...run.scalars);
    compiled(...args);
    return true;
  }

  /** The function for arrays that lie so, compiled when it is first asked for. `last`: the length of the last axis, where it is known. */
  compiled(
    kernel: Kernel,
    operands: readonly Along[],
    results: readonly Along[],
    last = Number.POSITIVE_INFINITY,
  ): WasmFunction {
    const short = kernel.rank > 1 && last <= ShortRows.most(kernel);
    const key = `${operands},${results}${short ? ' short' : ''} ${keyOf(kernel)}`;
    let compiled = this.#compiled.get(key);
    if (compiled === undefined) {
      compiled = this.#instance(moduleOf(kernel, { operands, results, shared: this.#shared, short }));
      this.#compiled.set(key, compiled);
      if (this.#compiled.size > MOST_KEPT) this.#compiled.delete(this.#compiled.keys().next().value as string);
    }
    return compiled;
  }

  #instance({ bytes, functions }: KernelModule): WasmFunction {
    const given: Record<string, unknown> = { memory: this.#memory };
    for (const name of functions) given[name] = functionOf(name);
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { sheaf: given });
    return exports.run as WasmFunction;
  }
}

/** How something that has these strides lies along its last axis. */
export function alongOf({ strides }: Pick<Strided, 'strides'>): Along {
  const step = strides.at(-1);
  return step === 1 ? 'unit' : step === 0 ? 'same' : 'any';
}

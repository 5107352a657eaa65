import { moduleBytes } from '../wasm/module.ts';
import { type Kernels, kernelFunctions } from './kernels.ts';

const PAGE = 65_536;
/** What is kept for the next matrix, of 64 MiB at most. */
const KEPT_PAGES = 1024;
/** Doubles of a cache line. */
const LINE = 8;

interface Room {
  readonly memory: WebAssembly.Memory;
  readonly kernels: Kernels;
}

let compiled: WebAssembly.Module | undefined;
let kept: Room | undefined;

function roomFor(bytes: number): Room {
  const pages = Math.ceil(bytes / PAGE);
  if (kept !== undefined && kept.memory.buffer.byteLength >= pages * PAGE) return kept;
  compiled ??= new WebAssembly.Module(moduleBytes({ shared: false, imports: [], functions: kernelFunctions() }));
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const { exports } = new WebAssembly.Instance(compiled, { sheaf: { memory } });
  const room = { memory, kernels: exports as unknown as Kernels };
  if (pages <= KEPT_PAGES) kept = room;
  return room;
}

/**
 * The elements from one row to the next of a matrix of so many columns: whole cache lines, and an odd number of them, since the first elements
 * of all rows would lie in few sets of the cache otherwise.
 */
export const leadOf = (columns: number): number => (Math.ceil(columns / LINE) | 1) * LINE;

/** What a vector takes whose length is rounded up to that of a row, and to pairs and fours of rows. */
export const vectorRoom = (length: number): number => leadOf(length) + LINE;

/** Memory that the kernels see. Only one of these is in use at a time: the next one gets the same memory. */
export class Workspace {
  readonly kernels: Kernels;
  /** All of it. */
  readonly elements: Float64Array;
  #taken = 0;

  /** `doubles`: what `take` will be asked for together, each rounded up to whole cache lines. */
  constructor(...doubles: readonly number[]) {
    const all = doubles.reduce((sum, each) => sum + Math.ceil(each / LINE) * LINE, 0);
    const { memory, kernels } = roomFor(8 * all);
    this.kernels = kernels;
    this.elements = new Float64Array(memory.buffer);
  }

  /** Zeros; gives the place in `elements` where they begin. */
  take(doubles: number): number {
    const first = this.#taken;
    this.#taken += Math.ceil(doubles / LINE) * LINE;
    this.elements.fill(0, first, this.#taken);
    return first;
  }
}

import type { Elements } from '../../nd/index.ts';
import type { Strided } from '../reference.ts';
import { canFuse } from '../wasm/fused.ts';
import { blockModule, type Lane, laneBytes, type Tile } from './micro.ts';
import { packModule, packSlowly } from './packing.ts';

/** Block sizes, in elements. They fit into the caches whatever they are made of; multiples of all tiles. */
export interface Blocks {
  /** `rows` x `k` of `a` stay in the second cache. */
  readonly rows: number;
  /** `k` x the columns of a tile of `b` stay in the first cache. */
  readonly k: number;
  /** `k` x `columns` of `b` stay in the third cache, or most of it in the second. */
  readonly columns: number;
}

const BLOCKS: Blocks = { rows: 96, k: 256, columns: 768 };
const WIDEST = 8;

const scratchOf = ({ rows, k, columns }: Blocks): { left: number; result: number; bytes: number } => {
  const left = k * columns * WIDEST;
  const result = left + rows * k * WIDEST;
  return { left, result, bytes: result + rows * columns * WIDEST };
};

/** The bytes of scratch that `BlockedKernels` wants in its memory. */
export const MATMUL_SCRATCH = scratchOf(BLOCKS).bytes;

type Pack = (from: number, to: number, panels: number, length: number, across: number, along: number) => void;
type Block = (...args: [number, number, number, number, number, number, number, number]) => void;

interface Compiled {
  readonly tile: Tile;
  readonly bytes: 4 | 8;
  readonly block: Block;
  pack(width: number, contiguous: boolean): Pack;
}

type ScratchElements = Float64Array | Float32Array | BigInt64Array | Int32Array;

/**
 * Products of matrices in WebAssembly: blocks of both operands are copied into scratch, in the order in which the innermost loop
 * reads them. Operands and results in the same memory are read and written there; others are copied by JavaScript, which for large
 * products costs little beside the multiplications.
 */
export class BlockedKernels {
  readonly #memory: WebAssembly.Memory;
  readonly #blocks: Blocks;
  /** Where panels of `b` lie, panels of `a`, and tiles that don't belong into the result as they are. */
  readonly #right: number;
  readonly #left: number;
  readonly #result: number;
  readonly #shared: boolean;
  readonly #compiled = new Map<Lane, Compiled>();

  /**
   * `scratch`: where `MATMUL_SCRATCH` bytes of the memory are free, a multiple of 16. Without a memory: one of its own. `blocks`: for
   * tests, which need small ones to see many.
   */
  constructor(memory?: WebAssembly.Memory, scratch = 0, blocks = BLOCKS) {
    this.#blocks = blocks;
    const { left, result, bytes } = scratchOf(blocks);
    this.#right = scratch;
    this.#left = scratch + left;
    this.#result = scratch + result;
    const pages = Math.ceil((scratch + bytes) / 65_536);
    this.#memory = memory ?? new WebAssembly.Memory({ initial: pages, maximum: pages });
    this.#shared = this.#memory.buffer instanceof SharedArrayBuffer;
  }

  /** As `Matmul.run`. */
  run(a: Strided, b: Strided, into: Strided, m: number, k: number, n: number, accumulate: boolean): void {
    const [row, column] = into.strides as [number, number];
    if (row === 1 && column !== 1) this.#run(turned(b), turned(a), turned(into), n, k, m, accumulate);
    else this.#run(a, b, into, m, k, n, accumulate);
  }

  #run(a: Strided, b: Strided, into: Strided, m: number, k: number, n: number, accumulate: boolean): void {
    const lane = laneOf(into.elements);
    const kernels = this.#kernels(lane);
    const { tile, bytes } = kernels;
    const blocks = this.#blocks;
    const isPlain = into.strides[1] === 1 && this.#isHere(into, bytes);
    for (let column = 0; column < n; column += blocks.columns) {
      const columns = Math.min(blocks.columns, n - column);
      // Once without any step, too: the product is 0 then.
      for (let step = 0; step === 0 || step < k; step += blocks.k) {
        const steps = Math.min(blocks.k, k - step);
        // A column of b is a line of its panels, a row of a one of those of a.
        this.#pack(kernels, lane, turned(part(b, step, column)), columns, steps, tile.columns, this.#right);
        for (let row = 0; row < m; row += blocks.rows) {
          const rows = Math.min(blocks.rows, m - row);
          this.#pack(kernels, lane, part(a, row, step), rows, steps, tile.rows, this.#left);
          const to = part(into, row, column);
          this.#block(kernels, lane, to, isPlain, rows, steps, columns, accumulate || step > 0);
        }
      }
    }
  }

  /** One block of the result: full tiles straight to where they belong, if they can be written there; others by way of scratch. */
  #block(
    { tile, bytes, block }: Compiled,
    lane: Lane,
    into: Strided,
    isPlain: boolean,
    rows: number,
    steps: number,
    columns: number,
    accumulate: boolean,
  ): void {
    const [left, right] = [this.#left, this.#right];
    const full = isPlain ? Math.floor(rows / tile.rows) : 0;
    const fullColumns = isPlain ? Math.floor(columns / tile.columns) : 0;
    if (full > 0 && fullColumns > 0) {
      const at = into.elements.byteOffset + into.offset * bytes;
      const row = (into.strides[0] as number) * bytes;
      block(left | 0, right | 0, at | 0, row | 0, full, fullColumns, steps, accumulate ? 1 : 0);
    }
    const viaScratch = (firstPanel: number, ownRows: number, firstColumn: number, ownColumns: number): void => {
      if (ownRows <= 0 || ownColumns <= 0) return;
      const panels = Math.ceil(ownRows / tile.rows);
      const columnPanels = Math.ceil(ownColumns / tile.columns);
      const width = columnPanels * tile.columns;
      const aAt = left + firstPanel * tile.rows * steps * bytes;
      const bAt = right + firstColumn * tile.columns * steps * bytes;
      block(aAt | 0, bAt | 0, this.#result | 0, width * bytes, panels, columnPanels, steps, 0);
      const from = this.#view(lane, this.#result, panels * tile.rows * width);
      put(from, width, part(into, firstPanel * tile.rows, firstColumn * tile.columns), ownRows, ownColumns, accumulate);
    };
    // Below the full tiles, and to their right.
    viaScratch(full, rows - full * tile.rows, 0, columns);
    viaScratch(0, full * tile.rows, fullColumns, columns - fullColumns * tile.columns);
  }

  #pack(
    { bytes, pack }: Compiled,
    lane: Lane,
    from: Strided,
    lines: number,
    length: number,
    width: number,
    to: number,
  ): void {
    const panels = this.#isHere(from, bytes) ? Math.floor(lines / width) : 0;
    const [across, along] = from.strides as [number, number];
    if (panels > 0) {
      const at = from.elements.byteOffset + from.offset * bytes;
      pack(width, across === 1)(at | 0, to | 0, panels, length, (across * bytes) | 0, (along * bytes) | 0);
    }
    const left = lines - panels * width;
    if (left === 0) return;
    const done = panels * width * length;
    const into = this.#view(lane, to + done * bytes, Math.ceil(left / width) * width * length);
    packSlowly(part(from, panels * width, 0), left, length, width, into);
  }

  /** Whether it lies in the memory, in elements as wide as the lanes. */
  #isHere({ elements }: Strided, bytes: number): boolean {
    return elements.buffer === this.#memory.buffer && elements.BYTES_PER_ELEMENT === bytes;
  }

  #view(lane: Lane, at: number, length: number): ScratchElements {
    return new LANE_ELEMENTS[lane](this.#memory.buffer, at, length);
  }

  #kernels(lane: Lane): Compiled {
    let compiled = this.#compiled.get(lane);
    if (compiled === undefined) {
      const fused = canFuse();
      const bytes = laneBytes(lane);
      // A sum of products, both in one instruction, needs more of them on their way at once.
      const tile = { rows: fused && lane[0] === 'f' ? 6 : 4, columns: 32 / bytes };
      const packs = new Map<string, Pack>();
      compiled = {
        tile,
        bytes,
        block: this.#instance(blockModule(lane, tile, fused, this.#shared)) as Block,
        pack: (width, contiguous) => {
          // Sixteen bytes at a time.
          const whole = contiguous && (width * bytes) % 16 === 0;
          const key = `${width} ${whole}`;
          let pack = packs.get(key);
          if (pack === undefined) {
            pack = this.#instance(packModule(bytes, width, whole, this.#shared)) as Pack;
            packs.set(key, pack);
          }
          return pack;
        },
      };
      this.#compiled.set(lane, compiled);
    }
    return compiled;
  }

  #instance(bytes: Uint8Array<ArrayBuffer>): unknown {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { sheaf: { memory: this.#memory } });
    return exports.run;
  }
}

const LANE_ELEMENTS: Readonly<
  Record<Lane, new (buffer: ArrayBufferLike, offset: number, length: number) => ScratchElements>
> = {
  f64: Float64Array,
  f32: Float32Array,
  i64: BigInt64Array,
  i32: Int32Array,
};

function laneOf(elements: Elements): Lane {
  if (elements instanceof Float64Array) return 'f64';
  if (elements instanceof Float32Array) return 'f32';
  return elements instanceof BigInt64Array || elements instanceof BigUint64Array ? 'i64' : 'i32';
}

const part = ({ elements, offset, strides }: Strided, row: number, column: number): Strided => ({
  elements,
  offset: offset + row * (strides[0] as number) + column * (strides[1] as number),
  strides,
});

const turned = ({ elements, offset, strides: [row, column] }: Strided): Strided => ({
  elements,
  offset,
  strides: [column as number, row as number],
});

function put(
  from: ScratchElements,
  width: number,
  { elements, offset, strides }: Strided,
  rows: number,
  columns: number,
  accumulate: boolean,
): void {
  const [row, column] = strides as [number, number];
  for (let i = 0; i < rows; i++) {
    let at = offset + i * row;
    for (let j = i * width, end = j + columns; j < end; j++, at += column) {
      // Integers wrap when they are stored.
      elements[at] = (accumulate ? (elements[at] as number) + (from[j] as number) : from[j]) as never;
    }
  }
}

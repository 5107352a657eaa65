/** What workers of bench/arrays compute: one kernel, tile by tile. */
import type { Kernel } from '../../src/kernels/index.ts';
import { WasmKernels } from '../../src/kernels/wasm/kernels.ts';
import type { RunnerOf } from '../../src/pipelines/gang/work.ts';

/** A kernel over rows of doubles that lie one after the other; addresses in bytes. */
export interface KernelPlan {
  readonly kernel: Kernel;
  readonly operands: readonly number[];
  readonly result: number;
  readonly tile: number;
}

const compiled = new WeakMap<WebAssembly.Memory, WasmKernels>();

export const kernelTiles: RunnerOf<KernelPlan> = ({ kernel, operands, result, tile }, memory) => {
  let kernels = compiled.get(memory);
  if (kernels === undefined) {
    kernels = new WasmKernels(memory);
    compiled.set(memory, kernels);
  }
  const all = new Float64Array(memory.buffer);
  return (_chunk, from, to) => {
    for (let row = from; row < to; row += tile) {
      const place = (address: number) => ({ elements: all, offset: address / 8 + row, strides: [1] });
      const space = [Math.min(tile, to - row)];
      const run = { space, operands: operands.map(place), scalars: [], results: [place(result)] };
      if (!kernels.run(kernel, run)) throw new Error('the kernel can not be compiled');
    }
  };
};

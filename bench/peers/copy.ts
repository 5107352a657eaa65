/** The most that threads get out of the memory: they copy it, or add it up, in WebAssembly, each its part. */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { KernelBuilder } from '../../src/kernels/index.ts';
import { moduleOf } from '../../src/kernels/wasm/compile.ts';
import type { Sampler } from '../harness.ts';

const script = join(process.env.SHEAF_ROOT ?? process.cwd(), 'bench/peers/copy-worker.mjs');
const PAGE = 65_536;

export interface Bare {
  /** Gigabytes read and written per second, over at least `ms` milliseconds. */
  rate(ms: number): Sampler;
  close(): Promise<void>;
}

export const plainCopy = (threads: number, elements: number): Promise<Bare> => bare(threads, elements, 'copy');

/** Nothing but reading: each thread adds up its part. */
export const plainSum = (threads: number, elements: number): Promise<Bare> => bare(threads, elements, 'sum');

async function bare(threads: number, elements: number, what: 'copy' | 'sum'): Promise<Bare> {
  const bytes = what === 'copy' ? 16 : 8;
  // What is written lies behind what is read; sums have a line of the cache each.
  const pages = Math.ceil((elements * bytes) / PAGE) + 1;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  new Float64Array(memory.buffer).fill(1.5);
  const builder = new KernelBuilder(1);
  const kernel = builder.result(builder.operand('f64'), what === 'copy' ? null : 'sum').build();
  const results = what === 'copy' ? (['unit'] as const) : (['same'] as const);
  const made = moduleOf(kernel, { operands: ['unit'], results, shared: true });
  const module = new WebAssembly.Module(made.bytes);
  const words = new Int32Array(new SharedArrayBuffer(8));
  const part = Math.floor(elements / threads);
  const workers = Array.from({ length: threads }, (_, i) => {
    const from = i * part * 8;
    return new Worker(script, {
      workerData: {
        module,
        memory,
        words,
        from,
        to: elements * 8 + (what === 'copy' ? from : 64 * i),
        step: what === 'copy' ? 8 : 0,
        elements: part,
      },
    });
  });
  await Promise.all(workers.map((worker) => new Promise((online) => worker.once('online', online))));
  let turn = 0;
  const once = (): void => {
    Atomics.store(words, 1, 0);
    Atomics.store(words, 0, ++turn);
    Atomics.notify(words, 0);
    for (let done = 0; done < threads; done = Atomics.load(words, 1)) Atomics.wait(words, 1, done);
  };
  return {
    rate: (ms) => () => {
      once();
      const start = performance.now();
      let runs = 0;
      for (let elapsed = 0; elapsed < ms; elapsed = performance.now() - start) {
        once();
        runs++;
      }
      return (runs * bytes * part * threads) / (performance.now() - start) / 1e6;
    },
    async close() {
      Atomics.store(words, 0, -1);
      Atomics.notify(words, 0);
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

/** The most that threads get out of the memory: they copy it, or add it up, or take square roots, in WebAssembly, each its part. */
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

/** A copy of square roots, and nothing else: what roots cost, whatever is computed beside them. */
export const plainRoots = (threads: number, elements: number): Promise<Bare> => bare(threads, elements, 'roots');

async function bare(threads: number, elements: number, what: 'copy' | 'sum' | 'roots'): Promise<Bare> {
  const bytes = what === 'sum' ? 8 : 16;
  // What is written lies behind what is read; sums have a line of the cache each.
  const pages = Math.ceil((elements * bytes) / PAGE) + 1;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  new Float64Array(memory.buffer).fill(1.5);
  const builder = new KernelBuilder(1);
  const element = builder.operand('f64');
  const value = what === 'roots' ? builder.apply('sqrt', [element], 'f64') : element;
  const kernel = builder.result(value, what === 'sum' ? 'sum' : null).build();
  const results = what === 'sum' ? (['same'] as const) : (['unit'] as const);
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
        to: elements * 8 + (what === 'sum' ? 64 * i : from),
        step: what === 'sum' ? 0 : 8,
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

/** The most that two threads get out of the memory: a plain copy in WebAssembly, each of its half. */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { KernelBuilder } from '../../src/kernels/index.ts';
import { moduleOf } from '../../src/kernels/wasm/compile.ts';
import type { Sampler } from '../harness.ts';

const script = join(process.env.SHEAF_ROOT ?? process.cwd(), 'bench/peers/copy-worker.mjs');
const PAGE = 65_536;

export interface Copy {
  /** Gigabytes read and written per second, over at least `ms` milliseconds. */
  rate(ms: number): Sampler;
  close(): Promise<void>;
}

export async function plainCopy(threads: number, elements: number): Promise<Copy> {
  const pages = Math.ceil((elements * 16) / PAGE);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  new Float64Array(memory.buffer).fill(1.5);
  const builder = new KernelBuilder(1);
  const kernel = builder.result(builder.operand('f64')).build();
  const made = moduleOf(kernel, { operands: ['unit'], results: ['unit'], shared: true });
  if (made === undefined) throw new Error('there is no copy in WebAssembly');
  const module = new WebAssembly.Module(made.bytes);
  const words = new Int32Array(new SharedArrayBuffer(8));
  const part = Math.floor(elements / threads);
  const workers = Array.from({ length: threads }, (_, i) => {
    const from = i * part * 8;
    return new Worker(script, {
      workerData: { module, memory, words, from, to: elements * 8 + from, elements: part },
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
      return (runs * 16 * part * threads) / (performance.now() - start) / 1e6;
    },
    async close() {
      Atomics.store(words, 0, -1);
      Atomics.notify(words, 0);
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

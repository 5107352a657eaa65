// Copies or adds up its part of a memory whenever it is told to; see copy.ts.
import { workerData } from 'node:worker_threads';

const { module, memory, words, from, to, step, elements } = workerData;
const { run } = new WebAssembly.Instance(module, { sheaf: { memory } }).exports;
const GO = 0;
const DONE = 1;
for (let turn = 0; ; turn++) {
  Atomics.wait(words, GO, turn);
  if (Atomics.load(words, GO) < 0) break;
  run(elements, from | 0, 8, to | 0, step);
  Atomics.add(words, DONE, 1);
  Atomics.notify(words, DONE);
}

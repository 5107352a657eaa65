/** What people use today: a pool of worker threads, and a bare worker thread that echoes what it is sent. */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';

const here = join(process.env.SHEAF_ROOT ?? process.cwd(), 'bench/peers');

/** Runs tiny tasks, `count` at a time, and returns when all results are here. */
export interface ThreadPeer {
  run(count: number): Promise<void>;
  close(): Promise<void>;
}

export function piscina(threads: number): ThreadPeer {
  const filename = join(here, 'piscina-worker.mjs');
  const pool = new Piscina({ filename, minThreads: threads, maxThreads: threads });
  return {
    async run(count) {
      if (count === 1) await pool.run(undefined);
      else await Promise.all(Array.from({ length: count }, () => pool.run(undefined)));
    },
    close: () => pool.destroy(),
  };
}

export function postMessage(): ThreadPeer {
  const worker = new Worker(join(here, 'echo-worker.mjs'));
  let missing = 0;
  let done = () => {};
  worker.on('message', () => {
    if (--missing === 0) done();
  });
  return {
    run: (count) =>
      new Promise((resolve) => {
        missing = count;
        done = resolve;
        for (let i = 0; i < count; i++) worker.postMessage('ok');
      }),
    async close() {
      await worker.terminate();
    },
  };
}

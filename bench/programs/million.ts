/** Queues as many no-op tasks as its argument says; prints `baseline` before, `finished` after, and waits for a line each time. */
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, get, type Ref, task } from 'sheaf';

const noop = task(() => undefined);

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

async function settled(what: string): Promise<void> {
  for (let i = 0; i < 5; i++) {
    globalThis.gc?.();
    await sleep(300);
  }
  console.log(what);
  await lines.next();
}

async function queue(count: number): Promise<void> {
  const refs: Ref<undefined>[] = Array.from({ length: count }, () => noop());
  await get(refs);
  for (const ref of refs) ref.release();
}

const session = await connect();
await queue(10_000);
await settled('baseline');
await queue(Number(process.argv[2]));
await settled('finished');
await session[Symbol.asyncDispose]();
process.stdin.destroy();

/**
 * The least that a first look at a large object in shared memory can cost a process that has it mapped: an ArrayBuffer over its
 * bytes, a typed array over that, and word when they are garbage. Nothing is waited for, looked up or counted.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

const program = `
const koffi = require('koffi');
const { setFlagsFromString } = require('node:v8');
// As workers do: otherwise V8 takes a view for memory of its own, and collects garbage for milliseconds.
if (Number.parseInt(process.versions.v8, 10) >= 13) setFlagsFromString('--external-memory-accounted-in-global-limit');
const PROT_READ_WRITE = 3;
const MAP_PRIVATE_ANONYMOUS_NORESERVE = 0x4022;
const mmap = koffi.load(null).func('void *mmap(void *address, size_t length, int prot, int flags, int fd, int64_t offset)');
const garbage = new FinalizationRegistry(() => {});
process.on('message', async (bytes) => {
  const address = koffi.address(mmap(null, bytes, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS_NORESERVE, -1, 0));
  for (let i = 0; i < 500; i++) await Promise.resolve(i);
  const start = performance.now();
  const buffer = koffi.view(address, bytes);
  garbage.register(buffer, address);
  const view = new Float64Array(buffer);
  process.send((performance.now() - start) * 1000, undefined, undefined, () => view.length);
});
`;

export interface ViewPeer {
  /** Microseconds of one first look at an object of so many bytes. */
  look(bytes: number): Promise<number>;
  close(): Promise<void>;
}

export function bareView(): ViewPeer {
  const child: ChildProcess = spawn(process.execPath, ['-e', program], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  return {
    async look(bytes) {
      child.send(bytes);
      const [took] = await once(child, 'message');
      return took as number;
    },
    async close() {
      child.kill();
      await once(child, 'exit');
    },
  };
}

/**
 * The least that a first look at a large object in shared memory can cost a process that has it mapped: an ArrayBuffer over its
 * bytes, a typed array over that, word when they are garbage, and one `await`, as every asynchronous call needs. Nothing is looked
 * up, counted or decoded.
 *
 * It happens in the state in which ours happens: caches full of somebody else's copy, and then a few hundred small requests.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

const program = `
const koffi = require('koffi');
const { writeSync } = require('node:fs');
const { Socket } = require('node:net');
const { setFlagsFromString } = require('node:v8');
// As workers do: otherwise V8 takes a view for memory of its own, and collects garbage for milliseconds.
if (Number.parseInt(process.versions.v8, 10) >= 13) setFlagsFromString('--external-memory-accounted-in-global-limit');
const PROT_READ_WRITE = 3;
const MAP_PRIVATE_ANONYMOUS_NORESERVE = 0x4022;
const mmap = koffi.load(null).func('void *mmap(void *address, size_t length, int prot, int flags, int fd, int64_t offset)');
const garbage = new FinalizationRegistry(() => {});
const bytes = Number(process.argv[1]);
const address = koffi.address(mmap(null, bytes, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS_NORESERVE, -1, 0));
const look = async () => {
  const buffer = koffi.view(address, bytes);
  garbage.register(buffer, address);
  return new Float64Array(buffer);
};
const measured = async () => {
  const start = performance.now();
  const view = await look();
  const took = performance.now() - start;
  if (view.byteLength !== bytes) throw new Error('the view is not whole');
  return took * 1000;
};
const buffer = Buffer.alloc(1);
const callback = () => {
  if (buffer[0] === 1) writeSync(3, buffer);
  else measured().then((took) => writeSync(3, String(Math.round(took * 10) / 10) + ';'));
  return true;
};
new Socket({ fd: 3, onread: { buffer, callback } }).resume();
`;

export interface ViewPeer {
  /** Microseconds of one first look, after `before` small requests. */
  look(before: number): Promise<number>;
  close(): Promise<void>;
}

/** Looks at an object of so many bytes, each time as if for the first time. */
export function bareView(bytes: number): ViewPeer {
  const child: ChildProcess = spawn(process.execPath, ['-e', program, String(bytes)], {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  });
  const pipe = child.stdio[3] as import('node:net').Socket;
  const ask = async (what: number, isAnswer: (text: string) => boolean): Promise<string> => {
    pipe.write(Buffer.from([what]));
    let text = '';
    while (!isAnswer(text)) text += String((await once(pipe, 'data'))[0]);
    return text;
  };
  return {
    async look(before) {
      for (let i = 0; i < before; i++) await ask(1, (text) => text.length === 1);
      return Number.parseFloat(await ask(2, (text) => text.endsWith(';')));
    },
    async close() {
      child.kill();
      await once(child, 'exit');
    },
  };
}

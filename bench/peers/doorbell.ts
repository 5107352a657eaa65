/**
 * The least that two processes can do: one writes a byte to a pipe, the other answers it, both past Node's stream machinery.
 * What any runtime stands on.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { ThreadPeer } from './threads.ts';

const answer = `
const { Socket } = require('node:net');
const { writeSync } = require('node:fs');
const byte = Buffer.from([1]);
const callback = () => {
  writeSync(3, byte);
  return true;
};
new Socket({ fd: 3, onread: { buffer: Buffer.alloc(1), callback } }).resume();
`;

export function doorbell(): ThreadPeer {
  const child = spawn(process.execPath, ['-e', answer], { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] });
  const pipe = child.stdio[3] as Socket & { readonly _handle: { readonly fd: number; readStop(): void } };
  const { fd } = pipe._handle;
  // The same end once more, read in the other way.
  pipe._handle.readStop();
  let heard = () => {};
  const callback = () => {
    heard();
    return true;
  };
  const socket = new Socket({ fd, onread: { buffer: new Uint8Array(1), callback } }).resume();
  const ring = new Uint8Array([1]);
  return {
    async run(count) {
      for (let i = 0; i < count; i++) {
        const answered = new Promise<void>((resolve) => {
          heard = resolve;
        });
        writeSync(fd, ring);
        await answered;
      }
    },
    async close() {
      child.kill();
      await once(child, 'exit');
      socket.destroy();
    },
  };
}

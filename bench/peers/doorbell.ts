/** The least that two processes can do: one writes a byte to a socket, the other answers it. What any runtime stands on. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import type { ThreadPeer } from './threads.ts';

const answer = `
const socket = new (require('node:net').Socket)({ fd: 3 });
socket.on('data', (bytes) => socket.write(bytes));
`;

export function doorbell(): ThreadPeer {
  const child = spawn(process.execPath, ['-e', answer], { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] });
  const socket = child.stdio[3] as Duplex;
  const ring = Buffer.from([1]);
  return {
    async run(count) {
      for (let i = 0; i < count; i++) {
        socket.write(ring);
        await once(socket, 'data');
      }
    },
    async close() {
      child.kill();
      await once(child, 'exit');
    },
  };
}

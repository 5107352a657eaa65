import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ForeignEvents } from './foreign-events.ts';

test('traffic of a socket is business of the event loop; timers, turns and the bell are none', async (t) => {
  const foreign = new ForeignEvents();
  const server = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  const exchange = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) {
      socket.write('x');
      await once(socket, 'data');
    }
  };
  await exchange();
  assert.equal(foreign.any(), true);
  // What began before may still be coming in.
  await sleep(50);
  foreign.any();
  for (let i = 0; i < 20; i++) await sleep(1);
  for (let i = 0; i < 20; i++) await new Promise(setImmediate);
  assert.equal(foreign.any(), false);
  await exchange();
  for (let i = 0; i < 1000; i++) foreign.bell();
  assert.equal(foreign.any(), false);
});

// Lets one process at a time do something: a file that names the holder. One left by a process that is gone is taken over.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const LONGEST_WAIT_MS = 120_000;

export function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function tryTake(file) {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    return false;
  }
}

function holderOf(file) {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    return 0;
  }
}

export async function withLock(file, body) {
  const deadline = Date.now() + LONGEST_WAIT_MS;
  while (!tryTake(file)) {
    const holder = holderOf(file);
    if (holder > 0 && !isAlive(holder)) rmSync(file, { force: true });
    else if (Date.now() > deadline)
      throw new Error(`${file} is still held by process ${holder}; remove it if that is wrong`);
    else await sleep(50);
  }
  try {
    return await body();
  } finally {
    rmSync(file, { force: true });
  }
}

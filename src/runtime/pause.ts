import { readFileSync } from 'node:fs';

/** A process stops as soon as it is interrupted, which takes microseconds unless the machine has more to do than cores. */
const PATIENCE_MS = 20;

/** Stops a process, and returns what lets it go on. One that is gone, or ended meanwhile, is no error. */
export function pauseProcess(pid: number): () => void {
  if (!send(pid, 'SIGSTOP')) return () => {};
  const end = performance.now() + PATIENCE_MS;
  while (!hasStopped(pid) && performance.now() < end);
  return () => void send(pid, 'SIGCONT');
}

function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

/** Also when it is no more. */
function hasStopped(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return /[TtZX]/.test(stat.charAt(stat.lastIndexOf(')') + 2));
  } catch {
    return true;
  }
}

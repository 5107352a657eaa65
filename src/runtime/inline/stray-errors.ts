import type { InlineRuns } from './inline-runs.ts';

/** The runs of every open inline session. */
const open = new Set<InlineRuns>();

/**
 * An error that a task leaves to nobody, in a timer or in a promise that nobody waits for, ends that task, as it does on a
 * worker. Every other one is the program's, and ends it as if nobody had listened here. Returns a way to stop.
 */
export function endTasksOfStrayErrors(runs: InlineRuns): () => void {
  if (open.size === 0) {
    process.on('uncaughtException', onError);
    process.on('unhandledRejection', onRejection);
  }
  open.add(runs);
  return () => {
    if (open.delete(runs) && open.size === 0) unlisten();
  };
}

function unlisten(): void {
  process.off('uncaughtException', onError);
  process.off('unhandledRejection', onRejection);
}

function onError(error: unknown): void {
  if (!isOfTask(error) && process.listenerCount('uncaughtException') === 1) raise(error);
}

function onRejection(reason: unknown): void {
  if (isOfTask(reason) || process.listenerCount('unhandledRejection') > 1) return;
  raise(reason);
}

function isOfTask(error: unknown): boolean {
  for (const runs of open) {
    const run = runs.current();
    if (run === undefined) continue;
    if (!runs.failCurrent(error)) console.error(`sheaf: the task ${run.name} had ended, and failed after that:`, error);
    return true;
  }
  return false;
}

/** Lets an error do what it does in a program without listeners for it. */
function raise(error: unknown): void {
  if (process.listenerCount('uncaughtException') === 1) unlisten();
  process.nextTick(() => {
    throw error;
  });
}

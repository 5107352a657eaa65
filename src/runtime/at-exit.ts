import { rmSync, writeSync } from 'node:fs';
import { removeSpillFolder, type SharedStore } from '../memory/index.ts';
import { endNativeLoading } from '../native/index.ts';
import type { Explainer } from './explain.ts';
import type { Failures } from './failures.ts';

/** A program that ends without closing its session hears of the failures that nobody has looked at all the same. */
export function reportAtExit({ failures }: { readonly failures: Failures }): () => void {
  // The console of a thread writes when the thread around it has a turn: too late by now.
  const write = (line: string): void => {
    try {
      writeSync(2, `${line}\n`);
    } catch {
      // Nobody reads it.
    }
  };
  const listener = (): void => failures.close(write);
  process.on('exit', listener);
  return () => process.off('exit', listener);
}

/** A program that comes to its end by itself, and leaves its session open, has actors end in order all the same. */
export function closeBeforeExit(hasActors: () => boolean, close: () => Promise<void>): () => void {
  const listener = (): void => {
    if (hasActors()) void close();
  };
  process.on('beforeExit', listener);
  return () => process.off('beforeExit', listener);
}

/** A program that exits in the middle leaves no socket and no spilled values behind. */
export function tidyAtExit(socket: string | undefined, store: SharedStore, spill: string | undefined): () => void {
  const listener = (): void => {
    endNativeLoading();
    if (socket !== undefined) rmSync(socket, { force: true });
    if (spill === undefined) return;
    // What the control thread is at just now may be in the way for a moment.
    store.room.endSpilling();
    removeSpillFolder(spill);
  };
  process.on('exit', listener);
  return () => process.off('exit', listener);
}

/** SIGUSR2 asks what is being waited for. */
export function explainOnSignal(explainer: Explainer): () => void {
  if (process.platform === 'win32') return () => {};
  const listener = (): void => void explainer.explain('asked by SIGUSR2');
  process.on('SIGUSR2', listener);
  return () => process.off('SIGUSR2', listener);
}

import type { SharedMemory } from '../native/index.ts';

/**
 * What another participant needs to attach. Between processes it is plain data, but the numbers of its descriptors are
 * those of the process that made it (`fds`, `withFds`); between threads it holds memories and can be posted.
 */
export type StoreHandle =
  | (StoreShape & { readonly kind: 'memfd'; readonly fd: number })
  | (StoreShape & { readonly kind: 'memory'; readonly table: SharedMemory; readonly regions: readonly SharedMemory[] });

interface StoreShape {
  readonly pages: number;
  readonly parties: number;
  /** The folder for objects that have no room in memory; without it they stay. */
  readonly spill?: string;
}

/** The descriptors that a process needs to inherit. */
export function fds(handle: StoreHandle): number[] {
  return handle.kind === 'memfd' ? [handle.fd] : [];
}

/** The same handle with the numbers that the descriptors of `fds` have in another process. */
export function withFds(handle: StoreHandle, numbers: readonly number[]): StoreHandle {
  return handle.kind === 'memfd' ? { ...handle, fd: numbers[0]! } : handle;
}

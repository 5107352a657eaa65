import { type StoreHandle, fds as storeFds, withFds } from '../memory/index.ts';
import type { SharedMemory } from '../native/index.ts';
import type { Address, Capacity } from '../protocol/index.ts';
import type { BellPipes, BlockHandle, BlockShape } from '../transport/index.ts';
import type { ArraySettings } from './array-settings.ts';

/** What every party of a session needs to take part. */
export interface SessionConfig {
  readonly node: string;
  readonly block: BlockHandle;
  readonly shape: BlockShape;
  readonly store: StoreHandle;
  /** Undefined where there is no FFI: threads wake each other through channels then. */
  readonly bells: BellPipes | undefined;
  readonly spinners: number;
  readonly checkWrites: boolean;
  readonly arrays: ArraySettings;
}

/** For the control thread alone. */
export interface ControlConfig extends SessionConfig {
  /** The first piece of the block as the process has mapped it already: the control thread starts without FFI. */
  readonly blockMemory: SharedMemory;
  /** Its bell, a descriptor of its own. */
  readonly bell: number | undefined;
  /** A worker that the main thread has started, while this thread was starting itself. */
  readonly adopted: AdoptedWorker | undefined;
  readonly capacity: Capacity;
  readonly isolation: 'process' | 'thread';
  readonly prestart: number;
  /** Bytes that worker processes may have together, shared memory not counted; undefined: as much as there is. */
  readonly workerMemory: number | undefined;
  readonly workerEntry: string;
  readonly env: Readonly<Record<string, string>>;
  readonly name: string;
  readonly socket: string | undefined;
}

/** For one worker. */
export interface WorkerConfig extends SessionConfig {
  readonly self: Address;
  readonly isolation: 'process' | 'thread';
  readonly parent: number;
}

export interface AdoptedWorker {
  readonly party: number;
  readonly incarnation: number;
  readonly pid: number;
  /** The read end of a pipe whose other end only the worker has: it ends when the worker does. */
  readonly life: number;
}

export const DRIVER = 1;
export const FIRST_WORKER = 2;

/** What is for everybody of what the control thread knows. */
export function sessionConfig(c: SessionConfig): SessionConfig {
  return {
    node: c.node,
    block: c.block,
    shape: c.shape,
    store: c.store,
    bells: c.bells,
    spinners: c.spinners,
    checkWrites: c.checkWrites,
    arrays: c.arrays,
  };
}

/**
 * The descriptors that a worker process inherits, in order, and the same configuration with the numbers that they have
 * there: standard streams first, then shared memory, the own bell, and everybody's bell ropes.
 */
export function forChild(config: WorkerConfig): { fds: number[]; config: WorkerConfig } {
  const { block, store, bells } = config;
  if (block.kind !== 'memfd' || bells === undefined) throw new Error('a process can inherit only descriptors');
  const own = storeFds(store);
  const fds = [block.fd, ...own, bells.read[config.self.party] as number, ...bells.write];
  const first = 3;
  const at = (i: number): number => first + i;
  return {
    fds,
    config: {
      ...config,
      block: { kind: 'memfd', fd: at(0) },
      store: withFds(
        store,
        own.map((_, i) => at(1 + i)),
      ),
      bells: {
        read: [at(1 + own.length)],
        write: bells.write.map((_, i) => at(2 + own.length + i)),
      },
    },
  };
}

import { formatBytes, OutOfMemoryError } from '../base/index.ts';
import { libc } from './libc.ts';

/** WebAssembly counts memory in pages of this many bytes. */
const WASM_PAGE = 65_536;
/** The most that one mapping can hold: the 4 GiB of a 32-bit WebAssembly memory. */
export const MAX_SEGMENT = 65_536 * WASM_PAGE;

/** A WebAssembly.Memory; its own name is a type only where lib.dom is loaded. */
export interface SharedMemory {
  readonly buffer: ArrayBuffer | SharedArrayBuffer;
}

/**
 * A piece of memory that several threads, and where the system allows it several processes, see at once, as one true
 * SharedArrayBuffer in each of them.
 *
 * Between processes it is a memfd mapped over the pages of a shared WebAssembly.Memory whose initial size is its
 * maximum. That this works is not documented by V8, so `sharingWorks()` tries it before anything relies on it.
 */
export interface Segment {
  /** What another participant needs for `attachSegment`. */
  readonly handle: SegmentHandle;
  readonly buffer: SharedArrayBuffer;
  readonly byteLength: number;
  /** The file behind it; undefined where memory is shared between threads only. */
  readonly fd: number | undefined;
  /** The address of its first byte in this process; undefined without FFI. */
  readonly address: bigint | undefined;
  /** Keeps the mapping alive: hold it as long as any view of `buffer`. */
  readonly memory: SharedMemory;
}

export type SegmentHandle =
  | { readonly kind: 'memfd'; readonly fd: number; readonly byteLength: number; readonly offset: number }
  | { readonly kind: 'memory'; readonly memory: SharedMemory };

function reserve(byteLength: number): SharedMemory {
  const pages = byteLength / WASM_PAGE;
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  } catch (cause) {
    throw new OutOfMemoryError(
      `${formatBytes(byteLength)} of addresses for shared memory can't be had here; open smaller or fewer sessions, or ` +
        'raise what the system allows (ulimit -v)',
      { cause },
    );
  }
}

function describe(memory: SharedMemory, handle: SegmentHandle): Segment {
  const buffer = memory.buffer as SharedArrayBuffer;
  let address: bigint | undefined;
  return {
    handle,
    buffer,
    byteLength: buffer.byteLength,
    fd: handle.kind === 'memfd' ? handle.fd : undefined,
    // On demand: a thread that only reads and writes does without FFI.
    get address() {
      address ??= libc()?.addressOf(new Uint8Array(buffer, 0, 1));
      return address;
    },
    memory,
  };
}

/** Whole WASM pages that hold `byteLength` bytes. */
export function segmentBytes(byteLength: number): number {
  return Math.ceil(byteLength / WASM_PAGE) * WASM_PAGE;
}

/** A new segment of `byteLength` bytes (a multiple of 64 KiB, at most 4 GiB); no page is touched. */
export function createSegment(name: string, byteLength: number, between: 'processes' | 'threads'): Segment {
  if (between === 'threads') {
    const memory = reserve(byteLength);
    return describe(memory, { kind: 'memory', memory });
  }
  const c = libc();
  if (c === undefined) throw new Error('memory can be shared between processes only on Linux, with koffi installed');
  const fd = c.memfdCreate(name);
  try {
    c.ftruncate(fd, byteLength);
    return attachSegment({ kind: 'memfd', fd, byteLength, offset: 0 });
  } catch (error) {
    c.close(fd);
    throw error;
  }
}

/** A further mapping of a segment: in another process (with the inherited descriptor in the handle) or thread. */
export function attachSegment(handle: SegmentHandle): Segment {
  if (handle.kind === 'memory') return describe(handle.memory, handle);
  const c = libc();
  if (c === undefined) throw new Error('memory can be shared between processes only on Linux, with koffi installed');
  const memory = reserve(handle.byteLength);
  const segment = describe(memory, handle);
  c.mapFixed(segment.address!, handle.byteLength, handle.fd, handle.offset);
  return segment;
}

/** Whether two mappings of one memfd in this process see each other's writes: the feature test of the process host. */
export function sharingWorks(): boolean {
  let fd: number | undefined;
  try {
    const a = createSegment('sheaf-probe', WASM_PAGE, 'processes');
    fd = a.fd;
    const b = attachSegment(a.handle);
    new Uint8Array(a.buffer)[7] = 42;
    return new Uint8Array(b.buffer)[7] === 42;
  } catch {
    return false;
  } finally {
    if (fd !== undefined) libc()?.close(fd);
  }
}

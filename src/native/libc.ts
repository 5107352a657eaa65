import { createRequire } from 'node:module';
import { endianness } from 'node:os';
import { isMainThread, workerData } from 'node:worker_threads';
import type koffiModule from 'koffi';
import { Gate } from './gate.ts';

/** What the session has handed to a thread of its own. */
const handed = workerData as { sheafLoading?: unknown; sheafGate?: unknown } | null | undefined;
/** Two words of all threads of the process: how many are at what must not be cut off, and whether the process is ending. */
export const nativeLoading: SharedArrayBuffer =
  handed?.sheafLoading instanceof SharedArrayBuffer
    ? handed.sheafLoading
    : new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT);
const loading = new Int32Array(nativeLoading);
const LONGEST_LOAD_MS = 5000;
/** Of a worker thread, which is inside until it has started. */
const gate = handed?.sheafGate instanceof SharedArrayBuffer ? new Gate(handed.sheafGate) : undefined;
let starting = gate !== undefined;
let depth = 0;

/**
 * For the end of the process: a thread that is ended while it loads native code takes the process down with a fatal error, so
 * those that are at it are waited for, and no other begins.
 */
export function endNativeLoading(): void {
  Atomics.store(loading, 1, 1);
  const end = performance.now() + LONGEST_LOAD_MS;
  for (let n = Atomics.load(loading, 0); n > 0 && performance.now() < end; n = Atomics.load(loading, 0)) {
    Atomics.wait(loading, 0, n, 50);
  }
}

/** This thread has started, and may be ended from now on whenever it is not in `undisturbed`. */
export function startIsOver(): void {
  starting = false;
  gate?.leave();
}

/** Does `work`, during which this thread is not ended, by the session or with the process. It must come to its end by itself. */
export function undisturbed<T>(work: () => T): T {
  if (depth > 0) return work();
  Atomics.add(loading, 0, 1);
  const over = (): void => {
    Atomics.sub(loading, 0, 1);
    Atomics.notify(loading, 0);
  };
  if (!isMainThread && Atomics.load(loading, 1) === 1) {
    over();
    // Until the process is gone, which is about to happen.
    for (;;) Atomics.wait(loading, 1, 1);
  }
  if (gate !== undefined && !starting && !gate.enter()) {
    over();
    gate.wait();
  }
  depth++;
  try {
    return work();
  } finally {
    depth--;
    if (!starting) gate?.leave();
    over();
  }
}

/** It may be missing: then the thread host serves. */
function required(): typeof koffiModule | undefined {
  try {
    return createRequire(import.meta.url)('koffi') as typeof koffiModule;
  } catch {
    return undefined;
  }
}

/** Foreign function calls; undefined where they can't be had. */
export const koffi = undisturbed(required);

/**
 * The few calls of the C library that Node does not offer: anonymous shared memory, mapping it at a fixed place, giving
 * pages back, and a doorbell that works between processes. Linux with glibc or musl; elsewhere `libc()` answers
 * undefined and the thread host serves.
 */
interface Libc {
  memfdCreate(name: string): number;
  ftruncate(fd: number, length: number): void;
  /** Maps `length` bytes of `fd` over the addresses from `address` on, shared and writable. */
  mapFixed(address: bigint, length: number, fd: number, offset: number): void;
  /** Gives the pages of `fd` in the range back to the system; they read as zero afterwards. */
  punchHole(fd: number, offset: number, length: number): void;
  /** Gives the private pages of the range back to the system; they read as zero afterwards. */
  discard(address: bigint, length: number): void;
  /** Takes the lock of an open file, which goes with its last descriptor; false when another has it. */
  lockFile(fd: number): boolean;
  copy(to: bigint, from: ArrayBufferView, length: number): void;
  /** A pipe whose both ends are non-blocking and closed on exec: `[read, write]`. */
  pipe(): [number, number];
  /** A second descriptor for the same file. */
  dup(fd: number): number;
  /** Closes a descriptor that was made here. Node would take one that it has not opened itself for a mistake. */
  close(fd: number): void;
  /** Writes one byte; a full pipe is as good as a written one. */
  ring(fd: number): void;
  /** The allocator gives free memory back to the system, where it can. */
  trim(): void;
  /** Lets whoever else can run on this core go first. */
  yieldCore(): void;
  /** The core that this thread runs on at the moment. */
  currentCore(): number;
  /** This thread goes on on another core than that one, if it may run on another; it may come back later. */
  leaveCore(core: number): void;
  /**
   * Lets this process's handler of a signal run once: the same signal again does what it does by default, whatever the
   * program is busy with. Gives what undoes it; undefined where it can't be done.
   */
  handleOnce(signal: number): (() => void) | undefined;
  /** Ends the process with all of its threads, whatever they are doing. */
  exit(code: number): void;
  /** This process is to be killed when the thread that started it ends. */
  dieWithParent(): void;
  /** The address of the first byte of `view`. */
  addressOf(view: ArrayBufferView): bigint;
  /** An ArrayBuffer over foreign memory. The caller keeps the memory mapped while the buffer is reachable. */
  viewOf(address: bigint, length: number): ArrayBuffer;
}

const PROT_READ_WRITE = 3;
const MAP_SHARED_FIXED = 0x11;
const FALLOC_PUNCH_HOLE_KEEP_SIZE = 3;
const O_NONBLOCK_CLOEXEC = 0o2004000;
const MADV_DONTNEED = 4;
const LOCK_EX_NB = 6;
const MFD_CLOEXEC = 1;
const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;
/** `struct sigaction` of glibc and musl on 64 bits: handler, a mask of 128 bytes, flags, restorer. */
const SIGACTION_BYTES = 152;
const SIGACTION_FLAGS = 136;
const SA_RESTART = 0x10000000;
const SA_RESETHAND = 0x80000000;
const SA_RESTORER = 0x04000000;
/** A bit for each core that there may be. */
const CORES_BYTES = 1024;
const SIGACTION_KNOWN = ['x64', 'arm64'].includes(process.arch) && endianness() === 'LE';

/** A thread that can be ended is not while it is in one of the calls. */
function guarded(c: Libc): Libc {
  if (gate === undefined) return c;
  type Foreign = (...args: unknown[]) => unknown;
  const entries = Object.entries(c as unknown as Record<string, Foreign>);
  const calls = entries.map(([name, call]): [string, Foreign] => [name, (...args) => undisturbed(() => call(...args))]);
  return Object.fromEntries(calls) as unknown as Libc;
}

let loaded: Libc | undefined | null = null;

/** The C library, or undefined where it can't be had (another system, koffi missing). Loaded once per thread. */
export function libc(): Libc | undefined {
  if (loaded === null) loaded = process.platform === 'linux' ? undisturbed(load) : undefined;
  return loaded;
}

function open(): { koffi: typeof koffiModule; lib: ReturnType<typeof koffiModule.load> } | undefined {
  if (koffi === undefined) return undefined;
  for (const name of ['libc.so.6', 'libc.musl-x86_64.so.1', 'libc.musl-aarch64.so.1']) {
    try {
      return { koffi, lib: koffi.load(name) };
    } catch {
      // The next name; none of them means no process host.
    }
  }
  return undefined;
}

/** What not every C library has. */
function optional<T>(find: () => T): T | undefined {
  try {
    return find();
  } catch {
    return undefined;
  }
}

function load(): Libc | undefined {
  const opened = open();
  if (opened === undefined) return undefined;
  const { koffi, lib } = opened;
  const memfdCreate = lib.func('int memfd_create(const char *name, unsigned int flags)');
  const ftruncate = lib.func('int ftruncate(int fd, int64_t length)');
  const mmap = lib.func('uint64_t mmap(uint64_t addr, size_t length, int prot, int flags, int fd, int64_t offset)');
  const fallocate = lib.func('int fallocate(int fd, int mode, int64_t offset, int64_t length)');
  const madvise = lib.func('int madvise(uint64_t addr, size_t length, int advice)');
  const flock = lib.func('int flock(int fd, int operation)');
  const memcpy = lib.func('uint64_t memcpy(uint64_t to, const void *from, size_t n)');
  const pipe2 = lib.func('int pipe2(_Out_ int *fds, int flags)');
  const dup = lib.func('int dup(int fd)');
  const close = lib.func('int close(int fd)');
  const mallocTrim = optional(() => lib.func('int malloc_trim(size_t pad)'));
  const write = lib.func('int64_t write(int fd, const void *data, size_t n)');
  const schedYield = lib.func('int sched_yield()');
  const schedGetCpu = lib.func('int sched_getcpu()');
  const schedGetAffinity = lib.func('int sched_getaffinity(int pid, size_t size, void *mask)');
  const schedSetAffinity = lib.func('int sched_setaffinity(int pid, size_t size, const void *mask)');
  const sigaction = lib.func('int sigaction(int signal, const void *action, void *old)');
  const exit = lib.func('void _exit(int code)');
  const prctl = lib.func('int prctl(int option, unsigned long a)');
  const bell = Buffer.from([1]);

  const check = (what: string, result: number): number => {
    if (result >= 0) return result;
    const errno = koffi.errno();
    throw Object.assign(new Error(`${what} failed: ${name(errno)}`), { errno });
  };
  const name = (errno: number): string => {
    for (const [key, value] of Object.entries(koffi.os.errno)) if (value === errno) return key;
    return `errno ${errno}`;
  };

  return guarded({
    memfdCreate: (label) => check('memfd_create', memfdCreate(label, MFD_CLOEXEC)),
    ftruncate: (fd, length) => void check('ftruncate', ftruncate(fd, length)),
    mapFixed(address, length, fd, offset) {
      const at = BigInt(mmap(address, length, PROT_READ_WRITE, MAP_SHARED_FIXED, fd, offset));
      if (at !== address) check('mmap', -1);
    },
    punchHole: (fd, offset, length) =>
      void check('fallocate', fallocate(fd, FALLOC_PUNCH_HOLE_KEEP_SIZE, offset, length)),
    discard: (address, length) => void check('madvise', madvise(address, length, MADV_DONTNEED)),
    lockFile: (fd) => flock(fd, LOCK_EX_NB) === 0,
    copy: (to, from, length) => void memcpy(to, from, length),
    pipe() {
      const fds: [number, number] = [0, 0];
      check('pipe2', pipe2(fds, O_NONBLOCK_CLOEXEC));
      return fds;
    },
    dup: (fd) => check('dup', dup(fd)),
    close: (fd) => void check('close', close(fd)),
    ring: (fd) => void write(fd, bell, 1),
    yieldCore: () => void schedYield(),
    currentCore: () => schedGetCpu(),
    leaveCore(core) {
      const allowed = Buffer.alloc(CORES_BYTES);
      if (core < 0 || core >= 8 * CORES_BYTES || schedGetAffinity(0, CORES_BYTES, allowed) < 0) return;
      const others = Buffer.from(allowed);
      others.writeUInt8(others.readUInt8(core >> 3) & ~(1 << (core & 7)), core >> 3);
      if (others.every((byte) => byte === 0)) return;
      // The thread is moved at once, and stays where it is when it may run anywhere again.
      if (schedSetAffinity(0, CORES_BYTES, others) === 0) schedSetAffinity(0, CORES_BYTES, allowed);
    },
    trim: () => void mallocTrim?.(0),
    handleOnce(signal) {
      if (!SIGACTION_KNOWN) return undefined;
      const action = Buffer.alloc(SIGACTION_BYTES);
      if (sigaction(signal, null, action) !== 0) return undefined;
      const flags = action.readUInt32LE(SIGACTION_FLAGS);
      // Only a handler like the one that libuv installs: anything else is not ours to change.
      if (action.readBigUInt64LE(0) < 2n || (flags & ~(SA_RESTORER | SA_RESETHAND)) !== SA_RESTART) return undefined;
      action.writeUInt32LE((flags & ~SA_RESETHAND) >>> 0, SIGACTION_FLAGS);
      const once = Buffer.from(action);
      once.writeUInt32LE((flags | SA_RESETHAND) >>> 0, SIGACTION_FLAGS);
      if (sigaction(signal, once, null) !== 0) return undefined;
      return () => void sigaction(signal, action, null);
    },
    exit: (code) => exit(code),
    dieWithParent: () => void check('prctl', prctl(PR_SET_PDEATHSIG, SIGKILL)),
    addressOf: (view) => BigInt(koffi.address(view)),
    viewOf: (address, length) => koffi.view(address, length) as ArrayBuffer,
  });
}

import { readFileSync } from 'node:fs';
import type { ControlBlock } from '../../transport/index.ts';
import { sinceTicks } from '../clock.ts';
import { memoryInUse } from '../machine.ts';
import type { Member, Members } from './members.ts';
import { type Burden, type MemoryLimit, toEnd } from './memory-guard.rules.ts';

const LOOK_EVERY_MS = 250;
/** Of what the machine, or the container, has. */
const MOST_OF_ALL = 0.95;
const PAGE = 4096;

/**
 * Looks whether the workers, or all of the machine, have too much memory in use, and ends one of them if so. Only what is in
 * a process of its own can be measured and ended.
 */
export class MemoryGuard {
  readonly #members: Members;
  readonly #block: ControlBlock;
  /** Bytes that the workers may have together; undefined: as much as there is. */
  readonly #limit: number | undefined;
  /** Whether what runs there now must not run again. */
  readonly #runsOnce: (party: number) => boolean;
  #next = 0;

  constructor(members: Members, block: ControlBlock, limit: number | undefined, runsOnce: (party: number) => boolean) {
    this.#members = members;
    this.#block = block;
    this.#limit = limit;
    this.#runsOnce = runsOnce;
  }

  /** To be called often while tasks run. */
  look(now: number): void {
    if (now < this.#next || process.platform !== 'linux') return;
    this.#next = now + LOOK_EVERY_MS;
    const workers: Burden[] = [];
    let dying = false;
    for (const member of this.#members) {
      const pid = member.process?.pid;
      if (pid === undefined || pid === process.pid) continue;
      // What it had comes back when it is gone: then is the time to look again.
      if (member.killReason !== undefined) dying = true;
      workers.push(this.#burden(member, pid, now));
    }
    if (dying || workers.length === 0) return;
    const found = toEnd(workers, this.#inUse(workers));
    if (found === undefined) return;
    const { incarnation } = this.#members.get(found.party) as Member;
    this.#members.kill(found.party, incarnation, `memory: ${found.reason}`);
  }

  #inUse(workers: readonly Burden[]): MemoryLimit {
    if (this.#limit !== undefined) {
      const used = workers.reduce((sum, each) => sum + each.bytes, 0);
      return { used, limit: this.#limit, what: 'the memory of the workers (SHEAF_WORKER_MEMORY)' };
    }
    const { used, limit } = memoryInUse();
    return { used, limit: limit * MOST_OF_ALL, what: 'the memory of the machine' };
  }

  #burden({ party }: Member, pid: number, now: number): Burden {
    const runs = this.#block.current(party) !== undefined;
    // As the worker itself has published it: two that began between two looks are told apart.
    const since = runs ? now - sinceTicks(this.#block.currentBegan(party)) : undefined;
    return { party, bytes: ownBytes(pid), since, retriable: !this.#runsOnce(party) };
  }
}

/** Bytes in memory that a process shares with nobody. */
function ownBytes(pid: number): number {
  try {
    const [, resident, shared] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ').map(Number);
    return ((resident ?? 0) - (shared ?? 0)) * PAGE;
  } catch {
    // It has just ended.
    return 0;
  }
}

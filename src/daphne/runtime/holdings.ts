/**
 * Which arrays nobody can see any more. V8 does not know how large they are, and takes 10 to 20 milliseconds to look for those that are garbage; but
 * variables of a script hold all that it will ever use, so that here it is known at once: their room is used again while it is warm.
 */

import { nodeOf, nodesOfSparse } from '../../arrays/index.ts';
import { DTYPES } from '../../nd/index.ts';
import { type Buffer, buffersOf, type Node } from '../../pipelines/index.ts';
import type { Value } from '../values/values.ts';

export interface HoldingsOptions {
  /** Bytes of an array that is worth looking for. */
  readonly least?: number;
  /** Bytes that are made before it is looked for the next time, */
  readonly between?: number;
  /** and for each node that there was to look at the last time. */
  readonly perNode?: number;
}

const LEAST = 1 << 16;
const BETWEEN = 1 << 20;
/** To look at a node takes about as long as the first touch of so many bytes. */
const PER_NODE = 64;

/** What a variable may hold. */
type Held = Value | undefined;

/** The arrays that a run of a script has made. */
export class Holdings {
  readonly #least: number;
  readonly #between: number;
  readonly #perNode: number;
  /** Those that the garbage collector finds first are not kept by this. */
  #made: WeakRef<Buffer>[] = [];
  #bytes = 0;
  #isOpen = true;
  #dueAt: number;
  /** Built-ins that are running. What they hold nobody else knows of. */
  running = 0;

  constructor({ least = LEAST, between = BETWEEN, perNode = PER_NODE }: HoldingsOptions = {}) {
    this.#least = least;
    this.#between = between;
    this.#perNode = perNode;
    this.#dueAt = between;
  }

  /** A run begins. */
  begin(): void {
    this.end();
    this.#isOpen = true;
  }

  /** It is over: what is left is for somebody else to let go of, or the garbage collector. */
  end(): void {
    for (const ref of this.#made) {
      const buffer = ref.deref();
      if (buffer?.released === false) buffer.home.mind(buffer, false);
    }
    this.#isOpen = false;
    this.running = 0;
    this.#made = [];
    this.#bytes = 0;
    this.#dueAt = this.#between;
  }

  add(made: readonly Buffer[]): void {
    if (!this.#isOpen) return;
    for (const buffer of made) {
      const bytes = buffer.length * DTYPES[buffer.dtype].bytes;
      if (bytes < this.#least) continue;
      this.#made.push(new WeakRef(buffer));
      this.#bytes += bytes;
      // Before the next built-in it is seen whether it is needed; within one that calls functions of the script there may be many.
      if (this.running <= 1) buffer.home.mind(buffer, true);
    }
  }

  /** Whether enough was made that it is worth looking for what can be let go of. */
  get isDue(): boolean {
    return this.running === 0 && this.#made.length > 0 && this.#bytes >= this.#dueAt;
  }

  /** Lets go of all that was made and that none of these leads to. */
  release(held: Iterable<Held>): void {
    const { nodes, buffers } = reached(held);
    this.#made = this.#made.filter((ref) => {
      const buffer = ref.deref();
      if (buffer === undefined) return false;
      if (buffers.has(buffer)) return true;
      buffer.home.release(buffer);
      return false;
    });
    this.#bytes = 0;
    this.#dueAt = Math.max(this.#between, nodes * this.#perNode);
  }
}

/** All buffers that values lead to, and how many nodes there were on the way. Graphs may be deeper than stacks. */
function reached(held: Iterable<Held>): { nodes: number; buffers: Set<Buffer> } {
  const buffers = new Set<Buffer>();
  const seen = new Set<Node>();
  const open: Node[] = [];
  const add = (nodes: readonly Node[]): void => {
    for (const node of nodes) {
      if (seen.has(node)) continue;
      seen.add(node);
      open.push(node);
    }
  };
  for (const each of held) add(nodesOf(each));
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    for (const buffer of buffersOf(node)) buffers.add(buffer);
    add(node.args);
  }
  return { nodes: seen.size, buffers };
}

/** Columns of frames and cells of strings are JavaScript's own. */
function nodesOf(held: Held): readonly Node[] {
  if (typeof held !== 'object') return [];
  switch (held.kind) {
    case 'dense':
      return [nodeOf('matrix', held.array)];
    case 'sparse':
      return nodesOfSparse(held.csr);
    case 'list':
      return held.elements.flatMap(nodesOf);
    default:
      return [];
  }
}

import { formatBytes, InternalError, OutOfMemoryError } from '../../base/index.ts';
import { DTYPES, type Elements, sizeOf } from '../../nd/index.ts';
import type { Buffer, Buffers } from '../buffers.ts';
import { buffersOf, isComputed, Node } from '../graph.ts';
import { nextStage, replaced, type Stage, slicesOf } from './barriers.rules.ts';
import { type Box, productTilesOf, type Range, shapeOf, tilesOf, wholeOf } from './boxes.rules.ts';
import { copyOf, cutOut, productNeeds, type Wanted } from './cutting.rules.ts';
import { Pieces } from './pieces.ts';

/** A graph that is ready to be computed. */
export interface Prepared {
  /** Bytes of memory that it takes at the same time, with its sources; and those of its sources. */
  readonly need: number;
  readonly sources: number;
  /** Computes it. The sources that its roots are then have buffers of their own. */
  run(): Promise<Node[]>;
}

/** What computes blocks. */
export interface BlockHost {
  readonly buffers: Buffers;
  /** Bytes of the memory. */
  readonly limit: number;
  /** Whether what is not in use can leave it. */
  readonly spills: boolean;
  /** How much room there is where that goes. */
  disk?(): number;
  /** Elements of a block, a power of two; left out: a part of the memory. */
  readonly block?: number;
  prepare(roots: readonly Node[]): Prepared;
  /** The elements of what is computed. */
  read(node: Node): Elements;
}

/** What a block takes of the memory: several are in use at the same time, and one should not be larger than is good for anything. */
const PART = 1 / 16;
const LARGEST = 128 << 20;
/** Of the memory what the computing of one block may take; the rest is for those that are on their way to disk. */
const BUDGET = 0.6;
/** Blocks are counted in elements, the largest of which have so many bytes: those of all types have the same cuts. */
const WIDEST = 8;
/** In elements: objects take whole pages. */
const SMALLEST = 8192;
/** The event loop gets a turn after so long. */
const SLICE_MS = 8;

/** How many elements a block has at most. */
export function blockOf({ limit, block }: Pick<BlockHost, 'limit' | 'block'>): number {
  return block ?? Math.max(SMALLEST, 2 ** Math.floor(Math.log2(Math.min(limit * PART, LARGEST) / WIDEST)));
}

/** Memory is full; not: a disk can't be written, for which smaller pieces are no better. */
export const isNoRoom = (error: unknown): error is OutOfMemoryError =>
  error instanceof OutOfMemoryError && error.code === 'ERR_SHEAF_OUT_OF_MEMORY';

const bytesOf = (node: Node): number => sizeOf(node.shape) * DTYPES[node.dtype].bytes;
const wholeNode = (node: Node): Wanted => ({ node, box: wholeOf(node.shape) });

/**
 * Computes what is too large to be in memory at once, block by block. Each block is a graph of its own, cut from the whole one; of what it reads
 * and writes only its own blocks are in use, and the store may write the others to disk. What many blocks are combined into is computed first.
 */
export class BlockRun {
  readonly #host: BlockHost;
  readonly #budget: number;
  readonly #most: number;
  readonly #smallest: number;
  /** Buffers that were made here, and are not given away yet. */
  readonly #made = new Set<Buffer>();
  #turnAt = performance.now() + SLICE_MS;

  constructor(host: BlockHost) {
    this.#host = host;
    this.#budget = host.limit * BUDGET;
    this.#most = blockOf(host);
    this.#smallest = host.block === undefined ? SMALLEST : 1;
  }

  /** For each node one that is computed. */
  async run(roots: readonly Node[]): Promise<Node[]> {
    try {
      let now = this.#areSmall(roots) ? [...roots] : await this.#cutSources(roots);
      for (;;) {
        const stage = nextStage(now, this.#most);
        if (stage === undefined) break;
        now = replaced(now, await this.#stage(stage));
      }
      for (;;) {
        const left = now.filter((root) => !isComputed(root));
        if (left.length === 0) break;
        const together = left.filter(({ shape }) => `${shape}` === `${left[0]?.shape}`);
        now = replaced(now, await this.#arrays([...new Set(together)]));
      }
      for (const buffer of now.flatMap(buffersOf)) this.#made.delete(buffer);
      return now;
    } finally {
      this.#release(...this.#made);
    }
  }

  #release(...buffers: readonly Buffer[]): void {
    for (const buffer of buffers) {
      // What was there before is somebody else's.
      if (this.#made.delete(buffer)) buffer.home.release(buffer);
    }
  }

  // ---- what is there

  /** Whether sources that are in memory as wholes leave enough of it. */
  #areSmall(roots: readonly Node[]): boolean {
    const large = this.#largeSources(roots);
    const bytes = new Set(large.flatMap(buffersOf));
    let sum = 0;
    for (const { length, dtype } of bytes) sum += length * DTYPES[dtype].bytes;
    return sum <= this.#budget / 3;
  }

  #largeSources(roots: readonly Node[]): Node[] {
    const found = new Set<Node>();
    const walk = [...roots];
    const seen = new Set(walk);
    for (let node = walk.pop(); node !== undefined; node = walk.pop()) {
      const { op } = node;
      const isOurs = op.kind === 'source' && op.buffer.home === this.#host.buffers;
      if (isOurs && op.buffer.length > this.#most) found.add(node);
      for (const arg of node.args) if (!seen.has(arg)) walk.push(arg);
      for (const arg of node.args) seen.add(arg);
    }
    return [...found];
  }

  /** Each of them in blocks, which take their turns in memory. */
  async #cutSources(roots: readonly Node[]): Promise<Node[]> {
    let now = [...roots];
    for (const source of this.#largeSources(roots)) {
      // As a whole it is in use once more.
      const cut = await this.#arrays([source], this.#host.limit);
      // Blocks that roots have themselves are not to be computed again.
      now = replaced(now, cut);
    }
    return now;
  }

  // ---- stages

  async #stage(stage: Stage): Promise<Map<Node, Node>> {
    switch (stage.kind) {
      case 'instead':
        return new Map([[stage.node, stage.by]]);
      case 'slices': {
        const indices = stage.node.args[1] as Node;
        const known = isComputed(indices) ? indices : ((await this.#arrays([indices])).get(indices) as Node);
        return new Map([[stage.node, slicesOf(stage.node, this.#host.read(known) as BigInt64Array)]]);
      }
      case 'array':
        return this.#arrays([stage.node]);
      case 'reductions':
        return this.#reductions(stage.nodes);
      case 'product':
        return new Map([[stage.node, await this.#product(stage.node)]]);
      case 'routine': {
        const { op } = stage.routine;
        const name = op.kind === 'call' ? op.routine : op.kind;
        const needed = [...stage.routine.args, ...stage.nodes].reduce((sum, node) => sum + bytesOf(node), 0);
        if (needed > this.#budget) throw this.#refused(name, needed);
        const results = await this.#compute(stage.nodes.map(wholeNode), (parts) => [...parts]);
        if (results === undefined) throw this.#refused(name, needed);
        return paired(stage.nodes, results);
      }
    }
  }

  /** Arrays of one shape, in blocks. */
  async #arrays(nodes: readonly Node[], budget = this.#budget): Promise<Map<Node, Node>> {
    const { shape } = nodes[0] as Node;
    this.#checkDisk(nodes);
    let blocks: { box: Box; node: Node }[][] = [];
    await this.#tiles(
      (most) => {
        blocks = nodes.map(() => []);
        return tilesOf(shape, most);
      },
      async (box) => {
        const wanted = nodes.map((node) => ({ node, box }));
        const parts = await this.#compute(wanted, (own) => own.map(withOwn), budget);
        for (const [i, node] of (parts ?? []).entries()) blocks[i]?.push({ box, node });
        return parts !== undefined;
      },
      () => this.#refused(largestOf(nodes), this.#least(nodes)),
    );
    return paired(
      nodes,
      nodes.map((node, i) => inBlocks(node, blocks[i] as { box: Box; node: Node }[])),
    );
  }

  /** Each block is reduced by itself, and combined with those that go to the same place. */
  async #reductions(nodes: readonly Node[]): Promise<Map<Node, Node>> {
    const [{ op, args }] = nodes as [Node];
    if (op.kind !== 'reduce') throw new InternalError('this is no reduction');
    const kept = (box: Box): Box => box.filter((_, axis) => !op.axes.includes(axis));
    const sums = new Map<string, { box: Box; nodes: Node[] }>();
    await this.#tiles(
      (most) => {
        sums.clear();
        return tilesOf((args[0] as Node).shape, most);
      },
      async (box) => {
        const wanted = nodes.map((node) => ({ node: node.args[0] as Node, box }));
        const own = kept(box);
        const reduce = (parts: readonly Node[]): Node[] =>
          parts.map((part, i) => {
            const of = nodes[i] as Node;
            return new Node(of.op, shapeOf(own), of.dtype, [part]);
          });
        const parts = await this.#compute(wanted, reduce);
        if (parts === undefined) return false;
        const before = sums.get(`${own}`);
        if (before === undefined) sums.set(`${own}`, { box: own, nodes: parts });
        else before.nodes = await this.#combined(before.nodes, parts, nodes);
        return true;
      },
      () => this.#refused(largestOf(nodes), this.#least(nodes)),
    );
    return paired(
      nodes,
      nodes.map((node, i) => {
        const blocks = [...sums.values()].map((each) => ({ box: each.box, node: each.nodes[i] as Node }));
        return inBlocks(node, blocks);
      }),
    );
  }

  /** What two blocks gave, as one. */
  async #combined(before: readonly Node[], parts: readonly Node[], nodes: readonly Node[]): Promise<Node[]> {
    const both = before.map((one, i) => {
      const { dtype, op } = nodes[i] as Node;
      const at = [0, 1].map((start) => [
        { start, step: 1, axis: undefined },
        ...one.shape.map((_, axis) => ({ start: 0, step: 1, axis })),
      ]);
      const pair = new Node({ kind: 'assemble', at }, [2, ...one.shape], dtype, [one, parts[i] as Node]);
      const reducer = op.kind === 'reduce' ? op.reducer : 'sum';
      return new Node({ kind: 'reduce', reducer, axes: [0] }, one.shape, dtype, [pair]);
    });
    const combined = await this.#run(this.#host.prepare(both));
    this.#release(...[...before, ...parts].flatMap(buffersOf));
    return combined;
  }

  /** Blocks of the product, each the sum of the products of blocks of both sides. */
  async #product(node: Node): Promise<Node> {
    const outer = node.shape.slice(0, -2);
    const [m, n] = node.shape.slice(-2) as [number, number];
    const k = (node.args[0] as Node).shape.at(-1) as number;
    let blocks: { box: Box; node: Node }[] = [];
    let last: Box | undefined;
    await this.#tiles(
      (most) => {
        [blocks, last] = [[], undefined];
        return productTilesOf(outer, m, k, n, most);
      },
      async ({ box, inner }) => {
        const [rows, columns] = box.slice(-2) as [Range, Range];
        const wanted = productNeeds(node, box.slice(0, -2), rows, columns, inner);
        const multiply = (parts: readonly Node[]): Node[] => [
          new Node({ kind: 'matmul' }, shapeOf(box), node.dtype, parts),
        ];
        const parts = await this.#compute(wanted, multiply);
        if (parts === undefined) return false;
        const before = blocks.at(-1);
        if (before === undefined || `${last}` !== `${box}`) blocks.push({ box, node: parts[0] as Node });
        else before.node = (await this.#combined([before.node], parts, [node]))[0] as Node;
        last = box;
        return true;
      },
      () => this.#refused('matmul', this.#least([node])),
    );
    return inBlocks(node, blocks);
  }

  // ---- blocks

  /**
   * Does all tiles that `cut` gives, as large as they can be: where one takes too much memory (`work` says so), all are begun again with smaller
   * ones. Enough memory in sum may be too little in one piece, since what others have in use lies in between.
   */
  async #tiles<T>(
    cut: (most: number) => Iterable<T>,
    work: (tile: T) => Promise<boolean>,
    refused: () => OutOfMemoryError,
  ): Promise<void> {
    for (let most = this.#most; ; most /= 2) {
      const before = new Set(this.#made);
      const smallest = most / 2 < this.#smallest;
      try {
        if (await this.#all(cut(most), work)) return;
        if (smallest) throw refused();
      } catch (error) {
        // Where nothing can leave the memory, nothing else will have left it.
        if (smallest || !this.#host.spills || !isNoRoom(error)) throw error;
      }
      this.#release(...[...this.#made].filter((buffer) => !before.has(buffer)));
    }
  }

  async #all<T>(tiles: Iterable<T>, work: (tile: T) => Promise<boolean>): Promise<boolean> {
    for (const tile of tiles) {
      if (!(await work(tile))) return false;
      await this.#turn();
    }
    return true;
  }

  async #turn(): Promise<void> {
    if (performance.now() < this.#turnAt) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.#turnAt = performance.now() + SLICE_MS;
  }

  /** What is made of parts of nodes. Undefined when that takes too much memory. */
  async #compute(
    wanted: readonly Wanted[],
    make: (parts: readonly Node[]) => Node[],
    budget = this.#budget,
  ): Promise<Node[] | undefined> {
    for (const copies of [false, true]) {
      const pieces = new Pieces(this.#host.buffers, copies);
      try {
        const roots = make(cutOut(wanted, (source, box) => pieces.take(source, box)));
        if (copies && !(await this.#gather(pieces))) return undefined;
        const prepared = this.#host.prepare(roots);
        if (prepared.need <= budget) return await this.#run(prepared);
        // Large blocks of which little is needed may be what is too much.
        if (prepared.sources < prepared.need / 2) return undefined;
      } finally {
        pieces.release();
      }
    }
    return undefined;
  }

  /** What is needed of many blocks is copied out of one after the other. */
  async #gather(pieces: Pieces): Promise<boolean> {
    const bytes = pieces.copies.reduce((sum, node) => sum + bytesOf(node), 0);
    if (bytes > this.#budget) return false;
    for (const node of pieces.copies) {
      const [copied] = await this.#host.prepare([node]).run();
      node.settle((copied as Node).op as Parameters<Node['settle']>[0]);
      await this.#turn();
    }
    return true;
  }

  async #run(prepared: Prepared): Promise<Node[]> {
    const nodes = await prepared.run();
    for (const buffer of nodes.flatMap(buffersOf)) this.#made.add(buffer);
    return nodes;
  }

  // ---- in vain

  /** What the smallest parts of nodes take, and all that they are made of. */
  #least(nodes: readonly Node[]): number {
    const pieces = new Pieces(this.#host.buffers, false);
    try {
      const wanted = nodes.map((node) => ({ node, box: tilesOf(node.shape, this.#smallest).next().value as Box }));
      const parts = cutOut(wanted, (source, box) => pieces.take(source, box));
      return this.#host.prepare(parts.map(withOwn)).need;
    } finally {
      pieces.release();
    }
  }

  /** An array that is too large for the memory, and for the disk that it would go to, needs not be begun. */
  #checkDisk(nodes: readonly Node[]): void {
    const { limit, spills } = this.#host;
    const needed = nodes.reduce((sum, node) => sum + bytesOf(node), 0);
    if (needed <= limit) return;
    if (spills) {
      const room = this.#host.disk?.() ?? Number.POSITIVE_INFINITY;
      if (needed <= limit + room) return;
      throw new OutOfMemoryError(
        `the array has ${formatBytes(needed)}, the shared memory of this session ${formatBytes(limit)}, and the disk that it goes to has ` +
          `${formatBytes(room)} left; name a folder on a larger one with connect({ spill }), or ask for what the array is combined into, which needs no room`,
        { details: { operation: 'persist', needed, limit, disk: room } },
      );
    }
    throw new OutOfMemoryError(
      `the array has ${formatBytes(needed)}, and the shared memory of this session ${formatBytes(limit)}, of which nothing is written to disk; name a folder ` +
        'that is on one with connect({ spill }), raise connect({ memory }), or ask for what it is combined into, which needs no room for it',
      { details: { operation: 'persist', needed, limit } },
    );
  }

  #refused(operation: string, needed: number): OutOfMemoryError {
    const { limit } = this.#host;
    return new OutOfMemoryError(
      `${operation} needs ${formatBytes(needed)} of shared memory at the same time, even of an array that is in blocks, and this session has ${formatBytes(limit)}; ` +
        "compute it of smaller parts (rows: x.at('0:1000')), reduce the array first, or raise connect({ memory })",
      { details: { operation, needed, limit } },
    );
  }
}

/** What is only a part of something else gets elements of its own. */
function withOwn(node: Node): Node {
  let base = node;
  while (base.op.kind === 'view' || base.op.kind === 'reshape') base = base.args[0] as Node;
  return base.op.kind === 'source' ? copyOf(node) : node;
}

function inBlocks({ shape, dtype }: Node, blocks: readonly { readonly box: Box; readonly node: Node }[]): Node {
  const [first] = blocks;
  if (first === undefined) throw new InternalError('an array was computed in no blocks');
  if (blocks.length === 1) return first.node;
  const at = blocks.map(({ box }) => box.map(([start], axis) => ({ start, step: 1, axis })));
  return new Node(
    { kind: 'assemble', at, stored: true },
    shape,
    dtype,
    blocks.map(({ node }) => node),
  );
}

const paired = (nodes: readonly Node[], by: readonly Node[]): Map<Node, Node> =>
  new Map(nodes.map((node, i) => [node, by[i] as Node]));

/** The name of what most likely asks for too much: what is not computed row by row. */
function largestOf(nodes: readonly Node[]): string {
  const walk = [...nodes];
  const seen = new Set(walk);
  for (let node = walk.pop(); node !== undefined; node = walk.pop()) {
    const { op } = node;
    if (op.kind === 'take' || op.kind === 'matmul') return op.kind;
    if (op.kind === 'call') return op.routine;
    if (isComputed(node)) continue;
    for (const arg of node.args) {
      if (!seen.has(arg)) walk.push(arg);
      seen.add(arg);
    }
  }
  return 'an expression';
}

import { Matmul, routine } from '../kernels/index.ts';
import { DTYPES, type Elements, elements, type Shape, sizeOf } from '../nd/index.ts';
import { coreCache } from '../runtime/index.ts';
import { BlockRun, blockOf, isNoRoom, type Prepared } from './blocks/block-run.ts';
import { copyOf } from './blocks/cutting.rules.ts';
import { needOf } from './blocks/need.rules.ts';
import type { Buffer, Buffers } from './buffers.ts';
import { explainSvg } from './draw.rules.ts';
import {
  type Crew,
  execute,
  executeTogether,
  type Given,
  type Machine,
  Room,
  sourceOfView,
  type WholeCrew,
} from './execution.ts';
import { blocksText, type Explained, explainJson, explainText } from './explain.rules.ts';
import { type AxisMap, isComputed, isStored, Node } from './graph.ts';
import type { ArrayView, Plan } from './plan.ts';
import { planOf } from './planning.rules.ts';
import { Plans } from './plans.ts';
import { sourceOf } from './reference.ts';
import type { Routines } from './routines.ts';
import { Survey } from './survey.rules.ts';
import { compilersFor } from './tile-runner.ts';
import { valuesOf } from './values.rules.ts';
import { copy, dense, isDense, type Layout, viewed } from './walk.ts';
import { windowsOf } from './windows.rules.ts';

/** Memory that there is only so much of, in bytes. */
export interface Memory {
  readonly limit: number;
  /** What one array can have. */
  readonly largest: number;
  /** Whether what is not in use can leave it. */
  readonly spills: boolean;
  /** How much room there is where that goes; left out: it is not known. */
  disk?(): number;
  /** Elements of a block; left out: a part of all memory. */
  readonly block?: number;
}

/** What differs from machine to machine. */
export interface PipelineOptions {
  /** Bytes of the cache that a tile and its scratch may take. Default: half of what a core has. */
  readonly cache?: number;
  /** The same of tiles whose rows are combined; who changes it changes the last bits of sums. */
  readonly block?: number;
  readonly routines?: Routines;
  /** Who else runs pipelines. */
  readonly crew?: Crew | undefined;
  /** And what is computed by itself. */
  readonly wholeCrew?: WholeCrew | undefined;
  /** What computes graphs of small arrays, and keeps their results. */
  readonly small?: Pipelines;
  /** Of large graphs of small arrays so many operations are computed at a time. */
  readonly window?: number;
  /** Left out: as much as anybody asks for. */
  readonly memory?: Memory;
  /** How many run tiles at the same time. */
  readonly members?: number;
}

/** Something that is computed: a graph, and its plan. */
export type Computation = Explained;

/** Told of each computation before it is run; what it gives is called when it is over. */
export type Watch = (computation: Computation) => () => void;

/** As which document a graph and its plan are explained. */
export type ExplainForm = 'text' | 'svg' | 'json';

/** What those need who ask for values. */
export type PipelinesAt = Pick<Pipelines, 'compute' | 'computeNow' | 'read' | 'explain'>;

/** `relieve` is asked between computations, which is a time to look for garbage. */
export type Storage = Buffers & { relieve?(): Promise<void> | undefined };

/** So much of a cache may be used, however large it is: larger tiles gain nothing, and of smaller ones each costs too much as such. */
const CACHE = { least: 128 << 10, most: 1 << 20 };

/** Half of the cache of a core of this machine: what is read ahead needs room as well. */
const cacheOfTiles = (): number => Math.min(CACHE.most, Math.max(CACHE.least, coreCache().bytes >> 1));

/** Half of what is next to a core on most machines. On each machine the same, so that a sum of floats is the same on each. */
const BLOCK = 512 << 10;

/** Enough that what a part costs as such is little for each of its operations. */
const WINDOW = 512;

/** Products that are better computed as the sums that they are, together with what is around them: of vectors, and tiny ones. */
const isSum = (m: number, k: number, n: number): boolean => n === 1 || m === 1 || m * k * n <= 4096;

/** What takes more of the memory than that is computed block by block. */
const AT_ONCE = 0.75;

/** Computes arrays, with their elements in one storage. */
export class Pipelines {
  readonly buffers: Storage;
  readonly #machine: Machine;
  readonly #cache: number;
  readonly #block: number;
  readonly #window: number;
  readonly #small: Pipelines | undefined;
  readonly #plans = new Plans();
  readonly #memory: Memory | undefined;
  readonly #members: number;
  readonly #needs = new WeakMap<Plan, ReturnType<typeof needOf>>();
  /** What is computed block by block takes most of the memory: one such computation follows the other. */
  #blocks: Promise<unknown> = Promise.resolve();

  constructor(buffers: Storage, options: PipelineOptions = {}) {
    this.buffers = buffers;
    this.#cache = options.cache ?? cacheOfTiles();
    this.#block = options.block ?? BLOCK;
    this.#window = options.window ?? WINDOW;
    this.#small = options.small;
    this.#memory = options.memory;
    this.#members = options.members ?? 1;
    let matmul: Matmul | undefined;
    this.#machine = {
      buffers,
      compilers: compilersFor,
      runners: new WeakMap(),
      routines: options.routines ?? routine,
      matmul: () => {
        matmul ??= new Matmul();
        return matmul;
      },
      scratch: new Room(buffers),
      gathered: new Room(buffers),
      crew: options.crew,
      wholeCrew: options.wholeCrew,
    };
  }

  /** Computes the nodes, all together, and settles them: they are sources then. Gives the buffers that were made for that, but those of blocks. */
  async compute(nodes: readonly Node[], watch?: Watch): Promise<readonly Buffer[]> {
    const relief = this.buffers.relieve?.() ?? this.#small?.buffers.relieve?.();
    if (relief !== undefined) await relief;
    if (this.#machine.crew === undefined && this.#memory === undefined) return this.computeNow(nodes, watch);
    const made: Buffer[] = [];
    for (const roots of this.#partsOf(nodes)) {
      const survey = new Survey(roots);
      if (this.#small !== undefined && survey.isSmall) {
        made.push(...this.#small.#run(roots, survey, watch));
        continue;
      }
      const plan = this.#atOnce(survey, roots);
      if (plan === undefined) await this.#inBlocks(roots, watch);
      else {
        try {
          const over = watch?.({ nodes: survey.order, roots, plan });
          made.push(...settle(roots, plan, await executeTogether(plan, survey, this.#machine), survey));
          over?.();
        } catch (error) {
          // What others have in use is not known before.
          if (!isNoRoom(error) || this.#memory === undefined) throw error;
          await this.#inBlocks(roots, watch);
        }
      }
    }
    this.#tidy();
    return made;
  }

  /** The plan of what is computed at once; undefined for what is too large for that. */
  #atOnce(survey: Survey, roots: readonly Node[]): Plan | undefined {
    const memory = this.#memory;
    if (memory === undefined) return this.#planOf(survey, roots);
    if (survey.order.some(isStored)) return undefined;
    const plan = this.#planOf(survey, roots);
    const { most, largest } = this.#needOf(plan);
    let [sources, widest] = [0, largest];
    for (const bytes of sizesOf(survey)) {
      sources += bytes;
      widest = Math.max(widest, bytes);
    }
    return widest <= memory.largest && most + sources <= AT_ONCE * memory.limit ? plan : undefined;
  }

  #needOf(plan: Plan): ReturnType<typeof needOf> {
    let need = this.#needs.get(plan);
    if (need === undefined) {
      need = needOf(plan, this.#members);
      this.#needs.set(plan, need);
    }
    return need;
  }

  async #inBlocks(roots: readonly Node[], watch: Watch | undefined): Promise<void> {
    const before = this.#blocks;
    let end = (): void => {};
    this.#blocks = new Promise<void>((resolve) => {
      end = resolve;
    });
    await before;
    try {
      const memory = this.#memory as Memory;
      const run = new BlockRun({
        buffers: this.buffers,
        ...memory,
        prepare: (nodes) => this.#prepared(nodes, watch),
        read: (node) => this.read(node),
      });
      const computed = await run.run(roots);
      for (const [i, root] of roots.entries()) {
        const { op, args } = computed[i] as Node;
        if (!isComputed(root)) root.settle(op as Parameters<Node['settle']>[0], args);
      }
    } finally {
      end();
    }
  }

  /** A graph of one block. */
  #prepared(nodes: readonly Node[], watch: Watch | undefined): Prepared {
    let roots = nodes;
    let survey = new Survey(roots);
    let plan = this.#planOf(survey, roots);
    if (plan.roots.some(({ array }) => array < plan.sources)) {
      roots = nodes.map((node, i) => ((plan.roots[i] as ArrayView).array < plan.sources ? copyOf(node) : node));
      survey = new Survey(roots);
      plan = this.#planOf(survey, roots);
    }
    const sources = sizesOf(survey).reduce((sum, bytes) => sum + bytes, 0);
    return {
      need: this.#needOf(plan).most + sources,
      sources,
      run: async () => {
        const over = watch?.({ nodes: survey.order, roots, plan });
        const arrays = await executeTogether(plan, survey, this.#machine);
        over?.();
        return roots.map(
          ({ shape, dtype }, i) => new Node(sourceOfView(plan.roots[i] as ArrayView, arrays, survey), shape, dtype),
        );
      },
    };
  }

  /** The same at once, in this thread alone. */
  computeNow(nodes: readonly Node[], watch?: Watch): readonly Buffer[] {
    const made = this.#partsOf(nodes).flatMap((roots) => this.#run(roots, new Survey(roots), watch));
    this.#tidy();
    return made;
  }

  #run(roots: readonly Node[], survey: Survey, watch: Watch | undefined): readonly Buffer[] {
    const plan = this.#planOf(survey, roots);
    const over = watch?.({ nodes: survey.order, roots, plan });
    const made = settle(roots, plan, execute(plan, survey, this.#machine), survey);
    over?.();
    return made;
  }

  /** The same, for somebody who wants to know what is computed. */
  watched(watch: Watch): PipelinesAt {
    return {
      compute: (nodes) => this.compute(nodes, watch),
      computeNow: (nodes) => this.computeNow(nodes, watch),
      read: (node) => this.read(node),
      explain: (nodes, form) => this.explain(nodes, form),
    };
  }

  /** Memory that others have as well is not kept for what may come. */
  #tidy(): void {
    const { crew, scratch, gathered } = this.#machine;
    if (crew === undefined) return;
    scratch.release();
    gathered.release();
  }

  /** Roots that are computed together, one part after the other. */
  #partsOf(nodes: readonly Node[]): readonly (readonly Node[])[] {
    const wanted = nodes.filter((node) => !isComputed(node));
    if (wanted.length === 0) return [];
    return windowsOf(wanted, this.#window) ?? [wanted];
  }

  /**
   * The graph of nodes that are not computed yet, and how they would be computed: as text, drawn as an SVG document, or as JSON.
   * The text says, too, what would be computed in blocks.
   */
  explain(nodes: readonly Node[], form: ExplainForm = 'text'): string {
    const wanted = nodes.filter((node) => !isComputed(node));
    const survey = new Survey(wanted);
    const explained = { nodes: survey.order, roots: wanted, plan: this.#planOf(survey, wanted) };
    const text = { text: explainText, svg: explainSvg, json: explainJson }[form](explained);
    const memory = this.#memory;
    if (form !== 'text' || memory === undefined || survey.isSmall) return text;
    if (this.#atOnce(survey, wanted) !== undefined) return text;
    const need = this.#needOf(explained.plan).most + sizesOf(survey).reduce((sum, bytes) => sum + bytes, 0);
    return `${text}\n${blocksText(need, memory.limit, blockOf(memory))}`;
  }

  #planOf(survey: Survey, roots: readonly Node[]): Plan {
    return this.#plans.get(survey, () => {
      const made = valuesOf(survey, roots);
      return planOf(made.values, made.roots, { cache: this.#cache, block: this.#block, lowersProducts: isSum });
    });
  }

  /** The elements of a node that was computed, row by row, for whoever wants to keep them. Nobody may change them. */
  read(node: Node): Elements {
    if (isStored(node)) return this.#readBlocks(node);
    const { buffer, offset, strides } = sourceOf(node);
    const buffers = buffer.home;
    const size = sizeOf(node.shape);
    if (size === buffer.length && offset === 0 && isDense(node.shape, strides)) return buffers.lend(buffer);
    return this.readPart(node, [], node.shape);
  }

  /** Elements from a place on (left out: the first one), as many as a shape has, row by row. They are the caller's, and only they are copied. */
  readPart(node: Node, place: readonly number[], shape: Shape): Elements {
    const own = elements(node.dtype, sizeOf(shape));
    const from = (offset: number, strides: readonly number[]): Layout => ({
      offset: place.reduce((sum, each, axis) => sum + each * (strides[axis] as number), offset),
      strides,
    });
    if (isStored(node)) {
      const { offset, strides } = dense(node.shape);
      copy(shape, this.#readBlocks(node), from(offset, strides), own, dense(shape));
      return own;
    }
    const { buffer, offset, strides } = sourceOf(node);
    const buffers = buffer.home;
    buffers.use(buffer);
    copy(shape, buffers.view(buffer, 'read'), from(offset, strides), own, dense(shape));
    buffers.unuse(buffer);
    return own;
  }

  /** One block after the other. */
  #readBlocks({ op, shape, dtype, args }: Node): Elements {
    const own = elements(dtype, sizeOf(shape));
    for (const [i, block] of args.entries()) {
      const maps = (op as Extract<Node['op'], { kind: 'assemble' }>).at[i] as readonly AxisMap[];
      const { buffer, offset, strides } = sourceOf(block);
      buffer.home.use(buffer);
      try {
        const all = buffer.home.view(buffer, 'read');
        copy(block.shape, all, { offset, strides }, own, viewed(maps, dense(shape), block.shape.length));
      } finally {
        buffer.home.unuse(buffer);
      }
    }
    return own;
  }
}

/** Bytes of each buffer that a graph reads. */
function sizesOf({ sources }: Survey): number[] {
  const buffers = new Set(sources.map(({ buffer }) => buffer));
  return [...buffers].map(({ length, dtype }) => length * DTYPES[dtype].bytes);
}

/** Gives the buffers that were made, and are no part of what was there before. */
function settle(roots: readonly Node[], plan: Plan, arrays: readonly Buffer[], given: Given): readonly Buffer[] {
  const made = new Set<Buffer>();
  for (let i = 0; i < roots.length; i++) {
    const root = roots[i] as Node;
    // Somebody else may have computed it meanwhile; it keeps what it has.
    const view = plan.roots[i] as ArrayView;
    if (!isComputed(root)) root.settle(sourceOfView(view, arrays, given));
    if (view.array >= plan.sources) made.add(arrays[view.array] as Buffer);
  }
  return [...made];
}

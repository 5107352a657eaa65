import { InternalError } from '../base/index.ts';
import { type Elements, elements, sizeOf } from '../nd/index.ts';
import type { Buffer, Buffers } from './buffers.ts';
import { explainSvg } from './draw.rules.ts';
import { type Crew, execute, type Machine, sourceOfView } from './execution.ts';
import { explainText } from './explain.rules.ts';
import type { Node } from './graph.ts';
import { LocalBuffers } from './local-buffers.ts';
import type { Plan } from './plan.ts';
import { planOf } from './planning.rules.ts';
import { Plans } from './plans.ts';
import { sourceOf } from './reference.ts';
import type { Routines } from './routines.ts';
import { Survey } from './survey.rules.ts';
import { compilersFor } from './tile-runner.ts';
import { valuesOf } from './values.rules.ts';
import { copy, dense, isDense } from './walk.ts';

/** What differs from machine to machine. */
export interface PipelineOptions {
  /** Bytes of the cache that a tile and its scratch may take. */
  readonly cache?: number;
  readonly routines?: Routines;
  readonly crew?: Crew | undefined;
}

/** Half of what is next to a core on most machines: what is read ahead needs room as well. */
const CACHE = 512 << 10;

/** Computes arrays, with their elements in one storage. */
export class Pipelines {
  readonly buffers: Buffers;
  readonly #machine: Machine;
  /** The same without others. */
  readonly #alone: Machine;
  readonly #cache: number;
  readonly #plans = new Plans();

  /** `memory`: the one in which the buffers place what they can. */
  constructor(buffers: Buffers & { readonly memory: WebAssembly.Memory }, options: PipelineOptions = {}) {
    this.buffers = buffers;
    this.#cache = options.cache ?? CACHE;
    this.#machine = {
      buffers,
      compilers: compilersFor(buffers.memory),
      runners: new WeakMap(),
      routines: options.routines ?? new Map(),
      crew: options.crew,
    };
    this.#alone = { ...this.#machine, crew: undefined };
  }

  /** Computes the nodes, all together, and settles them: they are sources then. */
  async compute(nodes: readonly Node[]): Promise<void> {
    await this.buffers.relieve?.();
    const done = this.#compute(nodes, this.#machine);
    if (done !== undefined) await done;
  }

  /** The same at once, by this thread alone. */
  computeNow(nodes: readonly Node[]): void {
    if (this.#compute(nodes, this.#alone) !== undefined)
      throw new InternalError('without a crew there is nothing to wait for');
  }

  #compute(nodes: readonly Node[], machine: Machine): Promise<void> | undefined {
    const wanted = nodes.filter(({ op }) => op.kind !== 'source');
    if (wanted.length === 0) return undefined;
    const survey = new Survey(wanted);
    const plan = this.#planOf(survey, wanted);
    const settle = (arrays: readonly Buffer[]): void => {
      for (const [i, node] of wanted.entries()) {
        const view = plan.roots[i];
        if (view === undefined) throw new InternalError('a plan lacks what was asked for');
        // Somebody else may have computed it meanwhile, and one of both is enough.
        if (node.op.kind !== 'source') node.settle(sourceOfView(view, arrays, survey));
      }
    };
    const arrays = execute(plan, survey, machine);
    if (arrays instanceof Promise) return arrays.then(settle);
    settle(arrays);
    return undefined;
  }

  /** The graph of nodes that are not computed yet, and how they would be computed: as text, or drawn as an SVG document. */
  explain(nodes: readonly Node[], options: { readonly svg?: boolean } = {}): string {
    const wanted = nodes.filter(({ op }) => op.kind !== 'source');
    const survey = new Survey(wanted);
    const explained = { nodes: survey.order, roots: wanted, plan: this.#planOf(survey, wanted) };
    return options.svg === true ? explainSvg(explained) : explainText(explained);
  }

  #planOf(survey: Survey, roots: readonly Node[]): Plan {
    return this.#plans.get(survey, () => {
      const made = valuesOf(survey, roots);
      return planOf(made.values, made.roots, { cache: this.#cache, lowersProducts: () => true });
    });
  }

  /**
   * The elements of a node that was computed, row by row. Those that lie so are not copied: nobody may change them, nor keep them longer
   * than the node.
   */
  read(node: Node): Elements {
    const { buffer } = sourceOf(node);
    const { home } = buffer;
    home.use(buffer);
    try {
      return this.#read(node, home);
    } finally {
      home.unuse(buffer);
    }
  }

  #read(node: Node, home: Buffers): Elements {
    const { buffer, offset, strides } = sourceOf(node);
    const size = sizeOf(node.shape);
    if (isDense(node.shape, strides)) {
      const all = home instanceof LocalBuffers ? home.view(buffer) : home.lend(buffer);
      return all.subarray(offset, offset + size) as Elements;
    }
    const all = home.view(buffer, 'read');
    const own = elements(node.dtype, size);
    copy(node.shape, all, { offset, strides }, own, dense(node.shape));
    return own;
  }
}

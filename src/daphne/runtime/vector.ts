import { type Arr, nodeOf } from '../../arrays/index.ts';
import { type ArrayQueues, type ArrayScheme, type ArrayVictims, UsageError } from '../../base/index.ts';
import type { Elements } from '../../nd/index.ts';
import { type Buffer, inThread, isComputed, type Node, type Pipelines, pipelinesOf } from '../../pipelines/index.ts';
import { connectForArrays, currentEngine, type Session } from '../../tasks/index.ts';
import type { ValueType } from '../types.ts';
import type { DenseMatrix, Frame, Matrix, MaybeLater, StringMatrix, Value } from '../values/values.ts';
import { EagerRuntime, FEW } from './eager.ts';
import type { Holdings, HoldingsOptions } from './holdings.ts';
import { then } from './later.ts';
import type { Own } from './own.ts';
import { bytesIn, bytesToBe, copyTo } from './sources.ts';
import type { LazyRuntime } from './support.ts';
import { isSmall, pendingOf, sharing, workOf } from './work.ts';

export interface VectorOptions {
  /** How many compute. */
  readonly threads: number;
  readonly scheme?: ArrayScheme | undefined;
  readonly queues?: ArrayQueues | undefined;
  readonly victims?: ArrayVictims | undefined;
  readonly grain?: number | undefined;
  /** Operations after which workers are started. */
  readonly worthStarting?: number;
  /** Or bytes. */
  readonly worthSharing?: number;
  /** Elements of a matrix that gains nothing by being computed along with others. */
  readonly small?: number;
  /** What is let go of, and when. */
  readonly holdings?: HoldingsOptions;
}

type Engine = ReturnType<typeof currentEngine>;

type Wanted = readonly (Value | undefined)[];

interface Opened {
  /** To be closed at the end. */
  readonly session: Session | undefined;
  readonly pipelines: Pipelines;
  /** Bytes of its memory. */
  readonly limit: number;
}

/** With less to do workers are not worth waking, or starting. */
const WORTH_WORKERS = 1e6;
/**
 * Before they start, and get a copy of what they read, so much has to have come together, which takes about as long as that: then what follows may
 * gain from it, and a script that ends soon has not lost by it.
 */
const WORTH_STARTING = 3e8;
/**
 * Or so many bytes: what is made by workers is where they see it, and need not be copied for them later. Making them takes about as long as workers
 * take to start.
 */
const WORTH_SHARING = 64 << 20;
/**
 * Up to so many elements nobody gains anything by being computed along with others: these are computed at once, as without `--vec`, so that scripts print
 * the same bytes. What is computed together may be added up in another order.
 */
const SMALL = 1 << 14;
/** So many elements are copied sooner than a pipeline is planned that does it. */
const SOME = 1 << 16;
/** What was there before them they get beforehand, unless that takes more of their memory than this part. */
const MOST_COPIED = 1 / 2;

/**
 * Computes matrices when somebody wants to see them: all that leads there at once, so that operations are fused and what nobody looks at has no memory.
 * Large ones are computed by the workers of a session, which is opened for the first of them.
 */
export class VectorRuntime implements LazyRuntime, AsyncDisposable {
  live: LazyRuntime['live'];
  readonly workers: number;
  readonly #eager: EagerRuntime;
  readonly #options: VectorOptions;
  /** Operations so far, as long as there are no workers. */
  #work = 0;
  #session: Promise<Opened> | undefined;
  #opened: Opened | undefined;

  constructor(write: (text: string) => void, writeError: (text: string) => void, options: VectorOptions) {
    this.#eager = new EagerRuntime(write, writeError, options);
    this.#options = options;
    this.workers = options.threads;
  }

  get holdings(): Holdings {
    return this.#eager.holdings;
  }

  get own(): Own {
    return this.#eager.own;
  }

  get views(): Map<string, Frame> {
    return this.#eager.views;
  }

  elements({ array }: DenseMatrix): MaybeLater<Elements> {
    return then(this.computed([array]), ([elements]) => elements as Elements);
  }

  computed(arrays: readonly Arr[]): MaybeLater<readonly Elements[]> {
    const nodes = arrays.map((each) => nodeOf('elements', each));
    const read = (): readonly Elements[] => nodes.map((node) => inThread().read(node));
    if (nodes.every(isComputed)) return read();
    const pending = pendingOf(nodes);
    const wanted = this.live?.() ?? [];
    return then(this.#compute([...nodes, ...sharing(pending, pendingNodes(wanted))], pending, wanted), read);
  }

  turn(values: Wanted): MaybeLater<void> {
    const nodes = pendingNodes(values);
    if (nodes.length > 0) return this.#compute(nodes, pendingOf(nodes), values);
  }

  /** Computes nodes, with what is pending before them. `wanted`: what somebody will use later. */
  #compute(nodes: readonly Node[], pending: ReadonlySet<Node>, wanted: Wanted): MaybeLater<void> {
    return then(this.#made(nodes, pending, wanted), (made) => this.holdings.add(made));
  }

  #made(nodes: readonly Node[], pending: ReadonlySet<Node>, wanted: Wanted): MaybeLater<readonly Buffer[]> {
    if (this.workers <= 1) return inThread().computeNow(nodes);
    const work = workOf(pending);
    this.#work += work;
    const opened = this.#opened;
    if (opened !== undefined) {
      // What is there already is not brought back for little work.
      const isLittle = work < WORTH_WORKERS && bytesIn(opened.pipelines.buffers, nodes) === 0;
      return isLittle ? inThread().computeNow(nodes) : opened.pipelines.compute(nodes);
    }
    if (!this.#isWorthStarting(nodes, wanted) || work < WORTH_WORKERS) return inThread().computeNow(nodes);
    this.#session ??= this.#open();
    return this.#session.then((now) => {
      this.#opened = now;
      const later = arraysOf(wanted);
      if (bytesIn(inThread().buffers, later) <= now.limit * MOST_COPIED) copyTo(now.pipelines.buffers, later);
      return now.pipelines.compute(nodes);
    });
  }

  async #open(): Promise<Opened> {
    // A program that runs scripts may have a session open, whose workers are the ones then: it is not closed here.
    const engine = openEngine();
    if (engine !== undefined) return opened(engine, undefined);
    const { threads, scheme, queues, victims, grain } = this.#options;
    const session = await connectForArrays({
      cpus: threads,
      name: 'daphne',
      // No code of a script can crash them. They start sooner, and what one has mapped of the memory all have.
      isolation: 'thread',
      arrays: {
        ...(scheme && { scheme }),
        ...(queues && { layout: queues }),
        ...(victims && { victims }),
        ...(grain && { grain }),
      },
    });
    return session.run(() => opened(currentEngine('daphne'), session));
  }

  #isWorthStarting(nodes: readonly Node[], wanted: Wanted): boolean {
    if (this.#work >= (this.#options.worthStarting ?? WORTH_STARTING)) return true;
    const bytes = this.#options.worthSharing ?? WORTH_SHARING;
    return bytesToBe(nodes) >= bytes || bytesIn(inThread().buffers, arraysOf(wanted)) >= bytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const open = this.#session;
    this.#session = undefined;
    this.#opened = undefined;
    // It may never have opened; whoever wanted it knows that.
    const opened = await open?.catch(() => undefined);
    await opened?.session?.[Symbol.asyncDispose]();
  }

  matrix(array: Arr, value: Exclude<ValueType, 'str'>): DenseMatrix {
    const [rows, columns] = array.shape as [number, number];
    const node = nodeOf('matrix', array);
    if (isSmall(node, this.#options.small ?? SMALL)) this.holdings.add(inThread().computeNow([node]));
    return { kind: 'dense', value, rows, columns, array };
  }

  matrixOf(elements: Elements, value: Exclude<ValueType, 'str'>, rows: number, columns: number): DenseMatrix {
    return this.#eager.matrixOf(elements, value, rows, columns);
  }

  partOf(of: DenseMatrix, top: number, left: number, rows: number, columns: number): DenseMatrix {
    if (rows * columns <= FEW && (this.own.has(of) || this.#isHere(of))) {
      return this.#eager.partOf(of, top, left, rows, columns);
    }
    this.own.share(of);
    return this.matrix(of.array.at(`${top}:${top + rows}`, `${left}:${left + columns}`), of.value);
  }

  withPart(of: DenseMatrix, by: DenseMatrix, top: number, left: number): MaybeLater<DenseMatrix> {
    if (this.#isSetInPlace(of, by)) {
      // Others may have copies of what it was. It is another array then, as far as they know.
      return then(this.elements(by), () => this.#eager.withPart(of, by, top, left));
    }
    if (of.rows * of.columns <= SOME && this.#isHere(of)) {
      const given = nodeOf('matrix', by.array);
      if (isComputed(given) || workOf(pendingOf([given])) < WORTH_WORKERS)
        return this.#eager.withPart(of, by, top, left);
    }
    return this.#withPart(of, by, top, left);
  }

  /** Whether it is there, in one piece, nobody will see it again, and there is little to set: workers are no help then. */
  #isSetInPlace(of: DenseMatrix, by: DenseMatrix): boolean {
    if (this.own.givenUp !== of || by.rows * by.columns > FEW) return false;
    return nodeOf('matrix', of.array).op.kind === 'source';
  }

  #withPart(of: DenseMatrix, by: DenseMatrix, top: number, left: number): DenseMatrix {
    this.own.shareAll([of, by]);
    const part = [`${top}:${top + by.rows}`, `${left}:${left + by.columns}`] as const;
    return this.matrix(of.array.set(part, by.array), of.value);
  }

  /** Whether it is computed, in this thread: loops over elements take and set one after the other, for which no pipeline is planned. */
  #isHere({ array }: DenseMatrix): boolean {
    return this.#opened === undefined && isComputed(nodeOf('matrix', array));
  }

  dense(matrix: Matrix): DenseMatrix | StringMatrix {
    return matrix.kind === 'sparse' ? this.matrix(matrix.csr.toDense(), matrix.value) : matrix;
  }

  write(text: string): void {
    this.#eager.write(text);
  }

  writeError(text: string): void {
    this.#eager.writeError(text);
  }

  path(path: string): string {
    return this.#eager.path(path);
  }

  now(): bigint {
    return this.#eager.now();
  }

  seed(): number {
    return this.#eager.seed();
  }
}

const opened = (engine: Engine, session: Session | undefined): Opened => ({
  session,
  pipelines: pipelinesOf(engine),
  limit: engine.store.limit,
});

function openEngine(): Engine | undefined {
  try {
    return currentEngine('a script');
  } catch (error) {
    // None, or several, of which none is meant.
    if (error instanceof UsageError) return undefined;
    throw error;
  }
}

/** Of the dense matrices among the values, those that are not computed. */
function pendingNodes(values: Wanted): Node[] {
  const nodes: Node[] = [];
  for (const value of values) {
    if (typeof value !== 'object' || value.kind !== 'dense') continue;
    const node = nodeOf('matrix', value.array);
    if (!isComputed(node)) nodes.push(node);
  }
  return nodes;
}

/** The arrays of all matrices among the values. Those of sparse ones may be a transpose, which nobody has to make. */
function arraysOf(values: Wanted): Node[] {
  return values.flatMap((value) => {
    if (typeof value !== 'object') return [];
    if (value.kind === 'dense') return [nodeOf('matrix', value.array)];
    if (value.kind !== 'sparse') return [];
    const { indptr, indices, values: cells } = value.csr;
    return [indptr, indices, cells].map((array) => nodeOf('matrix', array));
  });
}

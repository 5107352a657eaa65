import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import { TaskError, TimeoutError } from '../../src/base/index.ts';
import { type FunctionSpec, loadFunction } from '../../src/code/index.ts';
import { Decoder, type Encoded, Encoder } from '../../src/codec/index.ts';
import type { SharedStore } from '../../src/memory/index.ts';
import { Cell, FAILED, READY, type Waiter } from '../../src/protocol/index.ts';
import {
  ByReference,
  type CurrentTask,
  type Engine,
  isReference,
  type Prepared,
  Reference,
  type ResolvedOptions,
} from '../../src/runtime/index.ts';
import type { HandleHost } from '../../src/runtime/reference.ts';
import type { Link } from '../../src/transport/index.ts';

/** A value as bytes, with the ids of the references inside. */
interface Encoding {
  readonly bytes: Uint8Array;
  readonly refs: readonly string[];
}

/** A task as ranks tell each other of it. Without a function it puts its arguments together: `all` and `put`. */
interface Job extends Encoding {
  readonly id: string;
  readonly name: string;
  readonly spec: FunctionSpec | null;
  readonly keys: readonly string[] | null;
  /** Top-level references of the arguments, by placeholder. */
  readonly deps: readonly string[];
  readonly returns: number;
}

type Message =
  | { readonly type: 'register'; readonly job: Job }
  | { readonly type: 'want'; readonly id: string }
  | ({ readonly type: 'value'; readonly id: string; readonly failed: boolean } & Encoding);

interface Plan extends Prepared {
  readonly spec: FunctionSpec;
  readonly returns: number;
}

export interface RankOptions {
  readonly rank: number;
  /** To the other ranks, by number; the own place is empty. */
  readonly links: readonly (Link | undefined)[];
  readonly store: SharedStore;
  /** Runs user code so that the tasks it calls come to this engine. */
  readonly bind: <T>(engine: Engine, run: () => T) => T;
  readonly ran: (id: string, rank: number) => void;
}

const hashOf = (...parts: readonly unknown[]): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part instanceof Uint8Array ? part : `${JSON.stringify(part)}\n`);
  return hash.digest('hex').slice(0, 40);
};

/**
 * One rank of a program that all ranks run: the same tasks have the same ids everywhere, the id says which rank is home, and
 * the home runs a task once, whoever tells it of the task first. Values are asked for by those who need them. A spike that
 * shows what the seams carry, and no more: no votes on where to run, no lost ranks, no garbage collection.
 */
export class SpmdEngine implements Engine, HandleHost {
  readonly #o: RankOptions;
  readonly store: SharedStore;
  readonly isolation = 'thread';
  closed = false;
  readonly #encoder = new Encoder({ isRef: isReference });
  readonly #wire = new Encoder({ isRef: () => false });
  readonly #decoder = new Decoder();
  readonly #cells = new Map<string, Cell>();
  /** What this rank has told the homes of, with the ids of the results. */
  readonly #registered = new Map<string, readonly string[]>();
  readonly #jobs = new Set<string>();
  readonly #wanted = new Map<string, number[]>();
  readonly #functions = new Map<string, ReturnType<typeof loadFunction>>();
  readonly #current = new AsyncLocalStorage<CurrentTask>();

  constructor(o: RankOptions) {
    this.#o = o;
    this.store = o.store;
    for (const [from, link] of o.links.entries()) {
      link?.listen({
        message: (bytes) => this.#receive(from, this.#decoder.decode(bytes, 0, bytes.length) as Message),
        writable: () => {},
        closed: () => {},
      });
    }
  }

  get engine(): Engine {
    return this;
  }

  close(): void {
    this.closed = true;
    for (const link of this.#o.links) link?.close();
  }

  // ---- what a program does

  prepare(spec: FunctionSpec, o: ResolvedOptions): Plan {
    return { name: o.name, spec, returns: o.returns };
  }

  submit(task: Prepared, args: readonly unknown[]): Reference<unknown> | Reference<unknown>[] {
    const { spec, name, returns } = task as Plan;
    const job = this.#job({ spec, name, returns, keys: null }, args);
    return returns === 0 ? this.#handle(job.id) : resultsOf(job).map((id) => this.#handle(id));
  }

  put(value: unknown): Reference<unknown> {
    return this.#handle(this.#job({ spec: null, name: 'put', returns: 1, keys: null }, [value]).id);
  }

  gather(keys: readonly string[] | null, items: readonly unknown[]): Reference<unknown> {
    return this.#handle(this.#job({ spec: null, name: 'all', returns: 0, keys }, items).id);
  }

  #job(what: Pick<Job, 'spec' | 'name' | 'keys' | 'returns'>, args: readonly unknown[]): Job {
    const deps: string[] = [];
    const byRef = new Set(args.map((arg) => (arg instanceof ByReference ? arg.ref : undefined)));
    const plain = args.map((arg) => (arg instanceof ByReference ? arg.ref : canonical(arg)));
    const slot = (arg: object): number => (isReference(arg) && !byRef.has(arg) ? deps.push(arg.id) - 1 : -1);
    const encoding = encodingOf(this.#encoder.encodeArgs(plain, slot, Number.POSITIVE_INFINITY));
    const digest = what.spec?.digest ?? what.name;
    const id = hashOf(digest, what.returns, what.keys, deps, encoding.refs, encoding.bytes);
    const job: Job = { ...what, ...encoding, id, deps };
    if (!this.#registered.has(id)) {
      this.#registered.set(id, resultsOf(job));
      this.#send(this.#home(id), { type: 'register', job });
    }
    return job;
  }

  #home(id: string): number {
    return Number.parseInt(id.slice(0, 8), 16) % this.#o.links.length;
  }

  #send(to: number, message: Message): void {
    const link = this.#o.links[to];
    if (link === undefined) this.#receive(to, message);
    else link.send(encodingOf(this.#wire.encode(message, 'message', Number.POSITIVE_INFINITY)).bytes);
  }

  #receive(from: number, message: Message): void {
    if (message.type === 'register') this.#start(message.job);
    else if (message.type === 'value') this.#settle(message.id, message.failed, message);
    else if (this.#cell(message.id).settled) this.#answer(message.id, from);
    else this.#wanted.set(message.id, [...(this.#wanted.get(message.id) ?? []), from]);
  }

  #answer(id: string, to: number): void {
    const cell = this.#cell(id);
    this.#send(to, { type: 'value', id, failed: cell.state === FAILED, ...(cell.value as Encoding) });
  }

  // ---- at home

  #start(job: Job): void {
    if (this.#jobs.has(job.id)) return;
    this.#jobs.add(job.id);
    void this.#run(job);
  }

  async #run(job: Job): Promise<void> {
    try {
      const deps = await Promise.all(job.deps.map((id) => this.promiseOf(this.#cell(id))));
      const refs = job.refs.map((id) => this.#handle(id));
      const args = this.#decoder.decodeArgs(job.bytes, 0, job.bytes.length, { buffers: [], refs, deps });
      const result = job.spec === null ? together(job, args) : await this.#call(job, job.spec, args);
      if (job.spec === null || job.returns === 0) await this.#keep(job.id, result);
      else {
        const results = result as readonly unknown[];
        await Promise.all(resultsOf(job).map((id, i) => this.#keep(id, results[i])));
      }
    } catch (error) {
      const failure = error instanceof Error ? error : new TaskError(`${job.name} threw ${String(error)}`);
      const encoding = encodingOf(this.#encoder.encode(failure, 'error', Number.POSITIVE_INFINITY));
      for (const id of new Set([job.id, ...resultsOf(job)])) this.#settle(id, true, encoding);
    }
  }

  async #call(job: Job, spec: FunctionSpec, args: unknown[]): Promise<unknown> {
    let loading = this.#functions.get(spec.digest);
    if (loading === undefined) {
      loading = loadFunction(spec);
      this.#functions.set(spec.digest, loading);
    }
    const fn = await loading;
    this.#o.ran(job.id, this.#o.rank);
    return this.#current.run(this.#describe(job), () => this.#o.bind(this, () => fn(...args)));
  }

  /** A result that is itself a reference is what that will be. */
  async #keep(id: string, value: unknown): Promise<void> {
    if (!isReference(value)) {
      this.#settle(id, false, encodingOf(this.#encoder.encode(value, 'result', Number.POSITIVE_INFINITY)));
      return;
    }
    const target = this.#cell(value.id);
    await this.#whenSettled(target);
    this.#settle(id, target.state === FAILED, target.value as Encoding);
  }

  #describe({ id, name }: Job): CurrentTask {
    const { rank } = this.#o;
    let counter = 0;
    return {
      id,
      name,
      attempt: 0,
      node: `rank ${rank}`,
      worker: `${rank}`,
      signal: new AbortController().signal,
      gpus: [],
      cancelled: () => false,
      random: () => Number.parseInt(hashOf(id, counter++).slice(0, 12), 16) / 2 ** 48,
    };
  }

  // ---- values

  #cell(id: string): Cell {
    let cell = this.#cells.get(id);
    if (cell === undefined) {
      cell = new Cell();
      cell.id = id;
      this.#cells.set(id, cell);
    }
    return cell;
  }

  #handle(id: string): Reference<unknown> {
    return new Reference<unknown>(this, this.#cell(id));
  }

  #settle(id: string, failed: boolean, { bytes, refs }: Encoding): void {
    const cell = this.#cell(id);
    if (cell.settled) return;
    cell.state = failed ? FAILED : READY;
    cell.value = { bytes, refs };
    const { waiters } = cell;
    cell.waiters = null;
    for (const waiter of waiters === null ? [] : [waiters].flat()) waiter.cellSettled(cell);
    for (const rank of this.#wanted.get(id) ?? []) this.#answer(id, rank);
    this.#wanted.delete(id);
  }

  need(cell: Cell): void {
    const id = cell.id as string;
    if (cell.settled || cell.asked || this.#home(id) === this.#o.rank) return;
    cell.asked = true;
    this.#send(this.#home(id), { type: 'want', id });
  }

  #whenSettled(cell: Cell): Promise<void> {
    if (cell.settled) return Promise.resolve();
    this.need(cell);
    return new Promise((resolve) => cell.addWaiter({ cellSettled: () => resolve() }));
  }

  read(cell: Cell): unknown {
    const { bytes, refs } = cell.value as Encoding;
    const value = this.#decoder.decode(bytes, 0, bytes.length, {
      buffers: [],
      refs: refs.map((id) => this.#handle(id)),
      deps: [],
    });
    if (cell.state === FAILED) throw value;
    return value;
  }

  // ---- what handles and the public API ask for

  async promiseOf(cell: Cell): Promise<unknown> {
    await this.#whenSettled(cell);
    return this.read(cell);
  }

  /** Collecting garbage must not decide what a rank does. */
  drop(): void {}

  promote(cell: Cell): string {
    return cell.id as string;
  }

  settled(
    refs: readonly Reference<unknown>[],
    count: number,
    failFast: boolean,
    { timeout, signal }: { timeout?: number | undefined; signal?: AbortSignal | undefined },
  ): Promise<boolean> {
    const cells = refs.map((ref) => Reference.cell(ref));
    const enough = (): boolean =>
      (failFast && cells.some((cell) => cell.state === FAILED)) || cells.filter((cell) => cell.settled).length >= count;
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { cellSettled: () => enough() && end(() => resolve(true)) };
      const end = (then: () => void): void => {
        clearTimeout(timer);
        for (const cell of cells) cell.removeWaiter(waiter);
        then();
      };
      const timer =
        timeout === undefined ? undefined : setTimeout(() => end(() => reject(new TimeoutError('not yet'))), timeout);
      signal?.addEventListener('abort', () => end(() => reject(signal.reason)), { once: true });
      if (enough()) return end(() => resolve(true));
      for (const cell of cells) {
        if (cell.settled) continue;
        cell.addWaiter(waiter);
        this.need(cell);
      }
    });
  }

  async drained(): Promise<void> {
    for (const id of [...this.#registered.values()].flat()) await this.#whenSettled(this.#cell(id));
  }

  /** Others may need it: one rank alone can't say that nobody does. */
  cancel(): void {}

  current(): CurrentTask | undefined {
    return this.#current.getStore();
  }
}

/** Ids of the results: of several, each its own, with the same home. */
function resultsOf({ id, spec, returns }: Job): string[] {
  if (spec === null || returns === 0) return [id];
  return Array.from({ length: returns }, (_, i) => id.slice(0, 8) + hashOf(id, i).slice(8));
}

function together({ returns, keys }: Job, items: readonly unknown[]): unknown {
  if (returns === 1) return items[0];
  return keys === null ? items : Object.fromEntries(keys.map((key, i) => [key, items[i]]));
}

function encodingOf({ bytes, length, refs }: Encoded): Encoding {
  return {
    bytes: new Uint8Array(bytes.subarray(0, length)),
    refs: (refs as readonly Reference<unknown>[]).map((ref) => ref.id),
  };
}

/** Records that differ in the order of their keys alone are the same argument. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  const record = value as Record<string, unknown>;
  const keys = Object.keys(record).sort();
  return Object.fromEntries(keys.map((key) => [key, canonical(record[key])]));
}

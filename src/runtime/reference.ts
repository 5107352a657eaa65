import { inspect } from 'node:util';
import { ReleasedError, type SheafError, UsageError } from '../base/index.ts';
import { type Cell, FAILED, PENDING, READY, type Waiter } from '../protocol/index.ts';
import type { Call } from './call.ts';
import type { Engine } from './engine.ts';
import { describeSite, releaseSite, type Site } from './sites.ts';

/** What a handle needs from the party that it belongs to. */
export interface HandleHost {
  /** A promise of the value, for the handle `ref`; a failure rejects it. */
  promiseOf(cell: Cell, ref: Reference<unknown>): Promise<unknown>;
  /** The value of a settled cell, fresh for each reader; throws its failure. */
  read(cell: Cell): unknown;
  /** Somebody waits for a cell that is pending: its value has to come. */
  need(cell: Cell): void;
  drop(cell: Cell): void;
  /** The values of settled cells are brought into memory; undefined when they are there, as they always are without this. */
  bring?(cells: readonly Cell[]): Promise<void> | undefined;
  /** A settled value that could not be read: true when it is lost, and can be waited for again. Without this none is. */
  recover?(cell: Cell): boolean;
  promote(cell: Cell): string;
  readonly closed: boolean;
  readonly engine: Engine;
}

/** structuredClone quotes the text of a function that it finds: this one is the explanation. */
function aReferenceCannotBeClonedPassItToATaskOrUseItsValue(): void {}

/** What the finalization registry keeps of a handle: nothing that keeps the handle itself. */
interface Finalizer {
  readonly host: HandleHost;
  readonly cell: Cell;
  readonly handle: WeakRef<Reference<unknown>>;
  live: boolean;
}

const finalizers = new FinalizationRegistry<Finalizer>((f) => {
  letGo(f);
});

/** Handles that the garbage collector's word is needed for. */
const watched = new Set<Finalizer>();

function letGo(f: Finalizer): void {
  watched.delete(f);
  if (!f.live) return;
  f.live = false;
  if (!f.host.closed) f.host.drop(f.cell);
}

/** Lets go of what handles held that have been collected: finalizers run only some time after that. */
export function sweepHandles(): void {
  for (const f of watched) if (f.handle.deref() === undefined) letGo(f);
}

export function watchedHandles(): number {
  return watched.size;
}

/** Why a handle is good no longer, where no place says it. */
export interface Ended {
  readonly because: string;
}

/** How a handle knows its value without keeping it: both are there as long as user code has one of them. */
interface Shared<T> {
  readonly value: WeakRef<T & object>;
  promise: WeakRef<Promise<T>> | undefined;
}

/**
 * A distributed future: the handle that user code holds. It counts as one hold on its cell. Private cells without
 * shared memory need no finalizer, because their value is garbage together with the handle.
 */
export class Reference<T> {
  #host: HandleHost;
  #cell: Cell;
  #promise: Promise<T> | undefined = undefined;
  #shared: Shared<T> | undefined = undefined;
  #finalizer: Finalizer | undefined = undefined;
  /** Undefined while it is good; then where it was released, why, or with which task it ended. */
  #released: Site | Ended | string | undefined = undefined;
  /** The run whose code it was made for, and with which it ends; undefined outside of tasks. */
  readonly #run: object | undefined;
  // An own enumerable property, which structuredClone meets and refuses.
  readonly cannotBeCloned = aReferenceCannotBeClonedPassItToATaskOrUseItsValue;

  constructor(host: HandleHost, cell: Cell, run?: object) {
    this.#host = host;
    this.#cell = cell;
    this.#run = run;
  }

  /** 40 hexadecimal digits, the same wherever the reference goes. Reading it makes the reference known to its node. */
  get id(): string {
    return this.#host.promote(containedCell(this));
  }

  get value(): Promise<T> {
    if (this.#promise !== undefined) return this.#promise;
    const cell = cellOf(this);
    const known = this.#shared?.promise?.deref();
    if (known !== undefined) return known;
    const value = this.#shared?.value.deref();
    const promise = value === undefined ? (this.#host.promiseOf(cell, this) as Promise<T>) : Promise.resolve(value);
    if (this.#shared === undefined) this.#promise = promise;
    else this.#shared.promise = new WeakRef(promise);
    return promise;
  }

  release(): void {
    if (this.#released !== undefined) return;
    Reference.expire(this, releaseSite(Reference.prototype.release, 1) ?? somewhere);
  }

  [Symbol.dispose](): void {
    if (this.#released !== undefined) return;
    // Two frames more, of a compiler's helper for `using`.
    Reference.expire(this, releaseSite(Reference.prototype[Symbol.dispose], 3) ?? somewhere);
  }

  ignore(): this {
    for (let cell: Cell | null = this.#cell; cell !== null; cell = cell.alias) cell.observed = true;
    this.#promise?.catch(() => {});
    return this;
  }

  toJSON(): never {
    throw new UsageError(
      'a Ref has no JSON form: it stands for a value that may be elsewhere; use `await ref.value`, or pass the Ref to a task',
    );
  }

  /** In a text. A value is awaited, and not the reference. */
  toString(): string {
    return this[inspect.custom]();
  }

  [inspect.custom](): string {
    if (this.#released !== undefined) return 'Ref { released }';
    const state = this.#cell.state === PENDING ? 'pending' : this.#cell.settled ? 'settled' : 'freed';
    return `Ref { ${this.#cell.id ?? 'private'}, ${state} }`;
  }

  #letGo(): void {
    if (this.#finalizer !== undefined) {
      if (!this.#finalizer.live) return;
      this.#finalizer.live = false;
      watched.delete(this.#finalizer);
    }
    if (!this.#host.closed) this.#host.drop(this.#cell);
  }

  /** @internal */
  static cell(ref: Reference<unknown>): Cell {
    if (ref.#released !== undefined) throw releasedError(ref.#released);
    return ref.#cell;
  }

  /** @internal The cell even of a released handle. */
  static peek(ref: Reference<unknown>): Cell {
    return ref.#cell;
  }

  /** @internal From now on the garbage collector's word is needed: somebody else depends on the cell, or it pins memory. */
  static watch(ref: Reference<unknown>): void {
    if (ref.#finalizer !== undefined || ref.#released !== undefined) return;
    ref.#finalizer = { host: ref.#host, cell: ref.#cell, handle: new WeakRef(ref), live: true };
    watched.add(ref.#finalizer);
    finalizers.register(ref, ref.#finalizer);
  }

  /**
   * @internal Its value, which has just been read, shows shared memory. Kept in memory as long as somebody has it, and not as
   * long as somebody has this handle: who holds more references than there is memory reads their values one after the other.
   */
  static show(ref: Reference<unknown>, value: unknown): void {
    if (typeof value !== 'object' || value === null) return;
    const promise = ref.#promise === undefined ? undefined : new WeakRef(ref.#promise);
    ref.#shared = { value: new WeakRef(value), promise };
    ref.#promise = undefined;
  }

  /** @internal Its value is to be read anew. */
  static forget(ref: Reference<unknown>): void {
    ref.#promise = undefined;
    ref.#shared = undefined;
  }

  /** @internal Lets go of it: where in user code, or why, or with the task of which name. */
  static expire(ref: Reference<unknown>, why: Site | Ended | string): void {
    if (ref.#released !== undefined) return;
    ref.#released = why;
    ref.#promise = undefined;
    ref.#shared = undefined;
    ref.#letGo();
  }

  /** @internal Unlike `instanceof` it asks nothing of the object, which may be a proxy that answers with errors. */
  static is(value: object): value is Reference<unknown> {
    return #cell in value;
  }

  /** @internal */
  static isReleased(ref: Reference<unknown>): boolean {
    return ref.#released !== undefined;
  }

  /** @internal Whether it is good, and of that run. */
  static isGoodFor(ref: Reference<unknown>, run: object | undefined): boolean {
    return ref.#released === undefined && ref.#run === run;
  }

  /** @internal */
  static engine(ref: Reference<unknown>): Engine {
    return ref.#host.engine;
  }

  /** @internal */
  static host(ref: Reference<unknown>): HandleHost {
    return ref.#host;
  }
}

const somewhere: Ended = { because: 'was released, together with too many others to say where' };

function releasedError(released: Site | Ended | string): SheafError {
  if (typeof released === 'string') {
    return new ReleasedError(
      `this Ref ended with the task ${released} that it belonged to; return it from the task to keep it`,
    );
  }
  const why = 'because' in released ? released.because : `was released ${describeSite(released)}`;
  return new ReleasedError(`this Ref ${why}; keep it until its last use`);
}

export function isReference(value: unknown): value is Reference<unknown> {
  return typeof value === 'object' && value !== null && Reference.is(value);
}

/** The task that makes it, while that is pending here. */
export const taskNameOf = (ref: Reference<unknown>): string | undefined => (cellOf(ref).task as Call | null)?.name;

export function cellOf(ref: Reference<unknown>): Cell {
  return Reference.cell(ref);
}

/**
 * The cell of a reference that goes into something, which others may come to know. From then on it has to be heard of when
 * this handle is garbage, because what the handle held is theirs to wait for.
 */
export function containedCell(ref: Reference<unknown>): Cell {
  const cell = Reference.cell(ref);
  Reference.watch(ref);
  return cell;
}

/** Whether a reference has settled, here and now: undefined while pending. */
export function stateOf(ref: Reference<unknown>): 'ready' | 'failed' | undefined {
  const { state } = cellOf(ref);
  return state === READY ? 'ready' : state === FAILED ? 'failed' : undefined;
}

/** Whether a settled reference has anything in shared memory, which may be on disk now: cheap to ask, and seldom so. */
export function keepsMemory(ref: Reference<unknown>): boolean {
  return Reference.cell(ref).pinned;
}

/** Reads from disk what of these settled references is there, without standing still; undefined when nothing is. */
export function bring(refs: readonly Reference<unknown>[]): Promise<void> | undefined {
  if (!refs.some(keepsMemory)) return undefined;
  const first = Reference.host(refs[0] as Reference<unknown>);
  if (refs.every((ref) => Reference.host(ref) === first)) return first.bring?.(refs.map(cellOf));
  const hosts = new Set(refs.map(Reference.host));
  const coming = [...hosts].flatMap((host) => {
    const done = host.bring?.(refs.filter((ref) => Reference.host(ref) === host).map(cellOf));
    return done === undefined ? [] : [done];
  });
  return coming.length === 0 ? undefined : Promise.all(coming).then(() => {});
}

/** The value of a settled reference, fresh for each reader; throws its failure. */
export function readValue(ref: Reference<unknown>): unknown {
  return Reference.host(ref).read(cellOf(ref));
}

/** Whether any of these settled references, which could not all be read, is lost; those are made again, and pending then. */
export function recover(refs: readonly Reference<unknown>[]): boolean {
  let any = false;
  for (const ref of refs) if (Reference.host(ref).recover?.(cellOf(ref)) === true) any = true;
  return any;
}

/** Calls back once when a reference settles, at once if it has; returns a way to stop that. */
export function afterSettling(ref: Reference<unknown>, then: () => void): () => void {
  const cell = cellOf(ref);
  if (cell.settled) {
    then();
    return () => {};
  }
  const waiter: Waiter = { cellSettled: () => then() };
  cell.addWaiter(waiter);
  Reference.host(ref).need(cell);
  return () => cell.removeWaiter(waiter);
}

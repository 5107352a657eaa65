import { TaskError } from '../base/index.ts';
import { type FunctionSpec, installTypeScript, loadFunction } from '../code/index.ts';
import { type Concurrency, Timing } from '../protocol/index.ts';
import { isInspected, underInspector } from './inspect-task.ts';

export type AnyFunction = (...args: unknown[]) => unknown;
export type AnyClass = abstract new (...args: never[]) => object;

/** What a function number means, as one party tells another. */
export interface Definition {
  /** Null for a method. */
  readonly spec: FunctionSpec | null;
  readonly name: string;
  readonly maxCalls: number;
  readonly method: string | null;
  /** Of a method: the id of its actor; null for any that the worker hosts, of a pool. */
  readonly target: string | null;
  readonly actor: Hosting | null;
}

/** How a class is to be hosted. */
export interface Hosting extends Concurrency {
  /** On a worker with others. */
  readonly shared: boolean;
  /** Its arguments come as one array, in which these are references, each in an array by itself; null: as any task's do. */
  readonly packed: readonly number[] | null;
}

/** A function as a worker knows it. */
export class Loaded {
  readonly name: string;
  readonly synchronous: boolean;
  readonly maxCalls: number;
  readonly spec: FunctionSpec | null;
  readonly method: string | null;
  readonly target: string | null;
  readonly actor: Hosting | null;
  fn: AnyFunction | undefined = undefined;
  #loading: Promise<Error | undefined> | undefined = undefined;
  calls = 0;
  /** How long its runs have taken here, in microseconds. */
  readonly timing = new Timing();
  /** A debugger stops it, so that its time does not count. */
  readonly inspected: boolean;
  readonly #worker: number;

  constructor(definition: Definition, worker: number) {
    this.inspected = isInspected(definition.name);
    this.#worker = worker;
    this.name = definition.name;
    this.spec = definition.spec;
    const { spec } = definition;
    this.synchronous = spec?.synchronous === true && spec.kind === 'function';
    this.maxCalls = definition.maxCalls;
    this.method = definition.method;
    this.target = definition.target;
    this.actor = definition.actor;
  }

  /** What is called for `fn`, a function or a method: the same, or one that stops for a debugger. */
  stopping(fn: AnyFunction): AnyFunction {
    return this.inspected ? underInspector(fn, this.name, this.#worker) : fn;
  }

  /**
   * Undefined when `fn` is there, otherwise why not. What has failed is tried again with the next call: a file may have been
   * missing, or half written, for a moment. `sourceMaps`: stacks are to show what users' tools have built.
   */
  load(sourceMaps = true): Promise<Error | undefined> {
    this.#loading ??= this.#load(sourceMaps).finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  async #load(sourceMaps: boolean): Promise<Error | undefined> {
    try {
      // Not before, since reading the maps of our own files takes time.
      if (sourceMaps) process.setSourceMapsEnabled(true);
      const spec = this.spec as FunctionSpec;
      if (needsTypeScript(spec)) installTypeScript();
      const fn = (await loadFunction(spec)) as AnyFunction;
      this.fn = this.actor === null ? this.stopping(fn) : fn;
      return undefined;
    } catch (error) {
      return new TaskError(`the function ${this.name} can't be loaded on the worker: ${String(error)}`, {
        cause: error,
      });
    }
  }
}

/**
 * Reading TypeScript costs a thread on some versions of Node, so only those who need it pay for it: modules, and slices of
 * TypeScript files that import something beside them. A slice itself has no types left.
 */
function needsTypeScript({ source }: FunctionSpec): boolean {
  const typed = /\.[cm]?tsx?$/.test(source.url);
  if (source.kind === 'module') return typed;
  return /\.[cm]?tsx?['"]/.test(source.text) || (typed && /\bimport\s*\(\s*(?!['"](?:node:|[\w@]))/.test(source.text));
}

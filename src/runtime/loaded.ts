import { TaskError } from '../base/index.ts';
import { type FunctionSpec, installTypeScript, loadFunction } from '../code/index.ts';
import { type Concurrency, Timing } from '../protocol/index.ts';

export type AnyFunction = (...args: unknown[]) => unknown;

/** What a function number means, as one party tells another. */
export interface Definition {
  /** Null for a method. */
  readonly spec: FunctionSpec | null;
  readonly name: string;
  readonly maxCalls: number;
  readonly method: string | null;
  readonly actor: Concurrency | null;
}

/** A function as a worker knows it. */
export class Loaded {
  readonly name: string;
  readonly synchronous: boolean;
  readonly maxCalls: number;
  readonly spec: FunctionSpec | null;
  readonly method: string | null;
  readonly actor: Concurrency | null;
  fn: AnyFunction | undefined = undefined;
  #loading: Promise<Error | undefined> | undefined = undefined;
  calls = 0;
  /** How long its runs have taken here, in microseconds. */
  readonly timing = new Timing();

  constructor(definition: Definition) {
    this.name = definition.name;
    this.spec = definition.spec;
    const { spec } = definition;
    this.synchronous = spec?.synchronous === true && spec.kind === 'function';
    this.maxCalls = definition.maxCalls;
    this.method = definition.method;
    this.actor = definition.actor;
  }

  /**
   * Undefined when `fn` is there, otherwise why not. What has failed is tried again with the next call: a file may have been
   * missing, or half written, for a moment.
   */
  load(): Promise<Error | undefined> {
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  async #load(): Promise<Error | undefined> {
    try {
      // Stacks of what users' tools have built; not before, since reading the maps of our own files takes time.
      process.setSourceMapsEnabled(true);
      const spec = this.spec as FunctionSpec;
      if (needsTypeScript(spec)) installTypeScript();
      this.fn = (await loadFunction(spec)) as AnyFunction;
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

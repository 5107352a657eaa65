/** What compiled programs run with: calls of built-ins, errors with their places, stacks that are used up. */

import { OutOfMemoryError, ScriptError, SheafError } from '../../base/index.ts';
import { relieveThread } from '../../pipelines/index.ts';
import { type RunArgument, RunError, type ScriptFunction, type Site } from '../builtins/builtin.ts';
import { type Generated, generate, type Place } from '../codegen/generate.ts';
import { scriptError } from '../errors.ts';
import { canonical } from '../program/integers.ts';
import type { Program } from '../program/program.ts';
import type { ScalarFunction } from '../program/scalar-functions.ts';
import type { Source } from '../source.ts';
import type { Integer, Matrix, MaybeLater, Scalar, Value } from '../values/values.ts';
import { all } from './later.ts';
import type { Runtime } from './runtime.ts';

type Compiled = (...args: unknown[]) => unknown;
/** Matrices that others will want later. */
type Live = () => readonly (Value | undefined)[];

/** A runtime that computes later wants to know what is wanted together. */
export interface LazyRuntime extends Runtime {
  /** While a built-in runs: what else will be wanted later. */
  live: Live | undefined;
  /** At the end of a turn of a loop: what the next one may want. */
  turn(values: readonly (Value | undefined)[]): MaybeLater<void>;
}

export const isLazy = (runtime: Runtime): runtime is LazyRuntime => 'turn' in runtime;

/** Deeper recursion than this is taken for one without an end. */
export const MOST_CALLS = 100_000;

/** An error of a place of the script. */
function placed(error: unknown, { source, span }: Place): unknown {
  if (error instanceof ScriptError) return error;
  if (error instanceof RunError) return scriptError('execution', source, span, error.message);
  if (error instanceof SheafError || isOutOfRoom(error)) {
    const located = scriptError('execution', source, span, isNoMemory(error) ? NO_MEMORY : error.message);
    located.cause = error;
    return located;
  }
  return error;
}

/** What JavaScript says when something is longer than it can be. */
const isOutOfRoom = (error: unknown): error is RangeError => error instanceof RangeError;
/** In the words of V8, or of arrays, which speak of what scripts have not. */
const isNoMemory = (error: Error): boolean =>
  error instanceof OutOfMemoryError ||
  (isOutOfRoom(error) &&
    /allocation failed|Invalid (?:typed array|array buffer|array|string) length/.test(error.message));
const NO_MEMORY = 'there is no memory for what this makes: make it smaller, or compute it part by part';
const isOverflow = (error: unknown): boolean => isOutOfRoom(error) && error.message.startsWith('Maximum call stack');

/** A program that can be run. @throws ScriptError of what is nested too deeply for JavaScript. */
export function link(
  program: Program,
  runtime: Runtime,
  { onCode, ...options }: { readonly givesOutputs: boolean; readonly onCode?: (text: string) => void },
): (...args: Value[]) => Promise<readonly Value[]> {
  const lazy = isLazy(runtime);
  const code = generated(program, { ...options, isLazy: lazy });
  onCode?.(code.text);
  const made = compiled(program, code, runtime, () =>
    compiled(program, generated(program, { deep: true }), runtime, () => {
      throw new RangeError('the functions are deep already');
    }),
  );
  const main = made.main as (...args: Value[]) => Promise<readonly Value[]>;
  // It is compiled when it is called first.
  return (...args) => compiling(program.source, () => main(...args)).finally(() => runtime.holdings.end());
}

const generated = (program: Program, options: Parameters<typeof generate>[1]): Generated =>
  compiling(program.source, () => generate(program, options));

/** Of what JavaScript's stack is too small for. */
const tooDeep = (source: Source): ScriptError =>
  scriptError('parser', source, { start: 0, end: 0 }, 'blocks of this script are nested too deeply');

/** Compiles something, which may walk down blocks that are nested. @throws ScriptError of those that are too deep for that. */
export function compiling<T>(source: Source, compile: () => T): T {
  try {
    return compile();
  } catch (error) {
    throw isOverflow(error) ? tooDeep(source) : error;
  }
}

interface Linked {
  readonly main: Compiled;
  readonly functions: readonly Compiled[];
}

function compiled(program: Program, code: Generated, runtime: Runtime, deep: () => Linked): Linked {
  const support = new Support(code, runtime, deep);
  // The compiler's own text, of numbers and of literals that it quotes.
  return compiling(program.source, () => new Function('R', code.text)(support) as Linked);
}

class Support {
  readonly helpers: readonly ScalarFunction[];
  readonly #deep: () => Linked;
  #linked: Linked | undefined;
  readonly #code: Generated;

  constructor(code: Generated, runtime: Runtime, deep: () => Linked) {
    this.#code = code;
    this.helpers = code.helpers;
    this.#deep = deep;
    const { sites } = code;
    const lazy = isLazy(runtime) ? runtime : undefined;
    const { holdings, own } = runtime;
    holdings.begin();
    const release = (): void => {
      if (holdings.isDue) holdings.release(this.frames.flatMap((frame) => frame()));
    };
    this.turn = (values) => {
      release();
      return lazy?.turn(values);
    };
    const run = (site: Site, args: readonly RunArgument[]): ReturnType<Site['builtin']['run']> => {
      const { builtin } = site;
      if (builtin.takesSparse === true || !args.some(isSparse)) return builtin.run(runtime, site, args);
      const dense = args.map((arg) => (isSparse(arg) ? runtime.dense(arg) : arg)) as MaybeLater<RunArgument>[];
      return all(dense, (list) => builtin.run(runtime, site, list));
    };
    this.share = (value) => own.share(value);
    this.give = (number, args, live) => this.#call(number, args, live, args[0]);
    this.call = (number, args, live) => this.#call(number, args, live, undefined);
    this.#call = (number, args, live, givenUp) => {
      const site = sites[number]!;
      release();
      own.givenUp = givenUp;
      if (!borrows(site, args)) own.shareAll(args);
      if (lazy !== undefined) lazy.live = live;
      const ended = (value: unknown): unknown => {
        holdings.running--;
        return Array.isArray(value) && site.results.length === 1 ? value[0] : value;
      };
      const failed = (error: unknown): never => {
        holdings.running--;
        throw placed(error, site);
      };
      holdings.running++;
      let result: unknown;
      try {
        result = run(site, args);
      } catch (error) {
        return failed(error);
      }
      if (result instanceof Promise) return result.then(ended, failed);
      const value = ended(result);
      // What built-ins have let go of is garbage, which nobody would find in a script that never waits.
      const relief = relieveThread();
      return relief === undefined ? value : relief.then(() => value);
    };
  }

  /** What the variables hold of the functions that are running, each as it was entered. */
  readonly frames: (() => readonly (Value | undefined)[])[] = [];

  readonly call: (site: number, args: readonly RunArgument[], live?: Live) => unknown;
  /** A call that sets a part of its first argument, which nobody will see again. */
  readonly give: (site: number, args: readonly RunArgument[], live?: Live) => unknown;
  readonly #call: (site: number, args: readonly RunArgument[], live: Live | undefined, givenUp: unknown) => unknown;
  /** A value that two variables have from now on. */
  readonly share: <T>(value: T) => T;

  readonly at = (place: number, operation: ScalarFunction, ...args: Scalar[]): Scalar => {
    try {
      return operation(...args);
    } catch (error) {
      if (isOverflow(error)) throw error;
      throw placed(error, this.#code.places[place]!);
    }
  };

  /** A function has used up the stack: it is called once more where that does not matter. */
  readonly overflow = (error: unknown, callee: number, args: readonly unknown[]): unknown => {
    if (!isOverflow(error)) throw error;
    this.#linked ??= this.#deep();
    return this.#linked.functions[callee]!(...args);
  };

  /** Leaves the stack: what comes after it begins at its bottom. */
  readonly unwind = (place: number, depth: number): Promise<void> => {
    if (depth > MOST_CALLS) {
      const { source, span } = this.#code.places[place]!;
      const message = `functions have called each other ${MOST_CALLS} times without one that returned: does this recursion end?`;
      throw scriptError('execution', source, span, message);
    }
    return Promise.resolve();
  };

  readonly turn: (values: readonly (Value | undefined)[]) => MaybeLater<void>;

  /** A function for a built-in: whatever it gives comes as a list. */
  readonly many = (functions: readonly Compiled[], number: number, results: number): ScriptFunction => {
    const listed = (value: unknown): readonly Value[] =>
      results === 1 ? [value as Value] : ((value ?? []) as readonly Value[]);
    return (...args) => {
      let value: unknown;
      try {
        value = functions[number]!(...args);
      } catch (error) {
        value = this.overflow(error, number, args);
      }
      return value instanceof Promise ? value.then(listed) : listed(value);
    };
  };

  readonly stepOfZero = (): never => {
    throw new RunError('a step of 0 never gets to the end');
  };

  /** Integers beyond those that numbers have exactly. */
  readonly next = (i: Integer, step: Integer): Integer => canonical(BigInt(i) + BigInt(step));
}

/** Whether a call only looks at its arguments, so that its results have nothing of them. */
const borrows = ({ builtin, results }: Site, args: readonly RunArgument[]): boolean =>
  builtin.borrows?.(args) ?? results.every(({ data }) => data === 'scalar');

const isSparse = (arg: RunArgument): arg is Extract<Matrix, { kind: 'sparse' }> =>
  typeof arg === 'object' && (arg as { kind?: string }).kind === 'sparse';

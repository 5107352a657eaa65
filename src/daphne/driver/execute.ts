/** From a script to its output: compiles and runs it. */

import { type ArrayQueues, type ArrayScheme, type ArrayVictims, ScriptError } from '../../base/index.ts';
import type { Elements } from '../../nd/index.ts';
import { BUILTINS, type Builtin } from '../builtins/index.ts';
import { SPARSITY_THRESHOLD } from '../command/options.ts';
import { EXIT_CODES, type Phase } from '../errors.ts';
import type { Program } from '../program/program.ts';
import { EagerRuntime } from '../runtime/eager.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { compiling, isLazy, link } from '../runtime/support.ts';
import { Source } from '../source.ts';
import { parse, type ScriptArguments } from '../syntax/index.ts';
import type { Type } from '../types.ts';
import type { Value } from '../values/values.ts';
import type { Analyse } from './analysis.ts';
import { arraysOf, detached } from './convert.ts';
import type { Observer } from './explain.ts';
import { type Files, LOCAL_FILES } from './files.ts';
import { Output } from './output.ts';

/** How a script is compiled and run, its text and its arguments aside. */
export interface Settings {
  /** Lazily, fused, and by workers. */
  readonly vectorized?: boolean;
  /** So many workers. Default: one for each core. */
  readonly threads?: number | undefined;
  readonly scheme?: ArrayScheme | undefined;
  readonly queues?: ArrayQueues | undefined;
  readonly victims?: ArrayVictims | undefined;
  readonly grain?: number | undefined;
  /** Matrices are stored by compressed rows where that pays. */
  readonly selectsRepresentation?: boolean;
  /** That is where a smaller part of elements is not 0. */
  readonly sparsityThreshold?: number;
  readonly libraries?: ReadonlyMap<string, readonly string[]>;
}

export interface Execution extends Settings {
  readonly analyse: Analyse;
  readonly arguments?: ScriptArguments;
  /** Variables that are there beforehand, by name. */
  readonly inputs?: ReadonlyMap<string, { readonly type: Type; readonly value: Value }>;
  readonly files?: Files;
  readonly builtins?: ReadonlyMap<string, Builtin>;
  /** Where text goes, in large pieces. */
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** The script's variables are wanted at the end. */
  readonly givesOutputs?: boolean;
  readonly observer?: Observer;
  /** A runtime of one's own in the place of the one that the settings ask for. It is left open, and what was computed stays where it is. */
  readonly runtime?: Runtime;
}

/** Seconds that each part has taken. */
export interface Timing {
  parsing: number;
  compilation: number;
  execution: number;
}

export interface Executed {
  readonly program: Program;
  /** Of `program.outputs`, in their order; none unless they were wanted. */
  readonly values: readonly Value[];
}

/**
 * Compiles and runs a script.
 *
 * @throws ScriptError for all that is wrong with it, when what it has written before is passed on.
 */
export async function runSource(source: Source, options: Execution, timing?: Timing): Promise<Executed> {
  const [out, error] = [new Output(options.stdout), new Output(options.stderr)];
  const flush = (): void => {
    out.flush();
    error.flush();
  };
  const unwatch = beforeExit(flush);
  try {
    const started = performance.now();
    const script = compiling(source, () => parse(source));
    options.observer?.script(script);
    const parsed = performance.now();
    const analysis = {
      arguments: options.arguments ?? new Map(),
      files: options.files ?? LOCAL_FILES,
      builtins: options.builtins ?? BUILTINS,
      libraries: options.libraries ?? new Map(),
      sparseBelow: options.selectsRepresentation === true ? (options.sparsityThreshold ?? SPARSITY_THRESHOLD) : 0,
      inputs: new Map([...(options.inputs ?? [])].map(([name, { type }]) => [name, type])),
    };
    const program = compiling(source, () => options.analyse(script, analysis));
    options.observer?.program(program);
    const runtime = options.runtime ?? (await runtimeFor(options, out.write, error.write));
    try {
      const main = link(program, runtime, {
        givesOutputs: options.givesOutputs ?? false,
        ...(options.observer && { onCode: options.observer.code }),
      });
      const compiled = performance.now();
      const given = [...(options.inputs?.values() ?? [])].map(({ value }) => value);
      const made = (await main(...given)) ?? [];
      if (isLazy(runtime) && options.runtime !== undefined) await runtime.turn(made);
      const values = isLazy(runtime) && options.runtime === undefined ? await settled(made, runtime) : made;
      if (timing !== undefined) {
        timing.parsing = (parsed - started) / 1000;
        timing.compilation = (compiled - parsed) / 1000;
        timing.execution = (performance.now() - compiled) / 1000;
      }
      return { program, values };
    } finally {
      if (options.runtime === undefined) await (runtime as Partial<AsyncDisposable>)[Symbol.asyncDispose]?.();
    }
  } finally {
    flush();
    unwatch();
  }
}

const atExit = new Set<() => void>();
let isWatching = false;

/** A built-in may end the process, or somebody else: what was written then is passed on nevertheless. Gives what ends that. */
function beforeExit(flush: () => void): () => void {
  if (!isWatching) {
    process.on('exit', () => {
      for (const each of atExit) each();
    });
  }
  isWatching = true;
  atExit.add(flush);
  return () => atExit.delete(flush);
}

/** Computed, all together, in memory that stays when the runtime has ended. */
async function settled(values: readonly Value[], runtime: Runtime): Promise<readonly Value[]> {
  const arrays = values.flatMap(arraysOf);
  const elements = await runtime.computed(arrays);
  const of = new Map(arrays.map((array, i) => [array, elements[i] as Elements]));
  return values.map((value) => detached(value, (array) => of.get(array) as Elements));
}

export async function runtimeFor(
  options: Settings,
  write: (text: string) => void,
  writeError: (text: string) => void,
): Promise<Runtime> {
  if (options.vectorized !== true) return new EagerRuntime(write, writeError);
  // Scripts that are run without it are not to wait for what it loads.
  const [{ VectorRuntime }, { availableParallelism }] = await Promise.all([
    import('../runtime/vector.ts'),
    import('node:os'),
  ]);
  return new VectorRuntime(write, writeError, { ...options, threads: options.threads ?? availableParallelism() });
}

/** The same, with an exit code for what goes wrong, which standard output is told. */
export async function execute(source: Source, options: Execution, timing?: Timing): Promise<number> {
  try {
    await runSource(source, options, timing);
    return 0;
  } catch (error) {
    options.stdout(`[error]: ${messageOf(error)}\n`);
    return exitCodeOf(error);
  }
}

export function messageOf(error: unknown): string {
  // Of what is written into the code that runs, JavaScript tells.
  if (error instanceof RangeError && error.message === 'Invalid string length')
    return 'a string has become longer than any can be';
  return error instanceof Error ? error.message : String(error);
}

/** Of what is no error of the script, such as memory that is used up, too. */
export function exitCodeOf(error: unknown): number {
  const phase = error instanceof ScriptError ? (error.details?.phase as Phase | undefined) : undefined;
  return EXIT_CODES[phase ?? 'execution'];
}

/** The script in a file. @throws ScriptError of one that can't be read. */
export function sourceAt(path: string, files: Files = LOCAL_FILES): Source {
  const text = files.read(path);
  if (text !== undefined) return new Source(path, text);
  throw new ScriptError(`the script ${path} is not there, or can't be read`, {
    details: { phase: 'parser', file: path },
  });
}

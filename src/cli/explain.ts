import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { closest, kindOf, SheafError } from '../base/index.ts';
import { installTypeScript } from '../code/index.ts';
import { DTYPE_NAMES, type DType, elements, isDType, sizeOf } from '../nd/index.ts';
import { bold, CommandError, dim, say } from './output.ts';
import { prepareRun, programAt } from './run.ts';

interface ExplainOptions {
  readonly export?: string;
  readonly svg?: string;
  readonly run?: boolean;
  readonly json?: boolean;
}

/** An array of the module's own copy of Sheaf, which need not be this one. */
interface Lazy {
  readonly dtype: string;
  toString(): string;
  explain(o?: { svg?: boolean; json?: boolean }): Promise<string>;
  astype(dtype: DType): Lazy;
  persist(): Promise<Lazy>;
}

/** Of Sheaf as the module imports it, as much as is needed here. */
interface Copy {
  connect(o: object): Promise<AsyncDisposable>;
  fromTyped(elements: unknown, shape: readonly number[]): Lazy;
}

type Exports = Readonly<Record<string, unknown>>;
type AnyFunction = (...args: unknown[]) => unknown;

/** What is left to do after it has returned is the program's: its errors are as well. */
export async function explain(
  file: string,
  args: readonly string[],
  options: ExplainOptions,
): Promise<(() => Promise<void>) | undefined> {
  if (options.run) return explainedRun(file, args, options);
  const path = programAt(file);
  installTypeScript();
  const copy = copyFor(path);
  const module = (await import(pathToFileURL(path).href)) as Exports;
  const name = chosen(file, module, options.export);
  const given = module[name];
  if (typeof given !== 'function' && args.length > 0) {
    throw new CommandError(`${name} of ${file} is no function, so there is nothing to pass ${args.join(' ')} to`, 2);
  }
  if (typeof given === 'function' && args.length < given.length) {
    const example = [...args, ...new Array(given.length - args.length).fill('f64:1000x1000')].join(' ');
    throw new CommandError(
      `${name} of ${file} takes ${given.length} arguments, and got ${args.length}; give numbers, and arrays by type and shape: ` +
        `sheaf explain ${file} --export ${name} ${example}`,
      2,
    );
  }
  const { connect, fromTyped } = await copy;
  // One thread is enough, since nothing is computed.
  await using _session = await connect({ mode: 'inline', name: 'sheaf explain' });
  const passed = await Promise.all(args.map((arg) => argument(arg, fromTyped)));
  const made = typeof given === 'function' ? (given as AnyFunction)(...passed) : given;
  const array: unknown = await made;
  if (!isLazy(array)) {
    throw new CommandError(
      `${name} of ${file} gives ${kindOf(array)}, and no array; it has to be one that is not computed yet`,
      2,
    );
  }
  await show(name, array, options);
  return undefined;
}

function explainedRun(file: string, args: readonly string[], { export: name, svg, json }: ExplainOptions) {
  if (name !== undefined)
    throw new CommandError('--export and --run exclude each other: a program is run as a whole', 2);
  if (json) {
    throw new CommandError('--json and --run exclude each other: --svg FOLDER writes computations.json as well', 2);
  }
  const run = prepareRun(file, args, {});
  if (svg !== undefined) {
    try {
      mkdirSync(svg, { recursive: true });
    } catch (error) {
      throw new CommandError(`${svg} can't be a folder for drawings: ${(error as Error).message}`, 2);
    }
  }
  process.env.SHEAF_EXPLAIN_ARRAYS = svg === undefined ? 'text' : resolve(svg);
  return run;
}

const isLazy = (x: unknown): x is Lazy =>
  typeof x === 'object' && x !== null && 'dtype' in x && typeof (x as Lazy).explain === 'function';

/** The export that is meant: the one that is named, or the only array, or the default. */
function chosen(file: string, module: Exports, wish: string | undefined): string {
  const names = Object.keys(module);
  const arrays = names.filter((name) => isLazy(module[name]));
  const functions = names.filter((name) => typeof module[name] === 'function');
  if (wish !== undefined) {
    if (names.includes(wish)) {
      if (arrays.includes(wish) || functions.includes(wish) || module[wish] instanceof Promise) return wish;
      throw new CommandError(`${wish} of ${file} is ${kindOf(module[wish])}, and neither an array nor a function`, 2);
    }
    const near = closest(wish, names);
    const meant = near === undefined ? '' : `; did you mean ${near}?`;
    throw new CommandError(`${file} exports no ${wish}${meant || `; it exports ${names.join(', ') || 'nothing'}`}`, 2);
  }
  if (arrays.length === 1) return arrays[0] as string;
  if (arrays.includes('default') || (arrays.length === 0 && functions.includes('default'))) return 'default';
  if (arrays.length > 1)
    throw new CommandError(`${file} exports several arrays: choose with --export ${arrays.join(', ')}`, 2);
  if (functions.length > 0) {
    throw new CommandError(
      `${file} exports no array; of a function that gives one, say which, and its arguments: ` +
        `sheaf explain ${file} --export ${functions[0]} f64:1000x1000`,
      2,
    );
  }
  throw new CommandError(
    `${file} exports no array: write \`export default x\` for an array that is not computed yet; or ` +
      `sheaf explain --run ${file} explains what it computes when it is run`,
    2,
  );
}

/** A number, or an array of a type and a shape, whose elements do not matter. */
function argument(text: string, fromTyped: Copy['fromTyped']): unknown {
  const array = /^(?:(\w+):)?(\d+(?:x\d+)*)$/.exec(text);
  if (array === null || (array[1] === undefined && !text.includes('x'))) {
    const number = Number(text);
    if (text.trim() !== '' && !Number.isNaN(number)) return number;
    throw new CommandError(`${text} is no argument: give numbers, and arrays as f64:1000x100, or 1000x100 of f64`, 2);
  }
  const dtype = array[1] ?? 'f64';
  if (!isDType(dtype)) {
    throw new CommandError(`${text}: there is no element type ${dtype}; there are ${DTYPE_NAMES.join(', ')}`, 2);
  }
  const shape = (array[2] as string).split('x').map(Number);
  const source = fromTyped(elements(dtype, sizeOf(shape)), shape);
  return dtype === 'bool' ? source.astype('bool').persist() : source;
}

async function show(name: string, array: Lazy, { svg, json }: ExplainOptions): Promise<void> {
  if (svg !== undefined) {
    const drawing = await array.explain({ svg: true });
    try {
      writeFileSync(svg, drawing);
    } catch (error) {
      throw new CommandError(`${svg} can't be written: ${(error as Error).message}`);
    }
  }
  if (json) {
    say(await array.explain({ json: true }));
    return;
  }
  say(`${bold(name)}  ${dim(String(array))}\n`);
  say(await array.explain());
  if (svg !== undefined) say(dim(`\ndrawn in ${svg}`));
}

/** Sheaf as the module finds it; where it finds none, there are no arrays in it either. */
async function copyFor(path: string): Promise<Copy> {
  const { resolve: find } = createRequire(path);
  try {
    const [tasks, arrays] = await Promise.all(
      ['sheaf', 'sheaf/array'].map((name) => import(pathToFileURL(find(name)).href)),
    );
    return { connect: tasks.connect, fromTyped: arrays.fromTyped };
  } catch (error) {
    if (error instanceof SheafError) throw error;
    throw new CommandError(`${path} finds no package sheaf, of which its arrays would be: npm i sheaf`, 2);
  }
}

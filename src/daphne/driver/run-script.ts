import { nodeOf } from '../../arrays/index.ts';
import { kindOf, shown, UsageError } from '../../base/index.ts';
import type { Elements } from '../../nd/index.ts';
import { inThread } from '../../pipelines/index.ts';
import { analyse } from '../analysis/index.ts';
import { commandLine, runOptions } from '../command/options.ts';
import { Source } from '../source.ts';
import type { Value } from '../values/values.ts';
import { type Given, given, literalOf, output, type ScriptInput, type ScriptOutput } from './convert.ts';
import { runSource, sourceAt } from './execute.ts';

/** What a script is run with. */
export interface RunScriptOptions {
  /** The script's arguments, `$name`. Numbers that are integers are si64, others f64. */
  readonly args?: Readonly<Record<string, number | bigint | boolean | string>>;
  /** Variables that the script finds there: arrays are matrices (those of one dimension columns), objects of columns are frames. */
  readonly inputs?: Readonly<Record<string, ScriptInput>>;
  /** Options of the command, such as `['--vec', '--num-threads=4']`. */
  readonly flags?: readonly string[];
}

/** What a script leaves behind. */
export interface ScriptResult {
  /** The script's own variables at its end, by name. */
  readonly variables: Readonly<Record<string, ScriptOutput>>;
  /** All that it has printed. */
  readonly stdout: string;
  /** What it has printed there by `print(x, newline, true)`. */
  readonly stderr: string;
}

/**
 * Runs a script in DaphneDSL in this process.
 *
 * @param script its text, or the path of its file: what is one line and ends in `.daphne` or `.daph` is a path.
 * @throws ScriptError for all that is wrong with the script, with the place; `details.phase` says when it was found.
 * @throws UsageError for inputs that scripts do not have.
 */
export async function runScript(script: string, options: RunScriptOptions = {}): Promise<ScriptResult> {
  check(script, options);
  const { args = {}, inputs = {}, flags = [] } = options;
  const line = commandLine(flags);
  if (line.script !== undefined) throw new UsageError(`runScript: ${line.script} among the flags is none`);
  const written = { stdout: '', stderr: '' };
  const { program, values } = await runSource(isPath(script) ? sourceAt(script) : new Source('script', script), {
    ...runOptions(line.given),
    analyse,
    arguments: new Map(Object.entries(args).map(([name, value]) => [name, literalOf(name, value)])),
    inputs: await inputsOf(inputs),
    givesOutputs: true,
    stdout: (text) => {
      written.stdout += text;
    },
    stderr: (text) => {
      written.stderr += text;
    },
  });
  const variables = Object.fromEntries(program.outputs.map(({ name }, i) => [name, output(values[i] as Value)]));
  return { variables, ...written };
}

/** For callers without types. */
function check(script: unknown, options: unknown): void {
  if (typeof script !== 'string')
    throw new UsageError(`runScript: the script is ${kindOf(script)}; give its text, or the path of its file`);
  if (!isRecord(options)) throw new UsageError(`runScript: the options are ${kindOf(options)}; give an object`);
  const { args = {}, inputs = {}, flags = [], ...others } = options;
  const [other] = Object.keys(others);
  if (other !== undefined)
    throw new UsageError(`runScript: there is no option ${shown(other)}; there are args, inputs and flags`);
  for (const [name, each] of Object.entries({ args, inputs }))
    if (!isRecord(each)) throw new UsageError(`runScript: ${name} is ${kindOf(each)}; give an object, by names`);
  if (!Array.isArray(flags) || !flags.every((flag) => typeof flag === 'string'))
    throw new UsageError(`runScript: flags is no list of strings; give one, such as ['--vec']`);
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isPath = (script: string): boolean => /^[^\n]*\.daph(ne)?$/.test(script);

async function inputsOf(inputs: Readonly<Record<string, ScriptInput>>): Promise<Map<string, Given>> {
  const found = new Map<string, Given>();
  for (const [name, input] of Object.entries(inputs)) {
    found.set(
      name,
      given(name, input, (array): Elements => {
        const node = nodeOf(`the input ${name}`, array);
        inThread().computeNow([node]);
        return inThread().read(node);
      }),
    );
  }
  return found;
}

/** What a script is run with: from a configuration file, if there is one, and from flags, which win. */

import type { ArrayQueues, ArrayScheme, ArrayVictims } from '../../base/index.ts';
import { closest, ScriptError } from '../../base/index.ts';
import { type ExplainStage, FLAG_NAMES, FLAGS, type Flag } from './flags.ts';

/** By the names of flags: those that were given. */
export type Given = ReadonlyMap<string, boolean | number | string | readonly string[]>;

/** A command line of DAPHNE, taken apart. */
export interface CommandLine {
  readonly given: Given;
  /** Undefined: no script was named. */
  readonly script: string | undefined;
  /** What stands behind the script, and belongs to it. */
  readonly rest: readonly string[];
}

export interface RunOptions {
  readonly vectorized: boolean;
  /** Undefined: one for each core. */
  readonly threads: number | undefined;
  readonly scheme: ArrayScheme | undefined;
  readonly queues: ArrayQueues | undefined;
  readonly victims: ArrayVictims | undefined;
  readonly grain: number | undefined;
  readonly selectsRepresentation: boolean;
  readonly explain: ReadonlySet<ExplainStage>;
  readonly timing: boolean;
  /** Matrices with a smaller part of elements that are not 0 are stored by compressed rows. */
  readonly sparsityThreshold: number;
  /** Folders with libraries of scripts, by their names. */
  readonly libraries: ReadonlyMap<string, readonly string[]>;
}

const wrong = (message: string): ScriptError =>
  new ScriptError(message, { code: 'ERR_SHEAF_SCRIPT_OPTION', details: { phase: 'parser' } });

/**
 * @throws ScriptError (ERR_SHEAF_SCRIPT_OPTION) for flags that are not known, have a wrong value, or are refused here, with the reason.
 */
export function commandLine(args: readonly string[]): CommandLine {
  const given = new Map<string, boolean | number | string | readonly string[]>();
  let at = 0;
  for (; at < args.length; at++) {
    const text = args[at] as string;
    if (text === '--') return { given, script: args[at + 1], rest: args.slice(at + 2) };
    const parts = /^--?([A-Za-z][\w-]*)(?:=(.*))?$/s.exec(text);
    if (parts === null) {
      if (text.startsWith('-') && text !== '-') throw wrong(`\`${text}\` is no option; \`daphne --help\` lists them`);
      break;
    }
    const [, name = '', inline] = parts;
    const flag = FLAG_NAMES.get(name);
    if (flag === undefined) throw wrong(`there is no option \`--${name}\`${hint(name)}; \`daphne --help\` lists them`);
    let value = inline;
    if (value === undefined && flag.kind !== 'switch') {
      value = args[++at];
      if (value === undefined) throw wrong(`--${flag.name} needs a value: ${usage(flag)}`);
    }
    const read = readValue(flag, value);
    if (flag.refused !== undefined && read !== false) throw wrong(`--${flag.name}: ${flag.refused}`);
    const before = given.get(flag.name);
    given.set(flag.name, Array.isArray(read) && Array.isArray(before) ? [...before, ...read] : read);
  }
  return { given, script: args[at], rest: args.slice(at + 1) };
}

function hint(name: string): string {
  // Older pages name choices as flags of their own.
  const owner = FLAGS.find((flag) => flag.kind === 'choice' && flag.choices.includes(name));
  if (owner !== undefined) return ` (write --${owner.name}=${name})`;
  const close = closest(name, [...FLAG_NAMES.keys()]);
  return close === undefined ? '' : ` (is it \`--${close}\`?)`;
}

/** How a flag is written. */
export function usage(flag: Flag): string {
  switch (flag.kind) {
    case 'switch':
      return `--${flag.name}`;
    case 'count':
      return `--${flag.name}=N`;
    case 'choice':
      return `--${flag.name}=${flag.choices.join('|')}`;
    case 'choices':
      return `--${flag.name}=STAGE,...`;
    default:
      return `--${flag.name}=${flag.placeholder}`;
  }
}

function readValue(flag: Flag, text: string | undefined): boolean | number | string | readonly string[] {
  switch (flag.kind) {
    case 'switch': {
      if (text === undefined || /^(1|true)$/i.test(text)) return true;
      if (/^(0|false)$/i.test(text)) return false;
      throw wrong(`--${flag.name} is on or off: \`${text}\` is neither true nor false, 1 nor 0`);
    }
    case 'count': {
      if (text === undefined || !/^-?\d+$/.test(text))
        throw wrong(`--${flag.name} takes an integer, and not \`${text}\``);
      return Number(text);
    }
    case 'choice': {
      if (text === undefined || !flag.choices.includes(text))
        throw wrong(`--${flag.name} is one of ${flag.choices.join(', ')}, and not \`${text}\``);
      return text;
    }
    case 'choices': {
      const all = (text ?? '').split(',');
      const unknown = all.find((each) => !flag.choices.includes(each));
      if (unknown !== undefined)
        throw wrong(`--${flag.name}: there is no \`${unknown}\`; there are ${flag.choices.join(', ')}`);
      return all;
    }
    case 'texts':
      return [text ?? ''];
    default:
      return text ?? '';
  }
}

const numberOf = (value: unknown): number | undefined => (typeof value === 'number' && value > 0 ? value : undefined);

/** The options that flags and a configuration, which is read already, come to. */
export function runOptions(given: Given, config: Configuration = NO_CONFIGURATION): RunOptions {
  const of = (name: string) => given.get(name) ?? config.flags.get(name);
  return {
    vectorized: of('vec') === true,
    threads: numberOf(of('num-threads')),
    scheme: of('partitioning') as ArrayScheme | undefined,
    queues: of('queue_layout') as ArrayQueues | undefined,
    victims: of('victim_selection') as ArrayVictims | undefined,
    // One row is DAPHNE's default, and says nothing.
    grain: of('grain-size') === 1 ? undefined : numberOf(of('grain-size')),
    selectsRepresentation: of('select-matrix-repr') === true,
    explain: new Set([...((of('explain') as ExplainStage[] | undefined) ?? []), ...config.explain]),
    timing: of('timing') === true,
    sparsityThreshold: config.sparsityThreshold,
    libraries: config.libraries,
  };
}

/** What a configuration file says. */
export interface Configuration {
  readonly flags: Given;
  readonly explain: readonly ExplainStage[];
  readonly sparsityThreshold: number;
  readonly libraries: ReadonlyMap<string, readonly string[]>;
}

/** As DAPHNE has it. */
export const SPARSITY_THRESHOLD = 0.25;

export const NO_CONFIGURATION: Configuration = {
  flags: new Map(),
  explain: [],
  sparsityThreshold: SPARSITY_THRESHOLD,
  libraries: new Map(),
};

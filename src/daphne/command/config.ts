/** Configuration files: JSON objects with the keys of DAPHNE's. */

import { closest, kindOf, ScriptError } from '../../base/index.ts';
import { EXPLAIN_STAGES, type ExplainStage, FLAGS, type Flag, LOG_LEVELS } from './flags.ts';
import { type Configuration, type Given, NO_CONFIGURATION } from './options.ts';

/** Keys that are taken, checked, and make no difference. */
const IDLE: Readonly<Record<string, 'boolean' | 'number' | 'string'>> = {
  matmul_use_fixed_tile_sizes: 'boolean',
  cuda_fuse_any: 'boolean',
  force_cuda: 'boolean',
  vectorized_single_queue: 'boolean',
  debug_llvm: 'boolean',
  use_obj_ref_mgnt: 'boolean',
  use_ipa_const_propa: 'boolean',
  use_phy_op_selection: 'boolean',
  enable_property_recording: 'boolean',
  enable_property_insert: 'boolean',
  properties_file_path: 'string',
};

const KEYS: ReadonlyMap<string, Flag> = new Map(
  FLAGS.flatMap((flag) => (flag.key === undefined ? [] : [[flag.key, flag]])),
);

/**
 * @param text of the file `name`.
 * @throws ScriptError (ERR_SHEAF_SCRIPT_CONFIG) for what is no JSON, keys that are not known, values of a wrong type, and what is refused here.
 */
export function configuration(name: string, text: string): Configuration {
  const wrong = (message: string): ScriptError =>
    new ScriptError(`${name}: ${message}`, {
      code: 'ERR_SHEAF_SCRIPT_CONFIG',
      details: { phase: 'parser', file: name },
    });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw wrong(`this is no JSON (${(error as Error).message})`);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw wrong(`an object is expected, and not ${kindOf(json)}`);
  const flags = new Map<string, boolean | number | string>();
  const explain: ExplainStage[] = [];
  const libraries = new Map<string, readonly string[]>();
  let { sparsityThreshold } = NO_CONFIGURATION;

  const check = (key: string, value: unknown, type: string): void => {
    if (typeof value !== type) throw wrong(`\`${key}\` is a ${type}, and not ${kindOf(value)}`);
  };
  for (const [key, value] of Object.entries(json)) {
    const flag = KEYS.get(key);
    const stage = EXPLAIN_STAGES.find((each) => key === `explain_${each}`);
    if (flag !== undefined) {
      const read = readValue(key, flag, value, wrong);
      if (flag.refused !== undefined && read === true) throw wrong(`\`${key}\`: ${flag.refused}`);
      if (read !== undefined) flags.set(flag.name, read);
    } else if (stage !== undefined || key === 'explain_mlir_codegen') {
      check(key, value, 'boolean');
      if (value === true) explain.push(stage ?? 'codegen');
    } else if (key === 'sparsity_threshold') {
      check(key, value, 'number');
      sparsityThreshold = value as number;
    } else if (key === 'daphnedsl_import_paths') {
      for (const [library, paths] of entriesOf(key, value, wrong)) {
        if (!Array.isArray(paths) || paths.some((path) => typeof path !== 'string'))
          throw wrong(`\`${key}.${library}\` is a list of folders, and not ${kindOf(paths)}`);
        if (library !== 'default_dirs' && paths.length !== 1)
          throw wrong(`\`${key}.${library}\` names one folder, and not ${paths.length}: a library is the files of one`);
        libraries.set(library, paths);
      }
    } else if (key === 'logging') checkLogging(value, wrong);
    else if (key in IDLE) check(key, value, IDLE[key] as string);
    else {
      const close = closest(key, [
        ...KEYS.keys(),
        ...Object.keys(IDLE),
        'sparsity_threshold',
        'daphnedsl_import_paths',
        'logging',
      ]);
      throw wrong(`there is no key \`${key}\`${close === undefined ? '' : ` (is it \`${close}\`?)`}`);
    }
  }
  return { flags: flags as Given, explain, sparsityThreshold, libraries };
}

type Wrong = (message: string) => ScriptError;

function readValue(key: string, flag: Flag, value: unknown, wrong: Wrong): boolean | number | string | undefined {
  switch (flag.kind) {
    case 'switch':
      if (typeof value === 'boolean') return value;
      throw wrong(`\`${key}\` is true or false, and not ${kindOf(value)}`);
    case 'count':
      if (typeof value === 'number' && Number.isInteger(value)) return value;
      throw wrong(`\`${key}\` is an integer, and not ${kindOf(value)}`);
    case 'choice':
      if (typeof value === 'string' && flag.choices.includes(value)) return value;
      throw wrong(`\`${key}\` is one of ${flag.choices.join(', ')}, and not ${JSON.stringify(value)}`);
    case 'texts':
      if (Array.isArray(value)) return undefined;
      throw wrong(`\`${key}\` is a list, and not ${kindOf(value)}`);
    default:
      if (typeof value === 'string') return value;
      throw wrong(`\`${key}\` is a text, and not ${kindOf(value)}`);
  }
}

function entriesOf(key: string, value: unknown, wrong: Wrong): [string, unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong(`\`${key}\` is an object, and not ${kindOf(value)}`);
  return Object.entries(value);
}

const LOGGING = new Set(['name', 'level', 'filename', 'format', 'comment', 'log-level-limit']);

function checkLogging(value: unknown, wrong: Wrong): void {
  if (!Array.isArray(value)) throw wrong(`\`logging\` is a list, and not ${kindOf(value)}`);
  for (const [i, each] of value.entries()) {
    for (const [key, text] of entriesOf(`logging[${i}]`, each, wrong)) {
      if (!LOGGING.has(key))
        throw wrong(`\`logging[${i}]\` has no key \`${key}\`; there are ${[...LOGGING].join(', ')}`);
      if (typeof text !== 'string') throw wrong(`\`logging[${i}].${key}\` is a text, and not ${kindOf(text)}`);
      if (/level/.test(key) && !LOG_LEVELS.includes(text as 'INFO'))
        throw wrong(`\`logging[${i}].${key}\` is one of ${LOG_LEVELS.join(', ')}, and not ${JSON.stringify(text)}`);
    }
  }
}

import { ScriptError } from '../../base/index.ts';
import { Source } from '../source.ts';
import type { Constant } from './ast.ts';
import { Cursor } from './cursor.ts';
import { constantAt } from './expressions.ts';

/** What a script gets for `$name`: text until somebody asks for its value. */
export type ScriptArguments = ReadonlyMap<string, string>;

/**
 * The arguments of a script: those of `--args`, each of which may have several with commas between them, and those after the script, each of
 * which is one `name=value`. Their values are read when the script asks for them (`argumentValue`): of arguments that it does not use, they
 * may be anything.
 *
 * @throws ScriptError (ERR_SHEAF_SCRIPT_ARGUMENT) for what is no `name=value`, and for a name that is given twice.
 */
export function scriptArguments(lists: readonly string[], single: readonly string[] = []): ScriptArguments {
  const found = new Map<string, string>();
  for (const text of [...lists.flatMap(split), ...single]) {
    const at = text.indexOf('=');
    const name = text.slice(0, Math.max(0, at)).trim();
    if (!/^[A-Za-z_]\w*$/.test(name))
      throw argumentError(text, `\`${text}\` is no argument of a script: write name=value, such as k=10`);
    if (found.has(name)) throw argumentError(text, `the argument \`${name}\` of the script is given twice`);
    found.set(name, text.slice(at + 1));
  }
  return found;
}

/** Parts with commas between them; those in strings are none. */
function split(text: string): string[] {
  return text.match(/(?:"(?:\\.|[^"\\])*"|[^,])+/gs) ?? [];
}

/**
 * The value of an argument: exactly one literal, numbers with a minus or without.
 *
 * @throws ScriptError (ERR_SHEAF_SCRIPT_ARGUMENT) for anything else.
 */
export function argumentValue(name: string, text: string): Constant {
  const negative = text.startsWith('-');
  const cursor = new Cursor(new Source(`$${name}`, negative ? text.slice(1) : text));
  try {
    const { constant } = constantAt(cursor);
    cursor.expect('end', 'the end of the value');
    if (!negative) return constant;
    const value = negated(constant);
    if (value !== undefined) return value;
  } catch (cause) {
    if (!(cause instanceof ScriptError)) throw cause;
    throw argumentError(`${name}=${text}`, hint(name, text), cause);
  }
  throw argumentError(`${name}=${text}`, hint(name, text));
}

const hint = (name: string, text: string): string =>
  `the argument \`${name}\` of the script is \`${text}\`: give one literal, such as 10, -0.5, true or "text" with its quotes`;

/** As the operator does it: unsigned integers wrap around. */
function negated(constant: Constant): Constant | undefined {
  switch (constant.type) {
    case 'si64':
      return { type: 'si64', value: BigInt.asIntN(64, -constant.value) };
    case 'ui64':
    case 'size':
      return { type: constant.type, value: BigInt.asUintN(64, -constant.value) };
    case 'f64':
    case 'f32':
      return { type: constant.type, value: -constant.value };
    default:
      return undefined;
  }
}

function argumentError(argument: string, message: string, cause?: unknown): ScriptError {
  return new ScriptError(message, {
    code: 'ERR_SHEAF_SCRIPT_ARGUMENT',
    details: { phase: 'parser', argument },
    ...(cause === undefined ? {} : { cause }),
  });
}

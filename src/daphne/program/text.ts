import { typeName } from '../types.ts';
import type { Scalar } from '../values/values.ts';
import type { Block, Instruction, Program, ProgramFunction, Variable } from './program.ts';

/** A program for people, one instruction to a line: what `--explain` shows. */
export function programText(program: Program): string {
  const lines: string[] = [];
  for (const each of [...program.functions, program.main]) functionText(each, program, lines);
  return lines.join('\n');
}

function functionText(of: ProgramFunction, program: Program, lines: string[]): void {
  const nameOf = namesOf(of);
  const typed = (variable: Variable): string => `${nameOf(variable)}: ${typeName(of.variables[variable]!.type)}`;
  const results = of.results.length === 0 ? '' : ` -> ${of.results.map(typeName).join(', ')}`;
  if (lines.length > 0) lines.push('');
  lines.push(`def ${of.name}(${of.parameters.map(typed).join(', ')})${results} {`);
  // Its own stack: blocks may be as deep as scripts are.
  type Part = { readonly block: Block; at: number; readonly depth: number; readonly close: string };
  const stack: Part[] = [{ block: of.body, at: 0, depth: 1, close: '}' }];
  const open = (block: Block, depth: number, close: string): void => {
    stack.push({ block, at: 0, depth, close });
  };
  for (let part = stack.at(-1); part !== undefined; part = stack.at(-1)) {
    const indent = (depth: number): string => '  '.repeat(Math.min(depth, 40));
    const each = part.block[part.at++];
    if (each === undefined) {
      stack.pop();
      lines.push(`${indent(part.depth - 1)}${part.close}`);
      // What follows a part on the same line begins there: `} else {`.
      continue;
    }
    const line = (text: string): number => lines.push(`${indent(part.depth)}${text}`);
    switch (each.kind) {
      case 'if':
        line(`if (${nameOf(each.condition)}) {`);
        if (each.whenFalse.length > 0) open(each.whenFalse, part.depth + 1, '}');
        open(each.whenTrue, part.depth + 1, each.whenFalse.length > 0 ? '} else {' : '}');
        break;
      case 'while':
        line(each.first ? 'do {' : 'while {');
        open(each.body, part.depth + 1, '}');
        open(each.head, part.depth + 1, `} as long as (${nameOf(each.condition)}) {`);
        break;
      case 'for': {
        const step = each.step === undefined ? '' : `:${nameOf(each.step)}`;
        line(`for (${typed(each.variable)} in ${nameOf(each.from)}:${nameOf(each.to)}${step}) {`);
        open(each.body, part.depth + 1, '}');
        break;
      }
      default:
        line(instructionText(each, nameOf, typed, program));
    }
  }
}

/** What a script calls it, with its number, since several may have one name; intermediate results have the number alone. */
const namesOf =
  (of: ProgramFunction) =>
  (variable: Variable): string =>
    `${of.variables[variable]?.name ?? ''}%${variable}`;

function instructionText(
  each: Exclude<Instruction, { readonly kind: 'if' | 'while' | 'for' }>,
  nameOf: (variable: Variable) => string,
  typed: (variable: Variable) => string,
  program: Program,
): string {
  const list = (variables: readonly Variable[]): string => variables.map(nameOf).join(', ');
  const to = (variables: readonly Variable[]): string =>
    variables.length === 0 ? '' : `${variables.map(typed).join(', ')} = `;
  switch (each.kind) {
    case 'constant':
      return `${to([each.to])}${constantText(each.value)}`;
    case 'copy':
      return `${to([each.to])}${nameOf(each.from)}`;
    case 'cast':
      return `${to([each.to])}cast ${nameOf(each.from)}`;
    case 'scalar':
      return `${to([each.to])}${each.operation}.${each.value} ${list(each.args)}`;
    case 'call':
      return `${to(each.to)}${program.functions[each.function]?.name ?? '?'}(${list(each.args)})`;
    case 'builtin': {
      const args = each.args.map((arg) => {
        if (arg === undefined) return '_';
        return typeof arg === 'number' ? nameOf(arg) : (program.functions[arg.function]?.name ?? '?');
      });
      return `${to(each.to)}${each.site.builtin.name}(${args.join(', ')})`;
    }
    case 'return':
      return `return ${list(each.values)}`;
  }
}

const constantText = (value: Scalar): string => (typeof value === 'string' ? JSON.stringify(value) : String(value));

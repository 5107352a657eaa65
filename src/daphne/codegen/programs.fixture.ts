/** Programs made by hand. */

import type { Builtin } from '../builtins/builtin.ts';
import type { Block, Instruction, Program, ProgramFunction, Variable } from '../program/program.ts';
import type { ScalarOperation } from '../program/scalars.ts';
import { Source } from '../source.ts';
import { scalar, type Type, type ValueType } from '../types.ts';
import type { Scalar } from '../values/values.ts';

export const source = new Source('made.daphne', 'x = a / b;\n');
const span = { start: 4, end: 9 };

/** A function, or the script itself, while it grows. */
export class Builder {
  readonly variables: { type: Type; name: string | undefined }[] = [];
  /** Where instructions go. */
  block: Instruction[] = [];
  readonly #body = this.block;

  variable(type: Type | ValueType, name?: string): Variable {
    return this.variables.push({ type: typeof type === 'string' ? scalar(type) : type, name }) - 1;
  }

  constant(value: Scalar, type: ValueType): Variable {
    const to = this.variable(type);
    this.block.push({ kind: 'constant', to, value });
    return to;
  }

  scalar(operation: ScalarOperation, value: ValueType, args: readonly Variable[], to?: Variable): Variable {
    const result =
      to ?? this.variable(value === 'str' && !['concat', 'lower', 'upper'].includes(operation) ? 'si64' : value);
    this.block.push({ kind: 'scalar', operation, value, to: result, args, source, span });
    return result;
  }

  cast(from: Variable, type: ValueType): Variable {
    const to = this.variable(type);
    this.block.push({ kind: 'cast', to, from });
    return to;
  }

  copy(from: Variable, to: Variable): void {
    this.block.push({ kind: 'copy', to, from });
  }

  call(callee: number, args: readonly Variable[], types: readonly ValueType[]): Variable[] {
    const to = types.map((type) => this.variable(type));
    this.block.push({ kind: 'call', function: callee, to, args, source, span });
    return to;
  }

  builtin(builtin: Builtin, args: readonly Variable[], results: readonly Type[] = []): Variable[] {
    const to = results.map((type) => this.variable(type));
    const site = { builtin, source, span, results, fixed: {}, args: args.map((arg) => this.variables[arg]!.type) };
    this.block.push({ kind: 'builtin', site, to, args });
    return to;
  }

  /** What `fill` adds, as a block of its own. */
  within(fill: () => void): Block {
    const outer = this.block;
    const inner: Instruction[] = [];
    this.block = inner;
    fill();
    this.block = outer;
    return inner;
  }

  for(from: Variable, to: Variable, step: Variable | undefined, fill: (i: Variable) => void): void {
    const variable = this.variable('si64');
    const body = this.within(() => fill(variable));
    this.block.push({ kind: 'for', variable, from, to, step, body, source, span });
  }

  if(condition: Variable, whenTrue: () => void, whenFalse: () => void = () => {}): void {
    this.block.push({ kind: 'if', condition, whenTrue: this.within(whenTrue), whenFalse: this.within(whenFalse) });
  }

  return(...values: Variable[]): void {
    this.block.push({ kind: 'return', values });
  }

  function(
    name: string,
    parameters: readonly Variable[],
    results: readonly ValueType[],
    recursive = false,
  ): ProgramFunction {
    return { name, parameters, results: results.map(scalar), variables: this.variables, body: this.#body, recursive };
  }

  program(functions: readonly ProgramFunction[] = [], outputs: readonly Variable[] = []): Program {
    return {
      source,
      main: this.function('main', [], []),
      functions,
      outputs: outputs.map((variable) => ({ name: `v${variable}`, variable })),
    };
  }
}

/** Takes down the instructions of one function. */

import type { Builtin, Site } from '../builtins/builtin.ts';
import type { Instruction, Variable } from '../program/program.ts';
import { scalarCast } from '../program/scalar-casts.ts';
import type { Source, Span } from '../source.ts';
import { scalar, type Type, type ValueType } from '../types.ts';
import type { Scalar } from '../values/values.ts';
import { type Known, UNKNOWN } from './known.ts';

export class Builder {
  readonly variables: { readonly type: Type; name: string | undefined }[];
  /** Blocks within each other that are being filled, from the outermost one. */
  readonly #open: Instruction[][];
  readonly #cast: Builtin | undefined;
  readonly source: Source;

  constructor(source: Source, cast: Builtin | undefined, of?: Builder) {
    this.source = source;
    this.#cast = cast;
    this.variables = of?.variables ?? [];
    this.#open = of === undefined ? [[]] : of.#open;
  }

  /** The same function, as another file goes on with it. */
  of(source: Source): Builder {
    return new Builder(source, this.#cast, this);
  }

  get block(): Instruction[] {
    return this.#open.at(-1) as Instruction[];
  }

  open(): void {
    this.#open.push([]);
  }

  close(): Instruction[] {
    return this.#open.pop() as Instruction[];
  }

  into(block: Instruction[], fill: () => void): void {
    this.#open.push(block);
    fill();
    this.#open.pop();
  }

  variable(type: Type, name?: string): Variable {
    return this.variables.push({ type, name }) - 1;
  }

  emit(instruction: Instruction): void {
    this.block.push(instruction);
  }

  fresh(type: Type, name?: string): Known {
    return { variable: this.variable(type, name), type, constant: undefined };
  }

  constant(value: Scalar, type: ValueType): Known {
    const variable = this.variable(scalar(type));
    this.emit({ kind: 'constant', to: variable, value });
    return { variable, type: scalar(type), constant: value };
  }

  /** A scalar in another value type. */
  cast(from: Known, to: ValueType): Known {
    if (from === UNKNOWN || from.type.data !== 'scalar' || from.type.value === to) return from;
    if (from.constant !== undefined) return this.constant(scalarCast(from.type.value, to)(from.constant), to);
    const made = this.fresh(scalar(to));
    this.emit({ kind: 'cast', to: made.variable, from: from.variable });
    return made;
  }

  /** Puts a value into a variable whose type is at least as general. */
  move(from: Known, to: Variable, span: Span): void {
    if (from === UNKNOWN || from.variable === to) return;
    const wanted = this.variables[to]?.type;
    const value = wanted?.data === 'scalar' || wanted?.data === 'matrix' ? wanted.value : undefined;
    const own = from.type.data === 'scalar' || from.type.data === 'matrix' ? from.type.value : undefined;
    if (from.type.data === 'scalar' && value !== own) {
      this.emit({ kind: 'cast', to, from: from.variable });
    } else if (from.type.data === 'matrix' && wanted?.data === 'matrix' && value !== undefined && value !== own) {
      const site: Site = {
        builtin: this.#cast as Builtin,
        source: this.source,
        span,
        args: [from.type],
        results: [wanted],
        fixed: { to: { data: undefined, value } },
      };
      this.emit({ kind: 'builtin', site, to: [to], args: [from.variable] });
    } else this.emit({ kind: 'copy', to, from: from.variable });
  }
}

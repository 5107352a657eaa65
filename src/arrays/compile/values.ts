import type { FunctionNode } from '../../code/index.ts';
import type { Expression } from './expression.ts';

/** Names and what they stand for, inside of others. */
export class Environment {
  readonly #outer: Environment | undefined;
  readonly #own = new Map<string, { value: Val | undefined; readonly constant: boolean }>();

  constructor(outer?: Environment) {
    this.#outer = outer;
  }

  declare(name: string, value: Val | undefined, constant: boolean): void {
    this.#own.set(name, { value, constant });
  }

  find(name: string): { value: Val | undefined; readonly constant: boolean } | undefined {
    return this.#own.get(name) ?? this.#outer?.find(name);
  }

  /** The same names with the same values, which can change without it. */
  copy(): Environment {
    const copy = new Environment(this.#outer?.copy());
    for (const [name, { value, constant }] of this.#own) copy.#own.set(name, { value, constant });
    return copy;
  }

  /** What differs between two copies of it, put together. */
  merge(one: Environment, other: Environment, join: (one: Val, other: Val) => Val): void {
    for (const [name, slot] of this.#own) {
      const [a, b] = [one.#own.get(name)?.value, other.#own.get(name)?.value];
      if (a === b || a === undefined || b === undefined) slot.value = a === b ? a : undefined;
      else slot.value = join(a, b);
    }
    if (this.#outer !== undefined && one.#outer !== undefined && other.#outer !== undefined) {
      this.#outer.merge(one.#outer, other.#outer, join);
    }
  }
}

/** What an expression of a compiled function can be while it is compiled. */
export type Val =
  | { readonly kind: 'expression'; readonly expression: Expression }
  | { readonly kind: 'function'; readonly node: FunctionNode; readonly environment: Environment }
  | { readonly kind: 'list'; readonly items: readonly Val[] }
  /** An argument of a stencil. */
  | { readonly kind: 'field'; readonly index: number };

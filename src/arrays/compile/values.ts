import type { FunctionNode } from '../../code/index.ts';
import type { Expression } from './expression.ts';

/** What a name stands for; undefined, while it has no value. */
interface Slot {
  value: Val | undefined;
  readonly constant: boolean;
}

let next = 0;

/** Names and what they stand for, inside of others. */
export class Environment {
  readonly #outer: Environment | undefined;
  readonly #own = new Map<string, Slot>();
  /** Copies have that of the original; those that are made later have a greater one. */
  readonly id: number;

  constructor(outer?: Environment, id = next++) {
    this.#outer = outer;
    this.id = id;
  }

  get outer(): Environment | undefined {
    return this.#outer;
  }

  /** This one, and those around it. */
  *chain(): Generator<Environment> {
    for (let each: Environment | undefined = this; each !== undefined; each = each.#outer) yield each;
  }

  declare(name: string, value: Val | undefined, constant: boolean): void {
    this.#own.set(name, { value, constant });
  }

  find(name: string): Slot | undefined {
    return this.#own.get(name) ?? this.#outer?.find(name);
  }

  /** Which one of the chain has the name. */
  holder(name: string): Environment | undefined {
    return this.#own.has(name) ? this : this.#outer?.holder(name);
  }

  /** The same names with the same values, which can change without it. */
  copy(): Environment {
    const copy = new Environment(this.#outer?.copy(), this.id);
    for (const [name, { value, constant }] of this.#own) copy.#own.set(name, { value, constant });
    return copy;
  }

  /** What differs between two copies of it, put together; of those alone that were there before `before` was. */
  merge(one: Environment, other: Environment, join: (one: Val, other: Val) => Val, before = next): void {
    for (const [name, slot] of this.id < before ? this.#own : []) {
      const [a, b] = [one.#own.get(name)?.value, other.#own.get(name)?.value];
      if (a === b || a === undefined || b === undefined) slot.value = a === b ? a : undefined;
      else slot.value = join(a, b);
    }
    if (this.#outer !== undefined && one.#outer !== undefined && other.#outer !== undefined) {
      this.#outer.merge(one.#outer, other.#outer, join, before);
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

/** What a statement comes to instead of a value: the loop around it is over, or the round of it. */
export const BREAK = Symbol('break');
export const NEXT = Symbol('continue');

/** What statements return; undefined, if they come to their end. */
export type Result = Val | typeof BREAK | typeof NEXT | undefined;

export const isValue = (result: Result): result is Val => typeof result === 'object';

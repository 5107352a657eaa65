/** Names of a function or of a script's top level: what they stand for at the place that analysis has come to. */

import type { Span } from '../source.ts';
import type { Known } from './known.ts';

export interface Binding {
  readonly name: string;
  value: Known;
  /** What it is where it can't be assigned. */
  readonly fixed: string | undefined;
  readonly span: Span;
  /** Its scope has ended. */
  isGone: boolean;
}

export class Names {
  /** By name, from the outermost to the innermost. */
  readonly #bindings = new Map<string, Binding[]>();
  readonly #scopes: string[][] = [[]];
  /** What changed bindings were before, since each of the records was begun. */
  readonly #records: Map<Binding, Known>[] = [];

  find(name: string): Binding | undefined {
    return this.#bindings.get(name)?.at(-1);
  }

  declare(name: string, value: Known, span: Span, fixed?: string): void {
    const binding = { name, value, span, fixed, isGone: false };
    const all = this.#bindings.get(name);
    if (all === undefined) this.#bindings.set(name, [binding]);
    else all.push(binding);
    this.#scopes.at(-1)?.push(name);
  }

  set(binding: Binding, value: Known): void {
    const record = this.#records.at(-1);
    if (record !== undefined && !record.has(binding)) record.set(binding, binding.value);
    binding.value = value;
  }

  open(): void {
    this.#scopes.push([]);
  }

  close(): void {
    for (const name of this.#scopes.pop() ?? []) {
      const all = this.#bindings.get(name);
      const gone = all?.pop();
      if (gone !== undefined) gone.isGone = true;
      if (all?.length === 0) this.#bindings.delete(name);
    }
  }

  /** From now on changes are kept in mind. */
  record(): void {
    this.#records.push(new Map());
  }

  /** Takes back what has changed since; gives what it had changed into. */
  takeBack(): Map<Binding, Known> {
    const changed = new Map<Binding, Known>();
    for (const [binding, before] of this.#records.pop() ?? []) {
      if (!binding.isGone) changed.set(binding, binding.value);
      binding.value = before;
    }
    return changed;
  }

  all(): readonly Binding[] {
    return [...this.#bindings.values()].map((each) => each.at(-1) as Binding);
  }
}

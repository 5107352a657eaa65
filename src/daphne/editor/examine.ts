/** What an editor shows of a script: what is wrong with it, the types of its parts, and where names are defined. */

import type { Position, Span } from '../source.ts';
import { typeName } from '../types.ts';
import { findingsOf, type Problem } from './problems.ts';

export type { Problem };

export interface Defined {
  /** Of the file, as it was read. */
  readonly path: string;
  readonly from: Position;
  readonly to: Position;
}

export interface Examined {
  /** What is wrong, but for what follows from other problems; in the order of the text. */
  readonly problems: readonly Problem[];
  /** What is known of the smallest expression at a place: its text, cut where it is long, and its type. */
  at(offset: number): (Span & { readonly text: string }) | undefined;
  /** Where the name at a place is defined. */
  definitionOf(offset: number): Defined | undefined;
}

const MOST_SHOWN = 60;

/** @param path of the script: imports and files are looked for from there. */
export function examine(path: string, text: string): Examined {
  const { types, uses, problems } = findingsOf(path, text);
  return {
    problems,
    at(offset) {
      const found = smallest(types, offset);
      if (found === undefined) return undefined;
      const { start, end } = found;
      const shown = text.slice(start, end).replace(/\s+/g, ' ');
      const cut = shown.length > MOST_SHOWN ? `${shown.slice(0, MOST_SHOWN - 1)}…` : shown;
      return { start, end, text: `${cut}: ${typeName(found.type)}` };
    },
    definitionOf(offset) {
      const found = smallest(uses, offset);
      if (found === undefined) return undefined;
      const { source: where, span } = found.definition;
      return { path: where.name, from: where.position(span.start), to: where.position(span.end) };
    },
  };
}

/** The smallest span around a place; of equal ones the last, which is what a loop has settled on. */
function smallest<T extends Span>(spans: readonly T[], offset: number): T | undefined {
  let found: T | undefined;
  for (const each of spans) {
    const isAround = each.start <= offset && offset <= each.end;
    if (isAround && (found === undefined || each.end - each.start <= found.end - found.start)) found = each;
  }
  return found;
}

import { ELEMENTWISE } from '../kernels/elementwise.ts';
import { REDUCERS } from '../kernels/reducers.ts';
import { DTYPE_NAMES } from '../nd/index.ts';
import type { Buffer } from './buffers.ts';
import type { Node, Op } from './graph.ts';
import { inOrder, isDense } from './walk.ts';

/** Elements that are there: all of a buffer from `offset` on. */
export interface SourceArray {
  readonly buffer: Buffer;
  readonly offset: number;
}

/** So many sources are looked through before it takes a table to find them. */
const FEW = 16;

/** Numbers for whatever has a name. Those of operations follow those of the other kinds. */
const KINDS = ['source', 'constant', 'position', 'cast', 'view', 'reshape', 'reduce', 'min', 'max', 'whole'] as const;
const NUMBERS: ReadonlyMap<string, number> = new Map(
  [...KINDS, ...Object.keys(ELEMENTWISE), ...Object.keys(REDUCERS), ...DTYPE_NAMES].map((name, i) => [name, i]),
);
const numberOfName = (name: string): number => NUMBERS.get(name) as number;

/** Arrays up to here are small: it takes longer to plan an operation on one than to do it. */
const SMALL = 1 << 12;

export function isSmall({ op, shape }: Node): boolean {
  let size = 1;
  for (let i = 0; i < shape.length; i++) size *= shape[i] as number;
  return size <= SMALL && (op.kind !== 'source' || op.buffer.length <= SMALL);
}

/**
 * The nodes of a graph, which it numbers, arguments before what takes them, and what differs from run to run: sources and constants, by number. `code` is the
 * rest, so that graphs with the same code have the same plan. Taken whenever something is computed, so it has to be quick.
 */
export class Survey {
  readonly order: readonly Node[];
  readonly sources: SourceArray[] = [];
  readonly scalars: (number | bigint)[] = [];
  /** Of each source and constant of the order its number among those. */
  readonly given: number[] = [];
  /** Whether it takes longer to share the work, or the memory, than to do it. */
  isSmall = true;
  readonly code: number[] = [];
  /** What has no numbers. */
  readonly texts: string[] = [];
  #table: Map<Buffer, number[]> | undefined;
  #scalars: Map<string, number> | undefined;

  constructor(roots: readonly Node[]) {
    const { code } = this;
    this.order = inOrder(roots);
    for (let at = 0; at < this.order.length; at++) {
      const node = this.order[at] as Node;
      const { args } = node;
      node.number = at;
      if (this.isSmall && !isSmall(node)) this.isSmall = false;
      this.#encode(node);
      for (let i = 0; i < args.length; i++) code.push((args[i] as Node).number);
    }
    for (const root of roots) code.push(root.number);
  }

  /** Whatever does not follow from the arguments. */
  #encode(node: Node): void {
    const { op } = node;
    const { code } = this;
    switch (op.kind) {
      case 'element':
        code.push(numberOfName(op.op));
        return;
      case 'constant':
        code.push(numberOfName(op.kind), this.#scalar(node, op.value));
        this.#type(node);
        return;
      case 'source':
        code.push(numberOfName(op.kind), this.#source(node, op.buffer, op.offset));
        this.#type(node);
        if (isDense(node.shape, op.strides)) code.push(1);
        else code.push(0, ...op.strides);
        return;
      case 'cast':
        code.push(numberOfName(op.kind), numberOfName(node.dtype));
        return;
      case 'position':
        code.push(numberOfName(op.kind), op.axis);
        this.#type(node);
        return;
      case 'view':
        code.push(numberOfName(op.kind), op.maps.length);
        for (const { start, step, axis } of op.maps) code.push(start, step, axis ?? -1);
        this.#type(node);
        return;
      case 'reshape':
        code.push(numberOfName(op.kind));
        this.#type(node);
        return;
      case 'reduce':
        code.push(numberOfName(op.kind), numberOfName(op.reducer), op.axes.length, ...op.axes);
        return;
      case 'place':
        code.push(numberOfName(op.of), op.axis);
        return;
      default:
        this.texts.push(textOf(op));
        code.push(numberOfName('whole'), node.args.length);
        this.#type(node);
    }
  }

  #type({ shape, dtype }: Node): void {
    this.code.push(numberOfName(dtype), shape.length);
    for (let i = 0; i < shape.length; i++) this.code.push(shape[i] as number);
  }

  #scalar({ number }: Node, value: number | bigint): number {
    const { scalars, given } = this;
    let scalar = -1;
    // The same number of another type is the same scalar: no type has two forms of it.
    if (scalars.length < FEW) scalar = scalars.findIndex((each) => Object.is(each, value));
    else {
      this.#scalars ??= new Map(scalars.map((each, i) => [textOfScalar(each), i]));
      scalar = this.#scalars.get(textOfScalar(value)) ?? -1;
    }
    if (scalar < 0) {
      scalar = scalars.push(value) - 1;
      this.#scalars?.set(textOfScalar(value), scalar);
    }
    given[number] = scalar;
    return scalar;
  }

  #source({ number }: Node, buffer: Buffer, offset: number): number {
    const { sources } = this;
    let found = -1;
    if (this.#table === undefined) {
      found = sources.findIndex((each) => each.buffer === buffer && each.offset === offset);
    } else {
      for (const i of this.#table.get(buffer) ?? []) if (sources[i]?.offset === offset) found = i;
    }
    if (found < 0) {
      found = sources.push({ buffer, offset }) - 1;
      if (this.#table !== undefined) this.#note(buffer, found);
      else if (sources.length > FEW) {
        this.#table = new Map();
        for (const [i, source] of sources.entries()) this.#note(source.buffer, i);
      }
    }
    this.given[number] = found;
    return found;
  }

  #note(buffer: Buffer, source: number): void {
    const known = this.#table?.get(buffer);
    if (known === undefined) this.#table?.set(buffer, [source]);
    else known.push(source);
  }
}

const textOfScalar = (value: number | bigint): string =>
  typeof value === 'bigint' ? `${value}n` : Object.is(value, -0) ? '-0' : `${value}`;

function textOf(op: Op): string {
  return JSON.stringify(op, (_, each: unknown) =>
    // JSON has no such numbers.
    typeof each === 'number' && (!Number.isFinite(each) || Object.is(each, -0)) ? `${1 / each} ${each}` : each,
  );
}

/** A graph without what differs from run to run. */
export interface Coded {
  readonly code: readonly number[];
  readonly texts: readonly string[];
}

/** Whether two graphs have the same plan. */
export function isSame(a: Coded, b: Coded): boolean {
  if (a.code.length !== b.code.length || a.texts.length !== b.texts.length) return false;
  for (let i = 0; i < a.code.length; i++) if (a.code[i] !== b.code[i]) return false;
  return a.texts.every((text, i) => text === b.texts[i]);
}

/** The same number for graphs that have the same plan. */
export function hashOf({ code, texts }: Coded): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < code.length; i++) hash = Math.imul(hash ^ (code[i] as number), 0x01000193);
  for (const text of texts) {
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return hash;
}

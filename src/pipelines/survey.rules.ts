import type { Shape } from '../nd/index.ts';
import type { Buffer } from './buffers.ts';
import type { AxisMap, Node, Op } from './graph.ts';
import { isDense } from './walk.ts';

/** Elements that are there: all of a buffer from `offset` on. */
export interface SourceArray {
  readonly buffer: Buffer;
  readonly offset: number;
}

/** So many sources are looked through before it takes a table to find them. */
const FEW = 16;

/**
 * The nodes of a graph, arguments before what takes them, and what differs from run to run: sources and constants, by number. `key` is the rest, so that
 * graphs with the same key have the same plan. Taken whenever something is computed, so it has to be quick.
 */
export class Survey {
  readonly order: Node[] = [];
  readonly sources: SourceArray[] = [];
  readonly scalars: (number | bigint)[] = [];
  /** Of each source and constant of the order its number among those. */
  readonly given: number[] = [];
  readonly key: string;
  readonly #numbers = new Map<Node, number>();
  readonly #scalars = new Map<string, number>();
  #table: Map<Buffer, number[]> | undefined;

  constructor(roots: readonly Node[]) {
    let key = '';
    // A graph may be deeper than the stack of calls.
    const open: Node[] = [];
    const next: number[] = [];
    for (const root of roots) {
      if (this.#numbers.has(root)) continue;
      open.push(root);
      next.push(0);
      this.#numbers.set(root, -1);
      while (open.length > 0) {
        const top = open.length - 1;
        const node = open[top] as Node;
        const { args } = node;
        const at = next[top] as number;
        if (at < args.length) {
          next[top] = at + 1;
          const arg = args[at] as Node;
          if (!this.#numbers.has(arg)) {
            this.#numbers.set(arg, -1);
            open.push(arg);
            next.push(0);
          }
          continue;
        }
        open.pop();
        next.pop();
        this.#numbers.set(node, this.order.push(node) - 1);
        key += this.#textOf(node);
        for (const arg of args) key += ` ${this.#numbers.get(arg)}`;
        key += ';';
      }
    }
    for (const root of roots) key += ` ${this.#numbers.get(root)}`;
    this.key = key;
  }

  numberOf(node: Node): number {
    return this.#numbers.get(node) as number;
  }

  /** Whatever does not follow from the arguments. */
  #textOf(node: Node): string {
    const { op } = node;
    switch (op.kind) {
      case 'element':
        return op.op;
      case 'constant':
        return `=${this.#scalar(node.dtype, op.value)} ${node.dtype} ${textOf(node.shape)}`;
      case 'source': {
        const lies = isDense(node.shape, op.strides) ? '' : textOf(op.strides);
        return `@${this.#source(op.buffer, op.offset)} ${node.dtype} ${textOf(node.shape)} ${lies}`;
      }
      case 'cast':
        return `cast ${node.dtype}`;
      case 'position':
        return `position ${op.axis} ${textOf(node.shape)}`;
      case 'view':
        return `view ${textOf(node.shape)} ${mapsText(op.maps)}`;
      case 'reshape':
        return `reshape ${textOf(node.shape)}`;
      case 'reduce':
        return `${op.reducer} ${textOf(op.axes)}`;
      case 'place':
        return `${op.of} place ${op.axis}`;
      default:
        return wholeText(op);
    }
  }

  #scalar(dtype: string, value: number | bigint): number {
    const text = dtype + (Object.is(value, -0) ? '-0' : value);
    let scalar = this.#scalars.get(text);
    if (scalar === undefined) {
      scalar = this.scalars.push(value) - 1;
      this.#scalars.set(text, scalar);
    }
    this.given[this.order.length - 1] = scalar;
    return scalar;
  }

  #source(buffer: Buffer, offset: number): number {
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
    this.given[this.order.length - 1] = found;
    return found;
  }

  #note(buffer: Buffer, source: number): void {
    const known = this.#table?.get(buffer);
    if (known === undefined) this.#table?.set(buffer, [source]);
    else known.push(source);
  }
}

/** As `join` does it, which takes longer for so few. */
function textOf(list: Shape): string {
  switch (list.length) {
    case 0:
      return '-';
    case 1:
      return `${list[0]}`;
    case 2:
      return `${list[0]},${list[1]}`;
    default:
      return list.join();
  }
}

const mapsText = (maps: readonly AxisMap[]): string =>
  maps.map(({ start, step, axis }) => `${start},${step},${axis}`).join(' ');

function wholeText(op: Op): string {
  return JSON.stringify(op, (_, each: unknown) =>
    // JSON has no such numbers.
    typeof each === 'number' && (!Number.isFinite(each) || Object.is(each, -0)) ? `${1 / each} ${each}` : each,
  );
}

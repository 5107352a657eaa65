/** Elements that are there, and where they are. */

import { DTYPES, sizeOf } from '../../nd/index.ts';
import { type Buffers, isComputed, type Node } from '../../pipelines/index.ts';

type Source = Node & { readonly op: Extract<Node['op'], { kind: 'source' }> };

/** With less it does not matter where they are. */
const LARGE = 1 << 20;

const isSource = (node: Node): node is Source => node.op.kind === 'source';
const bytesOf = ({ op: { buffer } }: Source): number => buffer.length * DTYPES[buffer.dtype].bytes;

/** Large arrays that are there: the nodes that are, and what the others are made of. */
function largeSources(nodes: Iterable<Node>): Set<Source> {
  const found = new Set<Source>();
  const open = [...nodes];
  const seen = new Set(open);
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (isSource(node) && bytesOf(node) >= LARGE) found.add(node);
    for (const arg of node.args) {
      if (!seen.has(arg)) open.push(arg);
      seen.add(arg);
    }
  }
  return found;
}

/** How many bytes of large arrays lie in a storage. */
export function bytesIn(storage: Buffers, nodes: Iterable<Node>): number {
  const sources = [...largeSources(nodes)].filter(({ op }) => op.buffer.home === storage);
  const buffers = new Map(sources.map((source) => [source.op.buffer, bytesOf(source)]));
  return [...buffers.values()].reduce((sum, bytes) => sum + bytes, 0);
}

/** Large arrays get a copy in a storage, which is the one that is used there from now on. */
export function copyTo(storage: Buffers, nodes: Iterable<Node>): void {
  for (const { op } of largeSources(nodes)) storage.here(op.buffer);
}

/** Bytes that arrays will have which are not there yet. */
export const bytesToBe = (nodes: Iterable<Node>): number =>
  [...nodes]
    .filter((node) => !isComputed(node))
    .reduce((sum, { shape, dtype }) => sum + sizeOf(shape) * DTYPES[dtype].bytes, 0);

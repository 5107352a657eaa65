import { CodecError } from '../../base/index.ts';
import { type DType, type Elements, shapeText } from '../../nd/index.ts';
import { inThread, type Node } from '../../pipelines/index.ts';
import { formatterOf } from '../numbers.ts';
import { pipelinesFor, sourceOf } from '../place.ts';
import { call } from '../routines.ts';
import { part } from '../views.ts';
import { rowsOf } from './convert.ts';
import { arraysOf, counted, type Parts, shapeOf } from './parts.ts';

/** Room that is not used and more than this part of all is given back. */
const WASTED = 1 / 4;

/** Computes a matrix; gives it with as many elements as there are. */
export async function persisted(s: Parts): Promise<Parts> {
  const pipelines = pipelinesFor('persist');
  await pipelines.compute(arraysOf(s));
  const count = s.count ?? Number(pipelines.read(s.indptr)[s.rows]);
  const room = s.values.shape[0] as number;
  const known = { ...s, count, of: undefined };
  if (count === room) return known;
  const used = [s.indices, s.values].map((list) => part(list, 0, 0, count));
  if (room - count <= WASTED * room) {
    const [indices, values] = used as [Node, Node];
    await pipelines.compute(used);
    return { ...known, indices, values };
  }
  const [indptr, indices, values] = call(
    'copied',
    [s.indptr, ...used],
    {},
    [s.indptr, ...used].map(({ shape, dtype }) => ({ shape, dtype })),
  ) as [Node, Node, Node];
  await pipelines.compute([indptr, indices, values]);
  return { ...known, indptr, indices, values, pattern: { users: 0, isAbandoned: false }, isMaker: true };
}

/** The same at once, in this thread, whether there is a session or not. Room that is not used is kept. */
export function persistedHere(s: Parts): Parts {
  const pipelines = inThread();
  pipelines.computeNow(arraysOf(s));
  const count = s.count ?? Number(pipelines.read(s.indptr)[s.rows]);
  const known = { ...s, count, of: undefined };
  if (count === (s.values.shape[0] as number)) return known;
  const [indices, values] = [s.indices, s.values].map((list) => part(list, 0, 0, count)) as [Node, Node];
  pipelines.computeNow([indices, values]);
  return { ...known, indices, values };
}

const releaseNode = ({ op }: Node): void => {
  if (op.kind === 'source') op.buffer.home.release(op.buffer);
};

/** Lets go of one that was computed. */
export function released({ values, indptr, indices, pattern, isMaker }: Parts): void {
  releaseNode(values);
  pattern.users--;
  if (isMaker) pattern.isAbandoned = true;
  if (pattern.users > 0 || !pattern.isAbandoned) return;
  releaseNode(indptr);
  releaseNode(indices);
}

/** A matrix on its way to another process. */
export interface Travelling {
  readonly dtype: DType;
  readonly shape: readonly [number, number];
  readonly indptr: Elements;
  readonly indices: Elements;
  readonly values: Elements;
}

export function sent(s: Parts): Travelling {
  if (arraysOf(s).some(({ op }) => op.kind !== 'source')) {
    throw new CodecError("a sparse matrix that is not computed yet can't be sent; `await s.persist()` first");
  }
  const pipelines = pipelinesFor('sending a sparse matrix');
  const [indptr, indices, values] = arraysOf(s).map((node) => pipelines.read(node)) as [Elements, Elements, Elements];
  return { dtype: s.dtype, shape: shapeOf(s), indptr, indices, values };
}

export function received({ dtype, shape: [rows, columns], indptr, indices, values }: Travelling): Parts {
  const node = (elements: Elements, type: DType): Node => sourceOf(elements, [elements.length], type);
  return {
    ...{ rows, columns, dtype, count: values.length, of: undefined },
    ...{ indptr: node(indptr, 'i32'), indices: node(indices, 'i32'), values: node(values, dtype) },
    ...{ pattern: { users: 1, isAbandoned: false }, isMaker: true },
  };
}

/** So many entries are shown at either end. */
const EDGE = 5;

/** A text for people. */
export async function shown(s: Parts): Promise<string> {
  const pipelines = pipelinesFor('show');
  const rows = rowsOf('show', s);
  const nodes = [rows, s.indices, s.values];
  await pipelines.compute(nodes);
  const [i, j, values] = nodes.map((node) => pipelines.read(node)) as [Elements, Elements, Elements];
  const count = counted('show', s);
  const head = `${s.dtype} ${shapeText(shapeOf(s))}, ${count} ${count === 1 ? 'element' : 'elements'}`;
  const all = Array.from({ length: Math.min(count, 2 * EDGE + 1) }, (_, at) =>
    count <= 2 * EDGE + 1 || at < EDGE ? at : at === EDGE ? -1 : count - 2 * EDGE - 1 + at,
  );
  const format = formatterOf(
    all.filter((at) => at >= 0).map((at) => values[at] as number | bigint),
    s.dtype,
    false,
  );
  const lines = all.map((at) => (at < 0 ? '  ...' : `  (${i[at]}, ${j[at]}) ${format(values[at] as number | bigint)}`));
  return [head, ...lines].join('\n');
}

/** Types where two ways come together, and for functions that are compiled for many. */

import { type FrameType, list, type MatrixType, matrix, mostGeneral, scalar, type Type } from '../types.ts';
import type { Scalar } from '../values/values.ts';

const equalOr = <T>(a: T, b: T): T | undefined => (a === b ? a : undefined);

/** What is known of a value that is of the one type or of the other. Undefined: they are no types of one variable. */
export function joined(a: Type, b: Type): Type | undefined {
  if (a === b) return a;
  if (a.data === 'scalar' && b.data === 'scalar') return scalar(mostGeneral(a.value, b.value));
  if (a.data === 'matrix' && b.data === 'matrix') return joinedMatrices(a, b);
  if (a.data === 'frame' && b.data === 'frame') return joinedFrames(a, b);
  if (a.data === 'list' && b.data === 'list') return list(equalOr(a.value, b.value));
  return undefined;
}

function joinedMatrices(a: MatrixType, b: MatrixType): MatrixType {
  const value = a.value === undefined || b.value === undefined ? undefined : mostGeneral(a.value, b.value);
  const isSparse = a.sparse === true && b.sparse === true;
  return matrix(value, equalOr(a.rows, b.rows), equalOr(a.columns, b.columns), {
    sparsity: equalOr(a.sparsity, b.sparsity),
    symmetric: a.symmetric === true && b.symmetric === true ? true : undefined,
    ...(isSparse ? { sparse: true } : {}),
  });
}

function joinedFrames(a: FrameType, b: FrameType): FrameType {
  const rows = equalOr(a.rows, b.rows);
  const same =
    a.columns?.length === b.columns?.length &&
    a.columns?.every(({ label, value }, i) => label === b.columns?.[i]?.label && value === b.columns[i].value);
  return { data: 'frame', rows, columns: same ? a.columns : undefined };
}

/** Without what differs from value to value: shapes, and what is estimated. */
export function generalised(type: Type): Type {
  if (type.data === 'matrix') return matrix(type.value);
  return type.data === 'frame' ? { data: 'frame', rows: undefined, columns: type.columns } : type;
}

/** With as little as may be known of a variable that changes in a loop. */
export function widest(type: Type): Type {
  return type.data === 'frame' ? { data: 'frame', rows: undefined, columns: undefined } : generalised(type);
}

/** The same text for the same types alone. */
export function typeKey(type: Type): string {
  switch (type.data) {
    case 'scalar':
      return type.value;
    case 'matrix': {
      const { value, rows, columns, sparsity, symmetric, sparse } = type;
      return `m ${value} ${rows} ${columns} ${sparsity} ${symmetric === true} ${sparse === true}`;
    }
    case 'frame':
      return `f ${type.rows} ${JSON.stringify(type.columns?.map(({ label, value }) => [label, value]))}`;
    case 'list':
      return `l ${type.value}`;
  }
}

export const constantKey = (value: Scalar | undefined): string => {
  if (value === undefined) return '';
  if (typeof value === 'string') return JSON.stringify(value);
  return Object.is(value, -0) ? '-0' : `${typeof value} ${value}`;
};

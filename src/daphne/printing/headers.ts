import { PRINTED_NAMES, type ValueType } from '../types.ts';
import type { DataObject } from '../values/values.ts';

/** Of lists that have never had an element nobody knows the type; none can be made by a script. */
const nameOf = (value: ValueType | undefined): string => (value === undefined ? '' : PRINTED_NAMES[value]);

/** The line above a printed data object, which `typeOf` gives as well: `DenseMatrix(2x2, double)`. */
export function headerOf(object: DataObject): string {
  switch (object.kind) {
    case 'dense':
    case 'strings':
      return `DenseMatrix(${object.rows}x${object.columns}, ${nameOf(object.value)})`;
    case 'sparse':
      return `CSRMatrix(${object.rows}x${object.columns}, ${nameOf(object.value)})`;
    case 'frame': {
      const columns = object.columns.map(({ label, value }) => `${label}:${nameOf(value)}`);
      return `Frame(${object.rows}x${columns.length}, [${columns.join(', ')}])`;
    }
    case 'list':
      return `List(${object.elements.length}, DenseMatrix, ${nameOf(object.value)})`;
  }
}

/** What `typeOf` says of a scalar: strings are C's there. */
export const scalarTypeText = (value: ValueType): string => (value === 'str' ? 'const char*' : PRINTED_NAMES[value]);

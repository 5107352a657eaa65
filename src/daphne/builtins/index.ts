import type { BinaryOperator } from '../syntax/index.ts';
import { AGGREGATION } from './aggregation.ts';
import type { Builtin } from './builtin.ts';
import { CASTS } from './casts.ts';
import { DNN } from './dnn.ts';
import { ELEMENTWISE } from './elementwise.ts';
import { FILES } from './files.ts';
import { FRAMES } from './frames.ts';
import { GENERATION } from './generation.ts';
import { INDEXING } from './indexing.ts';
import { LINEAR } from './linear.ts';
import { LISTS } from './lists.ts';
import { LITERALS } from './literals.ts';
import { METADATA } from './metadata.ts';
import { PREPROCESSING } from './preprocessing.ts';
import { PRINTING } from './printing.ts';
import { RELATIONAL } from './relational.ts';
import { REORGANISATION } from './reorganisation.ts';
import { SYSTEM } from './system.ts';

export * from './builtin.ts';

/** All of them by their names. */
export const BUILTINS: ReadonlyMap<string, Builtin> = new Map(
  [
    ...GENERATION,
    ...METADATA,
    ...ELEMENTWISE,
    ...AGGREGATION,
    ...REORGANISATION,
    ...INDEXING,
    ...LITERALS,
    ...CASTS,
    ...LINEAR,
    ...DNN,
    ...PREPROCESSING,
    ...FRAMES,
    ...RELATIONAL,
    ...LISTS,
    ...PRINTING,
    ...FILES,
    ...SYSTEM,
  ].map((each) => [each.name, each]),
);

/** The built-ins that operators are. `+` of strings is `concat`. */
export const OPERATORS: Readonly<Record<BinaryOperator, string>> = {
  '@': '$matMul',
  '^': 'pow',
  '%': 'mod',
  '*': '$mul',
  '/': '$div',
  '+': '$add',
  '-': '$sub',
  '==': '$eq',
  '!=': '$neq',
  '<': '$lt',
  '<=': '$le',
  '>': '$gt',
  '>=': '$ge',
  '&&': '$and',
  '||': '$or',
};

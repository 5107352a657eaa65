import { BUILT_INS } from './builtins.ts';
import { CALLS } from './calls.ts';
import type { Cases } from './case.ts';
import { DATA } from './data.ts';
import { EXPRESSIONS } from './expressions.ts';
import { LEXICAL } from './lexical.ts';
import { NETWORKS } from './networks.ts';
import { RELATIONAL } from './relational.ts';
import { STATEMENTS } from './statements.ts';

export type { Case, Cases } from './case.ts';

/** All of them, by the files that they are in. `docs/daphne-reference.md` says of each built-in and each form which ones show it. */
export const CASES: Readonly<Record<string, Cases>> = {
  lexical: LEXICAL,
  expressions: EXPRESSIONS,
  data: DATA,
  statements: STATEMENTS,
  builtins: BUILT_INS,
  calls: CALLS,
  networks: NETWORKS,
  relational: RELATIONAL,
};

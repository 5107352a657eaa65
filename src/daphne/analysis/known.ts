import type { Variable } from '../program/program.ts';
import { matrix, type Type } from '../types.ts';
import type { Scalar } from '../values/values.ts';

/** A value as analysis knows it, and the variable that has it when the program runs. */
export interface Known {
  readonly variable: Variable;
  readonly type: Type;
  readonly constant: Scalar | undefined;
}

/** What comes of something wrong that has been noted, while analysis looks for what is worse: nothing that is done with it is wrong. */
export const UNKNOWN: Known = { variable: -1, type: matrix(undefined), constant: undefined };

export const hasUnknown = (all: readonly Known[]): boolean => all.includes(UNKNOWN);

/** What an expression gives: undefined is any number of values of which nothing is known. */
export type Results = readonly Known[] | undefined;

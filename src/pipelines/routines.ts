import { InternalError } from '../base/index.ts';
import type { Elements } from '../nd/index.ts';
import type { ArrayType, Params } from './graph.ts';

/** An array as routines get it: its elements lie row by row. */
export interface DenseArray extends ArrayType {
  readonly elements: Elements;
}

/** What is computed on whole arrays. It writes all elements of its results, which are not those of its arguments. */
export type Routine = (args: readonly DenseArray[], params: Params, results: readonly DenseArray[]) => void;

/** Routines by name. */
export type Routines = ReadonlyMap<string, Routine>;

export function routineOf(routines: Routines, name: string): Routine {
  const routine = routines.get(name);
  if (routine === undefined) throw new InternalError(`there is no routine ${name}`);
  return routine;
}

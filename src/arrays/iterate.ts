import { shown, UsageError } from '../base/index.ts';
import type { Arr } from './arr.ts';
import { Checkpoints } from './checkpoints.ts';
import { checkFunction, checkInteger, checkOptions } from './checks.ts';
import { isArr, nodeOf } from './lazy.ts';
import type { D } from './types.ts';
import { computeAll, item } from './values.ts';

/** What `iterate` takes. */
export interface IterateOptions<T extends D = D> {
  /** So many steps at most. */
  max: number;
  /** How many steps are computed at once, and lie between two checks; 1, if nothing is said. */
  every?: number;
  /** Whether to end, asked of the last two arrays at each check; an array of one boolean. */
  until?(next: Arr<T>, prev: Arr<T>): Arr<'bool'>;
  /** Told at each check; what it gives is waited for. */
  onCheck?(info: CheckInfo<T>): void | Promise<void>;
  /**
   * A folder in which the array of the last check is kept, as `step-N.npy`. A program that was ended in between goes on from there when it is run
   * again: with the same start, step and folder. When the iteration has come to its end, the file is removed, and so is the folder, if nothing else
   * is in it.
   */
  checkpoint?: string;
}

/** What `onCheck` is told. */
export interface CheckInfo<T extends D = D> {
  /** How many steps have been done. */
  readonly step: number;
  /** The array after them, computed. */
  readonly value: Arr<T>;
}

/** What `iterate` gives. */
export interface Iterated<T extends D = D> {
  /** The array after the last step, computed. */
  readonly value: Arr<T>;
  /** How many steps were done. */
  readonly steps: number;
  /** Whether `until` has ended it. */
  readonly converged: boolean;
}

/**
 * Applies a step again and again, and computes what it gives every few steps.
 *
 * @param u where it begins.
 * @param step gives the next array; of the same shape and type.
 * @throws UsageError when the step gives another shape or type, or a checkpoint has another one.
 */
export async function iterate<T extends D>(
  u: Arr<T>,
  step: (u: Arr<T>) => Arr<T>,
  o: IterateOptions<T>,
): Promise<Iterated<T>> {
  const { shape, dtype } = nodeOf('iterate', u);
  checkFunction('iterate', 'the step', step);
  checkOptions('iterate', o, ['max', 'every', 'until', 'onCheck', 'checkpoint']);
  // Without options there is no end: it is asked for as any other that is missing.
  const most = checkInteger('iterate', 'max', (o as IterateOptions<T> | undefined)?.max, 0);
  const every = checkInteger('iterate', 'every', o.every ?? 1, 1);
  if (o.until !== undefined) checkFunction('iterate', 'until', o.until);
  if (o.onCheck !== undefined) checkFunction('iterate', 'onCheck', o.onCheck);
  if (o.checkpoint !== undefined && (typeof o.checkpoint !== 'string' || o.checkpoint === '')) {
    throw new UsageError(`iterate: checkpoint is ${shown(o.checkpoint)}; give the path of a folder`, {
      details: { operation: 'iterate' },
    });
  }
  const checkpoints = o.checkpoint === undefined ? undefined : await Checkpoints.open<T>(o.checkpoint);
  // One of a later step than is asked for is of another iteration.
  const begun = (checkpoints?.last ?? most) < most ? checkpoints?.last : undefined;
  let value = begun === undefined ? u : await (checkpoints as Checkpoints<T>).read(begun);
  if (begun !== undefined) checkKept(value, shape, dtype, (checkpoints as Checkpoints<T>).path(begun));
  await computeAll('iterate', [value]);
  let steps = begun ?? 0;
  let converged = false;
  while (steps < most && !converged) {
    let before = value;
    // Checks are where they would have been without a break.
    for (const end = Math.min(most, steps + every - (steps % every)); steps < end; steps++) {
      before = value;
      value = step(before);
      checkStep(value, shape, dtype);
    }
    const done = o.until?.(value, before);
    if (done !== undefined && !(isArr(done) && done.dtype === 'bool' && done.size === 1)) {
      throw new UsageError(
        'iterate: until gives an array of one boolean, such as next.sub(prev).abs().max().less(1e-6)',
        {
          details: { operation: 'iterate' },
        },
      );
    }
    // Together, since they share nearly everything.
    await computeAll('iterate', done === undefined ? [value] : [value, done]);
    converged = done !== undefined && (await item(done));
    if (steps < most && !converged) await checkpoints?.write(steps, value);
    await o.onCheck?.({ step: steps, value });
  }
  await checkpoints?.clear();
  return { value, steps, converged };
}

const isLike = (x: Arr, shape: readonly number[], dtype: D): boolean =>
  x.dtype === dtype && x.ndim === shape.length && x.shape.every((n, i) => n === shape[i]);

function checkKept(kept: Arr, shape: readonly number[], dtype: D, path: string): void {
  if (isLike(kept, shape, dtype)) return;
  throw new UsageError(
    `iterate: ${path} has a ${kept.dtype} of the shape [${kept.shape.join(', ')}], and what begins is a ${dtype} of the shape ` +
      `[${shape.join(', ')}]; it is of another iteration: remove it, or give another folder`,
    { code: 'ERR_SHEAF_SHAPE', details: { operation: 'iterate', shapes: [[...shape], [...kept.shape]] } },
  );
}

function checkStep(next: Arr, shape: readonly number[], dtype: D): void {
  const node = nodeOf('iterate: what the step gives', next);
  if (isLike(next, shape, dtype)) return;
  throw new UsageError(
    `iterate: the step makes a ${node.dtype} of the shape [${node.shape.join(', ')}] out of a ${dtype} of the shape [${shape.join(', ')}]; it ` +
      'has to give what it was given',
    { code: 'ERR_SHEAF_SHAPE', details: { operation: 'iterate', shapes: [[...shape], [...node.shape]] } },
  );
}

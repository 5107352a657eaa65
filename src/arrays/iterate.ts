import { UsageError } from '../base/index.ts';
import type { Arr } from './arr.ts';
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
  /** Told at each check. */
  onCheck?(info: CheckInfo): void;
}

/** What `onCheck` is told. */
export interface CheckInfo {
  /** How many steps have been done. */
  step: number;
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
 * @throws UsageError when the step gives another shape or type.
 */
export async function iterate<T extends D>(
  u: Arr<T>,
  step: (u: Arr<T>) => Arr<T>,
  o: IterateOptions<T>,
): Promise<Iterated<T>> {
  const first = nodeOf('iterate', u);
  checkFunction('iterate', 'the step', step);
  checkOptions('iterate', o, ['max', 'every', 'until', 'onCheck']);
  // Without options there is no end: it is asked for as any other that is missing.
  const most = checkInteger('iterate', 'max', (o as IterateOptions<T> | undefined)?.max, 0);
  const every = checkInteger('iterate', 'every', o.every ?? 1, 1);
  if (o.until !== undefined) checkFunction('iterate', 'until', o.until);
  if (o.onCheck !== undefined) checkFunction('iterate', 'onCheck', o.onCheck);
  let value = u;
  await computeAll('iterate', [u]);
  for (let steps = 0; steps < most; ) {
    let before = value;
    for (const end = Math.min(most, steps + every); steps < end; steps++) {
      before = value;
      value = step(before);
      checkStep(value, first.shape, first.dtype);
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
    o.onCheck?.({ step: steps });
    if (done !== undefined && (await item(done))) return { value, steps, converged: true };
  }
  return { value, steps: most, converged: false };
}

function checkStep(next: unknown, shape: readonly number[], dtype: D): void {
  const node = nodeOf('iterate: what the step gives', next);
  if (node.dtype === dtype && node.shape.length === shape.length && node.shape.every((n, i) => n === shape[i])) return;
  throw new UsageError(
    `iterate: the step makes a ${node.dtype} of the shape [${node.shape.join(', ')}] out of a ${dtype} of the shape [${shape.join(', ')}]; it ` +
      'has to give what it was given',
    { code: 'ERR_SHEAF_SHAPE', details: { operation: 'iterate', shapes: [[...shape], [...node.shape]] } },
  );
}

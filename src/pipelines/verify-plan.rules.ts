import { InternalError } from '../base/index.ts';
import { faultsOf } from '../kernels/verify.ts';
import { DTYPES, type DType, sizeOf } from '../nd/index.ts';
import { type Call, FIRST_ROW, type Pipeline, type Where } from './pipeline.ts';
import type { Plan } from './plan.ts';

/** What is wrong with a plan, one text for each fault; none for a good one. `scalars`: how many are given. */
export function planFaults(plan: Plan, scalars: number): string[] {
  const faults: string[] = [];
  const alive = new Set<number>(Array.from({ length: plan.sources }, (_, i) => i));
  const isDtype = (array: number, dtype: DType): boolean =>
    array < plan.sources || plan.arrays[array - plan.sources]?.dtype === dtype;
  for (const [i, scalar] of plan.scalars.entries()) {
    if (scalar.kind !== 'whole' && scalar.args.some((arg) => arg >= scalars + i))
      faults.push(`scalar ${scalars + i} is made of a later one`);
  }
  for (const [at, step] of plan.steps.entries()) {
    const say = (text: string): void => void faults.push(`step ${at}: ${text}`);
    for (const array of step.makes) {
      if (alive.has(array)) say(`array ${array} is made twice`);
      alive.add(array);
    }
    const uses = step.kind === 'whole' ? [...step.whole.args, ...step.whole.results] : [];
    for (const { array, dtype } of uses) {
      if (!alive.has(array)) say(`array ${array} is not there`);
      if (!isDtype(array, dtype)) say(`array ${array} is no ${dtype}`);
    }
    if (step.kind === 'pipeline') {
      for (const fault of pipelineFaults(step.pipeline, scalars + plan.scalars.length, plan)) say(fault);
      for (const array of arraysOf(step.pipeline)) if (!alive.has(array)) say(`array ${array} is not there`);
    }
    for (const array of step.drops) if (!alive.delete(array)) say(`array ${array} is let go of and not there`);
  }
  for (const [i, { array, shape }] of plan.roots.entries()) {
    if (!alive.has(array) && sizeOf(shape) > 0) faults.push(`root ${i}: array ${array} is not there`);
  }
  for (const array of alive) {
    const isRoot = plan.roots.some((root) => root.array === array);
    if (array >= plan.sources && !isRoot) faults.push(`array ${array} is never let go of`);
  }
  return faults;
}

/** Throws an InternalError that lists what is wrong. */
export function verifyPlan(plan: Plan, scalars: number): Plan {
  const faults = planFaults(plan, scalars);
  if (faults.length === 0) return plan;
  throw new InternalError(`planning has made a plan that is not valid: ${faults.join('; ')}`);
}

const arraysOf = ({ calls, accumulators }: Pipeline): number[] => [
  ...accumulators.map(({ array }) => array),
  ...calls.flatMap(({ operands, results }) =>
    [...operands, ...results].flatMap((where) => (where.at === 'array' ? [where.array] : [])),
  ),
];

function pipelineFaults(pipeline: Pipeline, scalars: number, plan: Plan): string[] {
  const { rows, tile, unit, calls, accumulators, scratch, gathered } = pipeline;
  const faults: string[] = [];
  if (tile < 1 || unit < tile || unit % tile !== 0) faults.push(`its units (${unit}) are no tiles (${tile})`);
  for (const [i, { offset, length, dtype, array }] of accumulators.entries()) {
    if (offset % DTYPES[dtype].bytes !== 0 || offset + length * DTYPES[dtype].bytes > gathered)
      faults.push(`accumulator ${i} does not fit its unit`);
    if (plan.arrays[array - plan.sources]?.dtype !== dtype)
      faults.push(`accumulator ${i} goes to an array of another type`);
  }
  /** Scratch that a call before has written, by where it begins. */
  const written = new Set<number>();
  for (const [number, call] of calls.entries()) {
    const say = (text: string): void => void faults.push(`call ${number}: ${text}`);
    for (const fault of faultsOf(call.kernel)) say(fault);
    for (const fault of callFaults(call, scalars)) say(fault);
    const check = (where: Where, dtype: DType, isResult: boolean, all = rows): void => {
      if (where.strides.length !== call.inner.length)
        say(`something has ${where.strides.length} strides behind the rows`);
      const [least, most] = reach(where, call.inner, Math.min(tile, rows));
      if (where.at === 'scratch') {
        const { bytes } = DTYPES[dtype];
        if (
          rows > 0 &&
          most >= least &&
          (where.offset + least * bytes < 0 || where.offset + (most + 1) * bytes > scratch)
        )
          say('something lies outside of the scratch');
        if (isResult) written.add(where.offset);
        else if (![...written].some((start) => start <= where.offset)) say('scratch is read before it is written');
      } else if (where.at === 'accumulator') {
        const own = accumulators[where.accumulator];
        if (own === undefined || own.dtype !== dtype || !isResult) say('something is no accumulator');
        else if (least < 0 || most >= own.length) say(`accumulator ${where.accumulator} is left`);
      } else if (where.array >= plan.sources) {
        const own = plan.arrays[where.array - plan.sources];
        const [low, high] = reach(where, call.inner, all);
        if (own?.dtype !== dtype) say(`array ${where.array} is no ${dtype}`);
        else if (high >= low && (where.offset + low < 0 || where.offset + high >= own.length))
          say(`array ${where.array} is left`);
      } else if (isResult) say(`source ${where.array} is written`);
    };
    // A gather reads all rows that there are of what it chooses from.
    for (const [i, where] of call.operands.entries())
      check(where, call.kernel.operands[i] as DType, false, i === 1 ? call.gather?.length : rows);
    for (const fault of gatherFaults(call)) say(fault);
    for (const [i, where] of call.results.entries()) {
      const { value } = call.kernel.results[i] as { value: number };
      check(where, (call.kernel.steps[value] as { dtype: DType }).dtype, true);
    }
  }
  return faults;
}

function gatherFaults({ gather, kernel, operands, results }: Call): string[] {
  if (gather === undefined) return [];
  const [indices, from] = operands;
  const faults: string[] = [];
  if (operands.length !== 2 || results.length !== 1 || kernel.steps.length !== 2)
    faults.push('it gathers something else than rows of one array');
  else if (kernel.operands[0] !== 'i64' || indices?.strides.some((step) => step !== 0))
    faults.push('it gathers by something else than a number for each row');
  else if (from?.at !== 'array') faults.push('it gathers rows that are not all there');
  return faults;
}

function callFaults({ kernel, inner, operands, results, scalars: own }: Call, scalars: number): string[] {
  const faults: string[] = [];
  if (kernel.rank !== inner.length + 1) faults.push(`its kernel has ${kernel.rank} axes, and it ${inner.length + 1}`);
  if (kernel.operands.length !== operands.length) faults.push('it has not the operands of its kernel');
  if (kernel.results.length !== results.length) faults.push('it has not the results of its kernel');
  if (kernel.scalars.length !== own.length) faults.push('it has not the scalars of its kernel');
  for (const scalar of own)
    if (scalar !== FIRST_ROW && !(scalar >= 0 && scalar < scalars)) faults.push(`there is no scalar ${scalar}`);
  return faults;
}

/** The first and the last element behind the offset. The last is before the first where there are none. */
function reach(where: Where, inner: readonly number[], rows: number): [number, number] {
  const steps = [where.at === 'accumulator' ? 0 : where.row, ...where.strides];
  let [least, most] = [0, 0];
  for (const [axis, length] of [rows, ...inner].entries()) {
    if (length === 0) return [0, -1];
    const far = (steps[axis] as number) * (length - 1);
    if (far < 0) least += far;
    else most += far;
  }
  return [least, most];
}

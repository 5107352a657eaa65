import { DTYPES, type DType } from '../../nd/index.ts';
import { unitsOf } from '../pipeline.ts';
import type { Plan } from '../plan.ts';

const bytesOf = ({ dtype, length }: { readonly dtype: DType; readonly length: number }): number =>
  length * DTYPES[dtype].bytes;

/** What a plan takes of memory at the same time, in bytes, besides its sources; and its largest array. `crew`: how many run its tiles. */
export function needOf(plan: Plan, crew: number): { readonly most: number; readonly largest: number } {
  const sizes = plan.arrays.map(bytesOf);
  const sizeOf = (array: number): number => sizes[array - plan.sources] ?? 0;
  let [now, most] = [0, 0];
  for (const step of plan.steps) {
    for (const array of step.makes) now += sizeOf(array);
    let room = 0;
    if (step.kind === 'pipeline') {
      const { pipeline } = step;
      const units = unitsOf(pipeline);
      room = crew * pipeline.scratch + (units < 2 ? 0 : units * pipeline.gathered);
    }
    most = Math.max(most, now + room);
    for (const array of step.drops) now -= sizeOf(array);
  }
  return { most, largest: Math.max(0, ...sizes) };
}

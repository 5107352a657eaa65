import { InternalError } from '../base/index.ts';
import { type DType, kindOf } from '../nd/index.ts';
import { ELEMENTWISE, elementOp } from './elementwise.ts';
import type { Kernel, Step } from './kernel.ts';
import { REDUCERS, reducer } from './reducers.ts';

/** What is wrong with a kernel, one text for each fault; none for a good one. */
export function faultsOf(kernel: Kernel): string[] {
  const faults: string[] = [];
  const { steps } = kernel;
  for (const [number, step] of steps.entries()) {
    for (const fault of stepFaults(kernel, number, step)) faults.push(`step ${number} (${step.op}): ${fault}`);
  }
  for (const [number, { value, reduce }] of kernel.results.entries()) {
    const step = steps[value];
    if (step === undefined) faults.push(`result ${number}: there is no step ${value}`);
    else if (reduce === null) continue;
    else if (!Object.hasOwn(REDUCERS, reduce)) faults.push(`result ${number}: there is no reducer ${reduce}`);
    else if (!reducer(reduce).takes.includes(kindOf(step.dtype))) {
      faults.push(`result ${number}: ${reduce} takes no ${step.dtype}`);
    }
  }
  if (kernel.results.length === 0) faults.push('it has no result');
  return faults;
}

function stepFaults(kernel: Kernel, number: number, step: Step): string[] {
  switch (step.op) {
    case 'load':
      return sameType('operand', step.operand, kernel.operands, step.dtype);
    case 'scalar':
      return sameType('scalar', step.scalar, kernel.scalars, step.dtype);
    case 'constant':
      return typeof step.value === (step.dtype === 'i64' || step.dtype === 'u64' ? 'bigint' : 'number')
        ? []
        : [`a ${typeof step.value} is no ${step.dtype}`];
    case 'position':
      return step.axis >= 0 && step.axis < kernel.rank ? [] : [`the space has no axis ${step.axis}`];
    case 'cast':
      return argFaults(kernel, number, step.args, 1);
    default:
      return operationFaults(kernel, number, step);
  }
}

function sameType(what: string, index: number, types: readonly DType[], dtype: DType): string[] {
  const known = types[index];
  if (known === undefined) return [`there is no ${what} ${index}`];
  return known === dtype ? [] : [`${what} ${index} is ${known} and not ${dtype}`];
}

/** Arguments come before what takes them. */
function argFaults(kernel: Kernel, number: number, args: readonly number[], arity: number): string[] {
  if (args.length !== arity) return [`it takes ${arity} arguments and has ${args.length}`];
  return args
    .filter((arg) => arg >= number || kernel.steps[arg] === undefined)
    .map((arg) => `step ${arg} is not before it`);
}

function operationFaults(
  kernel: Kernel,
  number: number,
  step: Exclude<Step, { op: 'load' | 'scalar' | 'constant' | 'position' }>,
): string[] {
  if (!Object.hasOwn(ELEMENTWISE, step.op)) return ['there is no such operator'];
  const op = elementOp(step.op as keyof typeof ELEMENTWISE);
  const faults = argFaults(kernel, number, step.args, op.arity);
  if (faults.length > 0) return faults;
  const types = step.args.map((arg) => (kernel.steps[arg] as Step).dtype);
  if (op.chooses) {
    const condition = types.shift();
    if (condition !== 'bool') faults.push(`its condition is ${condition} and not bool`);
  }
  const [first] = types as [DType];
  if (types.some((type) => type !== first)) faults.push(`its operands differ: ${types.join(', ')}`);
  if (!op.takes.includes(kindOf(first))) faults.push(`it takes no ${first}`);
  const gives = op.gives === 'bool' ? 'bool' : first;
  if (step.dtype !== gives) faults.push(`it gives ${gives} and not ${step.dtype}`);
  return faults;
}

/** Throws an InternalError that lists what is wrong. Called between the passes that make and change kernels. */
export function verify(kernel: Kernel, pass: string): Kernel {
  const faults = faultsOf(kernel);
  if (faults.length === 0) return kernel;
  throw new InternalError(`${pass} has made a kernel that is not valid: ${faults.join('; ')}`);
}

import { type Kernel, keyOf, type Step } from '../kernel.ts';
import type { Run } from '../reference.ts';
import { applyText, castText, combineText, literal } from './expressions.ts';
import { helpers } from './helpers.ts';

/** A compiled kernel: does what `interpret` does. */
export type Compiled = (run: Run) => void;

/**
 * The kernel as JavaScript: one loop for each axis, the last one innermost. `heldInner` says of each result whether all points along
 * the last axis have one place, so that it is combined in a variable and stored once.
 */
export function sourceOf(kernel: Kernel, heldInner: readonly boolean[]): string {
  const { rank, operands, results, scalars, steps } = kernel;
  const lines: string[] = [];
  const put = (depth: number, text: string): void => void lines.push(`${'  '.repeat(depth)}${text}`);
  const last = rank - 1;
  const arrays = [
    ...operands.map((_, i) => ({ name: `a${i}`, from: `operands[${i}]` })),
    ...results.map((_, i) => ({ name: `r${i}`, from: `results[${i}]` })),
  ];
  /** Where an array stands inside so many loops. */
  const at = (name: string, loops: number): string => `${name}at${loops}`;
  const held = results.map(({ reduce }, i) => rank > 0 && reduce !== null && heldInner[i] === true);

  put(0, "'use strict';");
  put(0, 'return ({ space, operands, scalars, results }) => {');
  for (let axis = 0; axis < rank; axis++) put(1, `const n${axis} = space[${axis}];`);
  for (const { name, from } of arrays) {
    put(1, `const ${name} = ${from}.elements;`);
    for (let axis = 0; axis < rank; axis++) put(1, `const ${name}by${axis} = ${from}.strides[${axis}];`);
    put(1, `let ${at(name, 0)} = ${from}.offset;`);
  }
  for (const i of scalars.keys()) put(1, `const s${i} = scalars[${i}];`);
  // Where a result is held while the last axis is empty, there is nothing to combine, and nothing is to be written.
  for (let axis = 0; axis < rank; axis++) {
    const depth = axis + 1;
    if (axis === last) {
      for (const [i, yes] of held.entries()) if (yes) put(depth, `let held${i} = r${i}[${at(`r${i}`, axis)}];`);
    }
    put(depth, `for (let i${axis} = 0; i${axis} < n${axis}; i${axis}++) {`);
    if (axis < last) for (const { name } of arrays) put(depth + 1, `let ${at(name, axis + 1)} = ${at(name, axis)};`);
  }
  // The body stands where the last loop's variables are; in a space without axes, where the first ones are.
  const inner = Math.max(last, 0);
  for (const [i, step] of steps.entries()) put(rank + 1, `const v${i} = ${stepText(step, steps, inner)};`);
  for (const [i, { value, reduce }] of results.entries()) {
    const place = `r${i}[${at(`r${i}`, inner)}]`;
    const { dtype } = steps[value] as Step;
    if (reduce === null) put(rank + 1, `${place} = v${value};`);
    else if (held[i]) put(rank + 1, `held${i} = ${combineText(reduce, `held${i}`, `v${value}`, dtype)};`);
    else {
      put(rank + 1, `const c${i} = ${place};`);
      put(rank + 1, `${place} = ${combineText(reduce, `c${i}`, `v${value}`, dtype)};`);
    }
  }
  for (let axis = last; axis >= 0; axis--) {
    for (const { name } of arrays) put(axis + 2, `${at(name, axis)} += ${name}by${axis};`);
    put(axis + 1, '}');
    if (axis === last) {
      for (const [i, yes] of held.entries()) {
        if (yes) put(axis + 1, `if (n${axis} > 0) r${i}[${at(`r${i}`, axis)} - n${axis} * r${i}by${axis}] = held${i};`);
      }
    }
  }
  put(0, '};');
  return lines.join('\n');
}

function stepText(step: Step, steps: readonly Step[], inner: number): string {
  switch (step.op) {
    case 'load':
      return `a${step.operand}[a${step.operand}at${inner}]`;
    case 'scalar':
      return `s${step.scalar}`;
    case 'constant':
      return literal(step.value, step.dtype);
    case 'position':
      return `BigInt(i${step.axis})`;
    case 'cast':
      return castText(`v${step.args[0]}`, (steps[step.args[0]] as Step).dtype, step.dtype);
    default: {
      const own = (steps[step.args.at(-1) as number] as Step).dtype;
      return applyText(
        step.op,
        own,
        step.args.map((arg) => `v${arg}`),
      );
    }
  }
}

/** Kernels as JavaScript, each compiled once. */
export class JavaScriptKernels {
  readonly #compiled = new Map<string, Compiled>();

  /** Runs it; what it gives is what `interpret` gives. */
  run(kernel: Kernel, run: Run): void {
    this.compiled(
      kernel,
      run.results.map(({ strides }) => strides.at(-1) === 0),
    )(run);
  }

  /** The function for results of which some have one place for all points along the last axis, compiled when it is first asked for. */
  compiled(kernel: Kernel, heldInner: readonly boolean[]): Compiled {
    const key = `${heldInner.map(Number).join('')} ${keyOf(kernel)}`;
    let compiled = this.#compiled.get(key);
    if (compiled === undefined) {
      compiled = new Function('h', sourceOf(kernel, heldInner))(helpers) as Compiled;
      this.#compiled.set(key, compiled);
    }
    return compiled;
  }

  get size(): number {
    return this.#compiled.size;
  }
}

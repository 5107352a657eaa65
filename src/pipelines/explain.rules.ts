import type { Kernel } from '../kernels/kernel.ts';
import { DTYPES, shapeText } from '../nd/index.ts';
import type { Node, Op } from './graph.ts';
import { type Call, FIRST_ROW, type Pipeline, unitsOf, type Where } from './pipeline.ts';
import type { ArrayView, Plan, PlanStep } from './plan.ts';

/** What is explained: a graph, and how it would be computed now. */
export interface Explained {
  /** Arguments before what takes them. */
  readonly nodes: readonly Node[];
  readonly roots: readonly Node[];
  readonly plan: Plan;
}

/** Of longer lists the beginning and the end is shown. */
const MOST_LINES = 120;

/** The graph, the pipelines and the kernels as text. */
export function explainText({ nodes, roots, plan }: Explained): string {
  const numbers = new Map(nodes.map((node, i) => [node, i]));
  const name = (node: Node): string => `%${numbers.get(node)}`;
  const graph = nodes.map((node) => {
    const args = node.args.length === 0 ? '' : `(${node.args.map(name).join(', ')})`;
    return `  ${name(node)} = ${opText(node.op)}${args}: ${typeText(node)}${roots.includes(node) ? '  <- asked for' : ''}`;
  });
  const lines = [
    `graph: ${counted(nodes.length, 'node')}`,
    ...shortened(graph),
    '',
    `plan: ${counted(plan.steps.length, 'step')}, ${counted(plan.sources, 'source')}, ${bytesText(bytesOf(plan))} of new arrays`,
  ];
  for (const [i, step] of plan.steps.entries()) {
    lines.push(...shortened(stepLines(step, i + 1, plan)));
  }
  lines.push(`  asked for: ${plan.roots.map((root) => viewText(root, plan)).join(', ')}`);
  return lines.join('\n');
}

/** What is said of something that is not computed at once. */
export const blocksText = (need: number, limit: number, block: number): string =>
  `in blocks: at once this would take ${bytesText(need)}, of ${bytesText(limit)} that there are; so a plan like this one is made for blocks of ${block} elements`;

const counted = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;

/** In the largest unit that leaves no more than three digits. */
function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let [size, unit] = [bytes, 0];
  while (size >= 1000 && unit + 1 < units.length) {
    size /= 1024;
    unit++;
  }
  return `${Number(size.toPrecision(3))} ${units[unit]}`;
}

const bytesOf = ({ arrays }: Plan): number =>
  arrays.reduce((sum, { dtype, length }) => sum + length * DTYPES[dtype].bytes, 0);

function shortened(lines: readonly string[]): string[] {
  if (lines.length <= MOST_LINES) return [...lines];
  const half = MOST_LINES / 2;
  const left = lines.length - 2 * half;
  return [...lines.slice(0, half), `  ... ${counted(left, 'line')} more`, ...lines.slice(-half)];
}

const typeText = ({ shape, dtype }: Node): string => `${dtype} ${shape.length === 0 ? 'scalar' : shapeText(shape)}`;

/** An operation in a few words. */
export function opText(op: Op): string {
  switch (op.kind) {
    case 'source':
      return `source [${op.strides.join(', ')}]`;
    case 'constant':
      return typeof op.value === 'bigint' ? `${op.value}n` : `${op.value}`;
    case 'position':
      return `position along ${op.axis}`;
    case 'element':
      return op.op;
    case 'view':
      return `view [${op.maps.map(({ start, step, axis }) => (axis === undefined ? `${start}` : `${start}+${step}*i${axis}`)).join(', ')}]`;
    case 'reduce':
      return `${op.reducer} over ${op.axes.join(', ')}`;
    case 'place':
      return `arg${op.of} along ${op.axis}`;
    case 'take':
      return `take along ${op.axis}`;
    case 'call':
      return `call ${op.routine}`;
    case 'output':
      return `output ${op.index}`;
    default:
      return op.kind;
  }
}

const arrayText = (array: number, plan: Plan): string =>
  array < plan.sources ? `source${array}` : `array${array - plan.sources}`;

const viewText = ({ array, shape, offset, strides }: ArrayView, plan: Plan): string =>
  `${arrayText(array, plan)}${offset === 0 ? '' : `+${offset}`} [${strides.join(', ')}] (${shapeText(shape)})`;

/** What a step does, in one line. */
export function stepText(step: PlanStep, plan: Plan): string {
  if (step.kind === 'whole') {
    const { op, args, results } = step.whole;
    const to = results.map(({ array }) => arrayText(array, plan)).join(', ');
    return `${opText(op)}: ${args.map((arg) => viewText(arg, plan)).join(', ')} -> ${to}`;
  }
  const { pipeline } = step;
  const units = unitsOf(pipeline);
  const parts = [`pipeline of ${counted(pipeline.calls.length, 'kernel')} over ${counted(pipeline.rows, 'row')}`];
  parts.push(`tiles of ${pipeline.tile}`);
  if (pipeline.scratch > 0) parts.push(`scratch ${bytesText(pipeline.scratch)}`);
  if (pipeline.accumulators.length > 0 && units > 1)
    parts.push(`${counted(units, 'unit')} combined (${bytesText(pipeline.gathered)} each)`);
  return parts.join(', ');
}

function stepLines(step: PlanStep, number: number, plan: Plan): string[] {
  const lines = [`  ${number}. ${stepText(step, plan)}`];
  if (step.kind === 'pipeline') {
    for (const [i, call] of step.pipeline.calls.entries()) {
      lines.push(`     kernel ${i + 1} over ${['rows', ...call.inner].join(' x ')}`);
      for (const line of kernelLines(call, step.pipeline, plan)) lines.push(`       ${line}`);
    }
  }
  if (step.makes.length > 0) lines.push(`     makes ${step.makes.map((array) => arrayText(array, plan)).join(', ')}`);
  if (step.drops.length > 0)
    lines.push(`     lets go of ${step.drops.map((array) => arrayText(array, plan)).join(', ')}`);
  return lines;
}

function whereText(where: Where, pipeline: Pipeline, plan: Plan): string {
  const strides = where.at === 'accumulator' ? where.strides : [where.row, ...where.strides];
  const at = `[${strides.join(', ')}]`;
  if (where.at === 'scratch') return `scratch+${where.offset} ${at}`;
  if (where.at === 'array')
    return `${arrayText(where.array, plan)}${where.offset === 0 ? '' : `+${where.offset}`} ${at}`;
  return `${arrayText(pipeline.accumulators[where.accumulator]?.array ?? -1, plan)} ${at}, rows combined`;
}

/** One line for each step and result of a kernel. */
export function kernelLines(call: Call, pipeline: Pipeline, plan: Plan): string[] {
  const { kernel, operands, results, scalars, gather } = call;
  if (gather !== undefined) {
    const [which, from] = operands.map((where) => whereText(where, pipeline, plan));
    const to = whereText(results[0] as Where, pipeline, plan);
    return [`v0 = ${which}: i64`, `gather row v0 of ${gather.length} of ${from}: ${kernel.operands[1]} -> ${to}`];
  }
  const lines = kernel.steps.map((step, i) => `v${i} = ${textOfStep(step)}: ${step.dtype}`);
  for (const [i, { value, reduce }] of kernel.results.entries()) {
    const to = whereText(results[i] as Where, pipeline, plan);
    lines.push(`${reduce === null ? 'store' : reduce} v${value} -> ${to}`);
  }
  return lines;

  function textOfStep(step: Kernel['steps'][number]): string {
    switch (step.op) {
      case 'load':
        return whereText(operands[step.operand] as Where, pipeline, plan);
      case 'scalar': {
        const which = scalars[step.scalar] as number;
        return which === FIRST_ROW ? 'first row' : `scalar${which}`;
      }
      case 'constant':
        return String(step.value);
      case 'position':
        return `position along ${step.axis}`;
      default:
        return `${step.op}(${step.args.map((arg) => `v${arg}`).join(', ')})`;
    }
  }
}

/** The same as data: operations with their arguments by number, and the plan as it is. Whole numbers of 64 bits, and what JSON has no number for, are texts. */
export function explainJson({ nodes, roots, plan }: Explained): string {
  const numbers = new Map(nodes.map((node, i) => [node, i]));
  const graph = nodes.map(({ op, args, dtype, shape }) => ({
    op: op.kind === 'source' ? { kind: 'source', offset: op.offset, strides: op.strides } : op,
    args: args.map((arg) => numbers.get(arg)),
    dtype,
    shape,
  }));
  const plain = (_key: string, value: unknown): unknown =>
    typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value)) ? String(value) : value;
  return JSON.stringify({ graph, askedFor: roots.map((root) => numbers.get(root)), plan }, plain, 2);
}

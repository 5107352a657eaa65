import { list, matrix, scalar, type ValueType } from '../types.ts';
import type { Integer, List, Matrix } from '../values/values.ts';
import { integerArgument, matrixArgument, wrong } from './arguments.ts';
import { type Builtin, type CallToInfer, RunError } from './builtin.ts';

function listArgument(call: CallToInfer): ValueType | undefined {
  const { type } = call.args[0]!;
  return type.data === 'list' ? type.value : wrong(call, 0, 'a list');
}

/** The type of elements, all of which have the same one as far as they are known. */
function common(call: CallToInfer, known: ValueType | undefined, from: number): ValueType | undefined {
  let all = known;
  for (let i = from; i < call.args.length; i++) {
    const { value } = matrixArgument(call, i);
    if (all !== undefined && value !== undefined && value !== all)
      call.fail('parser', `all matrices of a list have elements of one type: ${value} does not go with ${all}`, i);
    all ??= value;
  }
  return all;
}

const extended = (value: ValueType | undefined, before: readonly Matrix[], added: readonly Matrix[]): List => {
  const type = value ?? added[0]?.value;
  for (const element of added)
    if (element.value !== type)
      throw new RunError(`all matrices of a list have elements of one type: ${element.value} does not go with ${type}`);
  return { kind: 'list', value: type, elements: [...before, ...added] };
};

const createList: Builtin = {
  name: 'createList',
  parameters: [],
  least: 1,
  most: Number.POSITIVE_INFINITY,
  infer: (call) => [list(common(call, undefined, 0))],
  run: (_runtime, _site, elements) => extended(undefined, [], elements as Matrix[]),
};

const length: Builtin = {
  name: 'length',
  parameters: ['list'],
  least: 1,
  most: 1,
  infer(call) {
    listArgument(call);
    return [scalar('size')];
  },
  run: (_runtime, _site, [of]) => (of as List).elements.length,
};

const append: Builtin = {
  name: 'append',
  parameters: ['list', 'elem'],
  least: 2,
  most: 2,
  infer: (call) => [list(common(call, listArgument(call), 1))],
  run: (_runtime, _site, [to, element]) => extended((to as List).value, (to as List).elements, [element as Matrix]),
};

const remove: Builtin = {
  name: 'remove',
  parameters: ['list', 'idx'],
  least: 2,
  most: 2,
  infer(call) {
    const value = listArgument(call);
    integerArgument(call, 1);
    return [list(value), matrix(value)];
  },
  run(_runtime, _site, [from, position]) {
    const { elements, value } = from as List;
    const at = Math.trunc(Number(position as Integer));
    const element = elements[at];
    if (element === undefined)
      throw new RunError(`there is no element ${at} in a list of ${elements.length}: the first one is 0`);
    return [{ kind: 'list', value, elements: elements.toSpliced(at, 1) } satisfies List, element];
  },
};

export const LISTS: readonly Builtin[] = [createList, length, append, remove];

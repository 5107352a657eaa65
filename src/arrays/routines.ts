import { type ArrayType, Node, type Params } from '../pipelines/index.ts';

/** A routine on whole arrays: its results, one node for each. */
export function call(routine: string, args: readonly Node[], params: Params, outputs: readonly ArrayType[]): Node[] {
  const { shape, dtype } = outputs[0] as ArrayType;
  const node = new Node({ kind: 'call', routine, params, outputs }, shape, dtype, args);
  return outputs.map((output, index) => new Node({ kind: 'output', index }, output.shape, output.dtype, [node]));
}

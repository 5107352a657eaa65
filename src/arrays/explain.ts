import type { Arr, ExplainOptions } from './arr.ts';
import { checkOptions } from './checks.ts';
import { partOf, resolved } from './lazy.ts';
import { pipelinesFor } from './place.ts';

/** `explain`: the graph of what is not computed yet, and how it would be computed; drawn, if `svg` says so. */
export async function explain(x: Arr, o: ExplainOptions = {}): Promise<string> {
  checkOptions('explain', o, ['svg']);
  const of = partOf('explain', x);
  const pipelines = pipelinesFor('explain');
  return pipelines.explain([await resolved(of)], { svg: o.svg ?? false });
}

import type { ExplainForm } from '../pipelines/index.ts';
import type { Arr, ExplainOptions } from './arr.ts';
import { checkOptions } from './checks.ts';
import { partOf, resolved } from './lazy.ts';
import { pipelinesFor } from './place.ts';

/** `explain`: the graph of what is not computed yet, and how it would be computed; drawn, or as JSON, if the options say so. */
export async function explain(x: Arr, o: ExplainOptions = {}): Promise<string> {
  const form = formOf(o);
  const of = partOf('explain', x);
  const pipelines = pipelinesFor('explain');
  return pipelines.explain([await resolved(of)], form);
}

export function formOf(o: ExplainOptions): ExplainForm {
  checkOptions('explain', o, ['svg', 'json']);
  return o.svg ? 'svg' : o.json ? 'json' : 'text';
}

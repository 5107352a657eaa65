/** What a function gives: one type for each result, from whichever place it returns. */

import type { Instruction } from '../program/program.ts';
import type { Span } from '../source.ts';
import type { FunctionDefinition } from '../syntax/index.ts';
import { matrix, scalar, type Type, typeName } from '../types.ts';
import type { Body } from './body.ts';
import { joined } from './join.ts';
import { type Known, UNKNOWN } from './known.ts';

export interface ReturnSite {
  /** Its last instruction is the return. */
  readonly block: Instruction[];
  readonly values: readonly Known[];
  readonly at: Span;
}

export function resultsOf(body: Body, node: FunctionDefinition): readonly Type[] {
  const wanted = node.results;
  const count = wanted?.length ?? body.returns[0]?.values.length ?? 0;
  const [first] = body.returns;
  if (wanted === undefined && count > 1 && first !== undefined)
    body.wrong(
      first.at,
      `\`${node.name.name}\` gives ${count} values: write down their types, as in \`def ${node.name.name}(…) -> f64, f64\``,
    );
  const types: (Type | undefined)[] = Array.from({ length: count }, () => undefined);
  for (const { values, at } of body.returns) {
    if (values.length !== count)
      body.wrong(
        at,
        `\`${node.name.name}\` gives ${count} ${count === 1 ? 'value' : 'values'}, and not ${values.length}`,
      );
    for (const [i, value] of values.entries()) {
      if (value === UNKNOWN) continue;
      const declared = wanted?.[i];
      if (declared !== undefined) {
        const { type } = value;
        const fits =
          type.data === declared.data &&
          (declared.value === undefined ||
            (type as { value: unknown }).value === declared.value ||
            (type as { value: unknown }).value === undefined);
        const type2 = declared.data === 'scalar' ? scalar(declared.value) : matrix(declared.value);
        if (!fits) body.wrong(at, `\`${node.name.name}\` gives ${typeName(type2)}, and this is ${typeName(type)}`);
      }
      const before = types[i];
      const type = before === undefined ? value.type : joined(before, value.type);
      if (type === undefined)
        return body.wrong(
          at,
          `\`${node.name.name}\` gives ${typeName(before as Type)} elsewhere, and ${typeName(value.type)} here`,
        );
      types[i] = type;
    }
  }
  const results = types.map((type, i) => type ?? typeOfResult(wanted?.[i]));
  for (const { block, values, at } of body.returns) {
    block.pop();
    // The builder fills the block that is open.
    body.builder.into(block, () => {
      const made = values.map((value, i) => {
        const to = body.builder.variable(results[i] as Type);
        body.builder.move(value, to, at);
        return to;
      });
      body.builder.emit({ kind: 'return', values: made });
    });
  }
  return results;
}

const typeOfResult = (declared: NonNullable<FunctionDefinition['results']>[number] | undefined): Type =>
  declared?.data === 'scalar' ? scalar(declared.value) : matrix(declared?.value);

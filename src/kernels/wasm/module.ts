import { type Code, type FunctionType, unsigned } from './code.ts';

/** A function that a module takes from elsewhere, as `sheaf.NAME`. */
export interface Import {
  readonly name: string;
  readonly type: FunctionType;
}

export interface Parts {
  /** The memory, `sheaf.memory`, is a shared one, of 4 GiB at most. */
  readonly shared: boolean;
  /** They have the numbers from 0 on, and `functions` those behind them. */
  readonly imports: readonly Import[];
  readonly functions: readonly { readonly name: string; readonly code: Code }[];
}

const list = (items: readonly (readonly number[])[]): number[] => unsigned(items.length).concat(...items);
const section = (id: number, body: readonly number[]): number[] => [id].concat(unsigned(body.length), body);
const text = (name: string): number[] => {
  const bytes = [...new TextEncoder().encode(name)];
  return [...unsigned(bytes.length), ...bytes];
};

/** The bytes of a module that exports all of its functions by name. */
export function moduleBytes({ shared, imports, functions }: Parts): Uint8Array<ArrayBuffer> {
  const types: number[][] = [];
  const known = new Map<string, number>();
  const typeOf = ({ params, results }: FunctionType): number[] => {
    const type = [0x60, ...list(params.map((each) => [each])), ...list(results.map((each) => [each]))];
    let index = known.get(type.join());
    if (index === undefined) {
      index = types.push(type) - 1;
      known.set(type.join(), index);
    }
    return unsigned(index);
  };
  const limits = shared ? [0x03, 0, ...unsigned(65536)] : [0x00, 0];
  const imported = [
    [...text('sheaf'), ...text('memory'), 0x02, ...limits],
    ...imports.map(({ name, type }) => [...text('sheaf'), ...text(name), 0x00, ...typeOf(type)]),
  ];
  const declared = functions.map(({ code }) => typeOf(code.type));
  const exported = functions.map(({ name }, i) => [...text(name), 0x00, ...unsigned(imports.length + i)]);
  const bodies = functions.map(({ code: { body } }) => unsigned(body.length).concat(body));
  return new Uint8Array(
    [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00].concat(
      section(1, list(types)),
      section(2, list(imported)),
      section(3, list(declared)),
      section(7, list(exported)),
      section(10, list(bodies)),
    ),
  );
}

import { printObject, scalarText } from '../printing/index.ts';
import { then } from '../runtime/later.ts';
import { isDataObject, type Value } from '../values/values.ts';
import { conditionArgument, truth } from './arguments.ts';
import type { Builtin } from './builtin.ts';

const print: Builtin = {
  name: 'print',
  parameters: ['arg', 'newline', 'toStderr'],
  least: 1,
  most: 3,
  takesSparse: true,
  effects: true,
  infer(call) {
    conditionArgument(call, 1);
    conditionArgument(call, 2);
    return [];
  },
  run(runtime, site, [given, newline, toStderr]) {
    const value = given as Value;
    const type = site.args[0]!;
    // Loops print scalars.
    if (newline === undefined && !isDataObject(value) && type.data === 'scalar') {
      runtime.write(`${scalarText(value, type.value)}\n`);
      return undefined;
    }
    return then(truth(runtime, newline, true), (isLine) =>
      then(truth(runtime, toStderr, false), (isError) => {
        const write = (text: string): void => (isError ? runtime.writeError(text) : runtime.write(text));
        if (isDataObject(value)) return printObject(runtime, value, write);
        const text = type.data === 'scalar' ? scalarText(value, type.value) : String(value);
        write(isLine ? `${text}\n` : text);
        return undefined;
      }),
    );
  },
};

export const PRINTING: readonly Builtin[] = [print];

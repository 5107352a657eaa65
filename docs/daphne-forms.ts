/** Statements and expressions of DaphneDSL, for docs/daphne-reference.md: at least one form of each kind that the syntax tree has. */

import type { BinaryOperator, Expression, Statement } from '../src/daphne/syntax/index.ts';

export interface Form<Node> {
  /** As it is written. */
  readonly form: string;
  /** What it does, as a sentence without its end. */
  readonly text: string;
  /** Where Sheaf goes beyond DAPHNE, or differs from it on purpose. */
  readonly differs?: string;
  /** Which nodes of the kind are of this form; undefined: all of them. */
  readonly is?: (node: Node) => boolean;
}

type FormsOf<Node extends { readonly kind: string }> = {
  readonly [Kind in Node['kind']]: readonly Form<Extract<Node, { readonly kind: Kind }>>[];
};

export const STATEMENTS: FormsOf<Statement> = {
  expression: [{ form: '`f(x);`', text: 'A call for what it does: its results are dropped' }],
  assignment: [
    {
      form: '`a = e;`',
      text: 'A variable gets a value, of another type than before, if need be',
      differs: 'in a loop, numbers get the more general type',
      is: ({ targets }) => targets.length === 1 && targets[0]?.index === undefined,
    },
    {
      form: '`a, b = f();`',
      text: 'As many variables as a call gives values',
      is: ({ targets }) => targets.length > 1,
    },
    {
      form: '`X[rows, columns] = Y;`',
      text: 'A part of a matrix is replaced, by a matrix of its shape; other variables with the matrix keep what they have, and without any nothing is copied',
      is: ({ targets }) => targets.some(({ index }) => index !== undefined),
    },
  ],
  block: [{ form: '`{ ... }`', text: 'A scope: what is new in it ends with it' }],
  if: [
    {
      form: '`if (c) ... else if (d) ... else ...`',
      text: 'A condition is a number or a matrix of one element; a variable has one kind of type after it',
      differs: 'shapes that differ are simply not known afterwards',
    },
  ],
  while: [{ form: '`while (c) ...`', text: 'As long as the condition is not 0' }],
  do: [
    {
      form: '`do ... while (c);`',
      text: 'Once, and then as long as the condition is not 0, which sees outer variables',
    },
  ],
  for: [
    {
      form: '`for (i in a:b) ...`',
      text: 'From a to b, which is included, by 1 or -1; both are asked once, and `i` cannot be assigned',
      is: ({ step }) => step === undefined,
    },
    {
      form: '`for (i in a:b:s) ...`',
      text: 'By steps of s; away from b there are none',
      is: ({ step }) => step !== undefined,
    },
  ],
  function: [
    {
      form: '`def f(a, b) { ... }`',
      text: 'A function, compiled for each combination of types that it is called with; it sees its parameters alone',
      is: ({ parameters, results }) => results === undefined && parameters.every(({ type }) => type === undefined),
    },
    {
      form: '`def f(a: si64, M: matrix<f64>) -> si64, matrix { ... }`',
      text: 'The same with types, by which several functions of one name are told apart',
      is: ({ parameters, results }) => results !== undefined || parameters.some(({ type }) => type !== undefined),
    },
  ],
  return: [{ form: '`return a, b;`', text: 'Ends a function with its results, also in the middle of it' }],
  import: [
    {
      form: '`import "file.daphne";`',
      text: "Another file's variables and functions, as `file.x`",
      is: ({ alias }) => alias === undefined,
    },
    {
      form: '`import "file.daphne" as "m";`',
      text: 'The same, as `m.x`',
      is: ({ alias }) => alias !== undefined,
    },
  ],
};

type Binary = Extract<Expression, { kind: 'binary' }>;

const MEANINGS: Readonly<Record<BinaryOperator, string>> = {
  '@': 'Product of matrices',
  '^': 'Power',
  '%': 'What is left of a division, with the sign of the left side',
  '*': 'Product',
  '/': 'Quotient; of integers an integer, and by 0 an error',
  '+': 'Sum; of strings one behind the other',
  '-': 'Difference',
  '==': 'Equal',
  '!=': 'Not equal',
  '<': 'Less',
  '<=': 'Not greater',
  '>': 'Greater',
  '>=': 'Not less',
  '&&': 'Both are not 0; both are computed, always',
  '||': 'One of both is not 0; both are computed, always',
};

const OPERATORS = Object.entries(MEANINGS).map(
  ([operator, text]): Form<Binary> => ({
    form: `\`x ${operator.replaceAll('|', '\\|')} y\``,
    text,
    is: (node) => node.operator === operator && node.kernel === undefined,
  }),
);

export const EXPRESSIONS: FormsOf<Expression> = {
  literal: [
    {
      form: '`42`, `42u`, `42z`',
      text: "si64, ui64 and a size; `_` and `'` may stand between digits",
      is: ({ constant }) => constant.type === 'si64' || constant.type === 'ui64' || constant.type === 'size',
    },
    {
      form: '`1.5`, `1e-3`, `1.5f`, `nan`, `inf`',
      text: 'f64, and f32 with an f',
      is: ({ constant }) => constant.type === 'f64' || constant.type === 'f32',
    },
    { form: '`true`, `false`', text: 'bool', is: ({ constant }) => constant.type === 'bool' },
    { form: '`"text"`', text: 'A string, also over several lines', is: ({ constant }) => constant.type === 'str' },
  ],
  argument: [{ form: '`$name`', text: 'An argument of the script, `name=value` behind it: a literal' }],
  name: [
    { form: '`x`', text: 'A variable', is: ({ name }) => !name.includes('.') },
    { form: '`m.x`', text: 'A variable of an imported file', is: ({ name }) => name.includes('.') },
  ],
  call: [
    {
      form: '`f(x, y)`',
      text: 'A call of a function of the script or of a built-in',
      differs: 'a function of the script hides a built-in of its name',
      is: ({ arguments: given }) => given.every(({ name }) => name === undefined),
    },
    {
      form: '`f(x, name=y)`',
      text: 'Arguments by the names of parameters, after those without',
      is: ({ arguments: given }) => given.some(({ name }) => name !== undefined),
    },
    {
      form: '`f::kernel(x)`',
      text: 'The implementation of DAPHNE that is wanted',
      differs: 'is read, and changes nothing: there is one here',
      is: ({ kernel }) => kernel !== undefined,
    },
  ],
  cast: [
    {
      form: '`as.f64(x)`',
      text: 'In another value type; integers wrap around, floats lose their fraction',
      is: ({ data, value }) => data === undefined && value !== undefined,
    },
    {
      form: '`as.matrix(x)`, `as.scalar(x)`, `as.frame(x)`',
      text: 'As another kind of data; a scalar is a matrix of one element',
      is: ({ data, value }) => data !== undefined && value === undefined,
    },
    {
      form: '`as.matrix<f64>(x)`',
      text: 'Both',
      is: ({ data, value }) => data !== undefined && value !== undefined,
    },
  ],
  filter: [{ form: '`X[[rows, columns]]`', text: 'Those rows, or columns, where a column of numbers is not 0' }],
  index: [
    {
      form: '`X[1, -1]`, `X[[1], ]`',
      text: 'A row and a column by their numbers, from 0, or from the end if negative; several, as a column of numbers',
      is: ({ rows, columns }) => rows?.kind === 'position' || columns?.kind === 'position',
    },
    {
      form: '`X[1:3, 2:]`',
      text: 'Ranges, whose end is left out',
      is: ({ rows, columns }) => rows?.kind === 'range' || columns?.kind === 'range',
    },
    {
      form: '`F[, "a"]`',
      text: 'A column of a frame by its label',
      is: ({ columns }) =>
        columns?.kind === 'position' && columns.position.kind === 'literal' && columns.position.constant.type === 'str',
    },
  ],
  unary: [{ form: '`-x`, `+x`', text: 'Binds tighter than all that stands between two operands: `-2 ^ 2` is 4' }],
  binary: [
    ...OPERATORS,
    {
      form: '`x +::kernel y`, and `-`, `*`, `/`',
      text: 'The implementation of DAPHNE that is wanted',
      differs: 'is read, and changes nothing: there is one here',
      is: ({ kernel }) => kernel !== undefined,
    },
  ],
  conditional: [
    {
      form: '`c ? a : b`',
      text: 'One of two scalars; by a matrix, element by element. From the left: `a ? b : c ? d : e` is `(a ? b : c) ? d : e`',
    },
  ],
  matrix: [
    { form: '`[1, 2, 3]`', text: 'A column, of the most general type', is: ({ shape }) => shape === undefined },
    {
      form: '`[1, 2, 3, 4](2, 2)`, `[1, 2](1, )`',
      text: 'The same row by row in a shape, one length of which may be left out',
      is: ({ shape }) => shape !== undefined,
    },
  ],
  columns: [{ form: '`{"a": x, "b": y}`', text: 'A frame of columns' }],
  rows: [{ form: '`{["a", "b"], [1, 2.5], [3, 4]}`', text: 'A frame of rows; of numbers' }],
};

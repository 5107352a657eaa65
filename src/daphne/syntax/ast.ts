/**
 * The syntax tree of a script: what is written, without parentheses, blanks and comments, and nothing that has to be inferred. Two unions,
 * of expressions and of statements, told apart by `kind`; every node has its place in the text.
 *
 * Trees may be as deep as scripts are long (`1 + 1 + 1 + …` is one long branch to the left), so whoever walks them uses `postOrder`
 * (`walk.ts`) or a stack of his own, and no recursion.
 */

import type { Source, Span } from '../source.ts';
import type { DataType, ValueTypeName } from './tokens.ts';

export type { DataType, ValueTypeName } from './tokens.ts';

/** A value that is written out; integers are exact. */
export type Constant =
  | { readonly type: 'si64' | 'ui64' | 'size'; readonly value: bigint }
  | { readonly type: 'f64' | 'f32'; readonly value: number }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'str'; readonly value: string };

/** Operators with one operand. */
export type UnaryOperator = '-' | '+';

/** Operators with two operands, from the tightest to the loosest. All are left-associative, `^` too. */
export type BinaryOperator =
  | '@'
  | '^'
  | '%'
  | '*'
  | '/'
  | '+'
  | '-'
  | '=='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>='
  | '&&'
  | '||';

export type Expression =
  | Literal
  | ScriptArgument
  | Name
  | Call
  | Cast
  | Filter
  | Index
  | Unary
  | Binary
  | Conditional
  | MatrixLiteral
  | ColumnsLiteral
  | RowsLiteral;

/** `1`, `2.5f`, `"text"`, `true`. */
export interface Literal extends Span {
  readonly kind: 'literal';
  readonly constant: Constant;
  /** As it is written: not every string can be written in one canonical way. */
  readonly text: string;
}

/** `$name`: what the script was given under that name. */
export interface ScriptArgument extends Span {
  readonly kind: 'argument';
  readonly name: string;
}

/** `x`, or `a.b.x` for what came by an import. */
export interface Name extends Span {
  readonly kind: 'name';
  readonly name: string;
}

/** `f(x, y=2)`, `a.f(x)`, `f::kernel(x)`. Arguments without a name come first, and no name comes twice. */
export interface Call extends Span {
  readonly kind: 'call';
  readonly name: string;
  /** Which implementation is wanted. */
  readonly kernel: string | undefined;
  readonly arguments: readonly CallArgument[];
}

export interface CallArgument extends Span {
  /** Of the parameter that it is for, where it is given. */
  readonly name: string | undefined;
  readonly value: Expression;
}

/** `as.matrix(x)`, `as.f64(x)`, `as.matrix<f64>(x)`; at least one of both types is there. */
export interface Cast extends Span {
  readonly kind: 'cast';
  readonly data: DataType | undefined;
  readonly value: ValueTypeName | undefined;
  readonly operand: Expression;
}

/** `x[[rows, columns]]`; undefined: all of them. */
export interface Filter extends Span {
  readonly kind: 'filter';
  readonly object: Expression;
  readonly rows: Expression | undefined;
  readonly columns: Expression | undefined;
}

/** `x[rows, columns]`. */
export interface Index extends Span, Selection {
  readonly kind: 'index';
  readonly object: Expression;
}

/** What an index chooses; undefined: all of them. */
export interface Selection {
  readonly rows: Side | undefined;
  readonly columns: Side | undefined;
}

/** One side of an index: a position (or several, as a matrix, or a label), or a range whose `to` is left out; both ends may be missing. */
export type Side =
  | { readonly kind: 'position'; readonly position: Expression }
  | { readonly kind: 'range'; readonly from: Expression | undefined; readonly to: Expression | undefined };

/** `-x`, `+x`. */
export interface Unary extends Span {
  readonly kind: 'unary';
  readonly operator: UnaryOperator;
  readonly operand: Expression;
}

/** `x + y`, `x +::kernel y`. */
export interface Binary extends Span {
  readonly kind: 'binary';
  readonly operator: BinaryOperator;
  /** Which implementation is wanted; only of `* / + -`. */
  readonly kernel: string | undefined;
  readonly left: Expression;
  readonly right: Expression;
}

/** `c ? a : b`, left-associative. */
export interface Conditional extends Span {
  readonly kind: 'conditional';
  readonly condition: Expression;
  readonly whenTrue: Expression;
  readonly whenFalse: Expression;
}

/** `[1, 2, 3]`, a column, or `[1, 2, 3, 4](2, 2)`; a length that is left out follows from the others. */
export interface MatrixLiteral extends Span {
  readonly kind: 'matrix';
  /** At least one. */
  readonly elements: readonly Expression[];
  readonly shape: { readonly rows: Expression | undefined; readonly columns: Expression | undefined } | undefined;
}

/** `{"a": x, "b": y}`: a frame by its columns, at least one. */
export interface ColumnsLiteral extends Span {
  readonly kind: 'columns';
  readonly columns: readonly { readonly label: Expression; readonly values: Expression }[];
}

/** `{["a", "b"], [1, 2.5], [3, 4]}`: a frame by its rows, at least one, each with one element per label. */
export interface RowsLiteral extends Span {
  readonly kind: 'rows';
  readonly labels: readonly Expression[];
  readonly rows: readonly (readonly Expression[])[];
}

export type Statement =
  | ExpressionStatement
  | Assignment
  | Block
  | If
  | While
  | DoWhile
  | For
  | FunctionDefinition
  | Return
  | Import;

/** `f(x);` */
export interface ExpressionStatement extends Span {
  readonly kind: 'expression';
  readonly expression: Expression;
}

/** `a = e;`, `a, B[0, ], c = f();` */
export interface Assignment extends Span {
  readonly kind: 'assignment';
  /** At least one. */
  readonly targets: readonly Target[];
  readonly value: Expression;
}

/** `a`, or `a[rows, columns]`, which replaces a part of it. */
export interface Target extends Span {
  readonly name: string;
  readonly index: Selection | undefined;
}

/** `{ … }`, which is a scope. A body without braces is one, too, of one statement: it means the same. */
export interface Block extends Span {
  readonly kind: 'block';
  readonly statements: readonly Statement[];
}

/** `if (c) … else if (d) … else …`: a long chain is one node. */
export interface If extends Span {
  readonly kind: 'if';
  /** At least one. */
  readonly branches: readonly { readonly condition: Expression; readonly body: Block }[];
  readonly otherwise: Block | undefined;
}

/** `while (c) …` */
export interface While extends Span {
  readonly kind: 'while';
  readonly condition: Expression;
  readonly body: Block;
}

/** `do … while (c);` */
export interface DoWhile extends Span {
  readonly kind: 'do';
  readonly body: Block;
  readonly condition: Expression;
}

/** `for (i in from:to:step) …`, `to` included. */
export interface For extends Span {
  readonly kind: 'for';
  readonly variable: Identifier;
  readonly from: Expression;
  readonly to: Expression;
  /** 1 or -1, towards `to`, where it is left out. */
  readonly step: Expression | undefined;
  readonly body: Block;
}

/** `def f(a, b: si64, M: matrix<f64>) -> si64, matrix { … }`, at the top level only. */
export interface FunctionDefinition extends Span {
  readonly kind: 'function';
  readonly name: Identifier;
  /** No name comes twice. */
  readonly parameters: readonly { readonly name: Identifier; readonly type: TypeAnnotation | undefined }[];
  /** Undefined where the body has to say it. */
  readonly results: readonly TypeAnnotation[] | undefined;
  readonly body: Block;
}

/** A name at the place where it is defined. */
export interface Identifier extends Span {
  readonly name: string;
}

/** `f64`, `matrix`, `matrix<f64>`: types of parameters and results. */
export type TypeAnnotation =
  | (Span & { readonly data: 'scalar'; readonly value: ValueTypeName })
  | (Span & { readonly data: 'matrix'; readonly value: ValueTypeName | undefined });

/** `return a, b;`, only in functions. */
export interface Return extends Span {
  readonly kind: 'return';
  readonly values: readonly Expression[];
}

/** `import "path" as "alias";`, at the top level only. */
export interface Import extends Span {
  readonly kind: 'import';
  readonly path: string;
  readonly alias: string | undefined;
}

/** A whole script. */
export interface Script {
  readonly kind: 'script';
  readonly source: Source;
  readonly statements: readonly Statement[];
}

export type Node = Expression | Statement | Script;

/** How tight operators bind; what is no operator binds tightest. */
export const POWERS: Readonly<Record<BinaryOperator, number>> = {
  '@': 8,
  '^': 7,
  '%': 6,
  '*': 5,
  '/': 5,
  '+': 4,
  '-': 4,
  '==': 3,
  '!=': 3,
  '<': 3,
  '<=': 3,
  '>': 3,
  '>=': 3,
  '&&': 2,
  '||': 1,
};
export const CONDITIONAL_POWER = 0;
/** Of prefix operators: `-a@b` is `(-a)@b`. */
export const UNARY_POWER = 9;

/** Operators that may name a kernel. */
export const TAKES_KERNEL: ReadonlySet<string> = new Set(['*', '/', '+', '-']);

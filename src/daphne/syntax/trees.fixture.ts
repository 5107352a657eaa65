import fc from 'fast-check';
import { Source } from '../source.ts';
import type { Block, Expression, Side, Statement, TypeAnnotation } from './ast.ts';
import { Cursor } from './cursor.ts';
import { constantAt } from './expressions.ts';
import { VALUE_TYPES } from './tokens.ts';

const at = { start: 0, end: 0 };

/** A tree without its places in the text. */
export function bare(node: unknown): unknown {
  const text = (_: string, value: unknown): unknown => {
    if (typeof value === 'bigint') return `${value}n`;
    // Numbers that JSON does not tell apart.
    if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    const { start: _start, end: _end, source: _source, ...rest } = value as Record<string, unknown>;
    return rest;
  };
  return JSON.parse(JSON.stringify(node, text));
}

/** An expression with all its parentheses, prefix operators included: what binds to what. */
export function grouped(e: Expression): string {
  switch (e.kind) {
    case 'literal':
      return e.text;
    case 'name':
      return e.name;
    case 'unary':
      return `(${e.operator}${grouped(e.operand)})`;
    case 'binary':
      return `(${grouped(e.left)}${e.operator}${grouped(e.right)})`;
    case 'conditional':
      return `(${grouped(e.condition)}?${grouped(e.whenTrue)}:${grouped(e.whenFalse)})`;
    case 'call':
      return `${e.name}(${e.arguments.map((each) => grouped(each.value)).join()})`;
    case 'index':
      return `${grouped(e.object)}[${side(e.rows)},${side(e.columns)}]`;
    case 'filter':
      return `${grouped(e.object)}[[${e.rows ? grouped(e.rows) : ''},${e.columns ? grouped(e.columns) : ''}]]`;
    case 'matrix':
      return `[${e.elements.map(grouped).join()}]`;
    default:
      return e.kind;
  }
}

function side(s: Side | undefined): string {
  if (s === undefined) return '';
  if (s.kind === 'position') return grouped(s.position);
  return `${s.from ? grouped(s.from) : ''}:${s.to ? grouped(s.to) : ''}`;
}

const optional = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(of, { nil: undefined });
const few = <T>(of: fc.Arbitrary<T>, minLength = 1): fc.Arbitrary<T[]> => fc.array(of, { minLength, maxLength: 3 });

const word = fc.constantFrom('x', 'y', 'X1', '_z', 'iff', 'matrices', 'e5', 'list', 'constructor', 'toString', 'from');
const dotted = few(word).map((words) => words.join('.'));

const digits = fc.bigInt({ min: 0n, max: 10n ** 25n }).map(String);
const string = fc
  .array(fc.constantFrom('a', 'n', ' ', '\n', "'", '#', '//', '/*', '\\\\', '\\"', '\\n', '\\t', 'é', '𝔻', ']]'), {
    maxLength: 6,
  })
  .map((all) => `"${all.join('')}"`);
const literalText = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 63n }).map(String),
  fc
    .tuple(fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), fc.constantFrom('u', 'l', 'ull', 'z'))
    .map((all) => all.join('')),
  fc
    .tuple(fc.constantFrom('0', '7', '1_000', "12'5"), digits, fc.constantFrom('', 'e5', 'E-12', 'e+1f', 'f'))
    .map(([w, f, e]) => `${w}.${f}${e}`),
  fc.constantFrom('1e6', '1E-14', '5e0f', 'nan', 'nanf', 'inf', 'inff', 'true', 'false'),
  string,
);

export const literal: fc.Arbitrary<Expression> = literalText.map((text) => ({
  kind: 'literal',
  ...constantAt(new Cursor(new Source('literal', text))),
  ...at,
}));

const valueType = fc.constantFrom(...VALUE_TYPES);
const { expression: tree } = fc.letrec<{ expression: Expression; side: Side }>((tie) => {
  const e = tie('expression');
  const side: fc.Arbitrary<Side> = fc.oneof(
    e.map((position) => ({ kind: 'position' as const, position })),
    fc.record({ kind: fc.constant('range' as const), from: optional(e), to: optional(e) }),
  );
  const of = <K extends string>(kind: K) => ({ kind: fc.constant(kind), start: fc.constant(0), end: fc.constant(0) });
  const given = few(fc.record({ name: optional(word), value: e, start: fc.constant(0), end: fc.constant(0) }), 0).map(
    (all) => {
      // Names come last, and once.
      const named = new Map(all.filter((each) => each.name !== undefined).map((each) => [each.name, each]));
      return [...all.filter((each) => each.name === undefined), ...named.values()];
    },
  );
  const kernel = optional(word);
  return {
    side,
    expression: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      literal,
      dotted.map((name) => ({ kind: 'name' as const, name, ...at })),
      word.map((name) => ({ kind: 'argument' as const, name, ...at })),
      fc.record({ ...of('call'), name: dotted, kernel, arguments: given }),
      fc.record({ ...of('cast'), data: fc.constant(undefined), value: valueType, operand: e }),
      fc.record({
        ...of('cast'),
        data: fc.constantFrom('matrix' as const, 'frame' as const, 'scalar' as const),
        value: optional(valueType),
        operand: e,
      }),
      fc.record({ ...of('filter'), object: e, rows: optional(e), columns: optional(e) }),
      fc.record({ ...of('index'), object: e, rows: optional(side), columns: optional(side) }),
      fc.record({ ...of('unary'), operator: fc.constantFrom('-' as const, '+' as const), operand: e }),
      fc.record({
        ...of('binary'),
        operator: fc.constantFrom('@', '^', '%', '==', '!=', '<', '<=', '>', '>=', '&&', '||'),
        kernel: fc.constant(undefined),
        left: e,
        right: e,
      }),
      fc.record({ ...of('binary'), operator: fc.constantFrom('*', '/', '+', '-'), kernel, left: e, right: e }),
      fc.record({ ...of('conditional'), condition: e, whenTrue: e, whenFalse: e }),
      fc.record({
        ...of('matrix'),
        elements: few(e),
        shape: optional(fc.record({ rows: optional(e), columns: optional(e) })),
      }),
      fc.record({ ...of('columns'), columns: few(fc.record({ label: unbracketed(e), values: e })) }),
      fc.integer({ min: 1, max: 3 }).chain((width) => {
        const row = fc.array(e, { minLength: width, maxLength: width });
        return fc.record({ ...of('rows'), labels: row, rows: few(row) });
      }),
    ) as fc.Arbitrary<Expression>,
  };
});
export const expression = tree;

/** A label that begins with `[` begins a frame by rows. */
function unbracketed(e: fc.Arbitrary<Expression>): fc.Arbitrary<Expression> {
  return e.map((label) => ({
    kind: 'call',
    name: 'f',
    kernel: undefined,
    arguments: [{ name: undefined, value: label, ...at }],
    ...at,
  }));
}

const identifier = word.map((name) => ({ name, ...at }));
const type = fc.oneof(
  valueType.map((value): TypeAnnotation => ({ data: 'scalar', value, ...at })),
  optional(valueType).map((value): TypeAnnotation => ({ data: 'matrix', value, ...at })),
);
const index = fc.record({ rows: optional(sideOf()), columns: optional(sideOf()) });

function sideOf(): fc.Arbitrary<Side> {
  return fc.oneof(
    expression.map((position) => ({ kind: 'position' as const, position })),
    fc.record({ kind: fc.constant('range' as const), from: optional(expression), to: optional(expression) }),
  );
}

function statements(inFunction: boolean): fc.Arbitrary<Statement> {
  const { statement } = fc.letrec<{ statement: Statement; block: Block }>((tie) => {
    const block: fc.Arbitrary<Block> = few(tie('statement'), 0).map((all) => ({
      kind: 'block',
      statements: all,
      ...at,
    }));
    const of = <K extends string>(kind: K) => ({ kind: fc.constant(kind), start: fc.constant(0), end: fc.constant(0) });
    const simple = [
      fc.record({ ...of('expression'), expression }),
      fc.record({
        ...of('assignment'),
        targets: few(fc.record({ name: dotted, index: optional(index), start: fc.constant(0), end: fc.constant(0) })),
        value: expression,
      }),
    ];
    return {
      block,
      statement: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        ...simple,
        ...(inFunction ? [fc.record({ ...of('return'), values: few(expression, 0) })] : []),
        block,
        fc.record({
          ...of('if'),
          branches: few(fc.record({ condition: expression, body: block })),
          otherwise: optional(block),
        }),
        fc.record({ ...of('while'), condition: expression, body: block }),
        fc.record({ ...of('do'), condition: expression, body: block }),
        fc.record({
          ...of('for'),
          variable: identifier,
          from: expression,
          to: expression,
          step: optional(expression),
          body: block,
        }),
      ) as fc.Arbitrary<Statement>,
    };
  });
  return statement;
}

const functions: fc.Arbitrary<Statement> = fc.record({
  kind: fc.constant('function' as const),
  name: identifier,
  parameters: fc.uniqueArray(fc.record({ name: identifier, type: optional(type) }), {
    selector: (each) => each.name.name,
    maxLength: 4,
  }),
  results: optional(few(type)),
  body: fc.array(statements(true), { maxLength: 3 }).map((all): Block => ({ kind: 'block', statements: all, ...at })),
  start: fc.constant(0),
  end: fc.constant(0),
});

const imports: fc.Arbitrary<Statement> = fc.record({
  kind: fc.constant('import' as const),
  path: fc.constantFrom('a.daphne', 'lib', '../x y/b.daph'),
  alias: optional(word),
  start: fc.constant(0),
  end: fc.constant(0),
});

/** Whole scripts, as lists of statements. */
export const program: fc.Arbitrary<Statement[]> = fc.array(fc.oneof(statements(false), functions, imports), {
  maxLength: 6,
});

import {
  type Block,
  CONDITIONAL_POWER,
  type Expression,
  POWERS,
  type Script,
  type Selection,
  type Side,
  type Statement,
  type TypeAnnotation,
  UNARY_POWER,
} from './ast.ts';

/** Binds tighter than all operators. */
const OPERAND_POWER = 10;
const INDENT = '  ';
/** What lies deeper stands below it, or the text would grow with the square of the depth. */
const MOST_INDENTED = 80;

/** Text, or something that becomes text: an expression that binds at least as tight as `power`, or parentheses do; a statement. */
type Piece =
  | string
  | { readonly expression: Expression; readonly power: number }
  | { readonly statement: Statement; readonly indent: string };

/**
 * The canonical text of a script, a statement or an expression: as few parentheses as the operators allow, braces around all bodies, a
 * statement per line. Parsed again, it gives the same tree.
 */
export function print(node: Script | Statement | Expression): string {
  switch (node.kind) {
    case 'script':
      return written(node.statements.map((statement) => ({ statement, indent: '' })));
    case 'expression':
    case 'assignment':
    case 'block':
    case 'if':
    case 'while':
    case 'do':
    case 'for':
    case 'function':
    case 'return':
    case 'import':
      return written([{ statement: node, indent: '' }]);
    default:
      return written([loose(node)]);
  }
}

/** Pieces as text. What is still to be written is a list, so that trees may have any depth. */
function written(pieces: readonly Piece[]): string {
  const open = [...pieces].reverse();
  const text: string[] = [];
  let last = '';
  for (let piece = open.pop(); piece !== undefined; piece = open.pop()) {
    if (typeof piece !== 'string') {
      const inner = 'statement' in piece ? statementPieces(piece) : expressionPieces(piece);
      for (let i = inner.length; i-- > 0; ) open.push(inner[i]!);
    } else if (piece !== '') {
      // Two brackets next to each other would be one token.
      if ((last === '[' && piece.startsWith('[')) || (last === ']' && piece.startsWith(']'))) text.push(' ');
      text.push(piece);
      last = piece.at(-1)!;
    }
  }
  return text.join('');
}

const loose = (expression: Expression): Piece => ({ expression, power: CONDITIONAL_POWER });

/** Expressions with commas between them. */
function list(expressions: readonly Expression[]): Piece[] {
  return expressions.flatMap((each, i) => (i === 0 ? [loose(each)] : [', ', loose(each)]));
}

function powerOf(expression: Expression): number {
  switch (expression.kind) {
    case 'unary':
      return UNARY_POWER;
    case 'binary':
      return POWERS[expression.operator];
    case 'conditional':
      return CONDITIONAL_POWER;
    default:
      return OPERAND_POWER;
  }
}

function expressionPieces({ expression, power }: { expression: Expression; power: number }): readonly Piece[] {
  return powerOf(expression) >= power ? innerPieces(expression) : ['(', ...innerPieces(expression), ')'];
}

function innerPieces(expression: Expression): readonly Piece[] {
  switch (expression.kind) {
    case 'literal':
      return [expression.text];
    case 'argument':
      return [`$${expression.name}`];
    case 'name':
      return [expression.name];
    case 'call': {
      const { name, kernel } = expression;
      const given = expression.arguments.flatMap(({ name, value }, i) => [
        `${i === 0 ? '' : ', '}${name === undefined ? '' : `${name}=`}`,
        loose(value),
      ]);
      return [`${name}${kernel === undefined ? '' : `::${kernel}`}(`, ...given, ')'];
    }
    case 'cast': {
      const { data, value, operand } = expression;
      const type = data === undefined ? value : value === undefined ? data : `${data}<${value}>`;
      return [`as.${type}(`, loose(operand), ')'];
    }
    case 'filter': {
      const { object, rows, columns } = expression;
      const sides = [...list(rows === undefined ? [] : [rows]), ', ', ...list(columns === undefined ? [] : [columns])];
      return [{ expression: object, power: OPERAND_POWER }, '[[', ...sides, ']]'];
    }
    case 'index':
      return [{ expression: expression.object, power: OPERAND_POWER }, ...selectionPieces(expression)];
    case 'unary':
      return [expression.operator, { expression: expression.operand, power: UNARY_POWER }];
    case 'binary': {
      const { operator, kernel, left, right } = expression;
      const power = POWERS[operator];
      const sign = kernel === undefined ? operator : `${operator}::${kernel}`;
      return [{ expression: left, power }, ` ${sign} `, { expression: right, power: power + 1 }];
    }
    case 'conditional': {
      const { condition, whenTrue, whenFalse } = expression;
      return [loose(condition), ' ? ', loose(whenTrue), ' : ', { expression: whenFalse, power: CONDITIONAL_POWER + 1 }];
    }
    case 'matrix': {
      const { elements, shape } = expression;
      const { rows, columns } = shape ?? {};
      const lengths: Piece[] = shape === undefined ? [] : ['(', ...optional(rows), ', ', ...optional(columns), ')'];
      return ['[', ...list(elements), ']', ...lengths];
    }
    case 'columns':
      return [
        '{',
        ...expression.columns.flatMap(({ label, values }, i) => [
          i === 0 ? '' : ', ',
          loose(label),
          ': ',
          loose(values),
        ]),
        '}',
      ];
    case 'rows':
      return [
        '{[',
        ...list(expression.labels),
        ']',
        ...expression.rows.flatMap((row) => [', ', '[', ...list(row), ']']),
        '}',
      ];
  }
}

const optional = (expression: Expression | undefined): Piece[] => (expression === undefined ? [] : [loose(expression)]);

function selectionPieces({ rows, columns }: Selection): readonly Piece[] {
  return ['[', ...sidePieces(rows), ', ', ...sidePieces(columns), ']'];
}

function sidePieces(side: Side | undefined): readonly Piece[] {
  if (side === undefined) return [];
  return side.kind === 'position' ? [loose(side.position)] : [...optional(side.from), ':', ...optional(side.to)];
}

function statementPieces({ statement, indent }: { statement: Statement; indent: string }): readonly Piece[] {
  const inner = indent.length < MOST_INDENTED ? indent + INDENT : indent;
  const body = (block: Block): Piece[] => [
    '{\n',
    ...block.statements.map((each) => ({ statement: each, indent: inner })),
    `${indent}}`,
  ];
  switch (statement.kind) {
    case 'expression':
      return [indent, loose(statement.expression), ';\n'];
    case 'assignment': {
      const targets = statement.targets.flatMap(({ name, index }, i) => [
        `${i === 0 ? '' : ', '}${name}`,
        ...(index === undefined ? [] : selectionPieces(index)),
      ]);
      return [indent, ...targets, ' = ', loose(statement.value), ';\n'];
    }
    case 'block':
      return [indent, ...body(statement), '\n'];
    case 'if': {
      const { branches, otherwise } = statement;
      const all = branches.flatMap(({ condition, body: block }, i) => [
        `${i === 0 ? '' : ' else '}if (`,
        loose(condition),
        ') ',
        ...body(block),
      ]);
      return [indent, ...all, ...(otherwise === undefined ? [] : [' else ', ...body(otherwise)]), '\n'];
    }
    case 'while':
      return [`${indent}while (`, loose(statement.condition), ') ', ...body(statement.body), '\n'];
    case 'do':
      return [`${indent}do `, ...body(statement.body), ' while (', loose(statement.condition), ');\n'];
    case 'for': {
      const { variable, from, to, step } = statement;
      const steps: Piece[] = step === undefined ? [] : [':', loose(step)];
      return [
        `${indent}for (${variable.name} in `,
        loose(from),
        ':',
        loose(to),
        ...steps,
        ') ',
        ...body(statement.body),
        '\n',
      ];
    }
    case 'function': {
      const { name, parameters, results } = statement;
      const taken = parameters.map(
        (each) => `${each.name.name}${each.type === undefined ? '' : `: ${typeText(each.type)}`}`,
      );
      const given = results === undefined ? '' : ` -> ${results.map(typeText).join(', ')}`;
      return [`${indent}def ${name.name}(${taken.join(', ')})${given} `, ...body(statement.body), '\n'];
    }
    case 'return':
      return statement.values.length === 0
        ? [`${indent}return;\n`]
        : [`${indent}return `, ...list(statement.values), ';\n'];
    case 'import':
      return [
        `${indent}import "${statement.path}"${statement.alias === undefined ? '' : ` as "${statement.alias}"`};\n`,
      ];
  }
}

/** A type as scripts write it. */
export function typeText(type: TypeAnnotation): string {
  if (type.data === 'scalar') return type.value;
  return type.value === undefined ? 'matrix' : `matrix<${type.value}>`;
}

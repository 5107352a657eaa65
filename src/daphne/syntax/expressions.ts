import type { Span } from '../source.ts';
import {
  type Binary,
  type BinaryOperator,
  type CallArgument,
  CONDITIONAL_POWER,
  type Conditional,
  type Constant,
  type DataType,
  type Expression,
  POWERS,
  type Side,
  TAKES_KERNEL,
  UNARY_POWER,
  type UnaryOperator,
  type ValueTypeName,
} from './ast.ts';
import type { Cursor } from './cursor.ts';
import { floatValue, integerValue, stringValue } from './literals.ts';

/** Something that has begun and waits for an expression: an operator for its right operand, a bracket for what is inside. */
type Open =
  | { readonly kind: 'unary'; readonly operator: UnaryOperator; readonly start: number }
  | {
      readonly kind: 'binary';
      readonly operator: BinaryOperator;
      readonly kernel: string | undefined;
      readonly left: Expression;
    }
  | { readonly kind: 'else'; readonly condition: Expression; readonly whenTrue: Expression }
  | OpenBracket;

type OpenBracket =
  | { readonly kind: 'group' }
  | { readonly kind: 'then'; readonly condition: Expression }
  | OpenCall
  | {
      readonly kind: 'cast';
      readonly start: number;
      readonly data: DataType | undefined;
      readonly value: ValueTypeName | undefined;
    }
  | OpenMatrix
  | OpenShape
  | OpenIndex
  | OpenFilter
  | OpenColumns
  | OpenRows;

interface OpenCall {
  readonly kind: 'call';
  readonly start: number;
  readonly name: string;
  readonly kernel: string | undefined;
  readonly arguments: CallArgument[];
  /** Of the argument that comes next. */
  argumentStart: number;
  argumentName: string | undefined;
}

interface OpenMatrix {
  readonly kind: 'matrix';
  readonly start: number;
  readonly elements: Expression[];
}

interface OpenShape {
  readonly kind: 'shape';
  readonly matrix: OpenMatrix;
  onColumns: boolean;
  rows: Expression | undefined;
  columns: Expression | undefined;
}

interface OpenIndex {
  readonly kind: 'index';
  readonly object: Expression;
  onColumns: boolean;
  rows: Side | undefined;
  /** Of the range whose end comes next. */
  ranged: boolean;
  from: Expression | undefined;
}

interface OpenFilter {
  readonly kind: 'filter';
  readonly object: Expression;
  onColumns: boolean;
  rows: Expression | undefined;
}

interface OpenColumns {
  readonly kind: 'columns';
  readonly start: number;
  readonly columns: { label: Expression; values: Expression }[];
  label: Expression | undefined;
}

interface OpenRows {
  readonly kind: 'rows';
  readonly start: number;
  labels: Expression[] | undefined;
  readonly rows: Expression[][];
  row: Expression[];
  rowStart: number;
}

/** Operators by the kinds of their tokens. A record would take `constructor` for one. */
const BINARY = new Map<string, number>(Object.entries(POWERS));

const TWO_SIDES = 'an index has two sides, `x[rows, columns]`, either of which may be empty';

/**
 * Reads expressions by the powers of their operators (Pratt), with a list of what is open in place of recursion: an operand is read; what
 * binds at least as tight as the next operator gets it; a closing bracket gets what is left.
 */
export class ExpressionParser {
  readonly #cursor: Cursor;
  readonly #open: Open[] = [];

  constructor(cursor: Cursor) {
    this.#cursor = cursor;
  }

  /** The expression that begins here. */
  parse(): Expression {
    for (;;) {
      // Without a value something has been opened, and its operand comes next.
      let value = this.#operand();
      while (value !== undefined) {
        const tighter = this.#postfix(value);
        if (tighter === 'none') {
          value = this.#infix(value);
          if (value === undefined) break;
          const open = this.#open.pop() as OpenBracket | undefined;
          if (open === undefined) return value;
          value = this.#close(open, value);
        } else value = tighter;
      }
    }
  }

  #push(open: Open): undefined {
    if (open.kind !== 'binary' && open.kind !== 'else') this.#cursor.enter();
    this.#open.push(open);
  }

  /** Waits for one more expression within the same bracket. */
  #again(open: OpenBracket): undefined {
    this.#open.push(open);
  }

  /** A bracket has its closing one. */
  #done<T extends Expression>(value: T): T {
    this.#cursor.leave();
    return value;
  }

  #since(start: number): Span {
    return { start, end: this.#cursor.end };
  }

  #operand(): Expression | undefined {
    const cursor = this.#cursor;
    const { start, kind } = cursor;
    switch (kind) {
      case 'name':
        return this.#name();
      case 'integer':
      case 'float':
      case 'string':
      case 'true':
      case 'false':
        return { kind: 'literal', ...constantAt(cursor), ...this.#since(start) };
      case '(':
        cursor.next();
        return this.#push({ kind: 'group' });
      case '-':
      case '+':
        cursor.next();
        return this.#push({ kind: 'unary', operator: kind, start });
      case '$': {
        cursor.next();
        const name = cursor.expect('name', 'the name of an argument of the script');
        return { kind: 'argument', name, ...this.#since(start) };
      }
      case 'as':
        return this.#cast();
      case '[':
        cursor.next();
        if (cursor.kind === ']')
          throw cursor.error({ start, end: start + 1 }, "a matrix can't be empty here: use `fill(0, 0, 1)`");
        return this.#push({ kind: 'matrix', start, elements: [] });
      case '{':
        return this.#frame();
      case '[[':
        throw cursor.error(
          { start, end: start + 2 },
          'expected an expression, found `[[`, which filters: write `[ [` for a list of positions, `[1, 2, 3, 4](2, 2)` for a matrix by rows',
        );
      default:
        throw cursor.unexpected('an expression');
    }
  }

  /** A name, or what is called by it. */
  #name(): Expression | undefined {
    const cursor = this.#cursor;
    const { start } = cursor;
    const name = qualifiedName(cursor);
    let kernel: string | undefined;
    if (cursor.take('::')) {
      kernel = cursor.expect('name', 'the name of a kernel');
      if (!cursor.at('(')) throw cursor.unexpected('`(`, since only calls have kernels');
    }
    if (!cursor.take('(')) return { kind: 'name', name, ...this.#since(start) };
    const open: OpenCall = {
      kind: 'call',
      start,
      name,
      kernel,
      arguments: [],
      argumentStart: 0,
      argumentName: undefined,
    };
    cursor.enter();
    return cursor.at(')') ? this.#endCall(open) : this.#argument(open);
  }

  #argument(open: OpenCall): undefined {
    const cursor = this.#cursor;
    open.argumentStart = cursor.start;
    open.argumentName = undefined;
    if (cursor.kind === 'name' && cursor.peek(1) === '=') {
      const name = cursor.text;
      if (open.arguments.some((each) => each.name === name))
        throw cursor.error({ start: cursor.start, end: cursor.start + name.length }, `\`${name}\` is given twice`);
      open.argumentName = name;
      cursor.next();
      cursor.next();
    } else if (open.arguments.at(-1)?.name !== undefined) {
      throw cursor.error({ start: cursor.start, end: cursor.start + 1 }, 'arguments without a name come first');
    }
    return this.#again(open);
  }

  #endCall({ start, name, kernel, arguments: given }: OpenCall): Expression {
    this.#cursor.expect(')', '`,` or `)`');
    return this.#done({ kind: 'call', name, kernel, arguments: given, ...this.#since(start) });
  }

  #cast(): undefined {
    const cursor = this.#cursor;
    const { start } = cursor;
    cursor.next();
    cursor.expect('.', '`.` and the type of the cast');
    let data: DataType | undefined;
    let value: ValueTypeName | undefined;
    if (cursor.kind === 'data type') {
      data = cursor.text as DataType;
      cursor.next();
      if (cursor.take('<')) {
        value = cursor.expect('value type', 'a value type such as `f64`') as ValueTypeName;
        cursor.expect('>');
      }
    } else value = cursor.expect('value type', 'a type such as `matrix` or `f64`') as ValueTypeName;
    cursor.expect('(');
    return this.#push({ kind: 'cast', start, data, value });
  }

  #frame(): Expression | undefined {
    const cursor = this.#cursor;
    const { start } = cursor;
    cursor.next();
    if (cursor.kind === '}') throw cursor.error({ start, end: cursor.start + 1 }, 'a frame must have columns');
    if (cursor.kind !== '[') return this.#push({ kind: 'columns', start, columns: [], label: undefined });
    const { start: rowStart } = cursor;
    cursor.next();
    return this.#push({ kind: 'rows', start, labels: undefined, rows: [], row: [], rowStart });
  }

  /** What binds tighter than all operators: an index of the value. 'none': there is none. */
  #postfix(object: Expression): Expression | undefined | 'none' {
    const cursor = this.#cursor;
    if (cursor.kind === '[') {
      cursor.next();
      cursor.enter();
      return this.#indexSide({
        kind: 'index',
        object,
        onColumns: false,
        rows: undefined,
        ranged: false,
        from: undefined,
      });
    }
    if (cursor.kind === '[[') {
      cursor.next();
      cursor.enter();
      return this.#filterSide({ kind: 'filter', object, onColumns: false, rows: undefined });
    }
    return 'none';
  }

  /** An operator after the value; without one, the value of all operators that are open within the bracket. */
  #infix(value: Expression): Expression | undefined {
    const cursor = this.#cursor;
    const { kind } = cursor;
    const power = BINARY.get(kind);
    if (power !== undefined) {
      const left = this.#reduce(value, power);
      cursor.next();
      let kernel: string | undefined;
      if (cursor.kind === '::') {
        if (!TAKES_KERNEL.has(kind)) throw cursor.unexpected('an expression, since only `*` `/` `+` `-` have kernels');
        cursor.next();
        kernel = cursor.expect('name', 'the name of a kernel');
      }
      this.#open.push({ kind: 'binary', operator: kind as BinaryOperator, kernel, left });
      return undefined;
    }
    const whole = this.#reduce(value, CONDITIONAL_POWER);
    if (kind !== '?') return whole;
    cursor.next();
    return this.#push({ kind: 'then', condition: whole });
  }

  /** Gives the value to the operators before it that bind at least as tight as `power`. */
  #reduce(value: Expression, power: number): Expression {
    const { end } = this.#cursor;
    for (;;) {
      const open = this.#open.at(-1);
      if (open === undefined) return value;
      if (open.kind === 'unary') {
        if (UNARY_POWER < power) return value;
        const { operator, start } = open;
        value = { kind: 'unary', operator, operand: value, start, end };
        this.#cursor.leave();
      } else if (open.kind === 'binary') {
        if (POWERS[open.operator] < power) return value;
        const { operator, kernel, left } = open;
        value = { kind: 'binary', operator, kernel, left, right: value, start: left.start, end } satisfies Binary;
      } else if (open.kind === 'else') {
        if (CONDITIONAL_POWER < power) return value;
        const { condition, whenTrue } = open;
        const start = condition.start;
        value = { kind: 'conditional', condition, whenTrue, whenFalse: value, start, end } satisfies Conditional;
      } else return value;
      this.#open.pop();
    }
  }

  /** A bracket has got an expression: it ends, or goes on with the next one. */
  #close(open: OpenBracket, value: Expression): Expression | undefined {
    const cursor = this.#cursor;
    switch (open.kind) {
      case 'group':
        cursor.expect(')');
        return this.#done(value);
      case 'then':
        cursor.expect(':', '`:` and the other value of the conditional');
        cursor.leave();
        return this.#push({ kind: 'else', condition: open.condition, whenTrue: value });
      case 'call':
        open.arguments.push({ name: open.argumentName, value, ...this.#since(open.argumentStart) });
        // A comma may come after the last one.
        if (cursor.take(',') && cursor.kind !== ')') return this.#argument(open);
        return this.#endCall(open);
      case 'cast': {
        cursor.expect(')');
        const { data, value: type, start } = open;
        return this.#done({ kind: 'cast', data, value: type, operand: value, ...this.#since(start) });
      }
      case 'matrix':
        open.elements.push(value);
        if (cursor.take(',')) return this.#again(open);
        this.#closing(']', '`,` or `]`');
        if (!cursor.take('(')) return this.#done(matrixOf(open, undefined, cursor.end));
        return this.#shapeSide({ kind: 'shape', matrix: open, onColumns: false, rows: undefined, columns: undefined });
      case 'shape':
        if (open.onColumns) open.columns = value;
        else open.rows = value;
        return this.#nextShapeSide(open);
      case 'index':
        return this.#indexed(open, value);
      case 'filter':
        return this.#nextFilterSide(open, value);
      case 'columns':
        return this.#column(open, value);
      case 'rows':
        return this.#rowElement(open, value);
    }
  }

  #closing(kind: ']' | ']]', what: string): void {
    const cursor = this.#cursor;
    if (cursor.kind === ']]' && kind === ']')
      throw cursor.error(
        { start: cursor.start, end: cursor.start + 2 },
        `expected ${what}, found \`]]\`, which ends a filter: write \`] ]\``,
      );
    cursor.expect(kind, what);
  }

  #shapeSide(open: OpenShape): Expression | undefined {
    const { kind } = this.#cursor;
    return kind === (open.onColumns ? ')' : ',') ? this.#nextShapeSide(open) : this.#again(open);
  }

  #nextShapeSide(open: OpenShape): Expression | undefined {
    const cursor = this.#cursor;
    if (!open.onColumns) {
      cursor.expect(',', '`,`: a shape is `(rows, columns)`, either of which may be empty');
      open.onColumns = true;
      return this.#shapeSide(open);
    }
    cursor.expect(')');
    const { matrix, rows, columns } = open;
    return this.#done(matrixOf(matrix, { rows, columns }, cursor.end));
  }

  /** At the beginning of one side of an index. */
  #indexSide(open: OpenIndex): Expression | undefined {
    const cursor = this.#cursor;
    const { kind } = cursor;
    if (kind === ':') {
      cursor.next();
      return this.#rangeEnd(open, undefined);
    }
    // Where the columns are missing altogether, that is said.
    if (kind === (open.onColumns ? ']' : ',') || (kind === ']' && !open.onColumns))
      return this.#sideDone(open, undefined);
    return this.#again(open);
  }

  #rangeEnd(open: OpenIndex, from: Expression | undefined): Expression | undefined {
    const { kind } = this.#cursor;
    if (kind === ',' || kind === ']') return this.#sideDone(open, { kind: 'range', from, to: undefined });
    open.ranged = true;
    open.from = from;
    return this.#again(open);
  }

  #indexed(open: OpenIndex, value: Expression): Expression | undefined {
    if (open.ranged) return this.#sideDone(open, { kind: 'range', from: open.from, to: value });
    if (this.#cursor.take(':')) return this.#rangeEnd(open, value);
    return this.#sideDone(open, { kind: 'position', position: value });
  }

  #sideDone(open: OpenIndex, side: Side | undefined): Expression | undefined {
    const cursor = this.#cursor;
    if (!open.onColumns) {
      cursor.expect(',', `\`,\`: ${TWO_SIDES}`);
      open.rows = side;
      open.onColumns = true;
      open.ranged = false;
      open.from = undefined;
      return this.#indexSide(open);
    }
    this.#closing(']', '`]`');
    const { object, rows } = open;
    return this.#done({ kind: 'index', object, rows, columns: side, ...this.#since(object.start) });
  }

  #filterSide(open: OpenFilter): Expression | undefined {
    const { kind } = this.#cursor;
    return kind === (open.onColumns ? ']]' : ',') ? this.#nextFilterSide(open, undefined) : this.#again(open);
  }

  #nextFilterSide(open: OpenFilter, value: Expression | undefined): Expression | undefined {
    const cursor = this.#cursor;
    if (!open.onColumns) {
      cursor.expect(',', '`,`: a filter has two sides, `x[[rows, columns]]`, either of which may be empty');
      open.rows = value;
      open.onColumns = true;
      return this.#filterSide(open);
    }
    this.#closing(']]', '`]]`');
    const { object, rows } = open;
    return this.#done({ kind: 'filter', object, rows, columns: value, ...this.#since(object.start) });
  }

  #column(open: OpenColumns, value: Expression): Expression | undefined {
    const cursor = this.#cursor;
    if (open.label === undefined) {
      cursor.expect(':', '`:` between the label and the column');
      open.label = value;
      return this.#again(open);
    }
    open.columns.push({ label: open.label, values: value });
    open.label = undefined;
    if (cursor.take(',')) return this.#again(open);
    cursor.expect('}', '`,` or `}`');
    return this.#done({ kind: 'columns', columns: open.columns, ...this.#since(open.start) });
  }

  #rowElement(open: OpenRows, value: Expression): Expression | undefined {
    const cursor = this.#cursor;
    open.row.push(value);
    if (cursor.take(',')) return this.#again(open);
    this.#closing(']', '`,` or `]`');
    if (open.labels === undefined) open.labels = open.row;
    else {
      const [has, wants] = [open.row.length, open.labels.length];
      if (has !== wants)
        throw cursor.error(this.#since(open.rowStart), `this row has ${has} elements, and there are ${wants} labels`);
      open.rows.push(open.row);
    }
    if (cursor.take(',')) {
      open.row = [];
      open.rowStart = cursor.start;
      cursor.expect('[', '`[` of the next row');
      return this.#again(open);
    }
    cursor.expect('}', '`,` or `}`');
    const { labels, rows, start } = open;
    if (rows.length === 0) throw cursor.error(this.#since(start), 'a frame must have rows here');
    return this.#done({ kind: 'rows', labels, rows, ...this.#since(start) });
  }
}

function matrixOf(
  { elements, start }: OpenMatrix,
  shape: { rows: Expression | undefined; columns: Expression | undefined } | undefined,
  end: number,
): Expression {
  return { kind: 'matrix', elements, shape, start, end };
}

/** `a.b.c`, as one text. */
export function qualifiedName(cursor: Cursor): string {
  let name = cursor.expect('name', 'a name');
  while (cursor.take('.')) name += `.${cursor.expect('name', 'a name')}`;
  return name;
}

/** The literal that is here. */
export function constantAt(cursor: Cursor): { readonly constant: Constant; readonly text: string } {
  const { kind, text, start } = cursor;
  const constant = constantOf(kind, text);
  if (constant === undefined) throw cursor.unexpected('a literal');
  if (typeof constant === 'string') throw cursor.error({ start, end: start + text.length }, constant);
  cursor.next();
  return { constant, text };
}

function constantOf(kind: string, text: string): Constant | string | undefined {
  switch (kind) {
    case 'integer':
      return integerValue(text);
    case 'float':
      return floatValue(text);
    case 'string':
      return { type: 'str', value: stringValue(text) };
    case 'true':
    case 'false':
      return { type: 'bool', value: kind === 'true' };
    default:
      return undefined;
  }
}

/** The statements of a function, or of a file's top level, from the first to the last. */

import type { ScriptError } from '../../base/index.ts';
import type { Source, Span } from '../source.ts';
import type { Assignment, Block, Expression, FunctionDefinition, Return, Statement, Target } from '../syntax/index.ts';
import { sideParts, typeText } from '../syntax/index.ts';
import type { Type, ValueType } from '../types.ts';
import { typeName } from '../types.ts';
import { Builder } from './builder.ts';
import { callBuiltin } from './builtins.ts';
import { unknownName } from './calls.ts';
import { type Compilation, type Definition, type Module, UNCALLED } from './compilation.ts';
import { branches, countingLoop, loop } from './control.ts';
import { evaluate, evaluateOne, sidesOf } from './expressions.ts';
import { importFile } from './imports.ts';
import { type Known, UNKNOWN } from './known.ts';
import { type Binding, Names } from './names.ts';
import type { ReturnSite } from './returns.ts';
import { resultsOf } from './returns.ts';

export class Body {
  readonly compilation: Compilation;
  readonly module: Module;
  /** Undefined at the top level. */
  readonly definition: Definition | undefined;
  readonly builder: Builder;
  readonly names: Names;
  readonly returns: ReturnSite[] = [];
  /** Loops that the statement is in. */
  loops = 0;
  /** Of names in loops, by statements: what they came to be, for when the loop is looked at again. */
  readonly widened = new Map<Statement, Map<string, Type>>();
  /** Real paths of files that this one has imported. */
  readonly imported = new Set<string>();
  readonly prefixes = new Set<string>();

  constructor(compilation: Compilation, module: Module, definition?: Definition, builder?: Builder) {
    this.compilation = compilation;
    this.module = module;
    this.definition = definition;
    this.names = new Names(module.source);
    this.builder = builder ?? new Builder(module.source, compilation.options.builtins.get('$cast'));
  }

  /** Whether it is a function that nobody calls, of which less is known. */
  get isUncalled(): boolean {
    return this.compilation.active.at(-1)?.index === UNCALLED;
  }

  /** Ends the analysis: an error of exit code 1. */
  wrong(at: Span, message: string): never {
    return this.compilation.wrong(this.module.source, at, message);
  }

  /** An error of exit code 2, unless there is one of exit code 1. */
  note(at: Span, message: string): void {
    this.compilation.note(this.module.source, at, message);
  }

  /** Of statements that never run, as the compiler sees: an error of exit code 2 that was noted in them is none. Whether there was one. */
  dropsFailure(isNever: boolean, before: ScriptError | undefined): boolean {
    const { compilation } = this;
    if (!isNever || compilation.failure === before) return false;
    compilation.failure = before;
    return true;
  }

  /** What editors show of an expression, or of a name where it gets its value. */
  recordType(at: Span, value: Known): void {
    if (value !== UNKNOWN) this.compilation.options.record?.type(this.module.source, at, value.type);
  }

  recordUse(at: Span, definition: { readonly source: Source; readonly span: Span }): void {
    this.compilation.options.record?.use(this.module.source, at, definition);
  }

  valueOf(name: string, at: Span): Known {
    return this.#binding(name, at).value;
  }

  #binding(name: string, at: Span): Binding {
    const found = this.names.find(name);
    if (found === undefined)
      return unknownName(
        this,
        name,
        at,
        this.names.all().map((each) => each.name),
      );
    this.recordUse(at, found);
    return found;
  }

  /** As a scalar of the type. */
  scalarOf(value: Known, type: ValueType, at: Span, what: string): Known {
    if (value === UNKNOWN) return value;
    if (value.type.data === 'scalar') return this.builder.cast(value, type);
    if (value.type.data !== 'matrix') return this.wrong(at, `${what} is a scalar, and not a ${value.type.data}`);
    const made = callBuiltin(this, '$cast', [value], { to: { data: 'scalar', value: type } }, at, [at]);
    return made?.[0] ?? UNKNOWN;
  }

  condition(value: Known, at: Span): Known {
    return this.scalarOf(value, 'bool', at, 'a condition');
  }

  /** Whether the end of the statements is never reached, since they return before. */
  statements(all: readonly Statement[]): boolean {
    for (const [i, each] of all.entries()) {
      if (!this.#statement(each)) continue;
      const next = all[i + 1];
      return next === undefined ? true : this.wrong(next, 'this is never reached: a `return` comes before it');
    }
    return false;
  }

  block(block: Block): boolean {
    this.names.open();
    const returns = this.statements(block.statements);
    this.names.close();
    return returns;
  }

  #statement(statement: Statement): boolean {
    switch (statement.kind) {
      case 'expression':
        evaluate(this, statement.expression);
        return false;
      case 'assignment':
        this.#assignment(statement);
        return false;
      case 'block':
        return this.block(statement);
      case 'if':
        return branches(this, statement);
      case 'while':
      case 'do':
        loop(this, statement);
        return false;
      case 'for':
        countingLoop(this, statement);
        return false;
      case 'function':
        this.#define(statement);
        return false;
      case 'return':
        this.#return(statement);
        return true;
      case 'import':
        importFile(this, statement);
        return false;
    }
  }

  #assignment({ targets, value }: Assignment): void {
    const results = evaluate(this, value);
    const given = results ?? targets.map(() => UNKNOWN);
    if (given.length === 0) this.wrong(value, 'this gives no value, and there is nothing to assign');
    if (given.length !== targets.length)
      this.wrong(value, `this gives ${given.length} values, and ${targets.length} are assigned`);
    for (const [i, target] of targets.entries()) this.#assign(target, given[i] as Known, value);
  }

  #assign(target: Target, value: Known, at: Expression): void {
    const { name, index } = target;
    if (name.includes('.')) this.wrong(target, `\`${name}\` is of another file, which only that file assigns`);
    if (index === undefined) {
      this.assignName(name, value, target);
      return;
    }
    const binding = this.#binding(name, target);
    const before = binding.value;
    const operands = [...sideParts(index.rows), ...sideParts(index.columns)];
    const sides = operands.map((each) => evaluateOne(this, each));
    const [rows, columns] = sidesOf(index);
    if (before !== UNKNOWN && before.type.data !== 'matrix')
      this.wrong(target, `parts of matrices are assigned, and \`${name}\` is a ${before.type.data}`);
    if (value !== UNKNOWN && value.type.data !== 'matrix')
      this.wrong(at, `a part of a matrix is assigned a matrix, such as \`[5]\`, and not a ${value.type.data}`);
    if (rows === 'all' && columns === 'all') {
      this.assignName(name, value, target);
      return;
    }
    const spans = [target, at, ...operands];
    const made = callBuiltin(this, '$assign', [before, value, ...sides], { sides: [rows, columns] }, target, spans);
    this.assignName(name, made?.[0] ?? UNKNOWN, target);
  }

  assignName(name: string, value: Known, at: Span): void {
    const binding = this.names.find(name);
    if (binding?.fixed !== undefined) this.wrong(at, `\`${name}\` is ${binding.fixed}, which can't be assigned`);
    const variable = this.builder.variables[value.variable];
    if (variable !== undefined) variable.name ??= name;
    const named = { start: at.start, end: at.start + name.length };
    this.recordType(named, value);
    if (binding === undefined) this.names.declare(name, value, named);
    else {
      this.recordUse(at, binding);
      this.names.set(binding, value);
    }
  }

  #define(node: FunctionDefinition): void {
    const { functions } = this.module;
    const name = node.name.name;
    const others = functions.get(name) ?? [];
    const text = (of: FunctionDefinition): string =>
      of.parameters.map(({ type }) => (type === undefined ? '' : typeText(type))).join();
    const same = others.find(
      (each) => each.node.parameters.length === node.parameters.length && text(each.node) === text(node),
    );
    if (same !== undefined) this.wrong(node.name, `there is a function \`${name}\` with the same parameters already`);
    const definition: Definition = { node, module: this.module, instances: new Map() };
    functions.set(name, [...others, definition]);
    this.compilation.definitions.push(definition);
  }

  #return({ values, ...at }: Return): void {
    if (this.definition === undefined) this.wrong(at, '`return` is for functions');
    if (this.loops > 0) this.wrong(at, '`return` is not for loops: assign a variable, and return it after the loop');
    const given = values.map((each) => evaluateOne(this, each));
    this.builder.emit({ kind: 'return', values: [] });
    this.returns.push({ block: this.builder.block, values: given, at });
  }

  /** Of a function: the types of what it gives. */
  functionBody(): readonly Type[] {
    const { node } = this.definition as Definition;
    const returns = this.block(node.body);
    if (!returns && (this.returns.length > 0 || (node.results?.length ?? 0) > 0))
      this.wrong(node.name, `\`${node.name.name}\` has to return something on every way to its end`);
    return resultsOf(this, node);
  }

  /** A variable that would have another data type than on another way to the same place. */
  changedData(at: Span, name: string, a: Type, b: Type): never {
    const types = `${typeName(a)} on one way and ${typeName(b)} on another one`;
    return this.wrong(at, `\`${name}\` is ${types} after this: a variable keeps its data type in branches and loops`);
  }
}

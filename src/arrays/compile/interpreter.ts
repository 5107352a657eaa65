import { type AnyNode, type FunctionNode, type FunctionTree, isToolStatement, withoutTools } from '../../code/index.ts';
import { called, memberOf } from './calls.ts';
import { constant, type Expression, element } from './expression.ts';
import { asConditions, isLoop, jumps, type Loop, returns } from './flow.ts';
import { Rounds } from './loops.ts';
import { binary, truthOf, unary } from './operators.ts';
import { INSTEAD, Refusals } from './refusal.ts';
import { BREAK, Environment, isValue, NEXT, type Result, type Val } from './values.ts';

type NodeOf<T extends AnyNode['type']> = Extract<AnyNode, { type: T }>;

const MOST_STEPS = 100_000;
const MOST_CALLS = 100;

/** What comes after some statements, in the environment in which they have ended. */
type After = (ended: Environment) => Result;

/** One of two; of truths that are known, what the condition comes to. */
function chosen(condition: Expression, a: Expression, b: Expression): Expression {
  if (a === b) return a;
  if (a.kind === 'constant' && a.of === 'boolean') {
    return a.value ? element('logicalOr', condition, b) : element('logicalAnd', element('logicalNot', condition), b);
  }
  if (b.kind === 'constant' && b.of === 'boolean') {
    return b.value ? element('logicalOr', element('logicalNot', condition), a) : element('logicalAnd', condition, a);
  }
  return element('where', condition, a, b);
}

/**
 * Runs a function on expressions in place of numbers, so that what it returns is the expression that it computes. Conditions that depend on
 * an element take both ways; loops have to end in any case, whatever elements there are.
 */
export class Interpreter {
  readonly tree: FunctionTree;
  readonly refuse: Refusals;
  readonly #captures: Readonly<Record<string, unknown>>;
  readonly #outside = new Map<string, Val>();
  #steps = 0;
  #depth = 0;
  /** The loop around what is looked at, in the function that is. */
  #loop: Rounds | undefined;
  /** All loops that are under way, those of callers too. */
  readonly #loops: Rounds[] = [];
  /** The environment of the call that is under way, by its number. */
  #function = 0;
  /** Of environments those that count in this way of all conditions. */
  #copies: ReadonlyMap<number, Environment> = new Map();
  /** Ways of conditions that are open: what each has copies of, and when it began. */
  readonly #branches: { readonly ids: ReadonlySet<number>; readonly begun: number }[] = [];

  constructor(operation: string, tree: FunctionTree, captures: Readonly<Record<string, unknown>>) {
    this.tree = tree;
    this.refuse = new Refusals(operation, tree);
    this.#captures = captures;
  }

  /** What the function gives for some arguments. */
  run(args: readonly Val[]): Expression {
    const result = this.call(this.tree.node, new Environment(), args, this.tree.node);
    return this.expression(result, this.tree.node);
  }

  expression(value: Val, node: AnyNode): Expression {
    if (value.kind === 'expression') return value.expression;
    const what = { function: 'a function', list: 'a list', field: 'a whole array' }[value.kind];
    const advice = value.kind === 'field' ? 'Write u.near(0, 0) for its element' : 'Give a number or a boolean';
    throw this.refuse.construct(node, `which is ${what} where a number has to be`, `${advice}.`);
  }

  call(fn: FunctionNode, outer: Environment, args: readonly Val[], at: AnyNode): Val {
    if (fn.async || fn.generator)
      throw this.refuse.construct(fn, 'which is no plain function', 'Give one that returns a number.');
    if (++this.#depth > MOST_CALLS) {
      throw this.refuse.construct(at, 'where calls go deeper than 100', 'Recursion can only be on constants.');
    }
    const environment = new Environment(this.#copies.get(outer.id) ?? outer);
    const [caller, loop] = [this.#function, this.#loop];
    this.#function = environment.id;
    this.#loop = undefined;
    for (const [i, param] of fn.params.entries()) {
      if (param.type !== 'Identifier') {
        throw this.refuse.construct(
          param,
          'which is no plain parameter',
          'Give parameters names, without defaults or patterns.',
        );
      }
      environment.declare(param.name, args[i], false);
    }
    const body = withoutTools(fn.body as AnyNode);
    const result =
      body.type === 'BlockStatement' ? this.block(body.body as AnyNode[], environment) : this.value(body, environment);
    this.#depth--;
    this.#function = caller;
    this.#loop = loop;
    if (!isValue(result)) {
      throw this.refuse.construct(fn, 'which does not return a value in every case', 'Return a number or a boolean.');
    }
    return result;
  }

  step(node: AnyNode): void {
    if (++this.#steps > MOST_STEPS) {
      throw this.refuse.construct(node, `where more than ${MOST_STEPS} steps were taken`, 'Shorten its loops.');
    }
  }

  /** What statements return, or what comes after them; undefined, if nothing does. `after` is given the environment in which they have ended. */
  block(statements: readonly AnyNode[], environment: Environment, after?: After): Result {
    for (const statement of statements) {
      if (statement.type !== 'FunctionDeclaration') continue;
      const { name } = statement.id as { name: string };
      environment.declare(name, { kind: 'function', node: statement, environment }, true);
    }
    for (const [i, given] of statements.entries()) {
      if (isToolStatement(given)) continue;
      this.step(given);
      const statement = given.type === 'SwitchStatement' ? this.#switch(given, environment) : given;
      const rest: After = (ended) => this.block(statements.slice(i + 1), ended, after);
      if (statement.type === 'IfStatement') {
        const condition = truthOf(this, this.value(statement.test, environment), statement.test);
        if (condition.kind !== 'constant') {
          if (returns(statement)) return this.#fork(statement, condition, rest, environment);
          if (jumps(statement)) return this.#part(statement, condition, rest, environment);
          this.#both(statement, condition, environment);
          continue;
        }
        const way = condition.value ? statement.consequent : statement.alternate;
        if (!way) continue;
        if (returns(way) || jumps(way)) return this.block([way], environment, rest);
        this.block([way], environment);
        continue;
      }
      if (statement.type === 'BlockStatement' && (returns(statement) || jumps(statement))) {
        return this.block(statement.body, new Environment(environment), (ended) => rest(ended.outer as Environment));
      }
      const result = this.#statement(statement, environment);
      if (result !== undefined) return result;
    }
    return after?.(environment);
  }

  /** Each way with all that comes after it. */
  #fork(
    { consequent, alternate }: NodeOf<'IfStatement'>,
    condition: Expression,
    rest: After,
    environment: Environment,
  ): Result {
    const [one, other] = [environment.copy(), environment.copy()];
    const yes = this.#branch(one, () => this.block([consequent], one, rest));
    const no = this.#branch(other, () => (alternate ? this.block([alternate], other, rest) : rest(other)));
    if (!isValue(yes) || !isValue(no)) {
      if (this.#loop !== undefined) throw this.leavesLoop(consequent);
      throw this.refuse.construct(
        consequent,
        'and in some cases no value is returned after it',
        'Return one in every case.',
      );
    }
    // What is outside of the function is there when it has returned.
    const join = (a: Val, b: Val): Val => this.choose(condition, a, b, consequent);
    environment.merge(one, other, join, this.#function);
    return join(yes, no);
  }

  /** A return in the midst of a loop that only some elements come to. */
  leavesLoop(at: AnyNode): Error {
    return this.refuse.construct(
      at,
      'which elements decide to leave a loop with',
      'Keep the value in a variable, leave the loop with break, and return it after that.',
    );
  }

  /** Each way with what is left of the round of a loop. Where one of them leaves the loop, it goes on with the other. */
  #part(
    { consequent, alternate }: NodeOf<'IfStatement'>,
    condition: Expression,
    rest: After,
    environment: Environment,
  ): Result {
    const loop = this.#loop as Rounds;
    const otherwise = element('logicalNot', condition);
    const [one, other] = [environment.copy(), environment.copy()];
    const within = (own: Environment, holds: Expression, run: () => Result): Result => {
      loop.path.push(holds);
      const result = this.#branch(own, run);
      loop.path.pop();
      if (isValue(result)) throw this.leavesLoop(consequent);
      return result;
    };
    const yes = within(one, condition, () => this.block([consequent], one, rest));
    const no = within(other, otherwise, () => (alternate ? this.block([alternate], other, rest) : rest(other)));
    const join = (a: Val, b: Val): Val => this.choose(condition, a, b, consequent);
    if ((yes === BREAK) === (no === BREAK)) {
      environment.merge(one, other, join);
      return yes === BREAK ? BREAK : NEXT;
    }
    const [left, stays, holds] = yes === BREAK ? [one, other, condition] : [other, one, otherwise];
    loop.leave(holds, left);
    environment.merge(stays, stays, join);
    return NEXT;
  }

  /** Both ways, neither of which returns: names have what the condition says. */
  #both({ consequent, alternate }: NodeOf<'IfStatement'>, condition: Expression, environment: Environment): void {
    const otherwise = alternate ? (own: Environment) => this.block([alternate], own) : () => undefined;
    this.ways(condition, environment, (own) => this.block([consequent], own), otherwise, consequent);
  }

  /** Two ways, each with what it assigns; what they give. */
  ways<T>(
    condition: Expression,
    environment: Environment,
    yes: (own: Environment) => T,
    no: (own: Environment) => T,
    at: AnyNode,
  ): [T, T] {
    const [one, other] = [environment.copy(), environment.copy()];
    const results: [T, T] = [this.#branch(one, () => yes(one)), this.#branch(other, () => no(other))];
    environment.merge(one, other, (a, b) => this.choose(condition, a, b, at));
    return results;
  }

  /** One way of a condition: in it, functions see the copies of what is around them. */
  #branch<T>(copy: Environment, run: () => T): T {
    const chain = [...copy.chain()];
    const before = this.#copies;
    this.#copies = new Map([...before, ...chain.map((each) => [each.id, each] as const)]);
    this.#branches.push({ ids: new Set(chain.map(({ id }) => id)), begun: new Environment().id });
    const result = run();
    this.#branches.pop();
    this.#copies = before;
    return result;
  }

  choose(condition: Expression, yes: Val, no: Val, at: AnyNode): Val {
    if (condition.kind === 'constant') return condition.value ? yes : no;
    const [a, b] = [this.expression(yes, at), this.expression(no, at)];
    if (a.of !== b.of) {
      throw this.refuse.construct(
        at,
        `which is a ${a.of} in one case and a ${b.of} in the other`,
        'Give one kind of value.',
      );
    }
    return { kind: 'expression', expression: chosen(condition, a, b) };
  }

  #statement(statement: AnyNode, environment: Environment): Result {
    if (isLoop(statement)) return this.#around(statement, environment);
    switch (statement.type) {
      case 'ReturnStatement':
        return statement.argument ? this.value(statement.argument, environment) : undefined;
      case 'BlockStatement':
        return this.block(statement.body, new Environment(environment));
      case 'ExpressionStatement':
        this.value(statement.expression, environment);
        return undefined;
      case 'VariableDeclaration':
        this.declare(statement, environment);
        return undefined;
      case 'FunctionDeclaration':
        // Declared when the block began.
        return undefined;
      case 'BreakStatement':
      case 'ContinueStatement':
        if (statement.label)
          throw this.refuse.construct(statement, 'which has a label', 'Leave one loop at a time: without labels.');
        return statement.type === 'BreakStatement' ? BREAK : NEXT;
      default:
        throw this.refuse.construct(
          statement,
          'a statement that has no form for arrays',
          INSTEAD[statement.type] ?? 'There are const, let, if, switch, loops, and return.',
        );
    }
  }

  declare(statement: NodeOf<'VariableDeclaration'>, environment: Environment): void {
    for (const { id, init } of statement.declarations) {
      if (id.type !== 'Identifier') {
        throw this.refuse.construct(id, 'which is a pattern', 'Give each variable a declaration of its own.');
      }
      const value = init ? this.value(init, environment) : undefined;
      environment.declare(id.name, value, statement.kind === 'const');
    }
  }

  #around(statement: Loop, environment: Environment): Result {
    const outer = this.#loop;
    const loop = new Rounds(this, statement, environment);
    this.#loop = loop;
    this.#loops.push(loop);
    const result = loop.run();
    this.#loops.pop();
    this.#loop = outer;
    return result;
  }

  #switch(statement: NodeOf<'SwitchStatement'>, environment: Environment): AnyNode {
    const name = `compared at ${statement.start}`;
    environment.declare(name, this.value(statement.discriminant, environment), true);
    return asConditions(statement, name, this.refuse);
  }

  value(given: AnyNode, environment: Environment): Val {
    const node = withoutTools(given);
    this.step(node);
    const of = (expression: Expression): Val => ({ kind: 'expression', expression });
    const inner = (each: AnyNode): Expression => this.expression(this.value(each, environment), each);
    switch (node.type) {
      case 'Literal':
        if (typeof node.value === 'number' || typeof node.value === 'boolean') return of(constant(node.value));
        break;
      case 'Identifier':
        return this.#named(node, environment);
      case 'UnaryExpression':
        return of(unary(this, node, inner));
      case 'BinaryExpression':
        return of(binary(this, node, node.operator, inner(node.left), inner(node.right)));
      case 'LogicalExpression':
        return this.#logical(node, environment);
      case 'ConditionalExpression': {
        const condition = truthOf(this, this.value(node.test, environment), node.test);
        if (condition.kind === 'constant') {
          return this.value(condition.value ? node.consequent : node.alternate, environment);
        }
        const [yes, no] = this.ways(
          condition,
          environment,
          (own) => this.value(node.consequent, own),
          (own) => this.value(node.alternate, own),
          node,
        );
        return this.choose(condition, yes, no, node);
      }
      case 'AssignmentExpression':
        return this.#assign(node, environment);
      case 'UpdateExpression': {
        const before = inner(node.argument);
        const after = binary(this, node, node.operator === '++' ? '+' : '-', before, constant(1));
        this.#write(node.argument, of(after), environment);
        return of(node.prefix ? after : before);
      }
      case 'ArrayExpression':
        return { kind: 'list', items: node.elements.map((each) => this.#item(each, node, environment)) };
      case 'ArrowFunctionExpression':
      case 'FunctionExpression':
      case 'FunctionDeclaration':
        return { kind: 'function', node, environment };
      case 'CallExpression':
        return called(this, node, environment);
      case 'MemberExpression':
        return memberOf(this, node, environment);
      default:
    }
    throw this.refuse.construct(
      node,
      'which has no form for arrays',
      'There are numbers, booleans, operators, Math, and functions of them.',
    );
  }

  #item(each: AnyNode | null, list: AnyNode, environment: Environment): Val {
    if (each === null || each.type === 'SpreadElement') {
      throw this.refuse.construct(list, 'a list that is not plain', 'List its items one by one.');
    }
    return this.value(each, environment);
  }

  #named(node: NodeOf<'Identifier'>, environment: Environment): Val {
    const slot = environment.find(node.name);
    if (slot !== undefined) {
      if (slot.value !== undefined) return slot.value;
      throw this.refuse.construct(node, 'which has no value here', 'Give it one first.');
    }
    const meaning = this.tree.meaning(node);
    switch (meaning.kind) {
      case 'captured':
        return this.#captured(this.#captures[meaning.name], node);
      case 'value': {
        let value = this.#outside.get(node.name);
        if (value === undefined) {
          value = this.value(meaning.node, new Environment());
          this.#outside.set(node.name, value);
        }
        return value;
      }
      case 'unknown':
        throw this.refuse.name(node, node.name, meaning.because);
      default: {
        const known = { Infinity: Number.POSITIVE_INFINITY, NaN: Number.NaN }[node.name];
        if (known !== undefined) return { kind: 'expression', expression: constant(known) };
        if (!(node.name in globalThis)) throw this.refuse.name(node, node.name, 'which nobody has defined');
        throw this.refuse.construct(
          node,
          'which is no number',
          'There are numbers, booleans, Math, and functions of its file.',
        );
      }
    }
  }

  #captured(value: unknown, node: AnyNode): Val {
    if (typeof value === 'number' || typeof value === 'boolean')
      return { kind: 'expression', expression: constant(value) };
    if (Array.isArray(value)) return { kind: 'list', items: value.map((each) => this.#captured(each, node)) };
    throw this.refuse.construct(
      node,
      'a captured value that is no number',
      'Capture numbers, booleans, and lists of them.',
    );
  }

  #logical(node: NodeOf<'LogicalExpression'>, environment: Environment): Val {
    const left = this.expression(this.value(node.left, environment), node.left);
    if (left.of !== 'boolean' || node.operator === '??') {
      throw this.refuse.construct(
        node.left,
        `which is no boolean before ${node.operator}`,
        'Compare it with something.',
      );
    }
    if (left.kind === 'constant' && left.value === (node.operator === '||'))
      return { kind: 'expression', expression: left };
    const ask = (own: Environment): Expression => this.expression(this.value(node.right, own), node.right);
    // The second one is asked only where the first one does not say it, and so is what it assigns.
    const condition = node.operator === '&&' ? left : element('logicalNot', left);
    const right =
      left.kind === 'constant'
        ? ask(environment)
        : (this.ways(condition, environment, ask, () => undefined, node)[0] as Expression);
    if (right.of !== 'boolean') {
      throw this.refuse.construct(
        node.right,
        `which is no boolean after ${node.operator}`,
        'Compare it with something.',
      );
    }
    if (left.kind === 'constant') return { kind: 'expression', expression: right };
    return {
      kind: 'expression',
      expression: element(node.operator === '&&' ? 'logicalAnd' : 'logicalOr', left, right),
    };
  }

  #assign(node: NodeOf<'AssignmentExpression'>, environment: Environment): Val {
    if (node.operator === '=') {
      const value = this.value(node.right, environment);
      this.#write(node.left, value, environment);
      return value;
    }
    const operator = node.operator.slice(0, -1);
    // As it was before the right side, which may assign to it.
    const left = this.expression(this.value(node.left as AnyNode, environment), node.left);
    const right = this.expression(this.value(node.right, environment), node.right);
    const value: Val = { kind: 'expression', expression: binary(this, node, operator, left, right) };
    this.#write(node.left, value, environment);
    return value;
  }

  #write(target: AnyNode, value: Val, environment: Environment): void {
    const slot = target.type === 'Identifier' ? environment.find(target.name) : undefined;
    if (slot === undefined || slot.constant) {
      throw this.refuse.construct(target, 'which is no variable of the function', 'Only those can be assigned to.');
    }
    // A way of a condition has copies of what it sees itself. What only a function that was passed in sees would be changed in the other way too.
    const { id } = environment.holder((target as { name: string }).name) as Environment;
    const isInOne = this.#branches.some(({ ids, begun }) => id < begun && !ids.has(id));
    if (isInOne || this.#loops.some((loop) => loop.escapes(id))) {
      throw this.refuse.construct(
        target,
        'which is assigned to when an element says so, by a function from elsewhere',
        'Return the value from the function.',
      );
    }
    slot.value = value;
  }
}

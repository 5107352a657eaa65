import type { AnyNode } from '../../code/index.ts';
import { constant, type Expression, element } from './expression.ts';
import type { Loop } from './flow.ts';
import type { Interpreter } from './interpreter.ts';
import { truthOf } from './operators.ts';
import { BREAK, Environment, type Val } from './values.ts';

/** So many times the end of a loop may be left to elements, before it counts as one that nothing else ends. */
const MOST_ROUNDS = 4096;

/** Where some elements leave a loop: which of those that have come so far, and what there is then. */
interface Exit {
  readonly condition: Expression;
  readonly environment: Environment;
}

/**
 * A loop, round by round, until something that is known before ends it. Where only some elements leave it, it goes on as for the others; at its end
 * each element has what there was where it left. So what is the same for all that are still in it stays known.
 */
export class Rounds {
  readonly #interpreter: Interpreter;
  readonly #loop: Loop;
  readonly #environment: Environment;
  readonly #items: readonly Val[] | undefined;
  readonly #exits: Exit[] = [];
  /** Conditions of this round that hold where it is looked at. */
  readonly path: Expression[] = [];
  /** The environments around it, and when it began. */
  readonly #around: ReadonlySet<number>;
  readonly #begun: number;
  #round = 0;

  constructor(interpreter: Interpreter, loop: Loop, outer: Environment) {
    this.#interpreter = interpreter;
    this.#loop = loop;
    this.#environment = new Environment(outer);
    this.#around = new Set([...this.#environment.chain()].map(({ id }) => id));
    this.#begun = new Environment().id;
    if (loop.type === 'ForStatement' && loop.init) {
      if (loop.init.type === 'VariableDeclaration') interpreter.declare(loop.init, this.#environment);
      else interpreter.value(loop.init, this.#environment);
    }
    if (loop.type !== 'ForOfStatement') return;
    const list = interpreter.value(loop.right, outer);
    if (list.kind !== 'list')
      throw interpreter.refuse.construct(loop.right, 'which is no list', 'Give one of numbers.');
    this.#items = list.items;
  }

  /** What is returned in the midst of it. */
  run(): Val | undefined {
    const loop = this.#loop;
    const environment = this.#environment;
    for (; this.#goes(); this.#round++) {
      const result = this.#interpreter.block([loop.body], this.#roundIn(environment));
      if (result === BREAK) break;
      if (typeof result === 'object') {
        if (this.#exits.length > 0) throw this.#interpreter.leavesLoop(loop.body);
        return result;
      }
      if (loop.type === 'ForStatement' && loop.update) this.#interpreter.value(loop.update, environment);
    }
    let rest = environment.copy();
    for (const { condition, environment: left } of this.#exits.reverse()) {
      environment.merge(left, rest, (a, b) => this.#interpreter.choose(condition, a, b, loop));
      rest = environment.copy();
    }
    return undefined;
  }

  /** Elements for which `condition` holds leave it, with what there is in an environment of it. */
  leave(condition: Expression, within: Environment): void {
    const own = [...within.chain()].find(({ id }) => id === this.#environment.id) as Environment;
    const all = this.path.reduceRight((sum, each) => element('logicalAnd', each, sum), condition);
    this.#exits.push({ condition: all, environment: own.copy() });
  }

  /** Whether an environment is one that elements which have left it would see changed. */
  escapes(id: number): boolean {
    return this.#exits.length > 0 && id < this.#begun && !this.#around.has(id);
  }

  #goes(): boolean {
    const loop = this.#loop;
    if (this.#items !== undefined) return this.#round < this.#items.length;
    if (loop.type === 'ForOfStatement' || !loop.test || (loop.type === 'DoWhileStatement' && this.#round === 0))
      return true;
    this.#interpreter.step(loop.test);
    const goes = truthOf(this.#interpreter, this.#interpreter.value(loop.test, this.#environment), loop.test);
    if (goes.kind === 'constant') return Boolean(goes.value);
    if (this.#round > MOST_ROUNDS) {
      throw this.#interpreter.refuse.construct(
        loop.test,
        'a loop whose end depends on elements alone',
        'Say after how many rounds it ends in any case, as in i < 100 && x > 1; for the rest there is iterate().',
      );
    }
    this.leave(element('logicalNot', goes), this.#environment);
    return true;
  }

  /** The names of a round. */
  #roundIn(environment: Environment): Environment {
    const own = new Environment(environment);
    const loop = this.#loop;
    this.#interpreter.step(loop.body);
    if (loop.type !== 'ForOfStatement') return own;
    const { left } = loop;
    const id: AnyNode | undefined = left.type === 'VariableDeclaration' ? left.declarations[0]?.id : undefined;
    if (id?.type !== 'Identifier') {
      throw this.#interpreter.refuse.construct(left, 'which is no new variable', 'Write for (const x of list).');
    }
    own.declare(id.name, this.#items?.[this.#round] ?? { kind: 'expression', expression: constant(Number.NaN) }, false);
    return own;
  }
}

/**
 * Programs as JavaScript: one text for all of a program's functions. Every instruction is a statement on local variables.
 *
 * Functions that call no built-in work on scalars alone and are ordinary ones. All others are async, and wait where there is something to wait for.
 * Stacks are only so deep: when one is used up, which an ordinary function cannot have left any traces before, the call is made once more with
 * the same functions as async ones, which leave the stack every so many calls.
 */

import type { Site } from '../builtins/builtin.ts';
import type { Block, Instruction, Program, ProgramFunction, Variable } from '../program/program.ts';
import { scalarCast } from '../program/scalar-casts.ts';
import { type ScalarFunction, scalarFunction } from '../program/scalar-functions.ts';
import type { Source, Span } from '../source.ts';
import { isWide, type ValueType } from '../types.ts';
import { type LiveAt, liveObjects } from './liveness.ts';
import { castText, conditionText, type Helpers, literal, type Operand, operationText } from './scalars.ts';
import { instructionsOf, targetsOf, type Uses, usesOf } from './uses.ts';

export interface Place {
  readonly source: Source;
  readonly span: Span;
}

/** A text, and what it refers to by numbers. */
export interface Generated {
  /** The body of a function of `R`, the support that the code runs with. It gives `{ main, functions }`. */
  readonly text: string;
  readonly sites: readonly Site[];
  readonly places: readonly Place[];
  readonly helpers: readonly ScalarFunction[];
}

export interface GenerateOptions {
  /** The script's variables are given at the end, as `Program.outputs` lists them. */
  readonly givesOutputs?: boolean;
  /** Matrices are computed when somebody wants them: the support is told which ones others will want later. */
  readonly isLazy?: boolean;
  /** Only the functions that are ordinary ones otherwise, all of them async. */
  readonly deep?: boolean;
}

/** So many async calls may be on the stack, of small functions. */
const CALLS_PER_STACK = 256;
/** Together they have so many variables. */
const VARIABLES_PER_STACK = 40_000;

export function generate(program: Program, options: GenerateOptions = {}): Generated {
  return new Generator(program, options).generate();
}

/** Numbers for things, in the order in which they are first used. */
class Table<T> {
  readonly all: T[] = [];
  readonly #numbers = new Map<unknown, number>();

  numberOf(key: unknown, make: () => T): number {
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.all.push(make()) - 1;
      this.#numbers.set(key, number);
    }
    return number;
  }
}

class Generator {
  readonly #program: Program;
  readonly #options: GenerateOptions;
  readonly #lines: string[] = [];
  readonly #sites = new Table<Site>();
  readonly #places = new Table<Place>();
  readonly #helpers = new Table<ScalarFunction>();
  /** By functions: whether they may wait. */
  readonly #waits: readonly boolean[];
  readonly #unwindEvery: number;

  constructor(program: Program, options: GenerateOptions) {
    this.#program = program;
    this.#options = options;
    this.#waits = waiting(program);
    const widest = Math.max(...program.functions.map(({ variables }) => variables.length), 0);
    this.#unwindEvery = Math.max(1, Math.min(CALLS_PER_STACK, Math.floor(VARIABLES_PER_STACK / (20 + widest))));
  }

  generate(): Generated {
    const { functions, main, outputs } = this.#program;
    const { deep = false, givesOutputs = false } = this.#options;
    for (const [number, each] of functions.entries()) {
      if (!deep || !this.#waits[number]) this.#function(`f${number}`, each, deep || this.#waits[number] === true, []);
    }
    if (!deep) this.#function('main', main, true, givesOutputs ? outputs.map(({ variable }) => variable) : []);
    const named = functions.map((_, n) => (deep && this.#waits[n] ? 'undefined' : `f${n}`));
    const prelude = [
      '"use strict";',
      'const { call, give, share, at, overflow, unwind, turn, many, frames } = R;',
      ...this.#helpers.all.map((_, number) => `const h${number} = R.helpers[${number}];`),
      // How many async calls are active.
      'let D = 0, F;',
    ];
    const end = [`F = [${named.join(', ')}];`, `return { ${deep ? '' : 'main, '}functions: F };`];
    return {
      text: [...prelude, ...this.#lines, ...end].join('\n'),
      sites: this.#sites.all,
      places: this.#places.all,
      helpers: this.#helpers.all,
    };
  }

  #function(name: string, of: ProgramFunction, isAsync: boolean, results: readonly Variable[]): void {
    const uses = usesOf(of, results);
    const live = liveObjects(of, results, uses, this.#options.isLazy ?? false);
    // Whoever looks for what can be let go of, before a built-in runs, has to know what is held.
    const held = isAsync && this.#options.deep !== true ? objectsOf(of, uses) : [];
    const emitter = new Emitter(of, uses, isAsync, live, {
      leave: held.length > 0 ? [LEAVE] : [],
      lines: this.#lines,
      isLazy: this.#options.isLazy ?? false,
      waits: (n) => this.#options.deep === true || this.#waits[n] === true,
      functionOf: (n) => this.#program.functions[n] as ProgramFunction,
      unwindEvery: this.#unwindEvery,
      site: (site) => this.#sites.numberOf(site, () => site),
      place: (source, span) => this.#places.numberOf(span, () => ({ source, span })),
      operation: (operation, value) =>
        `h${this.#helpers.numberOf(`${operation} ${value}`, () => scalarFunction(operation, value))}`,
      cast: (from, to) => `h${this.#helpers.numberOf(`${from}>${to}`, () => scalarCast(from, to) as ScalarFunction)}`,
    });
    const parameters = of.parameters.map((v) => `v${v}`).join(', ');
    this.#lines.push(`${isAsync ? 'async ' : ''}function ${name}(${parameters}) {`);
    this.#lines.push(`let T${uses.wanted.map((v) => `, v${v}`).join('')};`);
    if (held.length > 0) this.#lines.push(`const H = frames.push(() => [${held.map((v) => `v${v}`).join(', ')}]) - 1;`);
    emitter.block(of.body, name === 'main' ? 0 : 1);
    if (results.length > 0) this.#lines.push(`return [${results.map(emitter.shared).join(', ')}];`);
    else if (held.length > 0) this.#lines.push(LEAVE);
    this.#lines.push('}');
  }
}

/** Which functions call built-ins, directly or by way of others. */
function waiting({ functions }: Program): boolean[] {
  const waits = functions.map(() => false);
  const callers = new Map<number, number[]>();
  const queue: number[] = [];
  const add = (number: number): void => {
    if (waits[number]) return;
    waits[number] = true;
    queue.push(number);
  };
  for (const [number, { body }] of functions.entries()) {
    for (const each of instructionsOf(body)) {
      if (each.kind === 'builtin') add(number);
      else if (each.kind === 'call') {
        const list = callers.get(each.function);
        if (list === undefined) callers.set(each.function, [number]);
        else list.push(number);
      }
    }
  }
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) callers.get(next)?.forEach(add);
  return waits;
}

/** Data objects that a function may hold. */
function objectsOf({ parameters, variables }: ProgramFunction, { wanted }: Uses): Variable[] {
  const all = new Set([...parameters, ...wanted]);
  return [...all].filter((variable) => variables[variable]!.type.data !== 'scalar');
}

/** A function that has told what it holds does so no longer. */
const LEAVE = 'frames.length = H;';

interface Context {
  readonly lines: string[];
  /** Before the function returns. */
  readonly leave: readonly string[];
  readonly isLazy: boolean;
  readonly unwindEvery: number;
  waits(callee: number): boolean;
  functionOf(callee: number): ProgramFunction;
  site(site: Site): number;
  place(source: Source, span: Span): number;
  operation: Helpers['operation'];
  cast: Helpers['cast'];
}

class Emitter {
  readonly #of: ProgramFunction;
  readonly #uses: Uses;
  readonly #isAsync: boolean;
  readonly #live: LiveAt;
  readonly #context: Context;
  /** Whether it sets parts of matrices. */
  readonly #sets: boolean;
  /** Names for what loops need. */
  #loops = 0;

  constructor(of: ProgramFunction, uses: Uses, isAsync: boolean, live: LiveAt, context: Context) {
    this.#of = of;
    this.#uses = uses;
    this.#isAsync = isAsync;
    this.#live = live;
    this.#context = context;
    this.#sets = [...instructionsOf(of.body)].some(
      (each) => each.kind === 'builtin' && each.site.builtin.sets === true,
    );
  }

  #valueOf(variable: Variable): ValueType {
    const { type } = this.#of.variables[variable]!;
    return type.data === 'scalar' ? type.value : 'f64';
  }

  operand(variable: Variable): Operand {
    const constant = this.#uses.constant(variable);
    if (constant !== undefined) return { text: literal(constant), isNumber: typeof constant === 'number' };
    return { text: `v${variable}`, isNumber: !isWide(this.#valueOf(variable)) };
  }

  #name = (variable: Variable): string => this.operand(variable).text;

  /** For another variable, too: where parts of matrices are set, that is told. */
  readonly shared = (variable: Variable): string =>
    this.#sets && this.#of.variables[variable]!.type.data === 'matrix'
      ? `share(${this.#name(variable)})`
      : this.#name(variable);

  /** Whether nobody sees a variable's data object after an instruction. */
  #isGivenUp(each: Instruction, variable: Variable): boolean {
    return targetsOf(each).includes(variable) || this.#live.dead.get(each)?.includes(variable) === true;
  }

  /** `heat`: how many loops it is in; functions may be called in one. */
  block(block: Block, heat: number): void {
    for (let i = 0; i < block.length; i++) {
      const each = block[i] as Instruction;
      if (!this.#uses.keeps(each)) continue;
      const next = block[i + 1];
      if (each.kind === 'scalar' && next !== undefined && this.#asCondition(each, next)) i++;
      else this.#instruction(each, heat);
      const dead = this.#live.dead.get(each) ?? [];
      if (dead.length > 0) this.#context.lines.push(`${dead.map((v) => `v${v} = `).join('')}undefined;`);
    }
  }

  /** A comparison that is only there to be a condition. */
  #asCondition(each: Extract<Instruction, { kind: 'scalar' }>, next: Instruction): boolean {
    if (next.kind !== 'cast' || next.from !== each.to || !this.#uses.keeps(next)) return false;
    if (this.#valueOf(next.to) !== 'bool' || this.#uses.count(each.to) !== 1) return false;
    const condition = conditionText(
      each.operation,
      each.args.map((v) => this.operand(v)),
    );
    if (condition === undefined) return false;
    this.#context.lines.push(`v${next.to} = ${condition};`);
    return true;
  }

  #instruction(each: Instruction, heat: number): void {
    const { lines } = this.#context;
    switch (each.kind) {
      case 'constant':
        lines.push(`v${each.to} = ${literal(each.value)};`);
        return;
      case 'copy':
        lines.push(
          `v${each.to} = ${this.#isGivenUp(each, each.from) ? this.#name(each.from) : this.shared(each.from)};`,
        );
        return;
      case 'cast': {
        const text = castText(this.#valueOf(each.from), this.#valueOf(each.to), this.operand(each.from), this.#context);
        lines.push(`v${each.to} = ${text};`);
        return;
      }
      case 'scalar': {
        const helpers: Helpers = {
          operation: this.#context.operation,
          cast: this.#context.cast,
          place: () => this.#context.place(each.source, each.span),
        };
        const args = each.args.map((v) => this.operand(v));
        const text = operationText(each.operation, each.value, args, helpers, heat > 0);
        // What may fail is computed for nobody, too, who has no variable for it then.
        lines.push(this.#uses.count(each.to) > 0 ? `v${each.to} = ${text};` : `${text};`);
        return;
      }
      case 'builtin':
        this.#builtin(each, heat);
        return;
      case 'call':
        this.#call(each);
        return;
      case 'if':
        lines.push(`if (${this.#name(each.condition)}) {`);
        this.block(each.whenTrue, heat);
        if (each.whenFalse.length > 0) {
          lines.push('} else {');
          this.block(each.whenFalse, heat);
        }
        lines.push('}');
        return;
      case 'while':
        lines.push('for (;;) {');
        if (!each.first) {
          this.block(each.head, heat + 1);
          lines.push(`if (!${this.#name(each.condition)}) break;`);
        }
        this.block(each.body, heat + 1);
        if (each.first) this.block(each.head, heat + 1);
        this.#turn(each);
        if (each.first) lines.push(`if (!${this.#name(each.condition)}) break;`);
        lines.push('}');
        return;
      case 'for':
        this.#for(each, heat);
        return;
      case 'return': {
        const values = each.values.map(this.shared);
        lines.push(...this.#context.leave, `return ${values.length === 1 ? values[0] : `[${values.join(', ')}]`};`);
        return;
      }
    }
  }

  /** What it gives is in `T`. */
  #assign(to: readonly Variable[]): void {
    const { lines } = this.#context;
    const isWanted = (variable: Variable): boolean => this.#uses.count(variable) > 0;
    if (to.length === 1) {
      if (isWanted(to[0]!)) lines.push(`v${to[0]} = T;`);
      return;
    }
    for (const [i, variable] of to.entries()) if (isWanted(variable)) lines.push(`v${variable} = T[${i}];`);
  }

  #builtin(each: Extract<Instruction, { kind: 'builtin' }>, heat: number): void {
    const args = each.args.map((arg) => {
      if (arg === undefined) return 'undefined';
      if (typeof arg === 'number') return this.#name(arg);
      return `many(F, ${arg.function}, ${this.#context.functionOf(arg.function).results.length})`;
    });
    const live = this.#live.after.get(each) ?? [];
    const later = live.length === 0 ? '' : `, () => [${live.map((v) => `v${v}`).join(', ')}]`;
    const { lines } = this.#context;
    const gives = this.#gives(each, heat);
    lines.push(`T = ${gives ? 'give' : 'call'}(${this.#context.site(each.site)}, [${args.join(', ')}]${later});`);
    lines.push('if (T instanceof Promise) T = await T;');
    this.#assign(each.to);
  }

  /** Whether it sets a part of what nobody will see again. What is computed later and set once is better computed along with the rest. */
  #gives(each: Extract<Instruction, { kind: 'builtin' }>, heat: number): boolean {
    const [first, ...rest] = each.args;
    if (each.site.builtin.sets !== true || typeof first !== 'number' || rest.includes(first)) return false;
    return (heat > 0 || !this.#context.isLazy) && this.#isGivenUp(each, first);
  }

  #call(each: Extract<Instruction, { kind: 'call' }>): void {
    const { lines, unwindEvery } = this.#context;
    const args = each.args.map(this.shared).join(', ');
    const called = `f${each.function}(${args})`;
    if (this.#context.waits(each.function)) {
      const place = this.#context.place(each.source, each.span);
      lines.push(`if (++D % ${unwindEvery} === 0) await unwind(${place}, D);`, `T = await ${called};`, 'D--;');
    } else if (this.#isAsync) {
      lines.push(`try { T = ${called}; } catch (e) { T = await overflow(e, ${each.function}, [${args}]); }`);
    } else lines.push(`T = ${called};`);
    this.#assign(each.to);
  }

  #turn(loop: Instruction): void {
    const carried = this.#live.carried.get(loop) ?? [];
    if (carried.length === 0) return;
    this.#context.lines.push(
      `T = turn([${carried.map((v) => `v${v}`).join(', ')}]);`,
      'if (T instanceof Promise) await T;',
    );
  }

  /** Both ends are in it. The variable of the loop is its own, which nobody changes. */
  #for(each: Extract<Instruction, { kind: 'for' }>, heat: number): void {
    const { lines } = this.#context;
    const [i, step, end] = ['i', 's', 'e'].map((name) => `${name}${this.#loops}`) as [string, string, string];
    this.#loops++;
    const [from, to] = [this.operand(each.from), this.operand(each.to)];
    lines.push(`{ const ${end} = ${to.text};`);
    if (each.step === undefined) lines.push(`const ${step} = ${end} >= ${from.text} ? 1 : -1;`);
    else {
      const place = this.#context.place(each.source, each.span);
      lines.push(`const ${step} = ${this.#name(each.step)}; if (${step} === 0) at(${place}, R.stepOfZero);`);
    }
    // A bigint is no end of a loop that anybody waits for, but may be where it begins.
    const next = `${i} = typeof ${i} === "number" && typeof ${step} === "number" && (T = ${i} + ${step}) <= ${Number.MAX_SAFE_INTEGER} && T >= -${Number.MAX_SAFE_INTEGER} ? T : R.next(${i}, ${step})`;
    lines.push(`for (let ${i} = ${from.text}; ${step} > 0 ? ${i} <= ${end} : ${i} >= ${end}; ${next}) {`);
    if (this.#uses.count(each.variable) > 0) lines.push(`v${each.variable} = ${i};`);
    this.block(each.body, heat + 1);
    this.#turn(each);
    lines.push('} }');
  }
}

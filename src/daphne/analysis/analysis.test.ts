import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { ScriptError } from '../../base/index.ts';
import type { Builtin, CallToInfer } from '../builtins/builtin.ts';
import type { Program } from '../program/program.ts';
import { Source } from '../source.ts';
import { parse, type Script, scriptArguments } from '../syntax/index.ts';
import { program } from '../syntax/trees.fixture.ts';
import { matrix, mostGeneral, scalar, type Type, typeName, type ValueType } from '../types.ts';
import { type AnalysisFiles, analyse } from './index.ts';

const built = (
  name: string,
  least: number,
  most: number,
  infer: (call: CallToInfer) => Type[],
  more = {},
): Builtin => ({
  name,
  parameters: ['x', 'y'],
  least,
  most,
  infer,
  run: () => undefined,
  ...more,
});

const shapes = (call: CallToInfer): Type[] => {
  const [a, b] = call.args.map(({ type }) => type) as [Type, Type];
  if (a.data === 'frame' || a.data === 'list' || b.data === 'frame' || b.data === 'list') return [a];
  if (a.data === 'matrix' && b.data === 'matrix' && (a.rows ?? b.rows) !== (b.rows ?? a.rows))
    call.fail('compiler', 'shapes differ');
  const value = a.value && b.value && mostGeneral(a.value, b.value);
  const shape = a.data === 'matrix' ? a : b;
  return shape.data === 'matrix' ? [matrix(value, shape.rows, shape.columns)] : [scalar(value as ValueType)];
};
const operator = (name: string, scalar: Builtin['scalar']): Builtin => built(name, 2, 2, shapes, { scalar });

/** What analysis needs to be told apart from what built-ins are: some with the forms that it treats in their own way. */
const BUILTINS = new Map(
  [
    operator('$add', 'add'),
    operator('$sub', 'sub'),
    operator('$mul', 'mul'),
    operator('$div', 'div'),
    operator('$gt', 'gt'),
    operator('$le', 'le'),
    operator('concat', 'concat'),
    built('minus', 1, 1, ({ args }) => [args[0]!.type], { scalar: 'minus' }),
    built('print', 1, 3, () => [], { effects: true }),
    built('two', 0, 0, () => [scalar('si64'), scalar('f64')]),
    built('nrow', 1, 1, () => [scalar('size')], {
      fold: ({ args: [a] }: CallToInfer) => (a?.type.data === 'matrix' ? a.type.rows : undefined),
    }),
    built(
      'map',
      2,
      2,
      ({ args: [a, f] }) => [
        matrix(
          (f!.function!.resultOf([scalar((a!.type as { value: ValueType }).value)]) as { value: ValueType }).value,
        ),
      ],
      { functions: [1] },
    ),
    built('rbind', 2, 2, ({ args: [a, b] }) => {
      const rows = [a, b].map((each) => (each!.type as { rows?: number }).rows);
      return [matrix('si64', rows.includes(undefined) ? undefined : rows[0]! + rows[1]!, 1)];
    }),
    built('$matrix', 1, 99, ({ args }) => [
      matrix(args.map(({ type }) => (type as { value: ValueType }).value).reduce(mostGeneral), args.length, 1),
    ]),
    built('$cast', 1, 1, ({ args: [a], fixed: { to } }) => {
      const value = to?.value ?? (a!.type as { value: ValueType }).value;
      return [to?.data === 'scalar' ? scalar(value) : matrix(value, 1, 1)];
    }),
    built('$index', 1, 5, ({ args }) => [args[0]!.type]),
    built('$assign', 1, 6, ({ args }) => [args[0]!.type]),
    built('$conditional', 3, 3, ({ args }) => [args[0]!.type]),
  ].map((each) => [each.name, each]),
);

const filesOf = (texts: Readonly<Record<string, string>>): AnalysisFiles => ({
  read: (path) => texts[path],
  list: (folder) => {
    const found = Object.keys(texts).filter((path) => path.startsWith(`${folder}/`));
    return found.length === 0 ? undefined : found.map((path) => path.slice(folder.length + 1));
  },
  realPath: (path) => (path in texts ? path : undefined),
});

const LIBRARIES = new Map([
  ['default_dirs', ['shared']],
  ['algorithms', ['lib']],
]);

function compiled(text: string, args: readonly string[] = [], files: Readonly<Record<string, string>> = {}): Program {
  return analyse(parse(new Source('dir/main.daphne', text)), {
    arguments: scriptArguments([], args),
    files: filesOf({ 'dir/main.daphne': text, ...files }),
    builtins: BUILTINS,
    libraries: LIBRARIES,
    sparseBelow: 0,
  });
}

/** The types of the script's variables at its end. */
const typesOf = (text: string): Record<string, string> => {
  const { outputs, main } = compiled(text);
  return Object.fromEntries(outputs.map(({ name, variable }) => [name, typeName(main.variables[variable]!.type)]));
};

const fails =
  (phase: 'parser' | 'compiler', message: RegExp) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof ScriptError, String(error));
    assert.equal(error.details?.phase, phase, error.message);
    assert.match(error.message, message);
    return true;
  };

suite('analysis of scripts', () => {
  test('types of variables', () => {
    const cases: [script: string, types: Record<string, string>][] = [
      ['a = 1; b = 2.5; c = a + b; d = "x" + a;', { a: 'si64', b: 'f64', c: 'f64', d: 'str' }],
      ['a = 1; a = 2.5; a = [1, 2];', { a: 'matrix<si64> 2x1' }],
      ['a, b = two();', { a: 'si64', b: 'f64' }],
      // What differs between two ways is not known after them, or as general as both.
      ['a = 1; if (a > 0) a = 2.5;', { a: 'f64' }],
      ['a = [1]; if (nrow(a) > 0) a = [1, 2];', { a: 'matrix<si64> ?x1' }],
      ['a = [1]; if (nrow(a) > 0) a = [2]; else a = [3];', { a: 'matrix<si64> 1x1' }],
      // Loops, whose body is looked at again where it changes what is known.
      ['a = [1]; for (i in 1:3) a = rbind(a, [i]);', { a: 'matrix<si64> ?x1' }],
      ['a = 1; while (a > 0) { b = a; a = b - 0.5; }', { a: 'f64' }],
      ['a = [1]; for (i in 1:3) a = [i];', { a: 'matrix<si64> 1x1' }],
      // Functions, for the types that they are called with.
      [
        'def f(x) { return x + x; } a = f(1); b = f(2.5); c = f([1, 2]);',
        { a: 'si64', b: 'f64', c: 'matrix<si64> 2x1' },
      ],
      ['def f(x: si64) -> si64 { if (x <= 1) return 1; return x * f(x - 1); } a = f(5);', { a: 'si64' }],
      ['def f(x) { return 1; } def f(x: f64) { return "t"; } a = f(1); b = f(1.5);', { a: 'si64', b: 'str' }],
      ['def f(a, b) { return a; } x = f(b=1, a=2.5);', { x: 'f64' }],
      ['def print(x) { return x; } a = print(1);', { a: 'si64' }],
      ['def f(x) { if (x > 0) { return 1; } else { return 2.5; } } a = f(1);', { a: 'f64' }],
      ['def f(x) { return x; } a = map([1, 2], f);', { a: 'matrix<si64>' }],
      ['a = true ? 1 : 2; b = [1] > 0 ? 1 : 2;', { a: 'si64', b: 'matrix<si64> 1x1' }],
      ['a = [1]; a[0, 0] = [5];', { a: 'matrix<si64> 1x1' }],
    ];
    for (const [script, types] of cases) assert.deepEqual({ ...typesOf(script) }, types, script);
  });

  test('errors of the parser, which are told before those of the compiler', () => {
    const cases: [script: string, message: RegExp][] = [
      ['print(count);', /no variable `count`/],
      ['counter = 1; print(countr);', /is it `counter`\?/],
      ['prin(1);', /no function `prin`: is it `print`\?/],
      ['print($n);', /needs the argument `n`/],
      ['print();', /takes 1 to 3 arguments, and not 0/],
      ['nrow([1], y=2);', /takes 1 argument, and not 2/],
      ['nrow(z=[1]);', /no parameter `z`/],
      ['nrow([1], x=[2]);', /given twice/],
      ['print(y=1);', /after `x`, but not that/],
      ['a = print(1);', /gives no value/],
      ['a = 1 + two();', /gives 2 values/],
      ['a, b, c = two();', /gives 2 values, and 3/],
      ['a = "x" - 1;', /takes numbers/],
      ['{ a = 1; } print(a);', /no variable `a`/],
      ['if (true) a = 1; else a = 2; print(a);', /no variable `a`/],
      ['a = 1; if (true) a = [1];', /keeps its data type/],
      ['a = 1; while (true) a = [1];', /keeps its data type/],
      ['for (i in 1:3) i = 1;', /can't be assigned/],
      ['for (i in 1:3) print(i); print(i);', /no variable `i`/],
      ['a = 1; a[0, 0] = [1];', /parts of matrices/],
      ['a = [1]; a[0, 0] = 1;', /is assigned a matrix/],
      ['b[0, 0] = [1];', /no variable `b`/],
      ['a = true ? 1 : 2.5;', /have one type/],
      ['g = 1; def f() { print(g); } f();', /no variable `g`/],
      ['def f() { print(g); }', /no variable `g`/],
      ['def f(x: f64) { return x; } f(1);', /is not there for \(si64\), but as f\(x: f64\)/],
      ['def f(x) { return x; } def f(y) { return y; }', /same parameters already/],
      ['def f(x) { return f(x); } f(1);', /calls itself/],
      ['def f(x) -> f64 { return 1; } f(1);', /gives f64, and this is si64/],
      ['def f(x) { if (x > 0) return 1; } f(1);', /on every way/],
      ['def f(x) { while (x > 0) { return 1; } return 2; } f(1);', /not for loops/],
      ['def f(x) { return 1; print(2); } f(1);', /never reached/],
      ['map([1], g);', /no function `g`/],
      ['print([1, 2] + [1, 2, 3]); print(nope);', /no variable `nope`/],
      ['def f() { print(nope); } print([1, 2] + [1, 2, 3]);', /no variable `nope`/],
    ];
    for (const [script, message] of cases) assert.throws(() => compiled(script), fails('parser', message), script);
    assert.throws(() => compiled('print($n);', ['n=1+1']), fails('parser', /give one literal/));
  });

  test('errors of the compiler', () => {
    const wrong = '[1, 2] + [1, 2, 3]';
    for (const script of [
      `print(${wrong});`,
      `a = ${wrong}; b = a; print(b + 1);`,
      `def f(x) { return x + [1, 2, 3]; } f([1, 2]);`,
      `for (i in 1:3) if (i) print(${wrong});`,
      `a = 1; for (i in 1:3) { a = a + 0.5; print(${wrong}); }`,
    ])
      assert.throws(() => compiled(script), fails('compiler', /shapes differ/), script);
    // Shapes that are not known any more are for the run; so is a function that nobody calls.
    compiled('a = [1]; for (i in 1:3) a = rbind(a, [1]); print(a + [1, 2]);');
    compiled('def f(x) { return [1, 2] + [1, 2, 3]; }');
    // And so is what never runs.
    compiled('if (false) print([1, 2] + [1, 2, 3]); a = true ? [1] : [1, 2] + [1, 2, 3];');
    compiled('a = [1, 2]; for (i in 1:3) { if (false) a = [1, 2] + [1, 2, 3]; else a = [1]; }');
  });

  test('imports', () => {
    const files = {
      'dir/a.daphne': 'import "b.daphne"; x = b.y + 1; def f(v) { return v + b2(); } def b2() { return 1; }',
      'dir/b.daphne': 'y = 1;',
      'dir/sub/a.daphne': 'z = 2.5;',
      'dir/me.daphne': 'import "me.daphne";',
      'shared/s.daphne': 'q = 1;',
      'shared/b.daphne': 'q = 1;',
      'lib/k.daphne': 'def run() { return "k"; }',
    };
    const right = [
      'import "sub/a.daphne"; print(a.z);',
      'import "sub/a.daphne" as "m"; print(m.z);',
      'import "s.daphne"; print(s.q);',
      'import "algorithms"; print(algorithms.k.run());',
      'import "sub/a.daphne"; import "../dir/a2.daphne" as "x"; print(x.w);',
    ];
    for (const script of right) compiled(script, [], { ...files, 'dir/a2.daphne': 'w = 1;' });
    const wrong: [string, RegExp][] = [
      ['import "c.daphne";', /no file "c.daphne"/],
      ['import "b.daphne";', /several files/],
      ['import "main.daphne";', /imports itself/],
      ['import "me.daphne";', /imports itself/],
      ['import "s.daphne"; import "s.daphne" as "t";', /imported twice/],
      ['import "s.daphne" as "t"; import "sub/a.daphne" as "t";', /taken already/],
      ['import "s.daphne"; s.q = 2;', /of another file/],
      ['import "nolib";', /no library "nolib": the configuration has algorithms/],
    ];
    for (const [script, message] of wrong)
      assert.throws(() => compiled(script, [], files), fails('parser', message), script);
    // What the imported file imports is not passed on; a prefix that is taken gets its folder before it.
    const { 'shared/b.daphne': _, ...once } = files;
    compiled('import "a.daphne"; print(a.x); print(a.f(1));', [], once);
    compiled('import "a.daphne"; import "sub/a.daphne"; print(a.x); print(sub.a.z);', [], once);
    // The folder that the file is in, however it is written.
    compiled('import "sub/a.daphne"; import "../dir/./a.daphne"; print(a.z); print(dir.a.x);', [], once);
    compiled('import "sub/a.daphne"; import "sub/../a.daphne"; print(a.z); print(dir.a.x);', [], once);
    assert.throws(() => compiled('import "a.daphne"; print(a.b.y);', [], once), fails('parser', /no variable/));
  });

  test('expressions as deep as scripts are long, and many functions', () => {
    compiled(`print(${'1 + '.repeat(20_000)}1);`);
    const many = Array.from({ length: 2_000 }, (_, i) => `def g${i}(x) { return x + ${i}; } print(g${i}(1));`);
    assert.equal(compiled(many.join('\n')).functions.length, 2_000);
    const blocks = 20_000;
    assert.throws(() => compiled('{'.repeat(blocks) + '}'.repeat(blocks)), fails('parser', /too deep/));
    // Each calls the next one.
    const chain = (count: number, type: string): string =>
      `def g0(x: si64)${type} { return x; } ${Array.from({ length: count }, (_, i) => `def g${i + 1}(x: si64)${type} { return g${i}(x); }`).join(' ')} print(g${count}(1));`;
    assert.equal(compiled(chain(2_000, ' -> si64')).functions.length, 2_001);
    compiled(chain(200, ''));
    // Loops in loops in loops, each of which changes the type of a variable of all others.
    const deep = `${Array.from({ length: 12 }, (_, i) => `for (i${i} in 1:2) {`).join('')} a = rbind(a, [1]); ${'}'.repeat(12)}`;
    assert.deepEqual({ ...typesOf(`a = [1]; ${deep}`) }, { a: 'matrix<si64>' });
  });

  test('editors are told of types and definitions', () => {
    const text = 'import "s.daphne"; abc = 1.5; def f(x) { return x; } f(abc + s.q);';
    const source = new Source('dir/main.daphne', text);
    const found: string[] = [];
    const at = (of: Source, { start, end }: { start: number; end: number }): string => of.text.slice(start, end);
    analyse(parse(source), {
      arguments: new Map(),
      files: filesOf({ 'shared/s.daphne': 'q = 1;' }),
      builtins: BUILTINS,
      libraries: LIBRARIES,
      sparseBelow: 0,
      record: {
        type: (of, span, type) => found.push(`${at(of, span)}: ${typeName(type)}`),
        use: (of, span, to) =>
          found.push(`${at(of, span)} is ${at(to.source, to.span)} at ${to.source.name}:${to.span.start}`),
      },
    });
    for (const one of [
      'abc + s.q: f64',
      'f(abc + s.q): f64',
      's.q is q at shared/s.daphne:0',
      'abc is abc at dir/main.daphne:19',
    ])
      assert.ok(found.includes(one), `${one} in ${found.join('; ')}`);
  });

  test('a function called in many ways is compiled a few times', () => {
    const calls = Array.from({ length: 100 }, (_, i) => `print(f(${i}));`).join('');
    assert.ok(compiled(`def f(x) { return x; } ${calls}`).functions.length <= 33);
  });

  test('whatever is written, it is a program or an error of the script', () => {
    fc.assert(
      fc.property(program, (statements) => {
        const script: Script = { kind: 'script', source: new Source('t.daphne', ''), statements };
        try {
          analyse(script, {
            arguments: new Map([['x', '1']]),
            files: filesOf({}),
            builtins: BUILTINS,
            libraries: LIBRARIES,
            sparseBelow: 0,
            inputs: new Map<string, Type>([
              ['x', scalar('si64')],
              ['y', matrix('f64', 2, 2)],
            ]),
          });
        } catch (error) {
          if (!(error instanceof ScriptError)) throw error;
        }
      }),
      { numRuns: 300 },
    );
  });
});

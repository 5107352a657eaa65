import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ScriptError } from '../../base/index.ts';
import { Source } from '../source.ts';
import { argumentValue, scriptArguments } from './arguments.ts';
import type { Constant, Expression, Statement } from './ast.ts';
import { MOST_NESTED } from './cursor.ts';
import { tokenize } from './lexer.ts';
import { parse } from './parser.ts';
import { print } from './printer.ts';
import { bare, expression, grouped, program } from './trees.fixture.ts';
import { postOrder } from './walk.ts';

const parsed = (text: string): readonly Statement[] => parse(new Source('s.daph', text)).statements;

function expressionOf(text: string): Expression {
  const [statement, ...rest] = parsed(`${text};`);
  assert.equal(rest.length, 0);
  assert.ok(statement?.kind === 'expression', statement?.kind);
  return statement.expression;
}

function constant(text: string): Constant {
  const e = expressionOf(text);
  assert.ok(e.kind === 'literal', e.kind);
  return e.constant;
}

/** The message for a text that is no DaphneDSL, without file and excerpt, and the place: line:column. */
function refused(text: string): [place: string, message: string] {
  try {
    parse(new Source('s.daph', text));
  } catch (error) {
    assert.ok(error instanceof ScriptError, String(error));
    assert.equal(error.code, 'ERR_SHEAF_SCRIPT_SYNTAX');
    const { line, column, phase } = error.details as { line: number; column: number; phase: string };
    assert.equal(phase, 'parser');
    const [head] = error.message.split('\n');
    const prefix = `s.daph:${line}:${column}: `;
    assert.ok(head?.startsWith(prefix), head);
    return [`${line}:${column}`, head!.slice(prefix.length)];
  }
  assert.fail(`parsed: ${text}`);
}

describe('tokens', () => {
  const kinds = (text: string): string => tokenize(new Source('t', text)).kinds.slice(0, -1).join(' ');

  test('are the longest that there are', () => {
    assert.equal(kinds('x[[1,2]]'), 'name [[ integer , integer ]]');
    assert.equal(kinds('[ [1] ]'), '[ [ integer ] ]');
    assert.equal(kinds('[[[ ]]]'), '[[ [ ]] ]');
    assert.equal(kinds('a::b : : :::'), 'name :: name : : :: :');
    assert.equal(kinds('< <= <== = == === != -> -'), '< <= <= = = == == = != -> -');
    assert.equal(kinds('a&&b||c@d^e%f$g?'), 'name && name || name @ name ^ name % name $ name ?');
  });

  test('words are keywords, types, numbers or names', () => {
    const keywords = 'if else while do for in true false as def return import';
    assert.equal(kinds(keywords), keywords);
    assert.equal(kinds('matrix scalar frame'), 'data type data type data type');
    assert.equal(kinds('f64 f32 si64 si32 si8 ui64 ui32 ui8 str bool'), Array(10).fill('value type').join(' '));
    assert.equal(kinds('nan nanf inf inff'), 'float float float float');
    assert.equal(kinds('If list size Matrix f16 _ _1 a_b2 infx'), Array(9).fill('name').join(' '));
  });

  test('blanks and comments leave no trace', () => {
    assert.equal(kinds('a # b\n c // d /* \r e /* f\n* / # */ g \t/**/ h'), 'name name name name name');
    assert.equal(kinds('/* a /* b */ c'), 'name');
    assert.equal(kinds('"# // /* "'), 'string');
    assert.equal(kinds('a/b'), 'name / name');
    assert.equal(kinds('﻿a'), 'name');
  });

  test('integers have a type by their suffix, and are exact', () => {
    assert.deepEqual(constant('0'), { type: 'si64', value: 0n });
    assert.deepEqual(constant('12l'), { type: 'si64', value: 12n });
    assert.deepEqual(constant('12u'), { type: 'ui64', value: 12n });
    assert.deepEqual(constant('18446744073709551615ull'), { type: 'ui64', value: 2n ** 64n - 1n });
    assert.deepEqual(constant('7z'), { type: 'size', value: 7n });
    assert.deepEqual(constant("1_000'000"), { type: 'si64', value: 1000000n });
    assert.deepEqual(constant('9223372036854775807'), { type: 'si64', value: 2n ** 63n - 1n });
    // So that the least one can be written, with its sign as an operator.
    assert.deepEqual(constant('9223372036854775808'), { type: 'si64', value: -(2n ** 63n) });
    assert.deepEqual(constant('0u'), { type: 'ui64', value: 0n });
  });

  test('floats need digits after the point, or an exponent', () => {
    const f64 = { '1e6': 1e6, '1E-14': 1e-14, '0.5': 0.5, '1_0.2_5': 10.25, '2.5e+1': 25, '1e400': Infinity, '0e0': 0 };
    for (const [text, value] of Object.entries({ ...f64, nan: NaN, nanf: NaN, inf: Infinity, inff: Infinity }))
      assert.deepEqual(constant(text), { type: 'f64', value }, text);
    assert.deepEqual(constant('1.2e5f'), { type: 'f32', value: 120000 });
    assert.deepEqual(constant('0.1f'), { type: 'f32', value: Math.fround(0.1) });
    // Half way between two floats as a double, and not as it is written.
    assert.deepEqual(constant('1.00000017881393432617187499f'), { type: 'f32', value: 1 + 2 ** -23 });
    assert.deepEqual(constant('1.00000017881393432617187500f'), { type: 'f32', value: 1 + 2 ** -22 });
    assert.deepEqual(constant('1.00000005960464477539062501f'), { type: 'f32', value: 1 + 2 ** -23 });
    assert.deepEqual(constant('1.4e-45f'), { type: 'f32', value: 2 ** -149 });
  });

  test('strings are unescaped one kind of escape after the other', () => {
    const of = (text: string): unknown => constant(text).value;
    assert.equal(of('"a\\tb\\"c\\\\"'), 'a\tb"c\\');
    assert.equal(of('"\\b\\f\\n\\r"'), '\b\f\n\r');
    assert.equal(of('"two\nlines"'), 'two\nlines');
    assert.equal(of('"\\\\n"'), '\\\n');
    assert.equal(of('"\\\\\\\\n"'), '\\\\\n');
    assert.equal(of('"\\\\x"'), '\\x');
    assert.equal(of('""'), '');
  });

  for (const [text, place, message] of [
    ['x = 01;', '1:5', /begins with 0/],
    ['x = 0_1;', '1:5', /begins with 0/],
    ['x = 1.;', '1:5', /digits must follow the point: `1\.0`/],
    ['x = 1.e5;', '1:5', /digits must follow the point/],
    ['x = 1e;', '1:5', /digits must follow the exponent/],
    ['x = 1_;', '1:6', /digit on both sides/],
    ['x = 1__0;', '1:6', /digit on both sides/],
    ['x = 1.5_f;', '1:8', /digit on both sides/],
    ['x = 1f;', '1:5', /`f` can't follow a number/],
    ['x = 1ul;', '1:5', /`l` can't follow/],
    ['x = 1.5l;', '1:5', /`l` can't follow/],
    ['x = 10xyz;', '1:5', /`x` can't follow/],
    ['x = 9223372036854775809;', '1:5', /does not fit into 64 bits with a sign/],
    ['x = 18446744073709551616u;', '1:5', /does not fit into 64 bits/],
    ['x = 1e39f;', '1:5', /beyond what 32 bits hold/],
    ['x = "a\\q";', '1:7', /escapes in strings/],
    ['x = "abc;', '1:5', /string has no end/],
    ['x = "abc\\', '1:5', /string has no end/],
    ['x = 1; /* y', '1:8', /comment has no end/],
    ["x = 'a';", '1:5', /double quotes/],
    ['x = !y;', '1:5', /there is no `!`/],
    ['x = a & b;', '1:7', /`&&`/],
    ['x = é;', '1:5', /`é` means nothing here/],
    ['x = 𝔻;', '1:5', /`𝔻` means nothing here/],
  ] as const) {
    test(`${JSON.stringify(text)} is refused`, () => {
      const [where, why] = refused(text);
      assert.match(why, message);
      assert.equal(where, place);
    });
  }

  test('what is wrong first is told first', () => {
    assert.match(refused('x = ;\ny = "a\\q";')[1], /expected an expression/);
  });
});

describe('expressions', () => {
  for (const [text, tree] of [
    ['-a@b', '((-a)@b)'],
    ['-x^2', '((-x)^2)'],
    ['10.0^-3', '(10.0^(-3))'],
    ['a^-b@c', '(a^((-b)@c))'],
    ['- -x', '(-(-x))'],
    ['a--b', '(a-(-b))'],
    ['2^3^2', '((2^3)^2)'],
    ['a@b^c%d*e+f==g&&h||i', '((((((((a@b)^c)%d)*e)+f)==g)&&h)||i)'],
    ['i||h&&g==f+e*d%c^b@a', '(i||(h&&(g==(f+(e*(d%(c^(b@a))))))))'],
    ['a-b-c+d', '(((a-b)-c)+d)'],
    ['a/b*c', '((a/b)*c)'],
    ['1<2==3>=4', '(((1<2)==3)>=4)'],
    ['a?b:c?d:e', '((a?b:c)?d:e)'],
    ['a?b?c:d:e', '(a?(b?c:d):e)'],
    ['a||b?c+1:d+1', '((a||b)?(c+1):(d+1))'],
    ['a?b:(c?d:e)', '(a?b:(c?d:e))'],
    ['-x[1,2]', '(-x[1,2])'],
    ['x[1,2][3,][[,y]]', 'x[1,2][3,][[,y]]'],
    ['(a+b)[0,]', '(a+b)[0,]'],
    ['f(x)[0,]*2', '(f(x)[0,]*2)'],
    ['x[a?b:c,]', 'x[(a?b:c),]'],
    ['x[a?b:c:d,:]', 'x[(a?b:c):d,:]'],
    ['x[,]', 'x[,]'],
    ['x[:-1,1:]', 'x[:(-1),1:]'],
    ['x[ [5,1,3], ]', 'x[[5,1,3],]'],
    ['x[[, [1,0,1] ]]', 'x[[,[1,0,1]]]'],
    ['((x))', 'x'],
    ['[1,-2,"a",true]', '[1,(-2),"a",true]'],
  ] as const) {
    test(text, () => assert.equal(grouped(expressionOf(text)), tree));
  }

  test('calls have arguments by place and by name, kernels and prefixes', () => {
    const call = expressionOf('a.b . f::k(x, 2, from=y == z, to=1,)');
    assert.ok(call.kind === 'call');
    assert.deepEqual([call.name, call.kernel], ['a.b.f', 'k']);
    assert.deepEqual(
      call.arguments.map(({ name, value }) => [name, grouped(value)]),
      [
        [undefined, 'x'],
        [undefined, '2'],
        ['from', '(y==z)'],
        ['to', '1'],
      ],
    );
    assert.deepEqual(bare(expressionOf('f()')), { kind: 'call', name: 'f', arguments: [] });
    const sum = expressionOf('a +::k b -::l c');
    assert.ok(sum.kind === 'binary' && sum.left.kind === 'binary');
    assert.deepEqual([sum.operator, sum.kernel, sum.left.operator, sum.left.kernel], ['-', 'l', '+', 'k']);
  });

  test('casts name data, values, or both', () => {
    const cast = (text: string): unknown => {
      const e = expressionOf(text);
      return e.kind === 'cast' ? [e.data, e.value, grouped(e.operand)] : e.kind;
    };
    assert.deepEqual(cast('as.matrix(x)'), ['matrix', undefined, 'x']);
    assert.deepEqual(cast('as.si8(x+1)'), [undefined, 'si8', '(x+1)']);
    assert.deepEqual(cast('as . matrix < f64 > ( x )'), ['matrix', 'f64', 'x']);
  });

  test('matrices may have a shape, frames are by columns or rows', () => {
    const shape = (text: string): unknown => {
      const e = expressionOf(text);
      assert.ok(e.kind === 'matrix');
      return e.shape && [e.shape.rows, e.shape.columns].map((each) => each && grouped(each));
    };
    assert.equal(shape('[1,2]'), undefined);
    assert.deepEqual(shape('[1,2](1,2)'), ['1', '2']);
    assert.deepEqual(shape('[1,2](n+1,)'), ['(n+1)', undefined]);
    assert.deepEqual(shape('[1,2](,2)'), [undefined, '2']);
    assert.deepEqual(shape('[1,2](,)'), [undefined, undefined]);
    const [columns] = parsed('f = {"a": x, "b": c ? y : z};');
    assert.ok(columns?.kind === 'assignment' && columns.value.kind === 'columns');
    assert.deepEqual(
      columns.value.columns.map(({ label, values }) => [grouped(label), grouped(values)]),
      [
        ['"a"', 'x'],
        ['"b"', '(c?y:z)'],
      ],
    );
    const [rows] = parsed('f = {["a", "b"], [1, 1.1], [2, 2.2]};');
    assert.ok(rows?.kind === 'assignment' && rows.value.kind === 'rows');
    assert.deepEqual(
      [rows.value.labels, ...rows.value.rows].map((row) => row.map(grouped)),
      [
        ['"a"', '"b"'],
        ['1', '1.1'],
        ['2', '2.2'],
      ],
    );
  });

  test('parts come before what they are parts of', () => {
    assert.deepEqual(postOrder(expressionOf('-a + f(b, x[c:, d])')).map(grouped), [
      'a',
      '(-a)',
      'b',
      'x',
      'c',
      'd',
      'x[c:,d]',
      'f(b,x[c:,d])',
      '((-a)+f(b,x[c:,d]))',
    ]);
  });
});

describe('statements', () => {
  const shape = (text: string): string =>
    print(parse(new Source('s', text)))
      .replace(/\s+/g, ' ')
      .trim();

  test('bodies are scopes, with braces or without', () => {
    assert.equal(shape('if(a)x=1;else y=2;'), 'if (a) { x = 1; } else { y = 2; }');
    assert.equal(shape('if(a){x=1;};else{y=2;};'), 'if (a) { x = 1; } else { y = 2; }');
    assert.equal(shape('if(a)if(b)x;else y;'), 'if (a) { if (b) { x; } else { y; } }');
    assert.equal(shape('if(a)x;else if(b)y;else z;'), 'if (a) { x; } else if (b) { y; } else { z; }');
    assert.equal(shape('if(a)x;else{if(b)y;}'), 'if (a) { x; } else { if (b) { y; } }');
    assert.equal(shape('while(a)do x;while(b)y;'), 'while (a) { do { x; } while (b); } y;');
    assert.equal(shape('do {x;}; while(b);'), 'do { x; } while (b);');
    assert.equal(shape('{}{x;};'), '{ } { x; }');
  });

  test('loops have a range, and perhaps a step', () => {
    assert.equal(shape('for(i in 1:10)x;'), 'for (i in 1:10) { x; }');
    assert.equal(shape('for(i in a?b:c:d:-1){}'), 'for (i in a ? b : c:d:-1) { }');
  });

  test('assignments have one target or several', () => {
    assert.equal(shape('a.b=1;'), 'a.b = 1;');
    assert.equal(shape('a,B[0,],c=f();'), 'a, B[0, ], c = f();');
    assert.equal(shape('B[1:2,:]=[5];'), 'B[1:2, :] = [5];');
  });

  test('functions have types where they say so', () => {
    assert.equal(
      shape('def f(a,b:si64,M:matrix,N:matrix<f64>,)->si64,matrix<f64>{return a,N;}'),
      'def f(a, b: si64, M: matrix, N: matrix<f64>) -> si64, matrix<f64> { return a, N; }',
    );
    assert.equal(shape('def f(){return;}'), 'def f() { return; }');
  });

  test('imports may have an alias; their paths have no escapes', () => {
    assert.equal(shape('import "a.daphne";import "b.daph" as "c";'), 'import "a.daphne"; import "b.daph" as "c";');
    assert.equal((parsed('import "a\\\\n";')[0] as { path: string }).path, 'a\\\\n');
  });

  test('braces at the beginning hold statements, or a frame', () => {
    const kinds = (text: string): string =>
      parsed(text)
        .map((each) => each.kind)
        .join();
    for (const text of [
      '{a, b = f();}',
      '{[1]; }',
      '{f(x=1); y=2;}',
      '{x[1:2,];}',
      '{{"a":x};}',
      '{if (a) b;}',
      '{c?d:e;}',
    ])
      assert.equal(kinds(text), 'block', text);
    for (const text of ['{"a":x};', '{["a"],[1]};', '{c?"a":"b":x};', '{f(n=1):x}[0,];'])
      assert.equal(kinds(text), 'expression', text);
  });

  for (const [text, place, message] of [
    ['print(1)', '1:9', /expected `;` after the statement, found the end of the script/],
    ['print(1) x', '1:10', /expected `;` after the statement, found `x`/],
    ['x = 1;;', '1:7', /expected a statement, found `;`/],
    ['x = ;', '1:5', /expected an expression, found `;`/],
    ['x = (1;', '1:7', /expected `\)`, found `;`/],
    ['f(1 2);', '1:5', /expected `,` or `\)`/],
    ['f(,);', '1:3', /expected an expression/],
    ['f(a=1, 2);', '1:8', /without a name come first/],
    ['f(a=1, a=2);', '1:8', /`a` is given twice/],
    ['f::(1);', '1:4', /the name of a kernel/],
    ['f::k;', '1:5', /only calls have kernels/],
    ['a @::k b;', '1:4', /only `\*` `\/` `\+` `-` have kernels/],
    ['x[];', '1:3', /two sides/],
    ['x[0];', '1:4', /two sides/],
    ['x[1,2,3];', '1:6', /expected `\]`/],
    ['x[0, y[1,2]];', '1:11', /write `\] \]`/],
    ['x[[1]];', '1:5', /a filter has two sides/],
    ['x[[1,2];', '1:7', /expected `\]\]`/],
    ['x = [];', '1:5', /can't be empty/],
    ['x = [1,];', '1:8', /expected an expression/],
    ['x = [[1,2],[3,4]];', '1:5', /`\[\[`, which filters/],
    ['x = [1](2);', '1:10', /a shape is/],
    ['x = {};', '1:5', /a frame must have columns/],
    ['x = {"a" 1};', '1:10', /between the label and the column/],
    ['x = {["a"]};', '1:5', /a frame must have rows/],
    ['x = {["a"], [1, 2]};', '1:13', /this row has 2 elements, and there are 1 labels/],
    ['x = as.list(y);', '1:8', /a type such as/],
    ['x = as.f64<f64>(y);', '1:11', /expected `\(`/],
    ['x = $1;', '1:6', /an argument of the script/],
    ['x = a ? b;', '1:10', /the other value of the conditional/],
    ['matrix = 1;', '1:1', /expected an expression, found `matrix`/],
    ['(a) = 1;', '1:1', /can't be assigned to/],
    ['f(x) = 1;', '1:1', /can't be assigned to/],
    ['x[[a,]] = 1;', '1:1', /can't be assigned to/],
    ['a, b + 1 = f();', '1:4', /can't be assigned to/],
    ['a, b;', '1:5', /expected `=`/],
    ['x += 1;', '1:4', /expected an expression, found `=`/],
    ['a = b = c;', '1:7', /expected `;` after the assignment/],
    ['if a { }', '1:4', /expected `\(`/],
    ['if (a) { } else', '1:16', /expected a statement, found the end/],
    ['else x;', '1:1', /expected a statement, found `else`/],
    ['{ x;', '1:5', /`}` or a statement/],
    ['}', '1:1', /expected a statement/],
    ['do x; y;', '1:7', /the condition of `do`/],
    ['for (i in 1) x;', '1:12', /the last value of the loop/],
    ['for (1 in 1:2) x;', '1:6', /the variable of the loop/],
    ['break;\ncontinue x;', '2:10', /expected `;`/],
    ['{ def f() {} }', '1:3', /`def` within a block/],
    ['def f() { def g() {} }', '1:11', /`def` within a block/],
    ['if (a) import "b";', '1:8', /`import` within a block/],
    ['import x;', '1:8', /path of the script/],
    ['return 1;', '1:1', /outside of a function/],
    ['def f(a, a) {}', '1:10', /the name of two parameters/],
    ['def f(a: frame) {}', '1:10', /`frame` is no type/],
    ['def f(a: list) {}', '1:10', /expected a type/],
    ['def f(a) -> {}', '1:13', /expected a type/],
    ['def f(a) x;', '1:10', /expected `{` or `->`/],
    ['def f(a) { return 1 }', '1:21', /`,` or `;`/],
  ] as const) {
    test(`${JSON.stringify(text)} is refused`, () => {
      const [where, why] = refused(text);
      assert.match(why, message);
      assert.equal(where, place);
    });
  }

  test('errors show the line and a caret', () => {
    const show = (text: string): string[] => {
      try {
        parse(new Source('dir/s.daph', text));
        return [];
      } catch (error) {
        return (error as Error).message.split('\n');
      }
    };
    assert.deepEqual(show('a = 1;\r\n\tb = "x" "yz";\r\n'), [
      'dir/s.daph:2:10: expected `;` after the assignment, found `"yz"`',
      '2 | \tb = "x" "yz";',
      '  | \t        ^~~~',
    ]);
    const [, line, caret] = show(`x = ${'1 + '.repeat(1000)};`);
    assert.ok(line!.length < 150 && line!.at(caret!.indexOf('^')) === ';', line);
  });
});

describe('depth and size', () => {
  const N = 10_000;
  const parses = (text: string): string => print(parse(new Source('deep', text)));

  test('10,000 of anything within each other', () => {
    assert.equal(parses(`x = ${'('.repeat(N)}1${')'.repeat(N)};`), 'x = 1;\n');
    for (const text of [
      `x = ${'f('.repeat(N)}1${')'.repeat(N)};\n`,
      `x = ${'1 + ('.repeat(N)}1 + 1${')'.repeat(N)};\n`,
      `x = ${'-'.repeat(N)}1;\n`,
      `x = ${'c ? a : '.repeat(N)}1;\n`,
      `x = ${'c ? '.repeat(N)}1${' : 2'.repeat(N)};\n`,
      `x = ${'1 + '.repeat(N)}1;\n`,
      `x = y${'[0, ]'.repeat(N)};\n`,
      `x = ${'y[0, '.repeat(N)}0]${' ]'.repeat(N - 1)};\n`,
      `x = ${'y[[, '.repeat(N)}0]]${' ]]'.repeat(N - 1)};\n`,
    ])
      assert.ok(parses(text) === text, text.slice(0, 20));
    const blocks = parses(`${'{'.repeat(N)}x;${'}'.repeat(N)}`);
    assert.equal(blocks.match(/\{/g)?.length, N);
    assert.equal(parses(`${'if (a) '.repeat(N)}x;`).match(/if/g)?.length, N);
    assert.equal(parses(`if (a) x;${' else if (b) y;'.repeat(N)}`).match(/else if/g)?.length, N);
    assert.equal(
      parses(`${'while (a) do '.repeat(N / 2)}x;${' while (b);'.repeat(N / 2)}`).match(/do/g)?.length,
      N / 2,
    );
  });

  test('and a clear error beyond the limit', () => {
    const deep = MOST_NESTED + 1;
    for (const text of [`${'('.repeat(deep)}`, `${'-'.repeat(deep)}1;`, '{'.repeat(deep), 'if (a) '.repeat(deep)])
      assert.match(refused(text)[1], /nested too deeply: 20000 levels/);
    assert.equal(parsed(`${'('.repeat(MOST_NESTED)}1${')'.repeat(MOST_NESTED)};`.repeat(2)).length, 2);
  });

  test('10,000 functions', () => {
    const text = Array.from({ length: N }, (_, i) => `def fun${i}(x: f64, y) -> f64 { z = x * ${i} + y; return z; }`);
    assert.equal(parsed(text.join('\n')).length, N);
  });
});

describe('at random', () => {
  test('what is printed is parsed as the same expression', () => {
    fc.assert(
      fc.property(expression, (tree) => {
        const text = print(tree);
        const [statement] = parsed(`x = ${text};`);
        assert.ok(statement?.kind === 'assignment');
        assert.deepEqual(bare(statement.value), bare(tree), text);
      }),
      { numRuns: 80 },
    );
  });

  test('what is printed is parsed as the same script, and printed again as the same text', () => {
    fc.assert(
      fc.property(program, (statements) => {
        const text = print({ kind: 'script', source: new Source('random', ''), statements });
        const script = parse(new Source('random', text));
        assert.deepEqual(bare(script.statements), bare(statements), text);
        assert.equal(print(script), text);
      }),
      { numRuns: 30 },
    );
  });

  test('blanks and comments between tokens change nothing', () => {
    const blank = fc.constantFrom('', '', ' ', '\n', '\t', ' # x\n', ' // "\r', ' /* ; */');
    fc.assert(
      fc.property(program, fc.array(blank, { minLength: 1, maxLength: 20 }), (statements, blanks) => {
        const text = print({ kind: 'script', source: new Source('random', ''), statements });
        const { starts, ends } = tokenize(new Source('random', text));
        let spread = '';
        for (const [i, start] of starts.entries()) {
          // Where the printer puts a blank, one may be needed.
          const needed = i > 0 && ends[i - 1]! < start ? ' ' : '';
          spread += needed + blanks[i % blanks.length]! + text.slice(start, ends[i]);
        }
        assert.deepEqual(bare(parse(new Source('random', spread)).statements), bare(statements), spread);
      }),
      { numRuns: 20 },
    );
  });

  test('places are those of the text', () => {
    fc.assert(
      fc.property(expression, (tree) => {
        const text = `x = ${print(tree)};`;
        const [statement] = parsed(text);
        assert.ok(statement?.kind === 'assignment');
        for (const each of postOrder(statement.value)) {
          // Parentheses at the edges belong to no node.
          if (each.kind === 'literal' || each.kind === 'call' || each.kind === 'name')
            assert.deepEqual(bare(expressionOf(text.slice(each.start, each.end))), bare(each));
        }
      }),
      { numRuns: 80 },
    );
  });

  test('any tokens are a script or an error with a place', () => {
    const words =
      'x 1 2.5 "s" ( ) [ ] [[ ]] { } , ; : :: . ? $ = == + - * @ ^ -> if else while do for in as def return import matrix f64';
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...words.split(' ')), { maxLength: 25 }), (tokens) => {
        const text = tokens.join(' ');
        let script: ReturnType<typeof parse>;
        try {
          script = parse(new Source('s.daph', text));
        } catch {
          refused(text);
          return;
        }
        assert.deepEqual(bare(parse(new Source('s', print(script))).statements), bare(script.statements), text);
      }),
      { numRuns: 1500 },
    );
  });
});

describe('arguments of a script', () => {
  test('come from lists and one by one', () => {
    assert.deepEqual(
      [...scriptArguments(['a=1,b="x,y"', 'c=-2'], ['d=a=b', 'e=1,2', 'f='])],
      [
        ['a', '1'],
        ['b', '"x,y"'],
        ['c', '-2'],
        ['d', 'a=b'],
        ['e', '1,2'],
        ['f', ''],
      ],
    );
    assert.deepEqual([...scriptArguments([''])], []);
  });

  test('are refused without a name, or twice', () => {
    for (const each of ['a', '=1', '1=2', 'a b=1', ''])
      assert.throws(() => scriptArguments([], [each]), { code: 'ERR_SHEAF_SCRIPT_ARGUMENT' }, each);
    assert.throws(() => scriptArguments(['a=1'], ['a=1']), /`a` of the script is given twice/);
  });

  test('are one literal, numbers with a minus or without', () => {
    const good: [string, Constant][] = [
      ['10', { type: 'si64', value: 10n }],
      ['-9223372036854775808', { type: 'si64', value: -(2n ** 63n) }],
      ['-0.5', { type: 'f64', value: -0.5 }],
      ['-1.5f', { type: 'f32', value: -1.5 }],
      ['-inf', { type: 'f64', value: -Infinity }],
      ['-0.0', { type: 'f64', value: -0 }],
      ['-1u', { type: 'ui64', value: 2n ** 64n - 1n }],
      ['true', { type: 'bool', value: true }],
      ['"a\\n"', { type: 'str', value: 'a\n' }],
    ];
    for (const [text, value] of good) assert.deepEqual(argumentValue('foo', text), value, text);
    for (const text of ['10+10', '10xyz', '', '-', '--5', '+5', 'abc', '-"x"', '-true', '1 2', '"a', '[1]', '01'])
      assert.throws(() => argumentValue('foo', text), { code: 'ERR_SHEAF_SCRIPT_ARGUMENT' }, text);
  });
});

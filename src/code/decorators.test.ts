import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { beyondEngine } from './decorators.ts';
import { type AnyNode, parseProgram, walk } from './parse.ts';

/** The text behind each place that only a compiler understands, as far as its line goes. */
function found(text: string): string[] {
  const starts: number[] = [];
  walk(parseProgram(text).program as AnyNode, (node) => {
    const beyond = beyondEngine(node);
    if (beyond !== undefined) starts.push(beyond.start);
    return undefined;
  });
  return starts.sort((a, b) => a - b).map((at) => text.slice(at).split(/[\n;]/)[0] as string);
}

describe('decorators and accessors', () => {
  test('of every kind are read, and found where they are', () => {
    assert.deepEqual(
      found(`
@a class A {}
@a.b.c(1, { x: [2] }) @d()() export class B extends A {}
export @(e ? f : g) class C {}
export default @h class {}
const K = @k class extends A {};
class M {
  @m field = 1;
  @n static s;
  @o get x() { return 1 }
  @p [\`computed\`]() {}
  @q async *gen() {}
  constructor(@r() b, @t c = 1) {}
  accessor u = 4;
  static accessor #v;
  @w accessor 'y';
  accessor [1 + 1] = 2;
  accessor z = class { inner = 1; static accessor w = 2 };
}`),
      [
        '@a class A {}',
        '@a.b.c(1, { x: [2] }) @d()() export class B extends A {}',
        '@(e ? f : g) class C {}',
        '@h class {}',
        '@k class extends A {}',
        '@m field = 1',
        '@n static s',
        '@o get x() { return 1 }',
        '@p [`computed`]() {}',
        '@q async *gen() {}',
        '@r() b, @t c = 1) {}',
        '@t c = 1) {}',
        'accessor u = 4',
        'accessor #v',
        "@w accessor 'y'",
        'accessor [1 + 1] = 2',
        'accessor z = class { inner = 1',
        'accessor w = 2 }',
      ],
    );
  });

  test('are told from members that are called so', () => {
    const text = `@x class A {
  accessor = 1;
  static accessor;
}
class B { accessor() {} get accessor() { return 1 } static accessor() {} async accessor() {} }
class C { accessor
  other = 1 }
const accessor = { accessor: 1 }, email = 'a@b', re = /@/;`;
    assert.deepEqual(found(text), ['@x class A {']);
  });

  test('do not hide what else is wrong with a file', () => {
    assert.throws(() => parseProgram('@a class A {}\nconst = 3;'), /Unexpected/);
    assert.throws(() => parseProgram('@a function f() {} }'), SyntaxError);
  });
});
